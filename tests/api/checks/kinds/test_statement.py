"""Bank statements: every row counts, sums, pages and days."""

import re
from datetime import date
from typing import Any

import pytest

from api.checks.kinds.ledger import ledger_of
from api.checks.kinds.statement import CHECKS
from tests.support.checking import results, typed, values, verdicts

STATEMENT = """
Account name      Hakea Joinery Pty Ltd
BSB               923-456
Account number    12345678
Statement period  1 September 2026 to 30 September 2026
Opening balance              $1,000.00
Total credits                $500.00
Total debits                 $150.00
Closing balance              $1,350.00

Date         Particulars                   Debits     Credits     Balance
1 Sep 2026   Brought forward                                      1,000.00
3 Sep 2026   Rent Unit 4                   100.00
3 Sep 2026   Customer payment                          200.00     1,100.00
9 Sep 2026   Card purchase 12 Sep 2026      50.00                 1,050.00
28 Sep       Deposit                                   300.00     1,350.00

Page 1 of 1
"""

# Other habits: sums under their heads and "blank" cells; rows of several lines; one number for branch and account.
SUMS_UNDER = """
BUSINESS ESSENTIALS STATEMENT
STATEMENT NUMBER 12
01 SEPTEMBER 2026 TO 30 SEPTEMBER 2026
HAKEA JOINERY PTY LTD
Account Details                 Branch Number (BSB)   923-456    Account Number   1234-56789
Opening Balance   Total Deposits   Total Withdrawals   Closing Balance
$1,000.00         $500.00          $150.00             $1,350.00

Date     Transaction Details              Withdrawals ($)   Deposits ($)   Balance ($)
2026
01 SEP   OPENING BALANCE                                                   1,000.00
03 SEP   PAYMENT                          100.00            blank            900.00
         TO RENT CO
         EFFECTIVE DATE 02 SEP 2026
04 SEP   TRANSFER                         blank             500.00         1,400.00
         FROM CUSTOMER 123456
30 SEP   ACCOUNT SERVICING FEE            50.00             blank          1,350.00
TOTALS AT END OF PAGE                     $150.00           $500.00
TOTALS AT END OF PERIOD                   $150.00           $500.00        $1,350.00
Page 1 of 1
"""
LONG_ROWS = """
Statement Period
1 September 2026 - 30 September 2026
Account Name
HAKEA JOINERY PTY LTD
BSB          Account Number
923-456      123 456
Opening Balance      + $1,000.00
Total Credits        + $500.00
Total Debits         - $150.00
Closing Balance      + $1,350.00
DATE       TRANSACTION DESCRIPTION            DEBIT       CREDIT      BALANCE
01/09/26   STATEMENT OPENING BALANCE                                  1,000.00
03/09/26   Withdrawal Online 1234567 Pymt
           Rent Co                            100.00                    900.00
04/09/26   Deposit Customer Pty                           500.00      1,400.00
30/09/26   Service Fee                         50.00                  1,350.00
30/09/26   CLOSING BALANCE                                            1,350.00
Statement No. 12   Page 1 of 1
"""
ONE_NUMBER = """
Your Statement      Statement 5 (Page 1 of 1)
Account Number  923456 12345678
Statement Period  1 Sep 2026 - 30 Sep 2026
Closing Balance  $1,350.00 CR
Name: HAKEA JOINERY PTY LTD
Date     Transaction                  Debit     Credit    Balance
01 Sep   2026 OPENING BALANCE                             $1,000.00 CR
03 Sep   Rent Co
         Card xx1234                  100.00              $900.00 CR
04 Sep   Customer                               500.00    $1,400.00 CR
30 Sep   Fee                           50.00              $1,350.00 CR
30 Sep   2026 CLOSING BALANCE                             $1,350.00 CR
Opening balance - Total debits + Total credits = Closing balance
$1,000.00 CR      $150.00        $500.00         $1,350.00 CR
"""


def told(text: str, **expected: Any) -> dict[str, str]:
    """The verdict of each check on a typed statement."""
    return verdicts(typed("bank_statement", text, **expected), CHECKS)


def test_a_statement_that_adds_up_passes_every_check() -> None:
    """Rows without a balance are proved by the next one that has it; a day in the words is no day of the row."""
    assert set(told(STATEMENT).values()) == {"pass"}
    subject = typed("bank_statement", STATEMENT)
    assert [entry.cents for entry in ledger_of(subject).moves] == [-10_000, 20_000, -5_000, 30_000]
    assert [entry.on for entry in ledger_of(subject).moves][-1] == date(2026, 9, 28)


def test_what_a_reviewer_records_is_found_under_its_own_name() -> None:
    """Account name, period, closing balance and credits, money in whole cents."""
    read = values(results(typed("bank_statement", STATEMENT), CHECKS).values())
    assert {
        name: read[name] for name in ("account_name", "period_from", "period_to", "closing_cents", "credits_cents")
    } == {
        "account_name": "Hakea Joinery Pty Ltd", "period_from": "2026-09-01", "period_to": "2026-09-30",
        "closing_cents": "135000", "credits_cents": "50000",
    }  # fmt: skip


@pytest.mark.parametrize("text", [SUMS_UNDER, LONG_ROWS, ONE_NUMBER])
def test_other_habits_of_statements_are_read_as_well(text: str) -> None:
    """Each passes whole, with the values that a reviewer records; a changed row is noticed in each."""
    assert set(told(text).values()) == {"pass"}
    read = values(results(typed("bank_statement", text), CHECKS).values())
    assert {name: read[name] for name in ("account_name", "bsb", "closing_cents", "credits_cents", "period_from")} == {
        "account_name": "HAKEA JOINERY PTY LTD", "bsb": "923456", "closing_cents": "135000", "credits_cents": "50000",
        "period_from": "2026-09-01",
    }  # fmt: skip
    altered = re.sub(r"( )500\.00(\s+\$?1,400)", r"\g<1>900.00\2", text)
    assert altered != text
    assert {told(altered)[name] for name in ("running_balance", "totals")} == {"fail"}


@pytest.mark.parametrize(
    ("before", "after", "wrong"),
    [
        ("200.00     1,100.00", "900.00     1,100.00", {"running_balance", "totals"}),
        ("50.00                 1,050.00", "50.00                 1,051.00", {"running_balance"}),
        ("$500.00", "$5,000.00", {"totals"}),
        ("Closing balance              $1,350.00", "Closing balance              $9,350.00", {"totals"}),
        ("9 Sep 2026 ", "1 Sep 2026 ", {"period"}),
        ("28 Sep   ", "28 Dec 2026", {"period", "future_rows"}),
        ("Page 1 of 1", "Page 1 of 3", {"pages"}),
        ("1 September 2026 to 30 September 2026", "1 August 2026 to 31 August 2026", {"period", "age"}),
        ("Account name      Hakea Joinery Pty Ltd", "Account name      Correa Freight Pty Ltd", {"account_name"}),
    ],
)
def test_each_alteration_fails_in_its_own_check(before: str, after: str, wrong: set[str]) -> None:
    """One change of the page fails the checks that it touches, and no other."""
    assert before in STATEMENT
    found = told(STATEMENT.replace(before, after, 1))
    assert {name for name, verdict in found.items() if verdict == "fail"} == wrong


def test_in_a_scan_a_person_looks_instead() -> None:
    """A figure that does not add up may be misread: the check warns, and does not fail."""
    altered = typed("bank_statement", STATEMENT.replace("50.00        ", "80.00        ", 1), scanned=True)
    assert verdicts(altered, CHECKS)["running_balance"] == "warn"


def test_the_account_is_compared_where_the_application_states_it() -> None:
    """The same number without leading zeros passes; another one fails."""
    assert told(STATEMENT, bsb="923456", account_number="012345678")["account_number"] == "pass"
    assert told(STATEMENT, bsb="923456", account_number="12345679")["account_number"] == "fail"


def test_a_period_that_was_asked_for_has_to_be_covered() -> None:
    """A month that begins later than asked fails, and so does a long time without any row by a warning."""
    assert told(STATEMENT, covers_from=date(2026, 8, 1))["period"] == "fail"
    long = STATEMENT.replace("1 September 2026 to", "1 June 2026 to")
    assert told(long)["period"] == "warn"


def test_a_page_without_a_table_reads_as_nothing() -> None:
    """Checks that find nothing say so, and do not pass."""
    found = told("A letter about nothing at all")
    assert {found[name] for name in ("running_balance", "totals", "pages", "period", "age")} == {"unread"}
