"""The tables of states against a plain model of a case and its documents, with the clock running beside."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from api.store.tables.verification import CASE_STATES as STORED_CASE_STATES
from api.store.tables.verification import DOCUMENT_STATES as STORED_DOCUMENT_STATES
from engine.verification.clock import PROMISE, clock_of
from engine.verification.states import (
    CASE,
    CLOSED,
    DOCUMENT,
    LIVE,
    CaseEvent,
    CaseState,
    DocumentEvent,
    DocumentState,
    diagram,
    next_state,
)

SYDNEY = ZoneInfo("Australia/Sydney")
BEFORE_DAYLIGHT_SAVING = datetime(2026, 10, 2, 22, 0, tzinfo=UTC)  # it begins in Sydney at 16:00 UTC the next day
EVENTS = get_args(CaseEvent)
ASIDE = {"note", "escalate", "alert", "document_checked"}


class Case:
    """A case as people would tell it: what is in, who holds it, what was vouched for, how it ended."""

    def __init__(self) -> None:
        self.documents_in = self.held = self.vouched = False
        self.ending: CaseState | None = None

    @property
    def name(self) -> CaseState:
        """The state, by its word."""
        if self.ending:
            return self.ending
        if not self.documents_in:
            return "waiting"
        if self.vouched:
            return "approving" if self.held else "verified"
        return "claimed" if self.held else "open"

    def allows(self, event: str) -> bool:
        """Whether it may happen now."""
        working, free = self.documents_in and self.held, self.documents_in and not self.held
        if self.ending or event == "open":  # a case is opened once
            return False
        allowed: dict[str, bool] = {
            **dict.fromkeys(ASIDE, True),
            **dict.fromkeys(("complete", "expire"), not self.documents_in),
            **dict.fromkeys(("claim", "sample", "machine_verify"), free and not self.vouched),
            **dict.fromkeys(("lapse", "snooze", "reassign"), working),
            **dict.fromkeys(
                ("release", "record", "accept_document", "return_document", "request", "verify"),
                working and not self.vouched,
            ),
            **dict.fromkeys(
                ("release_approval", "decided", "approve", "decline", "send_back"), working and self.vouched
            ),
            "waive": not self.documents_in or (working and not self.vouched),
            "document_received": not self.vouched,
            "claim_approval": free and self.vouched,
            "approve_final": self.documents_in and self.vouched,
        }
        return allowed[event]

    def happen(self, event: str) -> None:
        """What it does."""
        if event in {"claim", "claim_approval"}:
            self.held = True
        if event in {"release", "release_approval", "lapse", "snooze", "return_document", "request", "approve"}:
            self.held = False
        if event in {"verify", "machine_verify", "send_back"}:
            self.held, self.vouched = False, event != "send_back"
        if event in {"complete", "return_document", "request"}:
            self.documents_in = event == "complete"
        endings: dict[str, CaseState] = {"approve_final": "approved", "decline": "rejected", "expire": "expired"}
        self.ending = endings.get(event)


class CaseMachine(RuleBasedStateMachine):
    """Any event at any moment, on the table and on the plain model; time is counted twice as well."""

    def __init__(self) -> None:
        super().__init__()
        self.model, self.state = Case(), "waiting"
        self.now = self.completed = BEFORE_DAYLIGHT_SAVING
        self.moves: list[tuple[str, datetime]] = [("waiting", self.now)]
        self.begun = False
        self.ran = self.stood = timedelta()

    @rule(minutes=st.integers(0, 600))
    def wait(self, minutes: int) -> None:
        """Time passes; it counts while nobody waits for the applicant."""
        gone = timedelta(minutes=minutes)
        self.now += gone
        if self.begun and self.state == "waiting":
            self.stood += gone
        elif self.begun:
            self.ran += gone

    @rule(event=st.sampled_from(EVENTS), in_sydney=st.booleans())
    def happen(self, event: str, in_sydney: bool) -> None:
        """The table allows what the model allows, and leads where it leads."""
        after = next_state(CASE, self.state, event)
        assert (after is not None) == self.model.allows(event)
        if after is None or after in CLOSED:  # a closed case stands still: the closing test looks at it
            return
        self.model.happen(event)
        if after != self.state:
            self.moves.append((after, self.now.astimezone(SYDNEY) if in_sydney else self.now))
        if event == "complete" and not self.begun:
            self.begun, self.completed = True, self.now
        self.state = after

    @invariant()
    def agree(self) -> None:
        """State, time gone, pauses and deadline are those of the model."""
        assert self.state == self.model.name
        clock = clock_of(self.moves)
        assert clock.elapsed(self.now) == self.ran
        assert clock.paused_for(self.now) == self.stood
        if self.begun and clock.paused_at is None:
            assert clock.due_at == self.completed + PROMISE + self.stood


class DocumentMachine(RuleBasedStateMachine):
    """Any event on a document, on the table and on what is known of it."""

    def __init__(self) -> None:
        super().__init__()
        self.state = "received"
        self.seen: Literal["no", "under way", "safe", "read"] = "no"
        self.ending = ""
        self.relied_on = False

    @rule(event=st.sampled_from(get_args(DocumentEvent)))
    def happen(self, event: str) -> None:
        """Inspected before anything else, read before anybody relies on it, and sent back even after that."""
        allowed = {
            "inspect": self.seen in {"no", "under way"},
            "pass": self.seen == "under way",
            "reject": self.seen == "under way",
            "check": self.seen == "safe",
            "accept": self.seen == "read" and not self.relied_on,
            "return": self.seen == "read",
            "replace": self.seen == "read" and not self.relied_on,
        }[event] and not self.ending
        after = next_state(DOCUMENT, self.state, event)
        assert (after is not None) == allowed
        if after is None:
            return
        self.seen = {"inspect": "under way", "pass": "safe", "check": "read"}.get(event, self.seen)  # type: ignore[assignment]
        self.ending = {"reject": "rejected", "return": "returned", "replace": "replaced"}.get(event, "")
        self.relied_on = event == "accept"
        self.state = after
        known = {"under way": "quarantined", "safe": "clean", "read": "accepted" if self.relied_on else "checked"}
        assert self.state == (self.ending or known[self.seen])


_STEPS = settings(max_examples=60, stateful_step_count=40, suppress_health_check=[HealthCheck.too_slow])
TestCase = CaseMachine.TestCase
TestCase.settings = _STEPS
TestDocument = DocumentMachine.TestCase
TestDocument.settings = _STEPS


def reached(start: str, table: object, events: tuple[str, ...], step: Callable[[str, str], str | None]) -> set[str]:
    """Every state that events lead to from the start."""
    seen, todo = {start}, [start]
    while todo:
        here = todo.pop()
        found = {after for event in events if (after := step(here, event))} - seen
        seen |= found
        todo += found
    return seen


def test_every_state_is_reached_and_the_words_are_the_stores() -> None:
    """From `waiting` and `received` every state can come about, and the database knows the same words."""
    cases = reached("waiting", CASE, EVENTS, lambda state, event: next_state(CASE, state, event))
    documents = reached(
        "received", DOCUMENT, get_args(DocumentEvent), lambda state, event: next_state(DOCUMENT, state, event)
    )
    assert cases == set(get_args(CaseState)) == set(STORED_CASE_STATES) == {*LIVE, *CLOSED}
    assert documents == set(get_args(DocumentState)) == set(STORED_DOCUMENT_STATES)


def test_every_event_happens_somewhere() -> None:
    """But for `open`, which makes the case, each event stands in a table."""
    assert {event for _, event in CASE} == set(EVENTS) - {"open"}
    assert {event for _, event in DOCUMENT} == set(get_args(DocumentEvent))


def test_nothing_happens_to_a_closed_case() -> None:
    """Approved, rejected and expired are for good, and so are a document's returned, rejected and replaced."""
    assert [(state, event) for state, event in CASE if state in CLOSED] == []
    assert {state for state, _ in DOCUMENT} == {"received", "quarantined", "clean", "checked", "accepted"}


def test_the_offer_expires_only_while_the_applicant_is_waited_for() -> None:
    """A case that the lender works on does not run out on the applicant."""
    assert [state for state, event in CASE if event == "expire"] == ["waiting"]


def test_unknown_words_lead_nowhere() -> None:
    """A state or an event that is none is not allowed, rather than an error."""
    assert next_state(CASE, "nowhere", "claim") is None
    assert next_state(CASE, "open", "nothing") is None


def test_a_diagram_shows_every_move_once() -> None:
    """Each arrow of the table stands in its drawing, and no other."""
    lines = diagram(DOCUMENT).splitlines()
    assert lines[:2] == ["stateDiagram-v2", "    [*] --> received"]
    arrows = {line.strip() for line in lines if " --> " in line and ":" in line}
    moves: dict[tuple[str, str], list[str]] = {}
    for (state, event), after in DOCUMENT.items():
        if state != after:
            moves.setdefault((state, after), []).append(event)
    assert arrows == {f"{state} --> {after}: {', '.join(events)}" for (state, after), events in moves.items()}
    assert "    quarantined: quarantined (inspect)" in lines
    assert sorted(line.split()[0] for line in lines if line.endswith("--> [*]")) == ["rejected", "replaced", "returned"]
