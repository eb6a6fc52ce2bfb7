"""Compliance and audit pages."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from api.console.views import (
    AuditEntry,
    AuditView,
    CheckpointView,
    ComplianceMatter,
    ComplianceView,
    DueDiligenceView,
    IdentityView,
    Notice,
    Told,
)
from tests.support.console_samples.cases import CASE
from tests.support.console_samples.shared import MINE, NOW

CUSTOMER: Final = DueDiligenceView(
    "line_01JDEXAMPLE0000000000000001", MINE.business, MINE.abn, 18_000_000, NOW - timedelta(days=3),
    CASE.application_id, MINE.id,
    (
        IdentityView("Aroha Featherstone", "director, contact", 6_000, "accepted", date(1984, 2, 29)),
        IdentityView("Jean-Luc Ó Briain", "director, guarantor", 4_000, "waived", date(1979, 11, 3)),
    ),
    screened_at=NOW - timedelta(days=4),
)  # fmt: skip
MATTER: Final = ComplianceMatter(
    "dec_01JDEXAMPLE0000000000000009", "app_01JDEXAMPLE0000000000000009", "Wombat Hollow Furniture", "91000000003",
    "refer", NOW - timedelta(hours=20),
    (Told("sanctions_hit", "A name matches a sanctions list; the compliance role decides. Possible matches: 2."),),
)  # fmt: skip
COMPLIANCE: Final = ComplianceView(
    due=(
        CUSTOMER,
        replace(
            CUSTOMER, line_id="line_2", business="Kookaburra Cycles", found=MATTER.found, people=CUSTOMER.people[:1]
        ),
    ),
    done=(replace(CUSTOMER, line_id="line_3", done_at=NOW - timedelta(hours=5), done_by="Ines Okafor"),),
    matters=(MATTER, replace(MATTER, decision_id="dec_2", case_id=MINE.id, outcome="approve", confirmed=True)),
    may_record=True,
    notice=Notice("Customer due diligence is recorded complete: the line can be drawn from."),
)
AUDIT: Final = AuditView(
    tuple(
        AuditEntry(
            18_204 - back,
            NOW - timedelta(minutes=3 * back),
            "stf_01JDEXAMPLE0000000000000002",
            "verifier",
            ("case.claim", "document.accept", "decision.recorded")[back % 3],
            f"case_{back:026d}",
            f"{back:02x}" * 32,
        )
        for back in range(12)
    ),
    CheckpointView(18_200, NOW - timedelta(seconds=41), timedelta(seconds=41)),
    18_193,
)
