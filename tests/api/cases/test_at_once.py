"""Several at the same moment, each in a thread with a database of its own: one wins, the others are told."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from api.cases import approving, reading, working
from api.cases.checking import Checked
from api.cases.desk import Desk
from api.cases.ticking import tick
from api.errors import Problem
from api.store import queries as store
from api.store.database import Database
from api.store.errors import StoreBusy
from engine.canonical import canonical_bytes
from tests.api.cases.test_approving import STRONG
from tests.support.casework import at_once, hire
from tests.support.deskwork import ABEL, BETH, PEOPLE, VERA, Office
from tests.support.service import telling

T = TypeVar("T")


def desk_over(office: Office, database: Database) -> Desk:
    """The office's desk over another connection to its database."""
    return replace(office.desk, shell=replace(office.desk.shell, database=database))


def insisting(act: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What an act comes to; where the database was too busy to say, it is asked again, as a page would be."""
    while True:
        with suppress(StoreBusy):
            return asyncio.run(act())


def test_of_two_approvers_one_wins_and_one_is_told(office: Office) -> None:
    """Both claim and approve what they see: one approval is kept, the other hears that the case is not theirs."""
    case = office.verified()

    def attempt(database: Database, number: int) -> str:
        desk, by = desk_over(office, database), (ABEL, BETH)[number]

        async def act() -> str:
            try:
                held = await working.claim(desk, case.id, "approve", by)
                return (await approving.approve(desk, case.id, by, office.verdict(held))).state
            except Problem as problem:
                return problem.slug

        return insisting(act)

    assert sorted(at_once(office.service.url, 2, attempt)) == ["approved", "not-held"]
    assert len(office.look(lambda connection: store.approvals_of(connection, case.id))) == 1


def test_of_one_approver_in_two_sessions_one_verdict_counts(office: Office) -> None:
    """The same person approves twice in the same moment: once it goes through, once it is too late."""
    case = office.take(office.verified(), "approve", ABEL)

    def attempt(database: Database, number: int) -> str:
        desk = desk_over(office, database)
        try:
            return insisting(lambda: approving.approve(desk, case.id, ABEL, office.verdict(case))).state
        except Problem as problem:
            return problem.slug

    results = sorted(at_once(office.service.url, 2, attempt))
    assert results[0] == "approved"
    assert results[1] in {"not-held", "stale-version", "separation-of-duties"}
    assert len(office.look(lambda connection: store.approvals_of(connection, case.id))) == 1


def test_documents_looked_at_at_once_complete_the_case_once(office: Office) -> None:
    """Two workers end with the last two documents in the same moment: both findings are kept, and the clock begins."""
    case = office.accepted()
    rows = []
    for wanted in office.standing(case.id).wanted:
        document_id = office.send(case, wanted.kind, wanted.person_ref).json()["document_id"]
        with office.service.database.transaction() as connection:
            for state in ("quarantined", "clean"):
                found = store.get_document(connection, document_id)
                assert found is not None
                assert store.change_document(connection, document_id, found.state, {"state": state}) is not None
            row = store.get_document(connection, document_id)
            assert row is not None
            rows.append(row)
    read = canonical_bytes({"says": "Read.", "found": []}).decode()
    checked = Checked((store.NewCheck("fields", "pass", 9_900, read),), True, "clean")

    def attempt(database: Database, number: int) -> str:
        desk, document = desk_over(office, database), rows[number]
        return insisting(
            lambda: desk.shell.database.write(lambda connection: reading.keep(desk, connection, document, checked))
        ).state

    assert sorted(at_once(office.service.url, 2, attempt)) == ["open", "waiting"]
    events = [each.event for each in office.standing(case.id).events]
    assert (events.count("document_checked"), events.count("complete")) == (2, 1)


def test_notes_written_at_once_are_all_kept(office: Office) -> None:
    """A note needs no version: six people write in the same moment, and nobody is told to do it again."""
    case = office.complete()

    def attempt(database: Database, number: int) -> int:
        desk = desk_over(office, database)
        return insisting(lambda: working.note(desk, case.id, BETH, f"Note {number}.")).version

    versions = at_once(office.service.url, 6, attempt)
    assert sorted(versions) == [case.version + number for number in range(1, 7)]


def test_a_tick_and_an_act_at_once_leave_one_truth(office: Office) -> None:
    """The clock raises an alert while its holder acts: whoever is second is told or comes again."""
    case = office.take(office.complete())
    office.clock.advance(12 * 3_600 - working.LEASE.total_seconds() + 1)
    case = office.take(case)

    def attempt(database: Database, number: int) -> str:
        desk = desk_over(office, database)
        if number == 0:
            return str(insisting(lambda: tick(desk)))
        try:
            return insisting(lambda: working.release(desk, case.id, VERA)).state
        except Problem as problem:
            return problem.slug

    office.clock.advance(working.LEASE.total_seconds() - 1)
    at_once(office.service.url, 2, attempt)
    office.do(tick(office.desk))
    after = office.case(case.id)
    assert (after.state, after.owner, after.alerted_hours) == ("open", None, 12)
    assert [each.event for each in office.standing(case.id).events].count("alert") == 1


# -- the second approver --------------------------------------------------------------------------------------


def test_the_second_approver_sees_exactly_what_the_first_saw(url: str) -> None:
    """Where the second changes the content (a lower line), the first one's approval counts no more: two again."""
    with telling(url, STRONG) as service:
        office = Office.of(service)
        first = office.approved(office.verified(STRONG), ABEL)
        seen = first.content_sha256
        held = office.take(first, "approve", BETH)
        assert held.content_sha256 == seen
        other = office.verdict(held, content_sha256="0" * 64)
        assert office.refused(approving.approve(office.desk, held.id, BETH, other)) == "stale-version"
        lower = office.verdict(held, limit_cents=held.limit_cents - 1_000_000, reason="R20")
        after = office.do(approving.approve(office.desk, held.id, BETH, lower))
        assert (after.state, after.content_sha256 == seen) == ("verified", False)
        assert after.limit_cents > office.desk.policy().verification.second_approver_above_cents
        assert office.refused(working.claim(office.desk, after.id, "approve", BETH)) == "not-held"
        assert office.approved(after, ABEL).state == "approved"
        given = office.look(lambda connection: store.approvals_of(connection, held.id))
        assert sorted((each.staff_id, each.content_sha256 == seen) for each in given) == [
            (ABEL.id, False), (ABEL.id, True), (BETH.id, False),
        ]  # fmt: skip


def test_who_approved_is_not_given_the_same_content_again(url: str) -> None:
    """Not by reassignment either: the case is for somebody else."""
    with telling(url, STRONG) as service:
        office = Office.of(service)
        with service.database.transaction() as connection:
            hire(connection, "stf_carl")
        held = office.take(office.approved(office.verified(STRONG), ABEL), "approve", BETH)
        for to in (ABEL.id, VERA.id):
            act = working.reassign(office.desk, held.id, BETH, to, "Please.")
            assert office.refused(act) == "separation-of-duties"
        assert office.do(working.reassign(office.desk, held.id, BETH, "stf_carl", "Please.")).owner == "stf_carl"


def test_a_case_that_nobody_holds_is_not_reassigned(lone_office: Office) -> None:
    """It is not-now, whoever it would be given to."""
    case = lone_office.complete()
    for to in PEOPLE:
        assert lone_office.refused(working.reassign(lone_office.desk, case.id, BETH, to.id, "")) == "not-now"


def test_a_long_history_is_read_to_its_end(lone_office: Office) -> None:
    """After six hundred notes a waiver still counts, and so does a document that is asked for."""
    case = lone_office.accepted()
    with lone_office.service.database.transaction() as connection:
        for number in range(600):
            event = store.NewCaseEvent("note", BETH.id, "verifier", lone_office.clock(), {"words": str(number)})
            store.change_case(connection, case.id, None, {}, event)
    case = lone_office.case(case.id)
    case = lone_office.do(
        working.waive(lone_office.desk, case.id, case.version, VERA, "bank_account_proof", "Known", "")
    )
    assert lone_office.standing(case.id).waivers == 1
    assert len(lone_office.standing(case.id).events) == case.version
