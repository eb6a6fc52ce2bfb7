"""Bank statements: every row against the running balance, totals, pages, days.

It does: reconcile all rows, not a sample. It does not: categorise transactions. The rule it keeps: what counts is
what adds up, and every row that does not is shown in its place.
"""

import re
from datetime import timedelta
from typing import Final

from api.checks import dating, labels, naming
from api.checks.kinds.ledger import Entry, disordered, ledger_of, reconciled
from api.checks.money import dollars
from api.checks.subject import Answer, Check, Subject, failing, unread
from api.checks.values import Finding

_PAGE: Final = re.compile(r"(?i)\bpage\s*:?\s*(\d{1,3})\s*(?:of|/)\s*(\d{1,3})\b")
_BSB: Final = re.compile(r"(?i)\bBSB\b[^\d]{0,25}(\d{3}\s?[-–]?\s?\d{3})(?!\d)")
_ACCOUNT: Final = re.compile(r"(?i)\bacc(?:oun)?t\s*(?:number|no\.?|num)\b[^\d]{0,25}(\d(?:[ -]?\d){3,9})(?![\d-])")
_BOTH: Final = re.compile(
    r"(?i)\bacc(?:oun)?t\s*(?:number|no\.?|num)\b[^\d]{0,25}(\d{2,3}[ -]?\d{3,4})\s{1,4}(\d{6,9})(?![\d-])"
)
_LEAST_DIGITS, _MOST_DIGITS, _BSB_DIGITS = 4, 10, 6
_LONGEST_GAP_DAYS: Final = 45  # without a row: longer, and pages may be missing
_SHOWN_DIGITS: Final = 3


def account_name(subject: Subject) -> Answer:
    """The account is in the business's name."""
    return naming.named(subject, r"account (?:name|holder|title)s?|name of account", "account_name")


def account_number(subject: Subject) -> Answer:
    """BSB and account number are there, and those of the application where it states them."""
    bsb, account = _account(subject)
    if bsb is None or account is None:
        return unread("BSB and account number")
    found = [bsb[1].find("bsb", bsb[0]), account[1].find("account_number", "•" * 5 + account[0][-_SHOWN_DIGITS:])]
    expected = subject.expectation
    if expected.bsb is None or expected.account_number is None:
        return Answer("pass", "BSB and account number are there; the application states none to compare with.", found)
    same = bsb[0] == expected.bsb and account[0].lstrip("0") == expected.account_number.lstrip("0")
    if same:
        return Answer("pass", "BSB and account number are the application's.", found)
    return Answer(failing(subject), "BSB or account number is not the application's.", found)


def _account(subject: Subject) -> tuple[tuple[str, labels.Value] | None, tuple[str, labels.Value] | None]:
    """BSB and account number, apart or written as one."""
    for row in subject.rows:
        both = _BOTH.search(row.text)
        if both and len(_digits(both[1])) == _BSB_DIGITS:
            bsb, number = labels.Value(row, *both.span(1)), labels.Value(row, *both.span(2))
            return (_digits(bsb.text), bsb), (_digits(number.text), number)
    return _first(subject, _BSB, "bsb"), _first(subject, _ACCOUNT, r"acc(?:oun)?t\s*(?:number|no\.?|num)")


def _first(subject: Subject, pattern: re.Pattern[str], label: str) -> tuple[str, labels.Value] | None:
    """The digits of the first match, else those under the label, each with its place."""
    for row in subject.rows:
        found = pattern.search(row.text)
        if found:
            return _digits(found[1]), labels.Value(row, *found.span(1))
    for value in labels.under(subject.rows, label):
        if _LEAST_DIGITS <= len(_digits(value.text)) <= _MOST_DIGITS:
            return _digits(value.text), value
    return None


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def running_balance(subject: Subject) -> Answer:
    """Every balance is the one before it plus what moved between."""
    ledger = ledger_of(subject)
    proved = reconciled(ledger)
    if not ledger.moves or not proved.compared:
        return unread("The table of transactions")
    if proved.broken:
        says = f"{len(proved.broken)} of {proved.compared} balances are not the one before plus what moved between."
        return Answer(failing(subject), says, [_row(entry) for entry in proved.broken])
    if proved.unproved:
        return Answer("warn", f"{proved.unproved} rows have no balance after them that proves their amounts.")
    return Answer("pass", f"All {len(ledger.moves)} rows agree with the running balance.")


def _row(entry: Entry) -> Finding:
    return entry.row.find("row", entry.row.text)


def totals(subject: Subject) -> Answer:
    """Opening balance and all rows give the closing balance; stated sums are those of the rows."""
    ledger = ledger_of(subject)
    if ledger.opening is None or ledger.closing is None or not ledger.moves:
        return unread("Opening and closing balance")
    received = sum(entry.cents for entry in ledger.moves if entry.cents > 0)
    paid = -sum(entry.cents for entry in ledger.moves if entry.cents < 0)
    opening, closing = ledger.opening[0].cents, ledger.closing[0].cents
    found = [
        ledger.opening[1].find("opening_cents", str(opening)),
        ledger.closing[1].find("closing_cents", str(closing)),
    ]
    wrong = []
    if opening + received - paid != closing:
        wrong.append(f"opening balance and rows differ from the closing balance by "
                     f"{dollars(abs(opening + received - paid - closing))}")  # fmt: skip
    for stated, summed, words in ((ledger.total_in, received, "in"), (ledger.total_out, paid, "out")):
        if stated is not None:
            field = "credits_cents" if words == "in" else "debits_cents"
            found.append(stated[1].find(field, str(abs(stated[0].cents))))
            if abs(stated[0].cents) != summed:
                wrong.append(f"the stated sum of money {words} is not that of the rows")
    if wrong:
        return Answer(failing(subject), f"The totals do not add up: {'; '.join(wrong)}.", found)
    return Answer("pass", "Opening balance, rows and closing balance add up.", found)


def pages(subject: Subject) -> Answer:
    """All pages that the page numbers speak of are there, once and in order."""
    told = [(int(found[1]), int(found[2]), row) for row in subject.rows for found in [_PAGE.search(row.text)] if found]
    if not told:
        return unread("Page numbers")
    numbers, last = [number for number, _, _ in told], max(of for _, of, _ in told)
    found = [row.find("page_number", row.text) for _, _, row in told]
    if numbers == list(range(1, last + 1)) and subject.reading.pages == last:
        return Answer("pass", f"All {last} pages are there.")
    placed = all(number == row.page for number, _, row in told)
    if placed and subject.reading.pages == last and not subject.reading.electronic:
        return Answer("pass", f"There are {last} pages, as their numbers say; {len(numbers)} numbers were read.", found)
    return Answer(failing(subject), f"Of {last} numbered pages {len(set(numbers))} are there.", found)


def period(subject: Subject) -> Answer:
    """The statement's days lie inside its period, in order, without a gap in which pages may be missing."""
    ledger = ledger_of(subject)
    days = [entry.on for entry in ledger.moves if entry.on]
    if not days:
        return unread("The period")
    first, last = (ledger.period.first, ledger.period.last) if ledger.period else (days[0], days[-1])
    if ledger.period:
        starts, ends = ledger.period.from_at, ledger.period.to_at
        found = [starts.find("period_from", first.isoformat()), ends.find("period_to", last.isoformat())]
    else:
        found = [
            ledger.moves[0].row.find("period_from", first.isoformat()),
            ledger.moves[-1].row.find("period_to", last.isoformat()),
        ]
    outside = [e for e in ledger.moves if e.on and not first <= e.on <= last]
    wrong = [*outside, *disordered(ledger)]
    if wrong:
        rows = [_row(entry) for entry in wrong]
        return Answer(failing(subject), f"{len(wrong)} rows are out of order or outside the period.", [*found, *rows])
    expected = subject.expectation
    missing = (expected.covers_from and first > expected.covers_from) or (
        expected.covers_to and last < expected.covers_to
    )
    if missing:
        return Answer("fail", "The period that was asked for is not covered.", found)
    gap = max((b - a for a, b in zip([first, *days], [*days, last], strict=True)), default=timedelta(0))
    if gap.days > _LONGEST_GAP_DAYS:
        return Answer("warn", f"There is no row for {gap.days} days: pages may be missing.", found)
    return Answer("pass", "The rows are in order and inside the period.", found)


def age(subject: Subject) -> Answer:
    """The statement's last day is recent."""
    ledger = ledger_of(subject)
    days = [(entry.on, entry) for entry in ledger.moves if entry.on]
    if ledger.period:
        last = ledger.period.last
        return dating.age(subject, (last, ledger.period.to_at.find("dated", last.isoformat())), "last day")
    if not days:
        return unread("The last day")
    on, entry = days[-1]
    return dating.age(subject, (on, entry.row.find("dated", on.isoformat())), "last day")


def future_rows(subject: Subject) -> Answer:
    """No row is dated after today."""
    ledger = ledger_of(subject)
    if not ledger.moves:
        return unread("The table of transactions")
    late = subject.expectation.today + timedelta(days=1)
    ahead = [entry for entry in ledger.moves if entry.on and entry.on > late]
    if ahead:
        return Answer(failing(subject), f"{len(ahead)} rows are dated in the future.", [_row(e) for e in ahead])
    return Answer("pass", "No row is dated in the future.")


CHECKS: Final = (
    Check("account_name", "The account is in the business's name.", account_name, "NAME_MISMATCH"),
    Check("account_number", "BSB and account number are those of the application.", account_number),
    Check("running_balance", "Every row against the running balance.", running_balance, "TOTALS_DO_NOT_ADD"),
    Check("totals", "Opening balance, rows, closing balance and stated sums agree.", totals, "TOTALS_DO_NOT_ADD"),
    Check("pages", "All pages that the page numbers speak of are there.", pages, "PAGES_MISSING"),
    Check("period", "Rows in order, inside the period, without a long gap.", period, "PERIOD_NOT_COVERED"),
    Check("age", "The last day is recent.", age, "TOO_OLD"),
    Check("future_rows", "No row is dated in the future.", future_rows, "SUSPECTED_ALTERATION"),
)
