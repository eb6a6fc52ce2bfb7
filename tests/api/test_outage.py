"""When the database is away the service says so at once; and outside development nothing pretended is served."""

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from structlog.testing import CapturingLogger

from api.app import Pretended, create_app, refuse_pretended
from api.settings import Settings
from api.sources import Asking, Gathered
from tests.support.commands import failed
from tests.support.postgres import Server as PostgresServer
from tests.support.postgres import free_port
from tests.support.schema import slug_of
from tests.support.server import Server
from tests.support.service import body_of, fresh_key, opened, telling

GENEROUS_S = 5.0  # the promise is 300 ms; a busy machine decides nothing here


def test_without_its_database_the_service_answers_and_decides_nothing() -> None:
    """B14: 503 `dependency-unavailable` with Retry-After, soon, however many ask; alive but not ready."""
    url = f"postgresql://postgres@127.0.0.1:{free_port()}/away"
    with opened(url, secret="cl_dev_" + "x" * 43) as service:
        started = time.monotonic()
        replies = [service.apply(body_of()), *service.apply_all([(body_of(), fresh_key()) for _ in range(50)])]
        assert time.monotonic() - started < GENEROUS_S
        assert {(reply.status_code, slug_of(reply)) for reply in replies} == {(503, "dependency-unavailable")}
        assert all(reply.headers["retry-after"] in {"1", "2", "3"} for reply in replies)
        assert service.ask("GET", "/health", secret=None).status_code == 200
        ready = service.ask("GET", "/ready", secret=None)
        assert (ready.status_code, slug_of(ready)) == (503, "dependency-unavailable")
        for path in ("/v1/decisions/dec_1", "/v1/decisions/dec_1/replay", "/metrics"):
            assert service.ask("GET", path).status_code == 503
        assert service.ask("GET", "/schema/openapi.json").status_code == 200


@pytest.mark.postgres
def test_a_database_that_goes_away_is_told(postgres: PostgresServer, postgres_template: str) -> None:
    """While serving, the database disappears: 503 to a known caller too, and ready no more."""
    url = postgres.create_database(postgres_template)
    with telling(url) as service:
        assert service.apply(body_of()).status_code == 201
        assert service.ask("GET", "/ready", secret=None).status_code == 200
        postgres.drop_database(url)
        for _ in range(3):
            reply = service.apply(body_of())
            assert (reply.status_code, slug_of(reply)) == (503, "dependency-unavailable")
        assert service.ask("GET", "/ready", secret=None).status_code == 503
        assert service.ask("GET", "/health", secret=None).status_code == 200


def test_the_shipped_release_is_refused_outside_development(sqlite_url: str, market: Path) -> None:
    """A synthetic or unsigned release stops the application before it opens anything."""
    for place in (None, market):
        with pytest.raises(Pretended, match="may only be served in development"):
            create_app(Settings(database_url=sqlite_url, market=place))


def test_serving_it_outside_development_fails_in_one_line(sqlite_url: str, market: Path) -> None:
    """`creditline serve` without --development says why it does not, before any worker starts."""
    for more in ({}, {"CREDITLINE_MARKET": str(market)}, {"CREDITLINE_DEVELOPMENT": "0"}):
        assert "may only be served in development" in failed(sqlite_url, "serve", more=more)


@pytest.mark.parametrize(
    ("synthetic", "signed", "made_up", "refused"),
    [
        (False, True, False, False),
        (True, True, False, True),
        (False, False, False, True),
        (False, True, True, True),
        (True, False, True, True),
    ],
)
def test_each_pretence_is_refused_by_itself(synthetic: bool, signed: bool, made_up: bool, refused: bool) -> None:
    """One of the three is enough: a synthetic release, an unsigned one, made-up sources. Development takes all."""
    manifest: Any = SimpleNamespace(name="release", synthetic=synthetic, signed=signed)
    refuse_pretended(Settings(development=True), manifest, made_up)
    if refused:
        with pytest.raises(Pretended):
            refuse_pretended(Settings(), manifest, made_up)
    else:
        refuse_pretended(Settings(), manifest, made_up)


def test_no_sources_are_a_referral(sqlite_url: str) -> None:
    """With no source set up every application is referred, and the public is told which could not be had."""
    with opened(sqlite_url) as service:
        told = service.apply(body_of()).json()
    assert (told["outcome"], told["offer"]) == ("refer", None)
    assert set(told["external_data_unavailable"]) == {"registry", "marketplace", "bank", "bureau"}


def test_a_source_that_raises_is_an_error_without_its_words(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in a source is 500 `internal`; its message, which may hold anything, is neither told nor logged."""

    class Broken:
        synthetic = True
        remote = False

        async def gather(self, asking: Asking) -> Gathered:
            raise ValueError(f"canary {asking.application}")

    logged = CapturingLogger()
    monkeypatch.setattr("api.errors.log", structlog.wrap_logger(logged, processors=[]))
    with opened(sqlite_url, sources=Broken()) as service:
        reply = service.apply(body_of())
        assert (reply.status_code, slug_of(reply)) == (500, "internal")
        assert set(service.counts().values()) == {0}
    told = [call.kwargs for call in logged.calls]
    assert [(each["event"], each["error_type"]) for each in told] == [("internal_error", "ValueError")]
    assert "test_outage.py" in told[0]["where"]
    for words in ("canary", "BANKSIA"):
        assert words not in reply.text + str(told)


def test_what_serve_shows_a_newcomer_works(server: Server) -> None:
    """The development key and the example body that `serve` leaves behind get a decision; the key's file is private."""
    key_file, example = server.folder / "var" / "development.key", server.folder / "var" / "application.json"
    assert key_file.stat().st_mode & 0o077 == 0
    reply = server.apply(example.read_bytes(), secret=key_file.read_text().strip())
    assert reply.status_code == 201
    give_up = time.monotonic() + 20
    while "Get a decision:" not in server.log and time.monotonic() < give_up:
        time.sleep(0.1)
    assert f"http://127.0.0.1:{server.port}/v1/applications" in server.log
