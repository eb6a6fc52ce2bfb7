"""The life of a decision in the shell: receive, enrich, decide, record; and deciding again on richer facts.

It does: fetch the three arguments, call the pure function, and keep everything in one transaction before a reply
exists. It does not: know HTTP. The rules it keeps: an application is kept before anybody outside is asked; one
decision a (caller, key), for ever; compute before the transaction, write inside it.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal, TypeVar

import structlog
from sqlalchemy import Connection

from api.advice.honouring import Kept, kept_for, with_promises
from api.deadline import SOURCES_SHARE, Budget
from api.errors import Problem
from api.guards import REFUSALS, refusal_of, standing_query
from api.intake import LEASE, Intake, reopen, resume, take
from api.metrics import DECISIONS, DEGRADED, STAGES
from api.recording import missing, new_record
from api.records import stored_reply
from api.rollout.choosing import choosing_again
from api.security import Caller, new_id
from api.shell import Clock, Shell, utc_now
from api.sources import NOT_ASKED, OUTSIDE, Asking, Gathered, failed
from api.store import queries as store
from api.store.errors import InFlight, StoreError
from api.wire import Submission
from engine.decision import Decision
from engine.facts import BankData, ComplianceCheck, Exposure, Fact, Facts

__all__ = [
    "Again",
    "Answer",
    "Asked",
    "Clock",
    "Shell",
    "answer",
    "ask_anew",
    "complete",
    "decide_again",
    "decide_on",
    "utc_now",
]
log = structlog.get_logger()
T = TypeVar("T")
MOST_ATTEMPTS = 5  # times a decision is made again because the lender's own standing moved meanwhile
LONGEST_WAIT_SECONDS = 2.0  # for another request with the same key
AGAIN_SECONDS = 10.0  # for sources that are asked again while nobody waits


@dataclass(frozen=True, slots=True)
class Asked:
    """One accepted request for a decision."""

    caller: Caller
    key: str
    route: str
    fingerprint: str
    submission: Submission
    request_id: str
    budget: Budget

    @property
    def claim(self) -> store.Claim:
        """The claim under which it is answered."""
        return store.Claim(self.caller.id, self.route, self.key, self.fingerprint)


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes to send; `age_seconds` is set for a replay."""

    status: int
    body: bytes
    age_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """A decision to be superseded: its id and what the sources had said."""

    decision_id: str
    gathered: Gathered


# -- a request -----------------------------------------------------------------------------------------------


async def answer(shell: Shell, asked: Asked) -> Answer:
    """The answer to a request: the earlier one of its key, or a new decision, recorded before it is given.

    Raises Problem `idempotency-key-reuse`, `validation-failed`, `duplicate-application`, `application-locked`,
    `deadline-exceeded`, `overloaded`, and the store's errors.
    """
    patience = min(time.monotonic() + LONGEST_WAIT_SECONDS, asked.budget.begin_until)
    pause = 0.02
    while True:
        try:
            return await _answer_once(shell, asked)
        except InFlight:
            if time.monotonic() >= patience:
                raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, 0.3)  # many who wait for one must not keep it from ending


async def _answer_once(shell: Shell, asked: Asked) -> Answer:
    at = shell.clock()
    intake = take(asked.caller, asked.submission, asked.claim, at, asked.request_id)
    shell = shell.choosing(intake.application.business.abn)
    query = _query(shell, intake, intake.bank, at)

    def look(connection: Connection) -> store.IdempotentRow | store.Standing:
        earlier = store.find_idempotent(connection, asked.caller.id, asked.route, asked.key)
        if earlier is not None:
            return earlier
        if shell.sources.remote:
            _give_way(connection, asked, at)
        return store.standing_of(connection, query, at)

    with STAGES.labels("receive").time():
        found = await asked.budget.within(shell.database.look(look))
        if isinstance(found, store.IdempotentRow):
            return await _replayed(shell, asked, found)
        await _refuse(shell, found, query, asked.request_id, asked.budget)
        if shell.sources.remote:
            intake = await _keep(shell, asked, intake)
    try:
        return await _decide(shell, intake, asked, found)
    except (Problem, StoreError) as error:
        await _let_go(shell, intake, asked.budget, refused=isinstance(error, Problem) and error.slug in REFUSALS)
        raise


def _give_way(connection: Connection, asked: Asked, at: datetime) -> None:
    """Raise where this key is another body's, or somebody works on it: found out without waiting for a write."""
    held = store.find_intake(connection, asked.caller.id, asked.route, asked.key)
    if held is not None and held.fingerprint != asked.fingerprint:
        raise Problem("idempotency-key-reuse")
    if held is not None and held.is_held(at):
        raise InFlight("the same key is being worked on")


async def _keep(shell: Shell, asked: Asked, intake: Intake) -> Intake:
    """Keep the application before outside sources are asked, or take over one that somebody else left.

    The lease ends with the budget: after that this request writes nothing any more, or has begun to.
    """
    owner, left = new_id("own"), timedelta(seconds=max(asked.budget.ends - time.monotonic(), 0))
    new = store.NewIntake(
        asked.caller.id, asked.route, asked.key, asked.fingerprint, intake.packed(), owner, left,
    )  # fmt: skip

    def write(connection: Connection) -> Intake | None:
        row = store.take_in(connection, new, intake.new_application(), intake.new_people())
        if row is None:
            return replace(intake, owner=owner)
        if row.fingerprint != asked.fingerprint:
            return None
        return replace(resume(connection, row, owner), request_id=asked.request_id)

    kept = await asked.budget.write(shell.database, write)
    if kept is None:
        raise Problem("idempotency-key-reuse")
    return kept


async def _let_go(shell: Shell, intake: Intake, budget: Budget, *, refused: bool) -> None:
    """Finish what was refused; leave anything else to the next request with this key, which then need not wait.

    Only while there is time: else the lease ends by itself, and whoever takes over finds out the same.
    """
    if intake.owner is None or time.monotonic() >= budget.ends:
        return
    try:
        async with asyncio.timeout_at(budget.ends):
            await shell.database.write(partial(_finish if refused else _release, intake, shell.clock()))
    except (TimeoutError, StoreError):
        log.warning("lease_left_to_lapse", request_id=intake.request_id)


async def _refuse(
    shell: Shell, standing: store.Standing, query: store.StandingQuery, request_id: str | None, budget: Budget
) -> None:
    """Raise the problem of a business that may not apply now; the attempt counts all the same."""
    refused = refusal_of(standing, query.terms, query)
    if refused is None:
        return
    at = shell.clock()
    await budget.write(
        shell.database, lambda connection: store.record_refused(connection, query, refused.slug, at, request_id)
    )
    raise refused


async def _decide(shell: Shell, intake: Intake, asked: Asked, standing: store.Standing) -> Answer:
    with STAGES.labels("enrich").time():
        gathered = await _gather(shell, intake, standing, asked.budget.sources_until)
    match await _record(shell, intake, gathered, standing, asked.budget):
        case store.Recorded(reply=reply):
            return Answer(201, reply)
        case store.Replayed(earlier=earlier):
            return await _replayed(shell, asked, earlier)
        case store.Superseded():
            raise AssertionError("a first decision supersedes nothing")


# -- the service's own work ----------------------------------------------------------------------------------


async def complete(shell: Shell, patience: timedelta) -> bool:
    """Decide the application that has waited longest for whoever took it in; False if none waits.

    The lease is kept before anything is read, so that an application that cannot be decided is tried so many times
    and no more, and others have their turn.
    """
    owner, now = new_id("own"), shell.clock()
    row = await shell.database.write(lambda connection: store.take_over_lapsed(connection, now, owner, LEASE, patience))
    if row is None:
        return False
    intake = await shell.database.read(lambda connection: resume(connection, row, owner))
    shell = shell.choosing(intake.application.business.abn)
    query = _query(shell, intake, intake.bank, now)
    standing = await shell.database.read(lambda connection: store.standing_of(connection, query, now))
    budget = _unhurried()
    try:
        await _refuse(shell, standing, query, None, budget)
        gathered = await _gather(shell, intake, standing, budget.sources_until)
        await _record(shell, intake, gathered, standing, budget)
    except Problem as problem:
        if problem.slug not in REFUSALS:
            raise
        await shell.database.write(partial(_finish, intake, now))  # another of the same business was quicker
    return True


def _unhurried() -> Budget:
    """The time for work that nobody waits for."""
    now = time.monotonic()
    return Budget(now, now + AGAIN_SECONDS / SOURCES_SHARE)


Again = Literal["superseded", "still_missing", "settled", "unchanged"]


async def decide_again(shell: Shell, decision_id: str) -> Again:
    """Ask for the facts that a referral lacked; where one came, decide again and supersede it.

    `settled`: the decision is superseded already, or lacks nothing.
    """

    def look(connection: Connection) -> tuple[Intake, Facts] | None:
        row = store.get_decision(connection, decision_id)
        if row is None or row.outcome != "refer" or store.successor_of(connection, decision_id) is not None:
            return None
        body = store.facts_body(connection, row.facts_sha256)
        return None if body is None else (reopen(connection, row.application_id), Facts.model_validate_json(body))

    found = await shell.database.read(look)
    if found is None or not missing(found[1]):
        return "settled"
    intake, before = found
    return await _ask_again(shell, intake, Earlier(decision_id, _said(before)))


async def ask_anew(shell: Shell, decision_id: str, sources: frozenset[str]) -> Again:
    """Ask these sources once more although they had answered; where anything differs, decide again and supersede.

    `still_missing`: one does not answer now, and what it said before stands. Problem `not-now` where the decision's
    offer was accepted.
    """

    def look(connection: Connection) -> tuple[Intake, Facts] | None:
        row = store.get_decision(connection, decision_id)
        if row is None or store.successor_of(connection, decision_id) is not None:
            return None
        body = store.facts_body(connection, row.facts_sha256)
        return None if body is None else (reopen(connection, row.application_id), Facts.model_validate_json(body))

    found = await shell.database.read(look)
    if found is None:
        return "settled"
    intake, before = found
    was, forgotten = _said(before), {name: failed(name, "timeout", before.as_of) for name in sources}
    return await _ask_again(shell, intake, Earlier(decision_id, replace(was, **forgotten)), was)


async def _ask_again(shell: Shell, intake: Intake, earlier: Earlier, was: Gathered | None = None) -> Again:
    """Ask for what `earlier` lacks, and decide again; `was` is what it is held against, where it lacked nothing."""
    shell = await choosing_again(shell, earlier.decision_id)
    now, held = shell.clock(), was or earlier.gathered
    query = _query(shell, intake, held.bank, now)
    standing = await shell.database.read(lambda connection: store.standing_of(connection, query, now))
    budget = _unhurried()
    gathered = await _gather(shell, intake, standing, budget.sources_until, earlier)
    if gathered.failed == earlier.gathered.failed or (was and not set(was.failed).issuperset(gathered.failed)):
        return "still_missing"
    if was and all(gathered.of(name).value == was.of(name).value for name in OUTSIDE):
        return "unchanged"
    result = await _record(shell, intake, gathered, standing, budget, earlier)
    return "superseded" if isinstance(result, store.Recorded) else "settled"


def _said(facts: Facts) -> Gathered:
    """What the outside sources had said."""
    return Gathered(**{name: getattr(facts, name) for name in OUTSIDE})


async def _kept(shell: Shell, intake: Intake) -> tuple[Kept, ...]:
    """What was promised to this application and is still held."""
    return await kept_for(shell.database, intake.application_id, shell.clock(), shell.release, shell.load_release)


Then = Callable[[Connection, str, Decision], T]


async def decide_on(shell: Shell, decision_id: str, verified: Mapping[str, Fact[Any]], then: Then[T]) -> T | None:
    """Decide an application again with these facts in place of what was known, and supersede its decision.

    `then` is given the connection, the new decision's id and the decision, and is kept in the same transaction. The
    sources are not asked again. None, and nothing written, where another decision has superseded it already.
    """

    def look(connection: Connection) -> tuple[Intake, Facts]:
        row = store.get_decision(connection, decision_id)
        body = store.facts_body(connection, row.facts_sha256) if row else None
        if row is None or body is None:
            raise LookupError("a decision to be superseded is there, with its facts")
        return reopen(connection, row.application_id), Facts.model_validate_json(body)

    intake, before = await shell.database.read(look)
    shell = await choosing_again(shell, decision_id)
    now = shell.clock()
    query = _query(shell, intake, before.bank, now)
    standing = await shell.database.read(lambda connection: store.standing_of(connection, query, now))
    kept = await _kept(shell, intake)
    for _ in range(MOST_ATTEMPTS):
        fetched: dict[str, Any] = {name: getattr(before, name) for name in Facts.model_fields} | dict(verified)
        facts = _stamped(shell, fetched, standing)
        with STAGES.labels("decide").time():
            decided = shell.fixed().decide(intake.application, facts)
            decision, honours = with_promises(intake.application, facts, decided, kept)
        record = new_record(shell, intake, facts, decision, standing, query, decision_id, honours)

        def write(connection: Connection, record: store.NewRecord = record, decision: Decision = decision) -> Any:
            # Businesses, cases, audit: in this order everywhere, or two writers could wait for each other.
            store.hold_business(connection, record.decision.abn)
            case = store.case_of_application(connection, record.decision.application_id)
            if case is not None:
                store.hold_case(connection, case.id)
            result = store.record_decision(connection, record)
            return (then(connection, record.decision.id, decision),) if isinstance(result, store.Recorded) else result

        match await shell.database.write(write):
            case store.StandingMoved(standing=standing):
                continue
            case (value,):
                DECISIONS.labels(decision.outcome).inc()
                done: T = value
                return done
            case _:
                return None
    raise Problem("overloaded")


# -- both ----------------------------------------------------------------------------------------------------


async def _gather(
    shell: Shell, intake: Intake, standing: store.Standing, until: float, earlier: Earlier | None = None
) -> Gathered:
    """What the sources say, and what they said before where they said anything.

    Bank data that came with the application takes the place of the bank's.
    """

    def settled(partial: Gathered) -> bool:
        return shell.fixed().knocked_out(intake.application, _facts(shell, _with_bank(partial, intake), standing))

    asking = Asking(
        application=intake.application, as_of=shell.clock(), reference=intake.application_id, names=intake.names,
        until=until, earlier=earlier.gathered if earlier else None, settled=settled,
    )  # fmt: skip
    gathered = replace(await shell.sources.gather(asking), **_held(earlier))
    if len(intake.people) < len(intake.application.people):  # who was erased cannot be looked for any more
        unsearched: Fact[ComplianceCheck] = failed("compliance", "schema", asking.as_of)
        gathered = replace(gathered, compliance=earlier.gathered.compliance if earlier else unsearched)
    return _with_bank(gathered, intake)


def _held(earlier: Earlier | None) -> dict[str, Fact[Any]]:
    """What the sources had said before; names are searched for anew once the register has told its own."""
    if earlier is None:
        return {}
    lacking = earlier.gathered.failed
    anew = {*lacking, "compliance"} if "registry" in lacking else {*lacking}
    return {name: earlier.gathered.of(name) for name in OUTSIDE if name not in anew}


def _with_bank(gathered: Gathered, intake: Intake) -> Gathered:
    return gathered if intake.bank is None else replace(gathered, bank=intake.bank)


async def _record(
    shell: Shell,
    intake: Intake,
    gathered: Gathered,
    standing: store.Standing,
    budget: Budget,
    earlier: Earlier | None = None,
) -> store.Recorded | store.Replayed | store.Superseded:
    """Decide and keep it; once more whenever the lender's own standing moved between the two."""
    query = _query(shell, intake, gathered.bank, shell.clock())
    kept = await _kept(shell, intake) if earlier else ()
    for _ in range(MOST_ATTEMPTS):
        facts = _facts(shell, gathered, standing)
        with STAGES.labels("decide").time():
            decided = shell.fixed().decide(intake.application, facts)
            decision, honours = with_promises(intake.application, facts, decided, kept)
        if gathered.bureau.source == NOT_ASKED and decision.outcome != "decline":
            raise Problem("overloaded")  # what had settled it without the bureau moved meanwhile: from the start
        supersedes = earlier.decision_id if earlier else None
        with STAGES.labels("record").time():
            record = new_record(shell, intake, facts, decision, standing, query, supersedes, honours)
            result = await budget.write(shell.database, partial(_write, record, intake))
        match result:
            case store.StandingMoved():
                standing = result.standing
                await _refuse(shell, standing, query, intake.request_id, budget)
            case _:
                if isinstance(result, store.Recorded):
                    DECISIONS.labels(decision.outcome).inc()
                    DEGRADED.labels(decision.outcome, "+".join(missing(facts)) or "none").inc()
                    if earlier is None:
                        shell.fixed().notice(record.decision.id, intake.application, facts, decided)
                return result
    raise Problem("overloaded")  # other requests for the same business or group keep moving its standing


def _query(shell: Shell, intake: Intake, bank: Fact[BankData] | None, at: datetime) -> store.StandingQuery:
    return standing_query(shell.index, intake, bank, shell.release.policy.on(at.date()).guards)


def _write(record: store.NewRecord, intake: Intake, connection: Connection) -> store.RecordResult:
    result = store.record_decision(connection, record)
    if isinstance(result, store.Recorded):
        _finish(intake, record.decision.decided_at, connection)
        # What a case stands on, verification alone supersedes. Asked here, where nobody can open one any more.
        if record.decision.supersedes and store.case_of_application(connection, intake.application_id) is not None:
            raise Problem("not-now")
    return result


def _finish(intake: Intake, at: datetime, connection: Connection) -> None:
    """Nobody needs to take this application over any more."""
    if intake.owner is not None and intake.claim is not None:
        claim = intake.claim
        store.finish_intake(connection, claim.caller_id, claim.route, claim.key, intake.owner, at)


def _release(intake: Intake, at: datetime, connection: Connection) -> None:
    """Somebody else may take this application over at once."""
    if intake.owner is not None and intake.claim is not None:
        claim = intake.claim
        store.release_intake(connection, claim.caller_id, claim.route, claim.key, intake.owner, at)


def _facts(shell: Shell, gathered: Gathered, standing: store.Standing) -> Facts:
    """Everything known at this moment, which is never before any of it was fetched."""
    return _stamped(shell, {name: gathered.of(name) for name in OUTSIDE}, standing)


def _stamped(shell: Shell, fetched: dict[str, Any], standing: store.Standing) -> Facts:
    facts = {name: fact for name, fact in fetched.items() if name not in {"as_of", "exposure"}}
    as_of = max(shell.clock(), *(fact.fetched_at for fact in facts.values() if fact is not None))
    exposure = Fact[Exposure](source="store", fetched_at=as_of, status="present", value=standing.exposure())
    return Facts(as_of=as_of, exposure=exposure, **facts)


# -- replies that were given ---------------------------------------------------------------------------------


async def _replayed(shell: Shell, asked: Asked, earlier: store.IdempotentRow) -> Answer:
    if earlier.fingerprint != asked.fingerprint:
        raise Problem("idempotency-key-reuse")
    body = earlier.reply
    if body is None:  # pruned: the same record makes the same bytes
        stored = await asked.budget.within(stored_reply(shell.database, earlier.decision_id or "", None))
        if stored is None:
            raise Problem("idempotency-key-expired")
        body = stored.body
    age = max(int((shell.clock() - earlier.created_at).total_seconds()), 0)
    return Answer(earlier.status, body, age)
