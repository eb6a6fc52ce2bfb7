"""PostgreSQL: a pool of threads and connections, one transaction a function, every wait bounded.

Conflicts that the database itself resolves by rolling back are tried again twice. A server that is away is
told of within 300 ms, and while it stays away nobody queues up to find that out again. It does not bound a
server that hangs in the middle of a statement: the caller's deadline answers then, and the thread is free
again when the server or the network is.
The rule: only an error that proves the rollback counts as "not committed".
"""

import asyncio
import random
import socket
import struct
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from api.store.database import Database, Limits, T, Work, call
from api.store.errors import OutcomeUnknown, StorageFull, StoreBusy, StoreUnavailable

_ATTEMPTS = 3
_PAUSE_S = 0.02
_SERIALIZATION = {"40001", "40P01"}  # serialization failure, deadlock: rolled back, and worth another try
_FULL = {"53100"}
_BUSY = {"55P03", "53300", "57014"}  # lock, too many connections, statement cancelled by its time limit
_COMMAND_STATEMENT_MS = 60_000
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)  # length, and the number that means it
_COMMAND_IDLE_MS = 600_000


class PostgresDatabase(Database):
    """One PostgreSQL database; `pool` is its SQLAlchemy engine."""

    def __init__(self, url: URL, limits: Limits) -> None:
        super().__init__(limits)
        self.pool = engine_of(url, limits)
        self._circuit = Circuit()
        self._places = BoundedSemaphore(limits.queue)
        self._threads = ThreadPoolExecutor(limits.connections, thread_name_prefix="store")

    async def write(self, work: Work[T]) -> T:
        """See Database.write."""
        return await self._submit(work, read_only=False)

    async def read(self, work: Work[T]) -> T:
        """See Database.read."""
        return await self._submit(work, read_only=True)

    async def _submit(self, work: Work[T], *, read_only: bool) -> T:
        self.refuse_if_broken()
        self._circuit.refuse_while_resting()
        if not self._places.acquire(blocking=False):
            raise StoreBusy(f"{self.limits.queue} functions are waiting already")
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._run, work, read_only)
        finally:
            self._places.release()

    @contextmanager
    def transaction(self, *, read_only: bool = False) -> Iterator[Connection]:
        """See Database.transaction; commands may take longer than requests, so they get wider time limits."""
        self.refuse_if_broken()
        committing = False
        with self._connect(read_only=read_only) as connection:
            try:
                connection.execute(text(f"SET LOCAL statement_timeout = {_COMMAND_STATEMENT_MS}"))
                connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = {_COMMAND_IDLE_MS}"))
                yield connection
                committing = not read_only
                connection.commit()
            except DBAPIError as error:
                if (verdict := judge(error, committing=committing)) is error:
                    raise
                raise verdict from error

    def close(self) -> None:
        """See Database.close."""
        self.closed = True
        self._threads.shutdown()
        self.pool.dispose()

    def _run(self, work: Work[T], read_only: bool) -> T:
        """One function to its end, in a pool thread, tried again where it has surely been rolled back."""
        for attempt in range(1, _ATTEMPTS + 1):
            committing = False
            with self._connect(read_only=read_only) as connection:
                try:
                    value = call(work, connection)
                    committing = not read_only
                    connection.commit()
                    return value
                except DBAPIError as error:
                    if attempt == _ATTEMPTS or not _may_repeat(error, committing=committing):
                        if (verdict := judge(error, committing=committing)) is error:
                            raise
                        raise verdict from error
            time.sleep(random.uniform(0, attempt * _PAUSE_S))  # or the two would meet again right there
        raise AssertionError("the last attempt returns or raises")

    def _connect(self, *, read_only: bool) -> Connection:
        self._circuit.admit()
        try:
            connection = self.pool.connect()
        except PoolTimeout as error:
            raise StoreBusy("no connection is free") from error
        except (OSError, OperationalError) as error:
            self._circuit.trip()
            raise StoreUnavailable("the database cannot be reached") from error
        self._circuit.reset()
        return connection.execution_options(postgresql_readonly=True) if read_only else connection


class Circuit:
    """After a failed connection refuse at once for a while, then let one caller try for all the others."""

    def __init__(self, rest_s: float = 0.5) -> None:
        self._rest_s = rest_s
        self._rests_until: float | None = None
        self._lock = Lock()

    def refuse_while_resting(self) -> None:
        """Raise StoreUnavailable if a connection failed a moment ago."""
        if self._rests_until is not None and time.monotonic() < self._rests_until:
            raise StoreUnavailable("the database could not be reached a moment ago")

    def admit(self) -> None:
        """Let a caller try to connect; after a rest only the first of them, while the others rest on."""
        if self._rests_until is None:
            return
        with self._lock:
            self.refuse_while_resting()
            self._rests_until = time.monotonic() + self._rest_s

    def trip(self) -> None:
        """Begin to rest, or go on resting."""
        with self._lock:
            self._rests_until = time.monotonic() + self._rest_s

    def reset(self) -> None:
        """The database was reached."""
        if self._rests_until is not None:
            with self._lock:
                self._rests_until = None


def _may_repeat(error: DBAPIError, *, committing: bool) -> bool:
    """Whether nothing was kept for certain and another try may go better."""
    if _sqlstate(error) in _SERIALIZATION:
        return True
    return not committing and error.connection_invalidated  # a connection that had died in the pool


def judge(error: DBAPIError, *, committing: bool) -> Exception:
    """What a driver's error means to the caller; the error itself where it is a mistake of the program."""
    state = _sqlstate(error)
    if state in _FULL:
        return StorageFull("the disk is full")
    if state in _SERIALIZATION:
        return StoreBusy("conflicting transactions, also after trying again")
    if committing:
        # A violated constraint is an answer to COMMIT: a rollback. Silence is not an answer.
        refused = state is not None and state[:2] in {"23", "40"}
        return error if refused else OutcomeUnknown("COMMIT failed; ask again under the same idempotency key")
    if state in _BUSY:
        return StoreBusy("a lock, a connection or an answer was not to be had in time")
    if error.connection_invalidated or (state is None and isinstance(error, OperationalError)):
        return StoreUnavailable("the connection to the database broke")
    return error


def _sqlstate(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def engine_of(url: URL, limits: Limits) -> Engine:
    """A SQLAlchemy engine whose every session has its time limits and waits for its commits to be on disk."""
    settings = {
        "synchronous_commit": "on",
        "statement_timeout": limits.statement_ms,
        "lock_timeout": limits.lock_ms,
        "idle_in_transaction_session_timeout": limits.idle_ms,
        "timezone": "UTC",
    }
    engine = create_engine(
        url,
        pool_size=limits.connections,
        max_overflow=2,  # commands in the same process
        pool_timeout=0.1,
        isolation_level="READ COMMITTED",
        connect_args={
            "connect_timeout": 2,  # the least the driver takes; `probe` is quicker for a host that is away
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
            "application_name": "creditline",
        },
    )
    if (address := _address(url)) is not None:
        door = Door(address, limits.connect_ms / 1000)

        @event.listens_for(engine, "do_connect")
        def _knock(*_: object) -> None:
            door.knock()

    return engine


def _address(url: URL) -> tuple[str, int] | None:
    """Where the server listens, if that is one host; sockets and lists of hosts are left to the driver."""
    host = url.host
    if not host or host.startswith("/") or "," in host or "host" in url.query:
        return None
    return host, url.port or 5432


class Door:
    """A server's address, at which one asks for all who come meanwhile.

    The server starts a process for whoever asks. Were a whole pool to ask at once, a busy machine would start the last
    of them too late and be taken for one that is away.
    """

    def __init__(self, address: tuple[str, int], timeout_s: float) -> None:
        self._address, self._timeout_s = address, timeout_s
        self._lock = Lock()
        self._asked: Future[None] | None = None

    def knock(self) -> None:
        """Return if the server answers, to this caller or to one who asked and still waits; raises OSError."""
        with self._lock:
            mine = self._asked is None
            answer = self._asked = self._asked or Future()
        if mine:
            try:
                probe(self._address, self._timeout_s)
                answer.set_result(None)
            except BaseException as error:  # whatever it is, those who wait must hear of it
                answer.set_exception(error)
            with self._lock:
                self._asked = None
        answer.result()


def probe(address: tuple[str, int], timeout_s: float) -> None:
    """Ask whether PostgreSQL answers there; raises OSError in that time, where the driver takes 2 s.

    The question is the protocol's own request for encryption, which any server answers with one letter before
    it knows who asks; so a host that is away and a server that hangs are both found out.
    """
    with socket.create_connection(address, timeout=timeout_s) as connection:
        connection.sendall(_SSL_REQUEST)
        if connection.recv(1) not in (b"S", b"N"):
            raise ConnectionError("no PostgreSQL answered")
