"""A process of its own for files: what it may take, how it ends, and what the service learns of it."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from api.documents.confinement import ROOT, ChildFailed, Limits, run
from tests.support.hostile.children import ATTEMPTS

LOCKED, UNLOCKED, NOBODY = (f"tests.support.hostile.{name}" for name in ("children", "unlocked", "nobody"))
AMPLE = Limits(cpu_seconds=20, wall_seconds=120.0)
# A service that waits for a process which sleeps.
PARENT = """
import asyncio
from api.documents.confinement import Limits, run
header = {"do": "sleep", "seconds": 600}
asyncio.run(run("tests.support.hostile.nobody", header, b"", Limits(wall_seconds=600.0)))
"""


def hedges_whole() -> bool:
    """Whether the kernel hedges files and signals in, found out in a process of its own."""
    asked = "from api.documents.lockdown import hedge; print(hedge())"
    told = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    return int(told.stdout) >= 6


def do(what: str, module: str = LOCKED, content: bytes = b"", limits: Limits = AMPLE, **more: Any) -> dict[str, Any]:
    """What a process answers that was told to do this."""
    return asyncio.run(run(module, {"do": what, **more}, content, limits))[0]


def failure(what: str, module: str = LOCKED, limits: Limits = AMPLE, **more: Any) -> tuple[str, str]:
    """Why a process that was told to do this gave no answer; nothing of it runs on."""
    before = children_of(os.getpid())
    with pytest.raises(ChildFailed) as failed:
        do(what, module, limits=limits, **more)
    assert children_of(os.getpid()) <= before
    return failed.value.why, failed.value.kind


def children_of(pid: int) -> set[int]:
    """The processes that a process started and that still run."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if int(parent) == pid and state != "Z":
                found.add(int(entry.name))
    return found


@asynccontextmanager
async def sleeping() -> AsyncIterator[tuple["asyncio.Task[Any]", int]]:
    """A process that sleeps: the task that waits for it, and its number."""
    before = children_of(os.getpid())
    working = asyncio.create_task(run(LOCKED, {"do": "sleep", "seconds": 600}, b"", AMPLE))
    while not (started := children_of(os.getpid()) - before):
        await asyncio.sleep(0.02)
    yield working, started.pop()


def until(seconds: float, what: str) -> Iterator[None]:
    """Turns of waiting for something, which has to come within so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.02)
    raise AssertionError(what)


@contextmanager
def listener() -> Iterator[int]:
    """A port of this machine that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_work_is_done_and_its_bytes_come_back() -> None:
    """Ten megabytes go there and come back, whole."""
    content = os.urandom(10_000_000)
    told, back = asyncio.run(run(LOCKED, {"do": "repeat"}, content, AMPLE))
    assert (told["size"], back == content) == (len(content), True)


@pytest.mark.parametrize("module", [LOCKED, UNLOCKED])
@pytest.mark.parametrize(
    ("what", "limits", "why"),
    [
        ("spin", Limits(cpu_seconds=1, wall_seconds=120.0), "cpu"),
        ("spin on", Limits(cpu_seconds=1, wall_seconds=120.0), "killed"),
        ("take memory", AMPLE, "memory"), ("crash", AMPLE, "crashed"), ("abort", AMPLE, "crashed"),
        ("exit", AMPLE, "broken"), ("flood", AMPLE, "answer"),
    ],
)  # fmt: skip
def test_what_goes_wrong_in_it_is_told(module: str, what: str, limits: Limits, why: str) -> None:
    """Processor time (a process that defies the first signal ends by the second), memory, a crash, an early end and an
    endless answer each end that process alone, and say which it was.
    """
    assert failure(what, module, limits) == (why, "")


def test_the_wall_clock_ends_what_does_nothing() -> None:
    """A process that waits takes no processor time, and ends all the same."""
    assert failure("sleep", limits=Limits(wall_seconds=2.0), seconds=600) == ("time", "")


def test_an_exception_is_told_by_its_type_alone() -> None:
    """Its words may be those of the file."""
    assert failure("raise") == ("error", "LookupError")


@pytest.mark.parametrize(
    "said",
    [
        b"\0\0\0\4nope", b"\0\0\0\2[]", b"\0\0\0\4null", b"\xff\xff\xff\xff{", b"\0\1\0\0" + b"[" * 65_536,
        b"\0\0\0\5\xff\xfe{}\0",
    ],
)  # fmt: skip
def test_an_answer_that_makes_no_sense_is_none(said: bytes) -> None:
    """No JSON, no object, a length beyond the end, or endless nesting: the process failed, and nothing is believed."""
    assert failure("babble", UNLOCKED, hex=said.hex()) == ("answer", "")


def test_no_answer_is_a_broken_process() -> None:
    """One that says nothing, or that is no module at all, did not finish."""
    assert failure("babble", UNLOCKED, hex="") == ("broken", "")
    assert failure("sleep", "tests.support.hostile.no_such_module") == ("broken", "")


def test_one_that_is_killed_from_outside_says_nothing_of_the_file() -> None:
    """A system short of memory ends processes of its own choice: that is told apart from a crash."""

    async def kill() -> None:
        async with sleeping() as (working, pid):
            os.kill(pid, signal.SIGKILL)
            await working

    with pytest.raises(ChildFailed, match="killed"):
        asyncio.run(kill())


def test_giving_up_ends_the_process() -> None:
    """Whoever stops waiting leaves nothing running."""

    async def give_up() -> None:
        async with sleeping() as (working, pid):
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            assert working.cancelled()
            assert pid not in children_of(os.getpid())

    asyncio.run(give_up())


def test_nothing_of_the_service_is_known_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting, no secret, no open file of ours, no working folder; it yields to the service, and ends with it."""
    monkeypatch.setenv("CREDITLINE_SEAL_KEYS", "k1:secret")
    told = do("surroundings", UNLOCKED)
    known = {"PATH", "LD_LIBRARY_PATH", "TESSDATA_PREFIX", "PYTHONPATH", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"}
    assert set(told["environment"]) <= known | {"LC_CTYPE"}  # the last is Python's own
    assert (told["folder"], told["open"], told["ends_with_parent"]) == ("/", 3, True)
    assert told["niceness"] > os.nice(0)


def test_it_reaches_no_network_or_says_that_it_could() -> None:
    """Under limits alone a connection to this very machine fails wherever the network was cut."""
    with listener() as port:
        told = do("connect", UNLOCKED, port=port)
        assert (told["refused"] is None) == (told["network"] == "host")
        locked = do("connect", port=port)
        assert (locked["refused"] is None) == (locked["network"] == "host")


def test_a_user_without_rights_is_confined_as_well() -> None:
    """As the service runs in use: the network is cut where the kernel lets anybody, and it ends with its parent."""
    with listener() as port:
        told = do("connect", NOBODY, port=port)
        assert (told["refused"] is None) == (told["network"] == "host")


def test_what_it_writes_has_no_size(tmp_path: Path) -> None:
    """Even one that is not locked puts nothing into a file, whether it is there already or not."""
    (tmp_path / "a").write_bytes(b"kept")
    for name in ("a", "b"):
        assert do("write a file", UNLOCKED, path=str(tmp_path / name))["refused"] in {"OSError", "PermissionError"}
    assert [path.stat().st_size for path in tmp_path.iterdir() if path.name == "b"] in ([], [0])


@pytest.mark.skipif(not hedges_whole(), reason="this kernel has no Landlock of that version")
@pytest.mark.parametrize("module", [UNLOCKED, NOBODY])
def test_it_harms_neither_files_nor_the_service(tmp_path: Path, module: str) -> None:
    """One that may start programs removes, cuts, moves and makes no file, and cannot signal whoever started it."""
    tmp_path.chmod(0o777)
    (tmp_path / "document").write_bytes(b"kept")
    told = do("harm", module, path=str(tmp_path / "document"))
    told.pop("network")
    assert set(told.values()) <= {"PermissionError", "OSError"}
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("document", b"kept")]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux locks a process")
@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_locked_process_can_only_compute(attempt: str) -> None:
    """No file, socket, process, thread or signal, by whatever call: the kernel refuses it, and the process goes on."""
    told = do("attempt", attempt=attempt)
    assert told["refused"] in {"PermissionError", "RuntimeError"}
    assert told["network"] == "none"


@pytest.mark.parametrize(
    "attempt",
    [
        "open a file", "read the parent's settings", "list a folder", "open a socket", "make a pipe",
        "start a thread", "signal its parent by way of a pipe",
    ],
)  # fmt: skip
def test_the_same_attempt_succeeds_without_the_lock(attempt: str) -> None:
    """So a refusal is the lock's and no mistake of the attempt."""
    assert do("attempt", UNLOCKED, attempt=attempt)["refused"] is None


def test_it_ends_with_its_parent() -> None:
    """A service that is killed leaves no process behind, whoever it runs as."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        for _ in until(60, "it started no process, or one without limits"):
            found = children_of(parent.pid)
            if any(_has_limits(each) for each in found):
                break
        parent.kill()
        parent.wait(30)
        for _ in until(60, "it outlives its parent"):
            if not any(_runs(each) for each in found):
                break
    finally:
        parent.kill()
        parent.wait(30)


def _has_limits(pid: int) -> bool:
    """Whether it has gone through all of its confinement."""
    try:
        lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    except OSError:
        return False
    return any(line.split()[3:5] == ["32", "32"] for line in lines if line.startswith("Max open files"))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
