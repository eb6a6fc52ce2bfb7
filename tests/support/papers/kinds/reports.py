"""Financial statements of a year: profit and loss, balance sheet, two years side by side.

It does: draw tables whose sums are those of their lines. It does not: follow a standard of accounting. The rule it
keeps: this year's column stands first, and altered, one line of it says more than the sums know.
"""

from dataclasses import dataclass
from datetime import date
from random import Random

from tests.support.papers.draft import Draft
from tests.support.papers.sheet import LEFT
from tests.support.papers.writing import bracketed, money

_EXPENSES = ("Accounting fees", "Bank charges", "Depreciation", "Insurance", "Interest paid", "Motor vehicle expenses",
             "Rent", "Repairs and maintenance", "Superannuation", "Telephone", "Wages")  # fmt: skip
_ASSETS = ("Cash at bank", "Trade debtors", "Inventory", "Plant and equipment")
_DEBTS = ("Trade creditors", "GST payable", "Equipment finance")


@dataclass(frozen=True, slots=True)
class _Year:
    """Cents, by line."""

    sales: int
    cost: int
    expenses: tuple[int, ...]
    assets: tuple[int, ...]
    debts: tuple[int, ...]

    @property
    def spent(self) -> int:
        return sum(self.expenses)

    @property
    def profit(self) -> int:
        return self.sales - self.cost - self.spent

    @property
    def net(self) -> int:
        return sum(self.assets) - sum(self.debts)


def compiled(draft: Draft) -> None:
    """An accountant's compilation: a cover, profit and loss, balance sheet; whole dollars, losses in brackets."""
    _report(draft, dollars=True, upper=True)


def ledger(draft: Draft) -> None:
    """An export of accounting software: the same tables on two pages, with cents."""
    draft.sheet.font, draft.sheet.producer = "times", "Ledger Reports 12"
    _report(draft, dollars=False, upper=False)


def _report(draft: Draft, *, dollars: bool, upper: bool) -> None:
    sheet, ended = draft.sheet, _ended(draft)
    this, last = _year(draft.rng, dollars), _year(draft.rng, dollars)
    name = draft.named(draft.shown.legal_name, "name", upper=upper)
    until = draft.tell("period_to", ended.isoformat(), f"{ended.day} {ended:%B %Y}")
    extra = draft.rng.randrange(2_000_000, 9_000_000) // 100 * 100
    if draft.altered:
        draft.fail("totals")
    if draft.variant == "pages_missing":
        draft.fail("pages", *(["kind"] if dollars else []))  # the accountant's second page is the profit and loss
    sheet.numbered = "Page {page} of {pages}"
    sheet.page()
    sheet.line(name, size=14, bold=True)
    sheet.line(f"ABN {draft.abn()}")
    sheet.line("Financial Statements" if dollars else "Financial Report", size=12)
    sheet.line(f"For the year ended {until}")
    draft.tax_file_number("Tax file number")
    if dollars:
        sheet.page()
    _profit(draft, this, last, dollars, extra if draft.altered else 0)
    sheet.page()
    _balance(draft, this, last, dollars)


def _profit(draft: Draft, this: _Year, last: _Year, dollars: bool, extra: int) -> None:
    sheet = draft.sheet
    sheet.down()
    sheet.line("Profit and Loss Statement" if dollars else "Profit and loss", size=11, bold=True)
    _years(draft)
    _row(draft, "Sales" if dollars else "Total trading income", this.sales, last.sales, dollars)
    draft.tell("turnover_cents", this.sales, _written(this.sales, dollars))
    _row(draft, "Cost of sales", this.cost, last.cost, dollars)
    _row(draft, "Gross profit", this.sales - this.cost, last.sales - last.cost, dollars, bold=True)
    sheet.line("Expenses" if dollars else "Operating expenses", bold=True)
    for place, words in enumerate(_EXPENSES):
        more = extra if place == 4 else 0
        _row(draft, words, this.expenses[place] + more, last.expenses[place], dollars)
    _row(draft, "Total expenses" if dollars else "Total operating expenses", this.spent, last.spent, dollars, bold=True)
    _row(draft, "Net profit" if dollars else "Net profit / (loss)", this.profit, last.profit, dollars, bold=True)
    draft.tell("profit_cents", this.profit, _written(this.profit, dollars))


def _balance(draft: Draft, this: _Year, last: _Year, dollars: bool) -> None:
    sheet = draft.sheet
    sheet.line("Balance Sheet", size=11, bold=True)
    _years(draft)
    sheet.line("Assets", bold=True)
    for words, now, then in zip(_ASSETS, this.assets, last.assets, strict=True):
        _row(draft, words, now, then, dollars)
    _row(draft, "Total assets", sum(this.assets), sum(last.assets), dollars, bold=True)
    sheet.line("Liabilities", bold=True)
    for words, now, then in zip(_DEBTS, this.debts, last.debts, strict=True):
        _row(draft, words, now, then, dollars)
    _row(draft, "Total liabilities", sum(this.debts), sum(last.debts), dollars, bold=True)
    _row(draft, "Net assets", this.net, last.net, dollars, bold=True)
    _row(draft, "Total equity", this.net, last.net, dollars, bold=True)


def _years(draft: Draft) -> None:
    year = int(str(draft.truth["period_to"])[:4])
    draft.sheet.text(150, str(year), right=True, bold=True)
    draft.sheet.text(190, str(year - 1), right=True, bold=True)
    draft.sheet.down()


def _row(draft: Draft, words: str, now: int, then: int, dollars: bool, *, bold: bool = False) -> None:
    draft.sheet.text(LEFT, words, bold=bold)
    draft.sheet.text(150, _written(now, dollars), right=True, bold=bold)
    draft.sheet.text(190, _written(then, dollars), right=True, bold=bold)
    draft.sheet.down()


def _written(cents: int, dollars: bool) -> str:
    return bracketed(cents, dollars=True) if dollars else money(cents)


def _ended(draft: Draft) -> date:
    """The last financial year's end, or one well before it."""
    if draft.variant == "expired":
        draft.fail("age")
    end = date(draft.today.year, 6, 30)
    return end.replace(year=end.year - 2) if draft.variant == "expired" else end


def _year(rng: Random, dollars: bool) -> _Year:
    unit = 100 if dollars else 1
    sales = rng.randrange(40_000_000, 400_000_000) // unit * unit
    cost = sales * rng.randint(40, 60) // 100 // unit * unit
    expenses = tuple(sales * rng.randint(5, 60) // 1_000 // unit * unit for _ in _EXPENSES)
    assets = tuple(rng.randrange(3_000_000, 40_000_000) // unit * unit for _ in _ASSETS)
    debts = tuple(rng.randrange(1_000_000, 12_000_000) // unit * unit for _ in _DEBTS)
    return _Year(sales, cost, expenses, assets, debts)


LAYOUTS = {"compiled": compiled, "ledger": ledger}
