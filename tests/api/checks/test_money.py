"""Amounts and days as documents write them, and values beside their labels."""

from datetime import date

import pytest

from api.checks.labels import date_at, labelled, money_at, money_under, period_in
from api.checks.money import days_in, dollars, money_in
from tests.support.checking import typed


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("$1,234.56", [123456]), ("1,234,567.00", [123456700]), ("(1,234.56)", [-123456]), ("-$12.50", [-1250]),
        ("$-12.50", [-1250]), ("12.50-", [-1250]), ("12.50 DR", [-1250]), ("12.50 CR", [1250]), ("1 234", [100, 23400]),
        ("AU$7.00", [700]), ("1.234.56", [123456]), ("12/07/2026 9.10", [910]), ("10%", []), ("12:30", []),
        ("9,99", [999]),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_it_is_written(text: str, cents: list[int]) -> None:
    """Signs, brackets, marks of credit and debit, and misread separators; times, shares and days are no money."""
    assert [money.cents for money in money_in(text)] == cents


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("3 Aug 2026", [(2026, 8, 3)]), ("3rd of August", []), ("03/08/2026", [(2026, 8, 3)]),
        ("2026-08-03", [(2026, 8, 3)]), ("31 Jul", [(None, 7, 31)]), ("31 Jun 2026", []), ("12.50", []),
        ("03/08/26", [(2026, 8, 3)]), ("13/13/2026", []), ("1 September 2026 - 30 November 2026",
        [(2026, 9, 1), (2026, 11, 30)]),
    ],
)  # fmt: skip
def test_a_day_is_read_with_the_day_before_the_month(text: str, days: list[tuple[int | None, int, int]]) -> None:
    """A year that is not written stays out, and a day that no month has is no day."""
    assert [(day.year, day.month, day.day) for day in days_in(text)] == days


def test_money_for_people_keeps_its_cents() -> None:
    """A minus stands before the dollar sign."""
    assert (dollars(-123456), dollars(5)) == ("-$1,234.56", "$0.05")


def test_a_value_stands_after_its_label_or_under_it() -> None:
    """The row itself first, else the line below that begins at the same place."""
    rows = typed("bank_statement", "Name: Hakea Joinery     Branch\n\nOwner        Total\nA. Person    $12.00\n").rows
    name, owner, total = labelled(rows, "Name"), labelled(rows, "Owner"), money_under(rows, "Total")
    assert name is not None
    assert (name.text, owner and owner.text) == ("Hakea Joinery", "Total")  # what stands beside is the value
    assert total is not None
    assert (total[0].cents, total[1].text) == (1200, "$12.00")


def test_amounts_days_and_periods_are_found_at_labels() -> None:
    """Money that only money looks like goes before plain numbers; a period is two days joined."""
    rows = typed(
        "bank_statement", "Total of 3 items   $9.00\nIssued 1 July 2026\nPeriod 1 July 2026 to 30 September 2026\n"
    ).rows
    amount, issued, period = money_at(rows, "total"), date_at(rows, "issued"), period_in(rows)
    assert amount is not None
    assert issued is not None
    assert period is not None
    assert (amount[0].cents, issued[0]) == (900, date(2026, 7, 1))
    assert period[:2] == (date(2026, 7, 1), date(2026, 9, 30))
