"""A made-up statement while it is being written: a calendar, a window of days, rows added by streams.

It does: collect columns and distinct texts, and put rows in order of day. It does not: know what a row
means. The rule it keeps: the same rows added in the same order give the same statement.
"""
# ruff: noqa: PLR2004 - the figures are the made-up world itself; a name for each would say no more

from datetime import date, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.facts.bank import KINDS, day_number

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

DIRECT_DEBIT, FEE, INTEREST_CHARGED, INTEREST_PAID, OTHER, PAYMENT, INCOMING, OUTGOING = range(len(KINDS))

_CALENDAR_FROM = day_number(date(2022, 1, 1))
_CALENDAR = np.arange(_CALENDAR_FROM, day_number(date(2027, 1, 1)))
_DAYS = _CALENDAR.astype("datetime64[D]")
_MONTH = (_DAYS.astype("datetime64[M]").astype(np.int64)) % 12 + 1
_OF_MONTH = (_DAYS - _DAYS.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1
_OF_YEAR = (_DAYS - _DAYS.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64) + 1
_OF_WEEK = (_CALENDAR + 3) % 7  # 1970-01-01 was a Thursday; 0 is Monday


class Window:
    """The days of a statement: offsets from `first`, with their place in week, month and year."""

    def __init__(self, newest: date, length: int) -> None:
        self.length = length
        self.first = day_number(newest) - length + 1
        part = slice(self.first - _CALENDAR_FROM, self.first - _CALENDAR_FROM + length)
        self.of_week, self.of_month, self.month = _OF_WEEK[part], _OF_MONTH[part], _MONTH[part]
        self.of_year = _OF_YEAR[part]
        self.oldest_on, self.newest_on = newest - timedelta(days=length - 1), newest

    @cached_property
    def workdays(self) -> Ints:
        """Offsets of Monday to Friday."""
        days: Ints = np.flatnonzero(self.of_week < 5)
        return days

    @cached_property
    def at_work(self) -> Ints:
        """Each offset moved on to a working day, where the window still holds one."""
        place = np.searchsorted(self.workdays, np.arange(self.length))
        moved: Ints = self.workdays[np.minimum(place, len(self.workdays) - 1)]
        return moved

    def monthly(self, of_month: int) -> Ints:
        """Offsets of one day of each month, moved on to working days."""
        days: Ints = self.at_work[self.of_month == of_month]
        return days

    def weekly(self, of_week: int, every: int = 1) -> Ints:
        """Offsets of one day of every week, or of every second or later one."""
        days: Ints = np.flatnonzero(self.of_week == of_week)[::every]
        return days


class Ledger:
    """Rows of one statement; days are offsets into its window, amounts in cents, negative is money out."""

    def __init__(self) -> None:
        self._days: list[Ints] = []
        self._amounts: list[Ints] = []
        self._texts: list[Ints] = []
        self._fixed: list[tuple[int, int, int]] = []  # account, kind, merchant category
        self._known: dict[str, int] = {}

    def text(self, words: str) -> int:
        """The index of a text, added at first sight."""
        return self._known.setdefault(words, len(self._known))

    def texts_of(self, words: list[str]) -> Ints:
        """The indexes of several texts."""
        return np.array([self.text(w) for w in words], dtype=np.int64)

    def add(
        self,
        days: Ints,
        cents: Floats | Ints,
        kind: int,
        text: str | Ints,
        *,
        account: int = 0,
        category: int = 0,
    ) -> None:
        """Add one stream of rows; `text` is one text for all or the index of each."""
        if len(days) == 0:
            return
        self._days.append(days)
        self._amounts.append(np.rint(cents).astype(np.int64))
        self._texts.append(np.full(len(days), self.text(text)) if isinstance(text, str) else text)
        self._fixed.append((account, kind, category))

    def day_totals(self, length: int, account: int = 0) -> Floats:
        """Net movement of one account by day, cents."""
        mine = [i for i, fixed in enumerate(self._fixed) if fixed[0] == account]
        if not mine:
            return np.zeros(length)
        days = np.concatenate([self._days[i] for i in mine])
        amounts = np.concatenate([self._amounts[i] for i in mine]).astype(np.float64)
        return np.bincount(days, amounts, minlength=length).astype(np.float64)

    def columns(self, first: int) -> tuple[dict[str, list[int]], list[str]]:
        """The statement's columns in order of day (rows of a day as added), and its texts."""
        lengths = [len(d) for d in self._days]
        fixed = np.repeat(np.array(self._fixed, dtype=np.int64), lengths, axis=0)
        days = np.concatenate(self._days)
        order = np.argsort(days, kind="stable")
        fixed = fixed[order]
        columns = {
            "posted_day": (days[order] + first).tolist(),
            "account": fixed[:, 0].tolist(),
            "amount_cents": np.concatenate(self._amounts)[order].tolist(),
            "kind": fixed[:, 1].tolist(),
            "merchant_category": fixed[:, 2].tolist(),
            "text": np.concatenate(self._texts)[order].tolist(),
        }
        return columns, list(self._known)
