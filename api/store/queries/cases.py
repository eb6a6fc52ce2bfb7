"""Verification cases: the head as it stands, and the events that made it so, each with its entry in the audit chain.

An event keeps its details and every value of the head that it set, so the head can be built again from its events.
The audit entry holds digests alone. It does not know which event is allowed in which state.
The rule: a case changes together with an event and an entry, or not at all; renewing a lease alone is no change.
"""

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from api.store.moment import microseconds
from api.store.queries.audit import AuditEvent, append_audit
from api.store.tables import case_event, verification_case
from engine.canonical import canonical_bytes

_NAME_MAX = 200
_PAGE = 500  # events


@dataclass(frozen=True, slots=True)
class NewCase:
    """A case to be opened on an accepted offer; the clock's moments are given where it runs from the start."""

    id: str
    application_id: str
    decision_id: str
    abn: str = field(repr=False)
    legal_name: str = field(repr=False)
    state: str
    limit_cents: int
    expires_at: datetime
    rank: int = 0
    complete_at: datetime | None = None
    due_at: datetime | None = None
    queue_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaseRow:
    """The head of a case as kept."""

    id: str
    application_id: str
    accepted_decision_id: str
    decision_id: str
    abn: str = field(repr=False)
    name_key: str = field(repr=False)
    state: str
    version: int
    limit_cents: int
    opened_at: datetime
    expires_at: datetime
    complete_at: datetime | None
    paused_at: datetime | None
    paused_us: int
    due_at: datetime | None
    touched_at: datetime | None
    alerted_hours: int
    queue_at: datetime | None
    rank: int
    owner: str | None
    lease_until: datetime | None
    snoozed_until: datetime | None
    escalated: bool
    verified_by: str | None
    content_sha256: str | None
    sampled: bool
    closed_at: datetime | None

    def content(self) -> dict[str, Any]:
        """What its events tell of it, as JSON values: all but the name and the end of the lease."""
        found = {name: getattr(self, name) for name in _CONTENT}
        return {name: microseconds(each) if isinstance(each, datetime) else each for name, each in found.items()}


class CaseChange(TypedDict, total=False):
    """What may change in a head; what is left out stays."""

    state: str
    decision_id: str
    limit_cents: int
    expires_at: datetime
    complete_at: datetime | None
    paused_at: datetime | None
    paused_us: int
    due_at: datetime | None
    touched_at: datetime | None
    alerted_hours: int
    queue_at: datetime | None
    rank: int
    owner: str | None
    lease_until: datetime | None
    snoozed_until: datetime | None
    escalated: bool
    verified_by: str | None
    content_sha256: str | None
    sampled: bool
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewCaseEvent:
    """What happened; `details` are JSON values, people's words among them, and stay out of the audit chain."""

    event: str
    actor: str
    actor_role: str
    at: datetime
    details: Mapping[str, object] = field(default_factory=dict, repr=False)
    document_id: str | None = None


@dataclass(frozen=True, slots=True)
class CaseEventRow:
    """An event as kept; `version` and `state` are the case's after it."""

    case_id: str
    version: int
    at: datetime
    actor: str
    actor_role: str
    event: str
    state: str
    document_id: str | None
    body: str = field(repr=False)
    audit_seq: int

    @property
    def details(self) -> dict[str, Any]:
        """What was told with it."""
        found: dict[str, Any] = json.loads(self.body)["details"]
        return found

    @property
    def settings(self) -> dict[str, Any]:
        """The values of the head that it set, as CaseRow.content() has them."""
        found: dict[str, Any] = json.loads(self.body)["set"]
        return found


@dataclass(frozen=True, slots=True)
class Stale:
    """The case is no longer as it was seen; this is how it stands. Nothing was written."""

    current: CaseRow


@dataclass(frozen=True, slots=True)
class Step:
    """A case before and after one event."""

    before: CaseRow | None
    after: CaseRow
    event: NewCaseEvent


_CONTENT = tuple(sorted(CaseRow.__dataclass_fields__.keys() - {"name_key", "lease_until"}))
_CHANGEABLE = CaseChange.__optional_keys__
_CASE = {
    "sqlite": sqlite.insert(verification_case)
    .on_conflict_do_nothing(index_elements=["application_id"])
    .returning(*verification_case.c),
    "postgresql": postgresql.insert(verification_case)
    .on_conflict_do_nothing(index_elements=["application_id"])
    .returning(*verification_case.c),
}
_EVENT = insert(case_event)
_BY_ID = select(verification_case).where(verification_case.c.id == bindparam("sought"))
_LOCKED = _BY_ID.with_for_update()
_OF_APPLICATION = select(verification_case).where(verification_case.c.application_id == bindparam("sought"))
_CHANGE = (
    update(verification_case)
    .where(verification_case.c.id == bindparam("sought"))
    .values(version=verification_case.c.version + 1)
    .returning(*verification_case.c)
)
_EVENTS = (
    select(case_event)
    .where(case_event.c.case_id == bindparam("sought"), case_event.c.version > bindparam("after"))
    .order_by(case_event.c.version)
    .limit(bindparam("page"))
)


def name_key(legal_name: str) -> str:
    """A legal name as it is searched by: one form of each letter, lower case, single spaces, 200 characters."""
    return " ".join(unicodedata.normalize("NFKC", legal_name).casefold().split())[:_NAME_MAX]


def open_case(connection: Connection, new: NewCase, event: NewCaseEvent) -> CaseRow | None:
    """Open a case with its first event; None, and nothing written, where the application has one."""
    row = connection.execute(_CASE[connection.dialect.name], _values(new, event.at)).first()
    if row is None:
        return None
    opened = CaseRow(*row)
    append_steps(connection, (Step(None, opened, event),))
    return opened


def _values(new: NewCase, at: datetime) -> dict[str, object]:
    return {
        "id": new.id, "application_id": new.application_id, "accepted_decision_id": new.decision_id,
        "decision_id": new.decision_id, "abn": new.abn, "name_key": name_key(new.legal_name), "state": new.state,
        "version": 1, "limit_cents": new.limit_cents, "opened_at": at, "expires_at": new.expires_at,
        "complete_at": new.complete_at, "due_at": new.due_at, "queue_at": new.queue_at, "rank": new.rank,
        "paused_us": 0, "alerted_hours": 0, "escalated": False, "sampled": False,
    }  # fmt: skip


def get_case(connection: Connection, case_id: str) -> CaseRow | None:
    """One case by its id."""
    row = connection.execute(_BY_ID, {"sought": case_id}).first()
    return None if row is None else CaseRow(*row)


def case_of_application(connection: Connection, application_id: str) -> CaseRow | None:
    """The case of an application, if it has one."""
    row = connection.execute(_OF_APPLICATION, {"sought": application_id}).first()
    return None if row is None else CaseRow(*row)


def case_events(connection: Connection, case_id: str, after: int = 0, limit: int = _PAGE) -> tuple[CaseEventRow, ...]:
    """The events of a case after that version, in order."""
    rows = connection.execute(_EVENTS, {"sought": case_id, "after": after, "page": limit})
    return tuple(CaseEventRow(*row) for row in rows)


def every_event(connection: Connection, case_id: str) -> tuple[CaseEventRow, ...]:
    """All the events of a case, in order, however many people wrote notes on it."""
    found: tuple[CaseEventRow, ...] = ()
    while page := case_events(connection, case_id, found[-1].version if found else 0):
        found += page
        if len(page) < _PAGE:
            break
    return found


def hold_case(connection: Connection, case_id: str) -> CaseRow | None:
    """The case as it stands, unchanged by others until this transaction ends.

    For who also keeps a decision: businesses are held first, then cases, the audit chain last, or two transactions
    could wait for each other.
    """
    row = connection.execute(_LOCKED, {"sought": case_id}).first()
    return None if row is None else CaseRow(*row)


def change_case(
    connection: Connection, case_id: str, seen_version: int | None, change: CaseChange, event: NewCaseEvent
) -> CaseRow | Stale:
    """Change a case that is still at the version seen (none: at any) and keep the event; the one way to do so.

    It takes the lock of the audit chain, so everything else of the transaction comes before it. Raises LookupError
    where there is no such case, and IntegrityError for a head that breaks the design's invariants.
    """
    if not change.keys() <= _CHANGEABLE:
        raise ValueError(f"these do not change in a case: {sorted(change.keys() - _CHANGEABLE)}")
    before = hold_case(connection, case_id)
    if before is None:
        raise LookupError("there is no such case")
    if seen_version is not None and before.version != seen_version:
        return Stale(before)
    after = CaseRow(*connection.execute(_CHANGE.values(**change), {"sought": case_id}).one())
    append_steps(connection, (Step(before, after, event),))
    return after


def append_steps(connection: Connection, steps: tuple[Step, ...]) -> None:
    """Keep the events of heads that are changed already, each with its audit entry; called last."""
    rows = []
    for step in steps:
        event, after = step.event, step.after
        body = canonical_bytes({"details": dict(event.details), "set": _set_by(step)})
        details = {
            "after": _digest(after),
            "before": None if step.before is None else _digest(step.before),
            "body_sha256": hashlib.sha256(body).hexdigest(),
            "document": event.document_id,
            "version": after.version,
        }
        entry = AuditEvent(event.actor, event.actor_role, f"case_{event.event}", after.id, details)
        receipt = append_audit(connection, entry, event.at)
        rows.append(
            {
                "case_id": after.id, "version": after.version, "at": event.at, "actor": event.actor,
                "actor_role": event.actor_role, "event": event.event, "state": after.state,
                "document_id": event.document_id, "body": body.decode(), "audit_seq": receipt.seq,
            }
        )  # fmt: skip
    if rows:
        connection.execute(_EVENT, rows)


def _set_by(step: Step) -> dict[str, Any]:
    after = step.after.content()
    if step.before is None:
        return after
    before = step.before.content()
    return {name: value for name, value in after.items() if value != before[name]}


def _digest(case: CaseRow) -> str:
    return hashlib.sha256(canonical_bytes(case.content())).hexdigest()
