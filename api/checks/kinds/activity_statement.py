"""Activity statements: whose, of which period, and whether the labels agree with one another.

It does: read amounts by their label's code, or by its words where the code was misread, and hold GST against sales and
the net against all that makes it. It does not: know whether it was lodged, or what other periods say. The rule it
keeps: GST on sales is at most an eleventh of sales with GST, or a tenth of sales without.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from api.checks import dating, labels, naming, numbers
from api.checks.labels import Value
from api.checks.money import Money, money_in
from api.checks.reading import Row
from api.checks.subject import Answer, Check, Subject, failing, unread

Stated = tuple[Money, Value]
_SLACK_CENTS: Final = 100  # forms have no cents
# Each label's code as it may be read, and the words beside it.
_LABELS: Final[tuple[tuple[str, str, str], ...]] = (
    ("G1", r"G[1Il|]", r"total sales"),
    ("1A", r"[1Il|]A", r"GST on sales"),
    ("1B", r"[1Il|]B", r"GST on purchases"),
    ("1C", r"[1Il|]C", r"wine equalisation tax(?! refund)"),
    ("1D", r"[1Il|]D", r"wine equalisation tax refundable"),
    ("1E", r"[1Il|]E", r"luxury car tax(?! refund)"),
    ("1F", r"[1Il|]F", r"luxury car tax refundable"),
    ("W1", r"W[1Il|]", r"total salary"),
    ("W2", r"W2", r"amounts? withheld from"),
    ("W3", r"W3", r"other amounts withheld"),
    ("W4", r"W4", r"amounts? withheld where no ABN"),
    ("W5", r"W5", r"total amounts withheld"),
    ("4", r"4", r"PAYG tax withheld"),
    ("5A", r"[5S]A", r"PAYG income tax instalment"),
    ("5B", r"[5S]B", r"credit from PAYG"),
    ("6A", r"6A", r"FBT instalment"),
    ("6B", r"6B", r"credit from FBT"),
    ("7", r"7", r"deferred company"),
    ("7A", r"7A", r"deferred GST"),
    ("7C", r"7C", r"fuel tax credit over ?claim"),
    ("7D", r"7D", r"fuel tax credits?"),
    ("8A", r"[8B]A", r"amount you owe the ATO"),
    ("8B", r"[8B]B", r"amount the ATO owes you"),
    ("9", r"9", r"your payment or refund|net amount for"),
)
_OWED: Final = ("1A", "1C", "1E", "4", "5A", "6A", "7", "7A", "7C")
_CREDITS: Final = ("1B", "1D", "1F", "5B", "6B", "7D")
_WITHOUT_GST: Final = re.compile(r"(?i)\bincludes? GST\b\W*no\b")
_PERIOD: Final = re.compile(r"(?i)\bperiod\b")
_DOCUMENT: Final = r"document ID|DIN"
_MONTHS: Final = (1, 3)  # that a period has


@lru_cache(maxsize=4)
def _stated(subject: Subject) -> Mapping[str, Stated]:
    """The first amount of each label, by its code."""
    found: dict[str, Stated] = {}
    for row in subject.rows:
        amounts = [money for money in money_in(row.text) if money.clear]
        code = _code(row) if amounts else None
        if code and code not in found:
            found[code] = amounts[-1], Value(row, amounts[-1].start, amounts[-1].end)
    return found


def _code(row: Row) -> str | None:
    """Which label a row is of: its code at the beginning or alone in a column, else its words at the beginning."""
    cells = row.text.split("  ")
    for code, misread, _ in _LABELS:
        whole = re.compile(rf"(?i)(?:{misread})\b(?![.,]\d)")
        if whole.match(cells[0].strip()) or any(whole.fullmatch(cell.strip()) for cell in cells[1:-1]):
            return code
    for code, _, words in _LABELS:
        if re.match(rf"(?i)\W*(?:\w{{1,2}}\W+)?(?:{words})", cells[0]):
            return code
    return None


def period(subject: Subject) -> Answer:
    """It is of a whole month or quarter."""
    read = _period(subject)
    if read is None:
        return unread("The period")
    first, last, value = read
    found = [value.find("period_from", first.isoformat()), value.find("period_to", last.isoformat())]
    document = labels.labelled(subject.rows, _DOCUMENT)
    if document is not None:
        found.append(document.find("document_id", re.sub(r"\s", "", document.text)))
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    whole = first.day == 1 and (last + timedelta(days=1)).day == 1
    quarterly = months == 1 or first.month % 3 == 1
    if not (whole and quarterly and months in _MONTHS):
        return Answer("warn", "The period is neither a month nor a quarter of the year.", found)
    return Answer("pass", "It is of a whole month." if months == 1 else "It is of a whole quarter.", found)


def _period(subject: Subject) -> tuple[date, date, Value] | None:
    """The period at its label, else the first two days that are joined."""
    rows = [row for row in subject.rows if _PERIOD.search(row.text)]
    return labels.period_in(rows) or labels.period_in(subject.rows)


def age(subject: Subject) -> Answer:
    """Its period ended not too long ago."""
    read = _period(subject)
    return dating.age(
        subject, (read[1], read[2].find("period_to", read[1].isoformat())) if read else None, "end of the period"
    )


def gst(subject: Subject) -> Answer:
    """GST on sales (1A) is no more than sales (G1) can bear."""
    stated = _stated(subject)
    sales, tax = stated.get("G1"), stated.get("1A")
    found = [
        each[1].find(field, str(each[0].cents))
        for each, field in ((sales, "sales_cents"), (tax, "gst_on_sales_cents"))
        if each
    ]
    if sales is None or tax is None:
        return Answer("unread", "Sales (G1) and GST on sales (1A) could not both be read.", found)
    parts = 10 if any(_WITHOUT_GST.search(row.text) for row in subject.rows) else 11
    if tax[0].cents * parts > sales[0].cents + _SLACK_CENTS * parts:
        says = f"GST on sales (1A) is more than 1/{parts} of sales (G1)."
        return Answer(failing(subject), says, found)
    return Answer("pass", f"GST on sales (1A) is at most 1/{parts} of sales (G1).", found)


def net(subject: Subject) -> Answer:
    """The net (9) is what the other labels make it, and so are their sums."""
    cents = {code: money.cents for code, (money, _) in _stated(subject).items()}
    if "9" not in cents or "1A" not in cents:
        return unread("The net amount and what makes it")
    owed, less = (sum(cents.get(code, 0) for code in codes) for codes in (_OWED, _CREDITS))
    sums = [("8A", cents.get("8A"), owed), ("8B", cents.get("8B"), less), ("9", abs(cents["9"]), abs(owed - less))]
    if "8A" in cents and "8B" in cents:
        sums.append(("9", abs(cents["9"]), abs(cents["8A"] - cents["8B"])))
    if "W2" in cents:
        withheld = sum(cents.get(code, 0) for code in ("W2", "W3", "W4"))
        sums += [("W5", cents.get("W5"), withheld), ("4", cents.get("4"), withheld)]
        if cents["W2"] > cents.get("W1", cents["W2"]):
            sums.append(("W2", cents["W2"], cents["W1"]))
    compared = [(code, abs(told - made) <= _SLACK_CENTS) for code, told, made in sums if told is not None]
    broken = sorted({code for code, agrees in compared if not agrees})
    if broken:
        found = [_stated(subject)[code][1].find("row", _stated(subject)[code][1].row.text) for code in broken]
        return Answer(failing(subject), f"Not what the other labels make them: {', '.join(broken)}.", found)
    return Answer("pass", f"All sums ({len(compared)}) agree with the labels that make them.")


CHECKS: Final = (
    Check("abn", "The ABN is the application's.", numbers.abn, "ABN_MISMATCH"),
    Check("name", "It is the business's.",
          naming.business_name(r"^\W*(?:client(?: name)?|entity name|name)(?=\s*:|\s{2})"), "NAME_MISMATCH"),
    Check("period", "It is of a whole month or quarter.", period, "PERIOD_NOT_COVERED"),
    Check("gst", "GST on sales (1A) against sales (G1).", gst, "TOTALS_DO_NOT_ADD"),
    Check("net", "The net amount and its parts agree.", net, "TOTALS_DO_NOT_ADD"),
    Check("age", "Its period ended not too long ago.", age, "TOO_OLD"),
)  # fmt: skip
