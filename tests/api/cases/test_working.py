"""A verifier at work: holding, recording, accepting, returning, asking, leaving aside, putting off, handing over."""

from datetime import timedelta

import pytest

from api.cases import working
from api.cases.working import LEASE
from api.store import queries as store
from engine.verification.documents import KINDS
from tests.support.deskwork import ABEL, BETH, DIRECTOR, VERA, Office

HOUR = 3_600.0


def document_of(office: Office, case: store.CaseRow, kind: str) -> store.DocumentRow:
    """The newest document of a kind."""
    return [each for each in office.standing(case.id).documents if each.kind == kind][-1]


def test_a_case_is_held_by_one(office: Office) -> None:
    """Who claimed it may act on it; anybody else is told not-held, and so is its holder once the lease lapsed."""
    case = office.take(office.complete())
    proof = document_of(office, case, "bank_account_proof")
    said = office.says(proof)
    assert office.refused(working.claim(office.desk, case.id, "verify", BETH)) == "not-held"
    assert office.refused(working.record(office.desk, case.id, case.version, BETH, proof.id, said)) == "not-held"
    office.clock.advance(LEASE.total_seconds() + 1)
    assert office.refused(working.record(office.desk, case.id, case.version, VERA, proof.id, said)) == "not-held"
    assert office.take(case, by=BETH).owner == BETH.id


def test_the_next_case_is_the_earliest_due(lone_office: Office) -> None:
    """Whoever asks for work gets the case whose clock began first, until there is none left."""
    first = lone_office.complete()
    lone_office.clock.advance(HOUR)
    second = lone_office.complete(None, {**DIRECTOR, "family_name": "Another", "email": "another@example.com"})
    taken = [lone_office.do(working.claim_next(lone_office.desk, "verify", by)) for by in (VERA, BETH, ABEL)]
    assert [each and each.id for each in taken] == [first.id, second.id, None]


def test_what_was_seen_has_to_be_what_is_there(office: Office) -> None:
    """An act on an older version of the case is stale-version, and changes nothing."""
    case = office.take(office.complete())
    proof = document_of(office, case, "bank_account_proof")
    said = office.says(proof)
    after = office.do(working.record(office.desk, case.id, case.version, VERA, proof.id, said))
    assert office.refused(working.record(office.desk, case.id, case.version, VERA, proof.id, said)) == "stale-version"
    assert office.case(case.id) == after


def test_a_document_is_relied_on_after_it_was_read(lone_office: Office) -> None:
    """Accepting before every needed field is recorded names what is missing; afterwards it goes through."""
    case = lone_office.take(lone_office.complete())
    proof = document_of(lone_office, case, "bank_account_proof")
    act = working.accept_document(lone_office.desk, case.id, case.version, VERA, proof.id)
    assert lone_office.refused(act) == "validation-failed"
    partly = {"account_name": "BANKSIA HOMEWARES PTY LTD"}
    case = lone_office.do(working.record(lone_office.desk, case.id, case.version, VERA, proof.id, partly))
    act = working.accept_document(lone_office.desk, case.id, case.version, VERA, proof.id)
    assert lone_office.refused(act) == "validation-failed"
    case = lone_office.do(working.record(lone_office.desk, case.id, case.version, VERA, proof.id, {"matches": "yes"}))
    case = lone_office.do(working.accept_document(lone_office.desk, case.id, case.version, VERA, proof.id))
    assert document_of(lone_office, case, "bank_account_proof").state == "accepted"


@pytest.mark.parametrize(
    "values",
    [{}, {"matches": "perhaps"}, {"colour": "red"}, {"account_name": ""}, {"account_name": "x" * 201},
     {"account_name": "two\nlines\x00"}, {"matches": "yes", "abn": "51824753556"}],
)  # fmt: skip
def test_what_cannot_be_said_is_not_recorded(lone_office: Office, values: dict[str, str]) -> None:
    """Unknown fields, values that are none, too long or unprintable: all are named and nothing is kept."""
    case = lone_office.take(lone_office.complete())
    proof = document_of(lone_office, case, "bank_account_proof")
    act = working.record(lone_office.desk, case.id, case.version, VERA, proof.id, values)
    assert lone_office.refused(act) == "validation-failed"
    assert lone_office.look(lambda connection: store.latest_values(connection, case.id)) == ()
    assert lone_office.case(case.id).version == case.version


def test_a_returned_document_pauses_the_clock_until_another_comes(office: Office) -> None:
    """The applicant reads the reason and the words, time stands still, and a new document brings the case back."""
    case = office.take(office.complete())
    office.clock.advance(HOUR / 6)
    proof = document_of(office, case, "bank_account_proof")
    case = office.do(
        working.return_document(office.desk, case.id, case.version, VERA, proof.id, "CROPPED", "The BSB is cut off.")
    )
    assert (case.state, case.owner) == ("waiting", None)
    office.clock.advance(30 * HOUR)
    told = office.service.ask("GET", f"/v1/applications/{case.application_id}/case").json()
    assert (told["state"], told["clock"]["paused"], told["clock"]["elapsed_seconds"]) == ("documents_wanted", True, 600)
    [document] = [each for wanted in told["wanted"] for each in wanted["documents"] if each["state"] == "returned"]
    assert (document["reason"], document["words"]) == ("CROPPED", "The BSB is cut off.")
    assert document["wrong"]
    assert document["send"]
    back = office.hand_in(case)
    assert (back.state, back.paused_us) == ("open", int(30 * HOUR * 1_000_000))
    assert back.due_at is not None
    assert back.due_at - office.clock() == timedelta(hours=24, seconds=-600)
    done = office.settle(office.take(back))
    assert office.do(working.verify(office.desk, done.id, done.version, VERA)).state == "verified"


def test_one_more_document_is_asked_for(office: Office) -> None:
    """A request pauses the clock; a document of before does not answer it, one that comes afterwards does."""
    case = office.take(office.complete())
    case = office.do(
        working.request(office.desk, case.id, case.version, VERA, "bank_account_proof", None, "Of the other account.")
    )
    assert case.state == "waiting"
    told = office.service.ask("GET", f"/v1/applications/{case.application_id}/case").json()
    assert [(each["kind"], each["state"], each["why"]) for each in told["wanted"]][-1] == (
        "bank_account_proof", "wanted", "Of the other account.",
    )  # fmt: skip
    office.clock.advance(60)
    assert office.hand_in(case).state == "open"


def test_a_case_is_not_vouched_for_with_something_missing(lone_office: Office) -> None:
    """Verifying before every required document is accepted or left aside is not-now."""
    case = lone_office.take(lone_office.complete())
    assert lone_office.refused(working.verify(lone_office.desk, case.id, case.version, VERA)) == "not-now"
    case = lone_office.settle(case)
    assert lone_office.do(working.verify(lone_office.desk, case.id, case.version, VERA)).state == "verified"


def test_what_is_left_aside_has_a_reason(lone_office: Office) -> None:
    """Any verifier may waive what a waiting case still wants, with a reason; the last waiver brings it in."""
    case, desk = lone_office.hand_in(lone_office.accepted(), "identity"), lone_office.desk
    assert case.state == "waiting"
    wanted = "bank_account_proof"
    act = working.waive(desk, case.id, case.version, VERA, wanted, " ", "")
    assert lone_office.refused(act) == "validation-failed"
    assert lone_office.refused(working.waive(desk, case.id, 1, VERA, wanted, "OTHER", "")) == "stale-version"
    assert lone_office.refused(working.waive(desk, case.id, case.version, VERA, "trust_deed", "A", "")) == "not-now"
    case = lone_office.do(working.waive(desk, case.id, case.version, VERA, wanted, "Seen in the statement", ""))
    assert (case.state, lone_office.standing(case.id).waivers) == ("open", 1)
    case = lone_office.take(case)
    assert lone_office.refused(working.waive(desk, case.id, case.version, VERA, wanted, "Again", "")) == "not-now"


def test_a_case_is_put_off_within_bounds(lone_office: Office) -> None:
    """Until a moment within twelve hours nobody is given it, and its clock runs on; other moments are refused."""
    case = lone_office.take(lone_office.complete())
    desk, now = lone_office.desk, lone_office.clock()
    for until in (now, now - timedelta(hours=1), now + timedelta(hours=12, seconds=1)):
        act = working.snooze(desk, case.id, case.version, VERA, until, "")
        assert lone_office.refused(act) == "validation-failed"
    due = case.due_at
    case = lone_office.do(
        working.snooze(desk, case.id, case.version, VERA, now + timedelta(hours=2), "The bank calls back.")
    )
    assert (case.state, case.owner, case.due_at) == ("open", None, due)
    assert lone_office.do(working.claim_next(desk, "verify", BETH)) is None
    lone_office.clock.advance(2 * HOUR + 1)
    taken = lone_office.do(working.claim_next(desk, "verify", BETH))
    assert taken is not None
    assert taken.id == case.id


def test_a_case_goes_from_one_to_another(office: Office) -> None:
    """Given back it is free; reassigned it is theirs under a new lease; nobody unknown is given one."""
    case = office.take(office.complete())
    assert office.refused(working.release(office.desk, case.id, BETH)) == "not-held"
    case = office.do(working.release(office.desk, case.id, VERA))
    assert (case.state, case.owner) == ("open", None)
    case = office.take(case)
    assert office.refused(working.reassign(office.desk, case.id, ABEL, "stf_nobody", "")) == "not-found"
    case = office.do(working.reassign(office.desk, case.id, ABEL, BETH.id, "Vera is ill."))
    assert (case.state, case.owner) == ("claimed", BETH.id)


def test_notes_and_calls_for_help_need_no_hold(lone_office: Office) -> None:
    """Anybody who may note does so on any case; words are wanted, and a case once escalated stays so."""
    case = lone_office.complete()
    assert lone_office.refused(working.note(lone_office.desk, case.id, BETH, "  ")) == "validation-failed"
    assert lone_office.refused(working.note(lone_office.desk, case.id, BETH, "x" * 2_001)) == "validation-failed"
    lone_office.do(working.note(lone_office.desk, case.id, BETH, "Called them."))
    assert lone_office.do(working.escalate(lone_office.desk, case.id, BETH, "Odd figures.")).escalated
    assert [each.event for each in lone_office.standing(case.id).events][-2:] == ["note", "escalate"]


@pytest.mark.parametrize("reason", ["", "UNKNOWN", "blurry"])
def test_a_return_has_a_reason_from_the_list(lone_office: Office, reason: str) -> None:
    """Anything that is not in the table of reasons is refused."""
    case = lone_office.take(lone_office.complete())
    proof = document_of(lone_office, case, "bank_account_proof")
    act = working.return_document(lone_office.desk, case.id, case.version, VERA, proof.id, reason, "")
    assert lone_office.refused(act) == "validation-failed"


@pytest.mark.parametrize(("kind", "person"), [("nothing", None), ("identity", "per_" + "0" * 32)])
def test_a_request_is_for_something_that_exists(lone_office: Office, kind: str, person: str | None) -> None:
    """An unknown kind, or a person who is not of the case, is refused."""
    assert kind == "nothing" or kind in KINDS
    case = lone_office.take(lone_office.complete())
    act = working.request(lone_office.desk, case.id, case.version, VERA, kind, person, "")
    assert lone_office.refused(act) == "validation-failed"
