"""How often a decision waits for PostgreSQL: counted in the driver's own trace of what went out and what came back."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from api.store import queries
from api.store.database import Database
from api.store.migrations import upgrade
from api.store.prepared import pipelined
from tests.support.postgres import Server
from tests.support.records import NOON, a_claim, a_decision, a_query, a_record, a_signal


@pytest.fixture
def database(postgres: Server) -> Iterator[Database]:
    """PostgreSQL alone: SQLite is in the process."""
    url = postgres.create_database()
    upgrade(url)
    with Database.open(url) as opened:
        yield opened
    postgres.drop_database(url)


def _trips(trace: Path) -> int:
    """How often an answer (B) follows a request (F)."""
    ways = [line.split("\t")[1] for line in trace.read_text().splitlines() if line.count("\t") > 1]
    return sum(before == "F" and after == "B" for before, after in pairwise(ways))


@pytest.mark.postgres
def test_keeping_a_decision_takes_five_round_trips(database: Database, tmp_path: Path) -> None:
    """Locks and standing, the key, the rows with the chain's end, the entry with what names it, and the commit."""
    decision = a_decision()
    asked = a_query(decision, a_signal("person", "alice"))
    with database.transaction(read_only=True) as connection:
        seen = queries.standing_of(connection, asked, NOON)
    with (tmp_path / "trace").open("w") as file:
        with database.transaction() as connection:
            driver: Any = connection.connection.dbapi_connection
            driver.pgconn.trace(file.fileno())
            kept = a_record(decision, claim=a_claim(), standing_seen=seen, standing_query=asked)
            assert isinstance(queries.record_decision(connection, kept), queries.Recorded)
        driver.pgconn.untrace()
    assert _trips(tmp_path / "trace") == 5


@pytest.mark.postgres
def test_asking_before_a_decision_takes_three_round_trips(database: Database, tmp_path: Path) -> None:
    """The key, the whole standing, and the end."""
    asked = a_query(a_decision(), a_signal("person", "alice"))

    def look(connection: Connection) -> None:
        with pipelined(connection):
            queries.find_idempotent(connection, "key_caller", "/v1/applications", "a key")
            queries.standing_of(connection, asked, NOON)

    with database.transaction(read_only=True) as connection, (tmp_path / "trace").open("w") as file:
        driver: Any = connection.connection.dbapi_connection
        driver.pgconn.trace(file.fileno())
        look(connection)
        driver.pgconn.untrace()
    assert _trips(tmp_path / "trace") == 3
