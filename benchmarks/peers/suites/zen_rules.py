"""zen-engine on a decision graph: created once, evaluated for a case's numbers, as its documentation says."""

import json
from pathlib import Path
from typing import Any

import zen

from benchmarks.peers.worker import Call

ROWS = 100
__all__ = ["ROWS", "tasks"]
ZEN = "zen-engine, decision graph"


def tasks(folder: Path) -> dict[str, Call]:
    """How many rules knocked out, the limit and the monthly rate."""
    decision = zen.ZenEngine().create_decision((folder / "graph.json").read_text())
    given: list[dict[str, Any]] = json.loads((folder / "inputs.json").read_text())

    def call(place: int) -> tuple[float, float, float]:
        found = decision.evaluate(given[place])["result"]
        return len(found["knock_outs"]), found["limit"]["limit"], found["price"]["rate_bps"]

    return {ZEN: call}
