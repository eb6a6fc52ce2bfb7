"""The sandbox's server: every source's module behind HTTP, with switches that make a source misbehave.

It does: hand each request to the source whose prefix it carries, and be late, broken or silent where a switch or a
story says so. It does not: know a source's format, or write a log (URLs hold ABNs). The rules it keeps: every reply
carries the mark, a request's body is at most 1 MB, and nothing lasts longer than a minute.
"""

import asyncio
import contextlib
import json
import logging
import signal
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import date, datetime

from aiohttp import web
from pydantic import ValidationError

from api.sandbox import (
    MARK,
    PREFIXES,
    Ask,
    Told,
    World,
    bank,
    bureau,
    company_register,
    marketplace,
    register,
    sanctions,
)
from api.sandbox.misbehaviour import FAULTS, LONGEST_S, Fault, Switch, Verdict, asked_about, spoiled, verdict
from api.sandbox.stories import Story, book, story_of
from api.sandbox.world import MadeUpWorld
from api.sources.market import MarketFile
from api.zone import SYDNEY

MOST_BODY_BYTES = 1_000_000
OVERSIZED_BYTES = 50_000_000
STOP_S = 1.0  # for requests under way when it is stopped
_CHUNK = b" " * 65_536
_TRICKLE_S = 0.05  # between two bytes
_LOG = logging.getLogger(__name__)

Source = Callable[[World, Ask], Told]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SOURCES: Mapping[str, Source] = {
    "register": register.answer,
    "company_register": company_register.answer,
    "marketplace": marketplace.answer,
    "bank": bank.answer,
    "bureau": bureau.answer,
    "sanctions": sanctions.answer,
}


def sydney_today() -> date:
    """The day in Sydney, on which real sources date what they say."""
    return datetime.now(SYDNEY).date()


class Sandbox:
    """Every source, played; `requests` counts what each was asked, `switches` holds how each misbehaves."""

    def __init__(
        self,
        market: MarketFile | None = None,
        switches: Mapping[str, Switch] | None = None,
        today: Callable[[], date] = sydney_today,
    ) -> None:
        self.switches = {source: Switch() for source in PREFIXES} | dict(switches or {})
        self.requests: Counter[str] = Counter()
        self._market = market
        self._today = today
        self._world = MadeUpWorld(today(), market)
        self._switched: Counter[str] = Counter()  # requests since the switch was last set
        self._told: Counter[tuple[str, str]] = Counter()  # requests of a source about a story

    def app(self) -> web.Application:
        """The web application."""
        app = web.Application(client_max_size=MOST_BODY_BYTES, middlewares=[_guard])
        app.router.add_get("/", self._index)
        app.router.add_get("/switch", self._show)
        app.router.add_put("/switch/{source}", self._set)
        for source, prefix in PREFIXES.items():
            app.router.add_route("*", prefix + "{rest:(/.*)?}", self._player(source))
        app.on_response_prepare.append(_mark)
        return app

    def switch(self, source: str, switch: Switch) -> None:
        """Set a source's switch; its share is counted anew."""
        self.switches[source] = switch
        self._switched[source] = 0

    @property
    def world(self) -> MadeUpWorld:
        """The world today."""
        if self._world.today != (today := self._today()):
            self._world = MadeUpWorld(today, self._market)
        return self._world

    def _player(self, source: str) -> Handler:
        answer = SOURCES[source]

        async def play(request: web.Request) -> web.StreamResponse:
            ask = await _ask(request, PREFIXES[source])
            self.requests[source] += 1
            verdicts, ask = self._judged(source, ask)
            await asyncio.sleep(min(sum(each.delay_s for each in verdicts), LONGEST_S))
            fault = next((each.fault for each in verdicts if each.fault), None)
            return await _send(request, fault, lambda: answer(self.world, ask))

        return play

    def _judged(self, source: str, ask: Ask) -> tuple[list[Verdict], Ask]:
        """What the switch and the story do to this request, and the request as the source is to see it."""
        verdicts = [verdict(self.switches[source], self._switched[source], source)]
        self._switched[source] += 1
        story = story_of(ask)
        conduct = (story.conduct or {}).get(source) if story else None
        if story is None or conduct is None:
            return verdicts, ask
        nth = self._told[source, story.name]
        self._told[source, story.name] += 1
        if conduct.concerns(ask, nth):
            verdicts.append(verdict(conduct, nth, source))
            ask = ask if conduct.about is None else asked_about(ask, _numbers(story, book()[conduct.about]))
        return verdicts, ask

    async def _index(self, request: web.Request) -> web.Response:
        lines = ["The creditline sandbox. Everything here is made up.", "", "Sources"]
        lines += [f"  {source:<17} {prefix:<18} {self._said(source)}" for source, prefix in PREFIXES.items()]
        lines += ["", "Stories"]
        lines += [f"  {story.name:<22} {story.abn}  {story.says}" for story in book().values()]
        lines += ["", "Switches: PUT /switch/{source} with", '  {"latency_ms": 200, "fault": "busy", "share": 0.5}']
        lines += [f"Faults: {', '.join(FAULTS)}", ""]
        return web.Response(text="\n".join(lines))

    def _said(self, source: str) -> str:
        switch, asked = self.switches[source], self.requests[source]
        said = switch.model_dump_json(exclude_defaults=True)
        return f"{asked} request{'' if asked == 1 else 's'}" + ("" if said == "{}" else f", {said}")

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response({source: switch.model_dump() for source, switch in self.switches.items()})

    async def _set(self, request: web.Request) -> web.Response:
        source = request.match_info["source"].replace("-", "_")
        if source not in PREFIXES:
            raise web.HTTPNotFound
        try:
            switch = Switch.model_validate_json(await request.read())
        except ValidationError as error:
            said = error.json(include_url=False, include_input=False, include_context=False)
            return web.json_response({"errors": json.loads(said)}, status=422)
        self.switch(source, switch)
        return web.json_response(switch.model_dump())


def _numbers(story: Story, other: Story) -> dict[str, str]:
    """Which number stands for which, where the source answers about another business."""
    return {story.abn: other.abn} | ({story.acn: other.acn} if story.acn and other.acn else {})


async def _ask(request: web.Request, prefix: str) -> Ask:
    return Ask(
        method=request.method,
        path=request.path.removeprefix(prefix),
        query=dict(request.query),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.read(),
    )


# -- sending -------------------------------------------------------------------------------------------------


async def _send(request: web.Request, fault: Fault | None, answer: Callable[[], Told]) -> web.StreamResponse:
    match fault:
        case "reset":
            return _cut(request)
        case "black_hole":
            await asyncio.sleep(LONGEST_S)
            return _cut(request)
        case "oversized":
            return await _oversized(request)
        case "trickle":
            return await _trickle(request, answer())
    told = spoiled(answer(), fault)
    headers = {"Content-Type": told.content_type, **told.headers}
    return web.Response(body=told.body, status=told.status, headers=headers)


def _cut(request: web.Request) -> web.Response:
    """End the connection with a reset instead of an orderly close; what is returned is never sent."""
    if (transport := request.transport) is not None:
        connection: socket.socket | None = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


async def _oversized(request: web.Request) -> web.StreamResponse:
    """Send far more than any answer has, without saying how much; only one piece of it is ever held."""
    response = web.StreamResponse(headers={"Content-Type": "application/json; charset=utf-8"})
    await response.prepare(request)
    for _ in range(OVERSIZED_BYTES // len(_CHUNK) + 1):
        await response.write(_CHUNK)
    await response.write_eof(b"{}")
    return response


async def _trickle(request: web.Request, told: Told) -> web.StreamResponse:
    """Send the answer a byte at a time, for a minute at most."""
    response = web.StreamResponse(status=told.status, headers={"Content-Type": told.content_type, **told.headers})
    response.content_length = len(told.body)
    await response.prepare(request)
    for place in range(min(len(told.body), int(LONGEST_S / _TRICKLE_S))):
        await response.write(told.body[place : place + 1])
        await asyncio.sleep(_TRICKLE_S)
    return response


async def _mark(request: web.Request, response: web.StreamResponse) -> None:
    response.headers[MARK[0]] = MARK[1]


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A source's mistake is a marked 500, logged without the request; a caller who went away is no news."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except ConnectionError:
        return _cut(request)
    except Exception:
        _LOG.exception("a mistake in the sandbox")
        return web.json_response({"error": "a mistake in the sandbox"}, status=500)


# -- running -------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def serving(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve for as long as the block lasts; gives the URL (port 0 takes a free one). Raises OSError."""
    runner = web.AppRunner(sandbox.app(), access_log=None, shutdown_timeout=STOP_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def run(sandbox: Sandbox, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `announce` is told the URL once it listens. Raises OSError."""

    async def until_stopped() -> None:
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        async with serving(sandbox, host, port) as url:
            announce(url)
            await stop.wait()

    asyncio.run(until_stopped())
