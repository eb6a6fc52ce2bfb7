"""Whether a deed or an agreement has a place where it is signed.

It does: look for the words that stand there. It does not: see signatures, which a person has to. The rule it keeps:
without such words nothing is said, since the page may be missing.
"""

import re
from typing import Final

from api.checks.subject import Answer, Subject, unread

_SIGNED: Final = re.compile(
    r"(?i)\b(?:executed|signed)\b[\w ,]{0,40}\b(?:deed|agreement|by|sealed|presence)\b"
    r"|\bsignature of\b|\bin the presence of\b"
)


def signed(subject: Subject) -> Answer:
    """The words of signing are there."""
    found = [row.find("signed", row.text) for row in subject.rows if _SIGNED.search(row.text)]
    if not found:
        return unread("A place of signing")
    return Answer("pass", "It has a place of signing; a person has to see the signatures.", found)
