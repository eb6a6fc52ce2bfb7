"""SQLite: one writer thread that lets up to 32 transactions share one fsync, and a few read-only connections.

An fsync takes milliseconds and a decision's rows far less, so functions that wait together commit together:
each runs in a savepoint, so that one that fails undoes itself alone, and nobody is answered before the COMMIT
has returned. A lone function never waits for company. It does not weaken `synchronous`: that loses
acknowledged rows at power loss.
The rule: after an input/output error no connection is used again, since what the file then holds is not
known.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore, Lock, Thread
from typing import Any, Generic

from sqlalchemy import URL, Connection, RootTransaction, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from api.store.database import Database, Limits, T, Work, call
from api.store.errors import OutcomeUnknown, StorageFull, StoreBusy, StoreUnavailable
from api.store.prepared import Prepared
from api.store.sqlite_file import engine_of, secure_file

_Connecting = Callable[[], AbstractContextManager[Connection]]
_SAVE, _UNDO, _RELEASE = (Prepared(text(each)) for each in ("SAVEPOINT job", "ROLLBACK TO job", "RELEASE job"))


@dataclass(eq=False, slots=True)
class _Job(Generic[T]):
    work: Work[T]
    future: asyncio.Future[T]
    loop: asyncio.AbstractEventLoop


@dataclass(frozen=True, slots=True)
class _Outcome:
    job: _Job[Any]
    value: object = None
    error: Exception | None = None


class SqliteDatabase(Database):
    """One SQLite file; `writer`, `reader` and `looker` are its SQLAlchemy engines."""

    def __init__(self, url: URL, limits: Limits) -> None:
        super().__init__(limits)
        path = secure_file(str(url.database))
        self.writer = engine_of(path, limits, begin="BEGIN IMMEDIATE")
        self.reader = engine_of(path, limits, begin="BEGIN", read_only=True)
        self.looker = engine_of(path, limits, begin="BEGIN", read_only=True)  # its own, or it waits for the readers
        self._queue: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self._places = BoundedSemaphore(limits.queue)
        self._door = Lock()  # nothing is put into the queue behind the sign that it has ended
        self._looking = Lock()
        self._looker: Connection | None = None
        self._threads = ThreadPoolExecutor(limits.readers, thread_name_prefix="store-read")
        self._connection: Connection | None = self._connect_writer()  # before any reader: it makes the WAL files
        self._thread = Thread(target=self._serve, name="store-write", daemon=True)
        self._thread.start()

    async def write(self, work: Work[T]) -> T:
        """See Database.write; a function cancelled before its turn is not run, one that runs is finished."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._place():
            with self._door:
                self.refuse_if_broken()
                self._queue.put(_Job(work, future, loop))
            return await future

    async def read(self, work: Work[T]) -> T:
        """See Database.read."""
        self.refuse_if_broken()
        with self._place():
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._read, work, self.reader.connect)

    async def look(self, work: Work[T]) -> T:
        """See Database.look: made in the caller's thread, since waking another costs more than they do.

        A reader of a write-ahead log waits for no writer.
        """
        return self._read(work, self._kept)

    @contextmanager
    def transaction(self, *, read_only: bool = False) -> Iterator[Connection]:
        """See Database.transaction; it takes its turn with the writer thread through SQLite's own lock."""
        engine = self.reader if read_only else self.writer
        with self._transaction(engine.connect, read_only=read_only) as connection:
            yield connection

    @contextmanager
    def _transaction(self, connect: _Connecting, *, read_only: bool) -> Iterator[Connection]:
        self.refuse_if_broken()
        committing = False
        try:
            with connect() as connection:
                connection.begin()
                yield connection
                committing = not read_only
                connection.commit()
        except PoolTimeout as error:
            raise StoreBusy("no connection is free") from error
        except DBAPIError as error:
            if (verdict := self._judge(error, committing=committing)) is error:
                raise
            raise verdict from error

    def close(self) -> None:
        """See Database.close; the last connection to go folds the write-ahead log into the file."""
        with self._door:
            if self.closed:
                return
            self.closed = True
            self._queue.put(None)
        self._thread.join()
        self._threads.shutdown()
        with self._looking:
            if self._looker is not None:
                self._looker.close()
        self.reader.dispose()
        self.looker.dispose()
        self.writer.dispose()

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise StoreBusy(f"{self.limits.queue} functions are waiting already")
        try:
            yield
        finally:
            self._places.release()

    def _read(self, work: Work[T], connect: _Connecting) -> T:
        with self._transaction(connect, read_only=True) as connection:
            return call(work, connection)

    @contextmanager
    def _kept(self) -> Iterator[Connection]:
        """The connection of the look-ups, which stays open between them; a fresh one after anything went wrong."""
        with self._looking:
            connection, self._looker = self._looker or self.looker.connect(), None
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            self._looker = connection

    def _connect_writer(self) -> Connection:
        try:
            return self.writer.connect()
        except DBAPIError as error:
            raise self._judge(error, committing=False) from error

    # ---- the writer thread ----

    def _serve(self) -> None:
        running = True
        while running:
            batch, running = self._gather()
            batch = [job for job in batch if not job.future.cancelled()]
            if batch:
                _settle(self._commit(batch))
        if self._connection is not None:
            self._connection.close()

    def _gather(self) -> tuple[list[_Job[Any]], bool]:
        """The next functions to commit together, and whether there may be more after them.

        Nobody waits for company who has none; who has, waits `gather_ms` at most for more.
        """
        batch: list[_Job[Any]] = []
        patience_ends = 0.0
        while len(batch) < self.limits.batch:
            try:
                job = self._queue.get() if not batch else self._queue.get_nowait()
            except Empty:
                if len(batch) == 1:
                    break
                now = time.monotonic()
                patience_ends = patience_ends or now + self.limits.gather_ms / 1000
                try:
                    job = self._queue.get(timeout=max(patience_ends - now, 0.0))
                except Empty:
                    break
            if job is None:
                return batch, False
            batch.append(job)
        return batch, True

    def _commit(self, batch: list[_Job[Any]]) -> list[_Outcome]:
        committing = False
        try:
            if self.broken:  # and not when it was closed: what was queued before that is finished
                self.refuse_if_broken()
            self._connection = self._connection or self._connect_writer()
            with self._connection.begin() as root:
                outcomes = [_run(job, self._connection, root) for job in batch]
                committing = True
            return outcomes
        except Exception as error:
            verdict: Exception = error
            if isinstance(error, DBAPIError):
                verdict = self._judge(error, committing=committing)
            elif committing:
                verdict = OutcomeUnknown("COMMIT was interrupted; ask again under the same idempotency key")
            self._forget_connection()
            return [_Outcome(job, error=verdict) for job in batch]

    def _forget_connection(self) -> None:
        """Start the next batch on a fresh connection: what this one holds after an error is unknown."""
        if self._connection is not None:
            with suppress(Exception):
                self._connection.invalidate()
                self._connection.close()
            self._connection = None

    def _judge(self, error: DBAPIError, *, committing: bool) -> Exception:
        """What a driver's error means to the caller; takes the database out of use after an I/O error."""
        code = _primary_code(error)
        if code == sqlite3.SQLITE_FULL:
            return StorageFull("the disk is full")
        if code == sqlite3.SQLITE_IOERR:
            self.broken = True
        if committing:
            return OutcomeUnknown("COMMIT failed; ask again under the same idempotency key")
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return StoreBusy("another process holds the write lock")
        if code in _UNUSABLE:
            return StoreUnavailable("the database file cannot be used")
        return error


_UNUSABLE = {
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_NOMEM,
}
# After these SQLite may have rolled back the whole transaction and not just the statement.
_FATAL = _UNUSABLE | {sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY}


def _primary_code(error: Exception) -> int | None:
    """SQLite's result code without its details (SQLITE_IOERR for SQLITE_IOERR_FSYNC)."""
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF


def _run(job: _Job[Any], connection: Connection, root: RootTransaction) -> _Outcome:
    """Run one function inside its savepoint; raises what ends the whole batch."""
    _SAVE.send(connection, {})
    try:
        value = call(job.work, connection)
    except Exception as error:
        if _primary_code(error) in _FATAL:
            raise
        _still_ours(connection, root)
        _UNDO.send(connection, {})
        _RELEASE.send(connection, {})
        return _Outcome(job, error=error)
    _still_ours(connection, root)
    _RELEASE.send(connection, {})
    return _Outcome(job, value=value)


def _still_ours(connection: Connection, root: RootTransaction) -> None:
    if connection.get_transaction() is not root or not root.is_active:
        raise RuntimeError("a function ended the transaction that it shares with others")


def _settle(outcomes: list[_Outcome]) -> None:
    """Wake every waiting task, with one call into each event loop however many they are."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Outcome]] = {}
    for outcome in outcomes:
        by_loop.setdefault(outcome.job.loop, []).append(outcome)
    for loop, theirs in by_loop.items():
        with suppress(RuntimeError):  # that loop has ended, and nobody waits in it
            loop.call_soon_threadsafe(_resolve, theirs)


def _resolve(outcomes: list[_Outcome]) -> None:
    for outcome in outcomes:
        if outcome.job.future.done():
            continue
        if outcome.error is None:
            outcome.job.future.set_result(outcome.value)
        else:
            outcome.job.future.set_exception(outcome.error)
