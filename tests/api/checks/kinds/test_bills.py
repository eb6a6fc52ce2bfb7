"""Invoices, rates notices and proofs of account: sums, senders, and names that have to be the business's."""

from typing import Any

import pytest

from api.checks.kinds import bank_account_proof, rates_notice, supplier_invoice
from tests.support.checking import results, typed, values, verdicts

INVOICE = """
Lanternfield Wholesale Pty Ltd
ABN 51 824 753 556
TAX INVOICE
Date                02/10/2026
Payment due         1 November 2026
Bill to
Hakea Joinery Pty Ltd
Description                  Qty    Unit price    Amount
Pine boards 90 x 35          10     12.50         125.00
Freight                      1      75.00         75.00
Subtotal                                          200.00
GST 10%                                           20.00
Total                                             $220.00
Amount due                                        $220.00
"""
INCLUSIVE = """
Supplier:           Lanternfield Wholesale Pty Ltd
PRO-FORMA INVOICE
ABN 51 824 753 556
Invoice date        2 October 2026
Customer            Hakea Joinery Pty Ltd
Description                                       Amount
Pine boards                                       125.00
Freight                                           75.00
Total including GST                               $200.00
GST included in total                             $18.18
"""
NOTICE = """
Made-up Creek City Council
Rates notice
Owner               Hakea Joinery Pty Ltd
Date of issue       3 August 2026
Due date            3 September 2026
Capital improved value      $850,000
General rate                $1,000.00
Waste charge                $250.00
Total amount due            $1,250.00
"""
LETTER = """
Bank of Nowhere
12 September 2026
We confirm this account.
Account name:       Hakea Joinery Pty Ltd
BSB:                923-456
Account number:     12345678
"""
BANKED: dict[str, Any] = {"bsb": "923456", "account_number": "12345678"}


def invoice(text: str, scanned: bool = False) -> dict[str, str]:
    return verdicts(typed("supplier_invoice", text, scanned=scanned), supplier_invoice.CHECKS)


def notice(text: str, scanned: bool = False) -> dict[str, str]:
    return verdicts(typed("rates_notice", text, scanned=scanned), rates_notice.CHECKS)


@pytest.mark.parametrize(("text", "total"), [(INVOICE, "22000"), (INCLUSIVE, "20000")])
def test_an_invoice_passes_and_says_what_is_recorded(text: str, total: str) -> None:
    """Who sends it at the top or at a label, its day and not the day it is due, and its total."""
    found = results(typed("supplier_invoice", text), supplier_invoice.CHECKS)
    assert {result.verdict for result in found.values()} == {"pass"}
    assert values(found.values()).items() >= {
        "supplier": "Lanternfield Wholesale Pty Ltd", "dated": "2026-10-02", "total_cents": total,
        "buyer": "Hakea Joinery Pty Ltd",
    }.items()  # fmt: skip


@pytest.mark.parametrize(("old", "new"), [
    ("75.00         75.00", "95.00         95.00"), ("200.00\n", "210.00\n"), ("20.00\n", "25.00\n"),
    ("$220.00", "$250.00"),
    ("10     12.50         125.00", "12     12.50         125.00"),
])  # fmt: skip
def test_an_invoice_that_does_not_add_up_is_found(old: str, new: str) -> None:
    """A line, a sum, the tax, the total, or a quantity that its price does not make the amount."""
    text = INVOICE.replace(old, new, 1)
    assert invoice(text) == {**invoice(INVOICE), "totals": "fail"}
    assert invoice(text, scanned=True)["totals"] == "warn"


def test_columns_that_are_not_quantity_price_amount_are_not_multiplied() -> None:
    """With a discount between them the last three figures of a line are something else."""
    text = INVOICE.replace("Qty    Unit price    Amount", "Qty    Price  Less    Amount")
    text = text.replace("10     12.50         125.00", "10     14.00  1.50    125.00")
    assert invoice(text)["totals"] == "pass"


def test_the_suppliers_abn_needs_its_check_digits_and_is_not_the_applicants() -> None:
    """Nobody knows it beforehand; in a scan a digit may be misread."""
    wrong = INVOICE.replace("51 824 753 556", "51 824 753 557")
    assert (invoice(wrong)["abn"], invoice(wrong, scanned=True)["abn"]) == ("fail", "warn")
    assert invoice(INVOICE.replace("51 824 753 556", "98 900 000 008"))["abn"] == "warn"
    assert invoice(INVOICE.replace("ABN 51 824 753 556", ""))["abn"] == "unread"


def test_an_invoice_to_somebody_else_fails() -> None:
    """And the one billed is never taken for the sender."""
    assert invoice(INVOICE.replace("Hakea Joinery", "Waratah Freight"))["name"] == "fail"
    found = results(typed("supplier_invoice", "Hakea Joinery Pty Ltd\nTidewater Imports\nABN 51 824 753 556"),
                    supplier_invoice.CHECKS)  # fmt: skip
    assert values(found.values())["supplier"] == "Tidewater Imports"


def test_an_invoice_of_which_nothing_was_read_says_so() -> None:
    """A total without lines is told, and not called right."""
    found = results(typed("supplier_invoice", "Total   $220.00"), supplier_invoice.CHECKS)
    assert {found[name].verdict for name in ("supplier", "abn", "totals", "age")} == {"unread"}
    assert values(found.values())["total_cents"] == "22000"


def test_a_notice_passes_and_says_what_is_recorded() -> None:
    """The value of the property is no charge."""
    found = results(typed("rates_notice", NOTICE), rates_notice.CHECKS)
    assert {result.verdict for result in found.values()} == {"pass"}
    assert values(found.values()).items() >= {"name": "Hakea Joinery Pty Ltd", "dated": "2026-08-03"}.items()


def test_a_notice_that_does_not_add_up_is_anothers_or_old_is_found() -> None:
    """Each in its own check."""
    right = notice(NOTICE)
    assert notice(NOTICE.replace("$250.00", "$350.00")) == {**right, "totals": "fail"}
    assert notice(NOTICE.replace("$250.00", "$350.00"), scanned=True) == {**right, "totals": "warn"}
    assert notice(NOTICE.replace("Hakea Joinery", "Waratah Freight")) == {**right, "name": "fail"}
    assert notice(NOTICE.replace("3 August 2026", "3 August 2025")) == {**right, "age": "fail"}


@pytest.mark.parametrize(("text", "told", "matches"), [
    (LETTER, BANKED, "yes"),
    (LETTER, {}, "yes"),  # the application states no account: the name decides
    (LETTER.replace("12345678", "12345679"), BANKED, "no"),
    (LETTER.replace("Hakea Joinery", "Waratah Freight"), BANKED, "no"),
    (LETTER.replace("Account name:       Hakea Joinery Pty Ltd", ""), BANKED, None),
    (LETTER.replace("Account number:     12345678", ""), BANKED, None),
])  # fmt: skip
def test_an_account_matches_where_name_and_numbers_do(text: str, told: dict[str, Any], matches: str | None) -> None:
    """Where one of them was not read it is left to a person."""
    found = results(typed("bank_account_proof", text, **told), bank_account_proof.CHECKS)
    assert values(found.values()).get("matches") == matches


def test_a_proof_shows_three_digits_of_the_account_and_how_old_it_is() -> None:
    """The day of a letter stands alone; one without a day says nothing of its age."""
    found = results(typed("bank_account_proof", LETTER, **BANKED), bank_account_proof.CHECKS)
    assert {result.verdict for result in found.values()} == {"pass"}
    assert not [each for result in found.values() for each in result.found if "12345678" in each.value]
    old = LETTER.replace("12 September 2026", "12 March 2026")
    assert verdicts(typed("bank_account_proof", old, **BANKED), bank_account_proof.CHECKS)["age"] == "fail"
    undated = LETTER.replace("12 September 2026", "")
    assert verdicts(typed("bank_account_proof", undated, **BANKED), bank_account_proof.CHECKS)["age"] == "unread"
