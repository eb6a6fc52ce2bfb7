"""A statement's table: its rows in order, their days and columns, and every balance proved."""

from dataclasses import replace
from datetime import date

import pytest

from api.checks.kinds.ledger import disordered, ledger_of, reconciled
from tests.support.checking import of_paper, typed
from tests.support.papers import paper


@pytest.mark.parametrize("newest_first", [False, True])
def test_either_order_of_rows_is_reconciled(newest_first: bool) -> None:
    """A table with the newest row first is turned before it is reconciled, and proves as much."""
    rows = [
        "1 Sep 2026   Deposit    10.00      110.00", "2 Sep 2026   Rent      -30.00       80.00",
        "5 Sep 2026   Deposit    20.00      100.00",
    ]  # fmt: skip
    heads = "Date         Details    Amount    Balance"
    ledger = ledger_of(typed("bank_statement", "\n".join([heads, *(rows[::-1] if newest_first else rows)])))
    proved = reconciled(ledger)
    assert [entry.cents for entry in ledger.moves] == [1000, -3000, 2000]
    assert (proved.compared, proved.broken, disordered(ledger)) == (2, (), [])


def test_rows_after_the_last_balance_are_not_proved() -> None:
    """What no balance follows is counted, so that nobody takes it for reconciled."""
    text = """
    Date         Details    Amount    Balance
    1 Sep 2026   Deposit    10.00      110.00
    2 Sep 2026   Deposit    10.00
    """
    assert reconciled(ledger_of(typed("bank_statement", text))).unproved == 1


def test_an_amount_far_from_every_column_is_part_of_the_words() -> None:
    """A value in the description moves nothing."""
    text = """
    Date         Details                                    Amount    Balance
    1 Sep 2026   Deposit 99.00 of x                          10.00      110.00
    2 Sep 2026   Deposit                                     10.00      120.00
    """
    assert [entry.cents for entry in ledger_of(typed("bank_statement", text)).moves] == [1000, 1000]


def test_a_turn_of_the_year_is_read_into_the_days() -> None:
    """Rows without a year take that of the period that they lie in."""
    text = """
    Statement period  20 December 2025 - 10 January 2026
    Date      Description        Amount     Balance
    21 Dec    Deposit             10.00       10.00
    5 Jan     Deposit             10.00       20.00
    """
    assert [entry.on for entry in ledger_of(typed("bank_statement", text)).moves] == [
        date(2025, 12, 21), date(2026, 1, 5),
    ]  # fmt: skip


def test_every_row_of_a_long_statement_is_reconciled() -> None:
    """Of 260 rows on ten pages all are read, and one cent on any one of a sample of them is noticed."""
    subject = of_paper(paper("bank_statement", rows=260))
    ledger = ledger_of(subject)
    assert len(ledger.moves) == 260
    assert not reconciled(ledger).broken
    for place in range(0, len(ledger.entries), 17):
        entries = list(ledger.entries)
        if not entries[place].moves:
            continue
        entries[place] = replace(entries[place], cents=entries[place].cents + 1)
        assert reconciled(replace(ledger, entries=tuple(entries))).broken, place
