"""Company extracts: the company, its status, its directors, how old the extract is.

It does: read the directors under their headings, as cards or as a table. It does not: ask the register. The rule it
keeps: directors match where each of the application's is there and no other is.
"""

import re
from collections.abc import Iterator
from typing import Final

from rapidfuzz import fuzz

from api.checks import dating, labels, naming, numbers, people
from api.checks.labels import Value
from api.checks.reading import Row
from api.checks.subject import Answer, Check, Subject, failing, unread

_HEADING: Final = re.compile(r"(?i)^\W*(?:current )?(?:directors?|office ?holders?)(?:\W+details)?\s*(?::|\s{2}|$)")
_OVER: Final = re.compile(
    r"(?i)^\W*(?:(?:alternate|previous|former|ceased) \w+|secretar\w+|public officer|share\w*|members?|auditors?"
    r"|appointed auditor|charges|documents?|registered office|external administration)\b"
)
_HEADS: Final = r"(?:date|place|birth|born|appoint|address)"
_TABLE: Final = re.compile(rf"(?i)^\W*name\b.*\b{_HEADS}")
_CARD: Final = re.compile(r"(?i)^\W*name\s*(?::|\s{2})")
_NO_NAME: Final = re.compile(r"(?i)^\W*(?:\d|address|born|date|place|appoint|director id|page \d|specimen)")
_NAME: Final = rf"^\W*(?:name of company|company name|organisation name|name)(?=\s*:|\s{{2}}(?!{_HEADS}))"
_REGISTERED: Final = "registered"
_MISREAD: Final = 85  # per cent of letters that a status has in common with "registered", in a scan


def status(subject: Subject) -> Answer:
    """The register calls the company registered."""
    value = labels.labelled(subject.rows, r"(?:current |company )?status")
    if value is None:
        return unread("The status")
    word = re.sub(r"[^a-z]", "", value.text.lower().split()[0]) if value.text.split() else ""
    alike = not subject.reading.electronic and not word.startswith("d") and fuzz.ratio(word, _REGISTERED) >= _MISREAD
    if word in {_REGISTERED, "regd"} or alike:
        return Answer("pass", "The company is registered.", [value.find("registered", "yes")])
    return Answer(failing(subject), "The status is not that of a registered company.", [value.find("registered", "no")])


def directors(subject: Subject) -> Answer:
    """The directors are those of the application, all of them and no other."""
    return people.listed(subject, list(_directors(subject.rows)), "director", "directors")


def _directors(rows: tuple[Row, ...]) -> Iterator[Value]:
    """Where each director's name stands."""
    inside = table = False
    for row in rows:
        heading, card = _HEADING.match(row.text), _CARD.match(row.text)
        if _OVER.match(row.text):
            inside = table = False
        elif heading:
            inside, table = True, False
            yield from _named(row, heading.end())  # "Director: Jane Citizen"
        elif inside and _TABLE.match(row.text):
            table = True
        elif inside and card:
            yield from _named(row, card.end())
        elif table and not _NO_NAME.match(row.text):
            yield from _named(row, 0)


def _named(row: Row, start: int) -> Iterator[Value]:
    """What stands from a place on up to the next wide gap, where it has letters."""
    name = re.compile(r"[^\W\d_].*?(?=\s{2}|$)").search(row.text, start)
    if name:
        yield Value(row, *name.span())


CHECKS: Final = (
    Check("name", "The extract is of the business.", naming.business_name(_NAME), "NAME_MISMATCH"),
    Check("acn", "The ACN is the application's.", numbers.acn, "ABN_MISMATCH"),
    Check("status", "The register calls the company registered.", status),
    Check("directors", "The directors are those of the application.", directors, "NAME_MISMATCH"),
    Check("age", "The extract is recent.",
          dating.dated_at(r"extracted (?:on|at)|date of extract|extract date|date/time|current as at|as at",
                          "day of the extract", "as_of"), "TOO_OLD"),
)  # fmt: skip
