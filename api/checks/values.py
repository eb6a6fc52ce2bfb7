"""What a check is given and what it answers: expectation, findings, results.

It does: give every value one closed form that travels as JSON. It does not: hold a document's text or any number that
was redacted. The rule it keeps: what a result `says` holds counts and plain words, never a value that was read.
"""

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from engine.values import Abn, Acn, Bps, Cents, Frozen, Name

Kind = Literal[
    "identity", "company_extract", "trust_deed", "partnership_agreement", "bank_statement", "activity_statement",
    "tax_account", "financial_statements", "supplier_invoice", "rates_notice", "bank_account_proof",
]  # fmt: skip
MediaType = Literal["application/pdf", "image/png", "image/jpeg"]
Verdict = Literal["pass", "warn", "fail", "unread"]
Reader = Literal["text", "tesseract", "rapidocr", "none"]

MOST_FINDINGS: Final = 40  # of one check
MOST_VALUE: Final = 200  # characters of one finding's value
MOST_REDACTIONS: Final = 500
MOST_SECONDS: Final = 300

PerMille = Annotated[int, Field(ge=0, le=1000)]
Box = tuple[PerMille, PerMille, PerMille, PerMille]  # left, top, right, bottom, in thousandths of the page as shown

# How old a document may be, in days, where policy says nothing else.
AGES: Final[dict[Kind, int]] = {
    "company_extract": 30,
    "bank_statement": 14,
    "activity_statement": 150,
    "tax_account": 7,
    "financial_statements": 550,
    "supplier_invoice": 60,
    "rates_notice": 365,
    "bank_account_proof": 90,
}


class Person(Frozen):
    """A person as the application names them; a date of birth is compared, never shown."""

    given_names: Name
    family_name: Name
    born: date | None = None


class Expectation(Frozen):
    """What a document is compared with; whatever is None or empty is not compared.

    `people` is the person whose identity is shown, for `identity`, and the directors or partners otherwise.
    `compare_pictures` reads that many pages of an electronic document a second time, by OCR: seconds a page.
    """

    kind: Kind
    today: date
    legal_name: Name
    other_names: Annotated[tuple[Name, ...], Field(max_length=10, strict=False)] = ()
    abn: Abn | None = None
    acn: Acn | None = None
    people: Annotated[tuple[Person, ...], Field(max_length=20, strict=False)] = ()
    bsb: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")] | None = None
    account_number: Annotated[str, StringConstraints(pattern=r"^[0-9]{4,10}$")] | None = None
    most_days_old: Annotated[int, Field(ge=0, le=3660)] | None = None
    covers_from: date | None = None
    covers_to: date | None = None
    turnover_12m_cents: Cents | None = None
    also_seen: Annotated[int, Field(ge=0, le=1_000_000)] = 0  # other applications with the same or a like document
    compare_pictures: Annotated[int, Field(ge=0, le=10)] = 0
    seconds: Annotated[int, Field(ge=1, le=MOST_SECONDS)] = 85  # in which pages are still begun


class Finding(Frozen):
    """One value as read, redacted; money as whole cents, dates as 2026-12-31."""

    field: str
    value: Annotated[str, StringConstraints(max_length=MOST_VALUE)]
    page: Annotated[int, Field(ge=1)]
    box: Annotated[Box, Field(strict=False)]


class CheckResult(Frozen):
    """What one check found; `unread` means that it could not be told, never that it went well."""

    name: str
    verdict: Verdict
    confidence_bps: Bps
    says: Annotated[str, StringConstraints(max_length=500)]
    found: Annotated[tuple[Finding, ...], Field(max_length=MOST_FINDINGS, strict=False)] = ()


class Redaction(Frozen):
    """A place to paint over: a number that must not be kept."""

    what: Literal["tax file number", "Medicare number", "payment card number"]
    page: Annotated[int, Field(ge=1)]
    box: Annotated[Box, Field(strict=False)]


class Checked(Frozen):
    """All that is kept of a reading.

    `electronic` is true only for a PDF whose every page was read from its own visible text, not through OCR and not
    from text laid over a scan. `authenticity` is 100 less what the signs of tampering weigh: it tells where to look
    first and never declines. `redactions_complete` is false where not all was read: then no viewing copy is known to
    be safe.
    """

    results: tuple[CheckResult, ...]
    redactions: Annotated[tuple[Redaction, ...], Field(max_length=MOST_REDACTIONS)]
    redactions_complete: bool
    electronic: bool
    reader: Reader
    pages: Annotated[int, Field(ge=0)]
    pages_read: Annotated[int, Field(ge=0)]
    authenticity: Annotated[int, Field(ge=0, le=100)]
