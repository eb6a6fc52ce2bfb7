"""A virus scanner, where the operator runs one: ClamAV's INSTREAM over a socket.

It does: send the bytes and read one line. It does not: pretend; without a scanner the answer is `not_scanned`, and the
case says so. The rule it keeps: a scanner that does not answer leaves the document where it was.
"""

import asyncio
import struct
from typing import Literal
from urllib.parse import urlsplit

Scanned = Literal["clean", "infected", "not_scanned"]
SECONDS = 30.0
_CHUNK = 65_536
_MOST_REPLY = 1_000


class ScannerDown(Exception):
    """The scanner that is set up did not answer."""


class Scanner:
    """A clamd at `tcp://host:port` or `unix:///path`; with no address nothing is scanned."""

    def __init__(self, address: str = "", seconds: float = SECONDS) -> None:
        """`seconds` for one file; ValueError for an address of another form."""
        self._address, self._seconds = urlsplit(address), seconds
        at = self._address
        known = (at.scheme == "tcp" and at.hostname and at.port) or (at.scheme == "unix" and at.path)
        if address and not known:
            raise ValueError("a scanner is at tcp://host:port or unix:///path")

    @property
    def configured(self) -> bool:
        """Whether there is a scanner at all."""
        return bool(self._address.scheme)

    async def scan(self, content: bytes) -> Scanned:
        """Whether the bytes are known to be bad; ScannerDown where it cannot be said now."""
        if not self._address.scheme:
            return "not_scanned"
        try:
            async with asyncio.timeout(self._seconds):
                reply = await self._ask(content)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            raise ScannerDown from None
        if reply == b"stream: OK":
            return "clean"
        if reply.startswith(b"stream: ") and reply.endswith(b" FOUND"):
            return "infected"
        raise ScannerDown

    async def _ask(self, content: bytes) -> bytes:
        if self._address.scheme == "unix":
            reader, writer = await asyncio.open_unix_connection(self._address.path, limit=_MOST_REPLY)
        else:
            reader, writer = await asyncio.open_connection(
                self._address.hostname, self._address.port, limit=_MOST_REPLY
            )
        try:
            writer.write(b"zINSTREAM\0")
            for start in range(0, len(content), _CHUNK):
                part = content[start : start + _CHUNK]
                writer.write(struct.pack("!I", len(part)) + part)
                await writer.drain()
            writer.write(struct.pack("!I", 0))
            await writer.drain()
            return (await reader.readuntil(b"\0"))[:-1]
        finally:
            writer.close()
