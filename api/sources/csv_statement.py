"""Statements that an applicant uploads as CSV, reconciled row by row into engine facts.

It does: join the files of each account, check every balance against the one before it, and bring all accounts
together as declared bank data. It does not: read cells (api.sources.csv_rows does), or believe more than the files
prove. The rule it keeps: what counts is reconciled, and every row that does not add up is named.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

import numpy as np

from api.sources.csv_rows import Line, RowProblem, StatementRefused, read_lines
from engine.facts import Account, BankData
from engine.facts.bank import MOST_DAYS, ProductCategory, day_number
from engine.facts.columns import MAX_ROWS
from engine.facts.statement import KIND_OF, assembled

MOST_FILES = 10
_SPENDING = "TRANS_AND_SAVINGS_ACCOUNTS"

# Words to kinds, the first that occurs. Of the kinds, features read transfers and interest received only; whatever
# else they look for, they look for in the text itself.
_KINDS: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(rf"\b(?:{words})\b", re.IGNORECASE), paid, received)
    for words, paid, received in (
        ("TRANSFER|TFR|XFER", "TRANSFER_OUTGOING", "TRANSFER_INCOMING"),
        ("INTEREST", "INTEREST_CHARGED", "INTEREST_PAID"),
        ("FEE|FEES", "FEE", "OTHER"),
        ("DIRECT DEBIT|DD", "DIRECT_DEBIT", "OTHER"),
        ("EFTPOS|VISA|CARD|PURCHASE|BPAY|PAYMENT", "PAYMENT", "PAYMENT"),
    )
)


@dataclass(frozen=True, slots=True)
class Upload:
    """One file as it was sent: files of the same name are successive parts of one account."""

    account_name: str
    product_category: ProductCategory
    content: bytes


@dataclass(frozen=True, slots=True)
class _Part:
    """One file's rows, oldest first."""

    file: int
    lines: list[Line]


# -- files into facts -----------------------------------------------------------------------------------------


def read_statements(uploads: Sequence[Upload], today: date | None = None) -> BankData:
    """All files together as declared bank data; raises StatementRefused with every problem found.

    The window goes from the first day of the busiest everyday account to the last day of any: the accounts beside
    it may be older, and their earlier rows are left out. Of an account, the oldest row sets the balance to start
    from and is not counted, since nothing proves its amount.
    """
    parts: list[_Part] = []
    problems: list[RowProblem] = []
    for file, upload in enumerate(uploads):
        try:
            parts.append(_Part(file, read_lines(upload.content, file)))
        except StatementRefused as refused:
            problems += refused.problems
    if not problems:
        problems = [*_overlaps(parts), *(_late(parts, today) if today else ()), *_mixed(uploads)]
    if problems:
        raise StatementRefused(problems)
    accounts: dict[str, list[_Part]] = {}
    for part in sorted(parts, key=lambda part: (part.lines[0].day, part.lines[-1].day)):
        accounts.setdefault(uploads[part.file].account_name, []).append(part)
    problems = [problem for of_account in accounts.values() for problem in _mismatches(of_account)]
    if problems:
        raise StatementRefused(sorted(problems, key=lambda problem: (problem.file or 0, problem.row or 0)))
    category_of = {upload.account_name: upload.product_category for upload in uploads}
    return _facts([(category_of[name], of_account) for name, of_account in accounts.items()])


def _overlaps(parts: list[_Part]) -> Iterator[RowProblem]:
    """Rows that an earlier file holds already, to the day, amount, balance and text: no statement counts twice."""
    seen: dict[tuple[int, int, int, str], int] = {}
    for part in parts:
        for line in part.lines:
            if line.moves and seen.setdefault((line.day, line.cents, line.balance, line.text), part.file) != part.file:
                yield RowProblem(part.file, line.row, "rows_overlap")


def _late(parts: list[_Part], today: date) -> Iterator[RowProblem]:
    last = day_number(today) + 1  # a day in Sydney begins before the same day in UTC
    return (RowProblem(p.file, line.row, "date_in_future") for p in parts for line in p.lines if line.day > last)


def _mixed(uploads: Sequence[Upload]) -> Iterator[RowProblem]:
    category_of: dict[str, ProductCategory] = {}
    for file, upload in enumerate(uploads):
        if category_of.setdefault(upload.account_name, upload.product_category) != upload.product_category:
            yield RowProblem(file, None, "category_differs")


def _mismatches(parts: list[_Part]) -> Iterator[RowProblem]:
    """Rows of one account whose balance is not the one before plus the amount, across its files."""
    before = parts[0].lines[0]
    for part in parts:
        for place, line in enumerate(part.lines):
            joint = place == 0 and part is not parts[0]
            if joint and line.day < before.day:
                yield RowProblem(part.file, line.row, "not_contiguous")
            elif line is not parts[0].lines[0] and line.balance != before.balance + line.cents:
                yield RowProblem(part.file, line.row, "not_contiguous" if joint else "balance_mismatch")
            before = line


def _facts(accounts: list[tuple[ProductCategory, list[_Part]]]) -> BankData:
    """Reconciled accounts as facts."""
    ledgers = [[line for part in parts for line in part.lines] for _, parts in accounts]
    everyday = [lines for (category, _), lines in zip(accounts, ledgers, strict=True) if category == _SPENDING]
    oldest = max(everyday or ledgers, key=len)[0].day
    newest = max(lines[-1].day for lines in ledgers)
    if newest - oldest >= MOST_DAYS:
        raise StatementRefused([RowProblem(None, None, "too_long")])
    counted = [
        (line, place) for place, lines in enumerate(ledgers) for line in lines[1:] if line.moves and line.day >= oldest
    ]
    if len(counted) > MAX_ROWS:
        raise StatementRefused([RowProblem(None, None, "too_many_rows")])
    column = partial(np.array, dtype=np.int64)
    epoch = date(1970, 1, 1)
    try:
        return assembled(
            "declared",
            (epoch + timedelta(days=oldest), epoch + timedelta(days=newest)),
            tuple(
                _account(n, category, lines[-1])
                for n, ((category, _), lines) in enumerate(zip(accounts, ledgers, strict=True), 1)
            ),
            {
                "posted_day": column([line.day for line, _ in counted]),
                "account": column([place for _, place in counted]),
                "amount_cents": column([line.cents for line, _ in counted]),
                "kind": column([KIND_OF[_kind(line)] for line, _ in counted]),
                "merchant_category": np.zeros(len(counted), dtype=np.int64),
            },
            [line.text for line, _ in counted],
        )
    except ValueError:
        raise StatementRefused([RowProblem(None, None, "out_of_range")]) from None


def _account(number: int, category: ProductCategory, last: Line) -> Account:
    """An account by its number: what the applicant calls it may be anything, an account number too."""
    return Account(
        account_id=f"uploaded-{number}",
        product_category=category,
        current_cents=last.balance,
        available_cents=max(last.balance, 0),
    )


def _kind(line: Line) -> str:
    for words, paid, received in _KINDS:
        if words.search(line.text):
            return paid if line.cents < 0 else received
    return "OTHER"
