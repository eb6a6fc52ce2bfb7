"""Leaving rules aside and declining: two approvers on exactly one content, by facts that replay."""

import asyncio
import json
from typing import Any

import pytest

from api.cases import approving, working
from api.errors import Problem
from api.referrals import proposing
from api.referrals.proposing import Proposal
from api.store import queries as store
from tests.support.deskwork import ABEL, BETH, VERA
from tests.support.referring import HIT, TAX, WORDS, Referring, content_of
from tests.support.service import telling

DECLINE = Proposal("decline", "R10", WORDS)


def test_a_rule_is_left_aside_by_two(referring: Referring) -> None:
    """One proposes with what would be offered, another confirms: the offer supersedes the referral and replays."""
    referral = referring.referred()
    proposal = referring.proposed(referral)
    assert referring.now(referral.application_id).row.id == referral.row.id
    new_id = referring.office.do(referring.confirm(proposal))
    after = referring.now(referral.application_id)
    assert (after.row.id, after.row.supersedes, after.decision.outcome) == (new_id, referral.row.id, "approve")
    assert after.decision.offer is not None
    assert after.decision.offer.limit_cents == json.loads(proposal.body)["limit_cents"]
    review = after.facts.review
    assert review is not None
    assert review.value is not None
    assert review.value.set_aside == ("overdue_tax",)
    replayed = referring.office.service.ask("GET", f"/v1/decisions/{new_id}/replay").json()
    assert replayed["match"] is True
    assert [each.act for each in referring.acts(referral.application_id)] == ["propose", "confirm"]


def test_the_offer_of_a_rule_left_aside_takes_one_approver_more(referring: Referring) -> None:
    """Accepted and verified by people, never by the machine alone, its case is approved by two, even when lowered."""
    office, referral = referring.office, referring.referred()
    office.do(referring.confirm(referring.proposed(referral)))
    decision_id = referring.now(referral.application_id).row.id
    reply = office.accept(referral.application_id, decision_id)
    assert reply.status_code == 201, reply.text
    case = office.hand_in(office.case(reply.json()["case_id"]))
    assert case.state == "open"
    complete = [each for each in office.standing(case.id).events if each.event == "complete"]
    assert "a rule was left aside" in complete[-1].details["people"]
    case = office.settle(office.take(case))
    case = office.do(working.verify(office.desk, case.id, case.version, VERA))
    case = office.take(case, "approve", ABEL)
    lower = office.verdict(case, limit_cents=case.limit_cents - 500_000, reason="R20", words="Thin margins.")
    case = office.do(approving.approve(office.desk, case.id, ABEL, lower))
    assert case.state == "verified"
    review = referring.facts(case.decision_id).review
    assert review is not None
    assert review.value is not None
    assert review.value.set_aside == ("overdue_tax",)
    assert office.approved(case, BETH).state == "approved"
    given = office.look(lambda connection: store.approvals_of(connection, case.id))
    assert [each.overrides for each in given] == [True, True]


def test_a_referral_is_declined_by_two(referring: Referring) -> None:
    """The new decision declines with the reason that was named, replays, and the applicant's contacts are told."""
    referral = referring.referred()
    new_id = referring.office.do(referring.confirm(referring.proposed(referral, DECLINE)))
    after = referring.now(referral.application_id)
    assert (after.decision.outcome, [each.code for each in after.decision.reasons]) == ("decline", ["R10"])
    assert referring.office.service.ask("GET", f"/v1/decisions/{new_id}/replay").json()["match"] is True
    told = referring.office.service.ask("GET", f"/v1/applications/{referral.application_id}/decision").json()
    assert told["outcome"] == "decline"
    assert WORDS not in json.dumps(told)
    assert told_of(referring, "referral.decided") == 1


def told_of(referring: Referring, topic: str) -> int:
    """How many mails of this topic wait in the outbox."""
    rows = referring.office.look(
        lambda connection: store.due_messages(connection, referring.office.clock(), 50, "notice.mail")
    )
    return sum(json.loads(each.body)["notice"]["topic"] == topic for each in rows)


def test_who_proposed_does_not_confirm(referring: Referring) -> None:
    """The proposer's own confirmation is refused, by the database as well, and nothing is decided."""
    referral = referring.referred()
    proposal = referring.proposed(referral)
    assert referring.office.refused(referring.confirm(proposal, ABEL)) == "separation-of-duties"
    assert referring.now(referral.application_id).row.id == referral.row.id
    assert len(referring.acts(referral.application_id)) == 1


def test_only_what_was_seen_is_confirmed(lone: Referring) -> None:
    """Another content, a proposal of another application, one that was withdrawn: refused, and nothing is decided."""
    referral = lone.referred()
    proposal = lone.proposed(referral)
    assert lone.office.refused(lone.confirm(proposal, content="0" * 64)) == "stale-version"
    other = proposing.confirm(lone.desk, "app_" + "0" * 32, proposal.id, content_of(proposal), BETH, WORDS)
    assert lone.office.refused(other) == "not-found"
    lone.office.do(proposing.withdraw(lone.desk, referral.application_id, proposal.id, BETH, "Not like this."))
    assert lone.office.refused(lone.confirm(proposal)) == "stale-version"
    again = lone.proposed(referral, lone.aside(most_cents=2_000_000))
    assert json.loads(again.body)["limit_cents"] == 2_000_000
    assert lone.office.refused(lone.confirm(again, content=content_of(proposal))) == "stale-version"
    lone.office.do(lone.confirm(again))
    assert lone.now(referral.application_id).row.limit_cents == 2_000_000


def test_of_two_at_once_one_wins(referring: Referring) -> None:
    """Confirmed and withdrawn in the same moment, one of them happens; the other is told that somebody was quicker."""
    referral = referring.referred()
    proposal = referring.proposed(referral)

    async def attempt(work: Any) -> str:
        try:
            await work
        except Problem as problem:
            return problem.slug
        return "done"

    async def both() -> list[str]:
        undo = proposing.withdraw(referring.desk, referral.application_id, proposal.id, VERA, "No.")
        confirmed = [attempt(referring.confirm(proposal, by)) for by in (BETH, VERA)]
        return list(await asyncio.gather(*confirmed, attempt(undo)))

    assert sorted(asyncio.run(both())) == ["done", "stale-version", "stale-version"]
    assert len(referring.acts(referral.application_id)) == 2


def test_two_proposals_at_once_are_one(referring: Referring) -> None:
    """While one waits, or comes at the same moment, another is refused."""
    referral = referring.referred()

    async def attempt(by: Any) -> str:
        try:
            await proposing.propose(referring.desk, referral.application_id, referral.row.id, by, DECLINE)
        except Problem as problem:
            return problem.slug
        return "done"

    async def both() -> list[str]:
        return list(await asyncio.gather(attempt(ABEL), attempt(BETH)))

    assert sorted(asyncio.run(both())) == ["done", "not-now"]


@pytest.mark.parametrize(
    "wanted",
    [
        Proposal("aside", "R10", WORDS), Proposal("aside", "R10", WORDS, ("sanctions_hit",)),
        Proposal("aside", "R99", WORDS, ("overdue_tax",)), Proposal("decline", "", WORDS),
        Proposal("aside", "R10", " ", ("overdue_tax",)), Proposal("aside", "R10", "x" * 2_001, ("overdue_tax",)),
        Proposal("aside", "R10", WORDS, ("overdue_tax",), most_cents=1_234),
    ],
)  # fmt: skip
def test_a_proposal_that_cannot_be_is_refused(lone: Referring, wanted: Proposal) -> None:
    """No rule, one that the decision does not have, no or an unknown reason, no words, too many, a crooked amount."""
    referral = lone.referred()
    act = proposing.propose(lone.desk, referral.application_id, referral.row.id, ABEL, wanted)
    assert lone.office.refused(act) == "validation-failed"
    assert lone.acts(referral.application_id) == ()


@pytest.mark.parametrize("what", ["bureau", "brake"])
def test_what_stands_cannot_be_left_aside(sqlite_url: str, what: str) -> None:
    """With a source that failed, or a brake pulled, nothing would be offered: the proposal says so and is refused."""
    told = {**TAX, "bureau": {"status": "failed"}} if what == "bureau" else TAX
    with telling(sqlite_url, told) as service:
        referring = Referring.of(service)
        if what == "brake":
            with service.database.transaction() as connection:
                store.set_brake(connection, "refer_all", referring.office.clock(), "officer", because="A test.")
        referral = referring.referred(told)
        rules = sorted(proposing.rules_of(referral.decision))
        assert len(rules) == 2
        act = proposing.propose(referring.desk, referral.application_id, referral.row.id, ABEL, referring.aside(*rules))
        assert referring.office.refused(act) == "validation-failed"


def test_what_screening_holds_approvers_cannot_answer(sqlite_url: str) -> None:
    """With a possible match open, neither a rule is left aside nor is it declined, nor confirmed by anybody."""
    told = {**TAX, **HIT}
    with telling(sqlite_url, told) as service:
        referring = Referring.of(service)
        referral = referring.referred(told)
        for wanted in (referring.aside(), DECLINE):
            act = proposing.propose(referring.desk, referral.application_id, referral.row.id, ABEL, wanted)
            assert referring.office.refused(act) == "not-now"
        assert referring.acts(referral.application_id) == ()
