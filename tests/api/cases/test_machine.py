"""A case and its documents driven at random through every act, beside a plain model that knows only the tables.

It does: let Hypothesis choose acts, allowed or not, and hold every answer and every state against dicts and
engine.verification.states. The rule it keeps: whatever the tables refuse is refused, whatever they allow happens.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from api.cases import approving, ticking, working
from api.cases.acts import Actor
from api.errors import Problem
from api.store import queries as store
from engine.verification.clock import clock_of
from engine.verification.states import CASE, CLOSED, DOCUMENT, CaseState, DocumentState, next_state
from tests.support.businesses import story
from tests.support.deskwork import PEOPLE, Office
from tests.support.releases import fake_release
from tests.support.service import Clock, StorySources, opened

WHO = st.integers(0, 7)  # mostly whoever holds the case, else any of the three
WHICH = st.integers(0, 3)
HELD = {"claimed", "approving"}
_MOSTLY = 6
EXAMPLES = 40
MOST_ASIDES = 4  # of a run, or nothing else happens in it
LEASE_SECONDS = working.LEASE.total_seconds()


def case_after(state: str, event: str) -> CaseState | None:
    """What the table says of a case."""
    found: CaseState | None = next_state(CASE, state, event)
    return found


def document_after(state: str, event: str) -> DocumentState | None:
    """What the table says of a document."""
    found: DocumentState | None = next_state(DOCUMENT, state, event)
    return found


class CaseMachine(RuleBasedStateMachine):
    """One case; `model` is the state by our own count, `holder` who holds it, `documents` theirs by id."""

    template: Path
    reached: ClassVar[set[tuple[str, str]]] = set()  # what happened at all, in every run

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="creditline-machine-")
        file = shutil.copy(self.template, Path(self.folder.name) / "store.sqlite")
        self.opened = opened(
            f"sqlite:///{file}", sources=StorySources(story()), release=fake_release(), clock=Clock(), secret="-"
        )
        self.office = Office.of(self.opened.__enter__())

    def teardown(self) -> None:
        """Let go of the database."""
        self.opened.__exit__(None, None, None)
        self.folder.cleanup()

    @initialize(begun=st.integers(0, 4))
    def accepted(self, begun: int) -> None:
        """A case that waits, or is complete, taken, verified, or taken for approval already."""
        self.office.service.secret = _key(self.office)
        self.case_id, self.model, self.holder, self.until = self.office.accepted().id, "waiting", "", 0.0
        self.documents: dict[str, str] = {}
        self.verifier, self.now, self.told, self.asides = "", 0.0, 0, 0
        if begun > 0:
            self.hand_in()
        if begun > 1:
            self.claim(0, 1)
        if begun > 2:
            self.settle_and_verify(0)
        if begun > 3:
            self.claim(1, 1)

    # -- what the model expects ---------------------------------------------------------------------------------

    @property
    def case(self) -> store.CaseRow:
        """The case as the service has it."""
        return self.office.case(self.case_id)

    def person(self, number: int) -> Actor:
        """Whoever holds the case, for most numbers; else one of the three."""
        holder = next((each for each in PEOPLE if each.id == self.holder), None)
        return holder if holder and number < _MOSTLY else PEOPLE[number % len(PEOPLE)]

    def holds(self, who: Actor) -> bool:
        """Whether, by our own count, this person holds the case now."""
        return self.model in HELD and self.holder == who.id and self.now < self.until

    def move(self, event: str, allowed: bool, work: Any, *, to: str | None = None) -> bool:
        """Do it, and hold the answer against the table: whether it happened."""
        state = case_after(self.model, event)
        try:
            self.office.do(work)
            happened = True
        except Problem:
            happened = False
        assert happened == (allowed and state is not None), f"{event} in {self.model}: happened is {happened}"
        if not happened or state is None:
            return False
        self.reached.add((self.model, event))
        self.model = to or state
        if self.model not in HELD:
            self.holder = ""
        return True

    # -- acts ---------------------------------------------------------------------------------------------------

    @rule(who=WHO, fitting=st.integers(0, 4))
    def claim(self, who: int, fitting: int) -> None:
        """Take the case, mostly for the stage that it is in: free, or held under a lease that has lapsed."""
        by = PEOPLE[who % len(PEOPLE)]
        stage: store.StageName = "verify" if (self.model in {"open", "claimed"}) == bool(fitting) else "approve"
        words = store.STAGES[stage]
        if self.model == words.worked and self.now >= self.until:
            self.model = case_after(self.model, "lapse") or ""
        allowed = self.model == words.free and (stage == "verify" or by.id != self.verifier)
        if self.move(words.claim, allowed, working.claim(self.office.desk, self.case_id, stage, by)):
            self.holder, self.until = by.id, self.now + LEASE_SECONDS
        elif self.holder and self.model not in HELD:
            self.model = words.worked  # refused: the lapse was not written

    def release(self, who: int) -> None:
        """Give it back; also after the lease, as long as nobody took it."""
        by = self.person(who)
        event = "release" if self.model == "claimed" else "release_approval"
        self.move(
            event, self.holder == by.id and self.model in HELD, working.release(self.office.desk, self.case_id, by)
        )

    def reassign(self, who: int, to: int) -> None:
        """Hand it over: an approval never to its verifier."""
        by, other = self.person(who), PEOPLE[to % len(PEOPLE)]
        allowed = self.model == "claimed" or other.id != self.verifier
        act = working.reassign(self.office.desk, self.case_id, by, other.id, "Please.")
        if self.move("reassign", allowed, act):
            self.holder, self.until = other.id, self.now + LEASE_SECONDS

    def snooze(self, who: int) -> None:
        """Put it off for an hour."""
        by = self.person(who)
        until = self.office.clock.now + working.LONGEST_SNOOZE / 12
        act = working.snooze(self.office.desk, self.case_id, self.case.version, by, until, "")
        self.move("snooze", self.holds(by), act)

    @precondition(lambda self: self.model in HELD)
    @rule(who=WHO, act=st.integers(0, 10), which=WHICH)
    def work(self, who: int, act: int, which: int) -> None:
        """One act on a case that somebody holds, mostly theirs."""
        self.take_turn(who, act, which)

    @precondition(lambda self: self.model not in HELD)
    @rule(who=WHO, act=st.integers(0, 10), which=WHICH)
    def out_of_turn(self, who: int, act: int, which: int) -> None:
        """The same while nobody holds it: all of it is refused, by the same count."""
        self.take_turn(who, act, which)

    def take_turn(self, who: int, act: int, which: int) -> None:
        """One of the acts that take a hold."""
        alone = (
            self.release, self.snooze, self.ask, self.settle_and_verify, self.approve, self.decline, self.send_back,
        )  # fmt: skip
        of_one = (self.record, self.accept, self.send_back_document, self.reassign)
        if act < len(alone):
            alone[act](who)
        else:
            of_one[act - len(alone)](who, which)

    @precondition(lambda self: self.asides < MOST_ASIDES)
    @rule(who=WHO)
    def note(self, who: int) -> None:
        """Say something."""
        by = self.person(who)
        self.asides += 1
        self.move("note", True, working.note(self.office.desk, self.case_id, by, "A word."))

    @precondition(lambda self: self.asides < MOST_ASIDES)
    @rule(who=WHO)
    def escalate(self, who: int) -> None:
        """Call for eyes above."""
        by = self.person(who)
        self.asides += 1
        self.move("escalate", True, working.escalate(self.office.desk, self.case_id, by, "Odd."))

    def ask(self, who: int) -> None:
        """Ask for one document more."""
        by = self.person(who)
        asked = sum(each.requested for each in self.office.standing(self.case_id).wanted)
        act = working.request(
            self.office.desk, self.case_id, self.case.version, by, "bank_account_proof", None, "More."
        )
        self.move("request", self.holds(by) and asked < working.MOST_REQUESTS, act)

    @rule(who=WHO)
    def stale(self, who: int) -> None:
        """Act on a version that has passed: never."""
        by = self.person(who)
        act = working.snooze(self.office.desk, self.case_id, self.case.version - 1, by, self.office.clock.now, "")
        assert self.office.refused(act) in {"stale-version", "not-held"}

    @rule(hours=st.sampled_from((0.02, 0.05, 0.1, 0.3)))
    def wait(self, hours: float) -> None:
        """Time passes, and the worker ticks: leases lapse, alerts change no state."""
        self.now += hours * 3_600
        self.office.clock.advance(hours * 3_600)
        self.office.do(ticking.tick(self.office.desk))
        if self.model in HELD and self.now >= self.until:
            self.model, self.holder = case_after(self.model, "lapse") or "", ""

    # -- documents ----------------------------------------------------------------------------------------------

    @precondition(lambda self: self.model == "waiting")
    @rule()
    def hand_in(self) -> None:
        """The applicant sends what is wanted, and machines look at it."""
        self.told += 1
        self.office.clock.advance(1)
        self.now += 1
        after = self.office.hand_in(self.case)
        assert case_after("waiting", "complete") == after.state == "open"
        self.model = "open"
        for each in sorted(
            self.office.standing(self.case_id).documents, key=lambda each: (each.received_at, each.kind)
        ):
            self.documents.setdefault(each.id, "checked")

    @rule(which=WHICH)
    def send_more(self, which: int) -> None:
        """A document that nobody asked for a second time: taken while the table takes it."""
        if self.told > 20:
            return
        reply = self.office.send(self.case, "bank_account_proof")
        assert (reply.status_code == 201) == (case_after(self.model, "document_received") is not None)
        if reply.status_code != 201:
            return
        self.told += 1
        document_id = reply.json()["document_id"]
        after = self.office.found(document_id)
        self.documents[document_id] = "checked"
        assert after.state in {self.model, "open"}
        self.model = after.state

    def of(self, which: int) -> tuple[str, str]:
        """One of the documents, by our own count; a made-up one where there is none."""
        found = list(self.documents.items())
        return found[which % len(found)] if found else ("doc_none", "none")

    def record(self, who: int, which: int) -> None:
        """Write down what one says."""
        by = self.person(who)
        document_id, state = self.of(which)
        said = self.says(document_id)
        act = working.record(self.office.desk, self.case_id, self.case.version, by, document_id, said)
        self.move("record", self.holds(by) and state in {"checked", "accepted"}, act)

    def accept(self, who: int, which: int) -> None:
        """Rely on one that was read."""
        by = self.person(who)
        document_id, state = self.of(which)
        read = any(each.document_id == document_id for each in self.values())
        after = document_after(state, "accept")
        act = working.accept_document(self.office.desk, self.case_id, self.case.version, by, document_id)
        if self.move("accept_document", self.holds(by) and after is not None and read, act):
            self.documents[document_id] = after or ""

    def send_back_document(self, who: int, which: int) -> None:
        """Return one: the case waits."""
        by = self.person(who)
        document_id, state = self.of(which)
        after = document_after(state, "return")
        act = working.return_document(self.office.desk, self.case_id, self.case.version, by, document_id, "BLURRY", "")
        if self.move("return_document", self.holds(by) and after is not None, act):
            self.documents[document_id] = after or ""
            if self.office.standing(self.case_id).complete:  # another one of the kind is there
                self.model = case_after(self.model, "complete") or ""

    # -- the end ------------------------------------------------------------------------------------------------

    def settle_and_verify(self, who: int) -> None:
        """Record and accept everything, and vouch for it."""
        by = self.person(who)
        if not (self.model == "claimed" and self.holds(by)):
            act = working.verify(self.office.desk, self.case_id, self.case.version, by)
            self.move("verify", False, act)
            return
        self.office.settle(self.case, by=by)
        for document_id, state in self.documents.items():
            self.documents[document_id] = document_after(state, "accept") or state
        whole = self.office.standing(self.case_id).verifiable
        if self.move("verify", whole, working.verify(self.office.desk, self.case_id, self.case.version, by)):
            self.verifier = by.id

    def approve(self, who: int) -> None:
        """Approve exactly what is there; one approver is enough here."""
        by = self.person(who)
        act = approving.approve(self.office.desk, self.case_id, by, self.office.verdict(self.case))
        allowed = self.model == "approving" and self.holds(by) and by.id != self.verifier
        self.move("approve_final", allowed, act)

    def decline(self, who: int) -> None:
        """Decline with a reason."""
        by = self.person(who)
        verdict = self.office.verdict(self.case, reason="R20")
        act = approving.decline(self.office.desk, self.case_id, by, verdict)
        self.move("decline", self.model == "approving" and self.holds(by), act)

    def send_back(self, who: int) -> None:
        """Return the case to verification."""
        by = self.person(who)
        act = approving.send_back(self.office.desk, self.case_id, self.case.version, by, "Again.")
        if self.move("send_back", self.model == "approving" and self.holds(by), act):
            self.verifier = ""

    # -- what always holds --------------------------------------------------------------------------------------

    @invariant()
    def agree(self) -> None:
        """Service and model tell the same of the case, its holder, its documents and its clock."""
        case, standing = self.case, self.office.standing(self.case_id)
        assert case.state == self.model
        assert (case.owner or "") == self.holder
        assert {each.id: each.state for each in standing.documents} == self.documents
        if case.state not in CLOSED:
            clock = clock_of((each.state, each.at) for each in standing.events)
            assert (clock.complete_at, clock.paused_at, clock.due_at) == (case.complete_at, case.paused_at, case.due_at)

    def says(self, document_id: str) -> Any:
        """What a document says."""
        document = self.office.look(lambda connection: store.get_document(connection, document_id))
        return self.office.says(document) if document else {"matches": "yes"}

    def values(self) -> tuple[store.ValueRow, ...]:
        """What was recorded."""
        return self.office.look(lambda connection: store.latest_values(connection, self.case_id))


def _key(office: Office) -> str:
    from api.commands import add_key  # noqa: PLC0415

    return add_key(office.service.url, "tests", ("apply", "supply", "audit", "operate"))


def test_case_and_documents_agree_with_the_tables(sqlite_template: Path) -> None:
    """Whatever is tried in whatever order, the service allows what the tables allow, and nothing else."""

    class Driven(CaseMachine):
        template = sqlite_template

    test = Driven.TestCase
    test.settings = settings(
        max_examples=EXAMPLES, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
    )
    test("runTest").runTest()
    assert {("open", "claim"), ("claimed", "verify"), ("verified", "claim_approval")} <= Driven.reached
