"""Proofs of a bank account: in whose name it is, BSB and number, how old the proof is.

It does: say whether name and numbers are the application's. It does not: ask the bank. The rule it keeps: it matches
only where both name and numbers do.
"""

import re
from datetime import date
from typing import Final

from api.checks import dating, labels
from api.checks.kinds import statement
from api.checks.money import dates_in
from api.checks.subject import Answer, Check, Subject
from api.checks.values import Finding

_DATED: Final = r"date(?: issued| of issue)?|issued(?: on)?|as at"


def account_number(subject: Subject) -> Answer:
    """BSB and account number are those of the application; with the name, whether the account is the business's."""
    number, name = statement.account_number(subject), statement.account_name(subject)
    if not number.found:
        return number
    verdicts = {number.verdict, name.verdict}
    said = "yes" if verdicts == {"pass"} else "no" if "fail" in verdicts else None
    matches = [number.found[0].model_copy(update={"field": "matches", "value": said})] if said else []
    return number._replace(found=[*matches, *number.found])


def age(subject: Subject) -> Answer:
    """It is recent: the day at its label, else the first that stands alone, as on a letter."""
    return dating.age(subject, _dated(subject), "day of the proof")


def _dated(subject: Subject) -> tuple[date, Finding] | None:
    found = labels.date_at(subject.rows, _DATED)
    if found:
        return found[0], found[1].find("dated", found[0].isoformat())
    for row in subject.rows:
        for on, day in dates_in(row):
            if not re.search(r"\w", row.text[: day.start] + row.text[day.end :]):
                return on, row.find("dated", on.isoformat(), day.start, day.end)
    return None


CHECKS: Final = (
    Check("account_name", "The account is in the business's name.", statement.account_name, "NAME_MISMATCH"),
    Check("account_number", "BSB and account number are those of the application.", account_number, "NAME_MISMATCH"),
    Check("age", "The proof is recent.", age, "TOO_OLD"),
)
