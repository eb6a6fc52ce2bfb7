"""Requests a second of each service, in turn: closed loop, 16 connections, the server on a core and the client on one.

It does: start every service once, give each a short stretch of load a round, and check first that its score is that
of LightGBM. It does not: load two at a time; the others sleep. The rule it keeps: same model, same rows, same client;
a ratio is of medians of the same rounds.
"""

import json
import math
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import lightgbm
import numpy as np

from benchmarks.arrivals import http
from benchmarks.http.derived import Derived, Whole
from benchmarks.http.load import Plan
from benchmarks.http.servers import (
    CLIENT_CORE,
    NotServing,
    Start,
    bentoml,
    fastapi,
    load_command,
    mlserver,
    ours,
    serving,
)
from benchmarks.machine import ROOT
from benchmarks.peers.environments import OURS, environment
from benchmarks.processes import pin
from benchmarks.scoring.models import Model
from benchmarks.subject import subjects

_ROWS = 200
BUSINESSES = 8
_JSON = (("Content-Type", "application/json"),)
_PATIENT_SECONDS = 60.0
CONNECTIONS = 16
EMPTY, NOTHING = "empty Litestar handler on granian", "empty callable on granian"
DERIVED, WHOLE = "creditline decision, facts derived", "creditline decision, 1,800 transactions"
SCORE, EXPLAIN = "creditline score", "creditline score and reasons"
FAST_SCORE, FAST_EXPLAIN = "FastAPI, predict", "FastAPI, predict and pred_contrib"
ML, BENTO = "MLServer, predict", "BentoML, predict"


@dataclass(frozen=True, slots=True)
class Route:
    """One thing that is asked of a server."""

    name: str
    server: str
    requests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rates:
    """Replies a second and latency of each route, a figure a round; `failed` says by server why it is not there."""

    a_second: Mapping[str, Sequence[float]]
    p50_ms: Mapping[str, Sequence[float]]
    p99_ms: Mapping[str, Sequence[float]]
    client_us: Mapping[str, Sequence[float]]
    failed: Mapping[str, str]

    def rate(self, route: str) -> float:
        """Median over the rounds; 0 where it did not run."""
        return median(self.a_second[route]) if self.a_second.get(route) else 0.0

    def times(self, route: str, other: str) -> float:
        """How many times the other's rate a route has; 0 where either did not run."""
        return self.rate(route) / self.rate(other) if self.rate(other) else 0.0


SERVERS: Mapping[str, tuple[Start, str]] = {
    "bare": (ours("benchmarks.bare"), "ours"),
    "creditline": (ours("benchmarks.http.app"), "ours"),
    "fastapi": (fastapi, "fastapi"),
    "mlserver": (mlserver, "mlserver"),
    "bentoml": (bentoml, "bentoml"),
}


def routes(model: Model) -> tuple[Route, ...]:
    """Every route with its requests, on rows without missing values: MLServer's protocol has no word for them."""
    rows = np.nan_to_num(model.rows[:_ROWS]).tolist()
    named = _posted("/score", [json.dumps({"row": row}) for row in rows])
    plain = [json.dumps(row) for row in rows]
    wholes = [Whole(one.application, one.facts) for one in subjects(BUSINESSES)]
    return (
        Route(EMPTY, "bare", (http("GET", "/health"),)),
        Route(NOTHING, "creditline", _posted("/nothing", ["{}"])),
        Route(DERIVED, "creditline", _posted("/derived", [Derived.of(whole).write().decode() for whole in wholes])),
        Route(WHOLE, "creditline", _posted("/whole", [whole.write().decode() for whole in wholes])),
        Route(SCORE, "creditline", _posted("/score", plain)),
        Route(EXPLAIN, "creditline", _posted("/explain", plain)),
        Route(FAST_SCORE, "fastapi", named),
        Route(FAST_EXPLAIN, "fastapi", tuple(text.replace("/score", "/explain", 1) for text in named)),
        Route(ML, "mlserver", _posted("/v2/models/score/infer", [_inference(row) for row in rows])),
        Route(BENTO, "bentoml", named),
    )


def _posted(path: str, bodies: Sequence[str]) -> tuple[str, ...]:
    return tuple(http("POST", path, _JSON, body) for body in bodies)


def _inference(row: list[float]) -> str:
    given = {"name": "row", "shape": [1, len(row)], "datatype": "FP64", "data": row}
    return json.dumps({"inputs": [given]})


def measure(model: Model, folder: Path, seconds: float, rounds: int, *, peers: bool = True) -> Rates:
    """Start all, let them take turns."""
    folder.mkdir(parents=True)
    (folder / "model.txt").write_text(model.text)
    wanted = [route for route in routes(model) if peers or SERVERS[route.server][1] == "ours"]
    found: dict[str, list[dict[str, Any]]] = {route.name: [] for route in wanted}
    with _all_serving(wanted, folder, model) as (ports, failed):
        there = [route for route in wanted if route.server in ports]
        for turn in range(rounds):
            first = turn % len(there)
            for route in there[first:] + there[:first]:
                counted = loaded(Plan(ports[route.server], route.requests, seconds, connections=CONNECTIONS))
                if counted["others"]:
                    raise NotServing(f"{route.name}: {counted['others']}")
                found[route.name].append(counted)

    def column(of: Callable[[dict[str, Any]], float]) -> dict[str, tuple[float, ...]]:
        return {name: tuple(map(of, each)) for name, each in found.items() if each}

    return Rates(
        column(lambda each: each["answered"] / each["seconds"]), column(lambda each: each["p50_ms"]),
        column(lambda each: each["p99_ms"]), column(lambda each: each["client_us"]), failed,
    )  # fmt: skip


@contextmanager
def _all_serving(
    wanted: Sequence[Route], folder: Path, model: Model
) -> Iterator[tuple[dict[str, int], dict[str, str]]]:
    """Ports of the servers that answer rightly, and why others do not."""
    right = _right(model)
    ports, failed = dict[str, int](), dict[str, str]()
    with ExitStack() as stack:
        for name in dict.fromkeys(route.server for route in wanted):
            start, family = SERVERS[name]
            found = OURS if family == "ours" else environment(family)
            if not found.there:
                failed[name] = found.why
                continue
            asked = next(r for r in wanted if r.server == name and r.name in {EMPTY, SCORE, FAST_SCORE, ML, BENTO})
            try:
                port, reply = stack.enter_context(
                    serving(name, start, found, folder, folder / "model.txt", _first_of(asked))
                )
            except NotServing as reason:
                failed[name] = str(reason)
                continue
            ports[name] = port
            if asked.name != EMPTY:
                _check(asked.name, reply, right)
        yield ports, failed


def _first_of(route: Route) -> tuple[str, bytes]:
    head, _, body = route.requests[0].partition("\r\n\r\n")
    return head.split(" ", 2)[1], body.encode()


def _right(model: Model) -> tuple[float, float]:
    """Raw score and probability of the first row, by LightGBM here."""
    booster: Any = lightgbm.Booster(model_str=model.text)
    raw = float(booster.predict(np.nan_to_num(model.rows[:1]), raw_score=True, num_threads=1)[0])
    return raw, 1 / (1 + math.exp(-raw))


def _check(name: str, reply: bytes, right: tuple[float, float]) -> None:
    """NotServing unless the reply holds the right score; MLServer has no raw scores and gives the probability."""
    told: Any = json.loads(reply)
    if name == ML:
        told, expected = told["outputs"][0]["data"][0], right[1]
    else:
        told, expected = told["score"] if isinstance(told, dict) else told, right[0]
    if not math.isclose(told, expected, rel_tol=1e-12):
        raise NotServing(f"{name} scores {told}, LightGBM {expected}")


def loaded(plan: Plan, core: int | None = CLIENT_CORE) -> dict[str, Any]:
    """Run the client on its core, or on any, and read what it counted."""
    with subprocess.Popen(
        load_command(), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        pin(process.pid, core)
        try:
            told, _ = process.communicate(json.dumps(asdict(plan)), timeout=plan.seconds + _PATIENT_SECONDS)
        finally:
            process.kill()
    if process.returncode:
        raise NotServing("the client failed")
    found: dict[str, Any] = json.loads(told)
    return found
