"""Releases swapped under load, on a real server: no error, each decision names its maker and replays to the byte."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import models
from api.store.database import Database
from api.store.queries.decisions import decisions_since
from tests.support.rollouts import SHIPPED, folder_of
from tests.support.server import Server, serving
from tests.support.service import market_bodies
from training.simulate import write_market

SWAPS = 6
_FOLLOWED_S = 20.0


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


def test_promoting_and_rolling_back_under_load_is_invisible(
    sqlite_url: str, tmp_path: Path, many: Path, releases: Path
) -> None:
    """Six swaps while three clients send: every reply is a 201, and all that was decided replays under its release."""
    url, more = sqlite_url, {"CREDITLINE_RELEASES": str(releases)}
    with serving(url, tmp_path, many, more=more) as server, load(server, market_bodies(many)) as answers:
        for swap in range(SWAPS):
            models.promote("strict", releases) if swap % 2 == 0 else models.rollback(releases)
            name = "strict" if swap % 2 == 0 else SHIPPED
            eventually(lambda name=name: ready(server) == name, f"swap {swap} was not followed")
            seen = len(answers)
            eventually(lambda seen=seen: len(answers) >= seen + 10, "no answers")
    assert Counter(status for status, _ in answers) == {201: len(answers)}, answers
    makers = made_by(url)
    assert set(makers) == {SHIPPED, "strict"}
    assert sum(makers.values()) == len(answers)
    with serving(url, tmp_path, many, more=more) as server:
        for decision_id in ids(url):
            told = server.ask("GET", f"/v1/decisions/{decision_id}/replay").json()
            assert told["match"], told
    assert "Traceback" not in server.log


def made_by(url: str) -> Counter[str]:
    """How many decisions each release made."""
    with Database.open(url) as database, database.transaction(read_only=True) as connection:
        return Counter(row.release_name for row in decisions_since(connection))


def ids(url: str) -> list[str]:
    """Every decision."""
    with Database.open(url) as database, database.transaction(read_only=True) as connection:
        return [row.id for row in decisions_since(connection)]
