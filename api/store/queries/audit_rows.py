"""Rows that an entry of the audit chain vouches for, read beside it: decisions with what they were made on, cases.

They are read a few at a time in the order of their entries. It does not compare them with anything.
The rule: a table with a column `audit_seq` has its rows here (a test compares).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, bindparam, exists, func, select

from api.store.queries.cases import CaseRow
from api.store.queries.rollout import RolloutEvent
from api.store.tables import (
    application,
    case_event,
    decision,
    fact_set,
    referral_act,
    rollout_event,
    verification_case,
)

T = TypeVar("T", "AuditedDecision", "AuditedEvent", "AuditedCase", "AuditedAct", RolloutEvent)
_PAGE = 200  # with their facts, some megabytes
AUDITED = (decision, case_event, referral_act, rollout_event)


@dataclass(frozen=True, slots=True)
class AuditedDecision:
    """A decision with the bytes of its application and facts; none where those are missing."""

    audit_seq: int
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
    body: bytes = field(repr=False)
    body_sha256: str
    abn: str = field(repr=False)
    synthetic: bool
    division: str | None  # this and the next two: none in rows from before brakes counted by them
    state: str | None
    entity_type: str | None
    arm: str | None
    application: bytes | None = field(repr=False)
    application_sha256: str | None
    facts: bytes | None = field(repr=False)
    facts_encoding: str | None
    facts_bytes: int | None


@dataclass(frozen=True, slots=True)
class AuditedEvent:
    """An event of a case."""

    audit_seq: int
    case_id: str
    version: int
    at: datetime
    actor: str
    actor_role: str
    event: str
    state: str
    document_id: str | None
    body: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuditedCase:
    """A case as it stands, beside the entry of the event that left it so."""

    audit_seq: int
    head: CaseRow


@dataclass(frozen=True, slots=True)
class AuditedAct:
    """What somebody did about a referral or a request for a person."""

    audit_seq: int
    id: str
    application_id: str
    decision_id: str
    act: str
    staff_id: str
    role: str
    proposal_id: str | None
    proposed_by: str | None
    review_id: str | None
    new_decision_id: str | None
    body: str = field(repr=False)
    at: datetime


_OF_DECISION = (
    "audit_seq", "id", "application_id", "supersedes", "decided_at", "as_of", "outcome", "limit_cents",
    "monthly_rate_bps", "grade", "pd", "expires_at", "release_name", "release_digest", "engine_digest", "facts_sha256",
    "body", "body_sha256", "abn", "synthetic", "division", "state", "entity_type", "arm",
)  # fmt: skip
_DECISIONS = select(
    *(decision.c[name] for name in _OF_DECISION),
    application.c.body,
    application.c.body_sha256,
    fact_set.c.body,
    fact_set.c.encoding,
    fact_set.c.bytes_raw,
).select_from(
    decision.outerjoin(application, application.c.id == decision.c.application_id).outerjoin(
        fact_set, fact_set.c.sha256 == decision.c.facts_sha256
    )
)
_EVENTS = select(*(case_event.c[name] for name in AuditedEvent.__dataclass_fields__))
_ACTS = select(*(referral_act.c[name] for name in AuditedAct.__dataclass_fields__))
_ROLLOUTS = select(*rollout_event.c)
_IS_LAST = (case_event.c.case_id == verification_case.c.id) & (case_event.c.version == verification_case.c.version)
_CASES = select(case_event.c.audit_seq, *verification_case.c).join_from(case_event, verification_case, _IS_LAST)
_ADRIFT = (
    select(verification_case.c.id)
    .where(~exists().where(_IS_LAST).correlate(verification_case))
    .order_by(verification_case.c.id)
    .limit(_PAGE)
)


def audited_decisions(connection: Connection, after: int, until: int) -> Iterator[AuditedDecision]:
    """The decisions whose entries lie after one number and up to another, in order."""
    return _between(connection, _DECISIONS, AuditedDecision, after, until)


def audited_events(connection: Connection, after: int, until: int) -> Iterator[AuditedEvent]:
    """The events of cases whose entries lie after one number and up to another, in order."""
    return _between(connection, _EVENTS, AuditedEvent, after, until)


def audited_cases(connection: Connection, after: int, until: int) -> Iterator[AuditedCase]:
    """The cases whose last event has an entry after one number and up to another, in order."""
    return _between(connection, _CASES, lambda seq, *head: AuditedCase(seq, CaseRow(*head)), after, until)


def audited_acts(connection: Connection, after: int, until: int) -> Iterator[AuditedAct]:
    """The acts on referrals whose entries lie after one number and up to another, in order."""
    return _between(connection, _ACTS, AuditedAct, after, until)


def audited_rollouts(connection: Connection, after: int, until: int) -> Iterator[RolloutEvent]:
    """What was taken up of champions and challengers whose entries lie after one number and up to another, in order."""
    return _between(connection, _ROLLOUTS, RolloutEvent, after, until)


def cases_adrift(connection: Connection) -> tuple[str, ...]:
    """Cases that are at a version of which there is no event, at most a page of them."""
    return tuple(connection.execute(_ADRIFT).scalars())


def last_audited(connection: Connection) -> int:
    """The highest entry that any of these rows names; 0 without rows."""
    return max(connection.execute(select(func.max(table.c.audit_seq))).scalar() or 0 for table in AUDITED)


def _between(connection: Connection, rows: Select[Any], kind: Callable[..., T], after: int, until: int) -> Iterator[T]:
    seq = next(iter(rows.selected_columns))
    query = rows.where(seq > bindparam("after"), seq <= bindparam("until")).order_by(seq).limit(_PAGE)
    while True:
        found = connection.execute(query, {"after": after, "until": until}).all()
        entries = [kind(*row) for row in found]
        yield from entries
        if len(found) < _PAGE:
            return
        after = entries[-1].audit_seq
