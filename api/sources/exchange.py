"""One exchange with a source over HTTP: bounded in time, in bytes and in tries. The only module that knows the
HTTP library.

It does: send requests, read answers within limits, turn every way of failing into one word, keep the digest of
what came, and leave a sick source alone. It does not: follow redirects, keep cookies, decompress, read what an
answer means (clients do), or log. The rule it keeps: whatever a source does, a conversation ends by its deadline
with whole, uncompressed answers or with SourceFailed, and leaves no task and no half-read connection behind.
"""

import asyncio
import codecs
import hashlib
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import stamina
from yarl import URL

from api.sources import SourceFailed, Why
from api.sources.breaker import Breaker, Verdict
from api.sources.line import Headers, Line, check_headers, segment
from api.sources.patience import TRIES, Patience, RetryBudget
from api.sources.refusals import check_encoding, check_status, is_passing, is_sick

__all__ = ["Conversation", "Exchange", "Headers", "Line", "Reply", "segment"]

MOST_REQUESTS = 200  # in one conversation: a source that pages without end is stopped here
_MOST_ANSWERS = 8  # the bodies of one conversation together may be so many times as large as one
_HEADER_LINE_BYTES = 8_190
_HEADER_LINES = 100
_READ_BYTES = 65_536  # twice as much may wait in a connection's buffer
_TIMERS_S = 0.02  # how far apart two timers for one moment may ring
# Common servers hang up after five idle seconds: a connection is given up before, or a POST could meet its end.
_IDLE_S = 4.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A source's whole answer to one request. `status` is 200, or one of `allow`."""

    status: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, repr=False)
class _Request:
    method: str
    url: URL
    headers: Headers
    good: tuple[int, ...]
    text: bool
    place: int  # among the requests of the conversation, in the order asked
    again: bool  # may be sent twice
    body: bytes | None = None


class Conversation:
    """One or more requests to one source about one application."""

    def __init__(
        self, line: Line, session: aiohttp.ClientSession, budget: RetryBudget, ends: float, clock: Callable[[], float]
    ) -> None:
        self._line, self._session, self._budget, self._ends, self._clock = line, session, budget, ends, clock
        self._digests: list[bytes | None] = []  # one place a request, in the order asked
        self._received = 0
        self._sandbox = False

    async def get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        headers: Headers | None = None,
        allow: tuple[int, ...] = (),
        text: bool = True,
    ) -> Reply:
        """GET path; any status but 200 and those in `allow` raises SourceFailed. Retried once where that is safe.

        `path` is below the line's address and holds percent-encoded segments only (`segment` makes them). `text`
        says that the body has to be UTF-8.
        """
        return await self._ask("GET", path, query, headers, (200, *allow), text)

    async def post(
        self, path: str, body: object, *, headers: Headers | None = None, allow: tuple[int, ...] = ()
    ) -> Reply:
        """POST a JSON body (200 and 201 are good); retried only with an idempotency key among `headers`."""
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")
        return await self._ask("POST", path, None, headers, (200, 201, *allow), True, content)

    @property
    def digest(self) -> str | None:
        """SHA-256 over all bodies received, in the order in which they were asked for; None before the first.

        Of one body, its SHA-256; of several, the SHA-256 of their 32-byte SHA-256s one after another.
        """
        received = [digest for digest in self._digests if digest is not None]
        if len(received) > 1:
            return hashlib.sha256(b"".join(received)).hexdigest()
        return received[0].hex() if received else None

    @property
    def sandbox(self) -> bool:
        """Whether any answer said that it is sandbox data."""
        return self._sandbox

    @property
    def asked(self) -> int:
        """How many requests were made, retries not counted."""
        return len(self._digests)

    async def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        headers: Headers | None,
        good: tuple[int, ...],
        text: bool,
        body: bytes | None = None,
    ) -> Reply:
        if len(self._digests) >= MOST_REQUESTS:
            raise SourceFailed("oversized")
        headers = headers or {}
        again = method == "GET" or any(name.lower() == "idempotency-key" for name in headers)
        if body is not None:
            headers = {**headers, "Content-Type": "application/json"}
        check_headers(self._line.name, headers)
        place = len(self._digests)
        self._digests.append(None)
        request = _Request(
            method, URL(self._line.address(path, query), encoded=True), headers, good, text, place, again, body
        )
        patience = Patience(self._budget, self._ends, is_passing if again else (lambda _: False), self._clock)
        async for attempt in stamina.retry_context(on=patience, attempts=TRIES, timeout=None):
            with attempt:
                return await self._try(request)
        raise AssertionError("a request ends with an answer or a failure")

    async def _try(self, request: _Request) -> Reply:
        if self._session.closed:
            raise SourceFailed("reset")  # the service is being stopped
        response = await self._session.request(
            request.method, request.url, headers=request.headers, data=request.body, allow_redirects=False
        )
        try:
            self._sandbox = self._sandbox or "X-Sandbox" in response.headers
            check_status(response.status, response.headers, request.good)
            check_encoding(response.headers, request.text)
            return Reply(response.status, await self._read(response, request))
        finally:
            response.close()  # cuts the connection unless the whole body was read: then it is in the pool already

    async def _read(self, response: aiohttp.ClientResponse, request: _Request) -> bytes:
        """The whole body; every failure leaves the connection to be cut by the caller."""
        most = self._line.most_bytes
        if (response.content_length or 0) > most:
            raise SourceFailed("oversized")
        body = bytearray()
        digest = hashlib.sha256()
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            async for chunk in response.content.iter_any():
                body += chunk
                self._received += len(chunk)
                digest.update(chunk)
                if len(body) > most or self._received > _MOST_ANSWERS * most:
                    raise SourceFailed("oversized")
                if request.text:
                    decoder.decode(chunk)
            if request.text:
                decoder.decode(b"", final=True)
        except (aiohttp.ClientError, OSError, UnicodeDecodeError) as failure:
            why = _why(failure)
        else:
            self._digests[request.place] = digest.digest()
            return bytes(body)
        finally:
            body.clear()  # a failure keeps its frames, and megabytes with them, until the collector comes by
        raise SourceFailed(why)  # outside the handler: the library's errors hold addresses and pieces of the body


class Exchange:
    """All conversations with one source: its connections, its breaker and its retry budget.

    The connections belong to the event loop of the first conversation; `close` gives them up. `clock` is monotonic.
    """

    def __init__(self, line: Line, clock: Callable[[], float] = time.monotonic, breaker: Breaker | None = None) -> None:
        self.line = line
        self._clock = clock
        self._breaker = breaker or Breaker(line.name, clock)
        self._budget = RetryBudget(line.name)
        self._session: aiohttp.ClientSession | None = None
        # Read now: a file of certificates that is not there stops the service at its start, not at its first request.
        secure = line.base_url.startswith("https:")
        self._tls = ssl.create_default_context(cafile=line.ca_file) if secure else None

    @asynccontextmanager
    async def conversation(self, until: float) -> AsyncIterator[Conversation]:
        """A conversation that ends by `until`, a moment of the clock, or by the line's own limit, whichever is first.

        Raises SourceFailed("breaker_open") at once when the source is being left alone, and SourceFailed("timeout")
        when the time is over; a failure of parallel requests in a task group leaves as the first of them.
        """
        ends = min(until, self._clock() + self.line.timeout_s)
        given = ends - self._clock()
        if given <= 0:
            raise SourceFailed("timeout")
        permit = self._breaker.admit()
        if permit is None:
            raise SourceFailed("breaker_open")
        verdict: Verdict = "neither"
        # Somebody in a hurry says nothing about the source.
        late: Verdict = "sick" if given >= min(self.line.fair_s, self.line.timeout_s / 2) else "neither"
        try:
            talk = Conversation(self.line, self._connected(), self._budget, ends, self._clock)
            async with _within(given):
                yield talk
            verdict = "well" if talk.asked else "neither"
        except SourceFailed as failure:
            verdict = late if failure.why == "timeout" else "sick" if is_sick(failure) else "neither"
            raise
        except asyncio.CancelledError:
            # The caller's own timer for the same moment may be the first to ring.
            verdict = late if ends - self._clock() < _TIMERS_S else "neither"
            raise
        finally:
            self._breaker.tell(permit, verdict)

    async def close(self) -> None:
        """Give up all connections; a later conversation opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self.line.most_connections, keepalive_timeout=_IDLE_S, ssl=self._tls or True
                ),
                headers={"Accept-Encoding": "identity", "User-Agent": "creditline", **self.line.headers},
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),  # a conversation has one limit: its own
                auto_decompress=False,
                trust_env=False,  # neither proxies nor credentials from the environment
                middlewares=(_send_once,),
                read_bufsize=_READ_BYTES,
                max_line_size=_HEADER_LINE_BYTES,
                max_field_size=_HEADER_LINE_BYTES,
                max_headers=_HEADER_LINES,
            )
        return self._session


@asynccontextmanager
async def _within(seconds: float) -> AsyncIterator[None]:
    """End the block after so many seconds with SourceFailed("timeout"), and a group of failures with its first."""
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise SourceFailed("timeout") from None
    except BaseExceptionGroup as group:
        failed = group.subgroup(SourceFailed)
        first: BaseException | None = failed
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        if first is None or group.split(SourceFailed)[1] is not None:
            raise
        raise first from None


async def _send_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Turn the library's errors into words, before the library sends a GET again of its own accord."""
    try:
        return await send(request)
    except (aiohttp.ClientError, OSError) as failure:
        why = _why(failure)
    raise SourceFailed(why)  # outside the handler, so that nothing of the library's error is kept


def _why(failure: Exception) -> Why:
    """The word for an error of the HTTP library or the socket."""
    match failure:
        case aiohttp.ClientSSLError() | aiohttp.ServerFingerprintMismatch() | ssl.SSLError():
            return "tls"
        case aiohttp.ClientConnectorError():
            return "refused"
        case aiohttp.ClientPayloadError() | aiohttp.ClientConnectionError() | OSError():
            return "timeout" if isinstance(failure, TimeoutError) else "reset"
        case UnicodeDecodeError():
            return "encoding"
        case aiohttp.ClientResponseError():
            return "malformed"  # the library raises it by itself only for what is not HTTP
        case _:
            return "internal"
