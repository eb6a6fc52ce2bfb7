"""Money out: suppliers, wages, rent, tax, lenders, small purchases, the owner's drawings.

It does: spend what the business's margin leaves to be spent, stream by stream. It does not: see to it that
the money is there (bank does: overdrawn days, dishonours, the owner's contributions). The rule it keeps:
every stream is a share of the same expected sales, so that the statement's cash flow follows the true
margin.
"""
# ruff: noqa: PLR2004 - the figures are the made-up world itself; a name for each would say no more

import math

import numpy as np

from training.simulate import words
from training.simulate.ledger import (
    DIRECT_DEBIT,
    FEE,
    INCOMING,
    OUTGOING,
    PAYMENT,
    Floats,
    Ints,
    Ledger,
    Window,
)
from training.simulate.population import Business, Rng
from training.simulate.sales import size_of

_ROWS_EACH_STAFF = 12  # above this many employees wages leave as one batch
_BAS_MONTHS = (2, 4, 7, 10)  # activity statements fall due on the 28th of these


def add_spending(ledger: Ledger, business: Business, window: Window, sales: Floats, rng: Rng) -> None:
    """All streams of spending over the window."""
    total = float(sales.sum())
    trade, margin = business.trade, business.margin
    goods = total * trade.goods * (0.85 + 0.3 * float(rng.random()))
    payroll = total * trade.payroll * (0.8 + 0.4 * float(rng.random())) if business.staff else 0.0
    rent = total * 0.055 if float(rng.random()) < 0.55 else 0.0
    tax = 0.035 * total + 0.2 * payroll
    planned = goods + payroll + rent + tax
    spend = total * (1 - margin)
    if planned > 0.94 * spend:
        squeeze = 0.94 * spend / planned
        goods, payroll, rent, tax = goods * squeeze, payroll * squeeze, rent * squeeze, tax * squeeze
    other = spend - goods - payroll - rent - tax
    platform = min(goods, goods * business.platform_share)
    _add_suppliers(ledger, business, window, (goods - platform) + 0.35 * other, rng)
    _add_platform(ledger, window, platform, rng)
    _add_purchases(ledger, business, window, 0.3 * other, rng)
    _add_bills(ledger, window, 0.35 * other, rng)
    _add_wages(ledger, business, window, payroll, rng)
    if rent:
        days = window.monthly(1)
        ledger.add(days, np.full(len(days), -rent * 30.4 / window.length), OUTGOING, "RENT PREMISES STHN REALTY")
    _add_tax(ledger, business, window, tax, rng)
    _add_loans(ledger, business, window, rng)
    _add_drawings(ledger, window, total * max(margin, 0.0) * 0.4, rng)
    _add_gambling(ledger, business, window, total, rng)


def _spread(total: float, count: int, sigma: float, rng: Rng) -> Floats:
    """`count` uneven negative amounts that sum to -total."""
    sizes = np.exp(sigma * rng.standard_normal(count))
    return sizes * (-total / float(sizes.sum()))


def _add_suppliers(ledger: Ledger, business: Business, window: Window, total: float, rng: Rng) -> None:
    count = min(max(int(rng.poisson(55 * size_of(business) ** 0.55)), 4), 1_200)
    days = np.sort(window.workdays[rng.integers(0, len(window.workdays), count)])
    suppliers = words.names(business.name_number + 500, business.index + 5, min(3 + count // 6, 40))
    texts = ledger.texts_of([f"PAYMENT TO {name}" for name in suppliers])
    who = (rng.random(count) ** 1.7 * len(suppliers)).astype(np.int64)
    ledger.add(days, _spread(total, count, 0.7, rng), OUTGOING, texts[who])


def _add_platform(ledger: Ledger, window: Window, total: float, rng: Rng) -> None:
    days = window.weekly(int(rng.integers(0, 5)))
    ledger.add(days, _spread(total, len(days), 0.4, rng), DIRECT_DEBIT, words.MARKETPLACE)


def _add_purchases(ledger: Ledger, business: Business, window: Window, total: float, rng: Rng) -> None:
    """Small card purchases, the bulk of the rows and little of the money."""
    rate = 160 * size_of(business) ** 0.3 * math.exp(0.55 * float(rng.standard_normal()))
    count = min(max(int(rng.poisson(rate * window.length / 180)), 10), 1_200)
    days = np.sort(rng.integers(0, window.length, count))
    amounts = _spread(total, count, 0.9, rng)
    kinds = len(words.CARD_MERCHANTS)
    which = rng.integers(0, kinds, count)
    for place, (merchant, category) in enumerate(words.CARD_MERCHANTS):
        mine = which == place
        ledger.add(days[mine], amounts[mine], PAYMENT, f"EFTPOS {merchant}", category=category)


def _add_bills(ledger: Ledger, window: Window, total: float, rng: Rng) -> None:
    months = window.length / 30.4
    bills = (
        "INSURANCE PREMIUM",
        "ENERGY AND WATER ACCOUNT",
        "BOOKKEEPING SERVICES",
        "TELEPHONE AND INTERNET",
    )
    for bill, share in zip(bills, (0.3, 0.3, 0.25, 0.15), strict=True):
        days = window.monthly(int(rng.integers(2, 28)))
        amounts = -total * share / months * rng.gamma(20, 0.05, len(days))
        ledger.add(days, amounts, DIRECT_DEBIT, bill)
    days = window.monthly(1)
    ledger.add(days, np.full(len(days), -1_000), FEE, "MONTHLY ACCOUNT FEE")


def _add_wages(ledger: Ledger, business: Business, window: Window, total: float, rng: Rng) -> None:
    """Wages weekly or every fortnight, one row an employee in small firms; superannuation each quarter."""
    if not total:
        return
    days = window.weekly(int(rng.integers(2, 5)), 1 if float(rng.random()) < 0.5 else 2)
    rows = min(business.staff, _ROWS_EACH_STAFF) if business.staff <= _ROWS_EACH_STAFF else 1
    each = -0.9 * total / (len(days) * rows)
    for employee in range(rows):
        text = f"WAGES EMP {employee + 1:02d}" if business.staff <= _ROWS_EACH_STAFF else "PAYROLL BATCH"
        ledger.add(days, each * (0.85 + 0.3 * rng.random(len(days))), OUTGOING, text)
    quarters = _days_of(window, (1, 4, 7, 10), 27)
    ledger.add(quarters, np.full(len(quarters), -0.1 * total / 2), OUTGOING, "SUPERANNUATION CLEARING")


def _days_of(window: Window, months: tuple[int, ...], of_month: int) -> Ints:
    days: Ints = window.at_work[(window.of_month == of_month) & np.isin(window.month, months)]
    return days


def _add_tax(ledger: Ledger, business: Business, window: Window, total: float, rng: Rng) -> None:
    """Activity statements each quarter, missed by the undisciplined; a payment plan shows as equal debits."""
    due = _days_of(window, _BAS_MONTHS, 28)
    paid = due[rng.random(len(due)) < 1 / (1 + math.exp(-2.6 - 0.9 * business.traits.tax))]
    late = rng.integers(0, 6, len(paid)) if business.traits.tax < 0 else np.zeros(len(paid), dtype=np.int64)
    amounts = -total / 2 * (365 / 2 / window.length) * rng.gamma(20, 0.05, len(paid))
    ledger.add(np.minimum(paid + late, window.length - 1), amounts, OUTGOING, "BPAY TAX OFFICE PAYMENT ATO 75556")
    if business.tax_plan:
        days = window.monthly(int(rng.integers(3, 26)))
        instalment = -max(business.overdue_tax_cents // 12, 5_000)
        ledger.add(days, np.full(len(days), instalment), DIRECT_DEBIT, "ATO PAYMENT PLAN INSTALMENT")


def _add_loans(ledger: Ledger, business: Business, window: Window, rng: Rng) -> None:
    """Repayments to competing lenders by working day, week or month, and the proceeds of recent loans."""
    for loan in business.loans:
        name = words.LENDERS[loan.lender]
        if loan.every_days == 1:
            days, each = window.workdays, loan.repayment_month_cents / 21
        elif loan.every_days == 7:
            days, each = window.weekly(loan.lender % 5), loan.repayment_month_cents / 4.35
        else:
            days, each = window.monthly(5 + loan.lender), float(loan.repayment_month_cents)
        begun = window.length - loan.begun_days_ago
        ledger.add(days[days >= begun], np.full(int((days >= begun).sum()), -round(each)), DIRECT_DEBIT, name)
        if begun > 0:
            proceeds = np.array([loan.repayment_month_cents * int(rng.integers(7, 12)) // 100_000 * 100_000])
            ledger.add(np.array([begun]), proceeds, INCOMING, f"{name} PROCEEDS")


def _add_drawings(ledger: Ledger, window: Window, total: float, rng: Rng) -> None:
    if total > 0:
        days = window.weekly(int(rng.integers(0, 5)), 2)
        ledger.add(days, _spread(total, len(days), 0.3, rng), OUTGOING, "OWNER DRAWINGS")


def _add_gambling(ledger: Ledger, business: Business, window: Window, total: float, rng: Rng) -> None:
    """A few owners gamble from the business account, more of them among the unhealthy."""
    if float(rng.random()) > 0.025 * math.exp(-0.5 * business.traits.health):
        return
    count = int(rng.integers(4, 40))
    days = np.sort(rng.integers(0, window.length, count))
    merchant, category = words.GAMBLING_MERCHANTS[business.index % len(words.GAMBLING_MERCHANTS)]
    share = 0.001 + 0.14 * float(rng.random()) ** 4
    ledger.add(days, _spread(total * share, count, 0.8, rng), PAYMENT, merchant, category=category)
