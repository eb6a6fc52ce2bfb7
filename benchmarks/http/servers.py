"""Every service that is compared: how it is started, and what its first reply shows.

It does: start one on the server's core, wait until it answers, stop it. It does not: load it. The rule it keeps: one
worker each, on the same core; settings are those of the service's documentation, apart from what is logged.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from benchmarks.machine import ROOT
from benchmarks.peers.environments import Environment
from benchmarks.processes import free_port, running

SERVER_CORE, CLIENT_CORE = 0, 1
_START_SECONDS = 90.0
_HEADERS = {"Content-Type": "application/json"}
_SERVICES = "benchmarks.peers.services"


@dataclass(frozen=True, slots=True)
class Started:
    """How a service is run: command, and settings in its environment."""

    command: Sequence[str]
    settings: Mapping[str, str]


Start = Callable[[Environment, int, Path, Path], Started]


class NotServing(RuntimeError):
    """A service that does not answer as it should; says what came instead."""


def ours(module: str) -> Start:
    """A program of ours under granian."""

    def start(environment: Environment, port: int, folder: Path, model: Path) -> Started:
        settings = {"CREDITLINE_PORT": str(port), "CREDITLINE_BENCHMARK_MODEL": str(model)}
        return Started((str(environment.python), "-m", module), settings)

    return start


def fastapi(environment: Environment, port: int, folder: Path, model: Path) -> Started:
    """FastAPI under uvicorn, with its quicker loop and parser."""
    program = str(environment.python.with_name("uvicorn"))
    command = (program, f"{_SERVICES}.with_fastapi:app", "--port", str(port), "--no-access-log")
    return Started(command, {"BENCHMARK_MODEL": str(model)})


def bentoml(environment: Environment, port: int, folder: Path, model: Path) -> Started:
    """BentoML's own server; its home is in the folder, and it tells nobody of us."""
    program = str(environment.python.with_name("bentoml"))
    command = (program, "serve", f"{_SERVICES}.with_bentoml:Service", "--port", str(port), "--working-dir", str(ROOT))
    settings = {
        "BENTOML_HOME": str(folder / "bentoml"), "BENTOML_DO_NOT_TRACK": "True", "BENCHMARK_MODEL": str(model),
        "PATH": f"{environment.python.parent}:{os.environ['PATH']}",
    }  # fmt: skip
    return Started(command, settings)


def mlserver(environment: Environment, port: int, folder: Path, model: Path) -> Started:
    """MLServer with its LightGBM runtime, in one process: on one core that is quicker than its default of two."""
    place = folder / "mlserver"
    place.mkdir()
    shutil.copy(model, place / "model.bst")
    implementation = "mlserver_lightgbm.LightGBMModel"
    described = {"name": "score", "implementation": implementation, "parameters": {"uri": "./model.bst"}}
    ports = {"http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
    settings = {"host": "127.0.0.1", "debug": False, "parallel_workers": 0, **ports}
    (place / "model-settings.json").write_text(json.dumps(described))
    (place / "settings.json").write_text(json.dumps(settings))
    program = str(environment.python.with_name("mlserver"))
    return Started((program, "start", str(place)), {"OMP_NUM_THREADS": "1"})


@contextmanager
def serving(
    name: str, start: Start, environment: Environment, folder: Path, model: Path, first: tuple[str, bytes]
) -> Iterator[tuple[int, bytes]]:
    """Start a service, and give its port and its reply to the first request; NotServing where there is none."""
    place = folder / name
    place.mkdir()
    port = free_port()
    chosen = start(environment, port, place, model)
    with running(place / "server.log", chosen.command, chosen.settings, SERVER_CORE) as process:
        yield port, _first_reply(process, port, first, place / "server.log")


def _first_reply(process: "subprocess.Popen[bytes]", port: int, first: tuple[str, bytes], log: Path) -> bytes:
    until, said = time.monotonic() + _START_SECONDS, "nothing"
    while time.monotonic() < until and process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=_START_SECONDS)
        try:
            path, body = first
            connection.request("POST" if body else "GET", path, body or None, _HEADERS)
            reply = connection.getresponse()
            found = reply.read()
        except (OSError, HTTPException):
            time.sleep(0.1)
            continue
        finally:
            connection.close()
        if reply.status == 200:
            return found
        said = f"{reply.status} {found[:300]!r}"
        time.sleep(0.2)  # MLServer listens before its model is loaded
    last = log.read_text(errors="replace").strip().splitlines()[-1:]
    raise NotServing(f"it answered {said}; its log ends: {' '.join(last)}")


def load_command() -> Sequence[str]:
    """The client."""
    return (sys.executable, "-m", "benchmarks.http.load")
