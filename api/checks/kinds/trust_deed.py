"""Trust deeds: the trust, its trustee, whether the trustee may borrow, where it is signed.

It does: look for the trustee where the deed names it, and for words that allow or forbid borrowing. It does not: read
law, or see signatures. The rule it keeps: a deed that both allows and forbids goes to a person.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from api.checks import names, naming, numbers
from api.checks.reading import Row
from api.checks.signing import signed
from api.checks.subject import Answer, Check, Subject, failing, unread

_TRUSTEE: Final = re.compile(
    r"(?i)\(.{0,20}\btrustees?\W*\)|^\W*(?:the )?trustees?\s*(?::|\s{2}|$)|\bas (?:the )?(?:first )?trustees?\W*$"
)
_OTHERS: Final = re.compile(r"(?i)\b(?:settlor|appointor|guardian|beneficiar\w+)\b")
_WORDS: Final = r"(?:[\w'’,/-]+\s+){0,8}?"
_FORBIDS: Final = re.compile(
    rf"(?i)\b(?:must|shall|may|can|will)\s*not\s+{_WORDS}borrow|\bno power to\s+{_WORDS}borrow"
    rf"|\b(?:prohibited|precluded|restrained)\s+from\s+{_WORDS}borrow"
)
_ALLOWS: Final = re.compile(
    rf"(?i)\b(?:may|powers? (?:to|of)|(?:authorised|empowered|permitted|entitled) to|can)[\s,]+{_WORDS}borrow"
)


def trustee(subject: Subject) -> Answer:
    """The trustee is the application's company, by its number or name, or one of its people."""
    rows = list(_trustee_rows(subject.rows))
    if not rows:
        return unread("The trustee")
    expected = subject.expectation
    for row in rows:
        named = max((names.person_near(person, row.text) for person in expected.people), default=0)
        called = names.nearest(expected.other_names, row.text)
        numbered = expected.acn is not None and expected.acn in _numbers(row)
        if numbered or max(named, called) >= names.SAME:
            return Answer("pass", "The trustee is the application's.", [row.find("trustee_matches", "yes")])
    others = [row for row in rows if expected.acn is not None and _numbers(row)]
    verdict = failing(subject) if others else "warn"  # a company without its number may be ours by another name
    found = [others[0].find("trustee_matches", "no")] if verdict == "fail" else []
    return Answer(verdict, "The trustee is neither the application's company nor one of its people.", found)


def _numbers(row: Row) -> set[str]:
    """ACNs of a row that pass their check digit."""
    return {digits for what, digits, good, _ in numbers.business_numbers((row,)) if what == "acn" and good}


def _trustee_rows(rows: tuple[Row, ...]) -> Iterator[Row]:
    """Rows that name the trustee; each with the one above where a definition goes over two, or below its label."""
    for above, row in pairwise((rows[0], *rows) if rows else ()):
        if _TRUSTEE.search(row.text):
            yield row
            if row.text.lstrip(" ‘'\"").startswith("(") and not _OTHERS.search(above.text):
                yield above
        elif re.fullmatch(r"(?i)\W*(?:the )?trustees?\W*", above.text) and not _OTHERS.search(row.text):
            yield row


def may_borrow(subject: Subject) -> Answer:
    """It gives the trustee the power to borrow, and does not forbid it."""
    forbids, allows = _said(subject, _FORBIDS), _said(subject, _ALLOWS, _FORBIDS)
    if forbids is not None and allows is not None:
        found = [row.find("borrowing", row.text) for row in (forbids, allows)]
        return Answer("warn", "It allows borrowing in one place and forbids it in another.", found)
    if forbids is not None:
        return Answer(failing(subject), "It forbids the trustee to borrow.", [forbids.find("may_borrow", "no")])
    if allows is not None:
        return Answer("pass", "It gives the trustee the power to borrow.", [allows.find("may_borrow", "yes")])
    return unread("A power to borrow")


def _said(subject: Subject, pattern: re.Pattern[str], apart: re.Pattern[str] | None = None) -> Row | None:
    """The row on which such words end, apart from others; they may begin on the row before."""
    before = ""
    for row in subject.rows:
        text = f"{before} {row.text}"
        said = pattern.search(apart.sub(lambda others: "•" * len(others[0]), text) if apart else text)
        if said and said.end() > len(before):
            return row
        before = row.text
    return None


CHECKS: Final = (
    Check("name", "It is of the application's trust.",
          naming.business_name(r"name of (?:the )?trust|trust name|^\W*trust(?=\s*:|\s{2})", "name"), "NAME_MISMATCH"),
    Check("trustee", "The trustee is the application's.", trustee, "NAME_MISMATCH"),
    Check("may_borrow", "The trustee may borrow.", may_borrow),
    Check("signed", "It has a place of signing.", signed, "PAGES_MISSING"),
)  # fmt: skip
