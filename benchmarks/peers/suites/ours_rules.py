"""Our rules on the same cases: every finding, every cap, the limit and its price.

It does: more than the graph beside it, which has neither referrals nor the debt-service cap; its answer leaves that cap
out so that the two can be compared.
"""

from pathlib import Path

from benchmarks.peers.worker import Call
from benchmarks.scoring.rules import CASES, ready
from engine.application import SMALLEST_CENTS, STEP_CENTS
from engine.limits import assign
from engine.pricing import price
from engine.screening import screen

ROWS = CASES
__all__ = ["OURS", "ROWS", "tasks"]
OURS = "creditline, screen, assign and price"


def tasks(folder: Path) -> dict[str, Call]:
    """How many rules knocked out, the limit without the debt-service cap and the monthly rate."""
    cases = ready()

    def call(place: int) -> tuple[float, float, float]:
        one = cases[place]
        knocked = sum(finding.kind == "knock_out" for finding in screen(one.case))
        caps = assign(one.case, one.grade, one.pd).caps
        cents = min(cap.cents for cap in caps if cap.cents is not None and cap.name != "debt_service")
        limit = max(cents // STEP_CENTS * STEP_CENTS, SMALLEST_CENTS)
        return knocked, limit, price(one.case.policy.pricing, one.grade, limit)

    return {OURS: call}
