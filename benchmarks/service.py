"""The service as a user starts it: `creditline serve --development` in a process and a folder of its own, and the
sandbox that plays its sources likewise.

It does: start them, find the worker, ask for its own figures. It does not: change settings beyond port and where facts
come from. The rule it keeps: what was started is stopped, and its folder is removed by whoever made it.
"""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import children_of, free_port, memory, running
from benchmarks.starting import WORKERS

_START_SECONDS = 60.0
_PROGRAM = str(Path(sys.executable).with_name("creditline"))
CREDITLINE = (_PROGRAM, "serve", "--development")
UNGUARDED = (sys.executable, "-m", "benchmarks.starting")
BARE = (sys.executable, "-m", "benchmarks.bare")


@dataclass(frozen=True, slots=True)
class Service:
    """A running server: its port, the process that was started, and when."""

    port: int
    process: subprocess.Popen[bytes]
    folder: Path
    started: float
    stored_at: str | None = None

    @property
    def key(self) -> str:
        """The development key."""
        return (self.folder / "var" / "development.key").read_text().strip()

    @property
    def database_url(self) -> str:
        """Where decisions are kept: a SQLite file, unless another was given."""
        return self.stored_at or f"sqlite:///{self.folder / 'var' / 'creditline.sqlite'}"

    def worker(self) -> int:
        """The process that answers: the largest that the started one has started."""
        return max(children_of(self.process.pid), key=lambda pid: memory(pid).rss_mib, default=self.process.pid)

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
def serving(
    folder: Path, command: Sequence[str] = CREDITLINE, market: Path | None = None, sandbox: str | None = None,
    database: str | None = None, workers: int = 1,
) -> Iterator[Service]:  # fmt: skip
    """Start a server in a folder on a free port and stop it at the end; `sandbox` is where one plays the sources."""
    port = free_port()
    more = {"CREDITLINE_PORT": str(port), WORKERS: str(workers)}
    if database is not None:
        more["CREDITLINE_DATABASE_URL"] = database
    if market is not None:
        more["CREDITLINE_MARKET"] = str(market)
    if sandbox is not None:
        more["CREDITLINE_SANDBOX"] = sandbox
    started = time.monotonic()
    with running(folder / "server.log", command, more) as process:
        yield Service(port, process, folder, started, database)


@contextmanager
def playing(folder: Path, market: Path) -> Iterator[Player]:
    """Start a sandbox that knows a market's businesses, wait until it listens, and stop it at the end."""
    port, log = free_port(), folder / "sandbox.log"
    with running(log, (_PROGRAM, "sandbox", "--port", str(port), "--market", str(market)), {}) as process:
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
