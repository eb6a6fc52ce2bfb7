"""Approval: exactly what was seen, by somebody else, by as many as it takes; lower, against a rule, or not at all."""

import asyncio
from typing import Any

import pytest

from api.cases import approving, working
from api.errors import Problem
from api.store import queries as store
from engine.decision import Decision
from engine.facts import Facts
from tests.support.deskwork import ABEL, BETH, VERA, Office
from tests.support.service import telling

STRONG: dict[str, Any] = {  # offered $141,000
    "application": {"request": {"amount_cents": 20_000_000}, "finances": {"turnover_12m_cents": 192_000_000}},
    "bank": {"sales_a_month_cents": 16_000_000, "costs_a_month_cents": 11_880_000, "balance_cents": 30_000_000},
    "marketplace": {"orders_a_month": 10, "order_cents": 500_000},
}


def test_an_approval_closes_the_case_and_draws_the_contract(office: Office) -> None:
    """A second person approves: the case stands on the verified decision, its contract is drawn, its applicant told."""
    case = office.approved(office.verified())
    assert (case.state, case.verified_by) == ("approved", VERA.id)
    contract = office.service.ask("GET", f"/v1/applications/{case.application_id}/contract").json()
    assert contract["signatures"] == []
    assert f"{case.limit_cents // 100:,}" in contract["text"]
    told = office.service.ask("GET", f"/v1/applications/{case.application_id}/case").json()
    assert (told["state"], told["limit_cents"], told["decision_id"]) == ("approved", case.limit_cents, case.decision_id)
    standing = office.service.ask("GET", f"/v1/applications/{case.application_id}/decision").json()
    assert standing["decision_id"] == case.decision_id != case.accepted_decision_id


def test_verified_facts_are_decided_again(office: Office) -> None:
    """The verified decision supersedes the conditional one, names the documents among its facts, and replays."""
    case = office.verified()
    facts: Facts = office.service.facts_of(case.decision_id)
    assert facts.documents is not None
    assert facts.documents.value is not None
    assert {each.kind for each in facts.documents.value.accepted} == {"identity", "bank_account_proof"}
    difference = office.service.ask("GET", f"/v1/decisions/{case.decision_id}/difference")
    assert difference.status_code == 200
    replayed = office.service.ask("GET", f"/v1/decisions/{case.decision_id}/replay").json()
    assert replayed["match"] is True


@pytest.mark.parametrize("field", ["content_sha256", "version"])
def test_what_is_approved_is_what_was_seen(lone_office: Office, field: str) -> None:
    """Another content or another version is stale-version, and leaves no approval."""
    case = lone_office.take(lone_office.verified(), "approve", ABEL)
    other: dict[str, Any] = {"content_sha256": "0" * 64} if field == "content_sha256" else {"version": case.version - 1}
    act = approving.approve(lone_office.desk, case.id, ABEL, lone_office.verdict(case, **other))
    assert lone_office.refused(act) == "stale-version"
    assert lone_office.look(lambda connection: store.approvals_of(connection, case.id)) == ()


def test_of_two_approvers_at_once_one_wins(office: Office) -> None:
    """Both try to take and approve the case in the same moment: one approves, the other is told."""
    case = office.verified()

    async def attempt(by: Any) -> str:
        try:
            held = await working.claim(office.desk, case.id, "approve", by)
            return (await approving.approve(office.desk, case.id, by, office.verdict(held))).state
        except Problem as problem:
            return problem.slug

    async def both() -> tuple[str, str]:
        return await asyncio.gather(attempt(ABEL), attempt(BETH))

    assert sorted(asyncio.run(both())) == ["approved", "not-held"]
    assert len(office.look(lambda connection: store.approvals_of(connection, case.id))) == 1


def test_a_large_line_takes_two_approvers(url: str) -> None:
    """Above the policy's amount the first approval leaves the case to another person; the same one counts once."""
    with telling(url, STRONG) as service:
        _approve_large(Office.of(service))


def _approve_large(office: Office) -> None:
    case = office.verified(STRONG)
    assert case.limit_cents > office.desk.policy().verification.second_approver_above_cents
    case = office.approved(case, ABEL)
    assert case.state == "verified"
    assert office.refused(working.claim(office.desk, case.id, "approve", ABEL)) == "not-held"
    assert office.approved(case, BETH).state == "approved"


def test_a_lower_line_is_decided_again(office: Office) -> None:
    """Approved lower, the line has its own decision, rate and cost; what was conditional stays in the record."""
    case = office.take(office.verified(), "approve", ABEL)
    limit = case.limit_cents - 1_000_000
    verdict = office.verdict(case, limit_cents=limit, reason="R20", words="Thin margins.")
    after = office.do(approving.approve(office.desk, case.id, ABEL, verdict))
    assert (after.state, after.limit_cents) == ("approved", limit)
    assert after.decision_id != case.decision_id
    replayed = office.service.ask("GET", f"/v1/decisions/{after.decision_id}/replay").json()
    assert replayed["match"] is True


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        ({"limit_cents": 1_000_000}, "validation-failed"), ({"limit_cents": 99_900_000}, "validation-failed"),
        ({"limit_cents": 0}, "validation-failed"), ({"limit_cents": 3_000_001, "reason": "R20"}, "validation-failed"),
        ({"words": "x" * 2_001}, "validation-failed"),
    ],
)  # fmt: skip
def test_a_verdict_that_cannot_be_is_refused(lone_office: Office, change: dict[str, Any], slug: str) -> None:
    """Lower without a reason, higher than decided, nothing, a crooked amount, too many words."""
    case = lone_office.take(lone_office.verified(), "approve", ABEL)
    assert (
        lone_office.refused(approving.approve(lone_office.desk, case.id, ABEL, lone_office.verdict(case, **change)))
        == slug
    )


def test_a_refusal_has_a_reason_and_ends_the_case(office: Office) -> None:
    """Declined with a coded reason the case is closed, and the applicant reads that it was declined, not why."""
    case = office.take(office.verified(), "approve", ABEL)
    assert office.refused(approving.decline(office.desk, case.id, ABEL, office.verdict(case))) == "validation-failed"
    verdict = office.verdict(case, reason="R20", words="Between us: no.")
    assert office.do(approving.decline(office.desk, case.id, ABEL, verdict)).state == "rejected"
    reply = office.service.ask("GET", f"/v1/applications/{case.application_id}/case")
    assert reply.json()["state"] == "declined"
    assert "Between us" not in reply.text


def test_sent_back_it_is_verified_again(office: Office) -> None:
    """With words for the next verifier the case returns to the queue, and its verification counts no more."""
    case = office.take(office.verified(), "approve", ABEL)
    assert office.refused(approving.send_back(office.desk, case.id, case.version, ABEL, " ")) == "validation-failed"
    case = office.do(approving.send_back(office.desk, case.id, case.version, ABEL, "Look at the account again."))
    assert (case.state, case.verified_by, case.content_sha256) == ("open", None, None)
    case = office.settle(office.take(case, by=BETH), by=BETH)
    case = office.do(working.verify(office.desk, case.id, case.version, BETH))
    assert office.approved(case, ABEL).state == "approved"


def test_a_waiver_takes_one_approver_more(lone_office: Office) -> None:
    """A case with a document left aside needs two approvers, whatever its size."""
    office = lone_office
    case = office.hand_in(office.accepted(), "identity")
    case = office.do(working.waive(office.desk, case.id, case.version, VERA, "bank_account_proof", "Known", ""))
    case = office.settle(office.take(case))
    case = office.do(working.verify(office.desk, case.id, case.version, VERA))
    case = office.approved(case, ABEL)
    assert case.state == "verified"
    assert office.approved(case, BETH).state == "approved"


def test_a_referral_is_left_aside_by_two(lone_office: Office) -> None:
    """What documents turn into a referral is approved only by override: with the rule, a reason and two approvers."""
    office = lone_office
    told = {"application": {"finances": {"overdue_tax_cents": 100_000, "tax_plan": True}}}
    case = office.hand_in(office.accepted(told))
    for document in office.standing(case.id).documents:
        if document.kind == "tax_account":
            office.said[document.id] = {
                "abn": "37955501005",
                "as_of": "2026-08-01",
                "overdue_cents": "30,000",
                "plan": "no",
            }
    case = office.settle(office.take(case))
    case = office.do(working.verify(office.desk, case.id, case.version, VERA))
    assert decision_of(office, case).outcome == "refer"
    case = office.take(case, "approve", ABEL)
    assert office.refused(approving.approve(office.desk, case.id, ABEL, office.verdict(case))) == "no-offer"
    rules = [each.rule for each in decision_of(office, case).findings if each.kind == "referral"]
    assert rules
    without = office.verdict(case, reason="R20")
    assert office.refused(approving.override(office.desk, case.id, ABEL, without)) == "validation-failed"
    verdict = office.verdict(case, reason="R20", words="Paid last week.", set_aside=tuple(rules))
    case = office.do(approving.override(office.desk, case.id, ABEL, verdict))
    assert case.state == "verified"
    assert office.approved(case, BETH).state == "approved"


@pytest.mark.parametrize("rule", ["abn_not_active", "nothing", "bank_failed", "sanctions_match"])
def test_what_is_no_referral_of_the_decision_is_not_left_aside(lone_office: Office, rule: str) -> None:
    """An override names referrals that the decision has: anything else is refused before anything is decided."""
    case = lone_office.take(lone_office.verified(), "approve", ABEL)
    act = approving.override(
        lone_office.desk, case.id, ABEL, lone_office.verdict(case, reason="R20", set_aside=(rule,))
    )
    assert lone_office.refused(act) == "validation-failed"
    assert lone_office.case(case.id) == case


def decision_of(office: Office, case: store.CaseRow) -> Decision:
    """The decision that a case stands on."""
    row = office.look(lambda connection: store.get_decision(connection, case.decision_id))
    assert row is not None
    return Decision.model_validate_json(row.body)
