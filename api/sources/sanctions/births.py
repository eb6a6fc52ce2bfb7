"""Dates of birth as the sanctions list writes them: many forms, several at once, often only a year.

It does: read the years that a text allows. It does not: keep days: the rule of two years needs none. The rule it
keeps: a text that is not understood whole counts as no date, because a date can only take a match away.
"""

import re
from datetime import date, timedelta
from typing import Final, NamedTuple

TOLERANCE_YEARS: Final = 2
_APPROXIMATE_YEARS: Final = 2  # more for "approximately"
_YEAR: Final = re.compile(r"(?<!\d)(18[89]\d|19\d\d|20[0-3]\d)(?!\d)")
_RANGE: Final = re.compile(r"\bBETWEEN\b|\bTO\b|\bFROM\b|(?<![\d/.-])\d{4}\s*[-–—]\s*\d{4}(?![\d/.-])")
_APPROXIMATE: Final = re.compile(r"\bAPPROX|\bCIRCA\b|\bCA?\.|\bABOUT\b|\bAROUND\b|\bEARLY\b|\bLATE\b|\bMID\b")
_DECADE: Final = re.compile(r"\d{4}['’]?S\b")
# "07/04/62", "23-Apr-68": the century is a guess.
_SHORT_YEAR: Final = re.compile(r"\b\d{1,2}[-/. ]+(?:\d{1,2}|[A-Z]{3,9})\.?[-/. ]+\d{2}(?!\d)")
_OTHER_NUMBER: Final = re.compile(r"\d{3,}")
_SERIAL_FROM, _SERIAL_TO = 3_000, 60_000  # a spreadsheet's day numbers, 1908 to 2064
_SERIAL_START: Final = date(1899, 12, 30)
_MOST_CHARS: Final = 500


class Years(NamedTuple):
    """The first and the last year that a date of birth may lie in."""

    first: int
    last: int


def read_births(text: str) -> tuple[Years, ...]:
    """The years of birth that a cell allows; empty where it is blank or not understood whole."""
    told = text[:_MOST_CHARS].upper()
    if (day := read_serial(told)) is not None:
        return (Years(day.year, day.year),)
    years = [int(found) for found in _YEAR.findall(told)]
    rest = _YEAR.sub(" ", told)
    if not years or _DECADE.search(told) or _SHORT_YEAR.search(told) or _OTHER_NUMBER.search(rest):
        return ()
    slack = _APPROXIMATE_YEARS if _APPROXIMATE.search(told) else 0
    if _RANGE.search(told):
        return (Years(min(years) - slack, max(years) + slack),)
    return tuple(Years(year - slack, year + slack) for year in sorted(set(years)))


def read_serial(text: str) -> date | None:
    """The day of a spreadsheet's day number, which is how a cell formatted as a date arrives."""
    number = text.strip().partition(".")[0]
    if not (number.isascii() and number.isdigit() and _SERIAL_FROM <= int(number[:9]) <= _SERIAL_TO):
        return None
    return _SERIAL_START + timedelta(days=int(number))


def agrees(born: date, births: tuple[Years, ...]) -> bool:
    """Whether somebody born on this day may be one of whom the list says this, two years either way."""
    return any(years.first - TOLERANCE_YEARS <= born.year <= years.last + TOLERANCE_YEARS for years in births)
