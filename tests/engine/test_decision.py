"""decide(application, facts, release): the promises every decision keeps, and those it cannot be built without."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.application import LARGEST_CENTS, SMALLEST_CENTS, STEP_CENTS
from engine.canonical import canonical_bytes, digest
from engine.decision import Decision, decide
from engine.facts import SOURCES
from engine.features import FEATURE_NAMES
from engine.pricing import LOWEST_RATE_BPS, disclose, price
from engine.reasons import CATALOGUE
from engine.scoring import score_points
from tests.support.businesses import AS_OF, application_of, business, facts_of, story
from tests.support.releases import FakeRelease, fake_release, policy_table
from tests.support.stories import stories

RELEASE = fake_release()
Told = dict[str, Any]


def decided(told: Told | None = None, release: FakeRelease = RELEASE) -> Decision:
    return decide(*business(told), release)


def asking(cents: int, **more: Any) -> Told:
    return {"application": {"request": {"amount_cents": cents}}, **more}


# -- by example ----------------------------------------------------------------------------------------------


def test_the_ordinary_business_is_approved_for_what_it_asked() -> None:
    """40,000 asked and given in grade B, held for thirty days, without a finding or a reason."""
    decision = decided()
    assert (decision.outcome, decision.reasons, decision.findings) == ("approve", (), ())
    assert decision.offer is not None
    assert decision.score is not None
    assert (decision.offer.limit_cents, decision.bound_by, decision.score.grade) == (4_000_000, "request", "B")
    assert decision.offer.monthly_rate_bps == 140
    assert decision.offer.expires_at == AS_OF + timedelta(days=30)
    assert decision.offer.conditions == ("identity_verified", "documents_verified", "draws_to_approved_suppliers")
    assert (decision.release, decision.release_digest, decision.policy) == (
        RELEASE.name,
        RELEASE.digest,
        "standard-2026",
    )
    assert decision.synthetic
    assert decision.as_of == AS_OF


def test_an_offer_shows_the_cost_of_a_worked_draw() -> None:
    """Two thirds of the line, in whole steps of 500, over six months at the offer's own rate and fees."""
    offer = decided().offer
    assert offer is not None
    draw = 2_650_000
    assert offer.worked_draw == disclose(draw, 4_000_000, offer.monthly_rate_bps, 6, offer.fees)


def test_less_than_asked_is_a_counter_offer_with_its_reason() -> None:
    """200,000 asked: the cap that bound is named and gives the first reason."""
    decision = decided(asking(20_000_000))
    assert decision.outcome == "approve"
    assert decision.offer is not None
    bound = next(cap for cap in decision.caps if cap.name == decision.bound_by)
    assert decision.offer.limit_cents == (bound.cents or 0) // STEP_CENTS * STEP_CENTS < 20_000_000
    assert decision.reasons[0].code == bound.reason


@pytest.mark.parametrize(("limit", "asked_for"), [(5_000_000, False), (5_050_000, True)])
def test_larger_lines_wait_for_more_documents(limit: int, asked_for: bool) -> None:
    """Activity statements from above 50,000 on."""
    offer = decided(asking(limit)).offer
    assert offer is not None
    assert offer.limit_cents == limit
    assert ("activity_statements" in offer.conditions) is asked_for
    assert "financial_statements" not in offer.conditions


def test_a_knock_out_declines_without_a_score() -> None:
    """Knock-outs alone give the reasons; no model is asked and no cap computed."""
    decision = decided({"registry": {"company_status": "DRGD"}, "compliance": {"sanctions_hits": 1}})
    assert (decision.outcome, decision.score, decision.caps, decision.bound_by) == ("decline", None, (), None)
    assert [reason.code for reason in decision.reasons] == ["R13"]


def test_a_referral_keeps_its_score_for_whoever_looks() -> None:
    """A finding refers whatever the score, and names what to look at."""
    decision = decided({"registry": {"gst_from": None}})
    assert (decision.outcome, [f.rule for f in decision.findings]) == ("refer", ["gst_expected"])
    assert decision.score is not None
    assert decision.caps
    assert decision.offer is None
    assert [reason.code for reason in decision.reasons] == ["R21"]


def test_a_pd_beyond_every_grade_declines() -> None:
    """Above the last grade's PD there is no line, and what cost most points says why."""
    decision = decided({"bureau": {"score": 20, "defaults": [{"on": "2025-01-01", "amount_cents": 1, "paid": True}]}})
    assert decision.outcome == "decline"
    assert decision.score is not None
    assert decision.score.grade is None
    assert decision.score.pd > 0.12
    assert 1 <= len(decision.reasons) <= 4
    assert not decision.findings


def test_below_the_smallest_line_declines_with_the_cap_s_reason() -> None:
    """No cash left to repay with: the service cap is zero and R08 is the first reason."""
    decision = decided({"bank": {"costs_a_month_cents": 7_990_000}})
    assert (decision.outcome, decision.bound_by) == ("decline", "debt_service")
    assert decision.reasons[0].code == "R08"


@pytest.mark.parametrize(
    "told", [asking(30_000_000), asking(5_000_000), {"bank": {"sales_a_month_cents": 700_000}}, {}]
)
@pytest.mark.parametrize("base", [-12.0, -4.0, -2.5, -1.0])
def test_a_model_that_finds_nothing_adverse_still_leaves_a_reason(told: Told, base: float) -> None:
    """A no, or less than asked, always has a reason, even where no feature cost a point."""
    decision = decided(told, fake_release(weights={}, base=base))
    given_all = decision.offer is not None and decision.offer.limit_cents == decision.requested_cents
    assert given_all or decision.reasons


def test_compliance_is_not_told() -> None:
    """A sanctions hit, a fraud flag and an exposed person look exactly like a register entry for a person."""
    plain = decided({"registry": {"entity_type_code": "COP"}})
    for hit in ({"sanctions_hits": 2}, {"fraud_flags": ["device"]}, {"politically_exposed": True}):
        decision = decided({"compliance": hit})
        assert (decision.outcome, decision.reasons, decision.offer) == (plain.outcome, plain.reasons, None)
    assert (plain.outcome, plain.reasons) == ("refer", ())


def test_the_policy_is_that_of_as_of() -> None:
    """The day before an amendment the old terms count, from its day the new; before the book there are none."""
    table = policy_table()
    table["amendments"] = [{"effective_from": date(2026, 8, 3), "why": "A test.", "set": {"offer.held_days": 14}}]
    release = fake_release()
    release = FakeRelease(
        release.name, release.digest, type(release.policy).model_validate(table), release.scorer, release.calibration
    )
    held = {}
    for day in (AS_OF - timedelta(days=1), AS_OF):
        offer = decide(application_of(story()), facts_of(story({"bank": {"days": 170}}), day), release).offer
        assert offer is not None
        held[day] = (offer.expires_at - day).days
    assert list(held.values()) == [30, 14]
    with pytest.raises(ValueError, match="no policy in force"):
        decide(
            application_of(story()),
            facts_of(story({"bank": {"status": "absent"}}), datetime(2022, 12, 31, tzinfo=UTC)),
            release,
        )


# -- properties ----------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(stories())
def test_every_decision_keeps_its_promises(told: Told) -> None:
    """Outcome, offer, reasons and findings fit together; the limit is in range, in steps, and under every cap."""
    decision = decided(told)
    knock_outs = [f for f in decision.findings if f.kind == "knock_out"]
    assert (decision.outcome == "approve") == (decision.offer is not None)
    assert not knock_outs or (decision.outcome == "decline" and decision.score is None)
    assert (decision.outcome == "refer") == (bool(decision.findings) and not knock_outs)
    assert decision.outcome != "decline" or 1 <= len(decision.reasons) <= 4
    assert len({reason.code for reason in decision.reasons}) == len(decision.reasons) <= 4
    assert all(reason == CATALOGUE[reason.code] for reason in decision.reasons)
    assert tuple(decision.features) == FEATURE_NAMES
    if decision.offer is None:
        return
    limit = decision.offer.limit_cents
    policy = RELEASE.policy.on(AS_OF.date())
    assert SMALLEST_CENTS <= limit <= min(decision.requested_cents, LARGEST_CENTS)
    assert limit % STEP_CENTS == 0
    assert policy.screening.least_amount_cents <= limit <= policy.screening.most_amount_cents
    assert all(limit <= cap.cents for cap in decision.caps if cap.cents is not None)
    assert limit == decision.requested_cents or decision.reasons
    assert decision.score is not None
    assert decision.score.grade is not None
    assert decision.offer.monthly_rate_bps == price(policy.pricing, decision.score.grade, limit) >= LOWEST_RATE_BPS


@settings(max_examples=50)
@given(stories())
def test_the_same_arguments_give_the_same_bytes(told: Told) -> None:
    """Built twice from the same story, decided twice: one and the same record."""
    application, facts = business(told)
    first = decide(application, facts, RELEASE)
    again = decide(
        type(application).model_validate_json(application.canonical()),
        type(facts).model_validate_json(facts.canonical()),
        fake_release(),
    )
    assert again == first
    assert again.canonical() == first.canonical()


@settings(max_examples=50)
@given(stories(every_source=True), st.lists(st.sampled_from(SOURCES), min_size=1, unique=True))
def test_an_outage_never_declines_and_never_raises_a_limit(told: Told, failed: list[str]) -> None:
    """Whatever sources fail: no decline that was not one before, no offer, and each failed source is named."""
    full = decided(told)
    without = decided({**told, **{source: {**told.get(source, {}), "status": "failed"} for source in failed}})
    if full.outcome != "decline":
        assert without.outcome == "refer"
    assert without.offer is None
    assert {f"{source}_failed" for source in failed} <= {f.rule for f in without.findings}
    if without.outcome == "decline":
        assert any(f.kind == "knock_out" for f in without.findings)


@settings(max_examples=50)
@given(stories())
def test_contributions_add_up(told: Told) -> None:
    """Base and contributions make the points, the points are those of the PD, and each feature is listed once."""
    decision = decided(told)
    if decision.score is None:
        return
    scored = decision.score
    assert tuple(name for name, _ in scored.contributions) == FEATURE_NAMES
    assert abs(scored.base_points + sum(points for _, points in scored.contributions) - scored.points) < 0.001
    assert 0 <= scored.pd <= 1
    assert scored.pd == round(scored.pd, 4)
    exact = RELEASE.calibration.pd(
        RELEASE.scorer.raw([float("nan") if v is None else v for v in decision.features.values()])
    )
    assert scored.pd == round(exact, 4)
    assert scored.points == round(score_points(exact), 2)


@settings(max_examples=50)
@given(stories(), st.sampled_from([SMALLEST_CENTS, 2_000_000, LARGEST_CENTS]))
def test_asking_for_less_never_gets_more(told: Told, cents: int) -> None:
    """With the rest unchanged, the limit of a smaller request is never above that of a larger one."""
    weights = {name: w for name, w in RELEASE_WEIGHTS.items() if name != "debt_service_cover"}
    release = fake_release(weights=weights, base=-1.9)  # cover reads the amount: a model may like a smaller one
    asked = told["application"]["request"]["amount_cents"]
    less = {**told, "application": {**told["application"]}}
    less["application"]["request"] = {**told["application"]["request"], "amount_cents": min(asked, cents)}
    more_offer, less_offer = decided(told, release).offer, decided(less, release).offer
    if more_offer is not None and less_offer is not None:
        assert less_offer.limit_cents == min(more_offer.limit_cents, asked, cents)


RELEASE_WEIGHTS = dict(zip(FEATURE_NAMES, RELEASE.scorer.weights, strict=True))


def test_another_process_gives_the_same_bytes() -> None:
    """Neither the order of hashing nor anything else of a process enters a decision."""
    script = (
        "from engine.decision import decide; from engine.canonical import digest;"
        "from tests.support.businesses import business; from tests.support.releases import fake_release;"
        "told = {'application': {'request': {'amount_cents': 30000000}}, 'bank': {'dishonours': 2}};"
        "print(digest(decide(*business(told), fake_release()).canonical()))"
    )
    expected = digest(decided(asking(30_000_000, bank={"dishonours": 2})).canonical())
    root = Path(__file__).resolve().parents[2]
    for seed in ("1", "2"):
        ran = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=root,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
        )  # fmt: skip
        assert ran.stdout.strip() == expected


# -- invariants ----------------------------------------------------------------------------------------------

APPROVED = decided(asking(20_000_000)).model_dump(mode="json")
WHOLE = decided().model_dump(mode="json")
REFERRED = decided({"registry": {"gst_from": None}}).model_dump(mode="json")
DECLINED = decided({"bank": {"costs_a_month_cents": 7_990_000}}).model_dump(mode="json")
OFFER, REASONS, FINDINGS = APPROVED["offer"], DECLINED["reasons"], REFERRED["findings"]


def _cap_below(record: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**cap, "cents": 100_000} if cap["name"] == "turnover" else cap for cap in record["caps"]]


@pytest.mark.parametrize(
    ("record", "changes", "rule"),
    [
        (WHOLE, {"offer": None}, "approve exactly with an offer"),
        (REFERRED, {"offer": OFFER, "requested_cents": 30_000_000}, "approve exactly with an offer"),
        (DECLINED, {"offer": WHOLE["offer"], "caps": []}, "approve exactly with an offer"),
        (DECLINED, {"reasons": []}, "decline has reasons"),
        (REFERRED, {"findings": []}, "refer names what to look at"),
        (WHOLE, {"findings": FINDINGS}, "approve has no findings"),
        (APPROVED, {"reasons": []}, "less than asked has reasons"),
        (WHOLE, {"requested_cents": 3_950_000, "reasons": REASONS}, "offer within request"),
        (WHOLE, {"caps": _cap_below(WHOLE)}, "offer within every cap"),
        (WHOLE, {"reasons": [CATALOGUE[f"R0{n}"].model_dump() for n in range(1, 6)]}, "at most 4"),
        (WHOLE, {"outcome": "maybe"}, "approve"),
        (WHOLE, {"surprise": 1}, "not permitted"),
        (WHOLE, {"score": {**WHOLE["score"], "pd": 1.5}}, "PD"),
        (WHOLE, {"score": {**WHOLE["score"], "pd": -0.1}}, "PD"),
        (WHOLE, {"score": {**WHOLE["score"], "points": 999.0}}, "add up"),
        *(
            (WHOLE, {"offer": {**WHOLE["offer"], "limit_cents": cents}}, "limit_cents")
            for cents in (4_000_001, 450_000, 30_050_000, 3_025_000)
        ),
        (WHOLE, {"offer": {**WHOLE["offer"], "monthly_rate_bps": 114}}, "monthly_rate_bps"),
    ],
)  # fmt: skip
def test_an_illegal_decision_cannot_be_built(record: dict[str, Any], changes: dict[str, Any], rule: str) -> None:
    """Each broken promise is refused by name, from Python's values and from bytes."""
    assert Decision.model_validate_json(canonical_bytes(record)).outcome == record["outcome"]
    with pytest.raises(ValidationError, match=rule):
        Decision.model_validate_json(canonical_bytes({**record, **changes}))


@pytest.mark.parametrize(
    "change", [lambda d: setattr(d, "outcome", "approve"), lambda d: setattr(d.offer, "limit_cents", 1)]
)
def test_a_decision_is_never_edited(change: Callable[[Decision], None]) -> None:
    """A new fact makes a new decision; this one stays as it is."""
    with pytest.raises(ValidationError, match="frozen"):
        change(decided())


def test_a_decision_holds_no_person() -> None:
    """Names, identifiers and references of who applied are not in the record."""
    record = decided().canonical().decode()
    for text in ("BANKSIA", "per_test", "37955501005", "955501005"):
        assert text not in record
