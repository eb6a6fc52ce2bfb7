"""Run the service under granian: prepare the database, serve, and in development say where and how.

It does: start workers and print what a newcomer needs. It does not: configure the app (api.app does). The rules it
keeps: production starts only on a database that is up to date, development brings it up to date itself; what only a
start needs is loaded by a process that ends with it, what every worker needs is loaded before they part.
"""

import importlib
import json
import multiprocessing
import os
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import click

from api.memory import settle, share_one_arena
from api.settings import DEVELOPMENT_KEY_FILE, DEVELOPMENT_MARKET, EXAMPLE_BUSINESS, Settings, Unset

EXAMPLE_FILE = Path("var/application.json")
_READY_SECONDS = 30.0
_STOP_SECONDS = 15
_SAMPLE_SECONDS, _SAMPLES = 30, 2  # a worker above its bound twice running is replaced; a moment's peak is none


def run(settings: Settings, workers: int, target: str = "api.app:create") -> None:
    """Serve `target`, which makes the application, until stopped; ClickException names what is missing."""
    if settings.database_url.startswith("sqlite") and workers > 1:
        raise click.ClickException("SQLite has one writer: more than one worker needs PostgreSQL")
    with _shared_figures() if workers > 1 else nullcontext():
        _serve(settings, workers, target)


@contextmanager
def _shared_figures() -> Iterator[None]:
    """A folder where several workers keep their figures, named before the metrics are first imported.

    Without it each worker would answer for itself alone. It goes at the end, and whoever is started then must not look.
    """
    with tempfile.TemporaryDirectory(prefix="creditline-metrics-") as figures:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = figures
        try:
            yield
        finally:
            del os.environ["PROMETHEUS_MULTIPROC_DIR"]


def _serve(settings: Settings, workers: int, target: str) -> None:
    from granian import Granian
    from granian.constants import Interfaces

    from api.metrics import forget_this_process

    # A process of its own, so that no worker carries migrations for life; meanwhile this one loads what workers share.
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as once:
        prepared = once.submit(_prepare, settings)
        # structlog draws errors in colour where it finds this: 6 MiB of every worker, for a log that is JSON.
        sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
        importlib.import_module(target.partition(":")[0])
        _load_ahead(settings)
        banner = prepared.result()
    if banner:
        # A process, not a thread: a worker that is forked while a thread holds a lock would wait for it for ever.
        multiprocessing.get_context("fork").Process(target=_announce, args=(settings, banner), daemon=True).start()
    os.environ["CREDITLINE_DATABASE_URL"] = settings.database_url
    forget_this_process()
    share_one_arena()
    settle()
    Granian(
        target, factory=True, interface=Interfaces.ASGI, address=settings.host, port=settings.port,
        workers=workers, respawn_failed_workers=True, workers_kill_timeout=_STOP_SECONDS, log_access=False,
        backlog=1024, workers_max_rss=settings.worker_mib, rss_sample_interval=_SAMPLE_SECONDS, rss_samples=_SAMPLES,
    ).serve()  # fmt: skip


def _load_ahead(settings: Settings) -> None:
    """Load the release that workers will ask for, so that they share its memory and are ready sooner.

    One that may not serve is told by whoever may not start for it.
    """
    import models

    with suppress(models.ReleaseRejected):
        root, trust = settings.release_root(), settings.release_trust()
        models.keep_ready(models.serving(settings.release, root, trust=trust))


def _prepare(settings: Settings) -> str:
    """Whatever has to be so before anything is served; in development the words that say how to use it."""
    from api.audit.commands import check_at_start

    banner = ""
    if settings.development:
        banner = _prepare_development(settings)
    else:
        _refuse_pretended(settings)
        from api.store.migrations import is_current

        if not is_current(settings.database_url):
            raise click.ClickException("the database is not up to date: run `creditline db upgrade` first")
    check_at_start(settings.database_url, settings.audit, development=settings.development)
    return banner


def _prepare_development(settings: Settings) -> str:
    from api.commands import example_body
    from api.staff.demo import demo_staff
    from api.store.database import Database
    from api.store.migrations import upgrade

    _refuse_shared_port(settings)
    Path("var").mkdir(exist_ok=True)
    upgrade(settings.database_url)
    with Database.open(settings.database_url) as database:
        demo_staff(database, settings.sealer())
    market = settings.market or DEVELOPMENT_MARKET
    if market.exists():
        body = example_body(market, EXAMPLE_BUSINESS, datetime.now(UTC))
        EXAMPLE_FILE.write_text(json.dumps(body, indent=1) + "\n")
    return _banner(_base(settings), development_key(settings.database_url), _told_by(settings))


def _refuse_shared_port(settings: Settings) -> None:
    """Two services would share the port without a word, and each request would meet either."""
    with suppress(OSError), socket.create_connection((settings.host, settings.port), timeout=1):
        raise click.ClickException(
            f"something serves {settings.host} port {settings.port} already: stop it, or choose another with --port"
        )


def _refuse_pretended(settings: Settings) -> None:
    """What every worker would refuse, told in one line before any of them starts.

    Of the release the manifest comes first; one that may serve is then loaded under the trust root.
    """
    import models
    from api.advice.contacts import ContactsRefused, load_contacts
    from api.app import Pretended, refuse_pretended
    from api.sources.setup import Unencrypted, refuse_plain_text

    root = settings.release_root()
    line = models.champion_line(root)
    name = settings.release or (line.name if line else "")
    listed = next((one for one in models.releases(root) if one.name == name), None)
    if listed is None or listed.manifest is None:
        raise click.ClickException(f"there is no release {name!r} that can be read")
    try:
        refuse_pretended(settings, listed.manifest, settings.market is not None)
        refuse_plain_text(settings.sources)
        settings.require_complete()
        load_contacts(settings.contacts, development=False)
        models.serving(settings.release, root, trust=settings.release_trust())
    except (Pretended, Unencrypted, Unset, ContactsRefused, models.ReleaseRejected) as error:
        raise click.ClickException(str(error)) from None


def development_key(database_url: str) -> str:
    """The development key, made once for a database and kept in a private file under var/."""
    from api.commands import add_key, is_known

    kept = DEVELOPMENT_KEY_FILE.read_text().strip() if DEVELOPMENT_KEY_FILE.exists() else ""
    if kept and is_known(database_url, kept):
        return kept
    secret = add_key(database_url, "development", ("apply", "supply", "audit", "operate"), development=True)
    with open(DEVELOPMENT_KEY_FILE, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(secret + "\n")
    return secret


def _base(settings: Settings) -> str:
    return f"http://{settings.host}:{settings.port}"


def _announce(settings: Settings, banner: str) -> None:
    """Print the banner as soon as the service is ready, if it gets ready at all."""
    give_up = time.monotonic() + _READY_SECONDS
    while time.monotonic() < give_up:
        try:
            with urllib.request.urlopen(f"{_base(settings)}/ready", timeout=1):
                click.echo(banner)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)


def _told_by(settings: Settings) -> str:
    if settings.market is not None:
        return f"the market file {settings.market}, without a socket"
    hosts = sorted({urlsplit(place.url).netloc for _, place in settings.sources.places})
    return ", ".join(hosts) or "nowhere: no source is set up, so every application is referred"


def _banner(base: str, secret: str, sources: str) -> str:
    from api.sandbox.stories import book
    from api.staff.demo import DEMO_PASSWORD, DEMO_STAFF

    abn, staff, password = book()["clean"].abn, next(iter(DEMO_STAFF)), DEMO_PASSWORD
    return f"""
  creditline serves on {base}   (development: synthetic release, made-up businesses)
  Facts come from: {sources}

    {base}/apply                 apply, as a business does (ABN of a made-up one: {abn})
    {base}/dev/mailbox           the mails that were sent
    {base}/console               the staff console: sign in as {staff} with "{password}",
                                                   the code from `.venv/bin/creditline staff code {staff}`
    {base}/schema/openapi.json   the API
    {base}/metrics               metrics (with the key)

  Development key: {secret}

  Get a decision:

    curl -s {base}/v1/applications -H 'Authorization: Bearer {secret}' \\
      -H "Idempotency-Key: $(python3 -c 'import uuid; print(uuid.uuid4())')" \\
      -H 'Content-Type: application/json' --data @{EXAMPLE_FILE}
"""
