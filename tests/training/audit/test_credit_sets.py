"""The audit on real credit sets, where their folder is named: what betrays is found, what does not is left alone."""

import os
from pathlib import Path

import pytest

from training.audit import audit

FOLDER = os.environ.get("CREDITLINE_CREDIT_DATA")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="CREDITLINE_CREDIT_DATA names no folder of real credit data")

# Written with or after the outcome: status and charge-off columns; the term, and the drawn amount, written over; the
# day of disbursement; jobs and the urban flag, filled in later for loans that lived.
BETRAYING = {
    "mis_status", "chg_off_date", "chg_off_prin_gr", "months_to_co", "bad36", "term", "disbursement_date",
    "disbursement_gross", "create_job", "retained_job", "urban_rural",
}  # fmt: skip


def table(name: str) -> Path:
    """A set's file."""
    return next(Path(FOLDER or "", name).glob("*.parquet"))


def test_every_column_that_betrays_is_found_in_loans_of_the_sba() -> None:
    """With nothing but target, time and weight named: all eleven, and at most two more."""
    report = audit(table("sba30k"), "bad", "approval_date", "sample_weight")
    assert set(report.betraying) >= BETRAYING
    assert len(set(report.betraying) - BETRAYING) <= 2


def test_columns_of_the_californian_loans_betray_alike() -> None:
    """The same record under other names, and few rows: the outcome's own columns and the term are found."""
    report = audit(table("sbacase_ca"), "Default", "ApprovalDate")
    assert set(report.betraying) >= {"MIS_Status", "ChgOffDate", "ChgOffPrinGr", "Term", "daysterm", "DisbursementDate"}


@pytest.mark.parametrize(
    ("name", "target", "bad"),
    [
        ("german", "class_2bad", "2"), ("australian", "class", None), ("uci_default", "class", None),
        ("heloc", "RiskFlag", "Bad"), ("gmsc", "SeriousDlqin2yrs", None),
    ],
)  # fmt: skip
def test_application_time_columns_are_left_alone(name: str, target: str, bad: str | None) -> None:
    """In sets of columns known at application nothing is barred."""
    assert list(audit(table(name), target, bad=bad).betraying) == []
