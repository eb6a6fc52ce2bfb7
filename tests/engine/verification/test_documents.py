"""Kinds of document, what is recorded from them, and why one is sent back."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.verification.documents import DOCUMENT_KINDS, KINDS, RETURN_REASONS, parse_value

REASONS = [
    "BLURRY", "CROPPED", "PAGES_MISSING", "EXPIRED", "WRONG_DOC_TYPE", "NAME_MISMATCH", "ABN_MISMATCH",
    "PERIOD_NOT_COVERED", "TOO_OLD", "PASSWORD_PROTECTED", "NOT_ORIGINAL_PDF", "TOTALS_DO_NOT_ADD",
    "SUSPECTED_ALTERATION", "UNREADABLE_FILE", "DUPLICATE",
]  # fmt: skip


def test_every_kind_is_told_in_plain_words() -> None:
    """Each of the eleven kinds has a title, one sentence that asks for it, and something to record."""
    assert tuple(KINDS) == DOCUMENT_KINDS
    assert len(KINDS) == 11
    for name, kind in KINDS.items():
        assert kind.name == name
        assert kind.title
        assert kind.ask.endswith(".")
        assert any(each.needed for each in kind.fields)
        assert len({each.name for each in kind.fields}) == len(kind.fields)


def test_the_field_that_dates_a_kind_is_a_date_that_is_needed() -> None:
    """What says how old a document is has to be recorded."""
    dates = {(k.name, each.name) for k in KINDS.values() for each in k.fields if each.unit == "date" and each.needed}
    assert {(kind.name, kind.dated_by) for kind in KINDS.values() if kind.dated_by} <= dates


def test_money_is_recorded_in_cents() -> None:
    """A field's name ends in `_cents` exactly where its unit is cents."""
    for kind in KINDS.values():
        for each in kind.fields:
            assert each.name.endswith("_cents") == (each.unit == "cents")


def test_every_reason_says_what_was_wrong_and_what_to_send() -> None:
    """Exactly the coded reasons, each with two sentences."""
    assert list(RETURN_REASONS) == REASONS
    for reason in RETURN_REASONS.values():
        assert reason.wrong.endswith(".")
        assert reason.send.endswith(".")


def test_nobody_is_called_a_forger() -> None:
    """A suspected alteration is told as a document that could not be relied on, and no reason speaks of tampering."""
    assert RETURN_REASONS["SUSPECTED_ALTERATION"].wrong == "We could not rely on this document."
    said = " ".join(f"{reason.wrong} {reason.send}" for reason in RETURN_REASONS.values()).lower()
    assert [word for word in ("alter", "forg", "tamper", "fraud", "fake", "suspect") if word in said] == []


@pytest.mark.parametrize(
    ("kind", "field", "typed", "value"),
    [
        ("activity_statement", "sales_cents", "12,345.67", 1_234_567),
        ("activity_statement", "sales_cents", "$12,345.6", 1_234_560),
        ("financial_statements", "profit_cents", "-900", -90_000),
        ("tax_account", "as_of", " 2026-11-20 ", "2026-11-20"),
        ("tax_account", "plan", "Yes", True),
        ("tax_account", "plan", "no", False),
        ("identity", "name", "  Vera   Sample ", "Vera Sample"),
    ],
)
def test_what_was_typed_is_read(kind: str, field: str, typed: str, value: object) -> None:
    """Amounts become cents, dates stay ISO dates, a yes is a yes, and text loses its spare spaces."""
    assert parse_value(kind, field, typed) == value


@pytest.mark.parametrize(
    ("kind", "field", "typed"),
    [
        ("activity_statement", "sales_cents", "12.345,67"),
        ("activity_statement", "sales_cents", "1e9"),
        ("activity_statement", "sales_cents", "9" * 30),
        ("activity_statement", "sales_cents", "1.005"),
        ("activity_statement", "sales_cents", ""),
        ("tax_account", "as_of", "20/11/2026"),
        ("tax_account", "as_of", "2026-02-30"),
        ("tax_account", "plan", "maybe"),
        ("identity", "name", ""),
        ("identity", "name", "x" * 201),
        ("identity", "name", "Vera\u202eSample"),
        ("identity", "sales_cents", "1"),
    ],
)
def test_what_cannot_be_is_refused_without_repeating_it(kind: str, field: str, typed: str) -> None:
    """A value that the field cannot hold is a ValueError in plain words that do not hold the value."""
    with pytest.raises(ValueError, match=r"^(Write|Say|The amount|This kind)") as refused:
        parse_value(kind, field, typed)
    assert typed == "" or typed not in str(refused.value) or len(typed) == 1


@given(st.integers(-100_000_000_000, 100_000_000_000))
def test_every_amount_comes_back(cents: int) -> None:
    """Dollars and cents as people write them give exactly those cents."""
    written = f"{'-' if cents < 0 else ''}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"
    assert parse_value("financial_statements", "profit_cents", written) == cents


@given(st.dates())
def test_every_date_comes_back(day: date) -> None:
    """A date as it is asked for is read as it is."""
    assert parse_value("tax_account", "as_of", day.isoformat()) == day.isoformat()
