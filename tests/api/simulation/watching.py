"""What must hold of the queue after every transaction, worked out from the events alone and compared with the heads.

It does: follow each case event by event (state, who holds it until when, clock, alerts, approvals) and say what time
makes due. It does not: act. The rule it keeps: nothing here asks the service or its queries what is right, but the
tables and the clock of engine.verification.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, text

from api.cases.working import LEASE
from api.store import queries as store
from api.store.tables import document, verification_case
from api.store.tables.verification import UNCHECKED
from engine.verification.clock import PROMISE, Clock, clock_of
from engine.verification.states import CASE, CLOSED, next_state

_HOLDERS = frozenset({
    "release", "record", "accept_document", "return_document", "request", "verify", "snooze", "release_approval",
    "decided", "approve", "decline", "send_back",
})  # fmt: skip
_HELD = frozenset({"claimed", "approving"})
BREACH_HOURS = 24


class Broken(BaseException):
    """Something that must hold of the queue does not; no handler of errors on the way stops it."""


@dataclass
class Tale:
    """A case as its events tell it."""

    case_id: str
    content: dict[str, object] = field(default_factory=dict)
    state: str = ""
    version: int = 0
    holder: str | None = None
    until: datetime | None = None
    moves: list[tuple[str, datetime]] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)
    alerted: int = 0
    touched: bool = False
    waived: bool = False
    sampled: bool = False
    approvals: dict[object, set[str]] = field(default_factory=lambda: defaultdict(set))
    breached: bool = False

    def tell(self, event: store.CaseEventRow) -> None:
        """One event more; Broken where it could not happen."""
        self._require(event.version == self.version + 1, "a version is missing")
        after = "waiting" if event.event == "open" else next_state(CASE, self.state, event.event)
        self._require(after == event.state, f"{event.event} leads from {self.state} to {event.state}")
        self._holding(event)
        self._approving(event)
        if event.event == "alert":
            self._alert(event)
        self.waived |= event.event == "waive"
        self.sampled |= event.event == "sample"
        self.touched |= event.event in {"claim", "claim_approval"}
        self.state, self.version = event.state, event.version
        self.content |= event.settings
        if self.state not in _HELD:
            self.holder = self.until = None
        if self.state not in CLOSED:  # a clock that stood when the offer ran out is no more asked for
            self.moves.append((event.state, event.at))
            self.clock = clock_of(self.moves)

    def _holding(self, event: store.CaseEventRow) -> None:
        """At most one person works on a case, under a lease that runs; whoever else acts on it is no worker."""
        if event.event in {"claim", "claim_approval"}:
            self._require(self.holder is None, "claimed while somebody held it")
            self.holder, self.until = event.actor, event.at + LEASE
        elif event.event == "reassign":
            self._require(self.holder is not None, "reassigned while nobody held it")
            self.holder, self.until = event.details["to"], event.at + LEASE
        elif event.event == "lapse":
            self._require(self.until is not None and self.until <= event.at, "a lease lapsed that ran")
        elif event.event in {"release", "release_approval"}:
            self._require(event.actor == self.holder, "given back by somebody else")
        elif event.event in _HOLDERS or (event.event == "approve_final" and self.state == "approving"):
            running = self.until is not None and self.until > event.at
            self._require(event.actor == self.holder and running, f"{event.event} by who did not hold it")

    def _approving(self, event: store.CaseEventRow) -> None:
        """Four eyes, each pair on the same content; policy approves alone only what machines verified and no rule set
        aside."""
        if event.event not in {"approve", "approve_final"}:
            return
        by_policy = self.state == "verified"
        verifier, content = self.content["verified_by"], self.content["content_sha256"]
        if by_policy:
            self._require(
                event.actor == verifier == "machine" and not self.sampled and not self.waived,
                "approved by policy alone",
            )
            return
        self._require(event.actor != verifier, "approved by its verifier")
        self._require(event.actor not in self.approvals[content], "approved twice by one person")
        self.approvals[content].add(event.actor)
        enough = len(self.approvals[content]) >= event.details["needed"]
        self._require(enough == (event.event == "approve_final"), "approved by too few or too many")
        self._require(event.details["needed"] == 2 or not self.waived, "a waiver takes two")

    def _alert(self, event: store.CaseEventRow) -> None:
        hours = int(event.details["hours"])
        self._require(hours < BREACH_HOURS or bool(self.content["escalated"]), "past 24 hours and never escalated")
        self._require(hours > self.alerted, f"the alert of {hours} h came after that of {self.alerted} h")
        self._require(self.clock.elapsed(event.at) >= timedelta(hours=hours), f"{hours} h alerted early")
        self.alerted = hours

    def compare(self, head: store.CaseRow) -> None:
        """The head as kept is the head as its events make it; the end of a lease alone may have moved on."""
        self._require(head.content() == self.content, "head and events differ")
        self._require((head.state, head.version, head.owner) == (self.state, self.version, self.holder), "another head")
        if self.until is not None:
            self._require(head.lease_until is not None, "a holder without lease")
            self.until = head.lease_until
        if self.state in CLOSED:
            return
        clock = self.clock
        told = (clock.complete_at, clock.paused_at, clock.paused // timedelta(microseconds=1), clock.due_at)
        kept = (head.complete_at, head.paused_at, head.paused_us, head.due_at)
        self._require(told == kept, f"the clock of the events is {told}, that of the head {kept}")
        self._require(clock.due_at is None or clock.complete_at is None
                      or clock.due_at - clock.complete_at - clock.paused == PROMISE, "not 24 hours")  # fmt: skip
        self._require(self.alerted == head.alerted_hours, "another alert")

    def mark(self, now: datetime) -> int:
        """The highest alert that its clock has passed and that was not raised; 0 for none."""
        if self.state in CLOSED or self.clock.paused_at is not None:
            return 0
        mark = self.clock.alert(now, self.touched)
        return mark if mark > self.alerted else 0

    def watch(self, now: datetime) -> None:
        """Whoever is past 24 hours was escalated before."""
        if self.state not in CLOSED and self.clock.elapsed(now) >= PROMISE:
            self.breached = True
            self._require(bool(self.content["escalated"]), "past 24 hours and never escalated")

    def _require(self, holds: bool, what: str) -> None:
        if not holds:
            raise Broken(f"{what} ({self.case_id}, version {self.version}, {self.state})")


class Watch:
    """All cases of a world."""

    def __init__(self) -> None:
        self.tales: dict[str, Tale] = {}  # in the order in which they were opened
        self.heads: dict[str, store.CaseRow] = {}
        self.unseen: list[tuple[datetime | None, int]] = []  # leases and attempts of documents not looked at
        self.events = 0

    def look(self, connection: Connection, now: datetime) -> None:
        """Read what is new, and check it."""
        rows = [store.CaseRow(*row) for row in connection.execute(select(*verification_case.c))]
        before, self.heads = self.heads, {row.id: row for row in rows}
        if lost := self.tales.keys() - self.heads.keys():
            raise Broken(f"lost: {sorted(lost)}")
        for head in rows:
            tale = self.tales.setdefault(head.id, Tale(head.id))
            if head.version != tale.version:
                for event in store.case_events(connection, head.id, after=tale.version):
                    tale.tell(event)
                    self.events += 1
            if head != before.get(head.id):
                tale.compare(head)
            tale.watch(now)
        waits = select(document.c.lease_until, document.c.attempts).where(text(UNCHECKED))
        self.unseen = [(lease, attempts) for lease, attempts in connection.execute(waits)]

    def visible(self, connection: Connection) -> None:
        """Every case is in the list of its state, and in no other."""
        listed = {
            row.id: state
            for state in {tale.state for tale in self.tales.values()}
            for row in store.list_cases(connection, state, limit=1_000)
        }
        if listed != {tale.case_id: tale.state for tale in self.tales.values()}:
            raise Broken("a case is in no list, or in another's")

    def due(self, now: datetime) -> list[str]:
        """What a tick would do now, in words: alerts, leases and expiries."""
        found = []
        for case_id, head in self.heads.items():
            tale = self.tales[case_id]
            if mark := tale.mark(now):
                found.append(f"{mark} h of {case_id}")
            if tale.until is not None and tale.until <= now:
                found.append(f"lease of {case_id}")
            if tale.state == "waiting" and head.expires_at <= now:
                found.append(f"offer of {case_id}")
        return found

    def next_due(self, now: datetime) -> datetime | None:
        """The first moment from now on at which a tick has something to do."""
        if self.due(now):
            return now
        moments = []
        for case_id, head in self.heads.items():
            tale = self.tales[case_id]
            clock = tale.clock
            if tale.until is not None:
                moments.append(tale.until)
            if tale.state == "waiting":
                moments.append(head.expires_at)
            elif tale.state not in CLOSED and clock.complete_at is not None:
                marks = (2, 12, 18, 22, 24) if not tale.touched else (12, 18, 22, 24)
                moments += [
                    clock.complete_at + clock.paused + timedelta(hours=mark) for mark in marks if mark > tale.alerted
                ]
        return min((each for each in moments if each > now), default=None)

    def look_due(self, now: datetime) -> datetime | None:
        """When a document can be looked at next; None where none waits."""
        moments = [lease or now for lease, attempts in self.unseen]
        return max(min(moments), now) if moments else None
