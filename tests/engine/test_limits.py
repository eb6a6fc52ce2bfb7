"""Caps and the limit they leave, against exact fractions; absent, failed and zero kept apart."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.application import LARGEST_CENTS, SMALLEST_CENTS, STEP_CENTS
from engine.features import Evidence
from engine.limits import Assignment, assign
from engine.policy import Policy
from engine.pricing import loan_for_payment
from engine.screening import Case
from tests.support.businesses import AS_OF, business
from tests.support.releases import fake_release
from tests.support.stories import stories

Told = dict[str, Any]
GRADES = "ABCDE"
NAMES = [
    "request", "policy", "turnover", "marketplace", "debt_service", "expected_loss", "evidence", "exposure"
]  # fmt: skip


def policy_of(**changes: Any) -> Policy:
    """The draft policy on the stories' day, base values replaced by dotted path (double underscore for the dot)."""
    paths = {path.replace("__", "."): value for path, value in changes.items()}
    return fake_release(policy=paths or None).policy.on(AS_OF.date())


def case_of(told: Told | None = None, policy: Policy | None = None) -> Case:
    application, facts = business(told)
    return Case(application, facts, Evidence.of(application, facts), policy or policy_of())


CASE = case_of({"application": {"request": {"amount_cents": 30_000_000}}})


def caps_of(assignment: Assignment) -> dict[str, tuple[str, int | None]]:
    return {cap.name: (cap.status, cap.cents) for cap in assignment.caps}


def asking(cents: int) -> Told:
    return {"application": {"request": {"amount_cents": cents}}}


def test_the_ordinary_business_s_caps() -> None:
    """Worked by hand in grade B at 2.5 %: 1.2 x 80,000; 303,570 / 12 x 3 x 1.3; 2,500 / (0.025 x 0.65)."""
    result = assign(case_of(), "B", 0.025)
    assert [cap.name for cap in result.caps] == NAMES
    assert caps_of(result) == {
        "request": ("computed", 4_000_000),
        "policy": ("computed", 30_000_000),
        "turnover": ("computed", 9_600_000),
        "marketplace": ("computed", 13_154_700),
        # 14,000 a month at cover 1.25 is 11,200 for twelve months at 1.65 % + 0.25 %.
        "debt_service": ("computed", loan_for_payment(1_120_000, Decimal(1), Decimal("0.0190"), 12)),
        "expected_loss": ("computed", 15_384_615),
        "evidence": ("computed", 15_000_000),
        "exposure": ("computed", 30_000_000),
    }
    assert (result.limit_cents, result.bound_by) == (4_000_000, "request")


def test_the_published_loss_vector() -> None:
    """A loss budget of 1,500 at PD 4 % and LGD 65 % carries 57,692.31, whole cents rounded down."""
    policy = policy_of(grades__C__loss_budget_cents=150_000)
    result = assign(case_of(asking(30_000_000), policy), "C", 0.04)
    assert caps_of(result)["expected_loss"] == ("computed", 5_769_230)


@pytest.mark.parametrize(("stress", "cents"), [(0, 10_703_172), (25, 10_536_729)])
def test_the_published_service_vectors(stress: int, cents: int) -> None:
    """12,000 a month at cover 1.25 over 12 months: 107,031.72 at 1.15 %, 105,367.29 stressed by 3 % a year."""
    policy = policy_of(pricing__rates__A=[115, 115, 115, 115], limits__stress_bps_month=stress)
    case = case_of({"bank": {"sales_a_month_cents": 8_000_000, "costs_a_month_cents": 6_800_000}}, policy)
    assert caps_of(assign(case, "A", 0.01))["debt_service"] == ("computed", cents)


@settings(max_examples=150)
@given(
    st.lists(st.integers(0, 10**9), min_size=1, max_size=6),
    st.lists(st.integers(-(10**8), 10**8), min_size=6, max_size=6),
    st.lists(st.integers(0, 10**7), min_size=6, max_size=6),
    st.integers(0, 3),
    st.sampled_from(GRADES),
    st.integers(1, 1_200),
)
def test_caps_are_exact(
    revenue: list[int], flow: list[int], service: list[int], lenders: int, grade: str, pd_bps: int
) -> None:
    """Turnover, debt service and loss caps equal exact fractions rounded down: not one cent is lost to floats."""
    case, months = CASE, len(revenue)
    assert case.evidence.bank is not None
    bank = replace(
        case.evidence.bank, revenue=tuple(revenue), net_flow=tuple(flow[:months]),
        debt_service=tuple(service[:months]), lenders=lenders,
    )  # fmt: skip
    case = replace(case, evidence=replace(case.evidence, bank=bank))
    caps = caps_of(assign(case, grade, pd_bps / 10_000))
    terms, limits = case.policy.grade(grade), case.policy.limits

    turnover = floor(Fraction(sum(revenue), months) * Fraction(terms.turnover_factor_bps, 10_000))
    recent, earlier = sum(revenue[:3]), sum(revenue[3:])
    if months == 6 and recent * 10 < earlier * 8:
        turnover = turnover * 7 // 10
    if lenders >= 2:
        turnover //= 2
    assert caps["turnover"] == ("computed", turnover)

    debt = Fraction(sum(service[:months]), months)
    spare = floor((Fraction(sum(flow[:months]), months) + debt) * Fraction(10_000, 12_500) - debt)
    rate = Decimal(max(next(r for r in case.policy.pricing.rates if r.grade == grade).rates_bps) + 25) / 10_000
    expected = loan_for_payment(spare, Decimal(1), rate, 12) if spare > 0 else 0
    assert caps["debt_service"] == ("computed", expected)

    loss = Fraction(terms.loss_budget_cents) / (
        Fraction(pd_bps, 10_000) * Fraction(limits.loss_given_default_bps, 10_000)
    )
    assert caps["expected_loss"] == ("computed", floor(loss))


@given(st.integers(1, 10_000), st.integers(1, 10_000), st.integers(1, 100_000_000))
def test_the_loss_cap_is_exact_for_any_policy(pd_bps: int, lgd_bps: int, budget: int) -> None:
    """Where the line divides without a remainder, not a cent is missing."""
    cents = budget * 10**8 // (pd_bps * lgd_bps)
    case = CASE
    grade = case.policy.grades[0].model_copy(update={"loss_budget_cents": budget})
    limits = case.policy.limits.model_copy(update={"loss_given_default_bps": lgd_bps})
    policy = case.policy.model_copy(update={"grades": (grade,), "limits": limits})
    assert caps_of(assign(replace(case, policy=policy), "A", pd_bps / 10_000))["expected_loss"] == ("computed", cents)


@settings(max_examples=60)
@given(stories(), st.sampled_from(GRADES), st.integers(1, 1_200))
def test_the_limit_is_the_smallest_cap_floored(told: Told, grade: str, pd_bps: int) -> None:
    """Never above any cap, a multiple of 500, zero rather than below the product, and the cap that bound is named."""
    case = case_of(told)
    result = assign(case, grade, pd_bps / 10_000)
    computed = {cap.name: cap.cents for cap in result.caps if cap.cents is not None}
    smallest = min(computed.values())
    assert all((cap.cents is None) == (cap.status != "computed") for cap in result.caps)
    assert result.limit_cents % STEP_CENTS == 0
    assert result.limit_cents == 0 or SMALLEST_CENTS <= result.limit_cents <= min(smallest, LARGEST_CENTS)
    assert (result.limit_cents == 0) == (smallest < SMALLEST_CENTS)
    assert smallest - result.limit_cents < STEP_CENTS or not result.limit_cents
    assert computed[result.bound_by] == smallest
    assert result.bound_by == "request" or smallest < case.application.request.amount_cents


@pytest.mark.parametrize("status", ["absent", "failed"])
@pytest.mark.parametrize(
    ("source", "caps"),
    [("bank", {"turnover", "debt_service"}), ("marketplace", {"marketplace"}), ("exposure", {"exposure"})],
)
def test_a_cap_without_its_source_is_no_number(source: str, caps: set[str], status: str) -> None:
    """Absent and failed are said as such and never read as zero; the other caps keep their numbers."""
    whole = caps_of(assign(case_of(), "B", 0.025))
    lost = caps_of(assign(case_of({source: {"status": status}}), "B", 0.025))
    for name in NAMES:
        if name in caps:
            assert lost[name] == (status, None)
        elif name != "evidence":
            assert lost[name] == whole[name]


@pytest.mark.parametrize(
    ("told", "cents"),
    [
        ({}, 15_000_000),
        ({"bank": {"status": "absent"}}, 2_000_000),
        ({"bank": {"evidence": "declared"}}, 7_500_000),
        ({"bureau": {"status": "absent"}}, 2_000_000),
        ({"marketplace": {"status": "absent"}}, 2_000_000),
        ({"bank": {"status": "failed"}}, 15_000_000),
    ],
)
def test_absence_caps_by_evidence(told: Told, cents: int) -> None:
    """What is not connected caps the line at a stated amount; an outage is not an absence (it refers instead)."""
    assert caps_of(assign(case_of(told), "B", 0.025))["evidence"] == ("computed", cents)


@pytest.mark.parametrize(
    ("told", "cap"),
    [
        ({"bank": {"sales_a_month_cents": 0}}, "turnover"),
        ({"bank": {"costs_a_month_cents": 8_000_000}}, "debt_service"),
        ({"marketplace": {"orders_a_month": 0}}, "marketplace"),
        ({"exposure": {"business_cents": 30_000_000}}, "exposure"),
        ({"exposure": {"group_cents": 60_000_000}}, "exposure"),
    ],
)
def test_a_true_zero_caps_at_zero(told: Told, cap: str) -> None:
    """No sales, no cash left, no orders and no room are values: each caps the line at nothing."""
    result = assign(case_of(told), "B", 0.025)
    assert caps_of(result)[cap] == ("computed", 0)
    assert (result.limit_cents, result.bound_by in {cap, "turnover", "debt_service"}) == (0, True)


def test_a_statement_of_no_whole_month_caps_nothing() -> None:
    """Below thirty days there is no monthly figure: absent, not zero."""
    caps = caps_of(assign(case_of({"bank": {"days": 29}}), "B", 0.025))
    assert caps["turnover"] == caps["debt_service"] == ("absent", None)


@pytest.mark.parametrize(
    ("bank", "cents"),
    [
        ({"last_half_factor": 0.79}, 6_014_400), ({"last_half_factor": 0.8}, 8_640_000),
        ({"lenders": [{"name": "PROSPA", "month_cents": 1}]}, 9_600_000),
        ({"lenders": [{"name": n, "month_cents": 1} for n in ("PROSPA", "MOULA")]}, 4_800_000),
        ({"last_half_factor": 0.5, "lenders": [{"name": n, "month_cents": 1} for n in ("PROSPA", "MOULA")]}, 2_520_000),
    ],
)  # fmt: skip
def test_falling_sales_and_stacked_lenders_cut_the_turnover_cap(bank: Told, cents: int) -> None:
    """x 0.7 where sales fell by more than a fifth, x 0.5 from two other lenders, both where both hold."""
    assert caps_of(assign(case_of({"bank": bank}), "B", 0.025))["turnover"] == ("computed", cents)


@pytest.mark.parametrize(
    ("asked", "limit", "bound_by"),
    [(9_600_000, 9_600_000, "request"), (9_650_000, 9_600_000, "turnover"), (4_000_000, 4_000_000, "request")],
)
def test_asking_for_exactly_a_cap_is_no_counter_offer(asked: int, limit: int, bound_by: str) -> None:
    """A tie goes to the request."""
    result = assign(case_of(asking(asked)), "B", 0.025)
    assert (result.limit_cents, result.bound_by) == (limit, bound_by)


def test_room_under_existing_exposure() -> None:
    """What is held by the business, or by its group, takes from the most that is lent to either."""
    for held, room in (({"business_cents": 29_000_000}, 1_000_000), ({"group_cents": 47_000_000}, 3_000_000)):
        assert caps_of(assign(case_of({"exposure": held}), "B", 0.025))["exposure"] == ("computed", room)


@pytest.mark.parametrize(("sales", "limit"), [(416_670, 500_000), (416_660, 0)])
def test_below_the_smallest_line_there_is_none(sales: int, limit: int) -> None:
    """A cap of 5,000 is a line of 5,000, a cap of less is none."""
    told = {"bank": {"sales_a_month_cents": sales, "costs_a_month_cents": 0}}
    assert assign(case_of(told), "B", 0.025).limit_cents == limit


def test_a_policy_s_own_least_amount_counts() -> None:
    """Where policy lends from 10,000 on, a cap of 9,500 leaves nothing."""
    policy = policy_of(screening__least_amount_cents=1_000_000)
    told = {"exposure": {"business_cents": 29_050_000}}
    assert assign(case_of(told, policy), "B", 0.025).limit_cents == 0
    assert assign(case_of(told), "B", 0.025).limit_cents == 950_000
