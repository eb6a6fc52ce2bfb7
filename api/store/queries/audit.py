"""The audit chain: numbered entries without a gap, each holding the digest of the one before it.

An entry is canonical JSON without personal data, written in the same transaction as what it tells of. Whoever
changes, drops or swaps an entry breaks the chain, and `verify_audit` names the place. It does not detect a
chain rebuilt from some point on, or a cut tail: only a copy of the last digest kept elsewhere does.
The rule: the entry is written as late in a transaction as can be, because on PostgreSQL the next writer waits
for it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, insert, select, text

from api.store.moment import microseconds
from api.store.tables import audit
from engine.canonical import canonical_bytes

GENESIS = "0" * 64
_VERSION = 1
_PAGE = 2_000
_LOCK = text("SELECT pg_advisory_xact_lock(7310002, 0)")  # two numbers, so that no single-number lock is the same

Detail = str | int | bool | None


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Who did what to which object; `details` hold ids and digests, never personal data."""

    actor: str
    actor_role: str
    action: str
    object_id: str
    details: Mapping[str, Detail] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where an entry stands in the chain."""

    seq: int
    sha256: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An entry as kept."""

    seq: int
    at: datetime
    body: str
    sha256: str
    prev: str


_INSERT = insert(audit)
_LAST = select(audit.c.seq, audit.c.at, audit.c.sha256).order_by(audit.c.seq.desc()).limit(1)
_BY_SEQ = select(audit).where(audit.c.seq == bindparam("sought"))
_AFTER = select(audit).where(audit.c.seq > bindparam("after")).order_by(audit.c.seq).limit(bindparam("page"))
_TAIL = select(audit).order_by(audit.c.seq.desc()).limit(bindparam("page"))


def append_audit(connection: Connection, happened: AuditEvent, at: datetime) -> Receipt:
    """Add the next entry; its time is `at`, or a microsecond after the last one's if the clock went back."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)
    last = connection.execute(_LAST).first()
    seq, prev = (1, GENESIS) if last is None else (last.seq + 1, last.sha256)
    if last is not None:
        at = max(at, last.at + timedelta(microseconds=1))
    body = canonical_bytes(
        {
            "v": _VERSION,
            "seq": seq,
            "at": microseconds(at),
            "actor": happened.actor,
            "actor_role": happened.actor_role,
            "action": happened.action,
            "object": happened.object_id,
            "details": dict(happened.details),
            "prev": prev,
        }
    )
    sha256 = hashlib.sha256(body).hexdigest()
    connection.execute(_INSERT, {"seq": seq, "at": at, "body": body.decode(), "sha256": sha256, "prev": prev})
    return Receipt(seq, sha256)


def audit_entry(connection: Connection, seq: int) -> AuditEntry | None:
    """One entry by its number."""
    row = connection.execute(_BY_SEQ, {"sought": seq}).mappings().first()
    return None if row is None else AuditEntry(**row)


def audit_tail(connection: Connection, limit: int = 20) -> tuple[AuditEntry, ...]:
    """The last entries, newest first."""
    return tuple(AuditEntry(**row) for row in connection.execute(_TAIL, {"page": limit}).mappings())


def verify_audit(connection: Connection) -> int | None:
    """The number of the first entry that is missing or altered, or none if the chain holds."""
    expected, prev = 1, GENESIS
    while True:
        rows = connection.execute(_AFTER, {"after": expected - 1, "page": _PAGE}).all()
        for row in rows:
            if row.seq != expected or not _holds(AuditEntry(*row), prev):
                return expected
            expected, prev = expected + 1, row.sha256
        if len(rows) < _PAGE:
            return None


def _holds(entry: AuditEntry, prev: str) -> bool:
    body = entry.body.encode()
    if entry.prev != prev or hashlib.sha256(body).hexdigest() != entry.sha256:
        return False
    try:
        told = json.loads(body)
        return bool((told["seq"], told["at"], told["prev"]) == (entry.seq, microseconds(entry.at), prev))
    except (ValueError, KeyError, TypeError):
        return False
