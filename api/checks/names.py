"""How near a name in a document is to the application's, as a share of 10,000.

It does: compare without case, punctuation and legal form, whole and inside longer lines. It does not: look names up.
The rule it keeps: SAME and LIKE are the only thresholds, and a word more or less is never lost in a long line.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from rapidfuzz import fuzz

from api.checks.values import Person

SAME: Final = 9_400  # of 10,000, from which two names are the same: one letter in sixteen may be misread
LIKE: Final = 8_500  # from which a person should look
_LEGAL: Final = frozenset(["PTY", "PROPRIETARY", "LTD", "LIMITED", "INC", "INCORPORATED", "CO", "COMPANY"])
_ROLE: Final = re.compile(r"\b(?:AS )?(?:THE )?TRUSTEES? FOR(?: THE)?\b|\bATF\b|\bT AS\b|\bTRADING AS\b")
_TITLES: Final = frozenset(["MR", "MRS", "MS", "MISS", "DR", "PROF"])
_LEAST_LETTERS: Final = 3


def folded(name: str) -> str:
    """Upper case letters and digits, one space between words, & as AND, without marks and legal form."""
    plain = unicodedata.normalize("NFKD", name.replace("&", " and "))
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    words = re.sub(r"['’`]", "", bare)
    text = _ROLE.sub(" ", re.sub(r"[\W_]+", " ", words).upper())
    kept = [word for word in text.split() if word not in _LEGAL]
    return " ".join(kept or text.split())


def near(expected: str, read: str) -> int:
    """How near a whole line comes to a name; a longer line is compared with the name alone where the name is in it."""
    ours, theirs = folded(expected), folded(read)
    if len(ours) < _LEAST_LETTERS or len(theirs) < _LEAST_LETTERS:
        return 10_000 if ours and ours == theirs else 0
    whole = max(fuzz.ratio(ours, theirs), fuzz.token_sort_ratio(ours, theirs))
    inside = _inside(ours, theirs) if len(theirs) > len(ours) else 0.0
    return round(max(whole, inside) * 100)


def _inside(ours: str, theirs: str) -> float:
    """The best run of as many words as the name has."""
    words, size = theirs.split(), len(ours.split())
    runs = (" ".join(words[place : place + size]) for place in range(len(words) - size + 1))
    return max((fuzz.ratio(ours, run) for run in runs), default=0.0)


def nearest(expected: Iterable[str], read: str) -> int:
    """The nearest of several names."""
    return max((near(name, read) for name in expected), default=0)


def person_near(person: Person, read: str) -> int:
    """How near a line comes to a person: family name and first given name both there, in whatever order."""
    words = [word for word in folded(read).split() if word not in _TITLES]
    family, given = folded(person.family_name).split(), folded(person.given_names).split()[:1]
    found = [max((fuzz.ratio(part, word) for word in words), default=0.0) for part in (*family, *given)]
    return round(min(found, default=0.0) * 100)
