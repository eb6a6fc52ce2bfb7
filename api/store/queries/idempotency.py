"""One outcome a key: who asked what under which key, and the reply that was given, byte for byte.

The row is claimed first and finished in the same transaction, so there is never a claim without an outcome.
The row stays as long as the decision; only the copy of the reply is pruned.
The rule: a key's first outcome is its only one.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from api.store.errors import InFlight
from api.store.prepared import Prepared, Sent
from api.store.tables import idempotency

_LOCK_NOT_AVAILABLE = "55P03"
_KEY = ["caller_id", "route", "key"]


@dataclass(frozen=True, slots=True)
class Claim:
    """A caller's key for one request; `fingerprint` is the digest of what was asked, `status` the reply's."""

    caller_id: str
    route: str
    key: str
    fingerprint: str
    status: int = 201


@dataclass(frozen=True, slots=True)
class IdempotentRow:
    """What came of a key; `reply` is none once pruned, and is then rebuilt from the decision."""

    caller_id: str
    route: str
    key: str
    fingerprint: str
    status: int
    reply: bytes | None
    decision_id: str | None
    created_at: datetime


_INSERT = Prepared(
    {
        name: dialect.insert(idempotency).on_conflict_do_nothing(index_elements=_KEY).returning(idempotency.c.key)
        for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
    }
)
_MATCH = (
    (idempotency.c.caller_id == bindparam("its_caller"))
    & (idempotency.c.route == bindparam("its_route"))
    & (idempotency.c.key == bindparam("its_key"))
)
_FIND = Prepared(select(idempotency).where(_MATCH))
_FINISH = Prepared(
    update(idempotency)
    .where(_MATCH)
    .values(reply=bindparam("its_reply"), decision_id=bindparam("its_decision"))
    .returning(idempotency.c.key)
)


def find_idempotent(connection: Connection, caller_id: str, route: str, key: str) -> IdempotentRow | None:
    """What came of this key before, if anything."""
    values = {"its_caller": caller_id, "its_route": route, "its_key": key}
    row = _FIND.first(connection, values)
    return None if row is None else IdempotentRow(*row)


def claim_key(connection: Connection, claim: Claim, at: datetime) -> bool:
    """Take this key for the running transaction; False if it has an outcome already.

    On PostgreSQL another transaction that holds the same key is waited for; raises InFlight after
    `lock_timeout`.
    """
    values = {
        "caller_id": claim.caller_id,
        "route": claim.route,
        "key": claim.key,
        "fingerprint": claim.fingerprint,
        "status": claim.status,
        "created_at": at,
    }
    try:
        return _INSERT.first(connection, values) is not None
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise InFlight("the same key is being worked on") from error
        raise


def finish_key(connection: Connection, claim: Claim, reply: bytes, decision_id: str | None) -> None:
    """Keep the reply of a key claimed in this transaction."""
    if not send_finish(connection, claim, reply, decision_id).rows():
        raise LookupError("a key is claimed before it is finished")


def send_finish(connection: Connection, claim: Claim, reply: bytes, decision_id: str | None) -> Sent:
    """The same, not waited for: its one row says that the key had been claimed."""
    values = {
        "its_caller": claim.caller_id,
        "its_route": claim.route,
        "its_key": claim.key,
        "its_reply": reply,
        "its_decision": decision_id,
    }
    return _FINISH.send(connection, values)


def prune_replies(connection: Connection, before: datetime, limit: int = 1_000) -> int:
    """Drop the copies of at most `limit` replies older than that, and say how many; the keys stay taken."""
    columns = (idempotency.c.caller_id, idempotency.c.route, idempotency.c.key)
    old = (
        select(*columns)
        .where(idempotency.c.created_at < before, idempotency.c.reply.is_not(None))
        .order_by(idempotency.c.created_at)
        .limit(limit)
    )
    return connection.execute(update(idempotency).where(tuple_(*columns).in_(old)).values(reply=None)).rowcount
