"""Whether a document was read, and whether it is the kind that it should be.

It does: look for the words that such a document has. It does not: compare with the application. The rule it keeps: a
kind without its words is a reason to look, never proof of another kind.
"""

import re
from typing import Final

from api.checks.subject import Answer, Subject, unread
from api.checks.values import Kind

# What every document of a kind says somewhere; all of it, but for one thing in a picture, which may be misread.
WORDS: Final[dict[Kind, tuple[str, ...]]] = {
    "identity": ("licen[cs]e|passport|P<[A-Z]{3}", "date of birth|born|P<[A-Z]{3}", "expir(?:y|es)|P<[A-Z]{3}"),
    "company_extract": ("extract", "a\\.?c\\.?n|company number", "director", "regist(?:ered|ration)"),
    "trust_deed": ("deed", "trustee", "settlor|appointor|beneficiar|unit ?holder"),
    "partnership_agreement": ("partnership", "agreement|deed", "partners"),
    "bank_statement": (
        "statement|transactions", "balance", "bsb|account (?:number|name|no)",
        "credits?|debits?|withdrawals?|deposits?|money (?:in|out)|amount",
    ),
    "activity_statement": ("activity statement", "G[1Il]\\b", "[1Il]A\\b", "gst|goods and services"),
    "tax_account": ("taxation office|tax office|ato", "account", "overdue", "balance"),
    "financial_statements": (
        "profit (?:and|&|or) loss|income statement|financial performance", "year ended|period ended|as at",
        "income|sales|revenue|turnover", "expenses|overheads",
    ),
    "supplier_invoice": ("invoice|purchase order|quot(?:e|ation)", "gst|tax", "total", "qty|quantity|price|rate|terms"),
    "rates_notice": ("rates?", "notice", "council|shire|city|municipality", "land|property|valu(?:e|ation)|assessment"),
    "bank_account_proof": ("bsb", "account (?:number|no)", "account (?:name|holder)|name of account"),
}  # fmt: skip


def readable(subject: Subject) -> Answer:
    """Every page read, and by what."""
    reading = subject.reading
    if not reading.pages or not any(subject.rows):
        return Answer("unread", "Nothing in this document could be read by machine.")
    how = "its own text" if reading.electronic else {
        "tesseract": "recognition of pictures (tesseract)", "rapidocr": "recognition of pictures (rapidocr)",
    }.get(reading.reader, "its own text, in part")  # fmt: skip
    if not reading.complete:
        return Answer("warn", f"{reading.pages_read} of {reading.pages} pages were read, from {how}.")
    return Answer("pass", f"All pages ({reading.pages}) were read, from {how}.")


def kind(subject: Subject) -> Answer:
    """The words that such a document has."""
    if not subject.rows:
        return unread("The kind of document")
    words = WORDS[subject.expectation.kind]
    hits = sum(bool(re.search(rf"(?i)(?<!\w)(?:{word})", subject.text)) for word in words)
    says = f"It has {hits} of the {len(words)} things that every such document says"
    if hits >= len(words) - (not subject.reading.electronic):
        return Answer("pass", f"{says}.")
    return Answer("warn", f"{says}: it may be another kind.")
