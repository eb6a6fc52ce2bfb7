"""Values beside their labels, or under them.

It does: find the row that carries a label and what stands after it, or in the row below at the same place. It does
not: know which label means what. The rule it keeps: the first label in reading order wins, and the value keeps its
place.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

from api.checks.money import Money, dates_in, money_in
from api.checks.reading.lines import Row
from api.checks.values import Finding

_SEPARATOR: Final = re.compile(r"^[\s:.\-–*#]+")
_GAP: Final = "  "


@dataclass(frozen=True, slots=True)
class Value:
    """A piece of a row's text."""

    row: Row
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.row.text[self.start : self.end]

    def find(self, field: str, value: str | None = None) -> Finding:
        """The value as a finding."""
        return self.row.find(field, self.text if value is None else value, self.start, self.end)


def labelled(rows: Sequence[Row], label: str, under: bool = True) -> Value | None:
    """What stands after the label in its row up to the next wide gap, else under it; none where there is nothing."""
    pattern = re.compile(rf"(?i)(?<!\w)(?:{label})(?!\w)")
    for place, row in enumerate(rows):
        text = row.text
        for found in pattern.finditer(text):
            start = found.end() + _skipped(text[found.end() :])
            end = text.find(_GAP, start)
            end = len(text) if end < 0 else end
            if text[start:end].strip():
                return Value(row, start, end)
            below = rows[place + 1] if under and place + 1 < len(rows) else None
            if below is not None and below.page == row.page:
                beneath = _beneath(row, found.start(), below)
                if beneath:
                    return beneath
    return None


def _skipped(rest: str) -> int:
    found = _SEPARATOR.match(rest)
    return found.end() if found else 0


def _beneath(row: Row, start: int, below: Row) -> Value | None:
    """The line below that begins where the label begins, give or take."""
    left = row.place(start, start + 1)[0]
    offset = 0
    for line in below.lines:
        if abs(line.box[0] - left) <= 15:  # noqa: PLR2004 - thousandths of the page: three millimetres
            return Value(below, offset, offset + len(line.text))
        offset += len(line.text) + len(_GAP)
    return None


def money_at(rows: Sequence[Row], label: str, last: bool = False) -> tuple[Money, Value] | None:
    """The first amount after a label in its row (or the last), in the first row that has label and amount.

    A plain whole number counts only in a row without anything that only money looks like.
    """
    pattern = re.compile(rf"(?i)(?<!\w)(?:{label})(?!\w)")
    for row in rows:
        found = pattern.search(row.text)
        amounts = list(money_in(row.text, found.end())) if found else []
        amounts = [money for money in amounts if money.clear] or amounts
        if amounts:
            money = amounts[-1 if last else 0]
            return money, Value(row, money.start, money.end)
    return None


def under(rows: Sequence[Row], label: str) -> Iterator[Value]:
    """Whatever stands in the row below a label and begins at the same place."""
    pattern = re.compile(rf"(?i)(?<!\w)(?:{label})(?!\w)")
    for row, below in pairwise(rows):
        found = pattern.search(row.text)
        beneath = _beneath(row, found.start(), below) if found and row.page == below.page else None
        if beneath:
            yield beneath


def money_under(rows: Sequence[Row], label: str) -> tuple[Money, Value] | None:
    """The amount in the row below its label, where both begin at one place."""
    for beneath in under(rows, label):
        for money in money_in(beneath.text):
            if money.clear:
                return money, Value(beneath.row, beneath.start + money.start, beneath.start + money.end)
    return None


def date_at(rows: Sequence[Row], label: str) -> tuple[date, Value] | None:
    """The first day with a year after a label, in its row or the next two."""
    pattern = re.compile(rf"(?i)(?<!\w)(?:{label})(?!\w)")
    for place, row in enumerate(rows):
        found = pattern.search(row.text)
        if not found:
            continue
        for near in rows[place : place + 3]:
            after = found.end() if near is row else 0
            days = [(on, day) for on, day in dates_in(near) if day.start >= after and near.page == row.page]
            if days:
                on, day = days[0]
                return on, Value(near, day.start, day.end)
    return None


def period_in(rows: Sequence[Row]) -> tuple[date, date, Value] | None:
    """The first two days of one row that a word or a dash joins: "1 July 2026 to 30 September 2026"."""
    for row in rows:
        days = dates_in(row)
        for (first, begin), (last, end) in pairwise(days):
            between = row.text[begin.end : end.start].strip().lower()
            if between in {"to", "-", "–", "until", "and", "through"} and first <= last:
                return first, last, Value(row, begin.start, end.end)
    return None
