"""The whole application wired on one page.

It does: open the store, load the release, join routes, errors and metrics. It does not: hold any logic. The rule
it keeps: what is pretended (synthetic release, made-up sources) is refused outside development.
"""

import gc
import sys
import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache, partial
from typing import Final

import structlog
from litestar import Litestar, Response
from litestar.datastructures import State
from litestar.enums import ScopeType
from litestar.types import ASGIApp, ControllerRouterHandler, Message, Receive, Scope, Send

import models
from api import worker
from api.advice.setup import Advice, advice_service
from api.audit.checkpointing import Checkpointer, checkpointer
from api.cases.setup import CaseService, case_service
from api.console import pages as console_pages
from api.errors import handle
from api.flow import Clock, Shell, utc_now
from api.guards import BlindIndex
from api.journey import pages as journey_pages
from api.journey.replies import refused
from api.journey.setup import Journey, journey
from api.memory import settle
from api.metrics import REQUESTS
from api.requests import AnyRequest
from api.rollout.arms import InService
from api.rollout.following import Follower, tell_release
from api.rollout.loading import Folder
from api.routes import advice as advice_routes
from api.routes import cases as case_routes
from api.routes import connections, decisions, operations
from api.routes.connections import Connections
from api.security import Keyring
from api.settings import Settings, Unset
from api.sources import NoSources, Sources
from api.sources.ladder import Ladder
from api.sources.setup import ladder
from api.sources.standin import MarketSources
from api.staff import pages as staff_pages
from api.staff.authority import require_rules
from api.staff.door import Door
from api.staff.guarding import enforce
from api.staff.setup import open_door
from api.store.database import Database
from api.watching import Watching
from engine.release import Manifest, Release

log = structlog.get_logger()
# The store's thread lets go of the interpreter at every statement, and by default waits 5 ms for it each time.
_SWITCH_SECONDS = 0.0002
_MOST_OLD_RELEASES = 4  # kept in memory of those that served before


class Pretended(RuntimeError):
    """Something made up would be served outside development."""


def create() -> ASGIApp:
    """The application by the settings of the environment; what the server calls."""
    app = create_app(Settings.from_environment())
    settle()
    gc.set_threshold(20_000, 50, 50)  # a decision makes thousands of short-lived objects and no cycles
    sys.setswitchinterval(_SWITCH_SECONDS)
    return app


@dataclass(frozen=True, slots=True)
class _Rooms:
    """What the application is made of, each with its own setup."""

    shell: Shell
    comparables: Connections | None
    advice: Advice
    cases: CaseService
    applicants: Journey
    staff: Door
    checkpoints: Checkpointer | None
    follower: Follower | None  # none where the release was named: nobody swaps it then


def create_app(settings: Settings) -> ASGIApp:
    """The application: a plain ASGI callable that measures, logs and answers."""
    app = routed()
    furnish(app, settings)
    return Watched(app)


def routed() -> Litestar:
    """Every route joined, with nothing behind them: `furnish` puts it there."""
    _configure_logging()
    app = Litestar(
        route_handlers=_routes(),
        guards=[enforce],
        exception_handlers={Exception: _refused},
        lifespan=[_living],
        openapi_config=None,
        logging_config=None,
    )
    require_rules(app)
    return app


def furnish(app: Litestar, settings: Settings) -> None:
    """Open what the settings name and put it behind the routes, in the place of whatever was there."""

    def clock() -> datetime:
        """The moment by the shell that the application has now: tests put another one there."""
        moment: datetime = app.state.shell.clock()
        return moment

    rooms = _rooms(settings, clock)
    app.state = State(
        {
            "rooms": rooms, "settings": settings, "shell": rooms.shell,
            "keyring": Keyring(rooms.shell.database, settings.development), "load_release": rooms.shell.load_release,
            "connections": rooms.comparables, "advice": rooms.advice, "checkpoints": rooms.checkpoints,
            "desk": rooms.cases.desk, "intray": rooms.cases.intray, "staff": rooms.staff,
            "lobby": rooms.applicants.lobby, "sending": rooms.applicants.desk,
            "look_up": rooms.applicants.look_up, "outcomes": rooms.applicants.outcomes,
            "watching": Watching(settings.monitor),
        }
    )  # fmt: skip


def _rooms(settings: Settings, clock: Clock) -> _Rooms:
    """Everything opened, after what is pretended was refused."""
    named, root, trust = settings.release, settings.release_root(), settings.release_trust()
    release = models.champion(root=root, trust=trust) if named is None else models.serving(named, root, trust=trust)
    sources = _sources(settings)
    comparables = None if settings.comparables is None else Connections.open(settings.comparables)
    made_up = sources.synthetic or (comparables is not None and comparables.synthetic)
    refuse_pretended(settings, release.manifest, made_up)
    database = Database.open(settings.database_url)
    engine = models.engine_digest()
    tell_release(release, engine, 1)
    shell = Shell(
        database, sources, InService(release), engine, BlindIndex(_index_key(settings)),
        load_release=lru_cache(_MOST_OLD_RELEASES)(partial(models.load, root=root, trust=trust)),
    )  # fmt: skip
    folder = Folder(root, settings.trust, partial(_fault_of, settings, made_up))
    sealer = settings.sealer()
    cases = case_service(settings, shell, sealer)
    applicants = journey(settings, shell, cases, sealer, clock)
    cases = replace(cases, letters=applicants.letters(cases.office))
    staff = open_door(
        database, sealer, shell.index, clock, origin=settings.origin, port=settings.port,
        development=settings.development,
    )  # fmt: skip
    checkpoints = checkpointer(
        settings.audit, database, settings.database_url, utc_now, development=settings.development
    )
    follower = Follower(folder, shell) if named is None else None
    return _Rooms(shell, comparables, advice_service(settings), cases, applicants, staff, checkpoints, follower)


def _routes() -> list[ControllerRouterHandler]:
    """Every route: of machines, of staff, of applicants."""
    return [
        connections.connection_value, decisions.apply, decisions.current, decisions.decision, decisions.difference,
        decisions.replay, operations.health, operations.ready, operations.metrics, operations.openapi,
        operations.problem, case_routes.accept, case_routes.case, case_routes.upload, case_routes.contract,
        case_routes.sign_contract, *advice_routes.HANDLERS, *staff_pages.HANDLERS, *console_pages.HANDLERS,
        *journey_pages.HANDLERS,
    ]  # fmt: skip


def _refused(request: AnyRequest, error: Exception) -> Response[bytes]:
    """Where no route says how: a page to somebody who looks for one, problem+json to machines."""
    machine = request.url.path.startswith(("/v1/", "/console", "/problems"))
    return handle(request, error) if machine else refused(request, error)


@asynccontextmanager
async def _living(app: Litestar) -> AsyncGenerator[None, None]:
    """Open while the block lasts, with the loops that work beside the requests."""
    rooms: _Rooms = app.state.rooms
    async with AsyncExitStack() as stack:
        stack.callback(rooms.shell.database.close)
        stack.callback(app.state.staff.passwords.close)
        stack.callback(rooms.advice.worker.close)
        if rooms.comparables is not None:
            stack.callback(rooms.comparables.close)
        if isinstance(rooms.shell.sources, Ladder):
            await stack.enter_async_context(rooms.shell.sources.opened())
        stack.push_async_callback(rooms.cases.office.close)
        loops = [worker.work(rooms.shell), *rooms.cases.loops(), *rooms.applicants.loops()]
        if rooms.checkpoints is not None:
            stack.push_async_callback(worker.surely, rooms.checkpoints.finish)
            loops.append(worker.repeat(rooms.checkpoints.tick, worker.TICK_SECONDS))
        if rooms.follower is not None:
            stack.push_async_callback(rooms.follower.finish)
            loops += [rooms.follower.follow(), rooms.follower.decide_beside()]
            await worker.surely(rooms.follower.tick)  # before the first request: a business stays in its arm
        await stack.enter_async_context(worker.working(*loops))
        yield


def _sources(settings: Settings) -> Sources:
    if settings.market is not None:
        return MarketSources(settings.market)
    if not settings.sources.places:
        return NoSources()
    return ladder(settings.sources, utc_now, development=settings.development)


def _index_key(settings: Settings) -> bytes:
    """The key of the blind indexes; a laptop may do without one of its own."""
    if not settings.index_key and not settings.development:
        raise Unset("CREDITLINE_INDEX_KEY must be set: repeated people and accounts are recognised by it")
    return (settings.index_key.reveal() or "a key of blind indexes for development alone").encode()


def refuse_pretended(settings: Settings, manifest: Manifest, made_up_sources: bool) -> None:
    """Raise Pretended where a synthetic or unsigned release, or made-up sources, meet production."""
    if settings.development:
        return
    # What says it is signed never loads without its signatures: see models.load.
    if manifest.synthetic or not manifest.signed:
        raise Pretended(f"release {manifest.name} is synthetic or unsigned: it may only be served in development")
    if made_up_sources:
        raise Pretended("made-up sources may only be served in development")


def _fault_of(settings: Settings, made_up_sources: bool, release: Release) -> str | None:
    """Why a release that loads may not be taken up by a service that runs."""
    try:
        refuse_pretended(settings, release.manifest, made_up_sources)
    except Pretended as fault:
        return str(fault)
    return None


class Watched:
    """Gives each request its id, times it and logs one line of it: never a body, a value or an address.

    It stands outside the framework, so that what middleware refuses is counted as refused.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex
        started, status = time.perf_counter(), 500
        scope["state"] = {**scope.get("state", {}), "request_id": request_id, "began": time.monotonic()}

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                names = {name for name, _ in message["headers"]}
                safe = [] if b"x-content-type-options" in names else [(b"x-content-type-options", b"nosniff")]
                message["headers"] = [*message["headers"], *safe, (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self.app(scope, receive, sending)
        finally:
            seconds, route = time.perf_counter() - started, scope.get("path_template") or "unmatched"
            REQUESTS.labels(route, str(status)).observe(seconds)
            log.info(
                "request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1),
                request_id=request_id,
            )  # fmt: skip


# One list for ever: a logger keeps the one that it met first, and whoever listens in changes what is in it.
_LOG_PROCESSORS: Final[list[structlog.types.Processor]] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.JSONRenderer(),
]


def _configure_logging() -> None:
    structlog.configure(
        processors=_LOG_PROCESSORS,
        logger_factory=structlog.WriteLoggerFactory(),
        cache_logger_on_first_use=True,
    )
