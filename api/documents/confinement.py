"""A process of its own for work on files that nobody vouches for: limits first, then the file.

It does: start `python -m <module>` with an empty environment and no secrets, hand it a header and the bytes, and read
its answer; and, in that process, set the limits before anything is parsed. It does not: trust the answer's size. The
rules it keeps: processor time, memory, descriptors, file sizes and wall-clock are bounded; where the kernel allows it
the process has no network; whatever goes wrong in it is its own end and nobody else's.
"""

import asyncio
import ctypes
import json
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from api.documents.lockdown import hedge, lock

_MOST_HEADER, _MOST_ANSWER = 1_000_000, 64_000_000
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG = 1
_NICE = 10
_PIECE = 1_000_000
ROOT: Final = Path(__file__).resolve().parents[2]
_KEPT = ("PATH", "LD_LIBRARY_PATH", "TESSDATA_PREFIX")  # of the environment: what finds libraries, and nothing else
# Signals that a process earns by what it does, so that the file is to blame; others come from outside.
_OWN_SIGNALS = frozenset(
    {
        signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGTRAP, signal.SIGFPE, signal.SIGSYS,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """What one piece of work may take: processor and wall-clock seconds, address space in MB, open files, threads."""

    cpu_seconds: int = 5
    wall_seconds: float = 15.0
    memory_mb: int = 768
    files: int = 32
    threads: int = 1


class ChildFailed(Exception):
    """The process ended without an answer.

    `why` is `cpu` or `memory` for a limit, `crashed` for a fault of its own, `time` for the wall clock, `killed` for a
    signal from outside, `broken` where it did not start or finish, `answer` for one that makes no sense, and `error`
    for an exception nobody foresaw, whose type is `kind`.
    """

    def __init__(self, why: str, kind: str = "") -> None:
        super().__init__(f"{why} {kind}".strip())
        self.why, self.kind = why, kind


# -- in the service ------------------------------------------------------------------------------------------


async def run(module: str, header: Mapping[str, Any], content: bytes, limits: Limits) -> tuple[dict[str, Any], bytes]:
    """The answer of a fresh process, and the bytes that came with it. Raises ChildFailed."""
    told = json.dumps({**header, "limits": [limits.cpu_seconds, limits.memory_mb, limits.files]}).encode()
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    threads = str(limits.threads)
    environment |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    process = await asyncio.create_subprocess_exec(
        # -P: no module is looked for where the process happens to start.
        sys.executable, "-P", "-m", module, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL, env=environment, cwd="/", start_new_session=True, close_fds=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(limits.wall_seconds):
            answer = await _talk(process, struct.pack("!I", len(told)) + told, content)
            status = await process.wait()
    except TimeoutError:
        raise ChildFailed("time") from None
    finally:
        await _end(process)
    return _read(answer, status)


async def _talk(process: asyncio.subprocess.Process, *parts: bytes) -> bytes:
    """Hand over and take at once: a process that answers before it has read all blocks nobody."""
    if process.stdin is None or process.stdout is None:
        raise ChildFailed("broken")
    handing = asyncio.create_task(_hand_over(process.stdin, parts))
    answer = bytearray()
    try:
        while piece := await process.stdout.read(_PIECE):
            answer += piece
            if len(answer) > _MOST_ANSWER:
                raise ChildFailed("answer")
    finally:
        handing.cancel()
        await asyncio.gather(handing, return_exceptions=True)
    return bytes(answer)


async def _hand_over(stdin: asyncio.StreamWriter, parts: tuple[bytes, ...]) -> None:
    with suppress(ConnectionError):  # it ended before it read all: its status says why
        stdin.writelines(parts)
        await stdin.drain()
    stdin.close()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Nothing of it runs on, and none of its pipes stays open."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    await process.communicate()


def _read(answer: bytes, status: int) -> tuple[dict[str, Any], bytes]:
    if status < 0:
        ended = signal.Signals(-status)
        raise ChildFailed("cpu" if ended is signal.SIGXCPU else "crashed" if ended in _OWN_SIGNALS else "killed")
    if status != 0 or len(answer) < 4:  # noqa: PLR2004 - the length of the length
        raise ChildFailed("broken")
    (size,) = struct.unpack("!I", answer[:4])
    try:
        told = json.loads(answer[4 : 4 + size])
    except (ValueError, RecursionError):
        raise ChildFailed("answer") from None
    if not isinstance(told, dict):
        raise ChildFailed("answer")
    if "failed" in told:
        raise ChildFailed("memory" if told["failed"] == "memory" else "error", str(told.get("kind", ""))[:40])
    return told, answer[4 + size :]


# -- in the process ------------------------------------------------------------------------------------------


def serve(
    work: Callable[[dict[str, Any], bytes], tuple[dict[str, Any], bytes]], rehearse: Callable[[], None] | None = None
) -> None:
    """Read one piece of work from stdin under its limits, do it, and answer on stdout.

    `rehearse` does such work on samples of our own, which loads all that it takes; then the process is locked
    (api.documents.lockdown). Work that starts other processes has none, and is hedged in but not locked.
    """
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    (size,) = struct.unpack("!I", source.read(4))
    header = json.loads(source.read(min(size, _MOST_HEADER)))
    if rehearse is not None:
        rehearse()
    cut = confine(*header.pop("limits"))
    locked = rehearse is not None and lock()
    try:
        told, content = work(header, source.read())
    except MemoryError:
        told, content = {"failed": "memory"}, b""
    except Exception as error:  # its words may repeat the file: only its type is told
        told, content = {"failed": "error", "kind": type(error).__name__}, b""
    answer = json.dumps({**told, "network": "none" if cut or locked else "host"}).encode()
    sink.write(struct.pack("!I", len(answer)) + answer + content)
    sink.flush()


def confine(cpu_seconds: int, memory_mb: int, files: int) -> bool:
    """Set the limits of this process, for good; says whether its network could be cut.

    Nothing that the process writes goes anywhere but to its parent: files have no size. It ends with its parent.
    """
    os.nice(_NICE)
    libc = ctypes.CDLL(None, use_errno=True)
    cut = any(libc.unshare(flags) == 0 for flags in (_CLONE_NEWNET, _CLONE_NEWUSER | _CLONE_NEWNET))
    # After that: the kernel forgets it where a process gets a user namespace of its own.
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    hedge()
    for what, soft, hard in (
        # The first second beyond ends it by a signal that says so, the next one whatever it does with the first.
        (resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1),
        (resource.RLIMIT_AS, memory_mb * 1_048_576, memory_mb * 1_048_576),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, files, files),
    ):
        resource.setrlimit(what, (soft, hard))
    return cut
