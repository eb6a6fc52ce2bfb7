"""Referrals: the list, and one application with everything on its page."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from api.console.views import Choice, FormState, Notice, Told
from api.console.views.referrals import (
    DecisionLine,
    ProposalView,
    ReferralLine,
    ReferralsView,
    ReferralView,
    ReviewView,
    ScreeningView,
    SourceRow,
    StatedRow,
)
from engine.reasons import CATALOGUE
from tests.support.console_samples.cases import CASE
from tests.support.console_samples.shared import HOSTILE, NOW

TAX: Final = Told("overdue_tax", "Declared overdue tax without a payment plan is above what policy accepts.")
FAILED: Final = Told("check_not_finished", "A check of ours is not finished.")
KNOWN: Final = (
    "Register: ABN active since 15 Feb 2018, registered", "Marketplace: member since 10 May 2021, 120 orders",
    "Bank: 180 days connected, $960,000 a year", "Bureau: score 720 of 1000, 0 defaults, 0 court actions",
)  # fmt: skip
LINE: Final = ReferralLine(
    "app_01JDEXAMPLE0000000000000021", "Wattlebird Wholesale Pty Ltd", "91000000021", 4_000_000, "refer",
    NOW - timedelta(hours=50), NOW - timedelta(hours=3), late=True,
    reasons=(Told("R10", CATALOGUE["R10"].text),), findings=(TAX,), known=KNOWN,
)  # fmt: skip
LINES: Final = (
    LINE,
    replace(
        LINE, application_id="app_01JDEXAMPLE0000000000000022", business="Gumnut Toys", since=NOW - timedelta(hours=5),
        due_at=NOW + timedelta(hours=20), late=False, reasons=(), findings=(FAILED,), proposed=True,
    ),
    replace(
        LINE, application_id="app_01JDEXAMPLE0000000000000023", business="Quandong & Daughters", reasons=(),
        since=NOW - timedelta(hours=2), due_at=NOW + timedelta(hours=23), late=False, proposed=True, mine=True,
    ),
)  # fmt: skip
REFERRALS: Final = ReferralsView(
    NOW, LINES,
    (
        replace(
            LINE, outcome="decline", findings=(), since=NOW - timedelta(days=3), due_at=NOW + timedelta(days=2),
            late=False,
        ),
    ),
    more=7, more_reviews=2,
)  # fmt: skip
PROPOSAL: Final = ProposalView(
    "act_01JDEXAMPLE0000000000000001", "Noor Haddad", NOW - timedelta(hours=1), "aside", CATALOGUE["R10"].text,
    "The plan was agreed with the tax office on Monday; its letter is with us.", (TAX,), 4_000_000, "ab" * 32,
)  # fmt: skip
REFERRAL: Final = ReferralView(
    application_id=LINE.application_id, decision_id="dec_01JDEXAMPLE0000000000000021", business=LINE.business,
    abn=LINE.abn, entity="company, ANZSIC G, VIC", outcome="refer", requested_cents=4_000_000, since=LINE.since,
    due_at=LINE.due_at, late=True, waits=True, release="champion", synthetic=True, case_id=None,
    stated=(
        StatedRow("Legal name", "text", LINE.business, "WATTLEBIRD WHOLESALE PTY LTD", "register", False),
        StatedRow("Trading since", "date", date(2016, 3, 1), date(2018, 2, 15), "register, ABN", True),
        StatedRow("GST", "flag", True, True, "register", False),
        StatedRow("Turnover of 12 months", "cents", 150_000_000, 96_000_000, "bank, a year of it", True),
        StatedRow("Overdue tax", "cents", 3_500_000, None, "bureau, where disclosed"),
        StatedRow("Other lenders", "count", 0, None, ""),
    ),
    sources=(
        SourceRow("Register", "present", NOW - timedelta(hours=50), "ABN active since 15 Feb 2018, registered"),
        SourceRow("Bank", "absent", NOW - timedelta(hours=50)),
        SourceRow("Bureau", "failed", NOW - timedelta(hours=50)),
    ),
    people=CASE.people, reasons=LINE.reasons, findings=(TAX, FAILED),
    history=(
        DecisionLine(
            "dec_01JDEXAMPLE0000000000000021", NOW - timedelta(hours=40), "refer", None, True,
            ("Bureau answered: 0 defaults on file.",),
        ),
        DecisionLine("dec_01JDEXAMPLE0000000000000020", NOW - timedelta(hours=50), "refer", None, False),
    ),
    events=CASE.events[:3],
    reviews=(
        ReviewView("rev_01JDEXAMPLE0000000000000002", NOW - timedelta(days=8), NOW - timedelta(days=1), True, True),
        ReviewView(
            "rev_01JDEXAMPLE0000000000000001", NOW - timedelta(days=9), NOW - timedelta(days=2), False, False,
            "We looked at your letter, and it changes nothing yet.", "stands", "Noor Haddad",
        ),
    ),
    score=CASE.score, caps=CASE.caps, rules=(TAX,),
    catalogue=tuple(Choice(code, reason.text) for code, reason in CATALOGUE.items()),
    askable=(Choice("registry", "Register"), Choice("bank", "Bank")),
    actions=frozenset({"note", "ask", "aside", "decline", "answer"}),
    notice=Notice("The note is kept."),
)  # fmt: skip
CONFIRMING: Final = replace(
    REFERRAL, proposal=PROPOSAL, actions=frozenset({"note", "ask", "confirm", "withdraw", "answer"}), notice=None,
    failed=("Bureau",), askable=(),
)  # fmt: skip
SCREENED: Final = replace(
    REFERRAL, findings=(Told("sanctions_hit", "A name matches a sanctions list; the compliance role decides."),),
    screening=ScreeningView(
        (Told("sanctions_hit", "A name matches a sanctions list; the compliance role decides. Possible matches: 2."),),
        (Choice("NOT_THEM", "Somebody else: a person or business of a like name"),),
        (Choice("LISTED", "It is them, and we may not deal with them"),),
    ),
    actions=frozenset({"note", "ask", "answer", "settle"}), reviews=(), notice=None,
)  # fmt: skip
REFERRAL_REFUSED: Final = replace(
    REFERRAL, notice=None,
    form=FormState("aside", {"words": "Because", "limit": "1"}, {"set_aside": "Name the rules to be left aside"}),
)  # fmt: skip
REFERRAL_HOSTILE: Final = replace(
    CONFIRMING, business=HOSTILE, findings=(Told(HOSTILE, HOSTILE),),
    proposal=replace(PROPOSAL, by=HOSTILE, words=HOSTILE),
    reviews=(replace(REFERRAL.reviews[1], answer=HOSTILE),),
)  # fmt: skip
REFERRALS_HOSTILE: Final = replace(REFERRALS, referrals=(replace(LINE, business=HOSTILE, known=(HOSTILE,)),))
