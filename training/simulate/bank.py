"""The bank statement: accounts, transfers between them, overdrawn days, dishonours, balances that add up.

It does: run money in and money out through one to three accounts over the window, with the owner covering
shortfalls beyond what the bank lets pass. It does not: classify anything. The rule it keeps: each balance is
the opening balance plus every row, so that a running balance rebuilt backwards is the one that was.
"""
# ruff: noqa: PLR2004 - the figures are the made-up world itself; a name for each would say no more

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from training.simulate.ledger import (
    DIRECT_DEBIT,
    FEE,
    INCOMING,
    INTEREST_CHARGED,
    INTEREST_PAID,
    OTHER,
    OUTGOING,
    PAYMENT,
    Floats,
    Ints,
    Ledger,
    Window,
)
from training.simulate.population import Business, Rng, stream
from training.simulate.sales import add_sales, daily_sales
from training.simulate.spending import add_spending

Json = dict[str, object]
_STATEMENT_DAYS = 180
_LEAST_DAYS = 45
_DISHONOUR_FEE_CENTS = 1_500


@dataclass(frozen=True, slots=True)
class Statement:
    """The statement in the form of engine.facts.BankData, and its number of rows."""

    json: Json
    rows: int


def make_bank(business: Business) -> Statement | None:
    """The statement, or None where the applicant did not connect a bank."""
    rng = stream(business.seed, business.index, 1)
    if not bank_connected(business):
        return None
    window = Window(business.applied_on - timedelta(days=1), _coverage(business, rng))
    ledger = Ledger()
    sales = daily_sales(business, window, rng)
    add_sales(ledger, business, window, sales, rng)
    add_spending(ledger, business, window, sales, rng)
    saved = _add_savings(ledger, window, sales, rng)
    owed = _add_revolving(ledger, business, window, sales, saved is not None, rng)
    current = _settle(ledger, business, window, sales, rng)
    opened = (business.since + timedelta(days=min(20, business.age_days - 1))).isoformat()
    accounts = [_account(business, 0, "TRANS_AND_SAVINGS_ACCOUNTS", current, 0, opened)]
    if saved is not None:
        accounts.append(_account(business, 1, "TRANS_AND_SAVINGS_ACCOUNTS", saved, 0, opened))
    if owed is not None:
        category, cents, limit = owed
        accounts.append(_account(business, 2, category, cents, limit, None))
    columns, texts = ledger.columns(window.first)
    json: Json = {
        "evidence": "declared" if float(rng.random()) < 0.05 else "connected",
        "oldest_on": window.oldest_on.isoformat(),
        "newest_on": window.newest_on.isoformat(),
        "accounts": accounts,
        "texts": texts,
        "transactions": columns,
    }
    return Statement(json, len(columns["posted_day"]))


def bank_connected(business: Business) -> bool:
    """Whether the applicant connected a bank: some 7 % do not, a little more among the unhealthy."""
    u = float(stream(business.seed, business.index, 2).random())
    return u >= 0.07 * math.exp(-0.25 * business.traits.health)


def _coverage(business: Business, rng: Rng) -> int:
    """Days of history: the standard 180, fewer for the young and for accounts opened lately."""
    length = _STATEMENT_DAYS if float(rng.random()) < 0.96 else int(rng.integers(75, _STATEMENT_DAYS))
    return max(min(length, business.age_days - 5), _LEAST_DAYS)


def _account(business: Business, place: int, category: str, current: int, limit: int, opened: str | None) -> Json:
    return {
        "account_id": f"synthetic-{business.index}-{place}",
        "product_category": category,
        "open": True,
        "opened_on": opened,
        "current_cents": current,
        "available_cents": max(current + limit, 0),
        "credit_limit_cents": limit,
    }


def _add_savings(ledger: Ledger, window: Window, sales: Floats, rng: Rng) -> int | None:
    """A savings account fed every month, sometimes drawn on; returns its balance in cents."""
    if float(rng.random()) > 0.45:
        return None
    month = float(sales.sum()) / window.length * 30.4
    days = window.monthly(int(rng.integers(1, 28)))
    back = np.where(rng.random(len(days)) < 0.3, -1, 1)
    amounts = np.maximum(np.rint(month * 0.03 * rng.gamma(4, 0.25, len(days)) / 10_000), 1) * 10_000 * back
    _transfer(ledger, days, amounts, 1, "BUSINESS SAVER")
    interest = window.monthly(28)
    ledger.add(interest, np.full(len(interest), 137), INTEREST_PAID, "CREDIT INTEREST", account=1)
    total = int(ledger.day_totals(window.length, 1).sum())
    return max(total, 0) + int(month * 0.06 * float(rng.random()))


def _transfer(ledger: Ledger, days: Ints, cents: Floats, account: int, name: str) -> None:
    """Move money from the main account to another (negative: back), two rows each."""
    there = cents > 0
    for mine, to, back in ((there, "TFR TO", "TFR FROM"), (~there, "TFR FROM", "TFR TO")):
        out, into = (OUTGOING, INCOMING) if to == "TFR TO" else (INCOMING, OUTGOING)
        ledger.add(days[mine], -cents[mine], out, f"{to} {name}")
        ledger.add(days[mine], cents[mine], into, f"{back} CHEQUE ACCT", account=account)


def _add_revolving(
    ledger: Ledger, business: Business, window: Window, sales: Floats, has_savings: bool, rng: Rng
) -> tuple[str, int, int] | None:
    """An overdraft or a card: its category, balance (negative is owed) and limit."""
    traits = business.traits
    if float(rng.random()) > 1 / (1 + math.exp(0.4 - 0.4 * traits.leverage)):
        return None
    account = 2 if has_savings else 1
    month = float(sales.sum()) / window.length * 30.4
    limit = max(round(month * (0.1 + 0.5 * float(rng.random())) / 100_000), 2) * 100_000
    strain = -0.5 + 0.6 * traits.leverage - 0.7 * traits.liquidity + 0.7 * float(rng.standard_normal())
    used = 1 / (1 + math.exp(-strain))
    due = window.monthly(int(rng.integers(5, 26)))
    charge = np.full(len(due), -max(int(limit * used * 0.013), 100))
    if float(rng.random()) < 0.35:
        category = "OVERDRAFTS"
        ledger.add(due, charge, INTEREST_CHARGED, "DEBIT INTEREST", account=account)
    else:
        category = "CRED_AND_CHRG_CARDS"
        count = int(rng.integers(5, 60))
        bought = np.exp(rng.standard_normal(count))
        bought *= -limit * 0.5 / float(bought.sum())
        days = np.sort(rng.integers(0, window.length, count))
        ledger.add(days, bought, PAYMENT, "CARD PURCHASE SUPPLIES", account=account, category=5085)
        ledger.add(due, charge, INTEREST_CHARGED, "CARD INTEREST", account=account)
    paid = np.full(len(due), float(max(round(limit * 0.5 / 6), 1_000)))
    _transfer(ledger, due, paid, account, "BUSINESS CARD" if category == "CRED_AND_CHRG_CARDS" else "OVERDRAFT")
    return category, -round(limit * used), limit


def _settle(ledger: Ledger, business: Business, window: Window, sales: Floats, rng: Rng) -> int:
    """Set the opening balance, let the owner cover the worst, add dishonours; the balance now, cents."""
    traits, length = business.traits, window.length
    day = float(sales.sum()) / length
    path = np.cumsum(ledger.day_totals(length))
    held = day * math.exp(2.55 + 0.75 * traits.liquidity + 0.4 * float(rng.standard_normal()))
    opening = float(round(max(held - float(path.mean()), day * float(rng.random()))))
    least = -day * math.exp(-0.6 - 1.1 * traits.liquidity)
    step = max(round(day * 2 / 50_000), 1) * 50_000
    short = np.maximum.accumulate(np.maximum(least - opening - path, 0.0))
    covered = np.ceil(short / step) * step
    amounts = np.diff(covered, prepend=0.0)
    when = np.flatnonzero(amounts)
    ledger.add(when, amounts[when], OTHER, "OWNER CONTRIBUTION")
    below = np.flatnonzero(opening + path + covered < 0)
    _add_dishonours(ledger, business, window, below, day, rng)
    return round(opening + float(ledger.day_totals(length).sum()))


def _add_dishonours(ledger: Ledger, business: Business, window: Window, below: Ints, day: float, rng: Rng) -> None:
    """Debits returned for want of money, mostly with a fee; likeliest on overdrawn days."""
    rate = 0.045 * len(below) + math.exp(-2.6 - 0.9 * business.traits.liquidity)
    count = min(int(rng.poisson(rate)), 30)
    if not count:
        return
    days = below[rng.integers(0, len(below), count)] if len(below) else rng.integers(0, window.length, count)
    days = np.sort(days)
    amounts = np.rint(day * 0.5 * np.exp(0.6 * rng.standard_normal(count))) + 2_000
    ledger.add(days, -amounts, DIRECT_DEBIT, "DIRECT DEBIT SUPPLIER ACCOUNT")
    ledger.add(days, amounts, OTHER, "RETURNED ITEM DIRECT DEBIT")
    charged = days[rng.random(count) < 0.7]
    ledger.add(charged, np.full(len(charged), -_DISHONOUR_FEE_CENTS), FEE, "DISHONOUR FEE")
