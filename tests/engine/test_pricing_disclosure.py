"""Cost disclosure: the known cases, its promises as properties, and its speed."""

import json
import time
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.pricing import NO_FEES, CostDisclosure, Fees, disclose, nominal_annual, periodic_return

VECTORS = tomllib.loads(Path(__file__).with_name("pricing_vectors.toml").read_text("utf-8"), parse_float=Decimal)
CASES = VECTORS["instalment_cases"]
CENT_FIGURES = {
    "interest": "interest_cents",
    "line_fees": "line_fees_cents",
    "total_cost": "total_cost_cents",
    "disbursement": "disbursement_cents",
    "total_repayment": "total_repayment_cents",
    "average_monthly": "average_monthly_payment_cents",
}
SHOWN_FIGURES = {
    "factor_rate": "factor_rate",
    "apr_pct": "apr_pct",
    "effective_annual_pct": "effective_annual_pct",
    "total_interest_pct": "total_interest_pct",
    "simple_annual_pct": "simple_annual_pct",
}

draws = st.integers(500_000, 30_000_000)
rates = st.integers(115, 350)
terms = st.integers(1, 24)
fee_tables = st.builds(
    Fees,
    establishment_bps=st.integers(0, 300),
    line_fee_bps_month=st.integers(0, 50),
    draw_fee_bps=st.integers(0, 300),
    minimum_monthly_fee_cents=st.integers(0, 5_000),
)


def disclosed(case: dict[str, Any]) -> CostDisclosure:
    """Disclose one of the known cases."""
    return disclose(
        int(case["draw"] * 100),
        int(case["limit"] * 100),
        case["monthly"],
        case["months"],
        Fees(**case["fees"]),
    )


@pytest.mark.parametrize("name", CASES)
def test_known_cases(name: str) -> None:
    """Every figure of the known cases comes out: money to the cent, ratios at four places."""
    case, found = CASES[name], disclosed(CASES[name])
    for fact, field in CENT_FIGURES.items():
        assert Decimal(getattr(found, field)) / 100 == case[fact], field
    for fact, field in SHOWN_FIGURES.items():
        assert getattr(found, field) == round(case[fact], 4), field
    assert Decimal(found.establishment_fee_cents + found.draw_fee_cents) / 100 == case["withheld"]
    assert Decimal(found.schedule[0].payment_cents) / 100 == case["payment"]
    assert Decimal(found.schedule[-1].payment_cents) / 100 == case["last_payment"]
    assert round(found.cents_in_the_dollar, 2) == case["interest_in_the_dollar"]
    assert round(Decimal(found.total_cost_cents * 100) / found.draw_cents, 2) == case["cost_in_the_dollar"]


@pytest.mark.parametrize("name", CASES)
def test_returns_to_six_places(name: str) -> None:
    """The monthly return, APR and effective rate agree with the known cases to all six places they state."""
    case, found = CASES[name], disclosed(CASES[name])
    payments = [row.payment_cents + found.monthly_line_fee_cents for row in found.schedule]
    periodic = periodic_return(found.disbursement_cents, payments)
    assert round(periodic, 6) == case["periodic"]
    assert round(1200 * periodic, 6) == case["apr_pct"]
    assert round(100 * ((1 + periodic) ** 12 - 1), 6) == case["effective_annual_pct"]


@given(draw=draws, spare=st.integers(0, 3), rate=rates, months=terms, fees=fee_tables)
def test_promises_of_a_disclosure(draw: int, spare: int, rate: int, months: int, fees: Fees) -> None:
    """Cost is never below zero, it is the sum of its parts, and a later draw never costs more."""
    found = disclose(draw, min(draw * (1 + spare), 30_000_000), rate, months, fees)
    assert found.total_cost_cents >= found.interest_cents >= 0
    assert (
        found.total_cost_cents
        == found.interest_cents + found.establishment_fee_cents + found.draw_fee_cents + found.line_fees_cents
    )
    assert sum(row.principal_cents for row in found.schedule) == draw
    assert found.apr_pct >= found.later_draw_apr_pct > 0
    assert found.line_fees_cents >= months * fees.minimum_monthly_fee_cents


@given(draw=draws, rate=rates, months=terms)
def test_without_fees_the_apr_is_the_nominal_rate(draw: int, rate: int, months: int) -> None:
    """Where nothing but interest is charged, the APR is twelve times the monthly rate, to a hundredth."""
    found = disclose(draw, draw, rate, months, NO_FEES)
    assert abs(found.apr_pct - 100 * nominal_annual(rate)) <= Decimal("0.01")


@pytest.mark.parametrize("name", list(Fees.model_fields))
@given(draw=draws, rate=rates, months=terms, fees=fee_tables, more=st.integers(1, 100))
def test_apr_rises_with_each_fee(name: str, draw: int, rate: int, months: int, fees: Fees, more: int) -> None:
    """A higher fee of any kind never lowers the APR, and raises it wherever it is a cent or more."""
    before = disclose(draw, draw, rate, months, fees)
    dearer = Fees.model_validate({**fees.model_dump(), name: getattr(fees, name) + more})
    after = disclose(draw, draw, rate, months, dearer)
    assert after.apr_pct >= before.apr_pct
    if after.total_cost_cents >= before.total_cost_cents + 100 * months:
        assert after.apr_pct > before.apr_pct


def test_a_small_line_pays_the_minimum_fee() -> None:
    """The monthly fee is a share of the limit, but never below the minimum."""
    fees = Fees(line_fee_bps_month=10, minimum_monthly_fee_cents=1_500)
    assert disclose(500_000, 500_000, 115, 12, fees).monthly_line_fee_cents == 1_500
    assert disclose(500_000, 5_000_000, 115, 12, fees).monthly_line_fee_cents == 5_000


def test_a_later_draw_leaves_the_establishment_fee_out() -> None:
    """Beside the first draw's APR stands that of a later draw, which pays no establishment fee."""
    first = disclose(5_000_000, 10_000_000, 165, 12, Fees(establishment_bps=150, line_fee_bps_month=10))
    later = disclose(5_000_000, 10_000_000, 165, 12, Fees(line_fee_bps_month=10))
    assert first.later_draw_apr_pct == later.apr_pct < first.apr_pct
    assert first.later_draw_total_cost_cents == later.total_cost_cents


def test_assumptions_name_what_applies_and_nothing_else() -> None:
    """The sentences beside the figures speak of the fees charged, and of no others."""
    plain = " ".join(disclose(5_000_000, 6_000_000, 115, 12, NO_FEES).assumptions)
    assert "One draw of $50,000 " in plain
    assert "limit of $60,000." in plain
    assert "12 equal monthly instalments" in plain
    assert "fee" not in plain
    fees = Fees(establishment_bps=100, draw_fee_bps=100, minimum_monthly_fee_cents=100)
    charged = " ".join(disclose(5_000_050, 6_000_000, 115, 1, fees).assumptions)
    assert "$50,000.50" in charged
    assert "at once after a month" in charged
    assert all(word in charged for word in ("establishment fee", "draw fee", "line fee"))


def test_survives_json_with_figures_as_text() -> None:
    """A disclosure written as JSON and read back is the same; ratios are text, money whole numbers."""
    found = disclosed(CASES["C"])
    text = found.model_dump_json()
    assert CostDisclosure.model_validate_json(text) == found
    plain = json.loads(text)
    assert plain["apr_pct"] == "29.9504"
    assert plain["monthly_rate_pct"] == "1.6500"
    assert plain["total_cost_cents"] == 822_330
    assert not [value for value in plain.values() if isinstance(value, float)]


@pytest.mark.parametrize(
    "field",
    [
        "disbursement_cents",
        "interest_cents",
        "line_fees_cents",
        "total_cost_cents",
        "total_repayment_cents",
        "later_draw_total_cost_cents",
        "months",
    ],
)
def test_figures_that_disagree_cannot_be_built(field: str) -> None:
    """Change one amount by one and the disclosure refuses to exist."""
    values = disclosed(CASES["C"]).model_dump()
    with pytest.raises(ValidationError, match="figures disagree"):
        CostDisclosure.model_validate({**values, field: values[field] + 1})


def test_draws_that_cannot_be_disclosed_are_refused() -> None:
    """A draw above its limit, a limit above the product and fees that eat half the draw are refused."""
    with pytest.raises(ValueError, match="limit"):
        disclose(5_000_001, 5_000_000, 115, 12, NO_FEES)
    with pytest.raises(ValueError, match="limit"):
        disclose(5_000_000, 30_000_001, 115, 12, NO_FEES)
    with pytest.raises(ValueError, match="half of the draw"):
        disclose(500_000, 2_500_010, 115, 12, Fees(establishment_bps=1_000))
    assert disclose(500_000, 2_500_000, 115, 12, Fees(establishment_bps=1_000)).disbursement_cents == 250_000
    assert disclose(10_000, 30_000_000, 500, 60, Fees(line_fee_bps_month=200)).apr_pct > 0


@pytest.mark.parametrize("slip", [{"establishment_bps": 1_001}, {"draw_fee_bps": 1.5}, {"late_fee_bps": 1}])
def test_fees_with_a_slip_of_unit_or_name_are_refused(slip: dict[str, Any]) -> None:
    """A fee above ten per cent, a fractional basis point or an unknown fee cannot enter a policy."""
    with pytest.raises(ValidationError):
        Fees.model_validate(slip)


def test_a_disclosure_takes_well_under_a_millisecond() -> None:
    """The quickest of fifty twelve-month disclosures with every fee takes less than a millisecond."""
    fees = Fees(establishment_bps=150, line_fee_bps_month=10, draw_fee_bps=100)
    took = []
    for _ in range(50):
        start = time.perf_counter()
        disclose(5_000_000, 10_000_000, 165, 12, fees)
        took.append(time.perf_counter() - start)
    assert min(took) < 0.001


def test_the_same_draw_is_disclosed_once_and_a_wrong_type_is_not_taken_for_it() -> None:
    """Equal arguments give the very same disclosure; a flag that equals a number is refused as before."""
    first = disclose(500_000, 500_000, 115, 1, NO_FEES)
    assert disclose(500_000, 500_000, 115, 1, Fees()) is first
    assert disclose(500_000, 500_000, Decimal("0.0115"), 1, NO_FEES) == first
    with pytest.raises(ValueError, match="term in months"):
        disclose(500_000, 500_000, 115, True, NO_FEES)
