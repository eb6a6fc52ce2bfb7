"""Council rates notices: whose property, of which day, and whether the charges add up.

It does: hold the total against the charges above it. It does not: value the property. The rule it keeps: values of the
property stand above the charges and are no part of their sum.
"""

import re
from collections.abc import Iterator
from typing import Final

from api.checks import dating, naming
from api.checks.casting import Amount, cast
from api.checks.money import money_in
from api.checks.subject import Answer, Check, Subject, failing, unread

_TOTAL: Final = re.compile(r"(?i)^\W*(?:sub-?\s?total|total|amount (?:due|payable)|balance due)\b")


def totals(subject: Subject) -> Answer:
    """The charges make the total."""
    done = cast(_amounts(subject))
    if not done.compared:
        return unread("The charges and their total")
    if done.broken:
        rows = [row.find("row", row.text) for row in done.broken]
        says = f"{len(done.broken)} of {done.compared} totals are not the charges above."
        return Answer(failing(subject), says, rows)
    return Answer("pass", "The charges make the total.")


def _amounts(subject: Subject) -> Iterator[Amount]:
    for row in subject.rows:
        amounts = [money for money in money_in(row.text) if money.clear]
        if amounts:
            yield Amount(row, amounts[-1].cents, bool(_TOTAL.match(row.text)))


CHECKS: Final = (
    Check("name", "The property is the business's.",
          naming.business_name(r"^\W*(?:owners?|ratepayers?|name of owner|owner name)(?=\s*:|\s{2}|\s*$)", "name"),
          "NAME_MISMATCH"),
    Check("totals", "The charges make the total.", totals, "TOTALS_DO_NOT_ADD"),
    Check("age", "It is the latest.", dating.dated_at(r"date of issue|issue date|date issued|issued", "day of issue"),
          "TOO_OLD"),
)  # fmt: skip
