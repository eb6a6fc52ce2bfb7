"""A case on one screen: declared beside read beside recorded, score, requirements, history, approval."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from api.console.views.documents import DocumentView
from api.console.views.others import DueDiligenceView
from api.console.views.shared import NO_FORM, CaseLine, Choice, FormState, Notice, RequirementState, Told
from api.pages.wording import Unit, Value


@dataclass(frozen=True, slots=True)
class BandView:
    """How far the recorded value may differ from the declared one before the decision changes."""

    low: Value
    high: Value
    low_open: bool
    high_open: bool
    inside: bool


@dataclass(frozen=True, slots=True)
class ComparedField:
    """One value as declared, as the machine read it, and as a person recorded it from the document.

    The band is shown only beside a recorded value, so that nobody records what they would like to find: ValueError for
    a band without one. `differs` is None where there is nothing to compare.
    """

    document_id: str
    field: str
    label: str
    unit: Unit
    declared: Value = None
    read: Value = None
    read_bps: int | None = None
    recorded: Value = None
    recorded_by: str | None = None
    differs: bool | None = None
    band: BandView | None = None
    banded: bool = False  # a band will be shown once it is recorded
    hint: str = ""
    editable: bool = False

    def __post_init__(self) -> None:
        if self.band is not None and self.recorded is None:
            raise ValueError("a band is shown only once the value is recorded")


@dataclass(frozen=True, slots=True)
class Contribution:
    """How far one input moved the score, in points."""

    label: str
    value: str
    points: float


@dataclass(frozen=True, slots=True)
class ScoreView:
    """The model's score of the decision that the case stands on, its parts the largest first."""

    points: float
    grade: str
    pd_bps: int
    base_points: float
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True, slots=True)
class CapView:
    """One cap on the line; no cents where its source gave none."""

    name: str
    cents: int | None
    bound: bool = False


@dataclass(frozen=True, slots=True)
class RequirementView:
    """One document that the case needs, or that would raise a cap where `required` is False."""

    id: str
    title: str
    state: RequirementState
    why: str
    person: str | None = None
    document_id: str | None = None
    required: bool = True
    waivable: bool = False
    words: str = ""  # the reason of a waiver


@dataclass(frozen=True, slots=True)
class PersonView:
    """Somebody whose identity or authority the case rests on; `confirmed` None where no link was sent to confirm by."""

    name: str
    roles: str
    ownership_bps: int
    born: date | None = None
    confirmed: bool | None = None


@dataclass(frozen=True, slots=True)
class EventView:
    """One event of the case, newest first in a list; `words` are people's own."""

    at: datetime
    actor: str
    what: str
    words: str = ""
    note: bool = False


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """A verdict given on this case; `stands` while it is on the content shown here."""

    by: str
    at: datetime
    verdict: Literal["approve", "decline"]
    limit_cents: int | None
    stands: bool
    words: str = ""


@dataclass(frozen=True, slots=True)
class AuthorityView:
    """What an approver approves: the digest of the exact content, and whose agreement it still takes."""

    content_sha256: str
    needed: int
    given: tuple[ApprovalView, ...]
    verified_by: str
    most_cents: int
    why: str  # why so many, in words
    overrides: tuple[str, ...] = ()  # rules and requirements left aside, in words
    referrals: tuple[Told, ...] = ()  # rules that can be left aside now


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an action that one would expect cannot be taken yet."""

    action: str
    words: str


@dataclass(frozen=True, slots=True)
class Lists:
    """What can be chosen from on a case page."""

    return_reasons: tuple[Choice, ...]
    request_kinds: tuple[Choice, ...] = ()
    waive_reasons: tuple[Choice, ...] = ()
    reasons: tuple[Choice, ...] = ()  # the public ones: of a decline, a lower line, a rule left aside
    colleagues: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case on one screen.

    `actions`: claim, release, verify, request, waive, note, snooze, unsnooze, escalate, reassign, approve, override,
    decline, send_back; what is not in it is not on the page. `version` goes into every form, so that who was slower is
    told.
    """

    line: CaseLine
    version: int
    application_id: str
    decision_id: str
    entity: str
    requested_cents: int
    monthly_rate_bps: int
    offer_expires_at: datetime
    opened_at: datetime
    lists: Lists
    release: str = ""
    synthetic: bool = False
    people: tuple[PersonView, ...] = ()
    requirements: tuple[RequirementView, ...] = ()
    documents: tuple[DocumentView, ...] = ()
    fields: tuple[ComparedField, ...] = ()
    score: ScoreView | None = None
    caps: tuple[CapView, ...] = ()
    reasons: tuple[Told, ...] = ()
    findings: tuple[Told, ...] = ()
    conditions: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()  # what verified values changed in the decision, in words
    events: tuple[EventView, ...] = ()
    authority: AuthorityView | None = None
    due_diligence: DueDiligenceView | None = None  # of an open line, for compliance alone
    actions: frozenset[str] = frozenset()
    bands_pending: bool = False  # they are being worked out, and the next page has them
    obstacles: tuple[Obstacle, ...] = ()
    form: FormState = NO_FORM
    notice: Notice | None = None

    def __post_init__(self) -> None:
        writable = {each.id for each in self.documents if "record" in each.actions}
        if any(each.editable and each.document_id not in writable for each in self.fields):
            raise ValueError("a field is written down from a document that may be recorded")

    def fields_of(self, document_id: str) -> tuple[ComparedField, ...]:
        """The compared values that this document speaks to."""
        return tuple(each for each in self.fields if each.document_id == document_id)

    def obstacle(self, action: str) -> str | None:
        """Why this action cannot be taken, if that has been said."""
        return next((each.words for each in self.obstacles if each.action == action), None)
