"""What waits for a person outside the queue of cases: referrals, requests for a person, and one application's page."""

from dataclasses import dataclass
from datetime import datetime

from api.console.views.case import CapView, EventView, PersonView, ScoreView
from api.console.views.shared import NO_FORM, Choice, FormState, Notice, Told
from api.pages.wording import Unit, Value


@dataclass(frozen=True, slots=True)
class ReferralLine:
    """An application that waits for a person; `late` once what was promised has passed, `asked` where they asked."""

    application_id: str
    business: str
    abn: str
    requested_cents: int
    outcome: str
    since: datetime
    due_at: datetime
    late: bool
    reasons: tuple[Told, ...] = ()
    findings: tuple[Told, ...] = ()
    known: tuple[str, ...] = ()  # the facts in short
    proposed: bool = False
    mine: bool = False  # what is proposed is one's own, and waits for somebody else


@dataclass(frozen=True, slots=True)
class ReferralsView:
    """Everything that waits for a person, the oldest first; `more` counts what is not in the lists."""

    at: datetime
    referrals: tuple[ReferralLine, ...]
    reviews: tuple[ReferralLine, ...]
    more: int = 0
    more_reviews: int = 0
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class StatedRow:
    """What the applicant declared beside what a source said; `differs` None where there is nothing to compare."""

    label: str
    unit: Unit
    declared: Value
    said: Value
    by: str
    differs: bool | None = None


@dataclass(frozen=True, slots=True)
class SourceRow:
    """How one source answered, and what it said in short."""

    name: str
    status: str
    at: datetime
    words: str = ""


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """A decision of the history; `changes` is what made it differ from the one before."""

    id: str
    at: datetime
    outcome: str
    limit_cents: int | None
    stands: bool
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProposalView:
    """What somebody proposed and another approver confirms, by digest."""

    id: str
    by: str
    at: datetime
    what: str  # aside, decline
    reason: str
    words: str
    set_aside: tuple[Told, ...]
    limit_cents: int | None
    content_sha256: str


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A request for a person; `answer` once somebody answered."""

    id: str
    asked_at: datetime
    due_at: datetime
    late: bool
    of_standing: bool  # about the decision that stands
    answer: str = ""
    outcome: str = ""
    answered_by: str = ""


@dataclass(frozen=True, slots=True)
class ScreeningView:
    """What screening found, for compliance alone; `settled` says how, once it was."""

    found: tuple[Told, ...]
    cleared_reasons: tuple[Choice, ...] = ()
    confirmed_reasons: tuple[Choice, ...] = ()
    settled: str = ""


@dataclass(frozen=True, slots=True)
class ReferralView:
    """One application on one screen. `actions`: note, ask, aside, decline, confirm, withdraw, answer, settle."""

    application_id: str
    decision_id: str
    business: str
    abn: str
    entity: str
    outcome: str
    requested_cents: int
    since: datetime
    due_at: datetime
    late: bool
    waits: bool
    release: str
    synthetic: bool
    case_id: str | None
    stated: tuple[StatedRow, ...]
    sources: tuple[SourceRow, ...]
    people: tuple[PersonView, ...]
    reasons: tuple[Told, ...]
    findings: tuple[Told, ...]
    history: tuple[DecisionLine, ...]
    events: tuple[EventView, ...]
    reviews: tuple[ReviewView, ...]
    score: ScoreView | None = None
    caps: tuple[CapView, ...] = ()
    rules: tuple[Told, ...] = ()  # that can be left aside
    catalogue: tuple[Choice, ...] = ()
    askable: tuple[Choice, ...] = ()  # none where those that failed are asked
    failed: tuple[str, ...] = ()
    proposal: ProposalView | None = None
    screening: ScreeningView | None = None
    actions: frozenset[str] = frozenset()
    obstacle: str = ""
    form: FormState = NO_FORM
    notice: Notice | None = None
