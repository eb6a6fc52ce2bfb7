"""An application taken in has one holder at a time, and only the newest of them can finish it."""

import asyncio
import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from api.store import queries
from api.store.database import Database
from api.store.errors import InFlight
from api.store.queries import IntakeRow, NewApplication, NewIntake, NewPerson
from api.store.queries.intake import ATTEMPTS_MAX
from tests.support.records import ABN, NOON, a_claim, a_decision, a_record, digest_of

LEASE = timedelta(seconds=2)
LATER = NOON + LEASE
NONE = timedelta(0)
CLAIM = a_claim()
ROUTE, KEY, CALLER = CLAIM.route, CLAIM.key, CLAIM.caller_id


def new(owner: str, **changes: object) -> NewIntake:
    """An application to be kept for this owner."""
    made = NewIntake(CALLER, ROUTE, KEY, CLAIM.fingerprint, b"what came with it", owner, LEASE)
    return replace(made, **changes)  # type: ignore[arg-type]


def take(
    connection: Connection, owner: str, at: datetime = NOON, number: int = 1, **changes: object
) -> IntakeRow | None:
    """Take one in."""
    application = NewApplication(f"app_{number}", CALLER, at, ABN, b"{}", "api")
    person = NewPerson(f"per_{number}", "owner", "{}")
    return queries.take_in(connection, new(owner, **changes), application, (person,))


def finish(connection: Connection, owner: str, at: datetime = LATER) -> None:
    """Finish it."""
    queries.finish_intake(connection, CALLER, ROUTE, KEY, owner, at)


def found(connection: Connection) -> IntakeRow:
    """The row of the key."""
    row = queries.find_intake(connection, CALLER, ROUTE, KEY)
    assert row is not None
    return row


def test_what_is_taken_in_is_found_under_its_key(database: Database) -> None:
    """Application, people and row are there, held by their owner until the lease ends; another key has nothing."""
    with database.transaction() as connection:
        assert take(connection, "own_1") is None
        row = found(connection)
        assert queries.find_intake(connection, CALLER, ROUTE, "another-key:0000001") is None
        assert queries.get_application(connection, "app_1") is not None
        assert [person.ref for person in queries.people_of(connection, "app_1")] == ["per_1"]
    assert row == IntakeRow(
        CALLER, ROUTE, KEY, CLAIM.fingerprint, "app_1", NOON, b"what came with it", "own_1", LATER, 1, None
    )
    assert (row.is_held(NOON), row.is_held(LATER)) == (True, False)


def test_a_key_is_in_flight_until_its_lease_ends(database: Database) -> None:
    """Before that InFlight, and nothing is written; then the next owner has it, with the first one's application."""
    with database.transaction() as connection:
        take(connection, "own_1")
    with pytest.raises(InFlight), database.transaction() as connection:
        take(connection, "own_2", LATER - timedelta(microseconds=1), 2)
    with database.transaction() as connection:
        row = take(connection, "own_2", LATER, 2)
        assert row is not None
        assert (row.application_id, row.body) == ("app_1", b"what came with it")
        held = found(connection)
        assert (held.owner, held.lease_until, held.attempts) == ("own_2", LATER + LEASE, 2)
        assert queries.get_application(connection, "app_2") is None


def test_another_fingerprint_is_given_back_untouched(database: Database) -> None:
    """Whoever asks with another body gets the row to compare, at any time, and changes nothing."""
    with database.transaction() as connection:
        take(connection, "own_1")
        before = found(connection)
        for at in (NOON, LATER):
            assert take(connection, "own_2", at, 2, fingerprint=digest_of("another")) == before
        finish(connection, "own_1")
        other = take(connection, "own_2", LATER, 2, fingerprint=digest_of("another"))
        assert other == found(connection)
        assert queries.get_application(connection, "app_2") is None


def test_only_the_newest_owner_finishes(database: Database) -> None:
    """Who was replaced cannot; who holds it can, once; then its body is gone and the time is noted."""
    with database.transaction() as connection:
        take(connection, "own_1")
        take(connection, "own_2", LATER, 2)
        with pytest.raises(InFlight):
            finish(connection, "own_1")
        finish(connection, "own_2")
        assert (found(connection).done_at, found(connection).body) == (LATER, None)
        with pytest.raises(InFlight):
            finish(connection, "own_2")


def test_who_lets_go_need_not_be_waited_for(database: Database) -> None:
    """After a release the next takes over at once; a release by who was replaced changes nothing."""
    with database.transaction() as connection:
        take(connection, "own_1")
        queries.release_intake(connection, CALLER, ROUTE, KEY, "own_1", NOON)
        assert take(connection, "own_2", NOON, 2) is not None
        queries.release_intake(connection, CALLER, ROUTE, KEY, "own_1", NOON)
        with pytest.raises(InFlight):
            take(connection, "own_3", NOON, 3)


def test_one_that_is_decided_is_never_taken_again(database: Database) -> None:
    """Its reply is there under the key: InFlight sends the request back to look."""
    with database.transaction() as connection:
        take(connection, "own_1")
        record = a_record(a_decision(id="dec_x", application_id="app_1"), claim=CLAIM, application=None, people=())
        queries.record_decision(connection, record)
        finish(connection, "own_1", NOON)
        with pytest.raises(InFlight):
            take(connection, "own_2", LATER, 2)
        assert found(connection).done_at == NOON


def test_one_that_ended_undecided_begins_anew(database: Database) -> None:
    """The next owner has the same application, and what came with this request."""
    with database.transaction() as connection:
        take(connection, "own_1")
        finish(connection, "own_1", NOON)
        row = take(connection, "own_2", LATER, 2, body=b"what came again")
        assert row is not None
        assert (row.application_id, row.body) == ("app_1", b"what came again")
        held = found(connection)
        assert (held.owner, held.body, held.done_at, held.attempts) == ("own_2", b"what came again", None, 1)
        with pytest.raises(InFlight):
            take(connection, "own_3", LATER, 3)


def test_the_longest_lapsed_is_taken_over_first(database: Database) -> None:
    """Only after patience, once each, and never one that is done."""
    with database.transaction() as connection:
        for number, seconds in ((1, 3), (2, 1), (3, 2), (4, 0)):
            take(connection, f"own_{number}", NOON + timedelta(seconds=seconds), number, key=f"key-{number:015d}")
        queries.finish_intake(connection, CALLER, ROUTE, f"key-{4:015d}", "own_4", LATER)

        def over(at: datetime, patience: timedelta = NONE) -> str | None:
            row = queries.take_over_lapsed(connection, at, "own_c", timedelta(hours=1), patience)
            return row.application_id if row else None

        late = LATER + timedelta(seconds=10)
        assert over(LATER + timedelta(seconds=1)) is None
        assert over(late, timedelta(seconds=9)) is None
        assert [over(late) for _ in range(4)] == ["app_2", "app_3", "app_1", None]


def test_after_twenty_attempts_only_the_caller_may_try(database: Database) -> None:
    """The completer takes it nineteen times after the first, and no more; a request with the key takes it still."""
    with database.transaction() as connection:
        take(connection, "own_1")
        for attempt in range(2, ATTEMPTS_MAX + 1):
            at = NOON + timedelta(minutes=attempt)
            row = queries.take_over_lapsed(connection, at, f"own_{attempt}", LEASE, NONE)
            assert row is not None
        late = NOON + timedelta(hours=1)
        assert queries.take_over_lapsed(connection, late, "own_c", LEASE, NONE) is None
        assert take(connection, "own_r", late, 2) is not None


def test_a_done_row_holds_no_body(database: Database) -> None:
    """The database refuses one that is done and still holds what was uploaded."""
    with database.transaction() as connection:
        take(connection, "own_1")
    with pytest.raises(IntegrityError), database.transaction() as connection:
        connection.execute(text("UPDATE intake SET done_at = 1"))


def test_twenty_first_ones_at_once_keep_one_application(database: Database) -> None:
    """All find nothing at the same moment: one is taken in, the others hear that it is in flight, and leave nothing."""

    async def all_at_once() -> list[object]:
        def work(number: int) -> object:
            return database.write(lambda connection: take(connection, f"own_{number}", NOON, number))

        return await asyncio.gather(*(work(number) for number in range(20)), return_exceptions=True)  # type: ignore[call-overload, no-any-return]

    ends = asyncio.run(all_at_once())
    assert [end for end in ends if not isinstance(end, InFlight)] == [None]
    with database.transaction(read_only=True) as connection:
        counted = [connection.execute(text(f"SELECT count(*) FROM {t}")).scalar() for t in ("application", "intake")]
    assert counted == [1, 1]


@pytest.mark.postgres
@pytest.mark.parametrize("again", [False, True], ids=["first", "lapsed"])
def test_a_key_that_another_transaction_holds_is_in_flight(postgres_url: str, again: bool) -> None:
    """On PostgreSQL a row that is being written elsewhere is waited for 250 ms, and is then in flight."""
    with Database.open(postgres_url) as database:
        if again:
            with database.transaction() as connection:
                take(connection, "own_0")

        async def collide() -> None:
            hold, held = threading.Event(), threading.Event()

            def slow(connection: Connection) -> None:
                take(connection, "own_1", LATER, 1)
                held.set()
                hold.wait(10)

            first = asyncio.ensure_future(database.write(slow))
            await asyncio.to_thread(held.wait, 10)
            with pytest.raises(InFlight):
                await database.write(lambda connection: take(connection, "own_2", LATER, 2))
            hold.set()
            await first

        asyncio.run(collide())
        with database.transaction(read_only=True) as connection:
            assert found(connection).owner == "own_1"
