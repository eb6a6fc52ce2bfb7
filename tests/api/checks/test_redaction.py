"""Tax file, Medicare and card numbers go, wherever and however they stand; the business's own numbers stay."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.checks.reading import Row
from api.checks.redaction import hide_in, is_card, is_medicare, is_tfn, redact
from api.checks.values import MOST_REDACTIONS
from tests.support.checking import ABN, ACN, typed

TFN, OTHER_TFN = "123456782", "876543210"  # made up, and right by their check digits
CARD, MEDICARE = "4111111111111111", "2123456701"


def rows_of(text: str) -> tuple[Row, ...]:
    """Typed text as rows."""
    return typed("tax_account", text).rows


def kept(text: str, keep: frozenset[str] = frozenset()) -> str:
    """What is left of a text."""
    return "\n".join(row.text for row in redact(rows_of(text), keep).rows)


def digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def test_the_check_digits_tell_such_numbers_from_others() -> None:
    """Numbers that pass are told from numbers that differ in one digit."""
    assert is_tfn(TFN)
    assert is_tfn(OTHER_TFN)
    assert not is_tfn("123456789")
    assert is_card(CARD)
    assert not is_card("4111111111111112")
    assert is_medicare(MEDICARE)
    assert not is_medicare("2123456711")


@pytest.mark.parametrize(
    "text",
    [
        f"TFN {TFN}", "TFN: 123 456 782", "Tax file number 123-456-782", "T.F.N. 123.456.782", "Tax File No. 123456782",
        "tax file number  1 2 3 4 5 6 7 8 2", "TFN      876 543 210", "Your TFN is 123 456 782 and no other",
        "Tax file number\n123 456 782", "Name        TFN\nA. Person   123 456 782", "TFN 1Z3 4S6 78Z",
        "TFN 123 456 789", "Notice of assessment   123 456 782", "ATO payment 876543210",
    ],
)  # fmt: skip
def test_a_tax_file_number_goes_however_it_is_written(text: str) -> None:
    """With a label in whatever grouping, above it, misread or with wrong check digits; without one beside tax words."""
    left = kept(text)
    assert len(digits(left)) <= 2, left
    assert "•" in left


@pytest.mark.parametrize(
    "text",
    [
        "Card number 4111 1111 1111 1111", "VISA 4111-1111-1111-1111", f"visa card {CARD}",
        "Medicare number 2123 45670 1", "Medicare 2123456701", "2123 45670 1",
    ],
)  # fmt: skip
def test_cards_and_medicare_numbers_go(text: str) -> None:
    """Payment cards and health cards are never kept either."""
    assert len(digits(kept(text))) <= 2


@pytest.mark.parametrize(
    "text",
    [
        "ABN 98 900 000 008", "ACN 900 000 008", "BSB 923-456 Account number 123456782", "Invoice 123456782",
        "8 Jul 2026  EFTPOS settlement  5,504.96  61,675.67", "Total sales  $123,456,782.00", "Phone 02 1234 5678",
        "TFN withholding credited   $123,456.78",
    ],
)  # fmt: skip
def test_other_numbers_stay(text: str) -> None:
    """Business numbers, accounts, invoices, telephones and amounts are read on."""
    assert kept(f"Activity statement\n{text}").endswith(text.replace("   ", "  "))


def test_the_business_s_own_numbers_stay_even_where_they_look_like_another() -> None:
    """An ACN that passes as a tax file number stays where it is known, and a stranger's number goes."""
    text = f"Australian Taxation Office\n{ACN}\n{ABN}\n{TFN}"
    left = kept(text, frozenset({ABN, ACN}))
    assert ACN in left
    assert ABN in left
    assert TFN not in left


def test_what_a_label_gave_away_goes_everywhere() -> None:
    """The same number later on, in other groups and without a label, goes as well, and each place is painted."""
    found = redact(rows_of(f"TFN 123 456 782\nReference {TFN}\nLedger 12345 6782"))
    assert not any(digits(row.text) for row in found.rows)
    assert len(found.places) == 3
    assert found.numbers == {TFN}


def test_a_last_look_takes_what_was_hidden_elsewhere() -> None:
    """A string that is about to be kept loses a number known from the document, and keeps what is not one."""
    assert digits(hide_in(f"payment {TFN}", frozenset({TFN}))) == ""
    assert hide_in(f"payment {TFN}", frozenset()) == f"payment {TFN}"
    assert digits(hide_in(f"TFN {TFN}", frozenset())) == ""


def test_the_place_that_is_painted_covers_the_number_and_not_its_label() -> None:
    """The box holds the nine digits and leaves the row's first word."""
    [row] = rows_of("Name A. Person     TFN     123 456 782")
    [place] = redact([row]).places
    left, _, right, _ = row.place(row.text.index("1"), len(row.text))
    assert place.box[0] <= left < right <= place.box[2]
    assert place.box[0] > row.place(0, 4)[2]


def test_more_places_than_are_kept_paint_whole_pages() -> None:
    """Where there are too many to keep, each page that has one is painted over, so that none shows."""
    page = "\n".join(f"TFN 123 456 782 {number}" for number in range(MOST_REDACTIONS // 2 + 1))
    found = redact(rows_of(f"{page}\f{page}"))
    assert [(each.page, each.box) for each in found.places] == [(1, (0, 0, 1000, 1000)), (2, (0, 0, 1000, 1000))]


@given(st.integers(10_000_000, 999_999_999), st.sampled_from(["", " ", "-", "."]), st.sampled_from(["TFN", "Tax file"]))
def test_no_labelled_number_of_that_length_survives(number: int, gap: str, label: str) -> None:
    """Whatever its digits and however it is grouped, a number at that label leaves none of them."""
    text = gap.join(re.findall(r"\d{1,3}", str(number)))
    assert digits(kept(f"{label} {text}")) == ""
