"""Releases swapped under load, on a real server: no error, each decision names its maker and replays to the byte."""

import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import models
from api.store import queries as store
from api.store.database import Database
from api.store.queries.decisions import decisions_since
from tests.support.rollouts import SHIPPED, folder_of
from tests.support.server import SERVE, Server, serving
from tests.support.service import market_bodies
from training.simulate import write_market

SWAPS = 4
_FOLLOWED_S = 20.0
_PAUSE_S = 0.1  # of each client between two, so that on a quick machine too the businesses last for all swaps


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the shipped release and a stricter one."""
    return folder_of(tmp_path_factory.mktemp("swaps") / "releases", strict=1.5)


@contextmanager
def load(server: Server, bodies: list[dict[str, Any]], threads: int = 3) -> Iterator[list[tuple[int, str]]]:
    """Send applications one after another from several threads while the block lasts; status and release's name."""
    answers: list[tuple[int, str]] = []
    turn, ends = itertools.count(), threading.Event()

    def send() -> None:
        while not ends.is_set() and (place := next(turn)) < len(bodies):
            reply = server.apply(bodies[place])
            answers.append((reply.status_code, reply.text[:200] if reply.status_code != 201 else ""))
            ends.wait(_PAUSE_S)

    workers = [threading.Thread(target=send) for _ in range(threads)]
    for worker in workers:
        worker.start()
    try:
        yield answers
    finally:
        ends.set()
        for worker in workers:
            worker.join()


def eventually(done: Any, what: str) -> None:
    """Wait until something is so."""
    give_up = time.monotonic() + _FOLLOWED_S
    while not done():
        assert time.monotonic() < give_up, what
        time.sleep(0.05)


def ready(server: Server) -> str:
    """The release that the asked worker has in force."""
    name: str = server.ask("GET", "/ready", secret=None).json()["release"]
    return name


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A market of six hundred made-up businesses, each of which applies once: no guard refuses one."""
    path = tmp_path_factory.mktemp("many") / "market.sqlite"
    write_market(path, count=600, seed=12)
    return path


@pytest.mark.parametrize(("kind", "workers"), [("sqlite", 1), pytest.param("postgres", 2, marks=pytest.mark.postgres)])
def test_promoting_and_rolling_back_under_load_is_invisible(
    kind: str, workers: int, tmp_path: Path, many: Path, releases: Path, request: pytest.FixtureRequest
) -> None:
    """Swaps while clients send: every reply is a 201, every worker follows, every decision replays."""
    url, more = request.getfixturevalue(f"{kind}_url"), {"CREDITLINE_RELEASES": str(releases)}
    command = (*SERVE, "--workers", str(workers))
    with serving(url, tmp_path, many, command, more) as server:
        with load(server, market_bodies(many)) as answers:
            for swap in range(SWAPS):
                name = "strict" if swap % 2 == 0 else SHIPPED
                models.promote(name, releases) if swap % 2 == 0 else models.rollback(releases)
                eventually(lambda name=name: {ready(server) for _ in range(8)} == {name}, f"swap {swap}: not followed")
                seen = len(answers)
                eventually(lambda seen=seen: len(answers) >= seen + 5, "no answers")
        assert Counter(status for status, _ in answers) == {201: len(answers)}, answers
        makers = made_by(url)
        assert set(makers) == {SHIPPED, "strict"}
        assert sum(makers.values()) == len(answers)
        for decision_id in ids(url):
            told = server.ask("GET", f"/v1/decisions/{decision_id}/replay").json()
            assert told["match"], told
    assert "Traceback" not in server.log
    with Database.open(url) as database, database.transaction(read_only=True) as connection:
        steps = [json.loads(each.body) for each in store.audit_tail(connection, 2_000)]
        assert store.verify_audit(connection) is None
    swaps = [
        (each["details"]["from"], each["details"]["release"]) for each in steps if each["action"] == "serve_release"
    ]
    assert swaps[::-1][:2] == [(SHIPPED, "strict"), ("strict", SHIPPED)]
    assert len(swaps) >= SWAPS


def made_by(url: str) -> Counter[str]:
    """How many decisions each release made."""
    with Database.open(url) as database, database.transaction(read_only=True) as connection:
        return Counter(row.release_name for row in decisions_since(connection))


def ids(url: str) -> list[str]:
    """Every decision."""
    with Database.open(url) as database, database.transaction(read_only=True) as connection:
        return [row.id for row in decisions_since(connection)]
