"""Every way in which a source can misbehave, over real sockets: one word, in time, nothing shown, nothing left."""

import asyncio
import logging
import subprocess
import sys
import time
import traceback
from pathlib import Path

import pytest

from api.sources import SourceFailed, Why
from api.sources.exchange import Exchange, Line
from tests.support.exchanging import leaving_nothing
from tests.support.faults import OVERSIZED_BYTES, Fault, FaultProxy
from tests.support.http_peer import serving_peer

ROOT = Path(__file__).resolve().parents[3]
CREDENTIAL = "Bearer s3cret"
SEARCHED = {"name": "Jane Citizen", "born": "1980-02-29"}
ANSWER = b'{"entity": "Rosebud Pty Ltd"}'
SHOWN_NOWHERE = ("s3cret", "Jane", "Citizen", "1980-02-29", "Rosebud")

FAILURES: list[tuple[Fault, Why]] = [
    ("refuse", "refused"),
    ("reset", "reset"),
    ("cut_short", "reset"),
    ("black_hole", "timeout"),
    ("trickle", "timeout"),
    ("slow_start", "timeout"),
    ("corrupt_byte", "encoding"),
    ("oversized", "oversized"),
    ("oversized_announced", "oversized"),
    ("wrong_charset", "encoding"),
    ("compressed", "encoding"),
    ("redirect", "redirect"),
    ("unauthorised", "unauthorised"),
    ("server_error", "status"),
    ("too_many", "busy"),
    ("garbage", "malformed"),
    ("long_header", "malformed"),
]
TLS_FAILURES: list[tuple[Fault, Why]] = [("tls_failure", "tls"), ("tls_garbage", "tls")]
EVERYWHERE = [*((*row, False) for row in FAILURES), *((*row, True) for row in FAILURES + TLS_FAILURES)]


def _line(proxy: FaultProxy, timeout_s: float = 20.0) -> Line:
    return Line("synthetic", proxy.url, {"Authorization": CREDENTIAL}, timeout_s=timeout_s, ca_file=proxy.ca_file)


async def _failure(exchange: Exchange, method: str, headers: dict[str, str] | None = None) -> SourceFailed:
    try:
        async with exchange.conversation(time.monotonic() + 30) as talk:
            if method == "GET":
                await talk.get("/people", SEARCHED, headers=headers)
            else:
                await talk.post("/people", SEARCHED, headers=headers)
    except SourceFailed as failure:
        return failure
    pytest.fail("an answer came")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("fault", "why", "tls"), EVERYWHERE)
def test_each_fault_has_its_word(
    fault: Fault, why: Why, method: str, tls: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The word fits; neither the error with all that hangs on it nor any log holds a credential or personal data."""
    caplog.set_level(logging.DEBUG)

    async def work() -> SourceFailed:
        async with serving_peer() as peer:
            peer.body = ANSWER
            with FaultProxy(peer.port, tls=tls) as proxy:
                proxy.fault = fault
                exchange = Exchange(_line(proxy, timeout_s=0.6 if why == "timeout" else 20.0))
                try:
                    return await _failure(exchange, method)
                finally:
                    await exchange.close()

    failed = leaving_nothing(work())
    assert failed.why == why
    shown = "".join(traceback.format_exception(failed)) + caplog.text
    assert [secret for secret in SHOWN_NOWHERE if secret in shown] == []


@pytest.mark.parametrize("fault", ["truncated_json", "wrong_schema", "pass"])
def test_what_is_whole_and_readable_is_the_clients_to_judge(fault: Fault) -> None:
    """A well-framed UTF-8 answer gets through, whatever it says."""

    async def work() -> bytes:
        async with serving_peer() as peer:
            with FaultProxy(peer.port) as proxy:
                proxy.fault = fault
                exchange = Exchange(_line(proxy))
                async with exchange.conversation(time.monotonic() + 30) as talk:
                    body = (await talk.get("/x")).body
                await exchange.close()
                return body

    expected = {"truncated_json": b'{"found', "wrong_schema": b'{"weather": "fine", "degrees": [21, 23]}'}
    assert leaving_nothing(work()) == expected.get(fault, b'{"found": true}')


@pytest.mark.parametrize("fault", ["reset", "cut_short", "server_error", "too_many"])
@pytest.mark.parametrize(
    ("method", "headers", "tries"),
    [("GET", {}, 2), ("POST", {}, 1), ("POST", {"idempotency-key": "app_1"}, 2)],
)
def test_one_more_try_where_that_is_safe(fault: Fault, method: str, headers: dict[str, str], tries: int) -> None:
    """A GET and a POST with a key are sent twice at most, the library's own second try included; a bare POST once."""

    async def work() -> int:
        async with serving_peer() as peer:
            with FaultProxy(peer.port) as proxy:
                proxy.fault = fault
                exchange = Exchange(_line(proxy))
                await _failure(exchange, method, headers)
                await exchange.close()
                return proxy.requests

    assert leaving_nothing(work()) == tries


@pytest.mark.parametrize(
    "fault", ["slow_start", "corrupt_byte", "oversized", "wrong_charset", "redirect", "unauthorised", "garbage"]
)
def test_what_will_not_pass_is_not_tried_again(fault: Fault) -> None:
    """A source that is slow, wrong or unwilling is asked once."""

    async def work() -> int:
        async with serving_peer() as peer:
            with FaultProxy(peer.port) as proxy:
                proxy.fault = fault
                exchange = Exchange(_line(proxy, timeout_s=0.6 if fault == "slow_start" else 20.0))
                await _failure(exchange, "GET")
                await exchange.close()
                return proxy.requests

    assert leaving_nothing(work()) == 1


def test_a_passing_fault_costs_one_retry_and_leaves_no_trace() -> None:
    """After one reset the second try's answer counts, and the digest is that of the whole body alone."""

    async def work() -> tuple[bytes, str | None, str | None]:
        async with serving_peer() as peer:
            peer.body = b'"' + b"a" * 5_000 + b'"'
            with FaultProxy(peer.port) as proxy:
                proxy.after = 3_000
                proxy.fail("reset", times=1)
                exchange = Exchange(_line(proxy))
                async with exchange.conversation(time.monotonic() + 30) as talk:
                    body = (await talk.get("/x")).body
                async with exchange.conversation(time.monotonic() + 30) as again:
                    await again.get("/x")
                await exchange.close()
                assert proxy.requests == 3
                return body, talk.digest, again.digest

    body, digest, same = leaving_nothing(work())
    assert len(body) == 5_002
    assert digest == same is not None


@pytest.mark.parametrize("fault", ["black_hole", "trickle", "slow_start"])
def test_the_callers_time_is_kept(fault: Fault) -> None:
    """A caller with 200 ms has its answer long before the line's own limit of five seconds."""

    async def work() -> float:
        async with serving_peer() as peer:
            with FaultProxy(peer.port) as proxy:
                proxy.fault, proxy.delay_s = fault, 5.0
                exchange = Exchange(_line(proxy, timeout_s=5.0))
                began = time.monotonic()
                with pytest.raises(SourceFailed, match="timeout"):
                    async with exchange.conversation(began + 0.2) as talk:
                        await talk.get("/x")
                took = time.monotonic() - began
                await exchange.close()
                return took

    assert leaving_nothing(work()) < 2.0


def test_the_time_is_that_of_the_whole_conversation() -> None:
    """Answers that are each in time do not add up to more time than there was."""

    async def ask_for_ever(exchange: Exchange) -> None:
        async with exchange.conversation(time.monotonic() + 30) as talk:
            while True:
                await talk.get("/x")

    async def work() -> int:
        async with serving_peer() as peer:
            with FaultProxy(peer.port) as proxy:
                proxy.fault, proxy.delay_s = "slow_start", 0.4
                exchange = Exchange(_line(proxy, timeout_s=1.0))
                with pytest.raises(SourceFailed, match="timeout"):
                    await ask_for_ever(exchange)
                await exchange.close()
                return proxy.requests

    assert leaving_nothing(work()) <= 3


@pytest.mark.parametrize("fault", ["oversized", "oversized_announced"])
def test_an_oversized_answer_is_cut_off(fault: Fault) -> None:
    """Fifty megabytes are neither kept (16 MB of memory are enough) nor taken off the source's hands."""
    child = """
import asyncio, sys, time
from api.sources import SourceFailed
from api.sources.exchange import Exchange, Line

def most() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

async def main() -> None:
    exchange = Exchange(Line("synthetic", sys.argv[1], {}, timeout_s=30.0))
    async with exchange.conversation(time.monotonic() + 30) as talk:
        await talk.get("/x")
    print("ready", flush=True)
    sys.stdin.readline()
    before, why = most(), ""
    try:
        async with exchange.conversation(time.monotonic() + 30) as talk:
            await talk.get("/x")
    except SourceFailed as failure:
        why = failure.why
    print(why, most() - before, flush=True)
    await exchange.close()

asyncio.run(main())
"""

    async def work() -> tuple[str, int]:
        async with serving_peer() as peer:
            with FaultProxy(peer.port) as proxy:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-c", child, proxy.url),
                    cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                )  # fmt: skip
                assert process.stdin is not None
                assert process.stdout is not None
                try:
                    assert await process.stdout.readline() == b"ready\n"
                    proxy.fault = fault
                    process.stdin.write(b"go\n")
                    why, kilobytes = (await process.stdout.readline()).split()
                    await process.wait()
                finally:
                    if process.returncode is None:
                        process.kill()
                assert proxy.sent < OVERSIZED_BYTES / 2
                return why.decode(), int(kilobytes)

    why, kilobytes = asyncio.run(work())
    assert why == "oversized"
    assert kilobytes <= 16 * 1024
