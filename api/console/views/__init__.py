"""What the staff console shows, as plain frozen values; whoever serves a page fills one of these.

It does: name every value that a page needs, with its unit, and refuse what must not be shown. It does not: read the
store, format (api.console.wording does), or know who may do what: `actions` says what this member may do here and now.
Moments carry a zone; money is whole cents; shares are basis points; a box is per mille of its page, from the top left.
"""

from api.console.views.board import AgeBand, BoardView, Forecast, Quality, StateCount, Workload
from api.console.views.case import (
    ApprovalView,
    AuthorityView,
    BandView,
    CapView,
    CaseView,
    ComparedField,
    Contribution,
    EventView,
    Lists,
    Obstacle,
    PersonView,
    RequirementView,
    ScoreView,
)
from api.console.views.documents import CheckView, DocumentView, Mark
from api.console.views.others import (
    AuditEntry,
    AuditView,
    CheckpointView,
    ComplianceMatter,
    ComplianceView,
    DueDiligenceView,
    IdentityView,
    SearchView,
)
from api.console.views.referrals import ReferralsView, ReferralView
from api.console.views.shared import (
    NO_FORM,
    CaseLine,
    Choice,
    ClockView,
    FormState,
    MessageView,
    Notice,
    RequirementState,
    Told,
)
from api.console.views.watching import WatchingView

View = (
    BoardView | CaseView | SearchView | ComplianceView | AuditView | WatchingView | ReferralsView | ReferralView
    | MessageView
)  # fmt: skip

__all__ = [
    "NO_FORM",
    "AgeBand",
    "ApprovalView",
    "AuditEntry",
    "AuditView",
    "AuthorityView",
    "BandView",
    "BoardView",
    "CapView",
    "CaseLine",
    "CaseView",
    "CheckView",
    "CheckpointView",
    "Choice",
    "ClockView",
    "ComparedField",
    "ComplianceMatter",
    "ComplianceView",
    "Contribution",
    "DocumentView",
    "DueDiligenceView",
    "EventView",
    "Forecast",
    "FormState",
    "IdentityView",
    "Lists",
    "Mark",
    "MessageView",
    "Notice",
    "Obstacle",
    "PersonView",
    "Quality",
    "ReferralView",
    "ReferralsView",
    "RequirementState",
    "RequirementView",
    "ScoreView",
    "SearchView",
    "StateCount",
    "Told",
    "View",
    "WatchingView",
    "Workload",
]
