"""Notes, asking the sources again, and answering who asked for a person."""

import asyncio
import json
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from api.errors import Problem
from api.notices.mail import Mailbox
from api.notices.sending import send_due
from api.referrals import acts, answering, proposing
from api.referrals.proposing import Proposal
from api.store.queries import due_messages
from api.store.queries.referrals import count_reviews, open_reviews
from tests.support.businesses import story
from tests.support.deskwork import ABEL, BETH, VERA
from tests.support.noticing import office
from tests.support.referring import CLEO, HIT, WORDS, Referring
from tests.support.service import RemoteStories, remote, telling
from tests.support.witnessing import disarm, findings, words_of


def test_a_note_is_kept_with_its_entry(referring: Referring) -> None:
    """Who wrote it, in which role, about which decision; the chain holds a digest, not the words."""
    referral = referring.referred()
    referring.office.do(acts.note(referring.desk, referral.application_id, referral.row.id, VERA, WORDS))
    [kept] = referring.acts(referral.application_id)
    assert (kept.act, kept.staff_id, kept.role, kept.decision_id) == ("note", VERA.id, "verifier", referral.row.id)
    assert json.loads(kept.body) == {"words": WORDS}
    stale = acts.note(referring.desk, referral.application_id, "dec_" + "0" * 32, VERA, WORDS)
    assert referring.office.refused(stale) == "stale-version"
    for words in (" ", "x" * 2_001):
        act = acts.note(referring.desk, referral.application_id, referral.row.id, VERA, words)
        assert referring.office.refused(act) == "validation-failed"


def test_what_failed_is_asked_again(url: str) -> None:
    """While the source stays away nothing changes; once it answers, the new decision supersedes, and is told."""
    sources = RemoteStories(story(), failing=("bureau",))
    with remote(url, sources) as service:
        referring = Referring.of(service)
        referral = referring.referred({})
        args = (referring.desk, referral.application_id, referral.row.id, ABEL, frozenset[str](), WORDS)
        assert referring.office.do(acts.ask(*args)) == "still_missing"
        sources.failing = set()
        assert referring.office.do(acts.ask(*args)) == "superseded"
        after = referring.now(referral.application_id)
        assert (after.decision.outcome, after.row.supersedes) == ("approve", referral.row.id)
        assert [json.loads(each.body)["sources"] for each in after.acts] == [["bureau"], ["bureau"]]
        assert referring.office.refused(acts.ask(*args)) == "stale-version"


def test_sources_that_answered_are_named_to_be_asked(lone: Referring) -> None:
    """Where nothing failed somebody says which to ask; the same answer changes nothing, an unknown one is refused."""
    referral = lone.referred()
    args = (lone.desk, referral.application_id, referral.row.id, ABEL)
    assert lone.office.do(acts.ask(*args, frozenset({"bank"}), WORDS)) == "unchanged"
    for sources in (frozenset[str](), frozenset({"compliance"}), frozenset({"anything"})):
        assert lone.office.refused(acts.ask(*args, sources, WORDS)) == "validation-failed"
    assert lone.now(referral.application_id).row.id == referral.row.id


def test_who_asked_for_a_person_is_answered_once(referring: Referring) -> None:
    """It stands, in words to the applicant that no message holds; the request is off the list; a second is refused."""
    referral = referring.referred()
    review = referring.requested(referral)
    assert [each.id for each in referring.office.look(open_reviews)] == [review]
    assert _person(referring, referral.application_id) == (True, False)
    args = (referring.desk, referral.application_id, referral.row.id, review, ABEL)
    assert referring.office.do(answering.answer(*args, WORDS)) == "stands"
    assert _person(referring, referral.application_id) == (True, True)
    assert referring.office.look(count_reviews) == 0
    assert referring.office.refused(answering.answer(*args, WORDS)) == "stale-version"
    with referring.office.service.database.transaction(read_only=True) as connection:
        mails = [each.body for each in due_messages(connection, referring.office.clock(), 50, "notice.mail")]
    assert sum('"topic":"review.answered"' in each for each in mails) == 1
    assert not [each for each in mails if WORDS in each]


def _person(referring: Referring, application_id: str) -> tuple[bool, bool]:
    """Whether the applicant is told that a person was asked for, and that one has answered."""
    told = referring.office.service.ask("GET", f"/v1/applications/{application_id}/advice").json()["person"]
    return told["requested"], told["answered"]


def test_the_answer_is_sent_as_it_was_written(lone: Referring, tmp_path: Path) -> None:
    """The mail to the contact holds the words, which are looked up when it is sent."""
    referral = lone.referred()
    review = lone.requested(referral)
    words = "We looked at the letter again.\nThe tax is still overdue."
    lone.office.do(answering.answer(lone.desk, referral.application_id, referral.row.id, review, ABEL, words))
    database, clock = lone.office.service.database, lone.office.clock
    clock.advance(1)
    sender = replace(office(database, clock, folder=tmp_path), post=Mailbox(tmp_path))
    asyncio.run(send_due(sender))
    mails = [message_from_bytes(each.read_bytes(), policy=policy.default) for each in tmp_path.glob("*.eml")]
    texts = {str(each["Subject"]): each.get_content() for each in mails}
    assert words in texts["Sample Lender: you asked for a person"].replace("\r\n", "\n")
    assert len(texts) == 2  # the other one told the staff that somebody asked


def test_a_new_decision_is_the_answer(referring: Referring) -> None:
    """Declined meanwhile by two, a third person answers that it was decided again; neither of the two may."""
    referral = referring.referred()
    review = referring.requested(referral)
    proposal = referring.proposed(referral, Proposal("decline", "R10", WORDS))
    new_id = referring.office.do(referring.confirm(proposal))
    args = (referring.desk, referral.application_id, new_id, review)
    assert referring.office.do(answering.answer(*args, ABEL, WORDS)) == "decided_again"
    again = referring.requested(referring.now(referral.application_id))
    for who in (ABEL, BETH):
        act = answering.answer(referring.desk, referral.application_id, new_id, again, who, WORDS)
        assert referring.office.refused(act) == "separation-of-duties"
    assert referring.office.do(answering.answer(*args[:3], again, VERA, WORDS)) == "stands"


def test_of_two_answers_at_once_one_is_sent(referring: Referring) -> None:
    """Both write at the same moment: one answer is kept, the other person is told."""
    referral = referring.referred()
    review = referring.requested(referral)

    async def attempt(by: Any) -> str:
        try:
            return await answering.answer(referring.desk, referral.application_id, referral.row.id, review, by, WORDS)
        except Problem as problem:
            return problem.slug

    async def both() -> list[str]:
        return list(await asyncio.gather(attempt(ABEL), attempt(BETH)))

    assert sorted(asyncio.run(both())) == ["stale-version", "stands"]
    assert [each.act for each in referring.acts(referral.application_id)] == ["answer"]


def test_what_screening_holds_compliance_answers(sqlite_url: str) -> None:
    """An approver is refused while it is open; compliance answers, for all to see that somebody did."""
    with telling(sqlite_url, HIT) as service:
        referring = Referring.of(service)
        referral = referring.referred(HIT)
        review = referring.requested(referral)
        args = (referring.desk, referral.application_id, referral.row.id, review)
        assert referring.office.refused(answering.answer(*args, ABEL, WORDS)) == "not-now"
        assert referring.office.do(answering.answer(*args, CLEO, WORDS)) == "stands"


def test_an_application_with_a_case_is_not_asked_about(lone: Referring) -> None:
    """Once its offer is taken up verification decides: neither asking nor a proposal, of what was left aside before."""
    referral = lone.referred()
    lone.office.do(lone.confirm(lone.proposed(referral)))
    after = lone.now(referral.application_id)
    assert lone.office.accept(after.application_id, after.row.id).status_code == 201
    act = acts.ask(lone.desk, after.application_id, after.row.id, ABEL, frozenset({"bank"}), WORDS)
    assert lone.office.refused(act) == "not-now"
    act2 = proposing.propose(lone.desk, after.application_id, after.row.id, ABEL, Proposal("decline", "R10", WORDS))
    assert lone.office.refused(act2) == "not-now"


@pytest.mark.parametrize("statement", ["UPDATE referral_act SET act = 'note'", "DELETE FROM referral_act"])
def test_an_act_is_written_once(referring: Referring, statement: str) -> None:
    """The database refuses to change or delete one."""
    referral = referring.referred()
    referring.office.do(acts.note(referring.desk, referral.application_id, referral.row.id, VERA, WORDS))
    with (
        pytest.raises(IntegrityError, match="is append-only"),
        referring.office.service.database.transaction() as connection,
    ):
        connection.execute(text(statement))


def test_a_changed_act_is_found_by_the_audit(referring: Referring) -> None:
    """Whatever somebody alters of an act that was kept, its entry in the chain says otherwise."""
    referral = referring.referred()
    referring.office.do(acts.note(referring.desk, referral.application_id, referral.row.id, ABEL, WORDS))
    database = referring.office.service.database
    disarm(database, "referral_act")
    with database.transaction() as connection:
        assert findings(connection) == ()
        for change, column in (
            ("body = '{}'", "content"), ("role = 'compliance'", "role"), ("at = at + 1000000", "at"),
            (f"staff_id = '{BETH.id}'", "staff_id"),
        ):  # fmt: skip
            undone = connection.begin_nested()
            connection.execute(text(f"UPDATE referral_act SET {change}"))
            assert f"differs from its entry in {column}" in words_of(findings(connection)), change
            undone.rollback()
        connection.execute(text("DELETE FROM referral_act"))
        assert "tells of an event that is missing" in words_of(findings(connection))
        connection.rollback()
