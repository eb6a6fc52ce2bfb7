"""One CSV file of an account's statement, row by row: days, amounts and balances as Australian banks write them.

It does: find the columns by their names in any usual delimiter, and read every cell or name the row that cannot be
read. It does not: reconcile (api.sources.csv_statement does), or run, show or repeat what a cell holds: a cell that
looks like a formula is text. The rule it keeps: a problem is a file, a row and a rule, never a value.

A row is numbered as a spreadsheet numbers it: the first line of the file is row 1, blank lines included.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from engine.facts.bank import MOST_DAYS, day_number
from engine.facts.columns import MAX_ROWS

MOST_BYTES = 2_000_000  # of one file
_MOST_PREAMBLE = 20  # lines before the names of the columns

# What banks call the columns, the best first; letters alone are compared. A file says all its money in `amount`, or
# what went out and what came in apart.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "date": (
        "posted date", "posting date", "date posted", "processed date", "date", "transaction date", "value date",
        "effective date",
    ),
    "text": (
        "description", "narrative", "narration", "transaction details", "transaction description", "details",
        "transaction", "particulars",
    ),
    "out": (
        "debit", "debit amount", "debits", "withdrawal", "withdrawals", "withdrawal amount", "money out",
        "paid out",
    ),
    "in": ("credit", "credit amount", "credits", "deposit", "deposits", "deposit amount", "money in", "paid in"),
    "amount": ("amount", "transaction amount", "amount aud"),
    "balance": ("balance", "running balance", "account balance", "closing balance", "balance aud"),
}  # fmt: skip
_BARE = {"date": 0, "amount": 1, "text": 2, "balance": 3}  # of files without names
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY_FIRST = re.compile(r"([0-9]{1,2})[/-]([0-9]{1,2})[/-]([0-9]{4})")
_YEAR_FIRST = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_NAMED_MONTH = re.compile(r"([0-9]{1,2})[ -]([A-Za-z]{3,9})[ -]([0-9]{4})")
_AMOUNT = re.compile(
    r"(?P<open>\()?(?P<sign>[-+−]?)\$?(?P<inner>[-−]?)"
    r"(?P<dollars>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,11})(?:\.(?P<cents>[0-9]{1,2}))?"
    r"(?P<close>\))?(?P<end>CR|DR|[-−])?",
    re.IGNORECASE,
)
_NOT_LETTERS = re.compile(r"[^a-z]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

RULES: Mapping[str, str] = {
    "too_large": "The file is larger than 2,000,000 bytes",
    "encoding": "The file is not UTF-8",
    "malformed": "The file is not CSV: a quoted cell does not end",
    "too_many_rows": f"The files hold more than {MAX_ROWS:,} rows",
    "columns_unknown": "No row names the columns, and the first is not: date, amount, description, balance",
    "balance_missing": "The file has no column of balances, so its rows cannot be reconciled",
    "description_missing": "The file has no column of descriptions",
    "no_rows": "The file holds no transactions",
    "date": "The day is not written as 31/12/2026, 31-12-2026, 2026-12-31 or 31 Dec 2026",
    "amount": "The row needs one amount of money, with at most two decimals",
    "balance": "The row needs a balance, with at most two decimals",
    "date_order": "The row's day is out of order",
    "date_in_future": "The row's day is in the future",
    "balance_mismatch": "The balance is not the one before it plus the amount",
    "not_contiguous": "The file does not go on where this account's file before it ends",
    "rows_overlap": "The row is in another file as well",
    "category_differs": "All files of one account need the same product category",
    "too_long": f"The statements reach over more than {MOST_DAYS} days",
    "out_of_range": "An amount or a balance is larger than any account's",
}


class RowProblem(NamedTuple):
    """What is wrong with a file, or with one of its rows: a rule of RULES, never a value."""

    file: int | None  # None: of all files together
    row: int | None
    rule: str


class StatementRefused(Exception):
    """The files cannot be used; `problems` says all that is wrong, file by file."""

    def __init__(self, problems: Sequence[RowProblem]) -> None:
        super().__init__("statements refused")
        self.problems = tuple(problems)


class Line(NamedTuple):
    """One row: its number in the file, and what it says. A row of a balance alone moves 0 and counts for nothing."""

    row: int
    day: int
    cents: int
    balance: int
    text: str
    moves: bool


def read_lines(content: bytes, file: int = 0) -> list[Line]:
    """One file's rows, oldest first, not reconciled yet; raises StatementRefused with every row that cannot be read."""
    refuse = partial(_refusal, file)
    if len(content) > MOST_BYTES:
        raise refuse("too_large")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise refuse("encoding") from None
    places, rows = _table(text, refuse)
    problems: list[RowProblem] = []
    lines: list[Line] = []
    for number, cells in rows:
        read = _line(number, cells, places)
        if isinstance(read, Line):
            lines.append(read)
        else:
            problems.append(RowProblem(file, number, read))
    if not problems and not any(line.moves for line in lines):
        raise refuse("no_rows")
    if not problems and _newest_first(lines):
        lines.reverse()
    late = (b for a, b in pairwise(lines) if b.day < a.day) if not problems else ()
    problems += [RowProblem(file, line.row, "date_order") for line in late]
    if problems:
        raise StatementRefused(problems)
    return lines


def _refusal(file: int, rule: str) -> StatementRefused:
    return StatementRefused([RowProblem(file, None, rule)])


Table = tuple[dict[str, int], list[tuple[int, list[str]]]]


def _table(text: str, refuse: "partial[StatementRefused]") -> Table:
    """Where each column is, and the rows below the names, numbered; blank rows are left out."""
    broken = False
    for delimiter in ",;\t":
        try:
            cells = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
        except csv.Error:
            broken = True
            continue
        if len(cells) > MAX_ROWS + _MOST_PREAMBLE:
            raise refuse("too_many_rows")
        rows = [(number, row) for number, row in enumerate(cells, 1) if any(cell.strip() for cell in row)]
        for above, (_, row) in enumerate(rows[:_MOST_PREAMBLE]):
            places = _places(row)
            if "date" in places and ("amount" in places or {"in", "out"} <= places.keys()):
                for column, rule in (("balance", "balance_missing"), ("text", "description_missing")):
                    if column not in places:
                        raise refuse(rule)
                return places, rows[above + 1 :]
        if rows and len(rows[0][1]) == len(_BARE) and isinstance(_line(1, rows[0][1], _BARE), Line):
            return _BARE, rows
    raise refuse("malformed" if broken else "columns_unknown")


def _places(cells: list[str]) -> dict[str, int]:
    """The columns that these cells name; of several that would do, the one that stands first in the table of names."""
    names = [_NOT_LETTERS.sub(" ", cell.lower()).strip() for cell in cells]
    return {
        column: names.index(found)
        for column, known in _NAMES.items()
        if (found := next((name for name in known if name in names), None)) is not None
    }


def _line(number: int, cells: list[str], places: dict[str, int]) -> Line | str:
    """The row, or the rule it breaks."""
    said = {column: cells[place].strip() if place < len(cells) else "" for column, place in places.items()}
    day = _day(said["date"])
    if day is None:
        return "date"
    balance = _cents(said["balance"])
    if balance is None:
        return "balance"
    texts = [said.get(column, "") for column in ("amount", "in", "out")]
    moved = _moved(*texts)
    if moved is None and any(texts):
        return "amount"
    text = _CONTROL.sub(" ", said.get("text", ""))
    return Line(number, day, moved or 0, balance, text, moved is not None)


def _newest_first(lines: list[Line]) -> bool:
    """Whether the file runs backwards in time; where its days do not tell, whether its balances do."""
    if lines[0].day != lines[-1].day:
        return lines[0].day > lines[-1].day
    pairs = list(pairwise(lines))
    forwards = sum(b.balance == a.balance + b.cents for a, b in pairs)
    return sum(a.balance == b.balance + a.cents for a, b in pairs) > forwards


def _moved(amount: str, came_in: str, went_out: str) -> int | None:
    """Cents moved, negative is out; None where that is not said, or said twice."""
    if amount:
        return _cents(amount)
    received, paid = _cents(came_in or "0"), _cents(went_out or "0")
    if received is None or paid is None or received < 0 or (received and paid) or not (came_in or went_out):
        return None
    return received - abs(paid)  # some banks write what goes out with a minus


def _cents(text: str) -> int | None:
    """Cents of an amount as banks write them: `$1,234.50`, `-$5`, `(5.00)`, `5.00-`, `5.00 DR`."""
    found = _AMOUNT.fullmatch(text.replace(" ", ""))
    if found is None or (found["open"] is None) != (found["close"] is None):
        return None
    end = (found["end"] or "").upper()
    minus = [found["open"] or "", found["sign"].strip("+"), found["inner"], end if end != "CR" else ""]
    marks = sum(bool(mark) for mark in minus)
    if marks > 1 or (end == "CR" and marks):
        return None
    size = int(found["dollars"].replace(",", "")) * 100 + int((found["cents"] or "0").ljust(2, "0"))
    return -size if marks else size


def _day(text: str) -> int | None:
    """Days since 1970-01-01; the day comes before the month, as everywhere in Australia."""
    try:
        if found := _DAY_FIRST.fullmatch(text):
            return day_number(date(int(found[3]), int(found[2]), int(found[1])))
        if found := _YEAR_FIRST.fullmatch(text):
            return day_number(date(int(found[1]), int(found[2]), int(found[3])))
        if found := _NAMED_MONTH.fullmatch(text):
            return day_number(date(int(found[3]), _MONTHS.index(found[2][:3].lower()) + 1, int(found[1])))
    except ValueError:
        pass
    return None
