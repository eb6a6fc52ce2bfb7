"""A simulated week of the queue: what happens when, and what came of it.

It does: run one seed, transaction by transaction, with everybody acting between anybody's two; and finish what there is
after the week. It does not: know what must hold (watching does). The rule it keeps: one seed is one week, to the last
byte of its audit.
"""

import asyncio
import hashlib
import heapq
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from api.cases.accepting import accept
from api.cases.reading import look_at_next
from api.cases.ticking import tick
from api.cases.wanted import stand
from api.errors import Problem
from api.store import queries as store
from engine.verification.states import CLOSED
from tests.api.simulation.people import Person, Staff, roster, send
from tests.api.simulation.watching import Broken, Watch
from tests.api.simulation.world import DAYS, START, Crashed, Offer, Template, World, world

CRASHES = 0.01  # of transactions
_JUMPS = 0.002
_BETWEEN = 0.03
_GONE = 0.01
_ASKS_ANYWAY = 0.2  # when the board is empty
_TICK = timedelta(seconds=5)
_MOST_JUMP_SECONDS = 5_400  # less than lies between two alerts
_END = START + timedelta(days=DAYS)
Step = Callable[[], Awaitable[object]]


@dataclass
class Outcome:
    """What came of one seed."""

    seed: int
    cases: int = 0
    closed: int = 0
    events: int = 0
    writes: int = 0
    crashes: int = 0
    jumps: int = 0
    alerts: int = 0
    breaches: int = 0
    tally: Counter[str] = field(default_factory=Counter)
    audit_sha256: str = ""


class Failed(AssertionError):
    """A seed in which something did not hold."""


def simulate(made: Template, url: str, seed: int) -> Outcome:
    """One week over a copy of the template; Failed, naming the seed, where anything does not hold."""
    try:
        with world(made, url, seed, CRASHES) as opened:
            return asyncio.run(_Week(opened, made, seed).run())
    except (Exception, Broken) as error:
        raise Failed(f"seed {seed}: {type(error).__name__}: {error}") from error


class _Week:
    def __init__(self, opened: World, made: Template, seed: int) -> None:
        self.world, self.made, self.draw, self.clock = opened, made, opened.draw, opened.clock
        self.outcome, self.watch = Outcome(seed), Watch()
        self.staff = Staff(opened, self.outcome.tally)
        self.people = roster(opened, START, DAYS)
        self.agenda: list[tuple[datetime, int, Step]] = []
        self.number = 0
        self.inside = self.calm = False
        opened.store.between, opened.store.after = self._between, self._check

    async def run(self) -> Outcome:
        """The week, and what is left of it."""
        for offer in self.draw.sample(self.made.offers, self.draw.randint(12, len(self.made.offers))):
            at = START + timedelta(hours=self.draw.triangular(0, DAYS * 24, 40))
            self._at(at, partial(self._arrive, offer))
        for person in self.people:
            for begins, _ in person.shifts:
                self._at(begins, partial(self._work, person))
        while self.agenda:
            at, _, step = heapq.heappop(self.agenda)
            if at >= _END:
                break
            await self._clockwork(at)
            self.clock.true = max(self.clock.true, at)
            await self._do(step)
        await self._finish()
        return self._count()

    # -- what happens when -------------------------------------------------------------------------------------

    def _at(self, at: datetime, step: Step) -> None:
        self.number += 1
        heapq.heappush(self.agenda, (at.astimezone(UTC), self.number, step))

    def _in(self, minutes: float, step: Step) -> None:
        self._at(self.clock.true + timedelta(minutes=minutes), step)

    async def _do(self, step: Step) -> bool:
        """One step; False where it crashed."""
        try:
            await step()
        except Crashed:
            return False
        return True

    async def _arrive(self, offer: Offer) -> None:
        """Somebody takes up an offer, and asks again until they are told."""
        try:
            accepted = await accept(self.world.desk, self.made.caller, offer.application_id, offer.decision_id)
        except Crashed:
            self._in(1, partial(self._arrive, offer))
            raise
        except Problem as problem:
            if problem.slug != "offer-expired":
                raise
            self.outcome.tally[problem.slug] += 1
            return
        self._in(self.draw.expovariate(1 / 30), partial(self._apply, accepted.case.id))

    async def _apply(self, case_id: str) -> None:
        """The applicant looks, sends what is wanted, and comes back; a few never do."""
        if self.draw.random() < _GONE or self.watch.heads[case_id].closed_at is not None:
            return
        sent = True  # or it crashed, and they try again
        try:
            sent = await send(self.world, self.made, case_id, self.outcome.tally)
        finally:
            self._in(self.draw.expovariate(1 / (45 if sent else 240)), partial(self._apply, case_id))

    async def _work(self, person: Person) -> None:
        """One act, and the next in a few minutes, as long as the shift lasts; then they go, whatever they hold."""
        if not person.works(self.clock.true):
            if self.draw.random() < 0.5:
                person.case_id = None
            return
        self._in(self.draw.expovariate(1 / (4 if person.case_id else 25)), partial(self._work, person))
        if (
            person.case_id
            or self.draw.random() < _ASKS_ANYWAY
            or any(head.state in {"open", "verified"} for head in self.watch.heads.values())
        ):
            await self.staff.step(person)

    async def _between(self) -> None:
        """Between any two transactions time goes on, the clock may jump, and somebody else may act."""
        if self.inside or self.calm:
            return
        self.clock.true += timedelta(seconds=self.draw.random() * 2)
        if self.draw.random() < _JUMPS:
            self.outcome.jumps += 1
            self.clock.skew += timedelta(seconds=self.draw.randint(-_MOST_JUMP_SECONDS, _MOST_JUMP_SECONDS))
            self._check()
        if self.draw.random() < _BETWEEN:
            self.inside = True
            try:
                await self._do(lambda: self.staff.step(self.draw.choice(self.people)))
            finally:
                self.inside = False

    # -- the worker --------------------------------------------------------------------------------------------

    async def _clockwork(self, until: datetime) -> None:
        """Everything that the worker does by itself before that moment."""
        while True:
            now = self.clock()
            moments = [each for each in (self.watch.next_due(now), self.watch.look_due(now)) if each is not None]
            if not moments:
                return
            at = max(min(moments) - self.clock.skew, self.clock.true) + _TICK * self.draw.random()
            if at >= until:
                return
            self.clock.true = at
            if await self._do(lambda: tick(self.world.desk)) and (left := self.watch.due(self.clock())):
                await self._again(left)
            if self.watch.look_due(self.clock()) is not None:
                await self._do(lambda: look_at_next(self.world.desk, self.world.intray))

    async def _again(self, left: list[str]) -> None:
        """What became due, or lost a race, while the worker was at it is found at its next tick."""
        self.clock.true += _TICK
        before = set(left)
        if await self._do(lambda: tick(self.world.desk)) and (still := before & set(self.watch.due(self.clock()))):
            self.outcome.tally["late"] += len(still)
            if self.outcome.tally["late"] > 20:
                raise Broken(f"not done at two ticks: {sorted(still)}")

    def _check(self) -> None:
        with self.world.store.inner.transaction(read_only=True) as connection:
            self.watch.look(connection, self.clock())
            if self.world.store.writes % 50 == 0:
                self._visible(connection)

    def _visible(self, connection: Connection) -> None:
        """Every case is in a list; one that waits for its applicant has something to wait for."""
        self.watch.visible(connection)
        for head in self.watch.heads.values():
            if head.state == "waiting" and stand(connection, head).complete:
                raise Broken(f"{head.id} waits for nothing")

    # -- the end -----------------------------------------------------------------------------------------------

    async def _finish(self) -> None:
        """Nothing new comes and nothing breaks: everybody works until nobody is given a case any more."""
        self.calm, self.world.store.share, self.staff.honest = True, 0.0, True
        for person in self.people:
            person.case_id = None
        for _ in range(60):
            await self._clockwork(self.clock.true + timedelta(minutes=30))
            self.clock.true += timedelta(minutes=30)
            for person in self.people:
                for _ in range(40):
                    await self.staff.step(person)
                    if person.case_id is None:
                        break
        left = [tale for tale in self.watch.tales.values() if tale.state not in {*CLOSED, "waiting"}]
        if left:
            raise Broken(f"never given to anybody: {[(tale.case_id, tale.state) for tale in left]}")

    def _count(self) -> Outcome:
        with self.world.store.inner.transaction(read_only=True) as connection:
            self._visible(connection)
            if store.verify_audit(connection) is not None:
                raise Broken("the audit does not verify")
            tail = store.audit_tail(connection)
        tales = self.watch.tales.values()
        found = self.outcome
        found.cases, found.closed = len(tales), sum(tale.state in CLOSED for tale in tales)
        found.events, found.writes, found.crashes = self.watch.events, self.world.store.writes, self.world.store.crashes
        found.alerts, found.breaches = sum(tale.alerted > 0 for tale in tales), sum(tale.breached for tale in tales)
        found.audit_sha256 = hashlib.sha256(repr(tail).encode()).hexdigest()
        return found
