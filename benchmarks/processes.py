"""Processes of a measurement: started in a folder, pinned to a core where that is wanted, watched, and stopped.

It does: start with a clean environment, read memory and processor time (Linux), stop by number. It does not: know what
is started. The rule it keeps: what was started here is stopped here, children that were left behind too.
"""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import ROOT

_STOP_SECONDS = 20.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of one process, MiB; `pss` shares out what other processes map as well."""

    rss_mib: float
    pss_mib: float
    peak_mib: float


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder on the disk that holds the project, removed at the end; a memory file system would make fsync free."""
    (ROOT / "var").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "var") as name:
        yield Path(name)


@contextmanager
def running(
    log: Path, command: Sequence[str], more: Mapping[str, str], core: int | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process in the folder of its log, with this environment but for our own settings, and `more`; on one core."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CREDITLINE_")}
    environment |= {"PYTHONPATH": str(ROOT), **more}
    with log.open("ab") as said:
        process = subprocess.Popen(command, cwd=log.parent, env=environment, stdout=said, stderr=said)
    pin(process.pid, core)
    try:
        yield process
    finally:
        _stop(process)


def pin(pid: int, core: int | None) -> None:
    """Keep a process, and what it will start, on one core, where the machine has as many."""
    if core is not None and core in os.sched_getaffinity(0):
        os.sched_setaffinity(pid, {core})


def _stop(process: "subprocess.Popen[bytes]") -> None:
    begun = descendants(process.pid)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid in begun:
        if _parent(pid) == 1:  # ours, left behind by the one that started it
            os.kill(pid, signal.SIGKILL)


def memory(pid: int) -> Memory:
    """What a process holds now."""
    status, rollup = _table(f"/proc/{pid}/status"), _table(f"/proc/{pid}/smaps_rollup")
    return Memory(status.get("VmRSS", 0) / 1_024, rollup.get("Pss", 0) / 1_024, status.get("VmHWM", 0) / 1_024)


def age(pid: int) -> float:
    """Seconds since a process was forked, by a clock of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / _TICKS


def processor_seconds(pid: int) -> float:
    """Processor time that a process has used, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _table(path: str) -> dict[str, int]:
    """A table of kilobytes as Linux writes it; empty where the process has gone."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.partition(":") for line in lines)
    return {name: int(value.split()[0]) for name, _, value in pairs if value.endswith(" kB")}


def children_of(pid: int) -> list[int]:
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [number for number in numbers if _parent(number) == pid]


def descendants(pid: int) -> list[int]:
    """The processes that a process started, and those that they started."""
    return [each for child in children_of(pid) for each in (child, *descendants(child))]


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
