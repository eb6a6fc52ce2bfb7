"""An open-loop HTTP client in a process of its own: `python -m benchmarks.arrivals` reads a plan, writes replies.

It does: send each request at its drawn moment, whether or not earlier ones were answered, over kept-alive
connections. It does not: wait for its turn: with no connection free it opens one more. The rule it keeps: latency
counts from the moment a request was meant to be sent, so a stalled server cannot hide behind a patient client.
"""

import asyncio
import gc
import json
import random
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field

_CONNECTIONS = 32  # opened before the first arrival
_MOST_CONNECTIONS = 900
_PATIENCE_SECONDS = 60.0
_HEAD_START_SECONDS = 0.5
_KEY_MARK = b"{key}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send where: `requests` are whole HTTP requests taken in turn, `{key}` becomes a key used once."""

    port: int
    seed: int
    rate: float  # a second; 0 sends the next request when the one before is answered
    seconds: float
    requests: tuple[str, ...]
    count: int = 0  # of requests, where the rate is 0
    run: str = ""  # goes into every key


@dataclass(slots=True)
class Replies:
    """What came back. Times in milliseconds; `late_ms` is how late the client itself was in sending."""

    status: dict[str, int] = field(default_factory=dict)
    latency_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    seconds: float = 0.0  # from the first intended sending to the last reply


class Unsent(ConnectionError):
    """The client has no connection left: that many requests wait for their replies already."""


class Connection(asyncio.Protocol):
    """One kept-alive connection with at most one request on its way."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._waiting: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Collect until head and body are whole, then give the status."""
        self._buffer += data
        head, mark, body = self._buffer.partition(b"\r\n\r\n")
        if mark and len(body) >= _body_length(head):
            self._buffer = b""
            if self._waiting is not None and not self._waiting.done():
                self._waiting.set_result(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits gets the loss."""
        self._transport = None
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionError("the connection was lost"))

    @property
    def alive(self) -> bool:
        """Whether another request can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes) -> int:
        """Send a request and wait for its status; ConnectionError or TimeoutError otherwise."""
        if self._transport is None:
            raise ConnectionError("the connection was lost")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await asyncio.wait_for(self._waiting, _PATIENCE_SECONDS)
        except TimeoutError:
            self._transport.abort()
            raise


def _body_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ConnectionError("a reply without content-length")


class Client:
    """Sends the requests of one plan and keeps what comes back."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._requests = [text.encode() for text in plan.requests]
        self._free: deque[Connection] = deque()
        self._open = 0
        self.replies = Replies()

    async def run(self) -> Replies:
        """Send everything and wait for the last reply."""
        for _ in range(_CONNECTIONS if self._plan.rate else 1):
            self._free.append(await self._connect())
        started = asyncio.get_running_loop().time() + _HEAD_START_SECONDS
        await (self._drawn(started) if self._plan.rate else self._in_turn())
        self.replies.seconds = asyncio.get_running_loop().time() - started
        return self.replies

    async def _drawn(self, started: float) -> None:
        loop, tasks = asyncio.get_running_loop(), []
        for place, after in enumerate(arrivals(self._plan.seed, self._plan.rate, self._plan.seconds)):
            if (wait := started + after - loop.time()) > 0:
                await asyncio.sleep(wait)
            tasks.append(loop.create_task(self._one(place, started + after)))
        await asyncio.gather(*tasks)

    async def _in_turn(self) -> None:
        for place in range(self._plan.count):
            await self._one(place, asyncio.get_running_loop().time())

    async def _one(self, place: int, due: float) -> None:
        loop = asyncio.get_running_loop()
        self.replies.late_ms.append((loop.time() - due) * 1_000)
        key = f"bench-{self._plan.run}-{place:010d}".encode()
        request = self._requests[place % len(self._requests)].replace(_KEY_MARK, key, 1)
        try:
            connection = self._idle() or await self._connect()
            status = str(await connection.ask(request))
        except (OSError, TimeoutError) as error:
            self._count(type(error).__name__)
            return
        self.replies.latency_ms.append((loop.time() - due) * 1_000)
        self._count(status)
        if connection.alive:
            self._free.append(connection)

    def _count(self, status: str) -> None:
        self.replies.status[status] = self.replies.status.get(status, 0) + 1

    def _idle(self) -> Connection | None:
        """A connection that is free and open still: a server may close one that nothing is under way on."""
        while self._free:
            if (connection := self._free.pop()).alive:
                return connection
        return None

    async def _connect(self) -> Connection:
        if self._open >= _MOST_CONNECTIONS:
            raise Unsent
        self._open += 1
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, "127.0.0.1", self._plan.port)
        return connection


def arrivals(seed: int, rate: float, seconds: float) -> Iterator[float]:
    """Moments of a Poisson process, seconds from the start."""
    dice, at = random.Random(seed), 0.0
    while (at := at + dice.expovariate(rate)) < seconds:
        yield at


def http(method: str, path: str, headers: Sequence[tuple[str, str]] = (), body: str = "") -> str:
    """A whole HTTP request as text."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Content-Length: {len(body.encode())}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join(lines) + "\r\n\r\n" + body


def main() -> None:
    """Read a plan from standard input, carry it out, write the replies to standard output."""
    told = json.load(sys.stdin)
    plan = Plan(**{**told, "requests": tuple(told["requests"])})
    gc.disable()  # a pause of the client would look like one of the server
    json.dump(asdict(asyncio.run(Client(plan).run())), sys.stdout)


if __name__ == "__main__":
    main()
