"""The life of a decision in the shell: receive, enrich, decide, record.

It does: fetch the three arguments, call the pure function, and keep everything in one transaction before a reply
exists. It does not: know HTTP. The rule it keeps: one decision a (caller, key), for ever; compute before the
transaction, write inside it.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Literal

from sqlalchemy import Connection

from api.errors import Problem
from api.metrics import DECISIONS, STAGES
from api.replies import Recorded, public_reply
from api.security import Caller, new_id
from api.sources import Gathered, Sources
from api.store import queries as store
from api.store.database import Database
from api.store.errors import InFlight
from api.wire import Submission
from engine.application import Application
from engine.canonical import canonical_bytes
from engine.decision import Decision, decide
from engine.facts import BankData, Brake, Exposure, Fact, Facts
from engine.release import Release

Clock = Callable[[], datetime]
MOST_ATTEMPTS = 5  # times a decision is made again because exposure moved meanwhile
LONGEST_WAIT_SECONDS = 2.0  # for another request with the same key


def utc_now() -> datetime:
    """The moment, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Shell:
    """What the flow works with."""

    database: Database
    sources: Sources
    release: Release
    engine_digest: str
    clock: Clock = utc_now


@dataclass(frozen=True, slots=True)
class Asked:
    """One accepted request for a decision."""

    caller: Caller
    key: str
    route: str
    fingerprint: str
    submission: Submission
    request_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes to send; `age_seconds` is set for a replay."""

    status: int
    body: bytes
    age_seconds: int | None = None


# -- decide --------------------------------------------------------------------------------------------------


async def answer(shell: Shell, asked: Asked) -> Answer:
    """The answer to a request: the earlier one of its key, or a new decision, recorded before it is given.

    Raises Problem `idempotency-key-reuse`, `validation-failed`, `overloaded`, and the store's errors.
    """
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while True:
        try:
            return await _answer_once(shell, asked)
        except InFlight:
            if time.monotonic() >= deadline:
                raise
            await asyncio.sleep(0.05)


async def _answer_once(shell: Shell, asked: Asked) -> Answer:
    as_of = shell.clock()
    abn = asked.submission.business.abn

    def look(connection: Connection) -> tuple[store.IdempotentRow | None, store.Exposure, tuple[Brake, ...]]:
        return (
            store.find_idempotent(connection, asked.caller.id, asked.route, asked.key),
            store.exposure_of(connection, abn, as_of),
            _brakes(connection, as_of),
        )

    with STAGES.labels("receive").time():
        earlier, held, brakes = await shell.database.read(look)
    if earlier is not None:
        return await _replayed(shell, asked, earlier)
    application = asked.submission.application(tuple(new_id("per") for _ in asked.submission.people))
    with STAGES.labels("enrich").time():
        gathered = await shell.sources.gather(application, as_of)
        gathered = _with_bank(gathered, asked, as_of)
    for _ in range(MOST_ATTEMPTS):
        facts = _facts(gathered, held, brakes, as_of)
        with STAGES.labels("decide").time():
            decision = decide(application, facts, shell.release)
        with STAGES.labels("record").time():
            record = _record(shell, asked, application, facts, decision, held)
            result = await shell.database.write(partial(_write, record))
        match result:
            case store.Recorded():
                DECISIONS.labels(decision.outcome).inc()
                return Answer(201, result.reply)
            case store.Replayed():
                return await _replayed(shell, asked, result.earlier)
            case store.ExposureMoved():
                held = result.exposure
            case store.Superseded():
                raise AssertionError("a first decision supersedes nothing")
    raise Problem("overloaded")  # other requests for the same business keep moving its exposure


def _write(record: store.NewRecord, connection: Connection) -> store.RecordResult:
    return store.record_decision(connection, record)


def _with_bank(gathered: Gathered, asked: Asked, as_of: datetime) -> Gathered:
    """Bank data that came with the request takes the place of the bank source's."""
    evidence: Literal["connected", "declared"] = "connected" if "supply" in asked.caller.scopes else "declared"
    data = asked.submission.bank_fact(evidence)
    if data is None:
        return gathered
    fact = Fact[BankData](source=f"caller/{asked.caller.id}", fetched_at=as_of, status="present", value=data)
    return Gathered(gathered.registry, gathered.compliance, gathered.marketplace, fact, gathered.bureau)


def _facts(gathered: Gathered, held: store.Exposure, brakes: tuple[Brake, ...], as_of: datetime) -> Facts:
    exposure = Exposure(
        business_cents=held.limit_cents,
        group_cents=held.limit_cents,
        brakes=brakes,
    )
    return Facts(
        as_of=as_of,
        registry=gathered.registry,
        compliance=gathered.compliance,
        marketplace=gathered.marketplace,
        bank=gathered.bank,
        bureau=gathered.bureau,
        exposure=Fact[Exposure](source="store", fetched_at=as_of, status="present", value=exposure),
    )


def _brakes(connection: Connection, as_of: datetime) -> tuple[Brake, ...]:
    """The brakes in force with what has been used of them.

    Only a day's dollars over everything are counted yet; any other counted brake refers its whole segment,
    which is the safe reading of a limit whose use is not known.
    """
    in_force = store.brakes_in_force(connection, as_of)
    if not in_force:
        return ()
    used = store.approved_today(connection, as_of.astimezone(store.SYDNEY).date()).limit_cents
    return tuple(
        Brake.model_validate(
            {
                "kind": brake.kind,
                "segment": "all" if brake.segment == store.EVERYWHERE else brake.segment,
                "limit_cents": brake.value if _counted(brake) else None,
                "used_cents": used if _counted(brake) else 0,
            }
        )
        for brake in in_force
    )


def _counted(brake: store.Brake) -> bool:
    return brake.kind == "daily_dollars" and brake.segment == store.EVERYWHERE


def _record(
    shell: Shell,
    asked: Asked,
    application: Application,
    facts: Facts,
    decision: Decision,
    held: store.Exposure,
) -> store.NewRecord:
    decision_id, application_id = new_id("dec"), new_id("app")
    decided_at = max(shell.clock(), facts.as_of)
    offer, score = decision.offer, decision.score

    def reply(receipt: store.Receipt) -> bytes:
        return public_reply(Recorded(decision_id, application_id, decided_at, decision, receipt.seq, receipt.sha256))

    return store.NewRecord(
        decision=store.NewDecision(
            id=decision_id,
            application_id=application_id,
            decided_at=decided_at,
            as_of=decision.as_of,
            outcome=decision.outcome,
            release_name=decision.release,
            release_digest=decision.release_digest,
            engine_digest=shell.engine_digest,
            body=decision.canonical(),
            abn=application.business.abn,
            synthetic=decision.synthetic,
            limit_cents=offer.limit_cents if offer else None,
            monthly_rate_bps=offer.monthly_rate_bps if offer else None,
            grade=score.grade if score else None,
            pd=score.pd if score else None,
            expires_at=offer.expires_at if offer else None,
        ),
        facts=store.FactSet.of(facts.canonical()),
        reply=reply,
        actor=asked.caller.id,
        actor_role="caller",
        claim=store.Claim(asked.caller.id, asked.route, asked.key, asked.fingerprint),
        application=store.NewApplication(
            id=application_id,
            caller_id=asked.caller.id,
            received_at=facts.as_of,
            abn=application.business.abn,
            body=application.canonical(),
            channel="api",
        ),
        people=tuple(
            store.NewPerson(ref=ref.ref, role=",".join(ref.roles), body=person.model_dump_json())
            for ref, person in zip(application.people, asked.submission.people, strict=True)
        ),
        messages=(_made(decision_id, application_id),),
        exposure_seen=held,
        request_id=asked.request_id,
    )


def _made(decision_id: str, application_id: str) -> store.NewMessage:
    body = canonical_bytes({"application_id": application_id, "decision_id": decision_id}).decode()
    return store.NewMessage("decision.made", decision_id, body, f"decision.made:{decision_id}")


async def _replayed(shell: Shell, asked: Asked, earlier: store.IdempotentRow) -> Answer:
    if earlier.fingerprint != asked.fingerprint:
        raise Problem("idempotency-key-reuse")
    body = earlier.reply
    if body is None:  # pruned: the same record makes the same bytes
        body = await stored_reply(shell, earlier.decision_id or "", None)
        if body is None:
            raise Problem("idempotency-key-expired")
    age = max(int((shell.clock() - earlier.created_at).total_seconds()), 0)
    return Answer(earlier.status, body, age)


async def stored_reply(shell: Shell, decision_id: str, caller_id: str | None) -> bytes | None:
    """The public reply of a recorded decision, for the caller whose application it was (None: any); or None."""

    def look(connection: Connection) -> bytes | None:
        row = store.get_decision(connection, decision_id)
        if row is None:
            return None
        application = store.get_application(connection, row.application_id)
        if caller_id is not None and (application is None or application.caller_id != caller_id):
            return None
        entry = store.audit_entry(connection, row.audit_seq)
        return public_reply(
            Recorded(
                row.id, row.application_id, row.decided_at, Decision.model_validate_json(row.body),
                row.audit_seq, entry.sha256 if entry else "", row.supersedes,
            )
        )  # fmt: skip

    return await shell.database.read(look)
