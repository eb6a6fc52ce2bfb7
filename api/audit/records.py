"""Whether rows say what their audit entries swore: decisions with their application and facts, cases, their events.

It does: compare digests, the bytes behind them, and the columns that repeat what the bytes say. It does not: decide
again (replay does). The rule it keeps: words about a row name the row and the column, never a value.
"""

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from api.audit.checkpoints import Finding
from api.store.moment import microseconds
from api.store.queries.audit import Told
from api.store.queries.audit_rows import (
    AuditedAct,
    AuditedDecision,
    AuditedEvent,
    audited_acts,
    audited_cases,
    audited_decisions,
    audited_events,
    audited_rollouts,
)
from api.store.queries.referrals import content_sha256
from api.store.queries.rollout import ACTS, RolloutEvent
from engine.canonical import canonical_bytes
from engine.values import division_of

_DECIDE, _CASE, _ACT = "decide", "case_", "referral_act"
_TOLD_IN = frozenset({_ACT, *ACTS.values()})


class _Offer(msgspec.Struct):
    limit_cents: int
    monthly_rate_bps: int
    expires_at: datetime


class _Score(msgspec.Struct):
    grade: str | None = None
    pd: float | None = None


class _Decided(msgspec.Struct):
    outcome: str | None = None
    release: str | None = None
    as_of: datetime | None = None
    synthetic: bool | None = None
    offer: _Offer | msgspec.UnsetType | None = msgspec.UNSET
    score: _Score | msgspec.UnsetType | None = msgspec.UNSET


class _Business(msgspec.Struct):
    abn: str
    anzsic: str
    state: str
    entity_type: str


class _Asked(msgspec.Struct):
    business: _Business | None = None


class _Happened(msgspec.Struct):
    set: dict[str, object] = msgspec.field(default_factory=dict)


_DECIDED, _ASKED = msgspec.json.Decoder(_Decided), msgspec.json.Decoder(_Asked)
_HAPPENED = msgspec.json.Decoder(_Happened)


@dataclass(frozen=True, slots=True)
class Sworn:
    """An entry that holds, and the time of the one before it, microseconds."""

    told: Told
    before: int


def disagreements(connection: Connection, sworn: Mapping[int, Sworn]) -> Iterator[Finding]:
    """Where rows and entries differ, or an entry has lost its row; `sworn` are entries by number, without a gap."""
    if not sworn:
        return
    after, until = min(sworn) - 1, max(sworn)
    decided, happened = set(), set()
    for decision in audited_decisions(connection, after, until):
        decided.add(decision.audit_seq)
        if (fault := _decision_fault(decision, sworn[decision.audit_seq])) is not None:
            yield Finding(decision.audit_seq, f"decision {decision.id} differs from its entry in {fault}")
    for seq, fault in _told_of(connection, after, until, sworn):
        happened.add(seq)
        if fault is not None:
            yield Finding(seq, fault)
    for case in audited_cases(connection, after, until):
        if sworn[case.audit_seq].told.details.get("after") != _sha256(canonical_bytes(case.head.content())):
            yield Finding(case.audit_seq, f"case {case.head.id} is not as its last event left it")
    for seq, entry in sworn.items():
        if entry.told.action == _DECIDE and seq not in decided:
            yield Finding(seq, f"entry {seq} tells of a decision that is missing")
        is_told = entry.told.action in _TOLD_IN or entry.told.action.startswith(_CASE)
        if is_told and seq not in happened:
            yield Finding(seq, f"entry {seq} tells of an event that is missing")


def _told_of(
    connection: Connection, after: int, until: int, sworn: Mapping[int, Sworn]
) -> Iterator[tuple[int, str | None]]:
    """The number of each event, act and step of a roll-out that an entry tells of, and what is wrong with it."""
    for event in audited_events(connection, after, until):
        fault = _event_fault(event, sworn[event.audit_seq])
        what = f"event {event.version} of {event.case_id}"
        yield event.audit_seq, fault and f"{what} differs from its entry in {fault}"
    for act in audited_acts(connection, after, until):
        fault = _act_fault(act, sworn[act.audit_seq])
        yield act.audit_seq, fault and f"act {act.id} differs from its entry in {fault}"
    for step in audited_rollouts(connection, after, until):
        fault = _rollout_fault(step, sworn[step.audit_seq])
        yield step.audit_seq, fault and f"{step.kind} of {step.release_name} differs from its entry in {fault}"


def _decision_fault(row: AuditedDecision, sworn: Sworn) -> str | None:
    """The first column that is not what was sworn."""
    said = sworn.told.details
    checks = {
        "id": (sworn.told.action, sworn.told.object) == (_DECIDE, row.id),
        "application_id": said.get("application") == row.application_id,
        "supersedes": said.get("supersedes") == row.supersedes,
        "arm": said.get("arm") == row.arm,
        "release_digest": said.get("release_digest") == row.release_digest,
        "engine_digest": said.get("engine_digest") == row.engine_digest,
        "body_sha256": said.get("decision_sha256") == row.body_sha256,
        "facts_sha256": said.get("facts_sha256") == row.facts_sha256,
        "body": _sha256(row.body) == row.body_sha256,
        "facts": row.facts is not None and _sha256(_facts(row)) == row.facts_sha256,
        "application": row.application is not None
        and _sha256(row.application) == row.application_sha256
        and said.get("application_sha256") in (None, row.application_sha256),
        "decided_at": _is_dated(row.decided_at, sworn),
    }
    return next((name for name, holds in checks.items() if not holds), None) or _repeated_fault(row)


def _repeated_fault(row: AuditedDecision) -> str | None:
    """The first column that repeats something of the body, whose digest holds, and says something else."""
    try:
        told, asked = _DECIDED.decode(row.body), _ASKED.decode(row.application or b"{}")
    except msgspec.DecodeError:
        return "body"
    offer, business = told.offer, asked.business
    checks = {
        "outcome": told.outcome == row.outcome,
        "release_name": told.release in (None, row.release_name),
        "as_of": told.as_of in (None, row.as_of),
        "synthetic": told.synthetic in (None, row.synthetic),
        "abn": business is None or business.abn == row.abn,
        "division": business is None or row.division in (None, division_of(business.anzsic)),
        "state": business is None or row.state in (None, business.state),
        "entity_type": business is None or row.entity_type in (None, business.entity_type),
        "score": told.score is msgspec.UNSET or _score(told.score) == (row.grade, row.pd),
        "offer": offer is msgspec.UNSET
        or (offer is None and (row.limit_cents, row.monthly_rate_bps, row.expires_at) == (None, None, None))
        or (
            offer is not None
            and (offer.limit_cents, offer.monthly_rate_bps) == (row.limit_cents, row.monthly_rate_bps)
            and offer.expires_at == row.expires_at
        ),
    }
    return next((name for name, holds in checks.items() if not holds), None)


def _score(score: _Score | None) -> tuple[str | None, float | None]:
    return (None, None) if score is None else (score.grade, score.pd)


def _event_fault(row: AuditedEvent, sworn: Sworn) -> str | None:
    """The first column that is not what was sworn, or what the body repeats."""
    said, body = sworn.told, row.body.encode()
    try:
        state = _HAPPENED.decode(body).set.get("state", row.state)
    except msgspec.DecodeError:
        return "body"
    checks = {
        "event": said.action == _CASE + row.event,
        "case_id": said.object == row.case_id,
        "version": said.details.get("version") == row.version,
        "actor": said.actor == row.actor,
        "actor_role": said.actor_role == row.actor_role,
        "document_id": said.details.get("document") == row.document_id,
        "body": said.details.get("body_sha256") == _sha256(body),
        "state": state == row.state,
        "at": _is_dated(row.at, sworn),
    }
    return next((name for name, holds in checks.items() if not holds), None)


def _act_fault(row: AuditedAct, sworn: Sworn) -> str | None:
    """The first column that is not what was sworn."""
    said = sworn.told
    content = content_sha256(row.act, row.body, row.proposal_id, row.proposed_by, row.review_id, row.new_decision_id)
    checks = {
        "id": (said.action, said.details.get("act")) == (_ACT, row.id),
        "application_id": said.object == row.application_id,
        "decision_id": said.details.get("decision") == row.decision_id,
        "staff_id": said.actor == row.staff_id,
        "role": said.actor_role == row.role,
        "content": said.details.get("sha256") == content,
        "at": _is_dated(row.at, sworn),
    }
    return next((name for name, holds in checks.items() if not holds), None)


def _rollout_fault(row: RolloutEvent, sworn: Sworn) -> str | None:
    """The first column that is not what was sworn."""
    said = sworn.told
    checks = {
        "kind": said.action == ACTS.get(row.kind),
        "rollout": said.object == (row.rollout or "champion"),
        "share": said.details.get("share") == row.share,
        "release_name": said.details.get("release") == row.release_name,
        "release_digest": said.details.get("release_digest") == row.release_digest,
        "why": said.details.get("why") == row.why,
        "at": _is_dated(row.at, sworn),
    }
    return next((name for name, holds in checks.items() if not holds), None)


def _is_dated(at: datetime, sworn: Sworn) -> bool:
    """An entry has its row's time, or is a microsecond after the entry before it where the clock had gone back."""
    return sworn.told.at == max(microseconds(at), sworn.before + 1)


def _facts(row: AuditedDecision) -> bytes:
    """The facts as they were before compression; nothing where they cannot be had."""
    if row.facts is None or row.facts_bytes is None or row.facts_encoding == "raw":
        return row.facts or b""
    try:
        return zlib.decompressobj().decompress(row.facts, row.facts_bytes + 1)  # never more than it should be
    except zlib.error:
        return b""


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
