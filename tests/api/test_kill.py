"""The server is killed with -9 around COMMIT, and the same key finds out what became of the request."""

import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from api.store import queries
from api.store.database import Database
from tests.support.crashing import FUSE, REMOTE, Point
from tests.support.server import Server, serving
from tests.support.service import TABLES, fresh_key, market_bodies

CRASHING = ("-m", "tests.support.crashing")


@pytest.mark.parametrize(("point", "survives"), [("after_commit", True), ("before_commit", False)])
def test_a_kill_leaves_exactly_one_decision(
    url: str, market: Path, tmp_path: Path, point: Point, survives: bool
) -> None:
    """B08, B09: the connection breaks; the retry replays what was committed, or is a first request; never two."""
    body, key, fuse = _body(market), fresh_key(), tmp_path / "fuse"
    with serving(url, tmp_path, market, CRASHING, {FUSE: str(fuse)}) as server:
        fuse.write_text(point)
        with pytest.raises(httpx.TransportError):
            server.apply(body, key)
        assert not fuse.exists()
        committed = _counts(url)
        assert set(committed.values()) == {int(survives)}, committed
        reply = _again(server, body, key)
        assert reply.status_code == 201
        assert (reply.headers.get("idempotency-replayed") == "true") is survives
        decision_id = reply.json()["decision_id"]
        replayed = server.ask("GET", f"/v1/decisions/{decision_id}/replay").json()
        assert (replayed["match"], replayed["difference"]) == (True, None)
        assert server.apply(body, key).content == reply.content
    assert set(_counts(url).values()) == {1}
    with Database.open(url) as database, database.transaction(read_only=True) as connection:
        assert queries.verify_audit(connection) is None


def test_a_kill_between_keeping_and_deciding_loses_nothing(url: str, market: Path, tmp_path: Path) -> None:
    """Killed with -9 once the application is kept: the next process decides it unasked, and the key replays that."""
    body, key, fuse = _body(market), fresh_key(), tmp_path / "fuse"
    with serving(url, tmp_path, market, CRASHING, {FUSE: str(fuse), REMOTE: "1"}) as server:
        fuse.write_text("after_commit")
        with pytest.raises(httpx.TransportError):
            server.apply(body, key, headers={"Request-Deadline-Ms": "500"})
        with Database.open(url) as database:
            give_up, decided = time.monotonic() + 30, 0
            while not decided and time.monotonic() < give_up:
                time.sleep(0.1)
                with database.transaction(read_only=True) as connection:
                    taken_in = connection.execute(text("SELECT count(*) FROM intake")).scalar_one()
                    decided = connection.execute(text("SELECT count(*) FROM decision")).scalar_one()
                assert taken_in == 1
        reply = server.apply(body, key)
        assert (reply.status_code, reply.headers["idempotency-replayed"], decided) == (201, "true", 1)
        assert server.ask("GET", f"/v1/decisions/{reply.json()['decision_id']}/replay").json()["match"] is True


def _body(market: Path) -> dict[str, Any]:
    """A request that names one person, so that it makes one row in every table."""
    return next(body for body in market_bodies(market) if len(body["people"]) == 1)


def _counts(url: str) -> dict[str, int]:
    with Database.open(url) as database, database.transaction(read_only=True) as connection:
        counted = {table: f"SELECT count(*) FROM {table}" for table in TABLES}
        return {table: int(connection.execute(text(query)).scalar_one()) for table, query in counted.items()}


def _again(server: Server, body: object, key: str) -> httpx.Response:
    """The same request to the worker that took the dead one's place; it is told to come back while a key is held."""
    give_up = time.monotonic() + 60
    while True:
        try:
            reply = server.apply(body, key)
            if "retry-after" not in reply.headers or time.monotonic() > give_up:
                return reply
        except httpx.TransportError:
            if time.monotonic() > give_up:
                raise
        time.sleep(0.2)
