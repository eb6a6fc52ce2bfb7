"""A client under test, and one question to it at a time, over a real socket, with everything that comes of it.

It does: play the source with a function, ask once, and keep value, failure, requests, digest, time and every word that
was shown; and walk through the places of a JSON value. It does not: judge any of it (tests.support.conformance does).
The rule it keeps: after each question no task and no socket is left.
"""

import asyncio
import json
import logging
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from aiohttp import web
from structlog.testing import capture_logs

from api.sandbox import Ask, Told
from api.sandbox.stories import book
from api.sources import Asking, Client, ScreenedName, Source, SourceFailed, Why
from api.sources.exchange import Exchange, Line
from engine.application import Application, ConsentKind
from engine.facts import Facts
from tests.support.exchanging import leaving_nothing
from tests.support.laddering import LONG_S

STORY = "clean"  # the business that every good answer is about
AS_OF = datetime(2026, 11, 24, 1, tzinfo=UTC)  # the same day in Sydney
APPLICATION = book()[STORY].application(AS_OF.date())
MOST_BYTES = 2_000_000

Tell = Callable[[Ask], Told | None]  # None never answers
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Subject:
    """A client, and how the source that it speaks to answers.

    `told` renders a good answer to a request from the facts of the business asked about. `required` names for requests
    (by their path, with `*` for anything) the fields of the answer without which there is none: "score.value", and 0
    for the first item of a list. `compared` is what of a value has to survive the way over the wire, where the format
    does not carry all of it. `bare` and `dressed` take JSON out of a body and put it back, where the format wraps it.
    """

    name: Source
    make: Callable[[], Client[Any]]
    told: Callable[[Facts, Ask], Told]
    required: Mapping[str, Sequence[str]]
    consent: ConsentKind | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    compared: Callable[[Any], Any] = lambda value: value
    says_whom: bool = True  # whether the answer holds the ABN that it is about
    bare: Callable[[bytes], bytes] = lambda body: body
    dressed: Callable[[bytes], bytes] = lambda text: text
    _rendered: dict[object, Told] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def facts(self) -> Facts:
        """Everything that is known about the business."""
        facts = book()[STORY].facts(AS_OF.date())
        assert facts is not None
        return facts

    def is_right(self, value: Any) -> bool:
        """Whether this is what a good answer says."""
        known = getattr(self.facts, self.name).value
        return value is not None and bool(self.compared(value) == self.compared(known))

    def good(self, ask: Ask) -> Told:
        """The good answer to a request."""
        asked = (ask.method, ask.path, tuple(ask.query.items()), ask.body)
        if asked not in self._rendered:
            self._rendered[asked] = self.told(self.facts, ask)
        return self._rendered[asked]

    def json_of(self, told: Told) -> Any:
        """The JSON of an answer."""
        return json.loads(self.bare(told.body))

    def saying(self, told: Told, content: Any) -> Told:
        """The same answer with other JSON; a float stands for itself, NaN included."""
        return replace(told, body=self.dressed(json.dumps(content).encode()))


@dataclass(frozen=True)
class Outcome:
    """What one question came to: a value (None is absent) or why not, what was asked, and all that was shown."""

    value: Any
    why: Why | None
    asks: tuple[Ask, ...]
    digest: str | None
    shown: str
    seconds: float

    @property
    def present(self) -> bool:
        """Whether there is a value."""
        return self.why is None and self.value is not None


def asking_of(application: Application = APPLICATION) -> Asking:
    """A question about the business, with time enough."""
    names = (ScreenedName("Robin Sample Anybody", None, person=True),)
    return Asking(application, AS_OF, "app_conformance", names, time.monotonic() + LONG_S)


# -- one question --------------------------------------------------------------------------------------------


@asynccontextmanager
async def playing(tell: Tell, asks: list[Ask]) -> AsyncIterator[str]:
    """A source on a real socket that answers with a function."""

    over = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        ask = Ask(request.method, request.path, dict(request.query), headers, await request.read())
        asks.append(ask)
        told = tell(ask)
        if told is None:
            await over.wait()
            told = Told(b"", 500)
        headers = {"Content-Type": told.content_type, **told.headers}
        return web.Response(status=told.status, body=told.body, headers=headers)

    application = web.Application()
    application.router.add_route("*", "/{anything:.*}", answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        over.set()
        await runner.cleanup()


def line_of(subject: Subject, url: str) -> Line:
    """How the source is reached."""
    return Line(subject.name, url, subject.headers, timeout_s=LONG_S, most_bytes=MOST_BYTES)


def tried(subject: Subject, tell: Tell, asked: Asking | None = None, seconds: float = LONG_S) -> Outcome:
    """What the client makes of a source; nothing of it is left running."""
    asks: list[Ask] = []

    async def work() -> Outcome:
        began = time.monotonic()
        async with playing(tell, asks) as url:
            exchange = Exchange(line_of(subject, url))
            value, why, error, digest = None, None, "", None
            try:
                asking = replace(asked or asking_of(), until=time.monotonic() + seconds)
                async with exchange.conversation(asking.until) as conversation:
                    value = (await subject.make().fetch(asking, conversation)).value
                digest = conversation.digest
            except SourceFailed as failure:
                why, error = failure.why, "".join(traceback.format_exception(failure))
            finally:
                await exchange.close()
            return Outcome(value, why, tuple(asks), digest, error, time.monotonic() - began)

    with _heard() as records, capture_logs() as logged:
        outcome = leaving_nothing(work())
    return replace(outcome, shown="\n".join((outcome.shown, str(logged), *records)))


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Every line that goes to the standard library's loggers, the playing server's own left out."""
    records: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not record.name.startswith("aiohttp.server"):
                records.append(self.format(record))

    root, ear = logging.getLogger(), Ear(logging.DEBUG)
    before = root.level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    try:
        yield records
    finally:
        root.removeHandler(ear)
        root.setLevel(before)


# -- places in JSON ------------------------------------------------------------------------------------------


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place of a JSON value below its root; of a list the first item alone."""
    items: Sequence[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        items = tuple(value.items())
    elif isinstance(value, list):
        items = tuple(enumerate(value[:1]))
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


def at(value: Any, path: Path) -> Any:
    """What stands at a place."""
    for key in path:
        value = value[key]
    return value


def without(value: Any, path: Path) -> Any:
    """A copy without what stands at a place."""
    changed = deepcopy(value)
    del at(changed, path[:-1])[path[-1]]
    return changed


def having(value: Any, path: Path, other: Any) -> Any:
    """A copy with something else at a place."""
    changed = deepcopy(value)
    at(changed, path[:-1])[path[-1]] = other
    return changed
