"""The kinds of document, what each says that a reviewer records, and why one is sent back.

It does: hold one table of kinds and one of reasons, and read a recorded value from what was typed. It does not: say
which documents a case needs (requirements do). The rule it keeps: the words are for the applicant, plain, and never
call anybody a forger.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Literal, get_args

DocumentKind = Literal[
    "identity", "company_extract", "trust_deed", "partnership_agreement", "bank_statement", "activity_statement",
    "tax_account", "financial_statements", "supplier_invoice", "rates_notice", "bank_account_proof",
]  # fmt: skip
DOCUMENT_KINDS: tuple[DocumentKind, ...] = get_args(DocumentKind)
Unit = Literal["cents", "date", "text", "bool"]
Value = int | str | bool
_MOST_TEXT = 200
_MOST_CENTS = 100_000_000_000
_MONEY = re.compile(r"-?\$?[0-9][0-9,]*(\.[0-9]{1,2})?")
_YES, _NO = frozenset({"yes", "y", "true", "1"}), frozenset({"no", "n", "false", "0"})


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a document says; a `needed` one is recorded before the document is accepted."""

    name: str
    unit: Unit
    label: str
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document: its name, what the applicant is asked for, and what is recorded from it."""

    name: DocumentKind
    title: str
    ask: str
    fields: tuple[Field, ...]
    dated_by: str | None = None  # the field that says how old it is


def _kind(name: DocumentKind, title: str, ask: str, *fields: Field, dated_by: str | None = None) -> Kind:
    return Kind(name, title, ask, fields, dated_by)


_ABN = Field("abn", "text", "ABN")
_NAME = Field("name", "text", "Name on it")
_FROM, _TO = Field("period_from", "date", "Period from"), Field("period_to", "date", "Period to")

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        _kind(
            "identity", "Driver licence or passport",
            "Both sides of a current driver licence, or the photo page of a passport.",
            _NAME, Field("expires_on", "date", "Expires on"), Field("matches", "bool", "Name and date of birth match"),
        ),
        _kind(
            "company_extract", "ASIC company extract", "A current company extract, not older than 30 days.",
            Field("acn", "text", "ACN"), Field("as_of", "date", "Extracted on"),
            Field("registered", "bool", "Registered"), Field("directors_match", "bool", "Directors match"),
            dated_by="as_of",
        ),
        _kind(
            "trust_deed", "Trust deed", "The whole signed deed with its schedule and every variation.",
            _NAME, Field("trustee_matches", "bool", "Trustee matches"), Field("may_borrow", "bool",
            "Trustee may borrow"),
        ),
        _kind(
            "partnership_agreement", "Partnership agreement", "The signed agreement that names every partner.",
            _NAME, Field("partners_match", "bool", "Partners match"),
        ),
        _kind(
            "bank_statement", "Bank statements",
            "Statements of the business account for the last six months, every page, as the bank's own PDF.",
            Field("account_name", "text", "Account name"), _FROM, _TO, Field("closing_cents", "cents",
            "Closing balance"),
            Field("credits_cents", "cents", "Total credits", needed=False), dated_by="period_to",
        ),
        _kind(
            "activity_statement", "Business activity statements",
            "Your lodged activity statements for the last four quarters.",
            _ABN, _FROM, _TO, Field("sales_cents", "cents", "Total sales (G1)"),
            Field("gst_on_sales_cents", "cents", "GST on sales (1A)"), dated_by="period_to",
        ),
        _kind(
            "tax_account", "ATO account summary",
            "The account summary from the tax office's online services, not older than 7 days.",
            _ABN, Field("as_of", "date", "As of"), Field("overdue_cents", "cents", "Overdue"),
            Field("plan", "bool", "Payment plan in place"), dated_by="as_of",
        ),
        _kind(
            "financial_statements", "Financial statements",
            "Profit and loss and balance sheet of the last financial year.",
            _NAME, Field("period_to", "date", "Year ended"), Field("turnover_cents", "cents", "Turnover"),
            Field("profit_cents", "cents", "Net profit"), dated_by="period_to",
        ),
        _kind(
            "supplier_invoice", "Supplier invoice", "The pro-forma invoice or purchase order for the first draw.",
            Field("supplier", "text", "Supplier"), Field("dated", "date", "Dated"), Field("total_cents",
            "cents", "Total"),
            dated_by="dated",
        ),
        _kind(
            "rates_notice", "Council rates notice", "The latest rates notice of the property.",
            _NAME, Field("dated", "date", "Dated"), dated_by="dated",
        ),
        _kind(
            "bank_account_proof", "Proof of bank account",
            "A statement or letter from the bank that shows name, BSB and number.",
            Field("account_name", "text", "Account name"), Field("matches", "bool", "Matches the business"),
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReturnReason:
    """Why a document comes back: what was wrong, and what to send."""

    code: str
    wrong: str
    send: str


RETURN_REASONS: Mapping[str, ReturnReason] = {
    code: ReturnReason(code, wrong, send)
    for code, wrong, send in (
        ("BLURRY", "We could not read it: the picture is blurred.", "Take it again in good light, flat and in focus."),
        ("CROPPED", "Part of the page is cut off.", "Send it again with all four corners in the picture."),
        ("PAGES_MISSING", "Pages are missing.", "Send every page, including those without transactions."),
        ("EXPIRED", "It has expired.", "Send one that is current."),
        ("WRONG_DOC_TYPE", "It is another kind of document than we asked for.", "Send the document named in the list."),
        ("NAME_MISMATCH", "The name on it differs from your application.",
        "Send one in the name of the business or person."),
        ("ABN_MISMATCH", "The ABN on it is not the one of your application.",
        "Send one that shows the ABN you applied with."),
        ("PERIOD_NOT_COVERED", "It does not cover the whole period.", "Send the rest of the period as well."),
        ("TOO_OLD", "It is older than we can accept.", "Send the latest one."),
        ("PASSWORD_PROTECTED", "It is protected by a password.", "Save it without the password and send it again."),
        ("NOT_ORIGINAL_PDF", "It is a picture of a screen or a copy.", "Download the original PDF and send that file."),
        ("TOTALS_DO_NOT_ADD", "Its figures do not add up.", "Send a complete copy; if it is complete, tell us so."),
        ("SUSPECTED_ALTERATION", "We could not rely on this document.",
        "Send the original, downloaded again from its source."),
        ("UNREADABLE_FILE", "The file could not be opened.", "Send it again as PDF, PNG or JPEG."),
        ("DUPLICATE", "We have this document already.", "Send the one that is still missing."),
    )
}  # fmt: skip


def parse_value(kind: str, name: str, text: str) -> Value:
    """A recorded value from what was typed: cents, an ISO date, text or a yes; ValueError in plain words."""
    field = next((each for each in KINDS[kind].fields if each.name == name), None)
    if field is None:
        raise ValueError("This kind of document does not say that")
    text = " ".join(text.split())
    match field.unit:
        case "cents":
            return _cents(text)
        case "date":
            try:
                return date.fromisoformat(text).isoformat()
            except ValueError:
                raise ValueError("Write the date as 2026-06-30") from None
        case "bool":
            if text.lower() not in _YES | _NO:
                raise ValueError("Say yes or no")
            return text.lower() in _YES
    if not 0 < len(text) <= _MOST_TEXT or not text.isprintable():
        raise ValueError(f"Write 1 to {_MOST_TEXT} characters")
    return text


def _cents(text: str) -> int:
    try:
        if not _MONEY.fullmatch(text):
            raise InvalidOperation
        cents = int(Decimal(text.replace("$", "").replace(",", "")) * 100)
    except InvalidOperation:
        raise ValueError("Write an amount such as 12,345.67") from None
    if abs(cents) > _MOST_CENTS:
        raise ValueError("The amount is out of range")
    return cents
