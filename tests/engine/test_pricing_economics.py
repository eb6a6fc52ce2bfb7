"""The lender's side: expected loss, return on capital, break-even."""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.pricing import (
    Economics,
    break_even_at,
    break_even_monthly,
    expected_loss,
    exposure_at_default,
    nominal_annual,
    raroc,
)

VECTORS = tomllib.loads(Path(__file__).with_name("pricing_vectors.toml").read_text("utf-8"), parse_float=Decimal)
ECONOMICS = Economics.model_validate(VECTORS["economics"])


@pytest.mark.parametrize("row", VECTORS["expected_loss"])
def test_expected_loss(row: dict[str, Decimal]) -> None:
    """Exposure at default and expected loss come out to the cent."""
    limit_cents, drawn_cents = int(row["limit"] * 100), int(row["drawn"] * 100)
    assert exposure_at_default(limit_cents, drawn_cents, row["ccf"]) == row["exposure"] * 100
    loss_cents = expected_loss(limit_cents, drawn_cents, row["pd"], row["lgd"], row["ccf"])
    assert loss_cents == row["loss"] * 100


@pytest.mark.parametrize("row", VECTORS["break_even"], ids=lambda row: str(row["pd"]))
def test_break_even(row: dict[str, Decimal]) -> None:
    """The reference line breaks even from 1.029 % a month at a PD of 1 % to 1.744 % at a PD of 12 %."""
    assert round(100 * break_even_monthly(row["pd"], ECONOMICS), 3) == row["monthly_pct"]


def test_lowest_rate_pays_below_a_pd_of_about_three_per_cent() -> None:
    """At 1.15 % a month the reference line pays up to a PD of 2.85 % and no longer at 2.86 %."""
    assert break_even_monthly(Decimal("0.0285"), ECONOMICS) <= Decimal("0.0115")
    assert break_even_monthly(Decimal("0.0286"), ECONOMICS) > Decimal("0.0115")


@pytest.mark.parametrize("row", VECTORS["raroc"], ids=lambda row: str(row["monthly"]))
def test_raroc(row: dict[str, Decimal]) -> None:
    """A year's revenue, funding, loss and capital, and the return on it before and after tax, come out."""
    revenue = row["drawn"] * nominal_annual(row["monthly"]) + row["line_fee_year"]
    assert revenue == row["revenue"]
    found = raroc(int(row["limit"] * 100), int(row["drawn"] * 100), int(revenue * 100), row["pd"], ECONOMICS)
    assert found.funding_cents == row["funding"] * 100
    assert found.expected_loss_cents == row["loss"] * 100
    assert found.pre_tax_cents == row["pre_tax"] * 100
    assert found.capital_cents == row["capital"] * 100
    assert round(found.raroc_pre_tax_pct, 1) == row["pre_tax_pct"]
    assert round(found.raroc_post_tax_pct, 1) == row["post_tax_pct"]


@given(
    pd_bps=st.integers(1, 5_000),
    drawn=st.integers(100_000, 30_000_000),
    spare=st.integers(0, 10_000_000),
)
def test_at_break_even_the_line_earns_its_hurdle(pd_bps: int, drawn: int, spare: int) -> None:
    """A line charged its break-even rate returns the hurdle after tax: the two formulae agree."""
    pd = Decimal(pd_bps) / 10_000
    rate = break_even_at(pd, ECONOMICS, drawn + spare, drawn)
    found = raroc(drawn + spare, drawn, round(rate * 12 * drawn), pd, ECONOMICS)
    assert abs(found.raroc_post_tax_pct - 15) < Decimal("0.02")


@given(pd_bps=st.integers(0, 9_999))
def test_break_even_rises_with_risk(pd_bps: int) -> None:
    """A riskier grade always needs a higher rate."""
    better, worse = Decimal(pd_bps) / 10_000, Decimal(pd_bps + 1) / 10_000
    assert break_even_monthly(better, ECONOMICS) < break_even_monthly(worse, ECONOMICS)


def test_a_loss_making_line_shows_a_return_below_zero() -> None:
    """A line that earns nothing returns less than nothing, and says so instead of failing."""
    assert raroc(10_000_000, 4_000_000, 0, Decimal("0.04"), ECONOMICS).raroc_post_tax_pct < 0


@pytest.mark.parametrize(
    ("limit", "drawn", "pd", "message"),
    [
        (100, 101, Decimal("0.04"), "limit"),
        (100, -1, Decimal("0.04"), "drawn"),
        (100, 50, Decimal("1.01"), "PD"),
        (100, 50, 0.04, "PD"),
    ],
)
def test_impossible_lines_are_refused(limit: int, drawn: int, pd: Any, message: str) -> None:
    """Drawn beyond the limit, a PD above one or a PD as a binary float is refused."""
    with pytest.raises(ValueError, match=message):
        expected_loss(limit, drawn, pd, Decimal("0.65"), Decimal("0.4"))


def test_nothing_drawn_breaks_even_nowhere() -> None:
    """With nothing drawn there is no break-even rate, and without a limit no capital to earn on."""
    with pytest.raises(ValueError, match="drawn"):
        break_even_at(Decimal("0.04"), ECONOMICS, 100_000, 0)
    with pytest.raises(ValueError, match="no capital"):
        raroc(0, 0, 0, Decimal("0.04"), ECONOMICS)


@pytest.mark.parametrize(
    "slip",
    [
        {"reference_drawn_cents": 6_000_001},
        {"reference_drawn_cents": 59_999},
        {"tax_bps": 10_000},
        {"capital_bps": 0},
        {"lgd_bps": 0.65},
    ],
)
def test_impossible_economics_are_refused(slip: dict[str, Any]) -> None:
    """A reference line out of use, a tax of everything, no capital, a fraction for basis points: refused."""
    with pytest.raises(ValidationError):
        Economics.model_validate({**VECTORS["economics"], **slip})
