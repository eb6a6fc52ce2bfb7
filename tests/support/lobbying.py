"""A lobby over a migrated database, with a clock that a test moves: visits, drafts, links and codes without pages."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, text

from api.applicants.entering import let_in
from api.applicants.visits import Lobby
from api.guards import BlindIndex
from api.sealing import Sealer
from api.store import queries as store
from api.store.database import Database
from tests.support.records import a_decision, a_record
from tests.support.service import Clock

T = TypeVar("T")
ADDRESS = "192.0.2.44"
EMAIL = "ann@banksia.example"


@dataclass
class Foyer:
    """A lobby with its clock and a way to look behind it."""

    lobby: Lobby
    clock: Clock

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for one coroutine."""
        return asyncio.run(work)

    def write(self, work: Callable[[Connection], T]) -> T:
        """One transaction."""
        with self.lobby.database.transaction() as connection:
            return work(connection)

    def look(self, work: Callable[[Connection], T]) -> T:
        """Read from the database."""
        with self.lobby.database.transaction(read_only=True) as connection:
            return work(connection)

    def count(self, table: str, where: str = "1 = 1") -> int:
        """How many rows a table has."""
        return self.look(
            lambda connection: int(connection.execute(text(f"SELECT count(*) FROM {table} WHERE {where}")).scalar_one())
        )

    def rows(self, table: str) -> str:
        """Everything in a table, as text."""
        return self.look(lambda connection: str(connection.execute(text(f"SELECT * FROM {table}")).all()))

    def application(self) -> str:
        """An application that was decided."""
        decision = a_decision()
        self.write(lambda connection: store.record_decision(connection, a_record(decision)))
        return decision.application_id

    def applicant(self, email: str = EMAIL) -> str:
        """Somebody who applied with this address; the application's id."""
        application_id = self.application()
        self.write(lambda connection: let_in(self.lobby, connection, email, application_id))
        return application_id

    def letters(self, to: str | None = None) -> list[dict[str, str]]:
        """What is sealed in letters, in the order of their messages."""
        rows = self.look(
            lambda connection: connection.execute(
                text(
                    "SELECT letter.id, letter.sealed FROM letter JOIN outbox ON outbox.object_id = letter.id "
                    "WHERE letter.sealed IS NOT NULL ORDER BY outbox.id"
                )
            ).all()
        )
        told = [json.loads(self.lobby.sealer.open(sealed, f"letter/sealed/{name}")) for name, sealed in rows]
        return [each for each in told if to is None or each.get("to") == to]


@contextmanager
def foyer(url: str) -> Iterator[Foyer]:
    """A lobby over this database."""
    clock = Clock()
    with Database.open(url) as database:
        sealer, index = Sealer({"tests": bytes(range(32))}), BlindIndex(b"a key of blind indexes for tests")
        yield Foyer(Lobby(database, sealer, index, clock, ("https://apply.lender.example",)), clock)
