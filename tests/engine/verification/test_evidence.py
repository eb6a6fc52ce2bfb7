"""From recorded values to figures: a year is a year, the lower of two readings counts, uploads are borne out or not."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.facts import BankData
from engine.verification.documents import Value
from engine.verification.evidence import Read, statements_agree, verified_documents
from tests.support.businesses import business

QUARTERS = [
    ("2025-10-01", "2025-12-31"),
    ("2026-01-01", "2026-03-31"),
    ("2026-04-01", "2026-06-30"),
    ("2026-07-01", "2026-09-30"),
]
SALES = [100, 200, 300, 400]


def paper(kind: str, number: int = 0, **said: Value) -> Read:
    """One accepted document and what it says."""
    return kind, f"{number:064x}", said


def activity(period: tuple[str, str], sales_cents: int, number: int = 0) -> Read:
    """One activity statement."""
    return paper("activity_statement", number, period_from=period[0], period_to=period[1], sales_cents=sales_cents)


def turnover(*read: Read) -> int | None:
    """The year's turnover that documents give."""
    return verified_documents(read, by="person").turnover_12m_cents


@given(st.permutations(range(4)))
def test_four_quarters_in_a_row_make_a_year(order: list[int]) -> None:
    """In whatever order they came in, and with whatever is older."""
    read = [activity(QUARTERS[i], SALES[i], i) for i in order]
    assert turnover(*read) == 1_000
    assert turnover(*read, activity(("2025-07-01", "2025-09-30"), 7_000)) == 1_000


@pytest.mark.parametrize("gone", range(4))
def test_three_quarters_say_nothing_of_a_year(gone: int) -> None:
    """Whichever is missing: nothing is made up for it, and the gap is not bridged by an older one."""
    read = [activity(QUARTERS[i], SALES[i], i) for i in range(4) if i != gone]
    assert turnover(*read) is None
    assert turnover(*read, activity(("2025-04-01", "2025-06-30"), 50, 9)) is None


def test_monthly_statements_need_twelve() -> None:
    """Four months in a row are no year; twelve are."""
    starts = [date(2025 + (9 + i) // 12, (9 + i) % 12 + 1, 1) for i in range(13)]
    months = [
        activity((first.isoformat(), (after - timedelta(days=1)).isoformat()), 10, i)
        for i, (first, after) in enumerate(pairwise(starts))
    ]
    assert turnover(*months[8:]) is None
    assert turnover(*months) == 120


def test_the_lower_of_two_readings_of_one_quarter_counts() -> None:
    """A statement that was sent twice, with other figures, cannot lift the turnover."""
    read = [activity(QUARTERS[i], SALES[i], i) for i in range(4)]
    assert turnover(*read, activity(QUARTERS[3], 900, 8)) == 1_000
    assert turnover(*read, activity(QUARTERS[3], 50, 8)) == 650


def test_the_financial_year_speaks_where_the_statements_do_not() -> None:
    """The newest financial year's turnover, and its profit or loss."""
    old = paper("financial_statements", 1, period_to="2025-06-30", turnover_cents=5_000, profit_cents=900)
    new = paper("financial_statements", 2, period_to="2026-06-30", turnover_cents=8_000, profit_cents=-70)
    found = verified_documents([new, old], by="person")
    assert (found.turnover_12m_cents, found.profit_cents) == (8_000, -70)
    assert turnover(new, *(activity(QUARTERS[i], SALES[i], i) for i in range(4))) == 1_000


def test_the_newest_tax_account_counts() -> None:
    """What was overdue last month is not what is overdue now; a credit is nothing overdue."""
    before = paper("tax_account", 1, as_of="2026-10-01", overdue_cents=900_000, plan=True)
    now = paper("tax_account", 2, as_of="2026-11-20", overdue_cents=-5_000, plan=False)
    found = verified_documents([before, now], by="machine")
    assert (found.overdue_tax_cents, found.tax_plan, found.by) == (0, False, "machine")


def test_nothing_said_is_no_figure() -> None:
    """Accepted documents without figures are kept by kind and digest, and every figure stays none."""
    found = verified_documents([paper("identity", 3, name="Vera Sample")], by="person")
    assert found.model_dump(exclude={"accepted", "by"}) == {
        "turnover_12m_cents": None, "overdue_tax_cents": None, "tax_plan": None, "profit_cents": None,
        "covered_to": None,
    }  # fmt: skip
    assert found.kinds == {"identity"}
    assert found.accepted[0].sha256 == f"{3:064x}"
    assert b"Vera" not in found.canonical()


# -- uploaded rows against accepted statements ---------------------------------------------------------------


def uploaded() -> tuple[BankData, int]:
    """Rows that an applicant sent, and what comes in over their window."""
    bank = business(bank={"evidence": "declared"})[1].bank.value
    assert bank is not None
    amounts = bank.transactions["amount_cents"]
    return bank, int(amounts[amounts > 0].sum())


def statement(first: date, last: date, credits_cents: int, name: str = "BANKSIA HOMEWARES", number: int = 0) -> Read:
    """An accepted bank statement."""
    return paper(
        "bank_statement", number, account_name=name, period_from=first.isoformat(), period_to=last.isoformat(),
        closing_cents=0, credits_cents=credits_cents,
    )  # fmt: skip


def test_rows_that_statements_bear_out_agree() -> None:
    """One statement over the whole window, or two that meet, with as much coming in as the rows show."""
    bank, came_in = uploaded()
    middle = bank.oldest_on + timedelta(days=90)
    assert statements_agree(bank, [statement(bank.oldest_on, bank.newest_on, came_in)])
    halves = [
        statement(bank.oldest_on, middle, came_in // 2 + 1),
        statement(middle + timedelta(days=1), bank.newest_on, came_in // 2 + 1),
    ]
    assert statements_agree(bank, halves)
    assert not statements_agree(bank, halves[:1])


def test_inflated_rows_do_not_agree() -> None:
    """Rows that show over one per cent more coming in than the statements are not verified by them."""
    bank, came_in = uploaded()
    assert statements_agree(bank, [statement(bank.oldest_on, bank.newest_on, came_in * 995 // 1_000)])
    assert not statements_agree(bank, [statement(bank.oldest_on, bank.newest_on, came_in * 98 // 100)])


def test_a_statement_sent_twice_counts_once() -> None:
    """Two copies do not add up to twice the money."""
    bank, came_in = uploaded()
    copies = [statement(bank.oldest_on, bank.newest_on, came_in * 6 // 10, number=i) for i in range(2)]
    assert not statements_agree(bank, copies)


def test_a_gap_or_a_missing_total_does_not_agree() -> None:
    """A day that no statement covers, a total that nobody recorded, or no statement at all: nothing was verified."""
    bank, came_in = uploaded()
    gap = [
        statement(bank.oldest_on, bank.oldest_on + timedelta(days=50), came_in),
        statement(bank.oldest_on + timedelta(days=52), bank.newest_on, came_in),
    ]
    whole = statement(bank.oldest_on, bank.newest_on, came_in)
    untold = (whole[0], whole[1], {name: value for name, value in whole[2].items() if name != "credits_cents"})
    for read in (gap, [untold], [], [("tax_account", *whole[1:])]):
        assert not statements_agree(bank, read)
