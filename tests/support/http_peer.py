"""A tiny HTTP server for tests of the client, in the test's own event loop.

It does: answer every request with what the test has laid out, and remember what was asked. It does not: speak any
source's language (api.sandbox does). The rule it keeps: real sockets on 127.0.0.1, all of them closed at the end.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came."""

    method: str
    raw_path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Peer:
    """What it answers with, and what it was asked. `held` keeps answers back until it is set."""

    port: int = 0
    status: int = 200
    body: bytes = b'{"found": true}'
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json; charset=utf-8"})
    bodies: dict[str, bytes] = field(default_factory=dict)  # by path, instead of `body`
    seen: list[Seen] = field(default_factory=list)
    held: asyncio.Event | None = None
    now: int = 0  # requests being answered
    busiest: int = 0  # the most of them at one time
    peers: set[object] = field(default_factory=set)  # the far ends of the connections so far

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request."""
        self.seen.append(Seen(request.method, request.raw_path, dict(request.headers), await request.read()))
        self.peers.add(request.transport.get_extra_info("peername") if request.transport else None)
        self.now += 1
        self.busiest = max(self.busiest, self.now)
        try:
            if self.held is not None:
                await self.held.wait()
        finally:
            self.now -= 1
        body = self.bodies.get(request.path, self.body)
        return web.Response(status=self.status, body=body, headers=self.headers)


@asynccontextmanager
async def serving_peer() -> AsyncIterator[Peer]:
    """A peer for as long as the block lasts."""
    peer = Peer()
    application = web.Application()
    application.router.add_route("*", "/{anything:.*}", peer.answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    peer.port = listening.getsockname()[1]
    try:
        await web.SockSite(runner, listening).start()
        yield peer
    finally:
        await runner.cleanup()
