"""What the service counts, for Prometheus; labels never hold personal data.

It does: declare every metric in one place. It does not: count requests (api.app does, from outside the framework)
or serve the figures (the operations routes do).
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()
_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

DECISIONS = Counter("creditline_decisions", "Decisions recorded, by outcome.", ["outcome"], registry=REGISTRY)
STAGES = Histogram(
    "creditline_stage_seconds",
    "Time spent in each stage of a decision.",
    ["stage"],
    registry=REGISTRY,
    buckets=_FAST,
)
REQUESTS = Histogram(
    "creditline_request_seconds", "Time to answer, by route and status.", ["route", "status"], registry=REGISTRY,
    buckets=_FAST,
)  # fmt: skip
RELEASE = Gauge(
    "creditline_release_info",
    "The release in force; always 1.",
    ["release", "digest", "engine"],
    registry=REGISTRY,
)
for _stage in ("receive", "enrich", "decide", "record"):
    STAGES.labels(_stage)
for _outcome in ("approve", "refer", "decline"):
    DECISIONS.labels(_outcome)
