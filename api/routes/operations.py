"""For whoever runs the service: health, readiness, metrics, the API's description, the meaning of a problem."""

from typing import Any, get_args

import msgspec
from litestar import Response, get
from litestar.params import FromPath
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import Connection

from api.errors import SLUGS, Problem
from api.metrics import BRAKES, CASES, CASES_PAST, FOLLOW_UPS_WAITING, MESSAGES_DEAD, REFERRALS_LATE, exposition
from api.openapi import document
from api.recording import WANTED
from api.referrals.reading import count_late
from api.requests import AnyRequest, shell_of
from api.store import queries as store
from engine.facts.standing import BrakeKind
from engine.verification.states import CASE_STATES, CLOSED


@get("/health", opt={"public": True}, include_in_schema=False)
async def health() -> dict[str, str]:
    """The process lives; says nothing of its dependencies."""
    return {"status": "ok"}


@get("/ready", opt={"public": True}, include_in_schema=False)
async def ready(request: AnyRequest) -> dict[str, str]:
    """The store answers, the audit chain holds at its end, a release is loaded; 503 otherwise."""
    shell, checkpoints = shell_of(request), request.app.state.checkpoints
    await shell.database.read(lambda connection: store.audit_tail(connection, 1))
    if checkpoints is not None and not await checkpoints.holds():
        raise Problem("dependency-unavailable")
    return {"status": "ready", "release": shell.release.name}


@get("/metrics", opt={"scopes": ("operate",)}, include_in_schema=False)
async def metrics(request: AnyRequest) -> Response[bytes]:
    """Prometheus metrics; a key with the scope `operate`."""
    caller = await request.app.state.keyring.caller(request.headers.get("authorization"))
    caller.require("operate")
    shell = shell_of(request)

    def look(connection: Connection) -> tuple[store.StateCount, ...]:
        now = shell.clock()
        brakes = store.brakes_in_force(connection, now)
        for kind in get_args(BrakeKind):
            BRAKES.labels(kind).set(sum(brake.kind == kind for brake in brakes))
        FOLLOW_UPS_WAITING.set(store.waiting_messages(connection, WANTED))
        REFERRALS_LATE.set(count_late(connection, now))
        MESSAGES_DEAD.set(store.dead_messages(connection))
        return store.board_of(connection, now)

    counted = {each.state: each for each in await shell.database.read(look)}
    for state in CASE_STATES:
        if state in CLOSED:
            continue
        CASES.labels(state).set(counted[state].cases if state in counted else 0)
    for place, hours in enumerate(store.ALERT_HOURS):
        CASES_PAST.labels(str(hours)).set(sum(each.passed[place] for each in counted.values()))
    request.app.state.watching.measure()
    return Response(exposition(), media_type=CONTENT_TYPE_LATEST)


@get("/schema/openapi.json", opt={"public": True}, include_in_schema=False)
async def openapi() -> Response[bytes]:
    """The API's description, OpenAPI 3.1."""
    return Response(msgspec.json.encode(document()), media_type="application/json")


@get("/problems/{slug:str}", opt={"public": True}, include_in_schema=False)
async def problem(slug: FromPath[str]) -> dict[str, Any]:
    """What a problem's slug means."""
    if slug not in SLUGS:
        raise Problem("not-found")
    status, title = SLUGS[slug]
    return {"slug": slug, "status": status, "title": title}
