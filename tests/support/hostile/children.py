"""A confined process that behaves badly as it is told: `python -m tests.support.hostile.children`, locked.

It does: what the header names, or the content where it is asked to inspect. It does not: parse a file. The rule it
keeps: what it tried is told as it ended, so that a test sees the system's refusal and not a mistake here.
"""

import ctypes
import encodings.idna  # noqa: F401 - what a connection asks for, which a locked process cannot load
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from api.documents.confinement import serve

Told = dict[str, Any]
_PR_GET_PDEATHSIG = 2
_F_SETOWN = 8
_PARENT = os.getppid()


def _spin(_: Told) -> Told:
    while True:
        pass


def _spin_on(_: Told) -> Told:
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    return _spin(_)


def _take_memory(_: Told) -> Told:
    return {"taken": len(bytearray(4_000_000_000))}


def _sleep(header: Told) -> Told:
    began = time.monotonic()
    time.sleep(header["seconds"])
    return {"began": began, "ended": time.monotonic()}


def _crash(_: Told) -> Told:
    ctypes.string_at(0)
    raise AssertionError("it read from nowhere")


def _abort(_: Told) -> Told:
    os.abort()


def _exit(_: Told) -> Told:
    os._exit(3)


def _raise(_: Told) -> Told:
    raise LookupError("the words of the file")


def _babble(header: Told) -> Told:
    os.write(1, bytes.fromhex(header["hex"]))
    os._exit(0)


def _flood(_: Told) -> Told:
    while True:
        os.write(1, bytes(1_000_000))


def _surroundings(_: Told) -> Told:
    return {
        "environment": sorted(os.environ), "folder": os.getcwd(), "niceness": os.nice(0),
        "ends_with_parent": _ends_with_parent(), "open": len(os.listdir("/proc/self/fd")) - 1,
    }  # fmt: skip


def _ends_with_parent() -> bool:
    found = ctypes.c_int()
    ctypes.CDLL(None).prctl(_PR_GET_PDEATHSIG, ctypes.byref(found), 0, 0, 0)
    return found.value == signal.SIGKILL


def _connect(header: Told) -> Told:
    return _tried(lambda: socket.create_connection(("127.0.0.1", header["port"]), 5))


def _write_a_file(header: Told) -> Told:
    def write() -> None:
        with open(header["path"], "wb") as file:
            file.write(b"word")

    return _tried(write)


def _harm(header: Told) -> Told:
    """What could be done to the service's own files, and to itself."""
    path = header["path"]
    ways: dict[str, Callable[[], object]] = {
        "remove": lambda: os.unlink(path), "cut": lambda: os.truncate(path, 0),
        "link": lambda: os.link(path, path + "l"), "move": lambda: os.rename(path, path + "m"),
        "make": lambda: os.mkdir(path + "d"), "signal": lambda: os.kill(_PARENT, 0),
    }  # fmt: skip
    return {name: _tried(way)["refused"] for name, way in ways.items()}


ATTEMPTS: dict[str, Callable[[], object]] = {  # of which none may do anything in a locked process
    "open a file": lambda: os.open("/etc/passwd", os.O_RDONLY),
    "read the parent's settings": lambda: os.open(f"/proc/{_PARENT}/environ", os.O_RDONLY),
    "make a file": lambda: os.open("/tmp/made", os.O_WRONLY | os.O_CREAT),
    "remove a file": lambda: os.unlink("/tmp/no-such-file"),
    "list a folder": lambda: os.listdir("/"),
    "open a socket": lambda: socket.socket(socket.AF_INET),
    "open a local socket": lambda: socket.socket(socket.AF_UNIX),
    "make a pipe": os.pipe,
    "start a process": os.fork,
    "become another program": lambda: os.execv("/bin/true", ["true"]),
    "start a thread": lambda: threading.Thread(target=int).start(),
    "signal its parent": lambda: os.kill(_PARENT, 0),
    "signal its parent by way of a pipe": lambda: _fcntl(0, _F_SETOWN, _PARENT),
    "become somebody else": lambda: os.setuid(1),
    "change a limit": lambda: _call(b"prlimit"),
    "look into its parent": lambda: _call(b"ptrace"),
}
_LIBRARY = ctypes.CDLL(None, use_errno=True)
_FCNTL, _PRLIMIT, _PTRACE = _LIBRARY.fcntl, _LIBRARY.prlimit, _LIBRARY.ptrace  # found before the process is locked


def _fcntl(descriptor: int, command: int, value: int) -> None:
    _refused(_FCNTL(descriptor, command, value))


def _call(name: bytes) -> None:
    if name == b"ptrace":
        _refused(_PTRACE(16, _PARENT, 0, 0))  # PTRACE_ATTACH
    else:
        _refused(_PRLIMIT(0, 0, 0, 0))


def _refused(answer: int) -> None:
    if answer != 0:
        raise OSError(ctypes.get_errno(), "refused")


def _attempt(header: Told) -> Told:
    return _tried(ATTEMPTS[header["attempt"]])


def _tried(what: Callable[[], object]) -> Told:
    try:
        what()
    except (OSError, RuntimeError) as error:  # a thread that cannot be started is a RuntimeError
        return {"refused": type(error).__name__}
    return {"refused": None}


ACTS: dict[str, Callable[[Told], Told]] = {
    "spin": _spin, "spin on": _spin_on, "take memory": _take_memory, "sleep": _sleep, "crash": _crash, "abort": _abort,
    "exit": _exit, "raise": _raise, "babble": _babble, "flood": _flood, "surroundings": _surroundings,
    "connect": _connect, "write a file": _write_a_file, "attempt": _attempt, "harm": _harm,
}  # fmt: skip


def work(header: Told, content: bytes) -> tuple[Told, bytes]:
    """Do as told; asked to inspect or to render, the content says what to do, or what to answer."""
    if header["do"] in {"inspect", "render"}:
        told: Told = json.loads(content)
        return (ACTS[told["do"]](told), b"") if "do" in told else (told, b"no picture")
    if header["do"] == "repeat":
        return {"size": len(content)}, content
    return ACTS[header["do"]](header), b""


def rehearse() -> None:
    """Load what is loaded only when it is first used."""
    json.loads(json.dumps({"refused": None}))
    _tried(lambda: os.unlink("/no/such/file"))


if __name__ == "__main__":
    serve(work, rehearse)
