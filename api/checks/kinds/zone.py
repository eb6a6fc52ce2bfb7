"""The two machine-readable lines of a passport (ICAO 9303 part 4).

It does: find them, undo what readers of pictures confuse where only a digit or only a letter can stand, and work out
the check digits. It does not: read those of identity cards and visas. The rule it keeps: a line that is not whole, or
in which something was hidden, is not read at all.
"""

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import cycle, pairwise
from typing import Final

from api.checks.reading import Row
from api.checks.subject import Subject

DIGITS: Final = 5  # check digits of the second line
NAME_LETTERS: Final = 39  # of a name: a longer one is cut off
_LONG: Final = 44
_LONGEST_YEARS: Final = 50  # from today to a day of expiry, beyond which two digits mean the century before
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TO_DIGITS: Final = str.maketrans("ODQILZSBG", "000112586")
_TO_LETTERS: Final = str.maketrans("012586", "OIZSBG")
_FIRST: Final = re.compile(r"P[A-Z<][A-Z<]{3}[A-Z<]{39}")
_SECOND: Final = re.compile(r"[A-Z0-9<]{9}\d[A-Z<]{3}\d{7}[MFX<]\d{7}[A-Z0-9<]{14}[\d<]\d")
# Where a check digit stands in the second line, and what it is worked out of.
_SUMS: Final = (
    (9, ((0, 9),)), (19, ((13, 19),)), (27, ((21, 27),)), (42, ((28, 42),)), (43, ((0, 10), (13, 20), (21, 43))),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Zone:
    """What the lines say: `names` are family name and given names, `agree` is how many check digits are right.

    Without `names`, the first line was not read.
    """

    rows: tuple[Row, ...]
    names: tuple[str, str] | None
    born: date | None
    expires: date | None
    agree: int


@lru_cache(maxsize=4)
def read(subject: Subject) -> Zone | None:
    """The lines of one document; none where the second, which has the numbers, is not there whole."""
    today = subject.expectation.today
    for above, row in pairwise((None, *subject.rows)):
        second = _second(_bare(row)) if row else ""
        if row is None or not _SECOND.fullmatch(second):
            continue
        named = _names(_bare(above)) if above and above.page == row.page else None
        return Zone(
            rows=(above, row) if above and named else (row,),
            names=named,
            born=_day(second[13:19], today.year),
            expires=_day(second[21:27], today.year + _LONGEST_YEARS),
            agree=_agreeing(second),
        )
    return None


def _bare(row: Row) -> str:
    return re.sub(r"\s", "", row.text).upper().replace("«", "<<")


def _second(text: str) -> str:
    """The second line with digits where digits stand and letters where letters do."""
    if len(text) != _LONG:
        return text
    parts = []
    for start, end, table in (
        (0, 9, None), (9, 10, _TO_DIGITS), (10, 13, _TO_LETTERS), (13, 20, _TO_DIGITS), (20, 21, None),
        (21, 28, _TO_DIGITS), (28, 42, None), (42, 44, _TO_DIGITS),
    ):  # fmt: skip
        parts.append(text[start:end].translate(table) if table else text[start:end])
    return "".join(parts)


def _names(first: str) -> tuple[str, str] | None:
    """Family name and given names of the first line, where it is whole."""
    line = first[:5] + first[5:].translate(_TO_LETTERS)
    if not _FIRST.fullmatch(line):
        return None
    family, _, given = line[5:].partition("<<")
    return family.replace("<", " ").strip(), given.replace("<", " ").strip()


def _day(text: str, latest: int) -> date | None:
    """A day of six digits, in the last century that is not past the latest year."""
    year = int(text[:2]) + latest // 100 * 100
    try:
        return date(year if year <= latest else year - 100, int(text[2:4]), int(text[4:]))
    except ValueError:
        return None


def _agreeing(second: str) -> int:
    sums = [(place, "".join(second[start:end] for start, end in parts)) for place, parts in _SUMS]
    return sum(check_digit(text) == second[place].replace("<", "0") for place, text in sums)


def check_digit(text: str) -> str:
    """The last digit of the sum of values by 7, 3 and 1 in turn; a filler counts nothing."""
    values = (0 if letter == "<" else _ALPHABET.index(letter) for letter in text)
    return str(sum(value * weight for value, weight in zip(values, cycle((7, 3, 1)), strict=False)) % 10)
