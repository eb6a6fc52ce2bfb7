"""The other release decides beside: after the reply, in a thread of its own, into a table of its own.

It does: queue what was decided, decide it again under the other release, check a share of the challenger's scores by
the independent walk, and keep what came out. It does not: touch the decision, or tell anybody outside. The rules it
keeps: nobody waits for it; the queue is bounded, and what does not fit or cannot be kept is counted as dropped.
"""

import asyncio
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from math import nan
from typing import Final

from api.metrics import ARM_DECISIONS, ARM_SECONDS, SHADOW, WALKS
from api.rollout.arms import Arm, Observation, Trial
from api.shell import Clock
from api.store import queries as store
from api.store.database import Database
from api.store.errors import StoreError
from engine.decision import Decision, decide
from engine.facts import Fact, Facts
from engine.features import FEATURE_NAMES
from engine.release import Release
from engine.scoring.scale import RECORD_DECIMALS

MOST_WAITING: Final = 512
MOST_A_TURN: Final = 64  # so at most 256 a second: the rest of the processor is the applicants'
TURN_SECONDS: Final = 0.25
SAMPLED: Final = 4  # of one decision in so many the score is walked, and the time of both releases is taken
Waiting = tuple[Trial, Release, Observation]


class Beside:
    """The queue, the thread, and the work of one turn. Close it with the service."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._waiting: deque[Waiting] = deque()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="beside")

    def notice(self, trial: Trial, champion: Release, seen: Observation) -> None:
        """Queue a decision, or count it as dropped; never waits and never raises."""
        ARM_DECISIONS.labels(_arm(trial, seen.decided.release_digest), seen.decided.outcome).inc()
        if len(self._waiting) >= MOST_WAITING:
            SHADOW.labels("dropped").inc()
        else:
            self._waiting.append((trial, champion, seen))

    async def turn(self) -> None:
        """Decide beside what waits, at most so many, and keep it in one transaction."""
        loop, found = asyncio.get_running_loop(), []
        for _ in range(min(len(self._waiting), MOST_A_TURN)):
            # One at a time, so that between two the thread that answers has the interpreter.
            found.append(await loop.run_in_executor(self._thread, self._beside, *self._waiting.popleft()))
        if not found:
            return
        try:
            await self._database.write(lambda connection: store.add_shadows(connection, found))
        except StoreError:
            SHADOW.labels("dropped").inc(len(found))
            raise
        for each in found:
            SHADOW.labels(each.agreement).inc()

    def close(self) -> None:
        """Let the thread end; what waits is dropped."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _beside(self, trial: Trial, champion: Release, seen: Observation) -> store.Shadow:
        made = seen.decided
        other = champion if _arm(trial, made.release_digest) == "challenger" else trial.challenger
        said: Decision | None = None
        error: str | None = None
        if other is trial.challenger:
            trial.readings.asked()
        try:
            said = decide(seen.application, seen.facts, other)
            if (number := int(seen.decision_id[-4:], 16)) % SAMPLED == 0:
                _walk(trial, said if other is trial.challenger else made)
                releases = (trial.challenger, champion) if number // SAMPLED % 2 else (champion, trial.challenger)
                for release in releases:  # whoever is first warms the caches, so the two take turns
                    _time(trial, release, seen)
        except Exception as fault:  # whatever it is, it is an answer about that release
            said, error = None, type(fault).__name__
            if other is trial.challenger:
                trial.readings.failed(fault)
        if trial.readings.fault() is not None:
            trial.fail()
        return _row(trial, other, seen, said, error, self._clock())


def _arm(trial: Trial, digest: str) -> Arm:
    return "challenger" if digest == trial.challenger.digest else "champion"


def _walk(trial: Trial, decided: Decision) -> None:
    """Hold the kernel's score, and the recorded one, against the independent walk's, to the last bit that each has."""
    if decided.score is None:
        return
    values = (decided.features[name] for name in FEATURE_NAMES)
    row, scorer = [nan if value is None else value for value in values], trial.challenger.scorer
    walked = scorer.walk(row)
    same = walked == scorer.raw(row) and round(walked, RECORD_DECIMALS) == decided.score.raw
    trial.readings.walked(same=same)
    WALKS.labels("same" if same else "differs").inc()


def _time(trial: Trial, release: Release, seen: Observation) -> None:
    """Take the processor's time of one decision on facts not yet summarised: waiting is not the release's."""
    arm, facts = _arm(trial, release.digest), _unseen(seen.facts)
    began = time.thread_time()
    decide(seen.application, facts, release)
    seconds = time.thread_time() - began
    trial.readings.timed(arm, seconds)
    ARM_SECONDS.labels(arm).observe(seconds)


def _unseen(facts: Facts) -> Facts:
    """The same facts as new objects: summaries are kept by object (engine.features.once)."""
    told = {name: getattr(facts, name) for name in Facts.model_fields}
    copies = {
        name: fact.model_copy(update={"value": fact.value.model_copy()})
        for name, fact in told.items()
        if isinstance(fact, Fact) and fact.value is not None
    }
    return facts.model_copy(update=copies)


def _row(
    trial: Trial, other: Release, seen: Observation, said: Decision | None, error: str | None, at: datetime
) -> store.Shadow:
    offer = said.offer if said else None
    return store.Shadow(
        decision_id=seen.decision_id, at=at, rollout=trial.rollout, share=trial.share, arm=_arm(trial, other.digest),
        release_name=other.name, release_digest=other.digest, made_outcome=seen.decided.outcome,
        outcome=said.outcome if said else None, limit_cents=offer.limit_cents if offer else None,
        monthly_rate_bps=offer.monthly_rate_bps if offer else None,
        pd=said.score.pd if said and said.score else None,
        agreement="error" if said is None else _agreement(seen.decided, said), error=error,
    )  # fmt: skip


def _agreement(made: Decision, said: Decision) -> str:
    """How far two decisions are the same to an applicant."""
    if made.outcome != said.outcome:
        return "outcome"
    terms = [(each.limit_cents, each.monthly_rate_bps) for each in (made.offer, said.offer) if each]
    return "same" if len(set(terms)) <= 1 else "terms"
