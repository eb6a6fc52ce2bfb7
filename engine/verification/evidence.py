"""From what was recorded in accepted documents to the figures that a decision uses.

It does: add up activity statements, take the newest tax account and financial year, hold uploaded rows against accepted
bank statements. It does not: fill in what no document said. The rules it keeps: a year's turnover needs statements that
follow one another over a whole year, or a financial year; of two readings of one period the lower counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Literal

from engine.facts import BankData
from engine.facts.documents import VerifiedDocument, VerifiedDocuments
from engine.verification.documents import Value

Read = tuple[str, str, Mapping[str, Value]]  # kind, SHA-256 of the file, recorded values by field
YEAR_DAYS = (364, 372)  # four quarters, twelve months; some close their books by weeks
_CREDITS_SLACK = 101  # per cent: an uploaded file may show a little more than the statements that bear it out
_DAY = timedelta(days=1)


def verified_documents(read: Iterable[Read], by: Literal["machine", "person"]) -> VerifiedDocuments:
    """The accepted documents as one fact."""
    documents = sorted(read, key=lambda each: (each[0], each[1]))
    tax = _newest(documents, "tax_account", "as_of")
    year = _newest(documents, "financial_statements", "period_to")
    stated = _turnover_of_year(documents)
    covered = [_day(values, "period_to") for _, _, values in documents if values.get("period_to")]
    return VerifiedDocuments(
        by=by,
        accepted=tuple(VerifiedDocument(kind=kind, sha256=sha256) for kind, sha256, _ in documents),
        turnover_12m_cents=stated if stated is not None else _figure(year, "turnover_cents", least=0),
        overdue_tax_cents=_figure(tax, "overdue_cents", least=0),
        tax_plan=None if "plan" not in tax else bool(tax["plan"]),
        profit_cents=_figure(year, "profit_cents"),
        covered_to=max(covered, default=None),
    )


def statements_agree(bank: BankData, read: Iterable[Read]) -> bool:
    """Whether accepted bank statements bear out uploaded rows, which then count as verified.

    They have to cover the rows' whole window between them, with total credits recorded from each, and the rows must not
    show more money coming in than they do (by more than 1 %). A statement that was sent twice counts once.
    """
    needed = {"account_name", "period_from", "period_to", "credits_cents"}
    papers = {
        (str(values["account_name"]), _day(values, "period_from"), _day(values, "period_to")): int(
            values["credits_cents"]
        )
        for kind, _, values in read
        if kind == "bank_statement" and needed <= values.keys()
    }
    if not _cover([(first, last) for _, first, last in papers], bank.oldest_on, bank.newest_on):
        return False
    return sum(papers.values()) >= least_credits(bank)


def least_credits(bank: BankData) -> int:
    """The least total credits, in cents, that statements have to show to bear out uploaded rows."""
    amounts = bank.transactions["amount_cents"]
    return -(int(amounts[amounts > 0].sum()) * -100 // _CREDITS_SLACK)


def _cover(periods: Iterable[tuple[date, date]], first: date, last: date) -> bool:
    """Whether every day from first to last lies in a period."""
    reached = first - _DAY
    for begins, ends in sorted(periods):
        if begins <= reached + _DAY:
            reached = max(reached, ends)
    return reached >= last


def _day(values: Mapping[str, Value], name: str) -> date:
    return date.fromisoformat(str(values[name]))


def _newest(documents: Iterable[Read], kind: str, dated: str) -> Mapping[str, Value]:
    found = [values for each, _, values in documents if each == kind and dated in values]
    return max(found, key=lambda values: str(values[dated]), default={})


def _figure(values: Mapping[str, Value], name: str, least: int | None = None) -> int | None:
    value = values.get(name)
    if value is None:
        return None
    return int(value) if least is None else max(int(value), least)


def _turnover_of_year(documents: Sequence[Read]) -> int | None:
    """Sales of the newest activity statements that follow one another back over a year, None where they do not."""
    sales: dict[tuple[date, date], int] = {}  # by end and beginning
    for kind, _, values in documents:
        if kind == "activity_statement" and {"period_from", "period_to", "sales_cents"} <= values.keys():
            period = _day(values, "period_to"), _day(values, "period_from")
            sales[period] = min(sales.get(period, int(values["sales_cents"])), int(values["sales_cents"]))
    if not sales:
        return None
    newest, total = max(sales)[0], 0
    ends = newest
    for period_to, period_from in sorted(sales, reverse=True):
        if period_to != ends:
            return None
        total += sales[period_to, period_from]
        ends = period_from - _DAY
        if (newest - ends).days >= YEAR_DAYS[0]:
            return max(total, 0) if (newest - ends).days <= YEAR_DAYS[1] else None
    return None
