"""Documents of a sample case: what is on them, and the score beside."""

from datetime import date, timedelta
from typing import Final

from api.console.views import (
    BandView,
    CheckView,
    Choice,
    ComparedField,
    Contribution,
    DocumentView,
    Lists,
    Mark,
    ScoreView,
)
from tests.support.console_samples.shared import NOW

LISTS: Final = Lists(
    return_reasons=(
        Choice("BLURRY", "Blurry: cannot be read"),
        Choice("PAGES_MISSING", "Pages are missing"),
        Choice("TOO_OLD", "Too old"),
        Choice("ABN_MISMATCH", "Another ABN"),
        Choice("PERIOD_NOT_COVERED", "Period not covered"),
    ),
    request_kinds=(Choice("tax_account", "Tax account summary"), Choice("supplier_invoice", "Supplier invoice")),
    waive_reasons=(Choice("OTHER_EVIDENCE", "Other evidence says the same"),),
    reasons=(
        Choice("R12", "The documents do not support the figures given"),
        Choice("R20", "Margins are thin"),
    ),
    colleagues=(Choice("stf_2", "Tomasz Birch"), Choice("stf_3", "Ines Okafor")),
)
_ALL: Final = frozenset({"accept", "return", "record", "original"})
STATEMENT: Final = DocumentView(
    id="doc_bank",
    title="Bank statement",
    state="checked",
    received_at=NOW - timedelta(hours=16),
    bytes=284_113,
    pages=2,
    media_type="PDF",
    electronic=True,
    scanned="no virus found",
    actions=_ALL,
    checks=(
        CheckView("Account name", "pass", 9_900, "the name is that of the business"),
        CheckView("Running balance", "pass", 10_000, "all 214 rows add up"),
        CheckView("Dates", "warn", 8_000, "the last row is 12 days old; 14 are allowed"),
        CheckView("Fonts", "unread", 0, "one page is a picture"),
    ),
    marks=(
        Mark("account_name", "Account name", 1, (80, 112, 470, 140)),
        Mark("period_from", "From", 1, (80, 168, 250, 192)),
        Mark("period_to", "To", 1, (270, 168, 440, 192)),
        Mark("closing_cents", "Closing balance", 2, (690, 820, 920, 848)),
    ),
)
ACTIVITY: Final = DocumentView(
    id="doc_bas",
    title="Activity statement, July to September 2026",
    state="checked",
    received_at=NOW - timedelta(hours=16),
    bytes=1_410_000,
    pages=1,
    media_type="PDF",
    scanned="not scanned",
    actions=_ALL,
    checks=(
        CheckView("ABN", "pass", 9_700, "the ABN is that of the business"),
        CheckView("Sales and GST", "fail", 9_100, "1A is a fourteenth of G1, not an eleventh"),
    ),
    marks=(
        Mark("sales_cents", "Sales (G1)", 1, (610, 402, 880, 432)),
        Mark("gst_cents", "GST (1A)", 1, (610, 498, 880, 528)),
    ),
)
IDENTITY: Final = DocumentView(
    id="doc_id", title="Identity", person="Aroha Featherstone", state="accepted", received_at=NOW - timedelta(hours=20),
    bytes=902_000, pages=1, media_type="JPEG", scanned="no virus found",
    checks=(CheckView("Expiry", "pass", 9_800, "valid until 2031"),),
)  # fmt: skip
RETURNED: Final = DocumentView(
    id="doc_tax",
    title="Tax account summary",
    state="returned",
    received_at=NOW - timedelta(hours=21),
    bytes=88_000,
    pages=1,
    media_type="PDF",
    reason="Too old: a tax account may be at most 7 days old.",
    words="Please export it again today.",
)
FIELDS: Final = (
    ComparedField(
        "doc_bank",
        "account_name",
        "Account name",
        "text",
        "Banksia & Daughters Bulk Foods Pty Ltd",
        "BANKSIA & DAUGHTERS BULK FOODS P/L",
        9_900,
        editable=True,
    ),
    ComparedField("doc_bank", "period_from", "From", "date", None, date(2026, 5, 13), 9_900, editable=True),
    ComparedField("doc_bank", "period_to", "To", "date", None, date(2026, 11, 12), 9_900, editable=True),
    ComparedField("doc_bank", "closing_cents", "Closing balance", "cents", None, 4_812_077, 8_400, editable=True),
    ComparedField(
        "doc_bas",
        "sales_cents",
        "Sales (G1)",
        "cents",
        31_250_000,
        29_840_000,
        9_600,
        29_840_000,
        "Maya Lindqvist",
        True,
        BandView(26_000_000, 48_500_000, False, True, True),
        True,
        editable=True,
    ),
    ComparedField("doc_bas", "gst_cents", "GST (1A)", "cents", None, 2_131_400, 8_800, banded=False, editable=True),
    ComparedField(
        "doc_bas",
        "overdue_cents",
        "Overdue tax",
        "cents",
        0,
        1_940_000,
        9_300,
        1_940_000,
        "Maya Lindqvist",
        True,
        BandView(0, 1_000_000, True, False, False),
        True,
        editable=True,
    ),
    ComparedField(
        "doc_bas",
        "plan",
        "Payment plan",
        "flag",
        False,
        None,
        None,
        banded=True,
        editable=True,
        hint="A letter that names the plan",
    ),
    ComparedField(
        "doc_id", "expires_on", "Expires", "date", None, date(2031, 3, 2), 9_800, date(2031, 3, 2), "machine", False
    ),
)
SCORE: Final = ScoreView(
    592.4, "C", 425, 611.0,
    (
        Contribution("Bureau score", "0.308", -22.9), Contribution("Cancelled orders", "5.3%", -4.1),
        Contribution("Trend of marketplace sales", "0.44", 4.0), Contribution("Cash margin", "8.5%", 3.1),
        Contribution("Days since the last order", "2", 2.6), Contribution("Days late on average", "1.2", 2.4),
        Contribution("Debt service cover", "1.19", -2.2), Contribution("Largest supplier's share", "42%", 1.6),
    ),
)  # fmt: skip
