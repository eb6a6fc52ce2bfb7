"""Rates and returns: published cost boxes, compounding, and flows that would trip a careless solver."""

import tomllib
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.pricing import (
    apr,
    average_monthly_payment,
    effective_annual,
    nominal_annual,
    periodic_return,
    term_in_months,
)
from engine.pricing.rates import effective_from_periodic

VECTORS = tomllib.loads(Path(__file__).with_name("pricing_vectors.toml").read_text("utf-8"), parse_float=Decimal)


def published_flow(box: dict[str, Any]) -> tuple[int, list[int]]:
    """Split a published total into its payments, even to the cent, the last one taking the rest."""
    total_cents = int(box["total_repayment"] * 100)
    each_cents = total_cents // box["payments"]
    payments = [each_cents] * (box["payments"] - 1)
    return int(box["disbursed"] * 100), [*payments, total_cents - sum(payments)]


@pytest.mark.parametrize("row", VECTORS["rates"], ids=lambda row: str(row["monthly"]))
def test_yearly_rates(row: dict[str, Decimal]) -> None:
    """A monthly rate gives its nominal and effective yearly rate, whether written as a fraction or in bps."""
    monthly = row["monthly"]
    assert nominal_annual(monthly) == row["nominal"]
    assert round(effective_annual(monthly), 8) == row["effective"]
    assert effective_annual(int(monthly * 10_000)) == effective_annual(monthly)


@pytest.mark.parametrize("box", VECTORS["published"], ids=lambda box: box["name"])
def test_published_boxes(box: dict[str, Any]) -> None:
    """The APR and average monthly payment that two lenders publish come out of their cash flows."""
    disbursed_cents, payments_cents = published_flow(box)
    periods = box["periods_per_year"]
    assert round(apr(disbursed_cents, payments_cents, periods), 2) == box["apr_pct"]
    periodic = periodic_return(disbursed_cents, payments_cents)
    assert abs(periodic - box["periodic"]) < Decimal("1e-7")
    assert round(effective_from_periodic(periodic, periods), 2) == box["effective_annual_pct"]
    total_cents = sum(payments_cents)
    assert Decimal(total_cents - disbursed_cents) / 100 == box["total_cost"]
    assert average_monthly_payment(total_cents, box["term_months"]) == box["average_monthly"] * 100


def test_months_of_a_term_in_days() -> None:
    """Thirteen fortnights are 5.98 months of 365/12 days, the term Moula publishes; a year is 12.00."""
    moula = VECTORS["published"][1]
    assert term_in_months(moula["term_days"]) == moula["term_months"]
    assert str(term_in_months(365)) == "12.00"


@pytest.mark.parametrize(
    ("disbursed", "payments", "expected"),
    [
        (100_00, [110_00], "0.1"),
        (100_00, [100_00], "0"),
        (100_00, [50_00], "-0.5"),
        (100_00, [0, 121_00], "0.1"),
        (100_00, [0, 25_00], "-0.5"),
        (1, [10**13], "9999999999999"),
        (10**13, [1], "-0.9999999999999"),
    ],
)
def test_returns_known_by_hand(disbursed: int, payments: list[int], expected: str) -> None:
    """Gains, losses, late payments and grotesque flows give the return a person can check by hand."""
    found = periodic_return(disbursed, payments)
    assert abs(found - Decimal(expected)) <= abs(1 + found) * Decimal("1e-20")


@given(
    disbursed=st.integers(1, 10**10),
    payments=st.lists(st.integers(0, 10**9), min_size=1, max_size=120).filter(any),
)
# On this one Newton alone would take thousands of steps.
@example(disbursed=10**13, payments=[0] * 519 + [1])
def test_return_discounts_the_payments_to_the_disbursement(disbursed: int, payments: list[int]) -> None:
    """Discounted at the return found, any flow of payments is worth the money disbursed."""
    with localcontext() as context:
        context.prec = 60
        factor = 1 / (1 + periodic_return(disbursed, payments))
        discounted = (payment * factor**number for number, payment in enumerate(payments, start=1))
        worth = sum(discounted, Decimal(0))
        assert abs(worth / disbursed - 1) < Decimal("1e-20")


@given(
    disbursed=st.integers(10**6, 10**8),
    payments=st.lists(st.integers(1, 10**6), min_size=1, max_size=12),
    more=st.integers(1, 10**6),
)
def test_return_rises_with_any_payment(disbursed: int, payments: list[int], more: int) -> None:
    """Paying more at the end raises the return; getting more at the start lowers it."""
    before = periodic_return(disbursed, payments)
    assert periodic_return(disbursed, [*payments[:-1], payments[-1] + more]) > before
    assert periodic_return(disbursed + more, payments) < before


def test_callers_decimal_context_changes_nothing() -> None:
    """A caller whose own decimal context is coarse still gets every digit."""
    fine = periodic_return(48_500_00, [4_726_94] * 12), effective_annual(115), nominal_annual(115)
    with localcontext() as context:
        context.prec = 2
        coarse = periodic_return(48_500_00, [4_726_94] * 12), effective_annual(115), nominal_annual(115)
    assert coarse == fine


@pytest.mark.parametrize(
    ("disbursed", "payments"),
    [(0, [1]), (-1, [1]), (1, []), (1, [0]), (1, [2, -1]), (1, [1] * 521), (True, [2]), (1, [1.5])],
)
def test_flows_without_a_rate_are_refused(disbursed: int, payments: list[int]) -> None:
    """A flow for which no single rate exists, or whose money is no whole cents, is refused."""
    with pytest.raises(ValueError, match=r"whole number|no rate"):
        periodic_return(disbursed, payments)


@pytest.mark.parametrize("rate", [0.0115, True, -1, 501, Decimal("NaN"), Decimal("0.051"), Decimal("0.0115000000001")])
def test_rates_in_a_wrong_unit_are_refused(rate: Any) -> None:
    """A binary float, a truth value, a rate out of range or finer than any contract is no monthly rate."""
    with pytest.raises(ValueError, match="monthly rate"):
        nominal_annual(rate)


def test_terms_of_no_length_are_refused() -> None:
    """No term, no average: zero days and zero months are refused."""
    with pytest.raises(ValueError, match="term in days"):
        term_in_months(0)
    with pytest.raises(ValueError, match="no months"):
        average_monthly_payment(100, 0)
    with pytest.raises(ValueError, match="payment periods"):
        apr(100, [101], 0)


def test_one_payment_is_discounted_exactly() -> None:
    """A single payment needs no search: 230,600 on 12,800,000 a month is 21.61875 % a year, and half goes up."""
    assert periodic_return(12_800_000, [13_030_600]) == Decimal("0.018015625")
    assert apr(12_800_000, [13_030_600], 12) == Decimal("21.6188")
