"""A bank statement's table read: columns, rows, balances.

It does: find the columns by their heads, read every row below, on every page, and put the oldest first. It does not:
judge what does not add up (api.checks.kinds.statement does). The rule it keeps: every amount belongs to the column
whose head stands nearest, and a row without a balance is proved by the next one that has it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal

from api.checks.labels import Value, date_at, money_at, money_under, period_in
from api.checks.money import Money, days_in, money_in
from api.checks.reading import Row
from api.checks.subject import Subject

MOST_ENTRIES: Final = 10_000
Column = Literal["date", "text", "out", "in", "amount", "balance"]
_WORDS: Final[Mapping[Column, str]] = {
    "date": "date|posted|processed",
    "text": "transaction details|transaction|description|particulars|details|narrative",
    "out": "debits?|withdrawals?|money out|paid out",
    "in": "credits?|deposits?|money in|paid in",
    "amount": "amount",
    "balance": "(?:running )?balance",
}
_HEADS: Final = {name: re.compile(rf"(?i)(?<!\w)(?:{words})(?!\w)") for name, words in _WORDS.items()}
_OPENING: Final = re.compile(r"(?i)\bopening balance|\bbrought forward|\bprevious balance|\bbalance b/?f")
_CLOSING: Final = re.compile(r"(?i)\bclosing balance|\bbalance c/?f")
_CARRIED: Final = re.compile(r"(?i)\bcarried forward")
_SUMMED: Final = re.compile(r"(?i)\b(?:totals?|opening|closing)\b")  # in a head: of sums, not of rows
_TOTAL: Final = re.compile(r"(?i)^\W*(?:sub)?totals?\b")
_FAR: Final = 120.0  # thousandths of the page's width from a column's head: an amount farther off is part of the text
_LEAST_COLUMNS: Final = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One row that moves money, or states a balance: then `moves` is false."""

    row: Row
    on: date | None
    cents: int
    balance: int | None
    moves: bool = True


@dataclass(frozen=True, slots=True)
class Period:
    """The days that a statement says it covers, and where it says each."""

    first: date
    last: date
    from_at: Value
    to_at: Value


@dataclass(frozen=True, slots=True)
class Ledger:
    """The statement's table, oldest row first; sums and balances as stated outside of it, each with its place."""

    entries: tuple[Entry, ...]
    opening: tuple[Money, Value] | None = None
    closing: tuple[Money, Value] | None = None
    total_in: tuple[Money, Value] | None = None
    total_out: tuple[Money, Value] | None = None
    period: Period | None = None

    @property
    def moves(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.moves]


@dataclass(slots=True)
class _Table:
    """Where the reader stands: the columns, and whether it is inside the table."""

    columns: Mapping[Column, tuple[float, float]] = field(default_factory=dict)
    inside: bool = False
    on: date | None = None


@lru_cache(maxsize=4)
def ledger_of(subject: Subject) -> Ledger:
    """The ledger of one document, read once."""
    rows = subject.rows
    period = _period(rows)
    entries: list[Entry] = []
    table = _Table()
    for row in rows:
        entries += _read(row, table, period, subject.expectation.today)
        if len(entries) > MOST_ENTRIES:
            break
    days = [entry.on for entry in entries if entry.moves and entry.on]
    if len(days) > 1 and days[0] > days[-1]:
        entries.reverse()
    return Ledger(
        entries=tuple(entries),
        opening=_stated(rows, "opening balance|balance brought forward|previous balance"),
        closing=_stated(rows, "closing balance"),
        total_in=_stated(rows, "total (?:credits?|deposits?|money in|paid in)"),
        total_out=_stated(rows, "total (?:debits?|withdrawals?|money out|paid out)"),
        period=period,
    )


def _stated(rows: Sequence[Row], label: str) -> tuple[Money, Value] | None:
    """A sum after its label, or under it."""
    return money_at(rows, label, last=True) or money_under(rows, label)


def _period(rows: Sequence[Row]) -> Period | None:
    """The period in one row, or its two days each at a label of its own."""
    joined = period_in(rows)
    if joined:
        return Period(joined[0], joined[1], joined[2], joined[2])
    starts = date_at(rows, "(?:statement|period) (?:starts?|begins?|from)|start(?:ing)? date|from date")
    ends = date_at(rows, "(?:statement|period) (?:ends?|to|until)|end(?:ing)? date|to date")
    if starts and ends and starts[0] <= ends[0]:
        return Period(starts[0], ends[0], starts[1], ends[1])
    return None


def _read(row: Row, table: _Table, period: Period | None, today: date) -> Iterator[Entry]:
    heads = _heads(row)
    if heads:
        table.columns, table.inside = heads, True
        return
    if not table.inside:
        return
    amounts = [money for money in money_in(row.text) if money.full]
    days = [day for day in days_in(row.text) if day.start <= 1]
    if days:
        table.on = _dated(days[0].on(), days[0].month, days[0].day, table.on, period, today)
    if _OPENING.search(row.text) or _CARRIED.search(row.text) or _CLOSING.search(row.text):
        table.inside = not _CLOSING.search(row.text)
        if amounts:
            yield Entry(row, table.on, 0, amounts[-1].cents, moves=False)
        return
    if _TOTAL.search(row.text):
        table.inside = False
        return
    entry = _entry(row, amounts, table)
    if entry is not None:
        yield replace(entry, on=table.on)


def _heads(row: Row) -> Mapping[Column, tuple[float, float]]:
    """The places of the columns, where the row is one of heads."""
    if any(money.full for money in money_in(row.text)) or _SUMMED.search(row.text):
        return {}
    found: dict[Column, tuple[float, float]] = {}
    for name, words in _HEADS.items():
        match = words.search(row.text)
        if match:
            left, _, right, _ = row.place(*match.span())
            found[name] = left, right
    moves = "amount" in found or {"in", "out"} <= found.keys()
    return found if "balance" in found and moves and len(found) >= _LEAST_COLUMNS else {}


def _entry(row: Row, amounts: Sequence[Money], table: _Table) -> Entry | None:
    cents, balance, moved = 0, None, False
    for money in amounts:
        left, _, right, _ = row.place(money.start, money.end)
        match _nearest(table.columns, left, right):
            case "balance":
                balance = money.cents
            case "out":
                cents, moved = cents - abs(money.cents), True
            case "in":
                cents, moved = cents + abs(money.cents), True
            case "amount":
                cents, moved = cents + money.cents, True
    return Entry(row, None, cents, balance, moved) if moved or balance is not None else None


def _nearest(columns: Mapping[Column, tuple[float, float]], left: float, right: float) -> Column | None:
    def distance(name: Column) -> float:
        begin, end = columns[name]
        if name == "text":  # runs from its head on to the next one
            return min(abs(left - begin), abs((left + right - begin - end) / 2))
        return min(abs(right - end), abs(left - begin), abs((left + right - begin - end) / 2))

    name = min(columns, key=distance)
    return name if distance(name) <= _FAR else None


def _dated(
    whole: date | None, month: int, day: int, before: date | None, period: Period | None, today: date
) -> date | None:
    """A row's day; a year that is not written is that of the period, else of the row before, else the last such."""
    if whole is not None:
        return whole
    first, last = (period.first, period.last) if period else (before or today - timedelta(days=366), today)
    for year in range(first.year, last.year + 2):
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        if first - timedelta(days=3) <= found <= last + timedelta(days=3):
            return found
    try:
        return date(last.year, month, day)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How often a balance was compared with what came before it, and the rows at which it did not agree."""

    compared: int
    broken: tuple[Entry, ...]
    unproved: int  # rows after the last balance, or before the first


def reconciled(ledger: Ledger) -> Reconciled:
    """Every balance against the one before it and all that moved between."""
    running = ledger.opening[0].cents if ledger.opening else None
    pending = compared = since = 0
    broken: list[Entry] = []
    for entry in ledger.entries:
        pending += entry.cents
        since += entry.moves
        if entry.balance is None:
            continue
        if running is not None:
            compared += 1
            if running + pending != entry.balance:
                broken.append(entry)
        running, pending, since = entry.balance, 0, 0
    return Reconciled(compared, tuple(broken), since)


def disordered(ledger: Ledger) -> list[Entry]:
    """Rows whose day comes before the day of the row before."""
    dated = [entry for entry in ledger.moves if entry.on]
    return [after for before, after in pairwise(dated) if before.on and after.on and after.on < before.on]
