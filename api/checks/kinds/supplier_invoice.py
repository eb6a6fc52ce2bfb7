"""Supplier invoices: who sends it, to whom, of which day, and whether it adds up.

It does: hold lines against the sums, quantity times price against each line, and the sender's ABN against its check
digits. It does not: know suppliers, or whether the goods fit the business. The rule it keeps: the sender is whose name
stands largest at the top, never the one billed.
"""

import re
from collections.abc import Iterator
from typing import Final

from api.checks import dating, labels, names, naming, numbers
from api.checks.casting import Amount, cast
from api.checks.labels import Value
from api.checks.money import money_in
from api.checks.reading import Row
from api.checks.subject import Answer, Check, Subject, failing, unread

_TOP_ROWS: Final = 20
_FROM: Final = r"^\W*(?:supplier|seller|vendor|issued by|from)(?=\s*:|\s{2}|\s*$)"
_TO: Final = r"^\W*(?:bill(?:ed)? to|invoiced? to|sold to|customer|buyer|ship to|to)(?=\s*:|\s{2}|\s*$)"
_TITLE: Final = re.compile(r"(?i)\b(?:invoice|order|quote|estimate|pro-?forma|page \d|specimen)\b")
_ABN: Final = re.compile(r"(?i)\bA\.?B\.?N\b")
_HEAD: Final = re.compile(r"(?i)\b(?:amount|total|price)\s*$")
_PRICED: Final = re.compile(
    r"(?i)\b(?:qty|quantity)\s+(?:unit price|price|unit cost|rate|each)\s+(?:line )?(?:amount|total)\W*$"
)
_SUM: Final = re.compile(r"(?i)^\W*(?:(?:grand |invoice |sub-?\s?)?total|amount (?:due|payable)|balance due)\b")
_INCLUDED: Final = re.compile(r"(?i)\bGST (?:included|component)|\bincludes GST|\bof which GST")
_TOTAL: Final = (
    r"(?<!sub)(?<!sub[ -])(?<!in )(?:(?:grand |invoice )?total(?! (?:before|ex)\w*)|amount (?:due|payable)|balance due)"
)
_DATED: Final = r"(?:invoice|issue|order|quote) date|date (?:of issue|issued)|dated|(?<!due )date"
_PRICED_PARTS: Final = 3


def supplier(subject: Subject) -> Answer:
    """Who sends it is there."""
    sender = labels.labelled(subject.rows, _FROM) or _at_top(subject)
    if sender is None:
        return unread("The supplier")
    return Answer("pass", "The supplier is named.", [sender.find("supplier")])


def _at_top(subject: Subject) -> Value | None:
    """The largest line of the first page from its top down to the first ABN, the first of several as large."""
    ours = (subject.expectation.legal_name, *subject.expectation.other_names)
    best: tuple[float, Value | None] = (-1.0, None)
    for row in subject.rows[:_TOP_ROWS]:
        for line in row.lines if not any(money.clear for money in money_in(row.text)) else ():
            abn = _ABN.search(line.text)
            text = line.text[: abn.start() if abn else None].rstrip(" -,|(")
            is_name = re.search(r"[A-Za-z]{3}", text) and not _TITLE.search(text)
            if is_name and line.size > best[0] and names.nearest(ours, text) < names.SAME:
                best = line.size, Value(Row(row.page, (line,)), 0, len(text))
        if row.page > 1 or _ABN.search(row.text):
            break
    return best[1]


def supplier_number(subject: Subject) -> Answer:
    """The supplier's ABN passes its check digits, and is not the applicant's own."""
    read = [each for each in numbers.business_numbers(subject.rows) if each[0] == "abn"]
    others = [(good, found) for _, digits, good, found in read if digits != subject.expectation.abn]
    if not read:
        return unread("An ABN of the supplier")
    if not others:
        return Answer("warn", "The only ABN is the applicant's own.", [read[0][3]])
    good, found = others[0]
    if not good:
        return Answer(failing(subject), "The supplier's ABN fails its check digits.", [found])
    return Answer("pass", "The supplier's ABN passes its check digits.", [found])


def totals(subject: Subject) -> Answer:
    """Lines make the sums, quantity and price make the lines, and tax is a tenth."""
    total = labels.money_at(subject.rows, _TOTAL)
    found = [total[1].find("total_cents", str(total[0].cents))] if total else []
    done = cast(_amounts(subject.rows))
    unpriced = list(_unpriced(subject.rows))
    if total is None or not done.compared:
        return Answer("unread", "Lines and total could not all be read.", found)
    wrong = []
    if done.broken:
        wrong.append(f"{len(done.broken)} of {done.compared} sums are not those of the lines above")
    if unpriced:
        wrong.append(f"{len(unpriced)} lines are not quantity times price")
    if wrong:
        rows = [row.find("row", row.text) for row in (*done.broken, *unpriced)]
        return Answer(failing(subject), f"It does not add up: {'; '.join(wrong)}.", [*found, *rows])
    return Answer("pass", f"All sums ({done.compared}) are those of the lines above.", found)


def _amounts(rows: tuple[Row, ...]) -> Iterator[Amount]:
    """Amounts of the lines and sums under the heads of the table."""
    inside = False
    for row in rows:
        amounts = [money for money in money_in(row.text) if money.clear]
        inside = inside or (not amounts and bool(_HEAD.search(row.text)))
        if inside and amounts and not _INCLUDED.search(row.text):
            yield Amount(row, amounts[-1].cents, any(_SUM.match(line.text) for line in row.lines))


def _unpriced(rows: tuple[Row, ...]) -> Iterator[Row]:
    """Lines that are not quantity times price, where the heads say that this is what stands there."""
    inside = False
    for row in rows:
        if _PRICED.search(row.text):
            inside = True
        elif inside:
            parts = list(money_in(row.text))[-_PRICED_PARTS:]
            if len(parts) == _PRICED_PARTS and parts[1].full and parts[2].full and not _SUM.search(row.text):
                count, price, amount = (money.cents for money in parts)
                if abs(count * price - amount * 100) > 100:  # noqa: PLR2004 - a cent, for the count is in hundredths
                    yield row


CHECKS: Final = (
    Check("supplier", "The supplier is named.", supplier),
    Check("abn", "The supplier's ABN passes its check digits.", supplier_number, "ABN_MISMATCH"),
    Check("name", "It is made out to the business.", naming.business_name(_TO, "buyer"), "NAME_MISMATCH"),
    Check("totals", "Lines, sums, and quantity times price agree.", totals, "TOTALS_DO_NOT_ADD"),
    Check("age", "It is recent.", dating.dated_at(_DATED, "day of the invoice"), "TOO_OLD"),
)
