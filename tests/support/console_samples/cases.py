"""Case pages: usual, refused forms, new, overdue, hostile, very full, and one for an approver."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from api.console.views import (
    ApprovalView,
    AuthorityView,
    CapView,
    CaseView,
    CheckView,
    ClockView,
    ComparedField,
    EventView,
    FormState,
    Notice,
    Obstacle,
    PersonView,
    RequirementView,
    Told,
)
from tests.support.console_samples.papers import ACTIVITY, FIELDS, IDENTITY, LISTS, RETURNED, SCORE, STATEMENT
from tests.support.console_samples.shared import HOSTILE, MINE, NOW, clock

ALL_CASE_ACTIONS: Final = frozenset(
    [
        "claim",
        "release",
        "verify",
        "request",
        "waive",
        "note",
        "snooze",
        "unsnooze",
        "escalate",
        "reassign",
        "approve",
        "decline",
        "send_back",
    ]
)
CASE: Final = CaseView(
    line=MINE,
    version=17,
    application_id="app_01JDEXAMPLE0000000000000001",
    decision_id="dec_01JDEXAMPLE0000000000000004",
    entity="company, retail trade, Victoria",
    requested_cents=20_000_000,
    monthly_rate_bps=155,
    offer_expires_at=NOW + timedelta(days=21),
    opened_at=NOW - timedelta(days=2),
    lists=LISTS,
    release="synthetic-2026-11",
    synthetic=True,
    people=(
        PersonView("Aroha Featherstone", "director, contact", 6_000, date(1984, 2, 29)),
        PersonView("Jean-Luc Ó Briain", "director, guarantor", 4_000, date(1979, 11, 3)),
    ),
    requirements=(
        RequirementView("req_1", "Identity", "accepted", "every director", "Aroha Featherstone", "doc_id"),
        RequirementView("req_2", "Identity", "missing", "every director", "Jean-Luc Ó Briain", waivable=True),
        RequirementView("req_3", "Bank statement", "received", "no bank is connected", None, "doc_bank"),
        RequirementView("req_4", "Activity statement", "received", "the line is above $50,000", None, "doc_bas"),
        RequirementView(
            "req_5", "Tax account summary", "returned", "the line is above $100,000", None, "doc_tax", waivable=True
        ),
        RequirementView(
            "req_6", "Financial statements", "missing", "would raise the evidence cap to $300,000", required=False
        ),
    ),
    documents=(STATEMENT, ACTIVITY, IDENTITY, RETURNED),
    fields=FIELDS,
    score=SCORE,
    caps=(
        CapView("request", 20_000_000),
        CapView("policy", 30_000_000),
        CapView("turnover", 21_391_853),
        CapView("debt service", 18_044_466, True),
        CapView("evidence", 15_000_000),
        CapView("bureau", None),
    ),
    reasons=(
        Told("R08", "Repayments would be high against cash flow. Ask for a smaller line, or reduce other repayments."),
    ),
    findings=(Told("age_gap", "The business says it is older than the register does."),),
    conditions=("Identity of owners and directors is verified", "Business activity statements for the last quarters"),
    changes=("Overdue tax is $19,400, declared $0: the line falls from $200,000 to $180,000.",),
    events=(
        EventView(
            NOW - timedelta(minutes=12),
            "Maya Lindqvist",
            "wrote a note",
            "Called about the gap in October.\nThey will send the tax account again.",
            True,
        ),
        EventView(
            NOW - timedelta(minutes=25),
            "Maya Lindqvist",
            "returned a document: too old",
            "Please export it again today.",
        ),
        EventView(NOW - timedelta(minutes=31), "Maya Lindqvist", "took the case"),
        EventView(NOW - timedelta(hours=15.4), "the clock", "began: the last required document is in"),
    ),
    actions=frozenset(["release", "request", "waive", "note", "snooze", "escalate", "reassign"]),
    obstacles=(Obstacle("verify", "two documents are not settled, and one is missing."),),
)
APPROVING: Final = replace(
    CASE,
    line=replace(MINE, state="approving", stage="to approve", mine=True),
    documents=tuple(replace(each, state="accepted", actions=frozenset()) for each in CASE.documents),
    fields=tuple(replace(each, editable=False, recorded=each.read, recorded_by="Tomasz Birch") for each in FIELDS),
    authority=AuthorityView(
        "9f2c4e1b77aa03d5c8e6f1029384756afbecd1029384756a0b1c2d3e4f506172",
        2,
        (
            ApprovalView("Ines Okafor", NOW - timedelta(hours=1), "approve", 18_000_000, True),
            ApprovalView(
                "Ines Okafor", NOW - timedelta(hours=5), "approve", 20_000_000, False, "before the tax account came"
            ),
        ),
        "Tomasz Birch",
        18_000_000,
        "Two approvers: the line is above $100,000",
        ("Identity of Jean-Luc Ó Briain was waived: other evidence says the same.",),
    ),
    actions=frozenset(["approve", "decline", "send_back", "note", "release", "escalate"]),
    obstacles=(),
    requirements=tuple(replace(each, state="accepted" if each.required else "missing") for each in CASE.requirements),
)
READY: Final = replace(
    CASE, actions=CASE.actions | {"verify"}, obstacles=(), notice=Notice("The bank statement is accepted.")
)
REFUSED: Final = replace(
    READY,
    form=FormState(
        "record-doc_bank", {"account_name": "Banksia", "period_to": "2026-11-12", "closing_cents": "lots"},
        {"closing_cents": "Closing balance: write an amount in dollars, such as 12,500.00."},
    ),
)  # fmt: skip
RETURN_REFUSED: Final = replace(
    READY,
    form=FormState("return-doc_bas", {"words": "Please send all pages."}, {"reason": "Choose what is wrong with it."}),
)
NEW_CASE: Final = replace(
    CASE,
    line=replace(MINE, state="waiting", mine=False, owner=None, clock=ClockView("none", timedelta(0), timedelta(0))),
    documents=(),
    fields=(),
    requirements=(),
    score=None,
    caps=(),
    reasons=(),
    findings=(),
    conditions=(),
    changes=(),
    events=(),
    people=(),
    actions=frozenset({"note"}),
    obstacles=(),
    synthetic=False,
)
OVERDUE: Final = replace(
    CASE, line=replace(MINE, clock=clock(31.2, 49.5), escalated=True, sampled=True, mine=False, owner="Tomasz Birch"),
    actions=frozenset({"claim"}), obstacles=(),
)  # fmt: skip
HOSTILE_CASE: Final = replace(
    CASE,
    line=replace(MINE, business=HOSTILE, owner=HOSTILE),
    people=(PersonView(HOSTILE, HOSTILE, 10_000, None),),
    documents=(
        replace(STATEMENT, person=HOSTILE, scanned=HOSTILE, checks=(CheckView(HOSTILE, "warn", 1, HOSTILE),)),
        replace(RETURNED, reason=HOSTILE, words=HOSTILE),
    ),
    fields=(
        ComparedField(
            "doc_bank",
            "account_name",
            "Account name",
            "text",
            HOSTILE,
            HOSTILE,
            5_000,
            HOSTILE,
            HOSTILE,
            True,
            editable=True,
        ),
    ),
    events=(EventView(NOW, HOSTILE, HOSTILE, HOSTILE, True),),
    form=FormState("note", {"words": HOSTILE}, {"words": HOSTILE}),
    actions=frozenset({"note"}),
    obstacles=(),
    requirements=(RequirementView("req_1", HOSTILE, "waived", HOSTILE, HOSTILE, words=HOSTILE),),
    notice=Notice(HOSTILE),
)
FULL_CASE: Final = replace(
    READY,
    actions=ALL_CASE_ACTIONS,
    authority=APPROVING.authority,
    documents=tuple(replace(STATEMENT, id=f"doc_{number}", pages=6, marks=STATEMENT.marks) for number in range(20)),
    requirements=tuple(
        replace(each, document_id=f"doc_{number}" if each.document_id else None)
        for number, each in enumerate(READY.requirements)
    ),
    fields=tuple(replace(each, document_id=f"doc_{number}") for number in range(20) for each in FIELDS[:6]),
)
