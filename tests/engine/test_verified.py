"""Decisions on verified facts: documents go before declarations, lift one cap, and are never a way round a rule."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.application import Application
from engine.decision import Decision, decide
from engine.facts import BankData, Fact, Facts, Review, VerifiedDocuments
from engine.facts.documents import VerifiedDocument
from engine.features import FEATURE_NAMES, Evidence, feature_row
from engine.limits import assign
from engine.screening import Case
from engine.verified import as_verified, restated
from tests.support.businesses import AS_OF, business
from tests.support.releases import fake_release
from tests.support.stories import stories

RELEASE = fake_release()
TAX_AND_FINANCIAL = ("tax_account", "financial_statements")
STRONG: dict[str, Any] = {
    "application": {"request": {"amount_cents": 30_000_000}, "finances": {"turnover_12m_cents": 1_200_000_000}},
    "bank": {"sales_a_month_cents": 100_000_000, "costs_a_month_cents": 70_000_000, "balance_cents": 250_000_000},
    "marketplace": {"orders_a_month": 40, "order_cents": 1_500_000},
    "bureau": {"score": 860},
}
figures = st.fixed_dictionaries(
    {},
    optional={
        "turnover_12m_cents": st.integers(0, 2_000_000_000),
        "overdue_tax_cents": st.integers(0, 20_000_000),
        "tax_plan": st.booleans(),
    },
)


def verified(facts: Facts, *kinds: str, **said: Any) -> Facts:
    """The facts with accepted documents of these kinds, which say this."""
    accepted = tuple(VerifiedDocument(kind=kind, sha256=f"{i:064x}") for i, kind in enumerate(kinds))
    value = VerifiedDocuments(by="person", accepted=accepted, **said)
    fact = Fact[VerifiedDocuments](source="verification", fetched_at=facts.as_of, status="present", value=value)
    return Facts.model_validate(facts.model_copy(update={"documents": fact}))


def reviewed(facts: Facts, **decided: Any) -> Facts:
    """The facts with what an officer decided."""
    fact = Fact[Review](source="verification", fetched_at=facts.as_of, status="present", value=Review(**decided))
    return Facts.model_validate(facts.model_copy(update={"review": fact}))


def lent(decision: Decision) -> int:
    """Cents of the line, 0 without one."""
    return decision.offer.limit_cents if decision.offer else 0


# -- records -------------------------------------------------------------------------------------------------


def test_facts_from_before_keep_their_bytes() -> None:
    """Without documents and review nothing of them stands in the record, and a record without them is read."""
    _, facts = business()
    record = json.loads(facts.canonical())
    assert set(record) == {
        "as_of", "registry", "compliance", "marketplace", "bank", "bureau", "exposure",
    }  # fmt: skip
    assert Facts.model_validate_json(facts.canonical()).canonical() == facts.canonical()


@given(said=figures, most=st.none() | st.integers(0, 30_000_000))
def test_verified_facts_come_back_from_their_bytes(said: dict[str, Any], most: int | None) -> None:
    """What documents and officers say is in the record, and decided again from it the same."""
    application, facts = business()
    facts = reviewed(verified(facts, *TAX_AND_FINANCIAL, **said), most_cents=most)
    again = Facts.model_validate_json(facts.canonical())
    assert again == facts
    assert decide(application, again, RELEASE).canonical() == decide(application, facts, RELEASE).canonical()


def test_documents_are_not_from_the_future() -> None:
    """A fact of verification has its time like any other."""
    _, facts = business()
    later = Fact[Review](
        source="verification", fetched_at=AS_OF + timedelta(seconds=1), status="present", value=Review()
    )
    with pytest.raises(ValidationError, match="review was fetched after as_of"):
        Facts.model_validate(facts.model_copy(update={"review": later}))


# -- figures -------------------------------------------------------------------------------------------------


def test_verified_figures_take_the_place_of_declared_ones() -> None:
    """Turnover and overdue tax as documents say; what they do not say stays as declared."""
    application, facts = business(application={"finances": {"overdue_tax_cents": 500_000, "tax_plan": True}})
    found = as_verified(application, verified(facts, turnover_12m_cents=80_000_000)).finances
    assert (found.turnover_12m_cents, found.overdue_tax_cents, found.tax_plan) == (80_000_000, 500_000, True)
    found = as_verified(application, verified(facts, overdue_tax_cents=0)).finances
    assert (found.turnover_12m_cents, found.overdue_tax_cents, found.tax_plan) == (96_000_000, 0, None)
    found = as_verified(application, verified(facts, overdue_tax_cents=70_000)).finances
    assert (found.overdue_tax_cents, found.tax_plan) == (70_000, False)


def test_nothing_but_finances_is_replaced() -> None:
    """The rest of the application is what the applicant stated, and without documents all of it is."""
    application, facts = business()
    assert as_verified(application, facts) is application
    found = as_verified(application, verified(facts, turnover_12m_cents=1))
    assert {**found.model_dump(), "finances": None} == {**application.model_dump(), "finances": None}


def test_the_features_are_those_of_the_verified_figures() -> None:
    """Live and in training alike: the row is read from what documents say."""
    application, facts = business()
    row = feature_row(application, verified(facts, turnover_12m_cents=50_000_000))
    assert row[FEATURE_NAMES.index("turnover_declared")] == 500_000
    decision = decide(application, verified(facts, turnover_12m_cents=50_000_000), RELEASE)
    assert decision.features["turnover_declared"] == 500_000


def test_a_verified_turnover_meets_the_rules_that_a_declared_one_meets() -> None:
    """Below the least turnover it knocks out; far above what the statement shows it refers."""
    application, facts = business()
    low = decide(application, verified(facts, turnover_12m_cents=7_000_000), RELEASE)
    high = decide(application, verified(facts, turnover_12m_cents=400_000_000), RELEASE)
    assert (low.outcome, [f.rule for f in low.findings]) == ("decline", ["turnover_too_low"])
    assert (high.outcome, [f.rule for f in high.findings]) == ("refer", ["turnover_overstated"])


@settings(max_examples=60)
@given(told=stories(), said=figures)
def test_verified_and_restated_are_decided_alike(told: dict[str, Any], said: dict[str, Any]) -> None:
    """Moving the verified figures into the application changes no byte of the decision."""
    application, facts = business(told)
    facts = verified(facts, *TAX_AND_FINANCIAL, **said)
    moved, bare = restated(application, facts)
    assert decide(moved, bare, RELEASE).canonical() == decide(application, facts, RELEASE).canonical()
    assert bare.documents is not None
    assert bare.documents.value is not None
    assert bare.documents.value.turnover_12m_cents is bare.documents.value.overdue_tax_cents is None
    assert restated(moved, bare.model_copy(update={"documents": None}))[0] is moved


# -- caps ----------------------------------------------------------------------------------------------------


def test_tax_and_financial_evidence_lift_the_cap_together() -> None:
    """$300,000 asked for: $150,000 on connected data, still so with one of the two, all of it with both."""
    application, facts = business(STRONG)
    assert lent(decide(application, facts, RELEASE)) == 15_000_000
    for kinds in [("tax_account",), ("financial_statements",), ("activity_statement", "bank_statement", "identity")]:
        assert lent(decide(application, verified(facts, *kinds), RELEASE)) == 15_000_000
    assert lent(decide(application, verified(facts, *TAX_AND_FINANCIAL), RELEASE)) == 30_000_000


def test_no_document_stands_in_for_a_source() -> None:
    """Without a bank or a bureau their own caps hold, whatever was accepted."""
    for source in ("bank", "bureau", "marketplace"):
        application, facts = business({source: {"status": "absent"}})
        facts = verified(facts, *TAX_AND_FINANCIAL)
        case = Case(application, facts, Evidence.of(application, facts), RELEASE.policy.on(AS_OF.date()))
        assert next(cap.cents for cap in assign(case, "A", 0.01).caps if cap.name == "evidence") == 2_000_000


def test_an_uploaded_statement_that_was_verified_counts_as_connected() -> None:
    """$75,000 at most as declared, $150,000 as verified, and the same decision as a connected one but for nothing."""
    told = {**STRONG, "bank": {**STRONG["bank"], "evidence": "declared"}}
    application, facts = business(told)
    assert lent(decide(application, facts, RELEASE)) == 7_500_000
    assert facts.bank.value is not None
    bank = BankData.model_validate(facts.bank.value.model_copy(update={"evidence": "verified"}))
    checked = facts.model_copy(update={"bank": facts.bank.model_copy(update={"value": bank})})
    assert decide(application, checked, RELEASE) == decide(*business(STRONG), RELEASE)


@settings(max_examples=80)
@given(told=stories(), kinds=st.sets(st.sampled_from([*TAX_AND_FINANCIAL, "identity"])))
def test_documents_that_confirm_never_lower_and_their_absence_never_raises(
    told: dict[str, Any], kinds: set[str]
) -> None:
    """With the figures as declared, every accepted document leaves the line or raises it, on the same findings."""
    application, facts = business(told)
    finances = application.finances
    without = decide(application, facts, RELEASE)
    confirmed = decide(
        application,
        verified(
            facts, *sorted(kinds), turnover_12m_cents=finances.turnover_12m_cents,
            overdue_tax_cents=finances.overdue_tax_cents, tax_plan=finances.tax_plan,
        ),
        RELEASE,
    )  # fmt: skip
    assert confirmed.findings == without.findings
    assert lent(without) <= lent(confirmed)


@settings(max_examples=80)
@given(told=stories(), said=figures)
def test_decide_never_raises_on_verified_facts(told: dict[str, Any], said: dict[str, Any]) -> None:
    """Whatever documents say, there is a decision, and what cannot be read in none stays none."""
    application, facts = business(told)
    assert decide(application, verified(facts, **said), RELEASE).outcome in {"approve", "refer", "decline"}


# -- officers ------------------------------------------------------------------------------------------------


def test_an_officers_cap_lowers_and_never_raises() -> None:
    """$40,000 become $20,000 with the officer's reason; a cap above what was decided changes nothing of it."""
    application, facts = business()
    lower = decide(application, reviewed(facts, most_cents=2_020_000, reason="R08"), RELEASE)
    assert (lent(lower), lower.bound_by, [r.code for r in lower.reasons]) == (2_000_000, "officer", ["R08"])
    higher = decide(application, reviewed(facts, most_cents=30_000_000), RELEASE)
    assert (lent(higher), higher.bound_by) == (4_000_000, "request")


def test_a_referral_may_be_left_aside() -> None:
    """The one that is named; the others stay."""
    told = {"application": {"finances": {"turnover_12m_cents": 400_000_000}}, "bank": {"days": 75}}
    application, facts = business(told)
    assert [f.rule for f in decide(application, facts, RELEASE).findings] == [
        "coverage_too_short",
        "turnover_overstated",
    ]
    one = decide(application, reviewed(facts, set_aside=("turnover_overstated",)), RELEASE)
    both = decide(application, reviewed(facts, set_aside=("turnover_overstated", "coverage_too_short")), RELEASE)
    assert [f.rule for f in one.findings] == ["coverage_too_short"]
    assert both.findings == ()


@pytest.mark.parametrize(
    ("told", "rule"),
    [
        ({"registry": {"abn_active": False}}, "abn_not_active"),
        ({"bank": {"status": "failed"}}, "bank_failed"),
        ({"bureau": {"status": "failed"}}, "bureau_failed"),
        ({"exposure": {"brakes": [{"kind": "refer_all", "segment": "all"}]}}, "brake_refer_all"),
    ],
)
def test_some_findings_cannot_be_left_aside(told: dict[str, Any], rule: str) -> None:
    """A knock-out, a source that failed (no cap counts on its absence) and the lender's brake stay."""
    application, facts = business(told)
    decision = decide(application, reviewed(facts, set_aside=(rule,)), RELEASE)
    assert decision.findings == decide(application, facts, RELEASE).findings
    assert rule in [f.rule for f in decision.findings]


@settings(max_examples=60)
@given(told=stories(), most=st.integers(0, 30_000_000))
def test_no_officer_raises_a_line(told: dict[str, Any], most: int) -> None:
    """Whatever the business and the cap, the line is at most what it was and at most the cap."""
    application: Application
    application, facts = business(told)
    decision = decide(application, reviewed(facts, most_cents=most), RELEASE)
    assert lent(decision) <= min(lent(decide(application, facts, RELEASE)), most)
