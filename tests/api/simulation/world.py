"""The world that the queue is simulated in: virtual time, a store that crashes, files that say what machines find.

It does: make a database of conditional offers once, and open a copy of it for each seed under the real case service.
It does not: act or judge. The rule it keeps: everything between a request and the rows is the real thing; only time,
the confined processes and the folder of files are made up, and all chance comes from the seed.
"""

import json
import random
import shutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, TypeVar
from unittest.mock import patch

from litestar import Request
from sqlalchemy import Connection, make_url
from stdnum.au import abn as stdnum_abn
from stdnum.au import acn as stdnum_acn

from api import security
from api.cases.desk import Desk
from api.cases.intray import Intray
from api.documents.confinement import ChildFailed, Limits
from api.documents.inspector import Inspected, Inspector
from api.documents.scanner import Scanner
from api.security import Caller
from api.sources import Asking, Gathered
from api.sources.standin import moved
from api.store import queries as store
from api.store.database import Database, Work
from tests.support.businesses import AS_OF, facts_of, story
from tests.support.casework import hire
from tests.support.deskwork import DIRECTOR
from tests.support.releases import fake_release
from tests.support.service import Clock, Service, StorySources, body_of, opened

T = TypeVar("T")
START = datetime(2026, 9, 30, 14, tzinfo=UTC)  # midnight in Sydney; clocks go forward there on 4 October
DAYS = 7
OFFERS = 24
STAFF = ("stf_ann", "stf_ben", "stf_cat", "stf_dan", "stf_eve")
_LARGE = {  # a line for which two approve and more is asked for
    "application": {"request": {"amount_cents": 20_000_000}, "finances": {"turnover_12m_cents": 192_000_000}},
    "bank": {"sales_a_month_cents": 16_000_000, "costs_a_month_cents": 11_880_000, "balance_cents": 30_000_000},
    "marketplace": {"orders_a_month": 10, "order_cents": 500_000},
}
_ONE_IN_LARGE, _ONE_IN_OLD = 6, 4
_OLD = timedelta(days=27)  # offers hold for thirty days, so these run out in the week that is simulated


class Crashed(BaseException):
    """The process died here: whatever was in its memory is gone."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A conditional offer that can be taken up."""

    application_id: str
    decision_id: str


@dataclass(frozen=True, slots=True)
class Template:
    """A database with staff and offers in it, to be copied for each seed; and the desk that they were made at."""

    url: str
    desk: Desk
    caller: Caller
    offers: tuple[Offer, ...]


# -- offers, made once ---------------------------------------------------------------------------------------


class _Fresh(StorySources):
    """The stories of businesses by ABN, as fresh on any day as they are on their own."""

    def __init__(self) -> None:
        super().__init__(story())
        self.by_abn: dict[str, dict[str, Any]] = {}

    async def gather(self, asking: Asking) -> Gathered:
        """The facts of the business that asks."""
        told = self.by_abn[asking.application.business.abn]
        facts = moved(facts_of(told, AS_OF), (asking.as_of.date() - AS_OF.date()).days)
        return Gathered(facts.registry, facts.compliance, facts.marketplace, facts.bank, facts.bureau)


def template(url: str) -> Template:
    """Staff, and offers from up to four weeks before the simulated week, made in a migrated database."""
    clock, sources, found = Clock(), _Fresh(), []
    with opened(url, sources=sources, release=fake_release(), clock=clock) as service:
        with service.database.transaction() as connection:
            hire(connection, *STAFF)
        for number in range(OFFERS):
            clock.now = START - timedelta(hours=1) - (_OLD if number % _ONE_IN_OLD == 1 else timedelta())
            found.append(_offer(service, sources, number))
        with service.database.transaction(read_only=True) as connection:
            row = store.get_application(connection, found[0].application_id)
        assert row is not None
        return Template(url, service.state.desk, Caller(row.caller_id, "tests", frozenset()), tuple(found))


def _offer(service: Service, sources: _Fresh, number: int) -> Offer:
    digits = f"95550{number:03d}"
    acn = digits + stdnum_acn.calc_check_digit(digits)
    business = {"acn": acn, "abn": stdnum_abn.calc_check_digits(acn) + acn}
    large: dict[str, Any] = _LARGE if number % _ONE_IN_LARGE == 0 else {}
    told = {**large, "application": {**large.get("application", {}), "business": business}}
    sources.by_abn[business["abn"]] = story(told)
    reply = service.apply(body_of(told, DIRECTOR)).json()
    assert reply["outcome"] == "approve", reply
    return Offer(reply["application_id"], reply["decision_id"])


# -- time and the store --------------------------------------------------------------------------------------


class SkewedClock:
    """What the service reads: true time and how far its clock is off at the moment."""

    def __init__(self) -> None:
        self.true, self.skew = START, timedelta()

    def __call__(self) -> datetime:
        return self.true + self.skew


class CrashingStore(Database):
    """A database that takes each function in turn; before and after its commit the process may die.

    `between` is called before each: others act there, and time goes on; `after` once one that changed rows is
    committed.
    """

    def __init__(self, inner: Database, draw: random.Random, share: float) -> None:
        super().__init__(inner.limits)
        self.inner, self.draw, self.share = inner, draw, share
        self.between: Callable[[], Awaitable[None]] | None = None
        self.after: Callable[[], None] | None = None
        self.writes = self.crashes = 0

    async def write(self, work: Work[T]) -> T:
        """See Database.write."""
        if self.between is not None:
            await self.between()
        self.writes += 1
        at = self.draw.random()
        with self.inner.transaction() as connection:
            before = _changes(connection)
            value = work(connection)
            changed = before is None or _changes(connection) != before
            if at < self.share / 2:
                self._die()
        if changed and self.after is not None:
            self.after()
        if at > 1 - self.share / 2:
            self._die()
        return value

    async def read(self, work: Work[T]) -> T:
        """See Database.read."""
        with self.inner.transaction(read_only=True) as connection:
            return work(connection)

    def _die(self) -> None:
        self.crashes += 1
        raise Crashed

    @contextmanager
    def transaction(self, *, read_only: bool = False) -> Iterator[Connection]:
        """See Database.transaction."""
        with self.inner.transaction(read_only=read_only) as connection:
            yield connection

    def close(self) -> None:
        """See Database.close."""
        self.inner.close()


def _changes(connection: Connection) -> int | None:
    """How many rows SQLite's connection has changed so far; None where the database does not say."""
    if connection.dialect.name != "sqlite":
        return None
    return int(connection.connection.driver_connection.total_changes)  # type: ignore[union-attr]


# -- files ---------------------------------------------------------------------------------------------------


class Shelf:
    """Files in memory."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    async def put(self, key: str, plain: bytes) -> None:
        """See Storage."""
        self._files[key] = plain

    async def get(self, key: str) -> bytes:
        """See Storage."""
        return self._files[key]

    async def delete(self, key: str) -> None:
        """See Storage."""
        self._files.pop(key, None)


class ToldInspector(Inspector):
    """Finds in a file what the file says that is found: `fate` clean, doubtful, rejected or stubborn."""

    def __init__(self, draw: random.Random) -> None:
        super().__init__()
        self._draw = draw

    async def inspect(self, content: bytes) -> Inspected:
        """Clean or rejected; a stubborn file breaks two looks in three without a word about itself."""
        fate = json.loads(content)["fate"]
        if fate == "stubborn" and self._draw.random() < 2 / 3:
            raise ChildFailed("answer")
        if fate == "rejected":
            return Inspected("rejected", "none", code="active_content")
        return Inspected("clean", "none", "application/pdf", 1, f"{self._draw.getrandbits(64):016x}")

    async def run(
        self, module: str, header: dict[str, Any], content: bytes, limits: Limits
    ) -> tuple[dict[str, Any], bytes]:
        """Every field of the file, surely; of a doubtful one a warning besides."""
        told = json.loads(content)
        found = [
            {"field": name, "value": value, "page": 1, "box": [0, 0, 9, 9]} for name, value in told["says"].items()
        ]
        verdict = "pass" if told["fate"] != "doubtful" else "warn"
        check = {"name": "fields", "verdict": verdict, "confidence_bps": 9_900, "says": "Read.", "found": found}
        return {"results": [check], "electronic": True, "redactions": [], "redactions_complete": True}, b""


def upload(content: bytes) -> Request[Any, Any, Any]:
    """A request that carries these bytes."""
    parts = [{"type": "http.request", "body": content, "more_body": False}]

    async def receive() -> Any:
        return parts.pop()

    scope: Any = {
        "type": "http", "method": "POST", "path": "/", "headers": [(b"content-type", b"application/pdf")],
        "query_string": b"", "route_handler": SimpleNamespace(resolve_request_max_body_size=lambda: None),
    }  # fmt: skip
    return Request(scope, receive=receive)


@dataclass(frozen=True, slots=True)
class World:
    """One seed's service over its own database."""

    desk: Desk
    intray: Intray
    store: CrashingStore
    clock: SkewedClock
    draw: random.Random


@contextmanager
def world(made: Template, url: str, seed: int, crash_share: float) -> Iterator[World]:
    """A copy of the template, at this URL, under the case service of this seed; its ids come from the seed as well."""
    draw = random.Random(seed)
    names = SimpleNamespace(token_hex=lambda size: f"{draw.getrandbits(8 * size):0{2 * size}x}")
    with patch.object(security, "secrets", names), Database.open(url) as inner:
        held, clock = CrashingStore(inner, draw, crash_share), SkewedClock()
        desk = replace(
            made.desk,
            shell=replace(made.desk.shell, database=held, clock=clock),
            draw=draw.randrange,
        )
        yield World(desk, Intray(Shelf(), ToldInspector(draw), Scanner()), held, clock, draw)


@contextmanager
def copied(made: Template) -> Iterator[str]:
    """A copy of a template on SQLite, in memory where the system has a folder there: nothing here tests the disk."""
    memory = Path("/dev/shm")
    file = str(make_url(made.url).database)
    with TemporaryDirectory(prefix="creditline-queue-", dir=memory if memory.is_dir() else None) as folder:
        yield f"sqlite:///{shutil.copy(file, Path(folder) / 'store.sqlite')}"
