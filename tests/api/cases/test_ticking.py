"""What time does by itself: alerts once each, escalation before anything is late, expiry, on the clock of the case."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from api.cases import reading, ticking, working
from api.cases.acts import started
from api.store import queries as store
from api.store.queries import ALERT_HOURS
from tests.support.deskwork import DIRECTOR, VERA, Office
from tests.support.service import telling

HOUR = 3_600.0


def alerts(office: Office, case_id: str) -> list[int]:
    """The alerts of a case so far."""
    return [each.details["hours"] for each in office.standing(case_id).events if each.event == "alert"]


def wait(office: Office, hours: float) -> None:
    """Let time pass, and the worker tick twice: the second tick finds nothing."""
    office.clock.advance(hours * HOUR)
    office.do(ticking.tick(office.desk))
    assert office.do(ticking.tick(office.desk)) == 0


def test_each_mark_is_told_once(office: Office) -> None:
    """2 hours untouched, 12, 18, 22 and 24: an event and a notice each, and eyes above from 18 on."""
    case = office.complete()
    passed = 0.0
    for place, mark in enumerate(ALERT_HOURS):
        wait(office, mark - passed - 0.01)
        assert alerts(office, case.id) == list(ALERT_HOURS[:place])
        assert office.case(case.id).escalated == (mark > 18)
        wait(office, 0.01)
        assert alerts(office, case.id) == list(ALERT_HOURS[: place + 1])
        assert office.case(case.id).escalated == (mark >= 18)
        passed = mark
    wait(office, 100)
    assert alerts(office, case.id) == list(ALERT_HOURS)
    topics = office.look(
        lambda connection: connection.execute(text("SELECT count(*) FROM outbox WHERE body LIKE '%case.warning%'"))
    ).scalar_one()
    assert topics >= len(ALERT_HOURS)


def test_a_case_that_somebody_had_is_not_told_as_untouched(lone_office: Office) -> None:
    """Once claimed, the first alert is that of 12 hours."""
    case = lone_office.take(lone_office.complete())
    lone_office.do(working.release(lone_office.desk, case.id, VERA))
    wait(lone_office, 11)
    assert alerts(lone_office, case.id) == []
    wait(lone_office, 1)
    assert alerts(lone_office, case.id) == [12]


def test_nothing_is_told_while_the_applicant_is_waited_for(lone_office: Office) -> None:
    """The clock of a returned document stands; it goes on where it stood."""
    case = lone_office.take(lone_office.complete())
    wait(lone_office, 0.2)
    case = lone_office.do(
        working.request(lone_office.desk, case.id, case.version, VERA, "bank_account_proof", None, "One more.")
    )
    wait(lone_office, 60)
    assert alerts(lone_office, case.id) == []
    lone_office.hand_in(case)
    wait(lone_office, 11.7)
    assert alerts(lone_office, case.id) == []
    wait(lone_office, 0.2)
    assert alerts(lone_office, case.id) == [12]


def test_a_clock_that_is_set_back_tells_nothing_twice(office: Office) -> None:
    """What was raised stays raised; nothing is raised again when the hour comes a second time."""
    case = office.complete()
    wait(office, 18.5)
    wait(office, -3)
    wait(office, 3)
    assert alerts(office, case.id) == [18]
    assert office.case(case.id).escalated


def test_an_offer_runs_out_only_on_the_applicant(office: Office) -> None:
    """A waiting case expires with its offer; one in the queue does not, nor one whose document was not looked at."""
    waiting, queued = office.accepted(), office.complete(None, {**DIRECTOR, "family_name": "Other"})
    sent = office.accepted(None, {**DIRECTOR, "family_name": "Third"})
    document_id = office.send(sent, "bank_account_proof").json()["document_id"]
    office.clock.advance(31 * 24 * HOUR)
    office.do(ticking.tick(office.desk))
    assert office.case(waiting.id).state == "expired"
    assert (office.case(queued.id).state, office.case(sent.id).state) == ("open", "waiting")
    office.found(document_id)
    office.do(ticking.tick(office.desk))
    assert office.case(sent.id).state == "expired"


def test_a_held_lease_is_freed_and_the_document_of_a_dead_worker_settled(office: Office) -> None:
    """Five workers died over one file: it is refused, the applicant is asked for another, nothing waits for ever."""
    case = office.accepted()
    document_id = office.send(case, "bank_account_proof").json()["document_id"]
    for _ in range(5):
        with office.service.database.transaction() as connection:
            assert store.claim_document(connection, office.clock(), reading.LEASE) is not None
        office.clock.advance(reading.LEASE.total_seconds() + 1)
    assert office.do(reading.look_at_next(office.desk, office.service.state.intray))
    document = office.look(lambda connection: store.get_document(connection, document_id))
    assert document is not None
    assert (document.state, document.reason) == ("rejected", reading.UNUSABLE)
    assert not office.do(reading.look_at_next(office.desk, office.service.state.intray))


def test_a_clean_file_that_nobody_could_read_goes_to_people(lone_office: Office) -> None:
    """It was found harmless before its checks took down five workers: people get it, unread."""
    case = lone_office.hand_in(lone_office.accepted(), "identity")
    document_id = lone_office.send(case, "bank_account_proof").json()["document_id"]
    with lone_office.service.database.transaction() as connection:
        for state in ("quarantined", "clean"):
            found = store.get_document(connection, document_id)
            assert found is not None
            store.change_document(connection, document_id, found.state, {"state": state, "attempts": 5})
    assert lone_office.do(reading.look_at_next(lone_office.desk, lone_office.service.state.intray))
    checks = lone_office.look(lambda connection: store.checks_of(connection, document_id))
    assert [each.verdict for each in checks] == ["unread"]
    assert lone_office.case(case.id).state == "open"


def test_a_late_worker_does_not_end_anothers_lease(lone_office: Office) -> None:
    """Its lease lapsed and another took the document over: what it finds out then changes nothing."""
    lone_office.send(lone_office.accepted(), "bank_account_proof")
    claimed = []
    for _ in range(2):
        with lone_office.service.database.transaction() as connection:
            claimed.append(store.claim_document(connection, lone_office.clock(), reading.LEASE))
        lone_office.clock.advance(reading.LEASE.total_seconds() + 1)
    late, now = claimed
    assert late is not None
    assert now is not None
    lone_office.do(reading._wait(lone_office.desk, late))
    assert lone_office.look(lambda connection: store.get_document(connection, late.id)) == now


@pytest.mark.postgres
def test_a_case_that_cannot_be_moved_keeps_no_other_from_being_told(postgres_url: str) -> None:
    """Somebody holds the most urgent case's row for long: the next one is escalated all the same."""
    with telling(postgres_url) as service:
        office = Office.of(service)
        first = office.complete()
        office.clock.advance(60)
        second = office.complete(None, {**DIRECTOR, "family_name": "Other"})
        office.clock.advance(19 * HOUR)
        with service.database.transaction() as connection:
            store.hold_case(connection, first.id)
            office.do(ticking.tick(office.desk))
        assert (alerts(office, first.id), alerts(office, second.id)) == ([], [18])
        office.do(ticking.tick(office.desk))
        assert alerts(office, first.id) == [18]


def test_twenty_four_hours_are_elapsed_ones_in_any_zone() -> None:
    """The clocks of Sydney go forward at 2:00 on 4 October 2026: from 20:00 the promise ends at 21:00 the next day."""
    sydney = ZoneInfo("Australia/Sydney")
    change = started(datetime(2026, 10, 3, 20, tzinfo=sydney))
    due_at = change["due_at"]
    assert due_at is not None
    assert due_at.astimezone(sydney) == datetime(2026, 10, 4, 21, tzinfo=sydney)
    assert due_at.utcoffset() == datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")).utcoffset()
