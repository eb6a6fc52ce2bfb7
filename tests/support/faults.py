"""A proxy that spoils answers: it stands between a client and a real upstream server, both on the loopback interface.

It does: pass requests on, and damage connections or answers in the way a test asks for, from the next request on.
It does not: know what the answers mean, or touch requests. The rule it keeps: it runs in a thread and an event loop
of its own, every wait is bounded, and nothing is left open after the block.
"""

import asyncio
import gzip
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self, get_args

import aiohttp
from yarl import URL

Fault = Literal[
    "pass",
    "refuse",  # nobody listens
    "reset",  # RST after `after` bytes of the answer
    "cut_short",  # the connection ends in the middle of the body, as if it were over
    "black_hole",  # takes the request and never answers
    "trickle",  # a byte every 50 ms
    "slow_start",  # nothing for `delay_s`, then the answer
    "corrupt_byte",  # the byte at `offset` of the body becomes one that no UTF-8 has
    "truncated_json",  # half the body, correctly framed
    "wrong_schema",  # JSON of another shape: `strange`
    "oversized",  # 50 MB, in chunks without an announced length
    "oversized_announced",  # the same with a Content-Length
    "wrong_charset",
    "compressed",  # although nobody asked for it
    "redirect",  # to another path of this proxy
    "unauthorised",
    "server_error",
    "too_many",
    "garbage",  # not HTTP at all
    "long_header",
    "tls_failure",  # a certificate that nobody vouches for; TLS proxies only
    "tls_garbage",  # plain text where TLS is expected
]
FAULTS: tuple[Fault, ...] = get_args(Fault)

OVERSIZED_BYTES = 50_000_000
_STATUSES: dict[Fault, int] = {"unauthorised": 401, "server_error": 500, "too_many": 429}
# These live in the listening socket: changing to or from one drops the open connections too.
_LISTENING: tuple[Fault, ...] = ("refuse", "tls_failure", "tls_garbage")
_HOP = (b"connection", b"keep-alive", b"transfer-encoding", b"content-length")
_WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class _Told:
    """An answer on its way back."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def head(self, *more: bytes) -> bytes:
        lines = [b"HTTP/1.1 %d Told" % self.status, *(b"%s: %s" % header for header in self.headers), *more]
        return b"\r\n".join((*lines, b"", b""))

    def whole(self) -> bytes:
        return self.head(b"Content-Length: %d" % len(self.body)) + self.body

    def with_header(self, name: bytes, value: bytes) -> "_Told":
        kept = tuple(header for header in self.headers if header[0].lower() != name.lower())
        return replace(self, headers=(*kept, (name, value)))


class FaultProxy:
    """A proxy in front of 127.0.0.1:upstream_port; `fault` may be set at any time, from any thread.

    With `tls` it serves https, with a certificate that `ca_file` vouches for.
    """

    def __init__(self, upstream_port: int, *, tls: bool = False) -> None:
        self.after = 20  # bytes of the answer before a reset
        self.offset = 0  # of the corrupted byte, counted from the end if negative
        self.delay_s = 1.0
        self.strange = b'{"weather": "fine", "degrees": [21, 23]}'
        self.requests = 0  # requests read so far
        self.accepted = 0  # connections accepted so far
        self.sent = 0  # bytes of the last oversized body that were taken off our hands
        self.ca_file = str(certificate("trusted")) if tls else None
        self._upstream, self._tls = upstream_port, tls
        self._fault: Fault = "pass"
        self._left: int | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fault-proxy", daemon=True)

    @property
    def url(self) -> str:
        """The address to give to a client."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def fault(self) -> Fault:
        """What is wrong at the moment."""
        return self._fault

    @fault.setter
    def fault(self, fault: Fault) -> None:
        self.fail(fault)

    @property
    def open(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def fail(self, fault: Fault, times: int | None = None) -> None:
        """From now on this fault; with `times`, for so many requests only."""
        assert times is None or fault not in _LISTENING
        self._within(self._change(fault, times))

    def drop(self) -> None:
        """End all open connections."""
        self._within(self._drop())

    def __enter__(self) -> Self:
        """Start listening."""
        self._thread.start()
        assert self._started.wait(_WAIT_S), "the proxy did not start"
        return self

    def __exit__(self, *_: object) -> None:
        """End everything."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_WAIT_S)
        assert not self._thread.is_alive(), "the proxy did not stop"

    def _within(self, change: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(change, self._loop).result(_WAIT_S)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        # Bound for good and never listening: the port stays ours, and refuses, while the listener is away.
        with socket.socket() as held:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind(("127.0.0.1", 0))
            self.port: int = held.getsockname()[1]
            timeout = aiohttp.ClientTimeout(total=_WAIT_S)
            async with aiohttp.ClientSession(
                timeout=timeout, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
            ) as self._session:
                await self._listen()
                self._started.set()
                await self._stop.wait()
                await self._hush()
                await self._drop()

    async def _change(self, fault: Fault, times: int | None) -> None:
        before, self._fault, self._left = self._fault, fault, times
        if fault != before and (fault in _LISTENING or before in _LISTENING):
            await self._hush()
            await self._drop()
            if fault != "refuse":
                await self._listen()

    async def _listen(self) -> None:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        context = None
        if self._tls and self._fault != "tls_garbage":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate("stranger" if self._fault == "tls_failure" else "trusted"))
        self._listener = await asyncio.start_server(self._accept, sock=listening, ssl=context)

    async def _hush(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def _drop(self) -> None:
        tasks = tuple(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        self.accepted += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError, aiohttp.ClientError):
                while await self._answer(reader, writer):
                    pass
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read one request and answer it; whether the connection goes on."""
        if self._fault == "tls_garbage":
            await reader.read(1)
            await _send(writer, b"220 mail.example.invalid ready\r\n")
            return False
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").rstrip().split("\r\n")
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
        body = await reader.readexactly(length)
        self.requests += 1
        fault = self._take()
        if fault == "black_hole":
            await reader.read()  # until the client goes away, or the proxy ends
            return False
        method, target, _ = first.split(" ")
        told = await self._ask(method, target, headers, body)
        spoil = _SPOILING.get(fault)
        if spoil is not None:
            return await spoil(self, told, writer)
        if fault in _STATUSES:
            told = replace(told, status=_STATUSES[fault], body=b"")
        await _send(writer, told.whole())
        return True

    def _take(self) -> Fault:
        fault = self._fault
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                self._fault, self._left = "pass", None
        return fault

    async def _ask(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> _Told:
        kept = [header for header in headers if header[0].lower().encode() not in _HOP]
        url = URL(f"http://127.0.0.1:{self._upstream}{target}", encoded=True)
        async with self._session.request(method, url, headers=kept, data=body or None, allow_redirects=False) as answer:
            back = tuple(header for header in answer.raw_headers if header[0].lower() not in _HOP)
            return _Told(answer.status, back, await answer.read())


# -- what can be wrong with an answer; each says whether the connection goes on -------------------------------


async def _reset(proxy: FaultProxy, told: _Told, writer: asyncio.StreamWriter) -> bool:
    await _send(writer, told.whole()[: proxy.after])
    plain: socket.socket = writer.get_extra_info("socket")
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False  # the connection is aborted, which sends RST now


async def _cut_short(_: FaultProxy, told: _Told, writer: asyncio.StreamWriter) -> bool:
    whole = told.whole()
    await _send(writer, whole[: len(whole) - (len(told.body) + 1) // 2])
    return False


async def _trickle(_: FaultProxy, told: _Told, writer: asyncio.StreamWriter) -> bool:
    for byte in told.whole():
        await _send(writer, bytes((byte,)))
        await asyncio.sleep(0.05)
    return True


async def _slow_start(proxy: FaultProxy, told: _Told, writer: asyncio.StreamWriter) -> bool:
    await asyncio.sleep(proxy.delay_s)
    await _send(writer, told.whole())
    return True


async def _corrupt_byte(proxy: FaultProxy, told: _Told, writer: asyncio.StreamWriter) -> bool:
    body = bytearray(told.body or b" ")
    body[proxy.offset % len(body)] = 0xFF
    await _send(writer, replace(told, body=bytes(body)).whole())
    return True


async def _truncated_json(_: FaultProxy, told: _Told, writer: asyncio.StreamWriter) -> bool:
    await _send(writer, replace(told, body=told.body[: len(told.body) // 2]).whole())
    return True


async def _wrong_schema(proxy: FaultProxy, told: _Told, writer: asyncio.StreamWriter) -> bool:
    await _send(writer, replace(told, status=200, body=proxy.strange).whole())
    return True


async def _oversized(proxy: FaultProxy, told: _Told, writer: asyncio.StreamWriter) -> bool:
    await _send(writer, replace(told, status=200).head(b"Transfer-Encoding: chunked"))
    piece = b" " * 50_000
    await _pour(proxy, writer, b"%x\r\n%s\r\n" % (len(piece), piece), len(piece))
    await _send(writer, b"0\r\n\r\n")
    return True


async def _oversized_announced(proxy: FaultProxy, told: _Told, writer: asyncio.StreamWriter) -> bool:
    await _send(writer, replace(told, status=200).head(b"Content-Length: %d" % OVERSIZED_BYTES))
    piece = b" " * 50_000
    await _pour(proxy, writer, piece, len(piece))
    return True


async def _pour(proxy: FaultProxy, writer: asyncio.StreamWriter, piece: bytes, counts: int) -> None:
    proxy.sent = 0
    for _ in range(OVERSIZED_BYTES // counts):
        await _send(writer, piece)
        proxy.sent += counts


async def _wrong_charset(_: FaultProxy, told: _Told, writer: asyncio.StreamWriter) -> bool:
    spoiled = told.with_header(b"Content-Type", b"application/json; charset=ISO-8859-1")
    await _send(writer, replace(spoiled, body=told.body + b"\xe9").whole())
    return True


async def _compressed(_: FaultProxy, told: _Told, writer: asyncio.StreamWriter) -> bool:
    spoiled = told.with_header(b"Content-Encoding", b"gzip")
    await _send(writer, replace(spoiled, body=gzip.compress(told.body)).whole())
    return True


async def _redirect(_: FaultProxy, told: _Told, writer: asyncio.StreamWriter) -> bool:
    await _send(writer, replace(told, status=302, body=b"").with_header(b"Location", b"/elsewhere").whole())
    return True


async def _garbage(_: FaultProxy, __: _Told, writer: asyncio.StreamWriter) -> bool:
    await _send(writer, b"\x00\x01 no such protocol \xff\xfe\r\n\r\n")
    return False


async def _long_header(_: FaultProxy, told: _Told, writer: asyncio.StreamWriter) -> bool:
    await _send(writer, told.with_header(b"X-Long", b"x" * 200_000).whole())
    return True


_SPOILING: dict[Fault, Callable[[FaultProxy, _Told, asyncio.StreamWriter], Awaitable[bool]]] = {
    "reset": _reset,
    "cut_short": _cut_short,
    "trickle": _trickle,
    "slow_start": _slow_start,
    "corrupt_byte": _corrupt_byte,
    "truncated_json": _truncated_json,
    "wrong_schema": _wrong_schema,
    "oversized": _oversized,
    "oversized_announced": _oversized_announced,
    "wrong_charset": _wrong_charset,
    "compressed": _compressed,
    "redirect": _redirect,
    "garbage": _garbage,
    "long_header": _long_header,
}


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    async with asyncio.timeout(_WAIT_S):
        await writer.drain()


@cache
def certificate(name: str) -> Path:
    """A certificate for 127.0.0.1 that vouches for itself, with its key, in one file; made once a process."""
    path = Path(_folder().name) / f"{name}.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-subj", f"/CN={name}", "-days", "30", "-keyout", f"{path}.key", "-out", f"{path}.crt"),
            *("-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    path.write_bytes(Path(f"{path}.key").read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


@cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    """Kept as long as the process, and removed with it."""
    return tempfile.TemporaryDirectory(prefix="certificates-")
