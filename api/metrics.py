"""What the service counts, for Prometheus; labels never hold personal data.

It does: declare every metric in one place, and wrap the finished app so that what middleware refuses is counted
as refused. It does not: serve them (the operations routes do).
"""

import time

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
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


class Measured:
    """An ASGI app with every HTTP answer timed, the refusals of middleware included."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, sending)
        finally:
            route = scope.get("path_template") or "unmatched"
            REQUESTS.labels(route, str(status)).observe(time.perf_counter() - started)
