"""Partnership agreements: the partnership, its partners, where it is signed.

It does: read the partners where the parties are listed. It does not: take the partnership's own name, which is often
made of theirs, for a list of them. The rule it keeps: partners match where each of the application's is listed and
no other is.
"""

import re
from collections.abc import Iterator
from typing import Final

from api.checks import naming, numbers, people
from api.checks.labels import Value
from api.checks.signing import signed
from api.checks.subject import Answer, Check, Subject

_PARTIES: Final = re.compile(r"(?i)^\W*(?:between\b|(?:the )?(?:partners|parties)\s*:?\s*$)")
_PARTY: Final = re.compile(
    r"^\W*(?:(?:AND\s+)?\(?(?:\d{1,2}|[a-h])[.,)]*|AND|BETWEEN)\s+(?P<name>(?!The\b)[A-Z][\w'’.-]*(?:\s+[A-Z][\w'’.-]*){1,5})"
    r"(?=\s+of\b|\s*,|\s*\(|\s{2}|\s*$|\s+ABN\b)"
)


def partners(subject: Subject) -> Answer:
    """The partners are those of the application, all of them and no other."""
    return people.listed(subject, list(_partners(subject)), "partner", "partners")


def _partners(subject: Subject) -> Iterator[Value]:
    """Names of the parties, from their heading to the first row after them that is none."""
    inside = begun = False
    for row in subject.rows:
        inside = inside or bool(_PARTIES.match(row.text))
        party = _PARTY.match(row.text) if inside else None
        if party:
            begun = True
            yield Value(row, *party.span("name"))
        elif begun and re.match(r"^\W*\d", row.text):
            return


CHECKS: Final = (
    Check("abn", "The ABN is the application's.", numbers.abn, "ABN_MISMATCH"),
    Check("name", "It is of the application's partnership.",
          naming.business_name(r"(?:partnership|firm|business) name|name of (?:the )?(?:partnership|firm)", "name"),
          "NAME_MISMATCH"),
    Check("partners", "The partners are those of the application.", partners, "NAME_MISMATCH"),
    Check("signed", "It has a place of signing.", signed, "PAGES_MISSING"),
)  # fmt: skip
