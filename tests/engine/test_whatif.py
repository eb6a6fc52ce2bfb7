"""Re-decisions: each answer is what decide() says, proved against trying everything."""

from collections.abc import Callable
from copy import deepcopy
from itertools import combinations
from math import ceil
from typing import Any

import pytest
from hypothesis import given, settings

from engine.application import Application
from engine.canonical import canonical_bytes
from engine.decision import Decision, decide
from engine.facts import BankData, Fact, Facts, VerifiedDocuments
from engine.pricing import disclose
from engine.whatif import (
    BAND_FIELDS,
    BAND_STEPS,
    CHANGES,
    MOST_POINTS,
    MOST_STEPS,
    Band,
    asking,
    band,
    bands,
    explore,
    suggest,
    value_of_bank,
)
from tests.support.businesses import business
from tests.support.releases import FakeRelease, fake_release
from tests.support.stories import stories

RELEASE = fake_release()
Told = dict[str, Any]
Json = dict[str, Any]
RANK = {"decline": 0, "refer": 1, "approve": 2}


def finances(**values: Any) -> Told:
    return {"application": {"finances": values}}


# -- offer explorer ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told", [{"application": {"request": {"amount_cents": 20_000_000}}}, {"registry": {"gst_from": None}},
             {"bank": {"costs_a_month_cents": 7_500_000}}]
)  # fmt: skip
@pytest.mark.parametrize("draw_cents", [None, 700_000, 90_000_000])
def test_every_point_is_a_decision(told: Told, draw_cents: int | None) -> None:
    """Outcome, limit and rate of each point are those of decide() for that amount, the cost that of disclose()."""
    application, facts = business(told)
    most = application.request.amount_cents
    amounts = [cents for cents in (500_000, 2_000_000, 3_950_000, 12_000_000, most) if cents <= most]
    points = explore(application, facts, RELEASE, amounts, (3, 12, 24), draw_cents)
    assert [(p.amount_cents, p.months) for p in points] == [(a, m) for a in amounts for m in (3, 12, 24)]
    for point in points:
        request = application.request.model_copy(update={"amount_cents": point.amount_cents})
        decision = decide(application.model_copy(update={"request": request}), facts, RELEASE)
        offer = decision.offer
        assert point.outcome == decision.outcome
        assert point.limit_cents == (offer.limit_cents if offer else None)
        assert point.monthly_rate_bps == (offer.monthly_rate_bps if offer else None)
        if offer is None:
            assert point.cost is None
        else:
            draw = min(draw_cents or offer.limit_cents, offer.limit_cents)
            assert point.cost == disclose(draw, offer.limit_cents, offer.monthly_rate_bps, point.months, offer.fees)


def test_the_explorer_only_goes_down() -> None:
    """An amount above the one asked for, and one that the product does not have, are ValueErrors."""
    application, facts = business()
    for wrong in (4_050_000, 4_000_001, 450_000, 1_025_000):
        with pytest.raises(ValueError, match=r"never up|multiple|greater"):
            explore(application, facts, RELEASE, [wrong], [12])


def test_the_explorer_has_a_largest_size() -> None:
    """500 points and no more."""
    application, facts = business()
    assert len(explore(application, facts, RELEASE, [500_000], range(1, 13))) == 12
    with pytest.raises(ValueError, match="at most 500"):
        explore(application, facts, RELEASE, [500_000] * 51, range(1, 11))
    assert MOST_POINTS == 500


def test_asking_changes_the_amount_alone() -> None:
    """The same application for another amount; the first one stays as it was."""
    application, _ = business()
    other = asking(application, 500_000)
    assert other.request.amount_cents == 500_000
    assert application.request.amount_cents == 4_000_000
    assert {**other.model_dump(), "request": None} == {**application.model_dump(), "request": None}


# -- counterfactuals -----------------------------------------------------------------------------------------


def _tax_paid(a: Json, f: Json) -> bool:
    owed = bool(a["finances"]["overdue_tax_cents"])
    a["finances"].update(overdue_tax_cents=0, tax_plan=None)
    return owed


def _tax_plan(a: Json, f: Json) -> bool:
    lacking = bool(a["finances"]["overdue_tax_cents"]) and a["finances"]["tax_plan"] is not True
    a["finances"]["tax_plan"] = True
    return lacking


def _disclosure_cleared(a: Json, f: Json) -> bool:
    report = f["bureau"]["value"]
    if not report or not report["tax_debt_disclosed_cents"]:
        return False
    report["tax_debt_disclosed_cents"] = None
    return True


def _defaults_paid(a: Json, f: Json) -> bool:
    unpaid = [d for d in (f["bureau"]["value"] or {"defaults": []})["defaults"] if not d["paid"]]
    for default in unpaid:
        default["paid"] = True
    return bool(unpaid)


def _gst_registered(a: Json, f: Json) -> bool:
    record = f["registry"]["value"]
    if not record or record["gst_from"]:
        return False
    record["gst_from"] = f["as_of"][:10]
    return True


def _amount_halved(a: Json, f: Json) -> bool:
    a["request"]["amount_cents"] = a["request"]["amount_cents"] // 100_000 * 50_000
    return bool(a["request"]["amount_cents"] >= 500_000)


# Written again from their meaning, on JSON: what each change is, and whether there is anything to change.
EDITS: dict[str, Callable[[Json, Json], bool]] = {
    "tax_paid": _tax_paid, "tax_plan": _tax_plan, "disclosure_cleared": _disclosure_cleared,
    "defaults_paid": _defaults_paid, "gst_registered": _gst_registered, "amount_halved": _amount_halved,
}  # fmt: skip


def after(application: Application, facts: Facts, names: tuple[str, ...], release: FakeRelease) -> Decision | None:
    """The decision after some changes, None where one of them changes nothing."""
    a, f = deepcopy(application.model_dump(mode="json")), deepcopy(facts.model_dump(mode="json"))
    if not all(EDITS[name](a, f) for name in names):
        return None
    return decide(
        Application.model_validate_json(canonical_bytes(a)), Facts.model_validate_json(canonical_bytes(f)), release
    )


def worth(decision: Decision) -> tuple[int, int]:
    return RANK[decision.outcome], decision.offer.limit_cents if decision.offer else 0


def brute_force(application: Application, facts: Facts, release: FakeRelease) -> list[tuple[tuple[str, ...], Decision]]:
    """Every single change and pair that helps, a pair only where it beats both of its singles; best three."""
    now = worth(decide(application, facts, release))
    singles = {name: after(application, facts, (name,), release) for name in EDITS}
    better: list[tuple[tuple[str, ...], Decision]] = [
        ((name,), d) for name, d in singles.items() if d is not None and worth(d) > now
    ]
    for pair in combinations(EDITS, 2):
        decision = after(application, facts, pair, release)
        alone = [worth(d) for d in (singles[name] for name in pair) if d is not None]
        if decision is not None and worth(decision) > max([now, *alone]):
            better.append((pair, decision))
    better.sort(key=lambda item: (len(item[0]), [-part for part in worth(item[1])], item[0]))
    return better[:3]


def check_suggestions(told: Told, release: FakeRelease = RELEASE) -> tuple[tuple[str, ...], ...]:
    application, facts = business(told)
    given_ = suggest(application, facts, release)
    expected = brute_force(application, facts, release)
    assert [s.changes for s in given_] == [names for names, _ in expected]
    for suggestion, (_, decision) in zip(given_, expected, strict=True):
        offer = decision.offer
        assert suggestion.outcome == decision.outcome
        assert suggestion.limit_cents == (offer.limit_cents if offer else None)
        assert suggestion.monthly_rate_bps == (offer.monthly_rate_bps if offer else None)
        assert len(suggestion.words) == len(suggestion.changes) <= 2
    return tuple(s.changes for s in given_)


DEFAULT = {"on": "2025-01-01", "amount_cents": 600_000, "paid": False}


@pytest.mark.parametrize(
    ("told", "changes"),
    [
        ({}, ()),
        (finances(overdue_tax_cents=3_000_000, tax_plan=False), (("tax_paid",), ("tax_plan",))),
        ({"registry": {"gst_from": None}}, (("gst_registered",),)),
        ({"bureau": {"defaults": [DEFAULT]}}, (("defaults_paid",),)),
        ({"bureau": {"tax_debt_disclosed_cents": 12_000_000}}, (("disclosure_cleared",),)),
        (
            {"registry": {"gst_from": None}, **finances(overdue_tax_cents=3_000_000, tax_plan=False)},
            (("gst_registered", "tax_paid"), ("gst_registered", "tax_plan")),
        ),
        (
            {"bureau": {"defaults": [DEFAULT]}, "registry": {"gst_from": None}},
            (("defaults_paid",), ("defaults_paid", "gst_registered")),
        ),
        ({"registry": {"company_status": "DRGD"}}, ()),
    ],
)
def test_suggestions_are_what_trying_everything_finds(told: Told, changes: tuple[tuple[str, ...], ...]) -> None:
    """Each story's ways to a better decision, fewest changes and best offer first; none where nothing helps."""
    found = check_suggestions(told)
    assert tuple(tuple(sorted(names)) for names in found) == changes


def test_only_the_best_three_are_suggested() -> None:
    """Four changes each raise the limit; the three that raise it most are said, best first, and no pair."""
    told = {
        "application": {
            "request": {"amount_cents": 15_000_000},
            "finances": {"overdue_tax_cents": 900_000, "tax_plan": False},
        },
        "bank": {"sales_a_month_cents": 30_000_000, "costs_a_month_cents": 20_000_000},
        "marketplace": {"order_cents": 900_000},
        "bureau": {"defaults": [{**DEFAULT, "amount_cents": 400_000}], "tax_debt_disclosed_cents": 9_000_000},
    }
    weights = {
        "overdue_tax_without_plan": 0.2, "overdue_tax_to_turnover": 4.0, "defaults_unpaid": 0.0002,
        "tax_debt_disclosed": 0.000002,
    }  # fmt: skip
    found = check_suggestions(told, fake_release(weights=weights, base=-4.0))
    assert found == (("defaults_paid",), ("tax_paid",), ("tax_plan",))


@settings(max_examples=25)
@given(stories())
def test_suggestions_hold_for_any_story(told: Told) -> None:
    """At most three, each re-decided, none missing and none too many, whatever the story."""
    assert len(check_suggestions(told)) <= 3


def test_only_what_a_source_can_verify_is_suggested() -> None:
    """The changes are those of a tax office letter, the credit file, the register, or the request itself."""
    assert [change.name for change in CHANGES] == list(EDITS)


# -- value of a missing fact ---------------------------------------------------------------------------------


def statements(*sales_cents: int) -> list[Fact[BankData]]:
    return [business({"bank": {"sales_a_month_cents": s, "costs_a_month_cents": s // 2}})[1].bank for s in sales_cents]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9, 10, 11, 20, 21])
def test_quantiles_are_of_nearest_rank(count: int) -> None:
    """The tenth, fiftieth and ninetieth percentile: the smallest limit that so many of them do not exceed."""
    told = {"bank": {"status": "absent"}, "application": {"request": {"amount_cents": 15_000_000}}}
    application, facts = business(told)
    plausible = statements(*(8_000_000 - 150_000 * i for i in range(count)))
    limits = []
    for fact in plausible:
        offer = decide(application, facts.model_copy(update={"bank": fact}), RELEASE).offer
        assert offer is not None
        limits.append(offer.limit_cents)
    limits.sort()
    assert len(set(limits)) > count // 2
    usual = value_of_bank(application, facts, RELEASE, iter(plausible))
    assert (usual.source, usual.tried, usual.approved) == ("bank", count, count)
    for value, share in ((usual.low_cents, 10), (usual.median_cents, 50), (usual.high_cents, 90)):
        assert value == limits[max(ceil(share * count / 100), 1) - 1]


def test_statements_that_are_not_approved_are_counted_and_left_out() -> None:
    """Quantiles are of approved limits alone; without any there is no figure."""
    application, facts = business({"bank": {"status": "absent"}})
    poor = statements(100_000, 150_000)
    nothing = value_of_bank(application, facts, RELEASE, poor)
    assert (nothing.tried, nothing.approved, nothing.low_cents, nothing.high_cents) == (2, 0, None, None)
    some = value_of_bank(application, facts, RELEASE, [*poor, *statements(8_000_000)])
    assert (some.tried, some.approved, some.low_cents, some.median_cents) == (3, 1, 4_000_000, 4_000_000)


# -- materiality bands ---------------------------------------------------------------------------------------


def brute_band(application: Application, facts: Facts, field: str, step: int) -> Band:
    """Walk the lattice both ways on JSON values until the decision moves, the value is refused, or 200 steps."""

    def outlook(cents: int) -> object:
        values = application.model_dump(mode="json")
        values["finances"][field] = cents
        if field == "overdue_tax_cents":  # a plan is for what is owed, and is not made up
            values["finances"]["tax_plan"] = bool(application.finances.tax_plan) if cents else None
        try:
            decision = decide(Application.model_validate_json(canonical_bytes(values)), facts, RELEASE)
        except ValueError:
            return None
        return worth(decision), decision.offer.monthly_rate_bps if decision.offer else None

    declared = getattr(application.finances, field)
    here, ends = outlook(declared), []
    for sign in (-1, 1):
        last, is_open = 0, True
        for k in range(1, MOST_STEPS + 1):
            there = outlook(declared + sign * k * step)
            if there != here:
                is_open = there is None
                break
            last = k
        ends.append((declared + sign * last * step, is_open))
    (low, low_open), (high, high_open) = ends
    return Band(field=field, declared=declared, step=step, low=low, high=high, low_open=low_open, high_open=high_open)


@pytest.mark.parametrize(
    ("told", "field", "step"),
    [
        ({}, "turnover_12m_cents", 5_000_000),
        ({}, "turnover_12m_cents", 100_000_000),
        ({}, "overdue_tax_cents", 100_000),
        ({}, "other_repayments_month_cents", 100_000),
        (finances(overdue_tax_cents=900_000, tax_plan=False), "overdue_tax_cents", 100_000),
        (finances(overdue_tax_cents=900_000, tax_plan=True), "overdue_tax_cents", 300_000),
        (finances(other_lenders=1, other_repayments_month_cents=100_000), "other_repayments_month_cents", 50_000),
        (finances(turnover_12m_cents=7_400_000), "turnover_12m_cents", 50_000),
        ({"application": {"request": {"amount_cents": 9_600_000},
                          "finances": {"overdue_tax_cents": 300_000, "tax_plan": False}}}, "overdue_tax_cents", 20_000),
        ({"registry": {"company_status": "DRGD"}}, "turnover_12m_cents", 40_000_000),
    ],
)  # fmt: skip
def test_a_band_is_what_walking_the_lattice_finds(told: Told, field: str, step: int) -> None:
    """Every point inside gives the same outcome, limit and rate; the next one outside does not, or does not exist."""
    application, facts = business(told)
    assert band(application, facts, RELEASE, field, step) == brute_band(application, facts, field, step)


def test_a_band_ends_where_a_rule_begins() -> None:
    """Declared turnover of 960,000 may fall to the policy's 72,000 and rise to twice what the statement shows."""
    found = band(*business(), RELEASE, "turnover_12m_cents", 1_000_000)
    assert (found.low, found.low_open) == (8_000_000, False)
    assert (found.high, found.high_open) == (192_000_000, False)


@pytest.mark.parametrize(
    ("field", "step"), [("other_lenders", 1), ("", 1), ("turnover_12m_cents", 0), (BAND_FIELDS[0], -5)]
)
def test_a_band_is_of_a_declared_amount(field: str, step: int) -> None:
    """Another field, or a step that goes nowhere, is a ValueError."""
    with pytest.raises(ValueError, match="a band takes one of"):
        band(*business(), RELEASE, field, step)


# -- the same on verified figures ----------------------------------------------------------------------------


def documented(facts: Facts, **said: Any) -> Facts:
    """The facts with accepted documents that say this."""
    value = VerifiedDocuments(by="person", accepted=(), **said)
    fact = Fact[VerifiedDocuments](source="verification", fetched_at=facts.as_of, status="present", value=value)
    return facts.model_copy(update={"documents": fact})


def test_every_band_comes_in_one_call() -> None:
    """Each field with a step of a twentieth, in whole thousands of dollars, and at most 20 steps each way."""
    application, facts = business(finances(other_lenders=1, other_repayments_month_cents=100_000))
    found = bands(application, facts, RELEASE)
    assert [(each.field, each.declared, each.step) for each in found] == [
        ("turnover_12m_cents", 96_000_000, 4_800_000),
        ("other_repayments_month_cents", 100_000, 100_000),
        ("overdue_tax_cents", 0, 100_000),
    ]
    for each in found:
        walked = band(application, facts, RELEASE, each.field, each.step)
        assert (each.low, each.high) == (walked.low, min(walked.high, each.declared + BAND_STEPS * each.step))
        assert each.high_open or each.high == walked.high


def test_a_band_is_around_what_the_document_says() -> None:
    """A verified figure is where the band begins, and it ends where it would for the same figure declared."""
    application, facts = business()
    said = {"turnover_12m_cents": 80_000_000, "overdue_tax_cents": 0}
    declared, _ = business(finances(turnover_12m_cents=80_000_000))
    assert bands(application, documented(facts, **said), RELEASE) == bands(declared, facts, RELEASE)
    one = band(application, documented(facts, **said), RELEASE, "turnover_12m_cents", 1_000_000)
    assert (one.declared, one) == (80_000_000, band(declared, facts, RELEASE, "turnover_12m_cents", 1_000_000))


def test_a_verified_value_on_the_band_is_decided_alike() -> None:
    """What the band says of a declared figure holds when a document gives that figure, one value at a time."""
    application, facts = business()
    for each in bands(application, facts, RELEASE):
        name = each.field
        if name == "other_repayments_month_cents":  # no document says it
            continue
        here = decide(application, facts, RELEASE)
        for value in (each.low, each.high):
            there = decide(application, documented(facts, **{name: value}), RELEASE)
            assert (there.outcome, there.offer and there.offer.limit_cents) == (
                here.outcome,
                here.offer and here.offer.limit_cents,
            )


def test_suggestions_change_what_was_verified() -> None:
    """Tax that a document showed overdue is what is suggested to be paid, though none was declared."""
    application, facts = business()
    owing = documented(facts, overdue_tax_cents=9_000_000, tax_plan=False)
    assert decide(application, owing, RELEASE).outcome == "refer"
    found = suggest(application, owing, RELEASE)
    assert ("tax_paid",) in [each.changes for each in found]
