"""Search, the compliance view, the tail of the audit chain."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from api.console.views.shared import CaseLine, Notice, RequirementState, Told


@dataclass(frozen=True, slots=True)
class SearchView:
    """What was found; `query` None before anything was looked for, `cut` where there was more than is shown."""

    query: str | None = None
    lines: tuple[CaseLine, ...] = ()
    cut: bool = False


@dataclass(frozen=True, slots=True)
class ComplianceMatter:
    """What screening found on a decision that stands: codes and words that compliance alone sees."""

    decision_id: str
    application_id: str
    business: str
    abn: str
    outcome: str
    decided_at: datetime
    found: tuple[Told, ...]
    case_id: str | None = None
    confirmed: bool = False  # compliance has said that it is a match


@dataclass(frozen=True, slots=True)
class IdentityView:
    """Somebody behind a line, and what shows who they are; `state` is that of a requirement."""

    name: str
    roles: str
    ownership_bps: int
    state: RequirementState
    born: date | None = None


@dataclass(frozen=True, slots=True)
class DueDiligenceView:
    """An open line and its customer: nothing is drawn before due diligence is recorded complete.

    `found` is what screening said, empty where nothing; `screened_at` None where the lists did not answer.
    """

    line_id: str
    business: str
    abn: str
    limit_cents: int
    opened_at: datetime
    application_id: str
    case_id: str
    people: tuple[IdentityView, ...]
    found: tuple[Told, ...] = ()
    screened_at: datetime | None = None
    done_at: datetime | None = None
    done_by: str | None = None

    @property
    def unidentified(self) -> int:
        """How many of the people were not identified by a document."""
        return sum(each.state != "accepted" for each in self.people)


@dataclass(frozen=True, slots=True)
class ComplianceView:
    """Lines whose customer has not been identified, those done lately, and what screening found."""

    due: tuple[DueDiligenceView, ...]
    done: tuple[DueDiligenceView, ...] = ()
    matters: tuple[ComplianceMatter, ...] = ()
    may_record: bool = False
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry of the chain, as kept: codes and digests, nobody's words."""

    seq: int
    at: datetime
    actor: str
    role: str
    action: str
    subject: str
    sha256: str


@dataclass(frozen=True, slots=True)
class CheckpointView:
    """The last signed checkpoint."""

    size: int
    at: datetime
    age: timedelta
    late: bool = False


@dataclass(frozen=True, slots=True)
class AuditView:
    """The tail of the chain, newest first; `older_than` is where the next page goes on."""

    entries: tuple[AuditEntry, ...]
    checkpoint: CheckpointView | None = None
    older_than: int | None = None
    fault: str = ""  # what does not hold: nothing is signed any more
