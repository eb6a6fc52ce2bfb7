"""SQLite's writer: shared commits, separate fates, no lost updates, and a right answer to every failure."""

import asyncio
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from api.store import queries
from api.store.database import Database, Limits
from api.store.errors import OutcomeUnknown, StorageFull, StoreBusy, StoreUnavailable
from api.store.sqlite import SqliteDatabase
from api.store.sqlite_file import engine_of, secure_file
from api.zone import SYDNEY
from tests.support.records import NOON, a_claim, a_decision, a_record, recording

INSERT = text("INSERT INTO outbox (at, topic, object_id, body, attempts, next_at, dedupe) VALUES (0,'','','',0,0,:d)")


@pytest.fixture
def store(sqlite_url: str) -> Iterator[SqliteDatabase]:
    """A migrated SQLite file, opened."""
    with Database.open(sqlite_url) as opened:
        assert isinstance(opened, SqliteDatabase)
        yield opened


def _insert(name: str) -> Any:
    return lambda connection: connection.execute(INSERT, {"d": name}).rowcount


def _rows(connection: Connection) -> int:
    return int(connection.execute(text("SELECT count(*) FROM outbox")).scalar_one())


def _commits(store: SqliteDatabase) -> list[int]:
    seen: list[int] = []
    event.listen(store.writer, "commit", lambda connection: seen.append(1))
    return seen


def _held(hold: threading.Event) -> Any:
    def work(connection: Connection) -> None:
        hold.wait(10)

    return work


async def _behind_one(store: SqliteDatabase, *works: Any) -> list[Any]:
    """Let functions gather behind one that waits, and run them."""
    hold = threading.Event()
    first = asyncio.ensure_future(store.write(_held(hold)))
    await asyncio.sleep(0.05)
    others = [asyncio.ensure_future(store.write(work)) for work in works]
    await asyncio.sleep(0.05)
    hold.set()
    await first
    return await asyncio.gather(*others, return_exceptions=True)


def test_functions_that_wait_together_commit_together(store: SqliteDatabase) -> None:
    """Of 32 that gather behind one, all are kept by a single commit; of 33, by two."""
    commits = _commits(store)
    assert asyncio.run(_behind_one(store, *(_insert(f"a{n}") for n in range(32)))) == [1] * 32
    assert len(commits) == 2
    commits.clear()
    assert asyncio.run(_behind_one(store, *(_insert(f"b{n}") for n in range(33)))) == [1] * 33
    assert len(commits) == 3
    assert asyncio.run(store.read(_rows)) == 65


def test_many_tasks_share_commits_without_being_arranged(store: SqliteDatabase) -> None:
    """32 tasks that write ten times each need far fewer than 320 commits."""
    commits = _commits(store)

    async def task(number: int) -> None:
        for turn in range(10):
            await store.write(_insert(f"{number}:{turn}"))

    async def tasks() -> None:
        await asyncio.gather(*(task(number) for number in range(32)))

    asyncio.run(tasks())
    assert asyncio.run(store.read(_rows)) == 320
    assert len(commits) <= 80


def test_one_that_fails_does_not_hurt_the_others(store: SqliteDatabase) -> None:
    """A function that breaks a constraint, or raises after having written, undoes itself and nobody else."""

    def late(connection: Connection) -> None:
        connection.execute(INSERT, {"d": "late"})
        raise LookupError("too late")

    def ended(connection: Connection) -> None:
        next(iter(()))

    def left(connection: Connection) -> None:
        raise SystemExit

    works = [_insert("a"), late, _insert("a"), _insert("b"), ended, left, _insert("c")]
    results = asyncio.run(_behind_one(store, *works))
    kinds = [int, LookupError, IntegrityError, int, RuntimeError, RuntimeError, int]
    assert [type(each) for each in results] == kinds
    assert asyncio.run(store.read(_rows)) == 3


def test_nobody_waits_for_company_who_is_alone(sqlite_url: str) -> None:
    """With a gathering time of a second, a lone function is answered long before."""
    with Database.open(sqlite_url, Limits(gather_ms=1_000)) as store:
        began = time.monotonic()
        asyncio.run(store.write(_insert("a")))
        assert time.monotonic() - began < 0.5


def test_no_update_is_lost(store: SqliteDatabase) -> None:
    """Eight tasks that read and then write fifty times each make 400."""
    with store.transaction() as connection:
        connection.execute(INSERT, {"d": "counter"})

    def increment(connection: Connection) -> None:
        found = connection.execute(text("SELECT next_at FROM outbox")).scalar_one()
        connection.execute(text("UPDATE outbox SET next_at = :n"), {"n": found + 1})

    async def task() -> None:
        for _ in range(50):
            await store.write(increment)

    async def tasks() -> None:
        await asyncio.gather(*(task() for _ in range(8)))

    asyncio.run(tasks())
    with store.transaction(read_only=True) as connection:
        assert connection.execute(text("SELECT next_at FROM outbox")).scalar_one() == 400


def test_no_update_is_lost_between_the_writer_and_commands(store: SqliteDatabase) -> None:
    """Two threads with transactions of their own and the writer thread make 150 together."""
    with store.transaction() as connection:
        connection.execute(INSERT, {"d": "counter"})

    def increment(connection: Connection) -> None:
        found = connection.execute(text("SELECT next_at FROM outbox")).scalar_one()
        connection.execute(text("UPDATE outbox SET next_at = :n"), {"n": found + 1})

    def command() -> None:
        for _ in range(50):
            with store.transaction() as connection:
                increment(connection)

    async def task() -> None:
        for _ in range(50):
            await store.write(increment)

    threads = [threading.Thread(target=command) for _ in range(2)]
    for thread in threads:
        thread.start()
    asyncio.run(task())
    for thread in threads:
        thread.join(30)
    with store.transaction(read_only=True) as connection:
        assert connection.execute(text("SELECT next_at FROM outbox")).scalar_one() == 150


def test_connections_have_every_guard(store: SqliteDatabase) -> None:
    """Write-ahead log, full sync, foreign keys and the rest are on for writing and for reading."""
    expected = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "trusted_schema": 0,
        "cell_size_check": 1,
        "recursive_triggers": 1,
        "busy_timeout": 2_000,
    }
    for engine in (store.writer, store.reader):
        with engine.connect() as connection:
            found = {name: connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in expected}
        assert found == expected


def test_reading_cannot_write(store: SqliteDatabase) -> None:
    """A function handed to `read` that writes is refused by SQLite, and so is a read-only transaction."""
    with pytest.raises(DBAPIError, match="readonly"):
        asyncio.run(store.read(_insert("a")))
    with pytest.raises(DBAPIError, match="readonly"), store.transaction(read_only=True) as connection:
        connection.execute(INSERT, {"d": "a"})


def test_files_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    """The database and its log have mode 0600, also when the file was there with another."""
    os.umask(0o022)
    path = tmp_path / "folder" / "store.sqlite"
    path.parent.mkdir()
    path.touch(mode=0o644)
    assert secure_file(str(path)) == path
    with Database.open(f"sqlite:///{path}") as store:
        asyncio.run(store.write(lambda connection: connection.execute(text("CREATE TABLE t (a)")).rowcount))
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert modes == {"store.sqlite": 0o600, "store.sqlite-wal": 0o600, "store.sqlite-shm": 0o600}


def _failing_commit(store: SqliteDatabase, patch: pytest.MonkeyPatch, at: int, *, kept: bool) -> None:
    """Let COMMIT number `at` report an fsync that failed, with its rows on the disk all the same or not."""
    commit = store.writer.dialect.do_commit
    calls: list[int] = []

    def failing(connection: Any) -> None:
        calls.append(1)
        if len(calls) != at:
            return commit(connection)
        if kept:
            commit(connection)
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    patch.setattr(store.writer.dialect, "do_commit", failing)


@pytest.mark.parametrize("kept", [True, False])
def test_a_failed_commit_has_an_unknown_outcome_that_the_key_resolves(
    sqlite_url: str, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an I/O error in COMMIT the database is out of use; opened again, the key finds the one outcome.

    An fsync that failed is injected at the driver, since no file system here fails on demand.
    """
    record = a_record(a_decision(id="dec_1"), claim=a_claim())
    with Database.open(sqlite_url) as store:
        assert isinstance(store, SqliteDatabase)
        _failing_commit(store, monkeypatch, at=1, kept=kept)
        with pytest.raises(OutcomeUnknown):
            asyncio.run(store.write(recording(record)))
        assert store.broken
        for refused in (store.write(_insert("c")), store.read(_rows)):
            with pytest.raises(StoreUnavailable):
                asyncio.run(refused)
        with pytest.raises(StoreUnavailable), store.transaction():
            pass
    with Database.open(sqlite_url) as store:
        again = asyncio.run(store.write(recording(record)))
        assert isinstance(again, queries.Replayed if kept else queries.Recorded)
        count = text("SELECT count(*) FROM decision")
        assert asyncio.run(store.read(lambda c: c.execute(count).scalar_one())) == 1


def test_a_whole_batch_is_told_of_its_failed_commit(store: SqliteDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """All functions of one batch get OutcomeUnknown, also one that had failed by itself: it may ask again."""
    _failing_commit(store, monkeypatch, at=2, kept=False)
    results = asyncio.run(_behind_one(store, *(_insert(name) for name in "aab")))
    assert [type(each) for each in results] == [OutcomeUnknown] * 3


def test_a_full_disk_is_told_and_reading_goes_on(store: SqliteDatabase) -> None:
    """SQLITE_FULL keeps nothing of the batch, leaves the database in use, and ends when there is room."""
    pages = asyncio.run(store.read(lambda c: int(c.execute(text("PRAGMA page_count")).scalar_one())))

    def limited(connection: Connection) -> None:
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))

    def big(connection: Connection) -> None:
        connection.execute(INSERT, {"d": "x" * 1_000_000})

    asyncio.run(store.write(_insert("before")))
    asyncio.run(store.write(limited))
    results = asyncio.run(_behind_one(store, _insert("a"), big, _insert("b")))
    assert [type(each) for each in results] == [StorageFull] * 3
    assert not store.broken
    assert asyncio.run(store.read(_rows)) == 1
    # The connection was replaced, and with it its limit: there is room again.
    asyncio.run(store.write(big))
    assert asyncio.run(store.read(_rows)) == 2


def test_a_function_that_ends_the_shared_transaction_fails_the_batch(store: SqliteDatabase) -> None:
    """Committing or rolling back is an error of the program: nobody is told that lost rows are kept."""
    for end in (lambda c: c.commit(), lambda c: c.rollback()):
        results = asyncio.run(_behind_one(store, _insert("a"), end, _insert("b")))
        assert [type(each) for each in results] == [RuntimeError] * 3
    assert asyncio.run(store.write(_insert("fresh"))) == 1


def test_one_that_was_cancelled_in_the_queue_is_not_run(store: SqliteDatabase) -> None:
    """Whoever gives up before his turn leaves nothing; whoever gives up while running is finished."""

    async def cancel() -> None:
        hold = threading.Event()

        def slow(connection: Connection) -> None:
            connection.execute(INSERT, {"d": "running"})
            hold.wait(10)

        running = asyncio.ensure_future(store.write(slow))
        await asyncio.sleep(0.05)
        waiting = asyncio.ensure_future(store.write(_insert("waiting")))
        await asyncio.sleep(0.05)
        running.cancel()
        waiting.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
        hold.set()
        await store.write(_insert("after"))

    asyncio.run(cancel())
    names = text("SELECT dedupe FROM outbox ORDER BY id")
    assert asyncio.run(store.read(lambda c: list(c.execute(names).scalars()))) == ["running", "after"]


def test_a_full_queue_refuses_at_once(sqlite_url: str) -> None:
    """One more than the limit is told that it is busy, and the places come back."""

    async def crowd(store: Database) -> None:
        hold = threading.Event()
        first = asyncio.ensure_future(store.write(_held(hold)))
        second = asyncio.ensure_future(store.write(_insert("a")))
        await asyncio.sleep(0.05)
        with pytest.raises(StoreBusy):
            await store.write(_insert("b"))
        with pytest.raises(StoreBusy):
            await store.read(_rows)
        hold.set()
        await asyncio.gather(first, second)
        assert await store.write(_insert("c")) == 1

    with Database.open(sqlite_url, Limits(queue=2)) as store:
        asyncio.run(crowd(store))


def test_another_process_with_the_lock_is_waited_for_and_then_told_of(sqlite_url: str) -> None:
    """A writer elsewhere makes StoreBusy after the waiting time, and nothing is lost or broken by it."""
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    with Database.open(sqlite_url, Limits(busy_ms=100)) as store:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            asyncio.run(store.write(_insert("a")))
        with pytest.raises(StoreBusy), store.transaction():
            pass
        assert asyncio.run(store.read(_rows)) == 0
        other.execute("ROLLBACK")
        assert asyncio.run(store.write(_insert("a"))) == 1
    other.close()


def test_closing_finishes_what_was_queued(store: SqliteDatabase) -> None:
    """What was put before `close` is kept; what comes after is refused; the log is folded into the file."""

    async def close() -> list[Any]:
        writes = [asyncio.ensure_future(store.write(_insert(str(n)))) for n in range(5)]
        await asyncio.sleep(0)
        await asyncio.to_thread(store.close)
        with pytest.raises(StoreUnavailable, match="closed"):
            await store.write(_insert("late"))
        return await asyncio.gather(*writes)

    path = Path(str(store.writer.raw_connection().execute("PRAGMA database_list").fetchone()[2]))
    assert asyncio.run(close()) == [1] * 5
    store.close()
    with sqlite3.connect(path) as plain:
        assert plain.execute("SELECT count(*) FROM outbox").fetchone() == (5,)


def test_a_reader_sees_one_view(store: SqliteDatabase) -> None:
    """Rows committed in the middle of a read do not appear in it."""
    asyncio.run(store.write(_insert("a")))
    with store.transaction(read_only=True) as connection:
        assert _rows(connection) == 1
        asyncio.run(store.write(_insert("b")))
        assert _rows(connection) == 1
    assert asyncio.run(store.read(_rows)) == 2


def test_moments_keep_their_microsecond(store: SqliteDatabase) -> None:
    """A moment with microseconds and another zone comes back equal, in UTC."""
    moment = NOON.replace(microsecond=123_457).astimezone(SYDNEY)
    asyncio.run(store.write(recording(a_record(a_decision(id="dec_1", as_of=moment)))))
    kept = asyncio.run(store.read(lambda c: queries.get_decision(c, "dec_1")))
    assert kept is not None
    assert kept.as_of == moment
    assert kept.as_of.isoformat() == "2026-11-23T01:00:00.123457+00:00"


def test_several_may_be_first_to_open_a_new_file(tmp_path: Path) -> None:
    """Eight first connections at once to each of forty new files all succeed: turning a file into WAL is waited for."""

    def open_first(path: Path) -> None:
        engine = engine_of(path, Limits(busy_ms=30_000), begin="BEGIN IMMEDIATE")
        with engine.begin() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        engine.dispose()

    with ThreadPoolExecutor(8) as threads:
        for number in range(40):
            path = secure_file(str(tmp_path / f"{number}.sqlite"))
            for each in [threads.submit(open_first, path) for _ in range(8)]:
                each.result()
