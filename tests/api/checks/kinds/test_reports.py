"""Financial statements: columns, notes, totals of totals, rounding, losses, turnover against what is declared."""

import pytest

from api.checks.kinds.financial_statements import CHECKS
from tests.support.checking import results, typed, values, verdicts

REPORT = """
Hakea Joinery Pty Ltd
ABN 98 900 000 008
For the year ended 30 June 2026
Profit and loss
                        Note      2026            2025
Sales                    2        500,000         400,000
Cost of sales                     200,000         150,000
Gross profit                      300,000         250,000
Expenses
Rent                     3        60,000          50,000
Wages                             140,950         120,000
Total expenses                    200,950         170,000
Net profit                        99,050          80,000
Balance sheet
                                  2026            2025
Cash at bank             4        30,000          20,000
Inventory                         50,000          40,000
Total current assets              80,000          60,000
Plant                             20,000          -
Total non-current assets          20,000          -
Total assets                      100,000         60,000
Trade creditors                   40,000          30,000
Total liabilities                 40,000          30,000
Net assets                        60,000          30,000
Total equity                      60,000          30,000
Page 1 of 1
"""
FIELDS = {
    "name": "Hakea Joinery Pty Ltd", "period_to": "2026-06-30", "turnover_cents": "50000000", "profit_cents": "9905000",
}  # fmt: skip


def report(text: str, scanned: bool = False, **expected: object) -> dict[str, str]:
    return verdicts(typed("financial_statements", text, scanned=scanned, **expected), CHECKS)


def test_a_report_passes_and_says_what_is_recorded() -> None:
    """The newest year's column alone, without the numbers of notes."""
    found = results(typed("financial_statements", REPORT), CHECKS)
    assert {result.verdict for result in found.values()} == {"pass"}
    assert values(found.values()).items() >= FIELDS.items()
    assert found["totals"].says == "All totals (8) are the sums of their lines."


def test_the_newest_year_may_stand_second() -> None:
    """The head of the column says which it is."""
    swapped = "\n".join(
        line[:34] + line[50:].ljust(16) + line[34:50] if len(line) > 50 else line for line in REPORT.splitlines()
    )
    found = results(typed("financial_statements", swapped), CHECKS)
    assert values(found.values()).items() >= FIELDS.items()
    assert found["totals"].verdict == "pass"


@pytest.mark.parametrize("old", [
    "140,950 ", "200,950 ", "300,000 ", "50,000          40,000", "80,000          60,000", "100,000 ",
    "40,000          30,000",
])  # fmt: skip
def test_a_figure_that_is_not_its_lines_sum_is_found(old: str) -> None:
    """A line, a total, a total of totals: changed by a thousand, it does not cast, and warns in a scan."""
    amount = old.partition(" ")[0]
    place = REPORT.rindex(old)
    new = f"{int(amount.replace(',', '')) + 1_000:,}"
    text = REPORT[:place] + new + REPORT[place + len(amount) :]
    assert report(text)["totals"] == "fail"
    assert report(text, scanned=True)["totals"] == "warn"


def test_a_profit_that_is_not_what_is_left_is_found() -> None:
    """Income less costs, whatever the totals say."""
    assert report(REPORT.replace("99,050", "199,050"))["profit"] == "fail"
    assert report(REPORT.replace("99,050", "199,050"), scanned=True)["profit"] == "warn"


def test_whole_dollars_may_miss_by_their_rounding() -> None:
    """Two lines hide a dollar between them, and no more."""
    assert report(REPORT.replace("140,950", "140,951"))["totals"] == "pass"
    assert report(REPORT.replace("140,950", "140,952"))["totals"] == "fail"


def test_a_loss_stands_in_brackets() -> None:
    """And is read as less than nothing."""
    text = REPORT.replace("140,950", "340,950").replace("200,950", "400,950").replace("99,050 ", "(100,950)")
    found = results(typed("financial_statements", text), CHECKS)
    assert (found["profit"].verdict, found["totals"].verdict) == ("pass", "pass")
    assert values(found.values())["profit_cents"] == "-10095000"


@pytest.mark.parametrize(("declared", "verdict"), [
    (50_000_000, "pass"), (57_000_000, "pass"), (60_000_000, "warn"), (44_000_000, "pass"), (43_000_000, "warn"),
    (None, "pass"),
])  # fmt: skip
def test_turnover_is_within_fifteen_per_cent_of_what_is_declared(declared: int | None, verdict: str) -> None:
    """Beyond that a person looks; an application that states none is compared with nothing."""
    assert report(REPORT, turnover_12m_cents=declared)["turnover"] == verdict


def test_other_income_and_tax_may_stand_between() -> None:
    """Net profit with other income and after tax adds up as well."""
    text = REPORT.replace(
        "Net profit                        99,050          80,000",
        "Other income                      1,000           -\n"
        "Income tax expense                25,000          -\n"
        "Net profit after tax              75,050          80,000",
    )
    found = results(typed("financial_statements", text), CHECKS)
    assert found["profit"].verdict == "pass"
    assert values(found.values())["profit_cents"] == "7505000"


def test_without_heads_of_columns_nothing_is_cast() -> None:
    """What year a figure is of cannot be told."""
    found = report(REPORT.replace("2026            2025", ""))
    assert (found["totals"], found["turnover"], found["profit"]) == ("unread", "unread", "unread")


def test_a_missing_page_and_an_old_year_are_found() -> None:
    """By the number of pages, and by the end of the year."""
    assert report(REPORT.replace("Page 1 of 1", "Page 1 of 3"))["pages"] == "fail"
    assert report(REPORT.replace("30 June 2026", "30 June 2024"))["age"] == "fail"
