"""The difference between two decisions: complete, with its reasons, and nothing of compliance to the public."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.application import Application
from engine.canonical import canonical_bytes
from engine.decision import Decision, decide
from engine.difference import Difference, difference, public_changes
from engine.difference.changes import MOST_MOVED
from engine.facts import SOURCES, Fact, Facts, Review, VerifiedDocuments
from engine.facts.documents import VerifiedDocument
from tests.support.businesses import AS_OF, application_of, business, facts_of, story
from tests.support.releases import fake_release
from tests.support.stories import stories

RELEASE = fake_release()
LATER = AS_OF + timedelta(minutes=7)
BANK_FAILED = {"bank": {"status": "failed"}}


def timeless(decision: Decision) -> bytes:
    """The decision's canonical bytes with its time, and the expiry counted from it, taken out."""
    record = json.loads(decision.canonical())
    del record["as_of"]
    if decision.offer:
        record["offer"]["expires_at"] = (decision.offer.expires_at - decision.as_of).total_seconds()
    return canonical_bytes(record)


def compared(before: tuple[Application, Facts], after: tuple[Application, Facts]) -> Difference:
    """The difference between the decisions on two stories."""
    return difference(decide(*before, RELEASE), decide(*after, RELEASE), before[1], after[1])


def later(told: dict[str, Any]) -> tuple[Application, Facts]:
    """A story decided some minutes later, every source asked anew."""
    whole = story(told)
    return application_of(whole), facts_of(whole, LATER)


# -- complete ------------------------------------------------------------------------------------------------


@given(stories(), stories(), st.sampled_from([*SOURCES, "application", "nothing", "everything"]))
@settings(max_examples=150, deadline=None)
def test_no_difference_means_the_same_bytes_and_conversely(
    told: dict[str, Any], other: dict[str, Any], part: str
) -> None:
    """Where no change is listed the records are equal but for their time, and where they are equal none is listed."""
    changed = other if part == "everything" else {**told, **({part: other[part]} if part in other else {})}
    before, after = business(told), later(changed)
    one, two = decide(*before, RELEASE), decide(*after, RELEASE)
    found = difference(one, two, before[1], after[1])
    assert found.decision_changed == (timeless(one) != timeless(two))
    assert {change.source for change in found.sources} == set(SOURCES)  # each was asked anew


LEAVES_TOLD = business({"application": {"request": {"amount_cents": 20_000_000}}}), business(BANK_FAILED)


@pytest.mark.parametrize("place", [0, 1])
def test_no_part_of_a_record_is_overlooked(place: int) -> None:
    """Each single value of an offer's record and of a referral's, changed alone, shows as a difference."""
    application, facts = LEAVES_TOLD[place]
    decision = decide(application, facts, RELEASE)
    assert (decision.outcome, bool(decision.reasons)) == (("approve", True) if place == 0 else ("refer", False))
    tried = 0
    for path in leaf_paths(json.loads(decision.canonical())):
        if path in (["as_of"], ["offer", "expires_at"]):
            continue
        record = json.loads(decision.canonical())
        spot: Any = record
        for step in path[:-1]:
            spot = spot[step]
        spot[path[-1]] = other_than(spot[path[-1]])
        try:
            altered = Decision.model_validate_json(json.dumps(record))
        except (ValidationError, ValueError):  # a record that cannot be
            continue
        tried += 1
        assert difference(decision, altered, facts, facts).decision_changed, path
        assert difference(altered, decision, facts, facts).decision_changed, path
    assert tried > 150


def leaf_paths(value: Any) -> list[list[Any]]:
    """The way to each single value of a JSON value."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [[step, *rest] for step, inner in items for rest in leaf_paths(inner)]
    return [[]]


def other_than(value: Any) -> Any:
    """Another value of the same kind, as close as may be."""
    match value:
        case bool():
            return not value
        case int():
            return value - 1
        case float():
            return round(value + 0.0001, 4)
        case str():
            return value + "x"
    return 1


@pytest.mark.parametrize("part", ["reasons", "findings", "caps"])
def test_the_order_of_lists_counts(part: str) -> None:
    """The same reasons, findings or caps in another order are another record."""
    application, facts = business({"bank": {"dishonours": 9, "gambling_cents": 900_000}})
    if part == "caps":
        application, facts = business()
    decision = decide(application, facts, RELEASE)
    items = getattr(decision, part)
    assert len(items) > 1
    turned = decision.model_copy(update={part: items[::-1]})
    found = difference(decision, turned, facts, facts)
    assert [change.name for change in found.other] == [part]


def test_the_expiry_counts_from_its_own_time() -> None:
    """An offer decided later and held as long is no difference; one held a day longer is."""
    before, after = business(), later({})
    assert not compared(before, after).decision_changed
    decision = decide(*before, RELEASE)
    assert decision.offer is not None
    longer = decision.offer.model_copy(update={"expires_at": decision.offer.expires_at + timedelta(days=1)})
    found = difference(decision, decision.model_copy(update={"offer": longer}), before[1], before[1])
    assert [change.name for change in found.other] == ["offer.expires_at"]


@given(stories(), stories())
@settings(max_examples=60, deadline=None)
def test_a_difference_turned_round_says_the_opposite(told: dict[str, Any], other: dict[str, Any]) -> None:
    """Gone and new, before and after change places, and nothing else does."""
    one, two = business(told), business(other)
    there, back = compared(one, two), compared(two, one)
    assert (there.findings_gone, there.findings_new) == (back.findings_new, back.findings_gone)
    assert (there.reasons_gone, there.reasons_new) == (back.reasons_new, back.reasons_gone)
    for name in ("figures", "features", "other"):
        turned = {(change.name, change.after, change.before) for change in getattr(back, name)}
        assert {(change.name, change.before, change.after) for change in getattr(there, name)} == turned
    assert there.contributions_moved == back.contributions_moved
    assert len(there.contributions) == min(there.contributions_moved, MOST_MOVED)


# -- the story of a bank that answered -----------------------------------------------------------------------


def test_a_bank_that_answered() -> None:
    """The why, and everything that followed: finding, features, caps, line, the ten contributions that moved most."""
    asked = {"application": {"request": {"amount_cents": 20_000_000}}}
    answered = later({**asked, "bank": {"costs_a_month_cents": 7_500_000}})
    found = compared(business({**asked, **BANK_FAILED}), answered)
    bank = next(change for change in found.sources if change.source == "bank")
    assert (bank.before, bank.after, bank.new_value, bank.fetched_after) == ("failed", "present", True, LATER)
    assert [f.rule for f in found.findings_gone] == ["bank_failed"]
    assert found.findings_new == ()
    figures = {change.name: (change.before, change.after) for change in found.figures}
    assert figures["outcome"] == ("refer", "approve")
    assert figures["limit_cents"][0] is None
    features = {change.name: (change.before, change.after) for change in found.features}
    assert features["coverage_days"] == (None, 180)
    assert not any(name.startswith("bureau") for name in features)
    caps = {cap.name: cap for cap in found.caps}
    assert (caps["debt_service"].status_before, caps["debt_service"].cents_before) == ("failed", None)
    assert caps["debt_service"].status_after == "computed"
    movements = [abs(float(c.after or 0) - float(c.before or 0)) for c in found.contributions]
    assert movements == sorted(movements, reverse=True)
    assert movements[0] > 0
    assert found.words[:2] == ("The bank answered: 180 days of statements.", "The outcome went from refer to approve.")
    limit = figures["limit_cents"][1]
    assert isinstance(limit, int)
    assert f"The line rose from none to ${limit // 100:,}; the debt_service cap decided it." in found.words
    assert "No longer found: bank_failed." in found.words


def test_nothing_new_is_one_sentence() -> None:
    """Sources that say the same as before are passed over."""
    assert compared(business(), later({})).words == ("The decision stayed as it was.",)


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ({"bank": {"status": "absent"}}, {}, "The bank came in: 180 days of statements."),
        ({}, {"bank": {"status": "failed"}}, "The bank did not answer (no reason given)."),
        ({}, {"bureau": {"status": "absent"}}, "The bureau had nothing to say."),
        ({}, {"bank": {"days": 179}}, "The bank told something new: 179 days of statements."),
        ({"bank": {"days": 15}}, {"bank": {"days": 1}}, "The bank told something new: 1 day of statements."),
        ({}, {"marketplace": {"orders_a_month": 100}}, "The marketplace told something new: 1,200 orders."),
        (
            {},
            {"exposure": {"business_cents": 123_456_78}},
            "The lender's own position told something new: $123,456.78 held by the business.",
        ),
        ({}, {"application": {"request": {"amount_cents": 1_500_000}}}, "Asked for: $40,000, now $15,000."),
        ({}, {"application": {"request": {"amount_cents": 1_500_000}}}, "The line fell from $40,000 to $15,000; "
         "the request cap decided it."),
        ({}, {"application": {"request": {"amount_cents": 1_500_000}}}, "The monthly rate went from 1.40 % to 1.65 %."),
        ({}, {"registry": {"gst_from": None}}, "Newly found: gst_expected."),
    ],
)  # fmt: skip
def test_words(before: dict[str, Any], after: dict[str, Any], line: str) -> None:
    """Each kind of change has its sentence, with money and rates in whole figures."""
    assert line in compared(business(before), business(after)).words


# -- compliance and the public -------------------------------------------------------------------------------

HIT = {"compliance": {"sanctions_hits": 1}}


def test_words_for_all_staff_leave_compliance_out() -> None:
    """A hit stands in the findings, for those who may see them, and in no sentence."""
    found = compared(business(), business(HIT))
    assert [f.rule for f in found.findings_new] == ["sanctions_hit"]
    assert not any("sanctions" in line or "ompliance" in line for line in found.words)


@given(stories(), stories())
@settings(max_examples=80, deadline=None)
def test_the_public_is_told_arrivals_and_the_result_alone(told: dict[str, Any], other: dict[str, Any]) -> None:
    """Only sources that came in are named, never compliance nor what is held; the rest is that of the offers."""
    one, two = business(told), business(other)
    first, second = decide(*one, RELEASE), decide(*two, RELEASE)
    public = public_changes(first, second, one[1], two[1])
    status = {name: (getattr(one[1], name).status, getattr(two[1], name).status) for name in SOURCES}
    assert set(public.sources_arrived) == {
        name
        for name in ("registry", "marketplace", "bank", "bureau")
        if status[name] in {("failed", "present"), ("absent", "present")}
    }
    assert (public.outcome_before, public.outcome_after) == (first.outcome, second.outcome)
    for decision, limit, rate in (
        (first, public.limit_before_cents, public.monthly_rate_before_bps),
        (second, public.limit_after_cents, public.monthly_rate_after_bps),
    ):
        assert limit == (decision.offer.limit_cents if decision.offer else None)
        assert rate == (decision.offer.monthly_rate_bps if decision.offer else None)


def test_the_public_reads_nothing_of_a_hit() -> None:
    """A referral for compliance and one for anything else that is silent give the same public bytes."""
    before = business(BANK_FAILED)
    refused = decide(*before, RELEASE)
    silent = business({"exposure": {"brakes": [{"kind": "refer_all", "segment": "all"}]}})
    hit = business(HIT)
    told = [public_changes(refused, decide(*after, RELEASE), before[1], after[1]) for after in (hit, silent)]
    assert told[0].canonical() == told[1].canonical()
    compliance_back = public_changes(
        refused, refused, business({"compliance": {"status": "failed"}})[1], business(HIT)[1]
    )
    assert compliance_back.sources_arrived == ()


# -- verification --------------------------------------------------------------------------------------------


def with_documents(facts: Facts, documents: VerifiedDocuments) -> Facts:
    """The facts some minutes later, with what accepted documents say."""
    fact = Fact[VerifiedDocuments](source="verification", fetched_at=LATER, status="present", value=documents)
    return facts.model_copy(update={"as_of": LATER, "documents": fact})


def test_a_decision_on_verified_documents_is_told_in_words() -> None:
    """From $150,000 to $300,000: what was accepted, what it says beside what was declared, and what came of it."""
    sales = {"sales_a_month_cents": 100_000_000, "costs_a_month_cents": 70_000_000, "balance_cents": 250_000_000}
    application, facts = business(
        application={"request": {"amount_cents": 30_000_000}, "finances": {"turnover_12m_cents": 1_200_000_000}},
        bank=sales,
        marketplace={"orders_a_month": 40, "order_cents": 1_500_000},
        bureau={"score": 860},
    )
    accepted = tuple(
        VerifiedDocument(kind=kind, sha256=f"{i:064x}")
        for i, kind in enumerate(("tax_account", "financial_statements"))
    )
    documents = VerifiedDocuments(
        by="person", accepted=accepted, turnover_12m_cents=1_180_000_050, overdue_tax_cents=500_000, tax_plan=True
    )
    told = compared((application, facts), (application, with_documents(facts, documents)))
    assert [change.source for change in told.sources] == ["documents"]
    assert told.words[:4] == (
        "Accepted documents came in: 2 documents, read by person.",
        "Turnover: $12,000,000 before, $11,800,000.50 verified.",
        "Overdue tax: $5,000 verified, under a payment plan.",
        "The line rose from $150,000 to $300,000; the request cap decided it.",
    )


def test_documents_that_confirm_everything_change_nothing_but_the_facts() -> None:
    """The documents are told, and that the decision stayed as it was."""
    application, facts = business()
    documents = VerifiedDocuments(by="machine", accepted=(), turnover_12m_cents=96_000_000)
    told = compared((application, facts), (application, with_documents(facts, documents)))
    assert not told.decision_changed
    assert told.words == (
        "Accepted documents came in: 0 documents, read by machine.",
        "Turnover: $960,000 before, $960,000 verified.",
        "The decision stayed as it was.",
    )


def test_what_an_officer_decided_is_told_and_compliance_is_not() -> None:
    """A cap and a rule left aside are told to all staff; a rule of compliance, or one that nobody knows, is not."""
    application, facts = business()
    review = Review(
        most_cents=2_000_000, reason="R08", set_aside=("turnover_overstated", "sanctions_hit", "nobody_knows")
    )
    fact = Fact[Review](source="verification", fetched_at=LATER, status="present", value=review)
    told = compared((application, facts), (application, facts.model_copy(update={"as_of": LATER, "review": fact})))
    assert told.words[:3] == (
        "An officer grants $20,000 at most.",
        "An officer left aside: turnover_overstated.",
        "The line fell from $40,000 to $20,000; the officer cap decided it.",
    )
    assert "sanctions_hit" not in " ".join(told.words)
