"""Conversations with a well-behaved peer over real sockets: what is sent, what is kept, and how limits hold."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from api.sources import SourceFailed, Why
from api.sources.exchange import MOST_REQUESTS, Conversation, Exchange, Line
from tests.support.exchanging import leaving_nothing
from tests.support.faults import FaultProxy
from tests.support.http_peer import Peer, serving_peer

BODY = b'{"found": true}'


@asynccontextmanager
async def _opened(
    *, most_bytes: int = 4_000_000, most_connections: int = 32, timeout_s: float = 10.0
) -> AsyncIterator[tuple[Peer, Exchange]]:
    async with serving_peer() as peer:
        line = Line(
            "synthetic", peer.url + "/base", {"Authorization": "Bearer s3cret"},
            most_bytes=most_bytes, most_connections=most_connections, timeout_s=timeout_s,
        )  # fmt: skip
        exchange = Exchange(line)
        try:
            yield peer, exchange
        finally:
            await exchange.close()


async def _ask(exchange: Exchange, ask: Callable[[Conversation], Awaitable[object]] | None = None) -> Conversation:
    async with exchange.conversation(time.monotonic() + 30) as talk:
        await (talk.get("/x") if ask is None else ask(talk))
    return talk


async def _why(exchange: Exchange, ask: Callable[[Conversation], Awaitable[object]] | None = None) -> Why | None:
    try:
        await _ask(exchange, ask)
    except SourceFailed as failure:
        return failure.why
    return None


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.005)


def _sha(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


# -- what is sent --------------------------------------------------------------------------------------------


def test_what_a_request_carries() -> None:
    """The line's headers and those of the request, no wish for compression, and nothing of anybody's environment."""

    async def work() -> None:
        async with _opened() as (peer, exchange):
            await _ask(exchange, lambda talk: talk.get("/x", {"name": "a b&c=d\r\nX: y#é"}, headers={"x-v": "2"}))
            await _ask(exchange, lambda talk: talk.post("/y", {"name": "Zoë"}, headers={"Idempotency-Key": "app_1"}))
            got, posted = peer.seen
            assert (got.method, got.raw_path) == ("GET", "/base/x?name=a%20b%26c%3Dd%0D%0AX%3A%20y%23%C3%A9")
            assert dict(got.headers) == {
                "Host": f"127.0.0.1:{peer.port}", "Authorization": "Bearer s3cret", "x-v": "2",
                "Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "creditline",
            }  # fmt: skip
            assert (posted.method, posted.raw_path, posted.body) == ("POST", "/base/y", '{"name":"Zoë"}'.encode())
            assert posted.headers["Content-Type"] == "application/json"
            assert posted.headers["Idempotency-Key"] == "app_1"

    leaving_nothing(work())


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\x00"])
def test_a_header_cannot_bring_another_one(value: str) -> None:
    """A value with control characters is a mistake that sends nothing and is not repeated."""

    async def work() -> None:
        async with _opened() as (peer, exchange):
            with pytest.raises(ValueError, match="control characters") as failure:
                await _ask(exchange, lambda talk: talk.post("/x", {}, headers={"Idempotency-Key": value}))
            assert value not in str(failure.value)
            assert peer.seen == []

    leaving_nothing(work())


def test_cookies_are_not_kept() -> None:
    """A cookie that a source sets does not come back to it: nothing ties two applications together."""

    async def work() -> None:
        async with serving_peer() as peer:
            peer.headers["Set-Cookie"] = "seen=1; Path=/"
            # By name: for bare addresses the library keeps no cookies anyway.
            exchange = Exchange(Line("synthetic", f"http://localhost:{peer.port}", {}))
            await _ask(exchange)
            await _ask(exchange)
            await exchange.close()
            assert ["Cookie" in seen.headers for seen in peer.seen] == [False, False]

    leaving_nothing(work())


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment is not used."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)

    async def work() -> None:
        async with _opened() as (_, exchange):
            await _ask(exchange)

    leaving_nothing(work())


def test_a_private_authority_is_trusted_when_named() -> None:
    """With its file of certificates a TLS source is reached; without, it is not."""

    async def work() -> None:
        async with serving_peer() as peer:
            with FaultProxy(peer.port, tls=True) as proxy:
                for ca_file, why in ((proxy.ca_file, None), (None, "tls")):
                    exchange = Exchange(Line("synthetic", proxy.url, {}, ca_file=ca_file))
                    assert await _why(exchange) == why
                    await exchange.close()

    leaving_nothing(work())


# -- what comes back -----------------------------------------------------------------------------------------


def test_an_answer_and_its_mark() -> None:
    """Status and body arrive as they are; the mark of a sandbox is noticed wherever it appears."""

    async def work() -> None:
        async with _opened() as (peer, exchange), exchange.conversation(time.monotonic() + 30) as talk:
            assert (talk.digest, talk.sandbox) == (None, False)
            reply = await talk.get("/x")
            assert (reply.status, reply.body, talk.sandbox) == (200, BODY, False)
            peer.headers["X-Sandbox"], peer.status = "synthetic", 404
            with pytest.raises(SourceFailed, match="status"):
                await talk.get("/y")
            assert talk.sandbox
            assert talk.digest == _sha(BODY)
            assert (await talk.get("/z", allow=(404,))).status == 404

    leaving_nothing(work())


@pytest.mark.parametrize(
    ("status", "get", "post"),
    [
        *((200, None, None), (201, "status", None), (204, "status", "status"), (301, "redirect", "redirect")),
        *((304, "redirect", "redirect"), (400, "status", "status"), (401, "unauthorised", "unauthorised")),
        *((403, "unauthorised", "unauthorised"), (404, "status", "status"), (429, "busy", "busy")),
        *((500, "status", "status"), (503, "busy", "busy")),
    ],
)
def test_statuses(status: int, get: Why | None, post: Why | None) -> None:
    """Only the documented statuses are answers; each of the others has its word, and none is one if allowed."""

    async def work() -> None:
        async with _opened() as (peer, exchange):
            peer.status = status
            assert await _why(exchange) == get
            assert await _why(exchange, lambda talk: talk.post("/x", {})) == post
            assert await _why(exchange, lambda talk: talk.get("/x", allow=(status,))) is None

    leaving_nothing(work())


@pytest.mark.parametrize(("waits", "tries"), [({}, 2), ({"Retry-After": "1"}, 1)])
def test_a_busy_source_that_says_how_long_is_left_alone(waits: dict[str, str], tries: int) -> None:
    """Retry-After is longer than any conversation: then there is no second try."""

    async def work() -> None:
        async with _opened() as (peer, exchange):
            peer.status, peer.headers = 503, waits
            assert await _why(exchange) == "busy"
            assert len(peer.seen) == tries

    leaving_nothing(work())


@pytest.mark.parametrize(
    ("content_type", "body", "text", "why"),
    [
        ("application/json", "é".encode(), True, None),
        ("application/json; charset=UTF-8", b"{}", True, None),
        ('application/json; charset="utf-8"', b"{}", True, None),
        ("application/json; charset=utf-16", b"{}", True, "encoding"),
        ("application/json", "é".encode("latin-1"), True, "encoding"),
        ("application/json", "é".encode()[:1], True, "encoding"),
        ("application/octet-stream; charset=latin-1", b"PK\x03\x04\xff\xfe", False, None),
    ],
)
def test_text_is_utf8(content_type: str, body: bytes, text: bool, why: Why | None) -> None:
    """A text has to say nothing but UTF-8 and be it, to its last byte; a file of bytes may be anything."""

    async def work() -> None:
        async with _opened() as (peer, exchange):
            peer.headers["Content-Type"], peer.body = content_type, body
            assert await _why(exchange, lambda talk: talk.get("/x", text=text)) == why

    leaving_nothing(work())


def test_the_digest_follows_the_order_of_asking() -> None:
    """Of parallel answers the first asked counts first, though it comes last; failed ones do not count."""

    async def work() -> None:
        async with serving_peer() as peer:
            peer.bodies = {"/a": b"[1]", "/b": b"[2]"}
            with FaultProxy(peer.port) as proxy:
                exchange = Exchange(Line("synthetic", proxy.url, {}, timeout_s=10.0))
                proxy.delay_s = 0.3
                async with exchange.conversation(time.monotonic() + 30) as talk:
                    first = asyncio.create_task(talk.get("/a"))
                    proxy.fail("slow_start", times=1)
                    await _until(lambda: proxy.requests == 1)
                    await talk.get("/b")
                    assert not first.done()
                    await first
                await exchange.close()
        one, two = (hashlib.sha256(body).digest() for body in (b"[1]", b"[2]"))
        assert talk.digest == _sha(one + two)

    leaving_nothing(work())


# -- limits --------------------------------------------------------------------------------------------------


def test_the_limit_of_one_body() -> None:
    """A body of exactly the limit is taken, and one byte more is not."""

    async def work() -> None:
        async with _opened(most_bytes=100_000) as (peer, exchange):
            peer.body = b" " * 100_000
            assert await _why(exchange) is None
            peer.body += b" "
            assert await _why(exchange) == "oversized"

    leaving_nothing(work())


def test_an_announced_length_is_enough_to_refuse() -> None:
    """A length beyond the limit is refused before a byte of the body has come."""

    async def announce(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n")
        await reader.read()
        writer.close()

    async def work() -> None:
        async with await asyncio.start_server(announce, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            exchange = Exchange(Line("synthetic", f"http://127.0.0.1:{port}", {}, timeout_s=10.0))
            assert await _why(exchange) == "oversized"
            await exchange.close()

    leaving_nothing(work())


def test_the_limit_of_all_bodies() -> None:
    """Bodies that are each within the limit are not more than eight times the limit together."""

    async def work() -> None:
        async with _opened(most_bytes=1_000) as (peer, exchange):
            peer.body = b" " * 900
            assert await _why(exchange, lambda talk: _times(talk, 8)) is None
            assert await _why(exchange, lambda talk: _times(talk, 9)) == "oversized"

    leaving_nothing(work())


def test_the_limit_of_requests() -> None:
    """A source that pages without end is stopped."""

    async def work() -> None:
        async with _opened() as (peer, exchange):
            assert await _why(exchange, lambda talk: _times(talk, 10_000)) == "oversized"
            assert len(peer.seen) == MOST_REQUESTS

    leaving_nothing(work())


async def _times(talk: Conversation, count: int) -> None:
    for _ in range(count):
        await talk.get("/x")


def test_the_limit_of_connections() -> None:
    """Forty conversations at once share three connections, and all are answered."""

    async def work() -> None:
        async with _opened(most_connections=3) as (peer, exchange):
            talks = await asyncio.gather(*(_ask(exchange) for _ in range(40)))
            assert len(talks) == len(peer.seen) == 40
            assert peer.busiest <= 3
            assert len(peer.peers) <= 3

    leaving_nothing(work())


def test_connections_are_used_again() -> None:
    """Conversations one after another share a connection, until one of them is cut off."""

    async def work() -> None:
        async with _opened(most_bytes=1_000) as (peer, exchange):
            for _ in range(5):
                await _ask(exchange)
                await _ask(exchange, lambda talk: talk.post("/x", {}))
            assert len(peer.peers) == 1
            peer.body = b" " * 1_000_000
            assert await _why(exchange) == "oversized"
            peer.body = BODY
            await _ask(exchange)
            assert len(peer.peers) == 2

    leaving_nothing(work())


# -- endings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("waiting", [0, 3], ids=["while asking", "while waiting for a connection"])
def test_a_cancelled_conversation_leaves_nothing(waiting: int) -> None:
    """Cancelled in the middle, it passes the cancellation on, and its connection's place is free for the next."""

    async def work() -> None:
        async with _opened(most_connections=1) as (peer, exchange):
            peer.held = asyncio.Event()
            tasks = [asyncio.create_task(_ask(exchange)) for _ in range(1 + waiting)]
            await _until(lambda: peer.now == 1)
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert [type(end) for end in ended] == [asyncio.CancelledError] * len(tasks)
            peer.held.set()
            assert await _why(exchange) is None

    leaving_nothing(work())


def test_a_kept_failure_keeps_no_connection() -> None:
    """However long somebody holds on to the error, the connection's place is free at once."""

    async def work() -> None:
        async with _opened(most_bytes=1_000, most_connections=1) as (peer, exchange):
            peer.body = b" " * 1_000_000
            kept: list[SourceFailed] = []
            try:
                await _ask(exchange)
            except SourceFailed as failure:
                kept.append(failure)
            peer.body = BODY
            assert await _why(exchange) is None
            assert [failure.why for failure in kept] == ["oversized"]

    leaving_nothing(work())


def test_parallel_failures_leave_as_one() -> None:
    """The first failure in a task group ends the others and leaves the conversation by itself."""

    async def work() -> None:
        async with _opened() as (peer, exchange):
            peer.status = 404

            async def both(talk: Conversation) -> None:
                async with asyncio.TaskGroup() as group:
                    group.create_task(talk.get("/a"))
                    group.create_task(talk.get("/b"))

            assert await _why(exchange, both) == "status"

    leaving_nothing(work())


def test_no_time_is_no_conversation() -> None:
    """A caller whose time is over gets its timeout without a request."""

    async def work() -> None:
        async with _opened() as (peer, exchange):
            with pytest.raises(SourceFailed, match="timeout"):
                async with exchange.conversation(time.monotonic() - 0.001) as talk:
                    await talk.get("/x")
            assert peer.seen == []

    leaving_nothing(work())


def test_it_opens_again_after_closing() -> None:
    """Closing gives up every connection; during a conversation it reads as a reset, and a later one starts anew."""

    async def work() -> None:
        async with _opened() as (peer, exchange):
            peer.held = asyncio.Event()
            asking = asyncio.create_task(_why(exchange))
            await _until(lambda: peer.now == 1)
            await exchange.close()
            assert await asking == "reset"
            peer.held.set()
            assert await _why(exchange) is None

    leaving_nothing(work())
