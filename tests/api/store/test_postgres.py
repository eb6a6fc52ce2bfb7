"""PostgreSQL: away, hanging, lost in COMMIT, in conflict - each has its answer, in time."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from api.store import queries
from api.store.database import Database, Limits, parse
from api.store.errors import InFlight, OutcomeUnknown, StoreBusy, StoreUnavailable
from api.store.postgres import Circuit, Door, PostgresDatabase
from tests.support.postgres import free_port
from tests.support.records import NOON, a_claim, a_decision, a_record, recording

pytestmark = pytest.mark.postgres
COUNT = text("SELECT count(*) FROM decision")


@pytest.fixture
def store(postgres_url: str) -> Iterator[PostgresDatabase]:
    """A migrated PostgreSQL database, opened."""
    with Database.open(postgres_url) as opened:
        assert isinstance(opened, PostgresDatabase)
        yield opened


def _count(connection: Connection) -> int:
    return int(connection.execute(COUNT).scalar_one())


def _kill(url: str, pid: int) -> None:
    """End a session from outside, as a network that breaks or an operator does, and wait until it is gone."""
    engine = create_engine(parse(url))
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    engine.dispose()


def _pid(connection: Connection) -> int:
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


async def _timed(call: Any) -> tuple[str, float]:
    began = time.monotonic()
    try:
        await call
    except Exception as error:
        return type(error).__name__, time.monotonic() - began
    return "", time.monotonic() - began


@contextmanager
def _deaf_port() -> Iterator[int]:
    """A port that takes connections and never says a word, as a server does that hangs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield listener.getsockname()[1]


@contextmanager
def _nobody() -> Iterator[int]:
    yield free_port()


@pytest.mark.parametrize("away", [_nobody, _deaf_port])
def test_a_server_that_is_away_is_told_of_within_300_ms(away: Any) -> None:
    """Of 100 calls at once each is told so within 300 ms; nothing is said when opening."""

    async def all_at_once(store: Database) -> list[tuple[str, float]]:
        return await asyncio.gather(*(_timed(store.write(_count)) for _ in range(100)))

    with away() as port, Database.open(f"postgresql://postgres@127.0.0.1:{port}/postgres") as store:
        answers = asyncio.run(all_at_once(store))
        assert {name for name, _ in answers} == {"StoreUnavailable"}
        assert max(seconds for _, seconds in answers) < 0.3
        began = time.monotonic()
        with pytest.raises(StoreUnavailable), store.transaction():
            pass
        assert time.monotonic() - began < 0.3


@pytest.mark.parametrize("answer", [b"N", b"?"])
def test_all_who_come_while_one_asks_share_the_answer(answer: bytes) -> None:
    """Ten who knock while the first one's question is open cost the server one connection, and all hear the answer."""
    heard: list[bool] = []

    def knock(door: Door) -> None:
        try:
            door.knock()
            heard.append(True)
        except OSError:
            heard.append(False)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        door = Door(listener.getsockname(), timeout_s=5)
        callers = [threading.Thread(target=knock, args=(door,)) for _ in range(10)]
        callers[0].start()
        connection, _ = listener.accept()  # the first one's question is open now
        with connection:
            for caller in callers[1:]:
                caller.start()
            asked: Any = door._asked
            while len(asked._condition._waiters) < 9:  # else one might come after the answer, and rightly ask again
                time.sleep(0.001)
            connection.sendall(answer)
            for caller in callers:
                caller.join(5)
        assert heard == [answer == b"N"] * 10
        listener.settimeout(0.05)
        with pytest.raises(TimeoutError):
            listener.accept()  # nobody else came to the server


def test_while_resting_nobody_tries_and_then_one_does() -> None:
    """After a failure all are refused, after the rest one goes through, and on success all do."""
    circuit = Circuit(rest_s=0.05)
    circuit.admit()
    circuit.trip()
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            circuit.admit()
    time.sleep(0.06)
    circuit.refuse_while_resting()
    circuit.admit()
    with pytest.raises(StoreUnavailable):
        circuit.admit()
    circuit.reset()
    circuit.admit()
    circuit.admit()


def test_a_server_that_comes_back_is_used_again(postgres_url: str) -> None:
    """After a failed connection the next try, half a second later, succeeds without opening anew."""
    with Database.open(postgres_url) as store:
        assert isinstance(store, PostgresDatabase)
        store._circuit.trip()
        with pytest.raises(StoreUnavailable):
            asyncio.run(store.read(_count))
        time.sleep(0.55)
        assert asyncio.run(store.read(_count)) == 0
        assert asyncio.run(store.read(_count)) == 0


def test_a_connection_that_died_in_the_pool_is_replaced_unseen(store: PostgresDatabase, postgres_url: str) -> None:
    """A function that finds its connection dead before COMMIT is run again on a fresh one."""
    _kill(postgres_url, asyncio.run(store.read(_pid)))
    assert asyncio.run(store.read(_count)) == 0
    _kill(postgres_url, asyncio.run(store.read(_pid)))
    done = asyncio.run(store.write(recording(a_record())))
    assert isinstance(done, queries.Recorded)
    assert asyncio.run(store.read(_count)) == 1


def test_a_connection_lost_in_commit_has_an_unknown_outcome_that_the_key_resolves(
    store: PostgresDatabase, postgres_url: str
) -> None:
    """The session ends between the last row and COMMIT: unknown, not run again, and the key finds out."""
    record = a_record(claim=a_claim())
    runs: list[int] = []

    def work(connection: Connection) -> queries.RecordResult:
        runs.append(1)
        result = queries.record_decision(connection, record)
        _kill(postgres_url, _pid(connection))
        return result

    with pytest.raises(OutcomeUnknown):
        asyncio.run(store.write(work))
    assert len(runs) == 1
    again = asyncio.run(store.write(recording(record)))
    assert isinstance(again, queries.Recorded | queries.Replayed)
    assert asyncio.run(store.read(_count)) == 1
    assert not store.broken


def test_a_key_that_is_being_worked_on_is_in_flight(store: PostgresDatabase) -> None:
    """A second transaction waits for the first 250 ms and no longer; once that has ended, it replays."""

    async def collide() -> None:
        hold, claimed = threading.Event(), threading.Event()

        def slow(connection: Connection) -> queries.RecordResult:
            result = queries.record_decision(connection, a_record(claim=a_claim()))
            claimed.set()
            hold.wait(10)
            return result

        first = asyncio.ensure_future(store.write(slow))
        await asyncio.to_thread(claimed.wait, 10)
        began = time.monotonic()
        with pytest.raises(InFlight):
            await store.write(recording(a_record(claim=a_claim())))
        assert 0.2 < time.monotonic() - began < 1.0
        hold.set()
        assert isinstance(await first, queries.Recorded)
        again = await store.write(recording(a_record(claim=a_claim())))
        assert isinstance(again, queries.Replayed)

    asyncio.run(collide())


def test_a_second_one_that_waits_gets_the_first_ones_reply(store: PostgresDatabase) -> None:
    """When the first ends within the lock's time limit, the second has its reply without asking again."""

    async def collide() -> None:
        claimed = threading.Event()

        def slow(connection: Connection) -> queries.RecordResult:
            result = queries.record_decision(connection, a_record(claim=a_claim()))
            claimed.set()
            time.sleep(0.1)
            return result

        first = asyncio.ensure_future(store.write(slow))
        await asyncio.to_thread(claimed.wait, 10)
        second = await store.write(recording(a_record(claim=a_claim())))
        done = await first
        assert isinstance(done, queries.Recorded)
        assert isinstance(second, queries.Replayed)
        assert second.earlier.reply == done.reply

    asyncio.run(collide())


def test_deadlocks_are_tried_again(postgres_url: str) -> None:
    """Two functions that take two rows in opposite order both end well: the one rolled back runs again."""
    with Database.open(postgres_url, Limits(lock_ms=5_000)) as store:
        with store.transaction() as connection:
            for name in ("a", "b"):
                queries.add_message(connection, queries.NewMessage("t", "dec_1", name), NOON)
        barrier = threading.Barrier(2)
        runs: list[str] = []

        def crossing(order: str) -> Any:
            def work(connection: Connection) -> None:
                runs.append(order)
                bump = text("UPDATE outbox SET attempts = attempts + 1 WHERE dedupe = :name")
                connection.execute(bump, {"name": order[0]})
                if len(runs) <= 2:
                    barrier.wait(5)
                connection.execute(bump, {"name": order[1]})

            return work

        async def both() -> None:
            await asyncio.gather(store.write(crossing("ab")), store.write(crossing("ba")))

        asyncio.run(both())
        assert len(runs) >= 3
        with store.transaction(read_only=True) as connection:
            assert [each.attempts for each in queries.due_messages(connection, NOON)] == [2, 2]


def test_a_conflict_that_stays_is_given_up_after_three_tries(store: PostgresDatabase) -> None:
    """A function that always ends in a serialization failure is run three times and is then busy."""
    runs: list[int] = []

    def work(connection: Connection) -> None:
        runs.append(1)
        connection.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$"))

    with pytest.raises(StoreBusy):
        asyncio.run(store.write(work))
    assert len(runs) == 3


def test_a_statement_that_takes_too_long_is_cut(postgres_url: str) -> None:
    """The statement's time limit ends it as busy, and the connection serves the next function."""
    with Database.open(postgres_url, Limits(statement_ms=100)) as store:
        with pytest.raises(StoreBusy):
            asyncio.run(store.write(lambda c: c.execute(text("SELECT pg_sleep(5)")).scalar()))
        assert asyncio.run(store.read(_count)) == 0


def test_sessions_have_every_limit(store: PostgresDatabase) -> None:
    """Requests get tight limits, commands wider ones for their transaction; commits wait for the disk."""

    def settings(connection: Connection) -> list[str]:
        names = (
            "synchronous_commit",
            "statement_timeout",
            "lock_timeout",
            "idle_in_transaction_session_timeout",
        )
        return [connection.execute(text(f"SHOW {name}")).scalar_one() for name in names]

    assert asyncio.run(store.read(settings)) == ["on", "5s", "250ms", "2s"]
    with store.transaction() as connection:
        assert settings(connection) == ["on", "1min", "250ms", "10min"]
    assert asyncio.run(store.write(settings)) == ["on", "5s", "250ms", "2s"]


def test_reading_cannot_write(store: PostgresDatabase) -> None:
    """A function handed to `read` that writes is refused, and the same connection writes afterwards."""
    with pytest.raises(DBAPIError, match="read-only"):
        asyncio.run(store.read(recording(a_record())))
    assert isinstance(asyncio.run(store.write(recording(a_record()))), queries.Recorded)


def test_a_constraint_that_commit_refuses_is_an_error_and_not_unknown(store: PostgresDatabase) -> None:
    """A deferred constraint is answered by COMMIT with a rollback: that is certain, and says so."""
    with store.transaction() as connection:
        connection.execute(text("CREATE TABLE parent (id int PRIMARY KEY)"))
        child = "CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)"
        connection.execute(text(child))
    with pytest.raises(DBAPIError, match="violates foreign key"):
        asyncio.run(store.write(lambda c: c.execute(text("INSERT INTO child VALUES (1)")).rowcount))


def test_a_full_queue_refuses_at_once(postgres_url: str) -> None:
    """One more than the limit is told that it is busy, and the places come back."""

    async def crowd(store: Database) -> None:
        hold = threading.Event()
        first = [asyncio.ensure_future(store.write(lambda c: hold.wait(10))) for _ in range(2)]
        await asyncio.sleep(0.05)
        with pytest.raises(StoreBusy):
            await store.write(_count)
        hold.set()
        await asyncio.gather(*first)
        assert await store.write(_count) == 0

    with Database.open(postgres_url, Limits(queue=2)) as store:
        asyncio.run(crowd(store))


def test_decisions_written_in_parallel_make_one_chain(store: PostgresDatabase) -> None:
    """200 records from eight connections leave 200 entries without a gap."""

    async def many() -> None:
        records = [a_record(a_decision(abn=f"519{n:08d}"), claim=a_claim(f"key-{n:016d}")) for n in range(200)]
        await asyncio.gather(*(store.write(recording(record)) for record in records))

    asyncio.run(many())
    with store.transaction(read_only=True) as connection:
        assert queries.verify_audit(connection) is None
        assert [row.audit_seq for row in queries.decisions_since(connection)] == list(range(1, 201))
