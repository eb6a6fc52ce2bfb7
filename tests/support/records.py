"""Records to keep in tests: whole, legal and small, with any part replaced by name.

Bodies are made up and are not decisions of the engine; the store keeps bytes and does not read them.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Connection

from api.store.queries import (
    Claim,
    FactSet,
    NewApplication,
    NewDecision,
    NewMessage,
    NewPerson,
    NewRecord,
    Receipt,
    RecordResult,
    Signal,
    SignalKind,
    StandingQuery,
    record_decision,
)
from engine.policy import GuardTerms
from tests.support.releases import fake_release

NOON = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # in Sydney, in summer
ABN = "51900000000"
UNGUARDED = GuardTerms()
GUARDED = fake_release(guarded=True).policy.on(NOON.date()).guards
_numbers = count(1)


def digest_of(words: str) -> str:
    """SHA-256 in hex of some words."""
    return hashlib.sha256(words.encode()).hexdigest()


def a_decision(**changes: Any) -> NewDecision:
    """An approval of AU$60,000 at 1.45 % a month, with a new id, changed as asked."""
    number = next(_numbers)
    approval = NewDecision(
        id=f"dec_{number}",
        application_id=f"app_{number}",
        decided_at=NOON,
        as_of=NOON,
        outcome="approve",
        limit_cents=6_000_000,
        monthly_rate_bps=145,
        grade="B",
        pd=0.0312,
        expires_at=NOON + timedelta(days=14),
        release_name="first",
        release_digest=digest_of("release"),
        engine_digest=digest_of("engine"),
        body=b'{"outcome":"approve"}',
        abn=ABN,
        synthetic=True,
    )
    return replace(approval, **changes)


def a_refusal(outcome: str = "decline", **changes: Any) -> NewDecision:
    """A decision without an offer."""
    nothing = {"limit_cents": None, "monthly_rate_bps": None, "expires_at": None}
    return a_decision(**{"outcome": outcome, "body": b"{}", **nothing, **changes})


def a_claim(key: str = "key-0000000000001", **changes: Any) -> Claim:
    """A caller's key."""
    claim = Claim("key_caller", "/v1/applications", key, digest_of("asked"))
    return replace(claim, **changes)


def a_record(decision: NewDecision | None = None, **changes: Any) -> NewRecord:
    """A decision with its application, one person, facts, and one message."""
    decision = decision or a_decision()
    application = NewApplication(
        id=decision.application_id,
        caller_id="key_caller",
        received_at=decision.as_of,
        abn=decision.abn,
        body=b'{"abn":"%s"}' % decision.abn.encode(),
        channel="api",
    )
    record = NewRecord(
        decision=decision,
        facts=FactSet.of(b'{"as_of":"2026-11-23","days":[1,2,3]}'),
        reply=lambda receipt: reply_of(decision.id, receipt),
        actor="key_caller",
        actor_role="caller",
        application=application,
        people=(NewPerson(f"per_{decision.id}", "director", '{"name":"A. Person"}'),),
        messages=(NewMessage("decided", decision.id, f"decided:{decision.id}"),),
    )
    return replace(record, **changes)


def a_signal(kind: SignalKind, words: str) -> Signal:
    """A blind index, as if these words had been indexed."""
    return Signal(kind, digest_of(f"{kind} {words}"))


def a_query(decision: NewDecision | None = None, *signals: Signal, **changes: Any) -> StandingQuery:
    """What to ask the record about a decision's application, under no guards unless `terms` are given."""
    decision = decision or a_decision()
    query = StandingQuery(
        attempt_id=f"att_{decision.id}",
        abn=decision.abn,
        caller_id="key_caller",
        application_id=decision.application_id,
        amount_cents=6_000_000,
        division="G",
        state="VIC",
        entity_type="company",
        declared=digest_of("declared"),
        signals=signals,
        terms=UNGUARDED,
    )
    return replace(query, **changes)


def recording(record: NewRecord) -> Callable[[Connection], RecordResult]:
    """The function to hand to `write` so that this record is kept."""
    return lambda connection: record_decision(connection, record)


def reply_of(decision_id: str, receipt: Receipt) -> bytes:
    """The answer that the records of these tests give."""
    return f'{{"decision":"{decision_id}","audit_seq":{receipt.seq}}}'.encode()
