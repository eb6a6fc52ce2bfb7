"""For whoever runs the service: health, readiness, metrics, the API's description, the meaning of a problem."""

from typing import Any, get_args

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import Connection

from api.errors import SLUGS, Problem
from api.metrics import BRAKES, FOLLOW_UPS_WAITING, REGISTRY
from api.openapi import document
from api.recording import WANTED
from api.store import queries as store
from engine.facts.standing import BrakeKind

AnyRequest = Request[Any, Any, Any]


@get("/health", include_in_schema=False)
async def health() -> dict[str, str]:
    """The process lives; says nothing of its dependencies."""
    return {"status": "ok"}


@get("/ready", include_in_schema=False)
async def ready(request: AnyRequest) -> dict[str, str]:
    """The store answers and a release is loaded; 503 otherwise."""
    shell = request.app.state.shell
    await shell.database.read(lambda connection: store.audit_tail(connection, 1))
    return {"status": "ready", "release": shell.release.name}


@get("/metrics", include_in_schema=False)
async def metrics(request: AnyRequest) -> Response[bytes]:
    """Prometheus metrics; a key with the scope `operate`."""
    caller = await request.app.state.keyring.caller(request.headers.get("authorization"))
    caller.require("operate")
    shell = request.app.state.shell

    def look(connection: Connection) -> tuple[tuple[store.Brake, ...], int]:
        return store.brakes_in_force(connection, shell.clock()), store.waiting_messages(connection, WANTED)

    brakes, waiting = await shell.database.read(look)
    for kind in get_args(BrakeKind):
        BRAKES.labels(kind).set(sum(brake.kind == kind for brake in brakes))
    FOLLOW_UPS_WAITING.set(waiting)
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


@get("/schema/openapi.json", include_in_schema=False)
async def openapi() -> Response[bytes]:
    """The API's description, OpenAPI 3.1."""
    return Response(msgspec.json.encode(document()), media_type="application/json")


@get("/problems/{slug:str}", include_in_schema=False)
async def problem(slug: FromPath[str]) -> dict[str, Any]:
    """What a problem's slug means."""
    if slug not in SLUGS:
        raise Problem("not-found")
    status, title = SLUGS[slug]
    return {"slug": slug, "status": status, "title": title}
