"""The service as a user starts it: `creditline serve --development` in a process and a folder of its own.

It does: start it, find its worker, read its memory and processor time, ask for its own figures, stop it. It does
not: change its settings beyond port and market. The rule it keeps: what was started here is stopped here, by its
number, and its folder is removed by whoever made it.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_TICKS = os.sysconf("SC_CLK_TCK")
CREDITLINE = (str(Path(sys.executable).with_name("creditline")), "serve", "--development")
BARE = (sys.executable, "-m", "benchmarks.bare")
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of one process, MiB; `pss` shares out what other processes map as well."""

    rss_mib: float
    pss_mib: float
    peak_mib: float


@dataclass(frozen=True, slots=True)
class Service:
    """A running server: its port, the process that was started, and when."""

    port: int
    process: subprocess.Popen[bytes]
    folder: Path
    started: float

    @property
    def key(self) -> str:
        """The development key."""
        return (self.folder / "var" / "development.key").read_text().strip()

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.folder / "var" / "creditline.sqlite"

    def worker(self) -> int:
        """The process that answers: the largest that the started one has started."""
        return max(_children(self.process.pid), key=lambda pid: memory(pid).rss_mib, default=self.process.pid)

    def await_reply(self, request: urllib.request.Request, expected: int) -> float:
        """Ask until the expected status comes; seconds since the start. TimeoutError when it does not."""
        while time.monotonic() - self.started < _START_SECONDS:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(request, timeout=_START_SECONDS) as reply:
                    if reply.status == expected:
                        return time.monotonic() - self.started
            except (urllib.error.URLError, OSError):
                time.sleep(0.01)
        said = (self.folder / "server.log").read_text(errors="replace")[-2_000:]
        raise TimeoutError(f"no {expected} from the server, which said last: {said}")

    def stages(self) -> Mapping[str, tuple[float, float]]:
        """The service's own clock: total seconds and count of each stage of a decision, from its metrics."""
        url, headers = f"http://127.0.0.1:{self.port}/metrics", {"Authorization": f"Bearer {self.key}"}
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as reply:
            text = reply.read().decode()
        found: dict[str, dict[str, float]] = {}
        for line in text.splitlines():
            for kind in ("sum", "count"):
                if line.startswith(prefix := f'creditline_stage_seconds_{kind}{{stage="'):
                    stage, _, value = line.removeprefix(prefix).partition('"} ')
                    found.setdefault(stage, {})[kind] = float(value)
        return {stage: (part["sum"], part["count"]) for stage, part in found.items()}


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder on the disk that holds the project, removed at the end; a memory file system would make fsync free."""
    (ROOT / "var").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "var") as name:
        yield Path(name)


@contextmanager
def serving(folder: Path, command: Sequence[str] = CREDITLINE, market: Path | None = None) -> Iterator[Service]:
    """Start a server in a folder on a free port and stop it at the end."""
    port = _free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CREDITLINE_")}
    environment |= {"CREDITLINE_PORT": str(port), "PYTHONPATH": str(ROOT)}
    if market is not None:
        environment["CREDITLINE_MARKET"] = str(market)
    with (folder / "server.log").open("ab") as log:
        started = time.monotonic()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        yield Service(port, process, folder, started)
    finally:
        _stop(process)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    children = _children(process.pid)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        for pid in children:
            if _parent(pid) == 1:  # ours, left behind by the one that was killed
                os.kill(pid, signal.SIGKILL)


def memory(pid: int) -> Memory:
    """What a process holds now."""
    status, rollup = _table(f"/proc/{pid}/status"), _table(f"/proc/{pid}/smaps_rollup")
    return Memory(status.get("VmRSS", 0) / 1_024, rollup.get("Pss", 0) / 1_024, status.get("VmHWM", 0) / 1_024)


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


def _children(pid: int) -> list[int]:
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [number for number in numbers if _parent(number) == pid]


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
