"""What one exchange with a source costs this process, beside the HTTP libraries bare.

It does: time the processor, not the clock, over one kept-alive connection to a server in a process of its own. It
does not: measure a network. The rule it keeps: the server sends the same bytes to all, and its own time counts for
nobody.

`python -m benchmarks.transport serve` is that server; `... read URL` reads an answer whole, whatever its size, as a
client without limits does, and prints by how many MB its peak memory rose.
"""

import asyncio
import math
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median

import aiohttp
import httpx

from api.sources.exchange import Exchange, Line
from benchmarks.machine import ROOT
from benchmarks.processes import memory

BODY_BYTES = 65_536
_EACH = 50  # requests of one way in a row, in every round
_BODY = b'{"padding":"' + b"x" * (BODY_BYTES - 14) + b'"}'
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n\r\n" % BODY_BYTES
EXCHANGE, BARE, PEER = "our exchange", "aiohttp, bare", "httpx, bare"
MB_A_MIB = 1.048576


def measure(rounds: int) -> Mapping[str, float]:
    """Microseconds of processor time a request, the median of the rounds, each way in turn."""
    with _serving() as url:
        return asyncio.run(_measured(url, rounds))


async def _measured(url: str, rounds: int) -> dict[str, float]:
    exchange = Exchange(Line("transport", url, {}))
    async with aiohttp.ClientSession() as bare, httpx.AsyncClient() as peer:

        async def ours() -> bytes:
            async with exchange.conversation(math.inf) as conversation:
                return (await conversation.get("/")).body

        async def plain() -> bytes:
            async with bare.get(url) as response:
                return await response.read()

        async def other() -> bytes:
            return (await peer.get(url)).content

        ways: dict[str, Callable[[], Awaitable[bytes]]] = {EXCHANGE: ours, BARE: plain, PEER: other}
        spent = await _in_turn(ways, rounds)
    await exchange.close()
    return {name: median(times) for name, times in spent.items()}


async def _in_turn(ways: Mapping[str, Callable[[], Awaitable[bytes]]], rounds: int) -> dict[str, list[float]]:
    names = list(ways)
    spent: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(-1, rounds):  # the first round opens connections and warms up
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            before = time.process_time_ns()
            for _ in range(_EACH):
                if len(await ways[name]()) != BODY_BYTES:
                    raise ValueError(f"{name} read something else")
            if turn >= 0:
                spent[name].append((time.process_time_ns() - before) / 1_000 / _EACH)
    return spent


def rise_reading_whole(url: str) -> float:
    """MB by which the peak memory of a client without limits rises when it reads this answer."""
    done = subprocess.run(_command("read", url), cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


async def _read(url: str) -> float:
    async with aiohttp.ClientSession() as session:
        before = memory(os.getpid()).peak_mib
        async with session.get(url) as response:
            await response.read()
    return (memory(os.getpid()).peak_mib - before) * MB_A_MIB


# -- the server ------------------------------------------------------------------------------------------------


class _Answering(asyncio.Protocol):
    """Answers whatever ends in an empty line."""

    def __init__(self) -> None:
        self._asked = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._asked += data
        if self._asked.endswith(b"\r\n\r\n"):
            self._asked = b""
            self._transport.write(_HEAD + _BODY)


async def _serve() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    server = await asyncio.get_running_loop().create_server(_Answering, sock=listening)
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


@contextmanager
def _serving() -> Iterator[str]:
    process = subprocess.Popen(_command("serve"), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        if not re.fullmatch(r"[0-9]+\n", said):
            raise TimeoutError("the server of the transport did not start")
        yield f"http://127.0.0.1:{said.strip()}"
    finally:
        process.kill()
        process.communicate()


def _command(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "benchmarks.transport", *words)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve"]:
            asyncio.run(_serve())
        case ["read", url]:
            sys.stdout.write(f"{asyncio.run(_read(url))}\n")
