"""The people of a simulated week: staff who come, work, forget and leave, and applicants who send what is wanted.

It does: one act at a time through the case service, chosen by chance from what somebody in that place would do, and
from what they may not. It does not: know what is right beyond that. The rule it keeps: an act ends in a case, in a
refusal of the kinds that belong to it, or in a crash; anything else is an error.
"""

import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from api.cases import approving, working
from api.cases.acts import Actor
from api.cases.approving import Verdict
from api.cases.receiving import Sent, receive
from api.cases.wanted import Standing, stand
from api.errors import Problem
from api.store import queries as store
from engine.verification.documents import parse_value
from tests.api.simulation.world import STAFF, Template, World, upload
from tests.support.deskwork import QUARTERS, SAID

SYDNEY = ZoneInfo("Australia/Sydney")
_SHIFTS = ((time(7), time(15)), (time(12), time(20)), (time(15), time(23)))
_ABSENT = (0.1, 0.3, 0.6, 0.85)  # of days, in weeks that are well staffed or not
REFUSED = frozenset({"not-held", "stale-version", "not-now", "separation-of-duties", "no-offer"})
_UPLOAD_REFUSED = REFUSED | {"validation-failed", "quota-exceeded"}
_FATES = ("clean", "doubtful", "rejected", "stubborn")
_FATE_WEIGHTS = (50, 40, 6, 4)


@dataclass
class Person:
    """A member of staff: when they work, and the case that is open before them as they remember it."""

    id: str
    shifts: list[tuple[datetime, datetime]]
    case_id: str | None = None
    version: int = 0

    def actor(self, role: str = "verifier") -> Actor:
        """Who acts."""
        return Actor(self.id, role)

    def works(self, now: datetime) -> bool:
        """Whether they are at work."""
        return any(begins <= now < ends for begins, ends in self.shifts)

    def see(self, case: store.CaseRow | None) -> None:
        """Remember a case; none, or one that they no longer hold, is forgotten."""
        if case is None or case.owner != self.id:
            self.case_id = None
        else:
            self.case_id, self.version = case.id, case.version


def roster(world: World, start: datetime, days: int) -> list[Person]:
    """Everybody, with a shift on most days by the clocks of Sydney: on 4 October the day has 23 hours."""
    first = start.astimezone(SYDNEY).date()
    people, absent = [], world.draw.choice(_ABSENT)
    for staff_id in STAFF:
        begins, ends = world.draw.choice(_SHIFTS)
        shifts = [
            (datetime.combine(day, begins, SYDNEY), datetime.combine(day, ends, SYDNEY))
            for day in (first + timedelta(days=number) for number in range(days))
            if world.draw.random() > absent
        ]
        people.append(Person(staff_id, shifts))
    return people


@dataclass
class Staff:
    """What members of staff do."""

    world: World
    tally: Counter[str] = field(default_factory=Counter)
    honest: bool = False  # at the end everybody finishes what there is

    async def step(self, person: Person) -> None:
        """One act of one person; what it is refused is counted, and they look again."""
        try:
            if person.case_id is None:
                await self._without(person)
            else:
                await self._with(person, person.case_id)
        except Problem as problem:
            if problem.slug not in REFUSED:
                raise
            self.tally[problem.slug] += 1
            if person.case_id is not None and self.world.draw.random() < 0.7:
                person.see(await self._case(person.case_id))

    # -- nobody's case is open before them --------------------------------------------------------------------

    async def _without(self, person: Person) -> None:
        draw, desk = self.world.draw, self.world.desk
        stages: tuple[store.StageName, ...] = ("verify", "approve")
        if self.honest or draw.random() < 0.85:
            for stage in draw.sample(stages, 2):
                case = await working.claim_next(desk, stage, person.actor())
                if case is not None:
                    self.tally["claim"] += 1
                    person.see(case)
                    return
            return
        case_id = await self._any_case()
        if case_id is None:
            return
        act: Callable[[Person, str], Awaitable[object]] = draw.choice(
            [self._claim, self._claim, self._reassign, self._note, self._escalate, self._waive]
        )
        await act(person, case_id)

    async def _claim(self, person: Person, case_id: str) -> None:
        stage: store.StageName = "verify" if self.world.draw.random() < 1 / 2 else "approve"
        person.see(await working.claim(self.world.desk, case_id, stage, person.actor()))

    async def _reassign(self, person: Person, case_id: str) -> None:
        to = self.world.draw.choice(STAFF)
        await working.reassign(self.world.desk, case_id, person.actor(), to, "Please.")
        self.tally["reassign"] += 1

    async def _note(self, person: Person, case_id: str) -> None:
        await working.note(self.world.desk, case_id, person.actor(), "Called them.")

    async def _escalate(self, person: Person, case_id: str) -> None:
        await working.escalate(self.world.desk, case_id, person.actor(), "Odd figures.")

    async def _waive(self, person: Person, case_id: str) -> None:
        standing = await self._standing(case_id)
        open_ones = [each.id for each in standing.wanted if each.required and not each.met and not each.waived]
        if standing.case.state == "waiting" and open_ones and self.world.draw.random() < 0.3:
            wanted = self.world.draw.choice(open_ones)
            await working.waive(self.world.desk, case_id, standing.case.version, person.actor(), wanted, "Known", "")
            self.tally["waive"] += 1

    # -- a case is open before them ----------------------------------------------------------------------------

    async def _with(self, person: Person, case_id: str) -> None:
        draw, desk = self.world.draw, self.world.desk
        if self.honest or draw.random() < 0.6:
            now = desk.shell.clock()
            await desk.shell.database.write(
                lambda connection: store.renew_lease(connection, case_id, person.id, now, working.LEASE)
            )
        chance = 1.0 if self.honest else draw.random()
        if chance < 0.04:
            person.case_id = None  # they forget it; its lease lapses
        elif chance < 0.07:
            await working.release(desk, case_id, person.actor())
            person.case_id = None
        elif chance < 0.10:
            until = desk.shell.clock() + timedelta(minutes=draw.randint(10, 700))
            await working.snooze(desk, case_id, person.version, person.actor(), until, "")
            person.case_id = None
        elif chance < 0.14:
            await draw.choice([self._note, self._escalate, self._reassign])(person, case_id)
        else:
            standing = await self._standing(case_id)
            if self.honest or draw.random() < 0.9:
                person.see(standing.case)
            if person.case_id is None or standing.case.state == "claimed":
                await self._verify(person, standing)
            else:
                await self._approve(person, standing.case)

    async def _verify(self, person: Person, standing: Standing) -> None:
        draw, desk, case_id = self.world.draw, self.world.desk, standing.case.id
        actor, version = person.actor(), person.version
        chance = 1.0 if self.honest else draw.random()
        checked = [each for each in standing.documents if each.state == "checked"]
        if checked and chance > 0.07:
            document = checked[0]
            said = says(standing, document)
            case = await working.record(desk, case_id, version, actor, document.id, said)
            case = await working.accept_document(desk, case_id, case.version, actor, document.id)
        elif checked:
            case = await working.return_document(desk, case_id, version, actor, checked[-1].id, "BLURRY", "Again.")
            self.tally["return"] += 1
        elif chance < 0.07:
            case = await working.request(desk, case_id, version, actor, "bank_account_proof", None, "Another.")
            self.tally["request"] += 1
        elif standing.verifiable:
            case = await working.verify(desk, case_id, version, actor)
            self.tally["verify"] += 1
        else:  # something was returned or is missing: the applicant is asked for it
            case = await working.request(desk, case_id, version, actor, "bank_account_proof", None, "Another.")
        person.see(case)

    async def _approve(self, person: Person, case: store.CaseRow) -> None:
        draw, desk, actor = self.world.draw, self.world.desk, person.actor("approver")
        chance = 1.0 if self.honest else draw.random()
        verdict = Verdict(person.version, case.content_sha256 or "", reason="R20")
        try:
            if chance < 0.06:
                after = await approving.decline(desk, case.id, actor, verdict)
            elif chance < 0.12:
                after = await approving.send_back(desk, case.id, person.version, actor, "Look again.")
                self.tally["send_back"] += 1
            elif chance < 0.18 and case.limit_cents > 1_000_000:
                lower = Verdict(person.version, verdict.content_sha256, case.limit_cents - 500_000, "R20")
                after = await approving.approve(desk, case.id, actor, lower)
                self.tally["lower"] += 1
            else:
                after = await approving.approve(desk, case.id, actor, verdict)
        except Problem as problem:
            if problem.slug != "no-offer":
                raise
            after = await approving.decline(desk, case.id, actor, verdict)
        self.tally[after.state] += 1
        person.see(after)

    # -- what they look at ------------------------------------------------------------------------------------

    async def _case(self, case_id: str) -> store.CaseRow | None:
        return await self.world.store.read(lambda connection: store.get_case(connection, case_id))

    async def _standing(self, case_id: str) -> Standing:
        def look(connection: Connection) -> Standing:
            case = store.get_case(connection, case_id)
            assert case is not None
            return stand(connection, case)

        return await self.world.store.read(look)

    async def _any_case(self) -> str | None:
        def look(connection: Connection) -> list[str]:
            return [
                row.id for state in ("waiting", "open", "claimed", "verified", "approving", "approved")
                for row in store.list_cases(connection, state)
            ]  # fmt: skip

        found = await self.world.store.read(look)
        return self.world.draw.choice(found) if found else None


# -- documents -------------------------------------------------------------------------------------------------


def says(standing: Standing, document: store.DocumentRow) -> dict[str, str]:
    """What a document says, as a person types it: of several activity statements each has its quarter."""
    place = [each.id for each in standing.documents if each.kind == document.kind].index(document.id)
    return _said(document.kind, place)


def _said(kind: str, place: int) -> dict[str, str]:
    said = dict(SAID[kind])
    if kind == "activity_statement":
        said["period_from"], said["period_to"] = QUARTERS[place % len(QUARTERS)]
    return said


def _plain(kind: str, name: str, text: str) -> str:
    """As a check tells a value: money in whole cents."""
    value = parse_value(kind, name, text)
    return str(value) if type(value) is int else text


async def send(world: World, made: Template, case_id: str, tally: Counter[str]) -> bool:
    """Send one document that is wanted and has not been sent; False where there is none."""

    def look(connection: Connection) -> Standing:
        case = store.get_case(connection, case_id)
        assert case is not None
        return stand(connection, case)

    standing = await world.store.read(look)
    states = {each.id: each.state for each in standing.documents}
    for wanted in standing.wanted:
        sent = sum(states[each] not in {"returned", "rejected", "replaced"} for each in wanted.documents)
        if not wanted.required or wanted.waived or sent >= wanted.count:
            continue
        place = sum(each.kind == wanted.kind for each in standing.documents)
        plain = {name: _plain(wanted.kind, name, text) for name, text in _said(wanted.kind, place).items()}
        fate = world.draw.choices(_FATES, _FATE_WEIGHTS)[0]
        content = json.dumps({"fate": fate, "says": plain, "nonce": world.draw.random()}).encode()
        sent_as = Sent(wanted.kind, wanted.person_ref, "application/pdf")
        try:
            await receive(world.desk, world.intray, made.caller, standing.case, sent_as, upload(content))
            tally["document"] += 1
        except Problem as problem:
            if problem.slug not in _UPLOAD_REFUSED:
                raise
            tally[problem.slug] += 1
        return True
    return False
