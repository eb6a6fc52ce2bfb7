"""The whole service in this process: the real application over a real database, with the clock in the test's hand.

It does: open it with sources that tell a story or play a market, send it requests, and count its rows. It does
not: use a socket (tests.support.server does). The rule it keeps: every reply is checked against the API's own
description before a test sees it.
"""

import asyncio
import hashlib
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import httpx
from litestar import Litestar
from litestar.datastructures import State
from sqlalchemy import text

import models
from api.app import Watched, furnish, routed
from api.commands import keep_key
from api.contracts import rendering, templating
from api.notices import letters
from api.settings import Settings
from api.sources import OUTSIDE, Asking, Gathered, ScreenedName, Sources, failed
from api.sources.market import MarketFile
from api.sources.standin import moved
from api.store import queries
from api.store.database import Database
from engine.facts import Fact, Facts
from engine.facts.statement import STATEMENT, statement_of
from tests.support import businesses
from tests.support.businesses import AS_OF, application_json, facts_of, story
from tests.support.releases import FakeRelease, fake_release
from tests.support.schema import check_reply

APPLICATIONS = "/v1/applications"
MACHINES = ("/v1/", "/health", "/ready", "/metrics", "/schema/", "/problems/")  # all other routes are people's pages
EVERY_SCOPE = ("apply", "supply", "audit", "operate")
TABLES = ("application", "audit", "decision", "fact_set", "idempotency", "outbox", "person")
PERSON: Mapping[str, Any] = json.loads(businesses.PERSON.canonical())
champion_once = cache(models.champion)
read_template_once = cache(templating.read_template)
# Joining 130 routes takes as long as everything else an ordinary test does, and they hold nothing: one application
# serves test after test, furnished anew. Where a test fails or opens two at once there are more.
_idle: list[Litestar] = []


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: datetime = AS_OF) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


class StorySources:
    """Sources that say of every business what one story says."""

    synthetic = True
    remote = False

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.told = told
        self._facts: dict[datetime, Facts] = {}

    async def gather(self, asking: Asking) -> Gathered:
        """The story's facts, fetched at this moment."""
        as_of = asking.as_of
        if as_of not in self._facts:
            self._facts[as_of] = facts_of(self.told, as_of)
        facts = self._facts[as_of]
        return Gathered(facts.registry, facts.compliance, facts.marketplace, facts.bank, facts.bureau)


class RemoteStories(StorySources):
    """The same from outside: asking takes time, and single sources fail or hang, as a test sets it at any moment.

    It keeps to the rules of the ladder: nothing is waited for beyond `until`, a fact that is held is not asked for.
    """

    remote = True

    def __init__(
        self, told: Mapping[str, Any], *, failing: tuple[str, ...] = (), hanging: tuple[str, ...] = ()
    ) -> None:
        super().__init__(told)
        self.failing, self.hanging = set(failing), set(hanging)
        self.gate: asyncio.Event | None = None  # nobody answers before it is set
        self.overrun_s = 0.0  # how long it takes beyond all bounds, as no source of ours does
        self.asked: list[tuple[str, str]] = []  # (application, source), in order
        self.names: list[tuple[ScreenedName, ...]] = []  # of every question

    async def gather(self, asking: Asking) -> Gathered:
        """The story's facts with a digest; failed ones for the sources that fail, or have not answered in time."""
        held = asking.earlier
        wanted = [name for name in OUTSIDE if held is None or held.of(name).status == "failed"]
        self.asked += [(asking.reference, name) for name in wanted]
        self.names.append(asking.names)
        late: set[str] = set(wanted) if self.gate is not None and not await _opens(self.gate, asking.until) else set()
        if self.hanging.intersection(wanted):
            await asyncio.sleep(max(asking.until - time.monotonic(), 0))
            late |= self.hanging
        await asyncio.sleep(self.overrun_s)
        told = await super().gather(asking)
        facts: dict[str, Fact[Any]] = {name: told.of(name) if held is None else held.of(name) for name in OUTSIDE}
        for name in wanted:
            if name in late | self.failing:
                facts[name] = failed(name, "timeout" if name in late else "busy", asking.as_of)
            else:
                digest = hashlib.sha256(f"{name} {asking.as_of.isoformat()}".encode()).hexdigest()
                facts[name] = told.of(name).model_copy(update={"digest": digest})
        return Gathered(**facts)

    def times(self, source: str) -> int:
        """How often a source was asked."""
        return sum(name == source for _, name in self.asked)


async def _opens(gate: asyncio.Event, until: float) -> bool:
    try:
        async with asyncio.timeout_at(until):
            return await gate.wait()
    except TimeoutError:
        return False


@dataclass
class Service:
    """An opened service; `secret` is a key with every scope."""

    app: Watched
    state: State
    url: str
    secret: str
    clock: Clock | None = None
    others: dict[tuple[str, ...], str] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        """The database it works on."""
        database: Database = self.state.shell.database
        return database

    def key(self, *scopes: str) -> str:
        """A key with these scopes alone, of another caller."""
        if scopes not in self.others:
            self.others[scopes] = keep_key(self.database, "another", scopes)
        return self.others[scopes]

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request; `secret=None` sends no key."""
        return asyncio.run(self.send(method, path, **more))

    def apply(self, body: object, key: str | None = "", **more: Any) -> httpx.Response:
        """Send an application (bytes as they are), under a fresh idempotency key unless one is given."""
        return self.ask("POST", APPLICATIONS, **apply_arguments(body, key, **more))

    def apply_all(self, bodies_and_keys: list[tuple[object, str]]) -> list[httpx.Response]:
        """Send several applications at the same time."""

        async def all_of_them() -> list[httpx.Response]:
            asked = [self.send("POST", APPLICATIONS, **apply_arguments(*each)) for each in bodies_and_keys]
            return await asyncio.gather(*asked)

        return asyncio.run(all_of_them())

    def settle(self, bodies_and_keys: list[tuple[object, str]]) -> list[httpx.Response]:
        """The same, and whoever is told to come back does so under the same key, as a client would."""
        replies = self.apply_all(bodies_and_keys)
        for _ in range(20):
            waiting = [place for place, reply in enumerate(replies) if "retry-after" in reply.headers]
            if not waiting:
                break
            again = self.apply_all([bodies_and_keys[place] for place in waiting])
            for place, reply in zip(waiting, again, strict=True):
                replies[place] = reply
        return replies

    async def send(self, method: str, path: str, *, secret: str | None = "", **more: Any) -> httpx.Response:
        """One request, awaited."""
        headers = dict(more.pop("headers", {}))
        secret = self.secret if secret == "" else secret
        if secret is not None:
            headers.setdefault("Authorization", f"Bearer {secret}")
        transport = httpx.ASGITransport(app=self.app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            reply = await client.request(method, path, headers=headers, **more)
        check_reply(method, httpx.URL(path).path, reply)
        return reply

    def routes(self) -> set[tuple[str, str]]:
        """Method and path template of every route for machines, without people's pages and what the framework adds."""
        app = self.app.app
        assert isinstance(app, Litestar)
        return {
            (method, route.path_format)
            for route in app.routes
            for method in route.methods
            if method != "OPTIONS" and route.path_format.startswith(MACHINES)
        }

    def count(self, table: str) -> int:
        """How many rows a table has."""
        with self.database.transaction(read_only=True) as connection:
            return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())

    def counts(self) -> dict[str, int]:
        """How many rows every table of the record has."""
        return {table: self.count(table) for table in TABLES}

    def facts_of(self, decision_id: str) -> Facts:
        """The facts that a decision was made on."""
        with self.database.transaction(read_only=True) as connection:
            row = queries.get_decision(connection, decision_id)
            body = queries.facts_body(connection, row.facts_sha256) if row else None
        assert body is not None
        return Facts.model_validate_json(body)

    def tamper(self, table: str, statement: str, **values: Any) -> None:
        """What only the owner of the database can do: drop the trigger of a table, and change its rows."""
        with self.database.transaction() as connection:
            on = "" if connection.dialect.name == "sqlite" else f" ON {table}"
            for act in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_{act}{on}"))
            connection.execute(text(statement), values)


def apply_arguments(body: object, key: str | None = "", **more: Any) -> dict[str, Any]:
    """What `send` needs to post an application; `key=None` sends no idempotency key."""
    headers: dict[str, str] = {"Content-Type": "application/json", **more.pop("headers", {})}
    if key is not None:
        headers["Idempotency-Key"] = key or fresh_key()
    return {"content": body if isinstance(body, bytes) else json.dumps(body).encode(), "headers": headers, **more}


def fresh_key() -> str:
    """An idempotency key that nobody has used."""
    return str(uuid.uuid4())


@contextmanager
def opened(
    url: str,
    *,
    market: Path | None = None,
    sources: Sources | None = None,
    release: Any = None,
    clock: Clock | None = None,
    secret: str | None = None,
    releases: Path | None = None,
) -> Iterator[Service]:
    """The service on a migrated database, with the champion, the real clock and a new key unless others are given."""
    folder = TemporaryDirectory(prefix="creditline-documents-")
    settings = Settings(database_url=url, market=market, development=True, documents=folder.name, releases=releases)
    # The champion is loaded once, and not at all where another release is given; templates are read once too.
    app = _idle.pop() if _idle else routed()
    with (
        patch.object(models, "champion", (lambda **_: release) if release else champion_once),
        patch.object(letters, "read_template", read_template_once),
        patch.object(rendering, "read_template", read_template_once),
    ):
        furnish(app, settings)
    state = app.state
    given = {"sources": sources, "clock": clock}
    state.shell = replace(state.shell, **{name: value for name, value in given.items() if value is not None})
    state.desk = replace(state.desk, shell=state.shell)
    with folder, state.shell.database:
        yield Service(Watched(app), state, url, secret or keep_key(state.shell.database, "tests", EVERY_SCOPE), clock)
    app.state = State()
    _idle.append(app)


@contextmanager
def telling(url: str, told: Mapping[str, Any] | None = None, release: FakeRelease | None = None) -> Iterator[Service]:
    """The service whose sources tell one story, under a release of arithmetic, with a clock that stands still."""
    sources = StorySources(story(told))
    with opened(url, sources=sources, release=release or fake_release(), clock=Clock()) as service:
        yield service


@contextmanager
def remote(
    url: str, sources: RemoteStories, release: FakeRelease | None = None, clock: Clock | None = None
) -> Iterator[Service]:
    """The same with sources outside the process, so that an application is kept before they are asked."""
    with opened(url, sources=sources, release=release or fake_release(), clock=clock or Clock()) as service:
        yield service


def body_of(told: Mapping[str, Any] | None = None, *people: Mapping[str, Any]) -> dict[str, Any]:
    """The request body of a story, sent by one made-up person unless others are given."""
    body = application_json(story(told))
    body["people"] = [deepcopy(dict(person)) for person in people or (PERSON,)]
    return body


def _somebody(place: int, number: int) -> dict[str, str]:
    """Nobody else of the market: the guards look for people who come with several businesses."""
    return {"family_name": f"Sample {place}-{number}", "email": f"person{number}@business{place}.example"}


def market_bodies(market: Path, now: datetime | None = None) -> list[dict[str, Any]]:
    """A request body for every business of a market, dated today, every second with its bank statement."""
    now = now or datetime.now(UTC)
    bodies = []
    with MarketFile.open(market) as file:
        for place in range(len(file)):
            application = file.application_at(place)
            facts = file.facts_for(application.business.abn) if application else None
            if application is None or facts is None:
                raise LookupError(place)
            days = (now.date() - facts.as_of.date()).days
            body = moved(application, days).model_dump(mode="json", exclude={"people"})
            body["people"] = [
                {**PERSON, **_somebody(place, number), "roles": list(ref.roles), "ownership_bps": ref.ownership_bps}
                for number, ref in enumerate(application.people)
            ]
            if facts.bank.value is not None and place % 2:
                body["bank"] = STATEMENT.dump_python(statement_of(moved(facts.bank.value, days)), mode="json")
            bodies.append(body)
    return bodies
