"""Made-up views of every page of the staff console: usual, overdue, empty, hostile, and very full. All synthetic.

Nothing here is read from anywhere: each view is as a service would fill it, at one fixed moment.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from api.console import messages
from api.console.views import AuditView, CheckpointView, ComplianceView, IdentityView, SearchView, Told, View
from tests.support.console_samples.boards import BOARD, EMPTY_BOARD, QUEUE
from tests.support.console_samples.cases import (
    APPROVING,
    CASE,
    FULL_CASE,
    HOSTILE_CASE,
    NEW_CASE,
    OVERDUE,
    READY,
    REFUSED,
    RETURN_REFUSED,
)
from tests.support.console_samples.oversight import AUDIT, COMPLIANCE, CUSTOMER, MATTER
from tests.support.console_samples.referrals import (
    CONFIRMING,
    REFERRAL,
    REFERRAL_HOSTILE,
    REFERRAL_REFUSED,
    REFERRALS,
    REFERRALS_HOSTILE,
    SCREENED,
)
from tests.support.console_samples.shared import HOSTILE, MINE, NOW
from tests.support.console_samples.watching import WATCHING, WATCHING_HOSTILE, WATCHING_NONE, WATCHING_OTHER

SAMPLES: Final[Mapping[str, View]] = {
    "board": BOARD,
    "board-empty": EMPTY_BOARD,
    "board-one-state": replace(BOARD, state="open", lines=QUEUE[:1], mine=(), more=0, forecast=None, quality=None),
    "board-hostile": replace(BOARD, lines=(replace(QUEUE[0], business=HOSTILE, order_reason=HOSTILE, owner=HOSTILE),)),
    "case": CASE,
    "case-ready": READY,
    "case-approving": APPROVING,
    "case-refused-form": REFUSED,
    "case-refused-return": RETURN_REFUSED,
    "case-new": NEW_CASE,
    "case-overdue": OVERDUE,
    "case-hostile": HOSTILE_CASE,
    "case-full": FULL_CASE,
    "search": SearchView(),
    "search-found": SearchView("Banksia", (MINE, *QUEUE[:3]), True),
    "search-nothing": SearchView("Zebra"),
    "search-hostile": SearchView(HOSTILE),
    "compliance": COMPLIANCE,
    "compliance-empty": ComplianceView(()),
    "compliance-hostile": ComplianceView(
        (
            replace(
                CUSTOMER, business=HOSTILE, people=(IdentityView(HOSTILE, HOSTILE, 1, "missing"),), screened_at=None
            ),
        ),
        matters=(replace(MATTER, business=HOSTILE, found=(Told(HOSTILE, HOSTILE),)),), may_record=True,
    ),
    "referrals": REFERRALS,
    "referrals-empty": replace(REFERRALS, referrals=(), reviews=(), more=0, more_reviews=0),
    "referrals-hostile": REFERRALS_HOSTILE,
    "referral": REFERRAL,
    "referral-confirming": CONFIRMING,
    "referral-screened": SCREENED,
    "referral-refused-form": REFERRAL_REFUSED,
    "referral-hostile": REFERRAL_HOSTILE,
    "audit": AUDIT,
    "audit-empty": AuditView((), None, None),
    "audit-late": replace(AUDIT, checkpoint=CheckpointView(17_000, NOW - timedelta(hours=3), timedelta(hours=3), True)),
    "watching": WATCHING,
    "watching-none": WATCHING_NONE,
    "watching-other": WATCHING_OTHER,
    "watching-hostile": WATCHING_HOSTILE,
    **{f"message-{slug}": message for slug, message in messages.MESSAGES.items()},
}  # fmt: skip
