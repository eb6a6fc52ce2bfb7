"""Which checks are made of which kind of document.

It does: hold one table. It does not: run anything. The rule it keeps: every kind has its checks; a kind without any is
a mistake of the code and stops it at once.
"""

from collections.abc import Mapping
from typing import Final

from api.checks import legibility
from api.checks.authenticity import signs_of
from api.checks.kinds import (
    activity_statement,
    bank_account_proof,
    company_extract,
    financial_statements,
    identity,
    partnership_agreement,
    rates_notice,
    statement,
    supplier_invoice,
    tax_account,
    trust_deed,
)
from api.checks.reading import Reading
from api.checks.subject import SURE, Answer, Check, Subject
from api.checks.values import Kind, MediaType


def _also_seen(subject: Subject) -> Answer:
    times = subject.expectation.also_seen
    if times:
        says = f"The same document, or one that looks like it, came with {times} other applications."
        return Answer("warn", says, (), SURE)
    return Answer("pass", "No other application came with it.", (), SURE)


FIRST: Final = (
    Check("readable", "Whether every page was read, and by what.", legibility.readable, "UNREADABLE_FILE"),
    Check("kind", "Whether it has the words of its kind.", legibility.kind, "WRONG_DOC_TYPE"),
    Check("also_seen", "Whether other applications came with it, or with one like it.", _also_seen, "DUPLICATE"),
)
OF_KIND: Final[Mapping[Kind, tuple[Check, ...]]] = {
    "identity": identity.CHECKS,
    "company_extract": company_extract.CHECKS,
    "trust_deed": trust_deed.CHECKS,
    "partnership_agreement": partnership_agreement.CHECKS,
    "bank_statement": statement.CHECKS,
    "activity_statement": activity_statement.CHECKS,
    "tax_account": tax_account.CHECKS,
    "financial_statements": financial_statements.CHECKS,
    "supplier_invoice": supplier_invoice.CHECKS,
    "rates_notice": rates_notice.CHECKS,
    "bank_account_proof": bank_account_proof.CHECKS,
}


def checks_of(kind: Kind, media_type: MediaType, reading: Reading) -> tuple[Check, ...]:
    """The checks of one document, in the order in which they are shown."""
    return FIRST + OF_KIND[kind] + signs_of(media_type, reading)
