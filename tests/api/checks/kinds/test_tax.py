"""Activity statements and tax accounts: labels misread, sums that do not agree, periods and plans in other words."""

import pytest

from api.checks.kinds import activity_statement, tax_account
from tests.support.checking import results, typed, values, verdicts

FORM = """
Business activity statement
Document ID         15627018814
ABN                 98 900 000 008
Name                Hakea Joinery Pty Ltd
Period              1 Jul 2026 to 30 Sep 2026
G1 Total sales                     $110,000
Does the amount shown at G1 include GST?   Yes
1A GST on sales                    $10,000
1B GST on purchases                $4,000
W1 Total salary and wages          $25,000
W2 Amounts withheld from W1        $5,000
W5 Total amounts withheld          $5,000
4  PAYG tax withheld               $5,000
8A Amount you owe the ATO          $15,000
8B Amount the ATO owes you         $4,000
9  Your payment or refund amount   $11,000
"""
ACCOUNT = """
Account summary
Name                Hakea Joinery Pty Ltd
ABN                 98 900 000 008
As at               9 October 2026
Overdue                       $1,500.00
Not yet due                   $2,500.00
Total balance                 $4,000.00
You have an active payment plan for this account.
"""


def activity(text: str, scanned: bool = False) -> dict[str, str]:
    return verdicts(typed("activity_statement", text, scanned=scanned), activity_statement.CHECKS)


def account(text: str, scanned: bool = False) -> dict[str, str]:
    return verdicts(typed("tax_account", text, scanned=scanned), tax_account.CHECKS)


def test_a_statement_passes_and_says_what_is_recorded() -> None:
    """In whole cents and ISO days, with the number of the document beside."""
    found = results(typed("activity_statement", FORM), activity_statement.CHECKS)
    assert {result.verdict for result in found.values()} == {"pass"}
    assert values(found.values()) == {
        "abn": "98900000008", "legal_name": "Hakea Joinery Pty Ltd", "period_from": "2026-07-01",
        "period_to": "2026-09-30", "document_id": "15627018814", "sales_cents": "11000000",
        "gst_on_sales_cents": "1000000",
    }  # fmt: skip


@pytest.mark.parametrize(("gst", "with_gst", "verdict"), [
    ("$10,001", "Yes", "pass"), ("$10,002", "Yes", "fail"), ("$11,001", "No", "pass"), ("$11,002", "No", "fail"),
    ("$0", "Yes", "pass"),
])  # fmt: skip
def test_gst_is_at_most_an_eleventh_of_sales_or_a_tenth_of_sales_without_it(
    gst: str, with_gst: str, verdict: str
) -> None:
    """To the dollar, since the form has no cents; less is right, for not all sales are taxed."""
    text = FORM.replace("1A GST on sales                    $10,000", f"1A GST on sales                    {gst}")
    text = text.replace("include GST?   Yes", f"include GST?   {with_gst}")
    assert activity(text)["gst"] == verdict
    assert activity(text, scanned=True)["gst"] == ("warn" if verdict == "fail" else verdict)


@pytest.mark.parametrize("old", [
    "9  Your payment or refund amount   $11,000", "8A Amount you owe the ATO          $15,000",
    "8B Amount the ATO owes you         $4,000", "1B GST on purchases                $4,000",
    "W2 Amounts withheld from W1        $5,000", "4  PAYG tax withheld               $5,000",
])  # fmt: skip
def test_a_sum_that_does_not_agree_is_found(old: str) -> None:
    """Any one of the amounts that make the net, changed."""
    text = FORM.replace(old, old.replace(",000", ",700"))
    found = verdicts(typed("activity_statement", text), activity_statement.CHECKS)
    assert found == {**activity(FORM), "net": "fail"}
    assert activity(text, scanned=True)["net"] == "warn"


def test_a_refund_is_told_without_its_sign() -> None:
    """More credits than tax: the form says what comes back as a plain amount."""
    text = FORM.replace("$4,000", "$40,000").replace("$11,000", "$25,000")
    assert activity(text)["net"] == "pass"


def test_more_withheld_than_wages_is_found() -> None:
    """W2 is a part of W1."""
    assert activity(FORM.replace("$25,000", "$4,000"))["net"] == "fail"


def test_misread_codes_are_read_by_their_words() -> None:
    """G1 as 61, 1A as IA or ia: the words beside them, or what they look like, say which label it is."""
    text = FORM.replace("G1 Total", "61 Total").replace("1A GST", "IA GST").replace("1B GST", "lB GST")
    assert activity(text, scanned=True) == activity(FORM)
    bare = FORM.replace("G1 Total", "Total").replace("1A GST", "GST").replace("9  Your", "Your")
    assert activity(bare, scanned=True) == activity(FORM)


def test_without_sales_or_net_nothing_is_compared_but_what_was_read_is_told() -> None:
    """The amount of 1A is there and kept; the check says that it could not compare."""
    text = FORM.replace("G1 Total sales                     $110,000", "").replace("9  Your payment or refund", "")
    found = results(typed("activity_statement", text), activity_statement.CHECKS)
    assert (found["gst"].verdict, found["net"].verdict) == ("unread", "unread")
    assert values(found.values())["gst_on_sales_cents"] == "1000000"


@pytest.mark.parametrize(("period", "verdict"), [
    ("1 Jul 2026 to 30 Sep 2026", "pass"), ("1 September 2026 - 30 September 2026", "pass"),
    ("01/07/2026 to 30/09/2026", "pass"), ("1 Jul 2026 to 29 Sep 2026", "warn"), ("2 Jul 2026 to 30 Sep 2026", "warn"),
    ("1 Jun 2026 to 31 Aug 2026", "warn"), ("1 Jul 2025 to 30 Jun 2026", "warn"), ("third quarter", "unread"),
])  # fmt: skip
def test_the_period_is_a_month_or_a_quarter_of_the_year(period: str, verdict: str) -> None:
    """Anything else is looked at, a year's statement too."""
    assert activity(FORM.replace("1 Jul 2026 to 30 Sep 2026", period))["period"] == verdict


def test_a_statement_is_too_old_after_its_last_due_quarter() -> None:
    """150 days from the end of the period, and never from the future."""
    for old, verdict in (("1 Apr 2026 to 30 Jun 2026", "pass"), ("1 Jan 2026 to 31 Mar 2026", "fail"),
                         ("1 Oct 2026 to 31 Dec 2026", "fail")):  # fmt: skip
        assert activity(FORM.replace("1 Jul 2026 to 30 Sep 2026", old))["age"] == verdict


def test_an_account_passes_and_says_what_is_recorded() -> None:
    """What is overdue in cents, the day, and the plan as yes."""
    found = results(typed("tax_account", ACCOUNT), tax_account.CHECKS)
    assert {result.verdict for result in found.values()} == {"pass"}
    assert values(found.values()).items() >= {
        "abn": "98900000008", "as_of": "2026-10-09", "overdue_cents": "150000", "plan": "yes",
    }.items()  # fmt: skip


@pytest.mark.parametrize(("words", "plan"), [
    ("There is no payment plan in place.", "no"), ("Payment plan: None", "no"), ("Payment arrangement: Nil", "no"),
    ("You do not have an active payment plan.", "no"), ("Payment plan  Cancelled", "no"),
    ("Payment plan: Active", "yes"), ("A payment plan is in place.", "yes"), ("Payment plan: Yes", "yes"),
    ("Payment arrangement approved", "yes"), ("Ask us about a payment plan.", None), ("", None),
])  # fmt: skip
def test_a_plan_is_there_or_not_only_where_words_say_so(words: str, plan: str | None) -> None:
    """An offer of one says neither."""
    text = ACCOUNT.replace("You have an active payment plan for this account.", words)
    found = results(typed("tax_account", text), tax_account.CHECKS)
    assert values(found.values()).get("plan") == plan
    assert found["plan"].verdict == ("pass" if plan else "unread")


def test_parts_that_do_not_make_the_balance_fail_and_still_say_what_is_overdue() -> None:
    """In a scan they warn."""
    text = ACCOUNT.replace("$4,000.00", "$4,100.00")
    assert (account(text)["totals"], account(text, scanned=True)["totals"]) == ("fail", "warn")
    found = results(typed("tax_account", ACCOUNT.replace("Total balance", "")), tax_account.CHECKS)
    assert found["totals"].verdict == "unread"
    assert values(found.values())["overdue_cents"] == "150000"


def test_rows_are_held_against_the_balance_beside_them() -> None:
    """Debits owe: a row that its balance does not follow is found."""
    table = """
Processed    Description               Debit       Credit      Balance
1/08/2026    Activity statement        $4,000.00               $4,000.00 DR
2/09/2026    Payment received                      $500.00     $3,500.00 DR
3/09/2026    Interest                  $500.00                 $4,000.00 DR
"""
    assert account(ACCOUNT + table)["totals"] == "pass"
    assert account(ACCOUNT + table.replace("$3,500.00 DR", "$3,600.00 DR"))["totals"] == "fail"


def test_an_account_older_than_a_week_fails() -> None:
    """Seven days are allowed."""
    assert account(ACCOUNT.replace("9 October", "5 October"))["age"] == "pass"
    assert account(ACCOUNT.replace("9 October", "4 October"))["age"] == "fail"
    assert account(ACCOUNT.replace("9 October", "4 October"), scanned=True)["age"] == "warn"
