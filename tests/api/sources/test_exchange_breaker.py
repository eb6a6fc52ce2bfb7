"""Which conversations make a source sick, and what then becomes of the next ones, over real sockets."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from api.metrics import REGISTRY
from api.sources import SourceFailed, Why
from api.sources.breaker import Breaker
from api.sources.exchange import Conversation, Exchange, Line
from tests.support.exchanging import leaving_nothing
from tests.support.faults import FaultProxy
from tests.support.http_peer import serving_peer


async def _get(talk: Conversation) -> None:
    await talk.get("/x")


async def _ask(exchange: Exchange, ask: Callable[[Conversation], Awaitable[None]] = _get) -> None:
    async with exchange.conversation(time.monotonic() + 30) as talk:
        await ask(talk)


class _Shifted:
    """The real monotonic clock, moved ahead by a test."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


def _state() -> float | None:
    return REGISTRY.get_sample_value("creditline_source_breaker", {"source": "synthetic"})


def test_a_sick_source_is_left_alone_and_comes_back() -> None:
    """After five failures nothing is sent; after the rest one request tries, and its success lets all through."""

    async def work() -> None:
        clock = _Shifted()
        async with serving_peer() as peer:
            with FaultProxy(peer.port) as proxy:
                exchange = Exchange(Line("synthetic", proxy.url, {}, timeout_s=5.0), clock)

                async def why() -> Why | None:
                    try:
                        async with exchange.conversation(clock() + 5) as talk:
                            await talk.post("/x", {})
                    except SourceFailed as failure:
                        return failure.why
                    return None

                proxy.fault = "server_error"
                assert [await why() for _ in range(8)] == ["status"] * 5 + ["breaker_open"] * 3
                assert proxy.requests == 5
                clock.ahead += 6.0
                assert [await why() for _ in range(2)] == ["status", "breaker_open"]
                proxy.fault = "pass"
                clock.ahead += 6.0
                together = await asyncio.gather(*(why() for _ in range(5)))
                assert sorted(map(str, together)) == ["None"] + ["breaker_open"] * 4
                assert _state() == 0
                assert [await why() for _ in range(3)] == [None] * 3
                await exchange.close()

    leaving_nothing(work())


async def _opens(exchange: Exchange, breaker: Breaker, ask: Callable[[], Awaitable[object]]) -> bool:
    for _ in range(3):
        with suppress(SourceFailed, asyncio.CancelledError, TimeoutError):
            await ask()
    return breaker.admit() is None


@pytest.mark.parametrize(
    ("status", "opens"),
    [(200, False), (302, False), (401, False), (404, False), (429, False), (500, True), (503, False)],
)
def test_which_statuses_make_a_source_sick(status: int, opens: bool) -> None:
    """Only its own faults do: not our credentials, not one strange application, not a plea for patience."""

    async def work() -> None:
        async with serving_peer() as peer:
            breaker = Breaker("synthetic", in_a_row=3)
            exchange = Exchange(Line("synthetic", peer.url, {}), breaker=breaker)
            peer.status = status
            assert await _opens(exchange, breaker, lambda: _ask(exchange)) is opens
            await exchange.close()

    leaving_nothing(work())


@pytest.mark.parametrize(
    ("why", "opens"), [("schema", True), ("malformed", True), ("internal", False), ("pretended", False)]
)
def test_a_clients_judgement_counts(why: Why, opens: bool) -> None:
    """What a client finds wrong with a whole answer counts as the source's failure; our own mistakes do not."""

    async def work() -> None:
        async with serving_peer() as peer:
            breaker = Breaker("synthetic", in_a_row=3)
            exchange = Exchange(Line("synthetic", peer.url, {}), breaker=breaker)

            async def judged(talk: Conversation) -> None:
                await talk.get("/x")
                raise SourceFailed(why)

            assert await _opens(exchange, breaker, lambda: _ask(exchange, judged)) is opens
            await exchange.close()

    leaving_nothing(work())


async def _silent(exchange: Exchange, seconds: float, own_s: float) -> None:
    """Ask somebody silent with so much time, and with a timer of the caller's own."""
    began = time.monotonic()
    async with asyncio.timeout_at(began + own_s), exchange.conversation(began + seconds) as talk:
        await talk.get("/x")


@pytest.mark.parametrize(
    ("line_s", "seconds", "own_s", "opens"),
    [(0.5, 30.0, 30.0, True), (30.0, 0.5, 30.0, True), (30.0, 0.5, 0.5, True), (30.0, 0.05, 30.0, False),
     (30.0, 30.0, 0.05, False)],
    ids=["line's limit", "caller's limit", "caller's own timer", "in a hurry", "gone away"],
)  # fmt: skip
def test_only_fair_timeouts_make_a_source_sick(line_s: float, seconds: float, own_s: float, opens: bool) -> None:
    """A silent source is sick once it had a fair time to answer; a caller in a hurry costs nobody else anything."""

    async def work() -> None:
        async with serving_peer() as peer:
            peer.held = asyncio.Event()
            breaker = Breaker("synthetic", in_a_row=3)
            exchange = Exchange(Line("synthetic", peer.url, {}, timeout_s=line_s, fair_s=0.1), breaker=breaker)
            assert await _opens(exchange, breaker, lambda: _silent(exchange, seconds, own_s)) is opens
            peer.held.set()
            await exchange.close()

    leaving_nothing(work())


def test_a_conversation_without_a_request_says_nothing() -> None:
    """A client that had nothing to ask neither heals a source nor ends a row of failures."""

    async def work() -> None:
        async with serving_peer() as peer:
            breaker = Breaker("synthetic", in_a_row=3)
            exchange = Exchange(Line("synthetic", peer.url, {}), breaker=breaker)
            peer.status = 500

            async def both() -> None:
                async with exchange.conversation(time.monotonic() + 5):
                    pass
                await _ask(exchange)

            assert await _opens(exchange, breaker, both)
            await exchange.close()

    leaving_nothing(work())
