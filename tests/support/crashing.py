"""The service with a fuse: it kills itself with -9 right before or right after the next COMMIT.

The fuse is a file that names the point; it is taken away first, so that the worker that the server starts in
place of the dead one lives. `python -m tests.support.crashing` serves it as `creditline serve` serves the service.
With `CRASH_REMOTE` the market counts as outside the process, so that the first COMMIT of a request keeps its
application, and the completer takes over what is left as soon as its lease has lapsed.
"""

import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Literal, TypeVar

from granian import Granian
from granian.constants import Interfaces
from litestar import Litestar
from litestar.types import ASGIApp
from sqlalchemy import Connection

from api import app as service
from api import worker
from api.settings import Settings
from api.sources.standin import MarketSources
from api.store.database import Database, Work

T = TypeVar("T")
Point = Literal["before_commit", "after_commit"]
FUSE = "CRASH_FUSE"
REMOTE = "CRASH_REMOTE"


def create() -> ASGIApp:
    """The application of the environment's settings, with a fuse."""
    if os.environ.get(REMOTE):
        MarketSources.remote = True
        worker.PATIENCE = timedelta(0)
    app = service.create()
    assert isinstance(app, service.Watched)
    assert isinstance(app.app, Litestar)
    _fit(app.app.state.shell.database, Path(os.environ[FUSE]))
    return app


def _fit(database: Database, fuse: Path) -> None:
    whole = database.write

    async def write(work: Work[T]) -> T:
        def with_fuse(connection: Connection) -> T:
            value = work(connection)
            _blow(fuse, "before_commit")
            return value

        value = await whole(with_fuse)
        _blow(fuse, "after_commit")
        return value

    database.write = write  # type: ignore[method-assign]


def _blow(fuse: Path, point: Point) -> None:
    if fuse.exists() and fuse.read_text() == point:
        fuse.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    settings = Settings.from_environment()
    Granian(
        "tests.support.crashing:create", factory=True, interface=Interfaces.ASGI, address=settings.host,
        port=settings.port, respawn_failed_workers=True, workers_kill_timeout=5, log_access=False,
    ).serve()  # fmt: skip
