"""Money and days as documents write them.

It does: find them in a row's text with their places. It does not: know columns or labels. The rule it keeps: cents
are whole numbers, and a day without a year stays without one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from api.checks.reading.lines import Row

MOST_CENTS: Final = 100_000_000_000
_MONEY: Final = re.compile(
    r"(?<![\w.,/:-])(?P<open>\(\s?)?(?P<sign>[-−–+]\s?)?(?:AU)?(?P<dollar>[$S]\s?)?(?P<inner>[-−–])?"
    r"(?P<dollars>\d{1,3}(?:[,.]\d{3})+(?=[.,]\d{2}\b)|\d{1,3}(?:,\d{3})+|\d{1,9})(?:[.,](?P<cents>\d{2}))?"
    r"(?P<close>\s?\))?(?P<minus>[-−](?=\s|$))?(?:\s?(?P<end>CR|DR)\b)?(?![\w%/:]|[.,-]\d)"
)
_DAY: Final = re.compile(
    r"(?<![\w/.-])(?:(?P<y1>\d{4})-(?P<m1>\d{1,2})-(?P<d1>\d{1,2})"
    r"|(?P<d2>\d{1,2})\s?[/.-]\s?(?P<m2>\d{1,2})(?:\s?[/.-]\s?(?P<y2>\d{4}|\d{2}))?"
    r"|(?P<d3>\d{1,2})(?:st|nd|rd|th)?[\s.-]{0,2}"
    r"(?P<m3>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
    r"(?:[\s,.-]{0,2}(?P<y3>\d{4}|\d{2}(?!\d|[,.]\d)))?)(?![\w/])",
    re.IGNORECASE,
)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CENTURY: Final = 2000
_SHORT_YEAR: Final = 100


@dataclass(frozen=True, slots=True)
class Money:
    """An amount and where in the row's text it stands."""

    cents: int
    start: int
    end: int
    full: bool  # written with its cents
    clear: bool  # written as only money is: with cents, a dollar sign or commas


@dataclass(frozen=True, slots=True)
class Day:
    """A day and where it stands; `year` is none where none was written."""

    year: int | None
    month: int
    day: int
    start: int
    end: int

    def on(self, year: int | None = None) -> date | None:
        """The date, with this year where none was written."""
        whole = self.year or year
        try:
            return date(whole, self.month, self.day) if whole else None
        except ValueError:
            return None


def money_in(text: str, start: int = 0) -> Iterator[Money]:
    """Amounts from left to right; a plain whole number counts, days do not."""
    taken = [(day.start, day.end) for day in days_in(text)]
    for found in _MONEY.finditer(text, start):
        first, last = found.span()
        if any(begin < last and first < end for begin, end in taken):
            continue
        digits = re.sub(r"\D", "", found["dollars"])
        cents = int(digits) * 100 + int(found["cents"] or 0)
        ends = (found["end"] or "").upper()
        bracketed = bool(found["open"] and found["close"])
        minus = bracketed or ends == "DR" or bool(found["minus"] or found["inner"])
        minus = minus or (found["sign"] or "").strip() in {"-", "−", "–"}
        if cents <= MOST_CENTS:
            full = found["cents"] is not None
            clear = full or bool(found["dollar"]) or "," in found["dollars"]
            yield Money(-cents if minus else cents, first, last, full, clear)


def days_in(text: str) -> Iterator[Day]:
    """Days from left to right, the day before the month as everywhere in Australia."""
    for found in _DAY.finditer(text):
        day = found["d1"] or found["d2"] or found["d3"]
        named = found["m3"]
        month = _MONTHS.index(named.lower()[:3]) + 1 if named else int(found["m1"] or found["m2"])
        if not found["y1"] and not found["y2"] and not named and re.search(r"[.-]", found[0]):
            continue  # 12.50 is money and 1-2 a range
        year = found["y1"] or found["y2"] or found["y3"]
        whole = None if year is None else int(year) + (_CENTURY if int(year) < _SHORT_YEAR else 0)
        if 1 <= month <= len(_MONTHS) and Day(whole or 2000, month, int(day), 0, 0).on():
            yield Day(whole, month, int(day), *found.span())


def dates_in(row: Row) -> list[tuple[date, Day]]:
    """Days of a row that have their year."""
    return [(found, day) for day in days_in(row.text) if (found := day.on())]


def dollars(cents: int) -> str:
    """Money in words for people."""
    return f"{'-' if cents < 0 else ''}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"
