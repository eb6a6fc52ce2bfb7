"""Reading the record of decisions: replies that were given, the one that stands, what changed between two.

It does: make public bytes again from what is kept. It does not: decide or write. The rule it keeps: an application's
owner and an auditor may read it; to everybody else it is not there.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from api.replies import Recorded, public_reply
from api.store import queries as store
from api.store.database import Database
from engine.decision import Decision
from engine.difference import Difference, difference
from engine.facts import Facts


@dataclass(frozen=True, slots=True)
class StoredReply:
    """A reply that was given, and the decision that superseded it since."""

    body: bytes
    successor: str | None


async def stored_reply(database: Database, decision_id: str, caller_id: str | None) -> StoredReply | None:
    """The public reply of a recorded decision, for the caller whose application it was (None: any); or None."""

    def look(connection: Connection) -> StoredReply | None:
        row = store.get_decision(connection, decision_id)
        if row is None or not _may_read(connection, row, caller_id):
            return None
        return StoredReply(_reply(connection, row), store.successor_of(connection, decision_id))

    return await database.read(look)


async def current_reply(database: Database, application_id: str, caller_id: str | None) -> bytes | None:
    """The public reply of an application's decision that nothing has superseded; None without one."""

    def look(connection: Connection) -> bytes | None:
        row = store.standing_decision(connection, application_id)
        return None if row is None or not _may_read(connection, row, caller_id) else _reply(connection, row)

    return await database.read(look)


async def difference_of(database: Database, decision_id: str) -> bytes | None:
    """What a superseding decision changed, canonical JSON; None where it superseded nothing."""

    def look(connection: Connection) -> bytes | None:
        after = store.get_decision(connection, decision_id)
        before = store.get_decision(connection, after.supersedes) if after and after.supersedes else None
        if after is None or before is None:
            return None
        found = _difference(connection, before, after)
        return None if found is None else found.canonical()

    return await database.read(look)


def difference_between(connection: Connection, before_id: str, after_id: str) -> tuple[str, ...]:
    """What changed from one decision to another, in words for all staff; empty where they are the same one."""
    before, after = store.get_decision(connection, before_id), store.get_decision(connection, after_id)
    if before is None or after is None or before_id == after_id:
        return ()
    found = _difference(connection, before, after)
    return () if found is None else found.words


def _difference(connection: Connection, before: store.DecisionRow, after: store.DecisionRow) -> Difference | None:
    bodies = [store.facts_body(connection, row.facts_sha256) for row in (before, after)]
    was, now = (Facts.model_validate_json(body) if body else None for body in bodies)
    if was is None or now is None:
        return None
    return difference(Decision.model_validate_json(before.body), Decision.model_validate_json(after.body), was, now)


def _may_read(connection: Connection, row: store.DecisionRow, caller_id: str | None) -> bool:
    if caller_id is None:
        return True
    application = store.get_application(connection, row.application_id)
    return application is not None and application.caller_id == caller_id


def _reply(connection: Connection, row: store.DecisionRow) -> bytes:
    entry = store.audit_entry(connection, row.audit_seq)
    return public_reply(
        Recorded(
            row.id, row.application_id, row.decided_at, Decision.model_validate_json(row.body), row.audit_seq,
            entry.sha256 if entry else "", row.supersedes,
        )
    )  # fmt: skip
