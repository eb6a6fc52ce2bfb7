"""The service as a user starts it: `creditline serve --development` in a process and a folder of its own, and the
sandbox that plays its sources likewise.

It does: start them, find the worker, read its memory and processor time, ask for its own figures, stop them. It does
not: change settings beyond port and where facts come from. The rule it keeps: what was started here is stopped here,
by its number, and its folder is removed by whoever made it.
"""

import json
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
_PROGRAM = str(Path(sys.executable).with_name("creditline"))
CREDITLINE = (_PROGRAM, "serve", "--development")
UNGUARDED = (sys.executable, "-m", "benchmarks.unguarded")
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

    def series(self) -> Mapping[str, float]:
        """Every figure of its metrics, by name and labels as they are written there."""
        url, headers = f"http://127.0.0.1:{self.port}/metrics", {"Authorization": f"Bearer {self.key}"}
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as reply:
            lines = reply.read().decode().splitlines()
        pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def stages(self) -> Mapping[str, tuple[float, float]]:
        """The service's own clock: total seconds and count of each stage of a decision, from its metrics."""
        found, name = self.series(), "creditline_stage_seconds"
        stages = [key.split('"')[1] for key in found if key.startswith(f"{name}_sum{{")]
        return {
            stage: (found[f'{name}_sum{{stage="{stage}"}}'], found[f'{name}_count{{stage="{stage}"}}'])
            for stage in stages
        }


@dataclass(frozen=True, slots=True)
class Player:
    """A running sandbox."""

    url: str

    def switch(self, source: str, **fields: object) -> None:
        """Set a source's switch (latency_ms, fault, share); without fields it behaves again."""
        body = json.dumps(fields).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/switch/{source}", body, method="PUT")):
            pass


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder on the disk that holds the project, removed at the end; a memory file system would make fsync free."""
    (ROOT / "var").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "var") as name:
        yield Path(name)


@contextmanager
def serving(
    folder: Path, command: Sequence[str] = CREDITLINE, market: Path | None = None, sandbox: str | None = None
) -> Iterator[Service]:
    """Start a server in a folder on a free port and stop it at the end; `sandbox` is where one plays the sources."""
    port = _free_port()
    more = {"CREDITLINE_PORT": str(port)}
    if market is not None:
        more["CREDITLINE_MARKET"] = str(market)
    if sandbox is not None:
        more["CREDITLINE_SANDBOX"] = sandbox
    started = time.monotonic()
    with _running(folder / "server.log", command, more) as process:
        yield Service(port, process, folder, started)


@contextmanager
def playing(folder: Path, market: Path) -> Iterator[Player]:
    """Start a sandbox that knows a market's businesses, wait until it listens, and stop it at the end."""
    port, log = _free_port(), folder / "sandbox.log"
    with _running(log, (_PROGRAM, "sandbox", "--port", str(port), "--market", str(market)), {}) as process:
        until = time.monotonic() + _START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > until:
                    said = log.read_text(errors="replace")[-2_000:]
                    raise TimeoutError(f"no sandbox, which said last: {said}") from None
                time.sleep(0.01)
        yield Player(f"http://127.0.0.1:{port}")


@contextmanager
def _running(log: Path, command: Sequence[str], more: Mapping[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """A process in the folder of its log, with this environment but for our own settings, and `more`."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CREDITLINE_")}
    environment |= {"PYTHONPATH": str(ROOT), **more}
    with log.open("ab") as said:
        process = subprocess.Popen(command, cwd=log.parent, env=environment, stdout=said, stderr=said)
    try:
        yield process
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
