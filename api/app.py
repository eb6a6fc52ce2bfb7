"""The whole application wired on one page.

It does: open the store, load the release, join routes, errors and metrics. It does not: hold any logic. The rule
it keeps: what is pretended (synthetic release, made-up sources) is refused outside development.
"""

import gc
import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

import models
from api import worker
from api.errors import handle
from api.flow import Shell, utc_now
from api.guards import BlindIndex
from api.metrics import RELEASE, REQUESTS
from api.routes import connections, decisions, operations
from api.routes.connections import Connections
from api.sealing import Sealer
from api.security import Keyring
from api.settings import Settings
from api.sources import NoSources, Sources
from api.sources.ladder import Ladder
from api.sources.setup import ladder
from api.sources.standin import MarketSources
from api.store.database import Database
from engine.release import Manifest

log = structlog.get_logger()


class Pretended(RuntimeError):
    """Something made up would be served outside development."""


class Unset(RuntimeError):
    """Something that only development may do without is not set."""


def create() -> ASGIApp:
    """The application by the settings of the environment; what the server calls."""
    return create_app(Settings.from_environment())


def create_app(settings: Settings) -> ASGIApp:
    """The application: a plain ASGI callable that measures, logs and answers."""
    _configure_logging()
    release = models.champion() if settings.release is None else models.load(settings.release)
    sources = _sources(settings)
    comparables = None if settings.comparables is None else Connections.open(settings.comparables)
    made_up = sources.synthetic or (comparables is not None and comparables.synthetic)
    refuse_pretended(settings, release.manifest, made_up)
    database = Database.open(settings.database_url)
    engine = models.engine_digest()
    RELEASE.labels(release.name, release.digest[:12], engine[:12]).set(1)
    shell = Shell(database, sources, release, engine, BlindIndex(_index_key(settings)))

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncGenerator[None, None]:
        async with AsyncExitStack() as stack:
            stack.callback(database.close)
            if comparables is not None:
                stack.callback(comparables.close)
            if isinstance(sources, Ladder):
                await stack.enter_async_context(sources.opened())
            await stack.enter_async_context(worker.working(shell))
            yield

    app = Litestar(
        route_handlers=[
            connections.connection_value, decisions.apply, decisions.current, decisions.decision,
            decisions.difference, decisions.replay, operations.health, operations.ready, operations.metrics,
            operations.openapi, operations.problem,
        ],
        exception_handlers={Exception: handle},
        lifespan=[lifespan],
        openapi_config=None,
        logging_config=None,
    )  # fmt: skip
    app.state.settings = settings
    app.state.shell = shell
    app.state.connections = comparables
    app.state.sealer = sealer_of(settings)
    app.state.keyring = Keyring(database, settings.development)
    app.state.load_release = models.load
    # What start-up made lives as long as the process: a full collection need not walk it (100 ms otherwise).
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)  # a decision makes thousands of short-lived objects and no cycles
    return Watched(app)


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


def sealer_of(settings: Settings) -> Sealer:
    """What seals documents and seeds; a laptop may do without keys of its own."""
    if not settings.seal_keys and not settings.development:
        raise Unset("CREDITLINE_SEAL_KEYS must be set: documents and staff secrets are sealed by it")
    return Sealer.of(settings.seal_keys.reveal()) if settings.seal_keys else Sealer({"development": bytes(32)})


def refuse_pretended(settings: Settings, manifest: Manifest, made_up_sources: bool) -> None:
    """Raise Pretended where a synthetic or unsigned release, or made-up sources, meet production."""
    if settings.development:
        return
    signed: bool = manifest.signed  # never yet: signatures are still to come
    if manifest.synthetic or not signed:
        raise Pretended(f"release {manifest.name} is synthetic or unsigned: it may only be served in development")
    if made_up_sources:
        raise Pretended("made-up sources may only be served in development")


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
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
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


def _configure_logging() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(),
        cache_logger_on_first_use=True,
    )
