"""Decisions as they were made: found by id, read on in the order in which they were committed.

It does not write the other rows of a record; records.py does.
The rule: a decision is never changed, it is superseded.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select

from api.store.prepared import Prepared
from api.store.tables import decision


@dataclass(frozen=True, slots=True)
class NewDecision:
    """What is to be kept of one decision; `body` is its canonical JSON, limit and rate are the offer's."""

    id: str
    application_id: str
    decided_at: datetime
    as_of: datetime
    outcome: str
    release_name: str
    release_digest: str
    engine_digest: str
    body: bytes
    abn: str
    synthetic: bool
    limit_cents: int | None = None
    monthly_rate_bps: int | None = None
    grade: str | None = None
    pd: float | None = None
    expires_at: datetime | None = None
    supersedes: str | None = None
    division: str | None = None
    state: str | None = None
    entity_type: str | None = None
    arm: str | None = None

    @property
    def body_sha256(self) -> str:
        """The digest of the body."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A decision as kept."""

    id: str
    application_id: str
    supersedes: str | None
    decided_at: datetime
    as_of: datetime
    outcome: str
    limit_cents: int | None
    monthly_rate_bps: int | None
    grade: str | None
    pd: float | None
    expires_at: datetime | None
    release_name: str
    release_digest: str
    engine_digest: str
    facts_sha256: str
    body: bytes
    body_sha256: str
    audit_seq: int
    abn: str
    synthetic: bool
    division: str | None
    state: str | None
    entity_type: str | None
    arm: str | None


_INSERT = Prepared(insert(decision))
_BY_ID = Prepared(select(decision).where(decision.c.id == bindparam("sought")))
_SUCCESSOR = Prepared(select(decision.c.id).where(decision.c.supersedes == bindparam("sought")))
_later = decision.alias("later")
_STANDING = select(decision).where(
    decision.c.application_id == bindparam("sought"),
    ~select(_later.c.id).where(_later.c.supersedes == decision.c.id).exists(),
)
_AFTER = (
    select(decision)
    .where(decision.c.audit_seq > bindparam("after"))
    .order_by(decision.c.audit_seq)
    .limit(bindparam("page"))
)


def insert_decision(connection: Connection, new: NewDecision, facts_sha256: str, audit_seq: int) -> None:
    """Keep a decision; raises IntegrityError for one that breaks the design's invariants."""
    _INSERT.send(
        connection,
        {
            "id": new.id,
            "application_id": new.application_id,
            "supersedes": new.supersedes,
            "decided_at": new.decided_at,
            "as_of": new.as_of,
            "outcome": new.outcome,
            "limit_cents": new.limit_cents,
            "monthly_rate_bps": new.monthly_rate_bps,
            "grade": new.grade,
            "pd": new.pd,
            "expires_at": new.expires_at,
            "release_name": new.release_name,
            "release_digest": new.release_digest,
            "engine_digest": new.engine_digest,
            "facts_sha256": facts_sha256,
            "body": new.body,
            "body_sha256": new.body_sha256,
            "audit_seq": audit_seq,
            "abn": new.abn,
            "synthetic": new.synthetic,
            "division": new.division,
            "state": new.state,
            "entity_type": new.entity_type,
            "arm": new.arm,
        },
    )


def get_decision(connection: Connection, decision_id: str) -> DecisionRow | None:
    """One decision by its id."""
    row = _BY_ID.first(connection, {"sought": decision_id})
    return None if row is None else DecisionRow(*row)


def successor_of(connection: Connection, decision_id: str) -> str | None:
    """The id of the decision that superseded this one, if any."""
    row = _SUCCESSOR.first(connection, {"sought": decision_id})
    return None if row is None else row[0]


def standing_decision(connection: Connection, application_id: str) -> DecisionRow | None:
    """The decision of an application that nothing has superseded, if it has any."""
    row = connection.execute(_STANDING, {"sought": application_id}).first()
    return None if row is None else DecisionRow(*row)


def decisions_since(connection: Connection, after_seq: int = 0, page: int = 500) -> Iterator[DecisionRow]:
    """Every decision whose audit entry comes after that one, in order, fetched `page` rows at a time.

    The last row's `audit_seq` is where the next call goes on. It holds one page in memory, however many there
    are.
    """
    while True:
        rows = connection.execute(_AFTER, {"after": after_seq, "page": page}).all()
        yield from (DecisionRow(*row) for row in rows)
        if len(rows) < page:
            return
        after_seq = rows[-1].audit_seq
