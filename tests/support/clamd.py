"""A small scanner on a real socket that speaks as clamd does: INSTREAM, lengths, one line back.

It does: read the whole stream as clamd reads it, know two signatures, and break off or fall silent as it is told. It
does not: scan. The rule it keeps: what it was sent can be looked at afterwards, byte by byte.
"""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

# The test file of the anti-virus makers, which does no harm; in two parts, so that no scanner removes this one.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
SIGNATURES = {EICAR: b"Eicar-Signature", b"made-up malware": b"Sample.Made-Up-1 (x) FOUND"}
Manner = Literal[
    "scans", "silent", "hangs up", "refuses", "babbles", "goes on", "in pieces", "another command", "another thing"
]


@dataclass
class Clamd:
    """Where it is, how it behaves, and every stream that it was sent."""

    address: str = ""
    manner: Manner = "scans"
    streams: list[bytes] = field(default_factory=list)
    longest: int = 0  # of the pieces

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One conversation."""
        try:
            if self.manner == "hangs up":
                return
            command = await reader.readuntil(b"\0")
            if command != b"zINSTREAM\0":
                writer.write(b"UNKNOWN COMMAND\0")
                return
            if self.manner == "refuses":
                writer.write(b"INSTREAM size limit exceeded. ERROR\0")
                return
            stream = b"".join([part async for part in self._parts(reader)])
            self.streams.append(stream)
            await self._reply(writer, stream)
        finally:
            writer.close()

    async def _parts(self, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        while size := struct.unpack("!I", await reader.readexactly(4))[0]:
            self.longest = max(self.longest, size)
            yield await reader.readexactly(size)

    async def _reply(self, writer: asyncio.StreamWriter, stream: bytes) -> None:
        found = next((name for known, name in SIGNATURES.items() if known in stream), None)
        told = b"stream: OK\0" if found is None else b"stream: " + found + b" FOUND\0"
        match self.manner:
            case "silent":
                await asyncio.sleep(600)
            case "babbles":
                writer.write(b"stream: all is well\0")
            case "goes on":
                writer.write(b"stream: " + b"O" * 1_000_000)
            case "another command":
                writer.write(b"PONG\0")
            case "another thing":
                writer.write(b"LibClamAV: 1 FOUND\0")
            case "in pieces":
                for at in range(len(told)):
                    writer.write(told[at : at + 1])
                    await writer.drain()
                    await asyncio.sleep(0)
            case _:
                writer.write(told)
        await writer.drain()


@asynccontextmanager
async def scanning(manner: Manner = "scans", folder: Path | None = None) -> AsyncIterator[Clamd]:
    """The scanner for as long as the block lasts: on a port, or on a socket in a folder."""
    clamd = Clamd(manner=manner)
    if folder is None:
        server = await asyncio.start_server(clamd.answer, "127.0.0.1", 0)
        clamd.address = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    else:
        server = await asyncio.start_unix_server(clamd.answer, folder / "clamd")
        clamd.address = f"unix://{folder / 'clamd'}"
    try:
        yield clamd
    finally:
        server.close()
