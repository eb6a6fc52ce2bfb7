"""The price grid: read from a policy's table, looked up at its edges, and held against break-even."""

import tomllib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.pricing import (
    LARGEST_LIMIT_CENTS,
    SMALLEST_LIMIT_CENTS,
    PricingPolicy,
    break_even_monthly,
    break_even_report,
    check_reference_line,
    price,
)

POLICY_TEXT = """
[pricing]
bands_cents = [2_000_000, 15_000_000, 30_000_000]
ceiling_bps = 290

[pricing.rates]
A = [125, 115, 115]
B = [139, 125, 120]
C = [165, 150, 145]
D = [199, 180, 175]

[pricing.fees]
establishment_bps = 100
line_fee_bps_month = 5
draw_fee_bps = 0
minimum_monthly_fee_cents = 1_500

[pricing.economics]
cost_of_funds_bps = 750
lgd_bps = 6500
ccf_bps = 4000
opex_cents = 90_000
capital_bps = 1000
hurdle_bps = 1500
tax_bps = 3000
reference_limit_cents = 6_000_000
reference_drawn_cents = 4_000_000
"""
TABLE = tomllib.loads(POLICY_TEXT)["pricing"]
POLICY = PricingPolicy.model_validate(TABLE)
GRADES = (
    ("A", Decimal("0.02")),
    ("B", Decimal("0.035")),
    ("C", Decimal("0.06")),
    ("D", Decimal("0.10")),
    ("E", Decimal(1)),
)


def altered(**changes: Any) -> PricingPolicy:
    """Build the policy with some of its table replaced."""
    return PricingPolicy.model_validate({**TABLE, **changes})


@pytest.mark.parametrize(
    ("grade", "limit", "expected"),
    [
        ("A", 500_000, 125),
        ("A", 2_000_000, 125),
        ("A", 2_050_000, 115),
        ("B", 15_000_000, 125),
        ("B", 15_000_001, 120),
        ("D", 30_000_000, 175),
    ],
)
def test_price_at_the_edges_of_bands(grade: str, limit: int, expected: int) -> None:
    """A band's upper edge belongs to it; the next cent belongs to the next band."""
    assert price(POLICY, grade, limit) == expected


@given(limit=st.integers(SMALLEST_LIMIT_CENTS, LARGEST_LIMIT_CENTS))
def test_price_never_falls_with_risk(limit: int) -> None:
    """At any limit of the product every grade has a price, at least 1.15 %, and risk pays no less."""
    rates = [price(POLICY, grade, limit) for grade in POLICY.grades]
    assert rates == sorted(rates)
    assert rates[0] >= 115
    assert rates[-1] <= POLICY.ceiling_bps


@pytest.mark.parametrize(
    ("grade", "limit", "message"),
    [("E", 500_000, "no price"), ("A", 499_999, "outside"), ("A", 30_000_001, "outside")],
)
def test_what_has_no_price_is_refused(grade: str, limit: int, message: str) -> None:
    """A grade that is never lent to, or a limit outside the product, has no price."""
    with pytest.raises(ValueError, match=message):
        price(POLICY, grade, limit)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rates": {"A": [114, 115, 115]}}, "greater than or equal to 115"),
        ({"rates": {"A": [1.15, 115, 115]}}, "valid integer"),
        ({"rates": {"A": [115, 115]}}, "2 rates for 3 bands"),
        ({"rates": {"A": [125, 115, 115], "B": [124, 116, 116]}}, "B is cheaper than the safer grade A"),
        ({"rates": {"A": [115, 115, 291]}}, "above the ceiling of 290"),
        ({"rates": {}}, "at least 1 item"),
        ({"rates": 115}, "valid tuple"),
        ({"rates": [{"grade": "A", "rates_bps": [115] * 3}] * 2}, "priced twice"),
        ({"rates": {"a grade": [115] * 3}}, "match pattern"),
        ({"bands_cents": [15_000_000, 15_000_000, 30_000_000]}, "do not rise"),
        ({"bands_cents": [2_000_000, 15_000_000, 29_950_000]}, "do not cover"),
        ({"bands_cents": [450_000, 15_000_000, 30_000_000]}, "do not cover"),
        ({"bands_cents": [2_000_001, 15_000_000, 30_000_000]}, "not a multiple"),
        ({"ceiling_bps": 29_000}, "less than or equal"),
        ({"discount_bps": 5}, "not permitted"),
    ],
)
def test_a_grid_that_breaks_a_rule_cannot_be_built(changes: dict[str, Any], message: str) -> None:
    """Floor, ceiling, order of risk, cover of the product and spelling are checked when a policy is read."""
    with pytest.raises(ValidationError, match=message):
        altered(**changes)


def test_policy_survives_json() -> None:
    """A pricing table written as JSON and read back is the same, in the same order of grades."""
    again = PricingPolicy.model_validate_json(POLICY.model_dump_json())
    assert again == POLICY
    assert again.grades == ("A", "B", "C", "D")
    assert hash(again) == hash(POLICY)


def test_a_grid_that_pays_passes() -> None:
    """Every cell of the example grid covers its grade's worst PD at the reference line."""
    assert check_reference_line(POLICY, GRADES, POLICY.economics) == ()


def test_a_cell_below_break_even_is_named() -> None:
    """At a worst PD of 3 % exactly the cells at 1.15 % a month are named, with the rate they need."""
    grades = (("A", Decimal("0.03")), *GRADES[1:])
    found = check_reference_line(POLICY, grades, POLICY.economics)
    assert [(bad.grade, bad.band_to_cents) for bad in found] == [("A", 15_000_000), ("A", 30_000_000)]
    assert found[0].sentence == (
        "Grade A up to $150,000 is priced at 115 bps a month but needs 115.9286 at a PD of 0.03."
    )


def test_a_rate_exactly_at_break_even_pays() -> None:
    """Break-even is enough: the comparison is exact, not a matter of rounding."""
    # At no cost but capital the break-even is 0.1 * 0.12 / 12 = 0.1 % a month plus funding of 1.2 % on 90 %.
    economics = POLICY.economics.model_copy(
        update={
            "cost_of_funds_bps": 1_400,
            "opex_cents": 0,
            "ccf_bps": 0,
            "tax_bps": 0,
            "hurdle_bps": 1_200,
        }
    )
    assert break_even_monthly(Decimal(0), economics) == Decimal("0.0115")
    assert check_reference_line(altered(rates={"A": [115] * 3}), (("A", Decimal(0)),), economics) == ()


def test_grades_out_of_order_or_unknown_are_named() -> None:
    """A priced grade without a worst PD, or one not riskier than the grade before it, forbids publishing."""
    unknown = check_reference_line(POLICY, GRADES[:3], POLICY.economics)
    assert [bad.sentence for bad in unknown] == ["Grade D has a price but no worst PD."]
    swapped = check_reference_line(
        POLICY, (*GRADES[:2], ("C", Decimal("0.10")), ("D", Decimal("0.06"))), POLICY.economics
    )
    assert "Grade D stands after C but its worst PD is not above C's." in [bad.sentence for bad in swapped]
    with pytest.raises(ValueError, match="no worst PD"):
        break_even_report(POLICY, GRADES[:3], POLICY.economics)


def test_report_covers_every_cell() -> None:
    """The report has a row a cell, bands joined without gap, and margins that follow from their parts."""
    cells = break_even_report(POLICY, GRADES, POLICY.economics, POLICY.fees)
    assert [(cell.grade, cell.rate_bps) for cell in cells] == [
        (grade, rate) for grade, rates in TABLE["rates"].items() for rate in rates
    ]
    assert [(cell.band_from_cents, cell.band_to_cents) for cell in cells[:3]] == [
        (500_000, 2_000_000),
        (2_050_000, 15_000_000),
        (15_050_000, 30_000_000),
    ]
    assert [cell.mid_limit_cents for cell in cells[:3]] == [1_250_000, 8_500_000, 22_500_000]
    for cell in cells:
        assert abs(cell.rate_bps - cell.break_even_bps - cell.margin_bps) <= Decimal("0.0001")
        at_middle = cell.rate_bps + cell.mid_fee_bps - cell.mid_break_even_bps
        assert abs(at_middle - cell.mid_margin_bps) <= Decimal("0.0002")
        assert cell.margin_bps >= 0


def test_report_shows_the_weight_of_fixed_cost_on_small_lines() -> None:
    """A middle line of $12,500 needs 70 bps more than one of $85,000, and the minimum fee brings back 18."""
    small, large = break_even_report(POLICY, GRADES, POLICY.economics, POLICY.fees)[:2]
    assert small.break_even_bps == large.break_even_bps == Decimal("109.4286")
    assert small.mid_break_even_bps - large.mid_break_even_bps > 70
    assert small.mid_fee_bps == Decimal("18.0000")
    assert large.mid_fee_bps == Decimal("7.5000")
    without = break_even_report(POLICY, GRADES, POLICY.economics)[0]
    assert without.mid_fee_bps == 0
    assert without.mid_margin_bps < small.mid_margin_bps
