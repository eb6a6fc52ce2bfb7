"""One application as it stands: its decision with everything that it was made of, ready to be decided again.

It does: read it for the caller whose it is, with the release that decided. It does not: decide or write. The rule it
keeps: to anybody else it is not there.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from sqlalchemy import Connection

from api.advice.honouring import release_named
from api.errors import Problem
from api.flow import Shell
from api.store import queries as store
from engine.application import Application
from engine.decision import Decision
from engine.facts import Facts
from engine.release import Release

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """The last so many answers, the longest unused one forgotten first; safe between threads."""

    def __init__(self, most: int) -> None:
        self._most, self._held, self._lock = most, OrderedDict[K, V](), Lock()

    def get(self, key: K) -> V | None:
        """The answer, if it is remembered."""
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
            return found

    def keep(self, key: K, value: V) -> V:
        """Remember an answer."""
        with self._lock:
            self._held[key] = value
            if len(self._held) > self._most:
                self._held.popitem(last=False)
        return value


@dataclass(frozen=True, slots=True)
class Recorded:
    """A standing decision and its three arguments."""

    row: store.DecisionRow
    decision: Decision
    application: Application
    facts: Facts
    release: Release


def standing_row(connection: Connection, application_id: str, caller_id: str) -> store.DecisionRow:
    """The decision of one of the caller's own applications that stands; Problem `not-found` otherwise."""
    application = store.get_application(connection, application_id)
    row = None if application is None else store.standing_decision(connection, application_id)
    if application is None or row is None or application.caller_id != caller_id:
        raise Problem("not-found")
    return row


async def recorded(shell: Shell, row: store.DecisionRow) -> Recorded:
    """Everything behind a decision; Problem `gone` where it was erased, `not-configured` without its release."""

    def look(connection: Connection) -> tuple[bytes, bytes]:
        application, facts = (
            store.get_application(connection, row.application_id), store.facts_body(connection, row.facts_sha256)
        )  # fmt: skip
        if application is None or facts is None:
            raise Problem("gone")
        return application.body, facts

    application, facts = await shell.database.read(look)
    release = await release_named(row.release_name, row.release_digest, shell.release, shell.load_release)
    if release is None:
        raise Problem("not-configured")
    return Recorded(
        row=row,
        decision=Decision.model_validate_json(row.body),
        application=Application.model_validate_json(application),
        facts=Facts.model_validate_json(facts),
        release=release,
    )
