"""A database, opened by one URL: `await write(fn)`, `await read(fn)`, `with transaction()` for commands.

A function is handed a Connection inside a transaction and returns a value; it never commits, and it may be
run again after a conflict, so it touches nothing but that connection. The value is handed over only once
COMMIT has returned. It does not know tables or queries.
The rule: a COMMIT that failed is never taken for one that did not happen.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import URL, Connection, make_url

from api.store.errors import StoreUnavailable
from api.store.prepared import pipelined

T = TypeVar("T")
Work = Callable[[Connection], T]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a database may take: everything is bounded, because what is not will one day be endless."""

    queue: int = 1024  # functions waiting or running; one more is refused
    readers: int = 4  # SQLite's connections for reading
    connections: int = 8  # PostgreSQL's connections, one thread each
    batch: int = 32  # SQLite's functions in one commit
    gather_ms: float = 1.0  # how long a commit that is shared already waits for more to share it
    busy_ms: int = 2_000  # SQLite's wait for another process's transaction
    connect_ms: int = 200  # PostgreSQL's network connection
    lock_ms: int = 250
    statement_ms: int = 5_000
    idle_ms: int = 2_000


class Database(ABC):
    """One opened database; `broken` is set when its storage failed, and the process should then end."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.broken = False
        self.closed = False

    @staticmethod
    def open(url: str, limits: Limits | None = None) -> "Database":
        """Open SQLite (`sqlite:///file`) or PostgreSQL (`postgresql://...`), by the URL alone.

        Neither creates tables: `api.store.migrations.upgrade(url)` does. A PostgreSQL that is down is found
        out by the first function, not here, so that a service can start before its database.
        """
        target = parse(url)
        # Imported here: each of the two imports this module.
        if target.get_backend_name() == "sqlite":
            from api.store.sqlite import SqliteDatabase  # noqa: PLC0415

            return SqliteDatabase(target, limits or Limits())
        from api.store.postgres import PostgresDatabase  # noqa: PLC0415

        return PostgresDatabase(target, limits or Limits())

    @abstractmethod
    async def write(self, work: Work[T]) -> T:
        """Run `work` in its own transaction and return its value once that is durable; raises StoreError."""

    @abstractmethod
    async def read(self, work: Work[T]) -> T:
        """Run `work` on one unchanging view of the data; writing is refused; raises StoreError."""

    async def look(self, work: Work[T]) -> T:
        """The same for a few look-ups by index, all of them prepared statements: made with the least ado."""

        def together(connection: Connection) -> T:
            with pipelined(connection):
                return work(connection)

        return await self.read(together)

    @abstractmethod
    @contextmanager
    def transaction(self, *, read_only: bool = False) -> Iterator[Connection]:
        """A transaction in the calling thread: committed at the end, rolled back by any exception."""

    @abstractmethod
    def close(self) -> None:
        """Finish what is queued and let go of every connection; calls after it raise StoreUnavailable."""

    def refuse_if_broken(self) -> None:
        """Raise StoreUnavailable when the storage has failed: its next answer is not to be believed."""
        if self.broken:
            raise StoreUnavailable("the database was taken out of use after an input/output error")
        if self.closed:
            raise StoreUnavailable("the database was closed")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def call(work: Work[T], connection: Connection) -> T:
    """Run one function; what no future can carry (StopIteration, SystemExit) becomes a RuntimeError."""
    try:
        return work(connection)
    except (StopIteration, SystemExit) as error:
        raise RuntimeError(f"a function ended with {type(error).__name__} instead of an answer") from error


def parse(url: str) -> URL:
    """The URL with the driver this store uses; raises ValueError for any other kind of database."""
    target = make_url(url)
    match target.get_backend_name():
        case "sqlite":
            if not target.database or target.database == ":memory:" or target.query:
                raise ValueError("SQLite needs a plain file: several connections have to see the same rows")
            return target.set(drivername="sqlite+pysqlite")
        case "postgresql":
            return target.set(drivername="postgresql+psycopg")
        case other:
            raise ValueError(f"the store runs on SQLite or PostgreSQL, not on {other}")
