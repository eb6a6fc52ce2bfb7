"""Money in: card settlements, invoices paid by a few or many payers, cash, and fraud's staged deposits.

It does: add sales credits whose level, trend, unevenness and concentration follow the business. It does not:
move money between own accounts or lend (bank and spending do). The rule it keeps: the sum of sales follows
the true turnover, whatever was declared.
"""
# ruff: noqa: PLR2004 - the figures are the made-up world itself; a name for each would say no more

import math

import numpy as np

from training.simulate import words
from training.simulate.ledger import INCOMING, OTHER, Floats, Ints, Ledger, Window
from training.simulate.population import Business, Rng

_TYPICAL_TURNOVER = 36_500_000.0  # cents; scales the number of rows


def size_of(business: Business) -> float:
    """Turnover over that of a typical applicant."""
    return business.turnover_cents / _TYPICAL_TURNOVER


def daily_sales(business: Business, window: Window, rng: Rng) -> Floats:
    """Expected sales by day, cents: season, growth, uneven months and weeks around a year's 365th part."""
    trade, traits = business.trade, business.traits
    season = 1 + trade.swing * np.cos((window.of_year - trade.peak) * (2 * math.pi / 365))
    growth = np.exp((0.04 + 0.42 * traits.momentum) * (np.arange(window.length) - window.length) / 365)
    uneven = 0.08 * math.exp(0.35 * float(rng.standard_normal()) - 0.25 * traits.health)
    blocks = rng.standard_normal(window.length // 30 + 1)
    weeks = rng.standard_normal(window.length // 7 + 1)
    days = np.arange(window.length)
    lumps = np.exp(uneven * (blocks[days // 30] + weeks[days // 7]))
    seen = 0.9 + 0.12 * float(rng.random())  # part of sales never passes through these accounts, or twice
    level: Floats = business.turnover_cents / 365 * seen * season * growth * lumps
    return level


def add_sales(ledger: Ledger, business: Business, window: Window, sales: Floats, rng: Rng) -> None:
    """Split expected sales into card settlements, cash and invoices."""
    cards = min(max(business.trade.cards + 0.12 * float(rng.standard_normal()), 0.0), 0.95)
    cash = 0.05 * float(rng.random()) if cards > 0.3 else 0.0
    if cards > 0.04:
        _add_settlements(ledger, business, window, sales * cards, rng)
    else:
        cards = 0.0
    if cash:
        days = window.weekly(int(rng.integers(0, 5)))
        amounts = sales[days] * 7 * cash * rng.gamma(4, 0.25, len(days))
        ledger.add(days, np.ceil(amounts / 500) * 500, OTHER, "CASH DEPOSIT BRANCH")
    _add_invoices(ledger, business, window, sales * (1 - cards - cash), rng)
    if business.fraud == "round_deposits":
        _add_round_deposits(ledger, business, window, float(sales.sum()), rng)


def _add_settlements(ledger: Ledger, business: Business, window: Window, expected: Floats, rng: Rng) -> None:
    """One settlement a trading day, shops and restaurants seven days a week."""
    if business.division in "GHR":
        days, scale = np.arange(window.length), 1.0
    else:
        days, scale = window.workdays, 1.4
    amounts = expected[days] * scale * rng.gamma(6, 1 / 6, len(days))
    terminal = words.ACQUIRERS[business.name_number % len(words.ACQUIRERS)]
    ledger.add(days, amounts, INCOMING, f"{terminal} {business.name_number % 90_000 + 10_000}")


def _add_invoices(ledger: Ledger, business: Business, window: Window, expected: Floats, rng: Rng) -> None:
    """Invoices paid on working days, in uneven sizes, by payers of uneven importance."""
    total = float(expected.sum())
    rate = 75 * size_of(business) ** 0.6 * math.exp(0.7 * float(rng.standard_normal()))
    count = min(max(int(rng.poisson(rate * window.length / 180)), 3), 2_800)
    share = expected.cumsum()
    days = np.sort(window.at_work[np.searchsorted(share, rng.random(count) * share[-1])])
    sizes = np.exp(0.65 * rng.standard_normal(count))
    payers = min(max(int(2 + count**0.6 * math.exp(0.4 * float(rng.standard_normal()))), 1), 60)
    weights = np.arange(1, payers + 1) ** -(0.4 + 0.9 * float(rng.random()))
    who = np.searchsorted(np.cumsum(weights), rng.random(count) * weights.sum())
    texts = _payer_texts(ledger, business, np.minimum(who, payers - 1), payers, rng)
    ledger.add(days, sizes * (total / float(sizes.sum())), INCOMING, texts)


def _payer_texts(ledger: Ledger, business: Business, who: Ints, payers: int, rng: Rng) -> Ints:
    """Each payer prints a plain line, or one with an invoice number."""
    names = words.names(business.name_number, business.index, payers)
    number = business.name_number % 9_000 + 1_000
    plain = ledger.texts_of([f"DIRECT CREDIT {name} PTY LTD" for name in names])
    with_number = ledger.texts_of(
        [f"DIRECT CREDIT {name} PTY LTD INV {number + 7 * i}" for i, name in enumerate(names)]
    )
    return np.where(rng.random(len(who)) < 0.25, with_number[who], plain[who])


def _add_round_deposits(ledger: Ledger, business: Business, window: Window, total: float, rng: Rng) -> None:
    """Staged sales: round sums from one payer that leave again within days."""
    count = int(rng.integers(6, 13))
    step = 500_000 if total > 10_000_000 else 100_000
    days = np.sort(rng.integers(0, window.length - 3, count))
    amounts = np.maximum(np.rint(total * 0.5 / count / step * rng.gamma(6, 1 / 6, count)), 1) * step
    payer = words.names(business.name_number + 900, 3, 2)
    ledger.add(days, amounts, INCOMING, f"DIRECT CREDIT {payer[0]} PTY LTD")
    ledger.add(days + 2, -amounts * 0.97, OTHER, f"PAYMENT TO {payer[1]} PTY LTD")
