"""Recording a decision: everything that came of one request, in the transaction at hand, or nothing.

The order of the steps keeps two writers from waiting for each other in a circle: brakes, businesses, then the key,
then the rows, then the audit chain, which everybody needs and which is therefore taken last. It does not
decide, and does not commit.
The rule: whenever something else than `Recorded` is returned, nothing was written.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from api.store.prepared import pipelined
from api.store.queries.applications import NewApplication, NewPerson, insert_application
from api.store.queries.audit import AuditEvent, Receipt, append_audit
from api.store.queries.decisions import NewDecision, insert_decision, successor_of
from api.store.queries.exposure import hold_business
from api.store.queries.facts import FactSet, insert_facts
from api.store.queries.idempotency import Claim, IdempotentRow, claim_key, find_idempotent, send_finish
from api.store.queries.outbox import NewMessage, insert_messages
from api.store.queries.signals import add_attempt, add_refused_attempt
from api.store.queries.standing import Standing, StandingQuery, hold_standing, standing_of


@dataclass(frozen=True, slots=True)
class NewRecord:
    """One decision with all that belongs to it, ready to be kept.

    `application` is none when the application was kept before. `standing_seen` is what the record said of it when
    it was decided: if it is given, with the query that it answered, and moved since, nothing is written. `reply`
    makes the bytes of the answer, which name the audit entry.
    """

    decision: NewDecision
    facts: FactSet
    reply: Callable[[Receipt], bytes]
    actor: str
    actor_role: str
    claim: Claim | None = None
    application: NewApplication | None = None
    people: tuple[NewPerson, ...] = ()
    messages: tuple[NewMessage, ...] = ()
    standing_seen: Standing | None = None
    standing_query: StandingQuery | None = None
    application_sha256: str | None = None  # of one that was kept before
    request_id: str | None = None
    honours: str | None = None  # the counterfactual under whose release it was decided
    rollout: str | None = None  # the roll-out that its arm is of


@dataclass(frozen=True, slots=True)
class Recorded:
    """It was kept, and this is the answer to give once the transaction is."""

    receipt: Receipt
    reply: bytes


@dataclass(frozen=True, slots=True)
class Replayed:
    """The key has an outcome already; the caller compares fingerprints and repeats the reply."""

    earlier: IdempotentRow


@dataclass(frozen=True, slots=True)
class StandingMoved:
    """What the lender's own record says changed meanwhile: decide once more on this."""

    standing: Standing


@dataclass(frozen=True, slots=True)
class Superseded:
    """The decision to be superseded has been already, by this one."""

    successor: str


RecordResult = Recorded | Replayed | StandingMoved | Superseded


def record_decision(connection: Connection, record: NewRecord) -> RecordResult:
    """Keep a decision and its application, people, attempt, facts, key, messages and audit entry."""
    with pipelined(connection):
        return _record(connection, record)


def _record(connection: Connection, record: NewRecord) -> RecordResult:
    if (obstacle := _obstacle(connection, record)) is not None:
        return obstacle
    new = record.decision
    if record.claim is not None and not claim_key(connection, record.claim, new.decided_at):
        earlier = find_idempotent(connection, record.claim.caller_id, record.claim.route, record.claim.key)
        if earlier is None:
            raise LookupError("a key that was taken has a row")
        return Replayed(earlier)
    application_sha256 = record.application_sha256
    if record.application is not None:
        application_sha256 = insert_application(connection, record.application, record.people)
    if record.standing_query is not None and new.supersedes is None:
        add_attempt(connection, record.standing_query.attempt(refused=False), new.decided_at)
    insert_facts(connection, record.facts)
    insert_messages(connection, record.messages, new.decided_at)
    receipt = append_audit(connection, _event(record, application_sha256), new.decided_at)
    insert_decision(connection, new, record.facts.sha256, receipt.seq)
    reply = record.reply(receipt)
    if record.claim is not None:
        send_finish(connection, record.claim, reply, new.id)
    return Recorded(receipt, reply)


def _obstacle(connection: Connection, record: NewRecord) -> RecordResult | None:
    """What stands in the way, found before anything is written, so that there is nothing to undo."""
    new, asked, seen = record.decision, record.standing_query, record.standing_seen
    if asked is not None and seen is not None:
        asked = hold_standing(connection, asked, seen)
    elif new.supersedes is not None:
        hold_business(connection, new.abn)
    if new.supersedes is not None and (successor := successor_of(connection, new.supersedes)) is not None:
        return Superseded(successor)
    if asked is not None and seen is not None:
        found = standing_of(connection, asked, new.decided_at)
        if found.differs(seen, asked.amount_cents):
            return StandingMoved(found)
    return None


def record_refused(
    connection: Connection, asked: StandingQuery, slug: str, at: datetime, request_id: str | None = None
) -> None:
    """Keep an attempt that was refused with this problem; the same one repeated within the hour is kept once."""
    if add_refused_attempt(connection, asked.attempt(refused=True), at):
        details = {"problem": slug, "request_id": request_id}
        append_audit(connection, AuditEvent(asked.caller_id, "caller", "refuse", asked.attempt_id, details), at)


def _event(record: NewRecord, application_sha256: str | None) -> AuditEvent:
    new = record.decision
    return AuditEvent(
        actor=record.actor,
        actor_role=record.actor_role,
        action="decide",
        object_id=new.id,
        details={
            "application": new.application_id,
            "application_sha256": application_sha256,
            "decision_sha256": new.body_sha256,
            "engine_digest": new.engine_digest,
            "facts_sha256": record.facts.sha256,
            "fingerprint": record.claim.fingerprint if record.claim else None,
            "release_digest": new.release_digest,
            "request_id": record.request_id,
            "supersedes": new.supersedes,
            **({"honours": record.honours} if record.honours else {}),
            **({"rollout": record.rollout, "arm": new.arm} if new.arm else {}),
        },
    )
