"""Bank statements in three layouts: running balance, debit and credit columns, one signed amount.

It does: draw every row with what moved and what was left. It does not: follow any bank's own design. The rule it
keeps: rows, balances and sums agree, unless the paper is altered; then one row alone says another amount.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from tests.support.papers.draft import Draft
from tests.support.papers.sheet import LEFT, Sheet
from tests.support.papers.writing import branch, day, grouped, money

_ROWS_A_PAGE = 26
_CARDS = ("EFTPOS fuel", "Card purchase")  # whose rows have a second line
_OUT = ("Direct debit Acme Leasing", "Card purchase Corner Hardware", "Wages run {n}", "Transfer to xx{n}",
        "BPAY water bill", "EFTPOS fuel stop {n}", "Loan repayment", "Rent Unit 4", "Account fee")  # fmt: skip
_IN = ("Customer payment INV {n}", "EFTPOS settlement", "Direct credit Marketplace payout", "Transfer from xx{n}",
       "Deposit branch 12", "Refund order {n}")  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Row:
    on: date
    words: str
    cents: int
    balance: int


@dataclass(frozen=True, slots=True)
class _Account:
    """The rows, oldest first, with what they start from; sums are what the rows were before one was altered."""

    rows: tuple[_Row, ...]
    opening: int
    closing: int
    total_in: int
    total_out: int
    first: date
    last: date
    changed: _Row | None = None  # the altered row
    before: int = 0  # what it said

    def pages(self) -> list[tuple[_Row, ...]]:
        return [self.rows[place : place + _ROWS_A_PAGE] for place in range(0, len(self.rows), _ROWS_A_PAGE)]


def running(draft: Draft) -> None:
    """Debit, credit and balance on every row; totals under their heads at the end."""
    account, sheet = _account(draft), draft.sheet
    sheet.numbered, to = "Page {page} of {pages}", (132.0, 160.0, 192.0)
    name = draft.named(draft.shown.legal_name, "account_name", field_name="account_name")
    draft.tell_money("credits_cents", account.total_in, sign="$")
    for number, rows in enumerate(account.pages()):
        sheet.page()
        if not number:
            sheet.line("Business transaction account statement", size=13, bold=True)
            sheet.down()
            sheet.pair("Account name", name)
            sheet.pair("BSB", branch(draft.ours.bsb, " "))
            sheet.pair("Account number", grouped(draft.ours.account))
            first = draft.tell_day("period_from", account.first)
            sheet.pair("Statement period", f"{first} - {draft.tell_day('period_to', account.last)}")
            sheet.down()
        _heads(sheet, ("Date", LEFT), ("Transaction", 40.0), to, ("Debit", "Credit", "Balance"))
        if not number:
            _cells(sheet, day(account.first), "OPENING BALANCE", to, ("", "", f"{money(account.opening, sign='$')} CR"))
        for row in rows:
            out, came = _moved(draft, account, row, to[1])
            left = f"{money(abs(row.balance), sign='$')} {'CR' if row.balance >= 0 else 'DR'}"
            _cells(sheet, f"{row.on:%d %b}", row.words, to, (out, came, left))
            if row.words.startswith(_CARDS):
                sheet.line(f"Card xx{row.balance % 10_000:04d}  Value date {day(row.on, 'slashed')}", x=42)
    closing = draft.tell_money("closing_cents", account.closing, sign="$")
    _cells(sheet, day(account.last), "CLOSING BALANCE", to, ("", "", f"{closing} CR"))
    sheet.down()
    heads, x = ("Opening balance", "Total debits", "Total credits", "Closing balance"), (18.0, 64.0, 110.0, 156.0)
    sums = account.opening, account.total_out, account.total_in, account.closing
    for place, word in zip(x, heads, strict=True):
        sheet.text(place, word, bold=True)
    sheet.down()
    for place, cents in zip(x, sums, strict=True):
        sheet.text(place, money(cents, sign="$"))


def columns(draft: Draft) -> None:
    """Debits and credits in columns, a balance at the end of each day, sums at the top."""
    account, sheet = _account(draft), draft.sheet
    sheet.font, sheet.numbered, to = "times", "Page {page} of {pages}", (136.0, 163.0, 192.0)
    name = draft.named(draft.shown.legal_name, "account_name", upper=True, field_name="account_name")
    for number, rows in enumerate(account.pages()):
        sheet.page()
        if not number:
            _top(draft, account, name)
        _heads(sheet, ("Date", LEFT), ("Particulars", 42.0), to, ("Debits", "Credits", "Balance"))
        carried = rows[0].balance - (account.before if rows[0] is account.changed else rows[0].cents)
        _cells(sheet, "", "Brought forward", to, ("", "", f"{money(carried)} Cr"))
        for place, row in enumerate(rows):
            last = place + 1 == len(rows) or rows[place + 1].on != row.on
            out, came = _moved(draft, account, row, to[1])
            on = day(row.on) if not place or rows[place - 1].on != row.on else ""
            left = f"{money(abs(row.balance))} {'Cr' if row.balance >= 0 else 'Dr'}" if last else ""
            _cells(sheet, on, row.words, to, (out, came, left))
        if number + 1 < len(account.pages()):
            _cells(sheet, "", "Carried forward", to, ("", "", f"{money(rows[-1].balance)} Cr"))


def _top(draft: Draft, account: _Account, name: str) -> None:
    sheet = draft.sheet
    sheet.line("Business Everyday Account", size=14, bold=True)
    sheet.line("Account details", bold=True)
    sheet.line(name)
    sheet.line(draft.ours.address[0])
    sheet.line(draft.ours.address[1])
    sheet.pair("BSB number", branch(draft.ours.bsb), gap=36)
    sheet.pair("Account number", draft.ours.account, gap=36)
    sheet.pair("Statement starts", draft.tell_day("period_from", account.first, "long"), gap=36)
    sheet.pair("Statement ends", draft.tell_day("period_to", account.last, "long"), gap=36)
    sheet.down()
    sheet.amount("Opening balance", f"{money(account.opening, sign='$')} Cr", to=100)
    sheet.amount("Total credits", draft.tell_money("credits_cents", account.total_in, sign="$"), to=100)
    sheet.amount("Total debits", money(account.total_out, sign="$"), to=100)
    sheet.amount("Closing balance", f"{draft.tell_money('closing_cents', account.closing, sign='$')} Cr", to=100)
    sheet.down()


def signed(draft: Draft) -> None:
    """One amount with its sign, as online banking prints; the newest row first in half of them."""
    account, sheet = _account(draft), draft.sheet
    sheet.font, sheet.size, sheet.numbered, to = "courier", 8.0, "page {page}/{pages}", (156.0, 192.0)
    sheet.producer = "Online Banking Export 3.0"
    rows = account.rows[::-1] if draft.rng.random() < 0.5 else account.rows
    name = draft.named(draft.shown.legal_name, "account_name", field_name="account_name")
    for number in range(0, len(rows), _ROWS_A_PAGE):
        sheet.page()
        if not number:
            sheet.line("Account statement", size=12, bold=True)
            sheet.pair("Account holder:", name)
            sheet.text(110, f"Account number: {draft.ours.account}")
            sheet.line(f"BSB: {branch(draft.ours.bsb)}")
            since = draft.tell_day("period_from", account.first, "slashed")
            sheet.line(f"Transactions from {since} to {draft.tell_day('period_to', account.last, 'slashed')}")
            sheet.pair("Opening balance:", money(account.opening, sign="$"))
            sheet.pair("Closing balance:", draft.tell_money("closing_cents", account.closing, sign="$"))
            sheet.down()
        _heads(sheet, ("Date", LEFT), ("Description", 44.0), to, ("Amount", "Balance"))
        for row in rows[number : number + _ROWS_A_PAGE]:
            amount = ("+" if row.cents > 0 else "") + money(row.cents, sign="$")
            amount = _patched(draft, account, row, amount, to[0])
            _cells(sheet, day(row.on, "slashed"), row.words, to, (amount, money(row.balance, sign="$")))


def _heads(
    sheet: Sheet, date_at: tuple[str, float], words_at: tuple[str, float], to: Sequence[float], heads: Sequence[str]
) -> None:
    for word, x in (date_at, words_at):
        sheet.text(x, word, bold=True)
    for word, x in zip(heads, to, strict=True):
        sheet.text(x, word, bold=True, right=True)
    sheet.down(1.2)


def _cells(sheet: Sheet, on: str, words: str, to: Sequence[float], amounts: Sequence[str]) -> None:
    sheet.text(LEFT, on)
    sheet.text(42, words)
    for amount, x in zip(amounts, to, strict=True):
        sheet.text(x, amount, right=True)
    sheet.down()


def _moved(draft: Draft, account: _Account, row: _Row, to: float) -> tuple[str, str]:
    """What a row says under debit and under credit."""
    if row.cents < 0:
        return money(-row.cents), ""
    return "", _patched(draft, account, row, money(row.cents), to)


def _patched(draft: Draft, account: _Account, row: _Row, amount: str, to: float) -> str:
    """The amount; on a patched paper what stood there is drawn first and covered, and nothing is left to draw."""
    if draft.variant != "patched" or row is not account.changed:
        return amount
    draft.sheet.text(to, money(account.before), right=True)
    draft.sheet.patch(to, amount, width=22, font="helvetica" if draft.sheet.font == "times" else "times")
    return ""


def _account(draft: Draft) -> _Account:
    """Rows up to a recent day; one is raised where the paper is altered, and nothing else follows it."""
    draft.declared.update(bsb=draft.ours.bsb, account_number=draft.ours.account)
    last = draft.dated(10)
    count = draft.rng.randint(70, 120)
    rows, opening, first = _made(draft.rng, last, draft.rows or count)
    if draft.short:
        rows = rows[-14:]
        opening, first = rows[0].balance - rows[0].cents, rows[0].on
    came = sum(row.cents for row in rows if row.cents > 0)
    out = -sum(row.cents for row in rows if row.cents < 0)
    account = _Account(rows, opening, rows[-1].balance, came, out, first, last)
    more = draft.rng.randrange(100_000, 900_000)
    place = draft.rng.choice([n for n, row in enumerate(rows) if row.cents > 0 and 2 < n < len(rows) - 2])
    if draft.variant == "pages_missing":
        draft.fail("pages", "running_balance", "totals")
    if not draft.altered:
        return account
    draft.fail("running_balance", "totals")
    changed = replace(rows[place], cents=rows[place].cents + more)
    altered = (*rows[:place], changed, *rows[place + 1 :])
    return replace(account, rows=altered, changed=changed, before=rows[place].cents)


def _made(rng: Random, last: date, count: int) -> tuple[tuple[_Row, ...], int, date]:
    """So many rows, oldest first, never overdrawn, and what they start from."""
    days = sorted(rng.randrange(count * 9 // 10) for _ in range(count))
    first = last - timedelta(days=days[-1] + rng.randint(0, 2))
    balance = opening = rng.randrange(800_000, 6_000_000)
    rows = []
    for place in days:
        low = balance < 1_500_000
        came = rng.random() < (0.8 if low else 0.4)
        cents = rng.randrange(4_000, 1_400_000 if came else 700_000)
        words = rng.choice(_IN if came else _OUT).format(n=rng.randint(1000, 9999))
        balance += cents if came else -cents
        rows.append(_Row(first + timedelta(days=place), words, cents if came else -cents, balance))
    return tuple(rows), opening, first


LAYOUTS = {"running": running, "columns": columns, "signed": signed}
