"""Schedules, affordable loans and daily interest, to the cent."""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.pricing import Instalment, daily_interest, loan_for_payment, schedule

VECTORS = tomllib.loads(Path(__file__).with_name("pricing_vectors.toml").read_text("utf-8"), parse_float=Decimal)
CASES = VECTORS["instalment_cases"]


def cents(dollars: Decimal) -> int:
    """Read a figure in dollars as whole cents; the figure has no more than two places."""
    whole = dollars * 100
    assert whole == int(whole)
    return int(whole)


@pytest.mark.parametrize("name", CASES)
def test_schedules_to_the_cent(name: str) -> None:
    """Every payment, interest, principal and balance of the known schedules comes out to the cent."""
    case = CASES[name]
    found = schedule(cents(case["draw"]), case["monthly"], case["months"])
    expected = [(row[0], *map(cents, row[1:])) for row in case["schedule"]]
    assert [
        (row.number, row.payment_cents, row.interest_cents, row.principal_cents, row.balance_cents) for row in found
    ] == expected


@given(
    principal=st.integers(10_000, 30_000_000),
    rate=st.integers(0, 500),
    months=st.integers(1, 60),
)
@example(principal=10_000, rate=500, months=60)
@example(principal=10_000, rate=0, months=60)
@example(principal=10_017, rate=499, months=60)
def test_every_schedule_clears(principal: int, rate: int, months: int) -> None:
    """Any draw is repaid exactly by positive payments, all equal but the last, on a falling balance."""
    rows = schedule(principal, rate, months)
    assert [row.number for row in rows] == list(range(1, months + 1))
    assert sum(row.principal_cents for row in rows) == principal
    assert rows[-1].balance_cents == 0
    assert all(row.payment_cents > 0 and row.principal_cents > 0 for row in rows)
    assert len({row.payment_cents for row in rows[:-1]}) <= 1
    balances = [principal, *(row.balance_cents for row in rows)]
    assert all(
        Decimal(before) * rate / 10_000 - Decimal("0.5")
        <= row.interest_cents
        <= Decimal(before) * rate / 10_000 + Decimal("0.5")
        for before, row in zip(balances, rows, strict=False)
    )


def test_half_a_cent_of_interest_rounds_up() -> None:
    """Interest of exactly half a cent is charged as a cent: $150.50 at 1 % is 150.5 cents."""
    assert schedule(15_050, Decimal("0.01"), 1)[0].interest_cents == 151


def test_an_instalment_that_does_not_add_up_cannot_be_built() -> None:
    """A payment is its interest and principal, or there is no instalment."""
    with pytest.raises(ValidationError, match="do not add up"):
        Instalment(number=1, payment_cents=100, interest_cents=10, principal_cents=80, balance_cents=0)


@pytest.mark.parametrize(
    ("principal", "rate", "months"),
    [
        (9_999, 115, 12),
        (10**13 + 1, 115, 12),
        (500_000, 115, 0),
        (500_000, 115, 61),
        (500_000, 501, 12),
        (500_000, 0.0115, 12),
        (5_000.0, 115, 12),
        (500_000, 115, True),
    ],
)
def test_impossible_schedules_are_refused(principal: Any, rate: Any, months: Any) -> None:
    """A draw, rate or term out of bounds, or money in binary floats, is refused."""
    with pytest.raises(ValueError, match=r"is a (whole number|Decimal)"):
        schedule(principal, rate, months)


@pytest.mark.parametrize("row", VECTORS["loan_for_payment"], ids=lambda row: str(row["monthly"]))
def test_loan_that_cash_repays(row: dict[str, Any]) -> None:
    """Net cash of 12,000 a month at a cover of 1.25 carries the known loans."""
    found = loan_for_payment(cents(row["net_cash"]), row["dscr"], row["monthly"], row["months"])
    assert found == cents(row["loan"])


@given(
    net_cash=st.integers(50_000, 5_000_000),
    rate=st.integers(0, 500),
    months=st.integers(1, 60),
)
def test_affordable_loan_is_repaid_by_the_cash(net_cash: int, rate: int, months: int) -> None:
    """The schedule of the loan that cash carries has that cash as its payment, to a cent."""
    loan_cents = loan_for_payment(net_cash, Decimal(1), rate, months)
    assert abs(schedule(loan_cents, rate, months)[0].payment_cents - net_cash) <= 1 + (months == 1)


def test_no_cash_carries_no_loan() -> None:
    """A business that loses money each month carries no loan: an answer, not an error."""
    assert loan_for_payment(0, Decimal("1.25"), 115, 12) == 0
    assert loan_for_payment(-500_000, Decimal("1.25"), 115, 12) == 0


def test_loan_without_interest_is_the_sum_of_payments() -> None:
    """At no interest, twelve payments of 960 repay 11,520."""
    assert loan_for_payment(1_200_00, Decimal("1.25"), 0, 12) == 11_520_00


def test_cover_below_one_is_refused() -> None:
    """A cover that lends more than the cash there is, is refused."""
    with pytest.raises(ValueError, match="cover"):
        loan_for_payment(100_00, Decimal("0.99"), 115, 12)


def accrual_events(row: dict[str, Any]) -> list[tuple[int, int]]:
    """Read a vector's events as days and cents."""
    return [(day, cents(change)) for day, change in row["events"]]


@pytest.mark.parametrize("row", VECTORS["daily_accrual"])
def test_daily_interest(row: dict[str, Any]) -> None:
    """Interest on a changing balance is actual/365 fixed, rounded once, whatever the order of the events."""
    events = accrual_events(row)
    assert daily_interest(events, row["annual"], row["to_day"]) == cents(row["interest"])
    assert daily_interest(events[::-1], row["annual"], row["to_day"]) == cents(row["interest"])


def test_events_not_yet_due_earn_nothing() -> None:
    """What happens on the day interest is taken to, or later, does not count yet; no events cost nothing."""
    assert daily_interest([(30, -900_000), (31, 100_000)], Decimal("0.138"), 30) == 0
    assert daily_interest([], Decimal("0.138"), 30) == 0


def test_balance_below_zero_is_refused() -> None:
    """Repaying more than is owed is refused; a repayment and a draw on one day are netted."""
    with pytest.raises(ValueError, match="below zero at the end of day 5"):
        daily_interest([(0, 100_00), (5, -100_01)], Decimal("0.138"), 30)
    assert daily_interest([(0, 100_00), (5, -200_00), (5, 150_00)], Decimal("0.35"), 15) == 96


@given(
    start=st.integers(0, 10**8),
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 10**7)), max_size=20),
    to_day=st.integers(0, 400),
)
def test_daily_interest_is_the_sum_of_days(start: int, changes: list[tuple[int, int]], to_day: int) -> None:
    """The closed form equals adding the balance up day by day."""
    events = [(0, start), *changes]
    cent_days = sum(sum(change for day, change in events if day <= today) for today in range(to_day))
    exact_cents = Decimal(cent_days) * Decimal("0.138") / 365
    assert abs(daily_interest(events, Decimal("0.138"), to_day) - exact_cents) <= Decimal("0.5")
