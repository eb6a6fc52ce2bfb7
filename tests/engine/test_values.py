"""Identifiers, telephone numbers, industries, names and moments.

ABN, ACN and telephone vectors: https://asic.gov.au/for-business/registering-a-company/steps-to-register-a-company/
(the 44 numbers of the check-digit page), http://mathgen.ch/codes/abn.html, and arithmetic done apart from the code.
"""

from datetime import UTC, date, datetime

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from engine import values
from engine.values import division_of, is_synthetic_abn, months_between, parse_abn, parse_acn, parse_mobile

VALID_ABNS = [
    "53004085616",
    "51824753556",
    "83914571673",
    "59001215354",
    "13625648722",
    "26008672179",
    "53102443916",
    "74172177893",
    "92531969374",
    "98900000008",
    "77912345674",
    "37955501005",
    "66999999996",
]
SYNTHETIC_ABNS = ["98900000008", "77912345674", "37955501005", "66999999996"]
INVALID_ABNS = (
    *["99999999999", "00000000000", "10000000000", "03531969374", "53004085617", "5300408561", "530040856160"],
    "",
)
VALID_ACNS = [
    "000000019",
    "000250000",
    "000500005",
    "000750005",
    "001000004",
    "001250004",
    "001500009",
    "001749999",
    "001999999",
    "002249998",
    "002499998",
    "002749993",
    "002999993",
    "003249992",
    "003499992",
    "003749988",
    "003999988",
    "004249987",
    "004499987",
    "004749982",
    "004999982",
    "005249981",
    "005499981",
    "005749986",
    "005999977",
    "006249976",
    "006499976",
    "006749980",
    "006999980",
    "007249989",
    "007499989",
    "007749975",
    "007999975",
    "008249974",
    "008499974",
    "008749979",
    "008999979",
    "009249969",
    "009499969",
    "009749964",
    "009999964",
    "010249966",
    "010499966",
    "010749961",
    "004085616",
]
ABN_OF_ACN = {
    "004085616": "53004085616", "000000019": "89000000019", "000250000": "26000250000",
    "000500005": "48000500005", "010499966": "25010499966", "002724334": "43002724334",
}  # fmt: skip
ABN_WEIGHTS = (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)


def naive_accepts(abn: str) -> bool:
    """The published rule alone: first digit less one, weighted sum divisible by 89."""
    digits = [int(abn[0]) - 1, *map(int, abn[1:])]
    return sum(w * d for w, d in zip(ABN_WEIGHTS, digits, strict=True)) % 89 == 0


def check_digits(body: str) -> str:
    """The two digits in front of a nine-digit body, in the canonical form 11 to 99."""
    total = sum(w * int(d) for w, d in zip(ABN_WEIGHTS[2:], body, strict=True))
    return str(11 + (-total - 1) % 89)


def accepts(text: str) -> bool:
    try:
        parse_abn(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("abn", VALID_ABNS)
def test_published_abns_are_stored_as_eleven_digits(abn: str) -> None:
    """Every valid vector is its own stored form, however it is spaced."""
    assert parse_abn(abn) == abn
    assert parse_abn(f"{abn[:2]} {abn[2:5]} {abn[5:8]} {abn[8:]}") == abn


@pytest.mark.parametrize("abn", INVALID_ABNS)
def test_wrong_abns_are_refused(abn: str) -> None:
    """Wrong check digits, wrong lengths and nothing at all are refused."""
    with pytest.raises(ValueError, match="Not a valid ABN"):
        parse_abn(abn)


@pytest.mark.parametrize("abn", ["10000000000", "03531969374"])
def test_the_naive_rule_is_not_enough(abn: str) -> None:
    """Two numbers that the published sum accepts, with prefixes that are never issued, are refused."""
    assert naive_accepts(abn)
    assert not accepts(abn)


@given(st.text("0123456789", min_size=9, max_size=9))
def test_each_body_has_one_valid_prefix(body: str) -> None:
    """Of the hundred prefixes of a body exactly one is an ABN, and never one of 00 to 10."""
    accepted = [f"{prefix:02d}" for prefix in range(100) if accepts(f"{prefix:02d}{body}")]
    assert accepted == [check_digits(body)]


@given(st.sampled_from(VALID_ABNS), st.integers(0, 10), st.integers(1, 9))
def test_every_single_wrong_digit_is_caught(abn: str, place: int, shift: int) -> None:
    """One mistyped digit never gives another ABN."""
    wrong = f"{abn[:place]}{(int(abn[place]) + shift) % 10}{abn[place + 1 :]}"
    assert not accepts(wrong)


@given(st.sampled_from(VALID_ABNS), st.integers(0, 9))
def test_every_swap_of_neighbours_is_caught(abn: str, place: int) -> None:
    """Two neighbouring digits swapped never give another ABN."""
    swapped = abn[:place] + abn[place + 1] + abn[place] + abn[place + 2 :]
    assert swapped == abn or not accepts(swapped)


@pytest.mark.parametrize(
    "dressed",
    [
        "51 824 753 556", "51-824-753-556", "51.824.753.556", "ABN 51 824 753 556", "A.B.N. 51 824 753 556",
        "abn: 51824753556", "  ABN51824753556 ", "51\u00a0824\u00a0753\u00a0556", "５１８２４７５３５５６",
    ],
)  # fmt: skip
def test_usual_ways_of_writing_an_abn_have_one_stored_form(dressed: str) -> None:
    """Spaces, dots, hyphens, a leading ABN, no-break spaces and full-width digits are undone."""
    assert parse_abn(dressed) == "51824753556"


@pytest.mark.parametrize("text", ["51 824 753 556 ABN", "x51824753556", "51/824/753/556", "٥١٨٢٤٧٥٣٥٥٦"])
def test_other_dressings_are_refused(text: str) -> None:
    """Only the usual dressings are undone; nothing is guessed."""
    assert not accepts(text)


@pytest.mark.parametrize("value", [51824753556, None, b"51824753556", ["51824753556"]])
def test_an_identifier_is_text(value: object) -> None:
    """Numbers and bytes are refused: a number has already lost its leading zeros."""
    with pytest.raises(ValueError, match="11 digits"):
        parse_abn(value)
    with pytest.raises(ValueError, match="9 digits"):
        parse_acn(value)


@pytest.mark.parametrize("acn", VALID_ACNS)
def test_asic_numbers_are_accepted(acn: str) -> None:
    """ASIC's own list passes, dressed or bare, leading zeros kept."""
    assert parse_acn(acn) == acn
    assert parse_acn(f"ACN {acn[:3]} {acn[3:6]} {acn[6:]}") == acn
    assert parse_acn(f"A.C.N. {acn[:3]}-{acn[3:6]}.{acn[6:]}") == acn


@pytest.mark.parametrize("acn", ["999999999", "004085617", "04085616", "0040856160", ""])
def test_wrong_acns_are_refused(acn: str) -> None:
    """A wrong check digit or a wrong length is refused."""
    with pytest.raises(ValueError, match="Not a valid ACN"):
        parse_acn(acn)


@given(st.text("0123456789", min_size=8, max_size=8))
def test_an_acn_has_one_check_digit(body: str) -> None:
    """Weights 8 to 1, sum modulo 10, complement to 10."""
    digit = -sum(w * int(d) for w, d in zip(range(8, 0, -1), body, strict=True)) % 10
    for last in range(10):
        if last == digit:
            assert parse_acn(f"{body}{last}") == f"{body}{last}"
        else:
            with pytest.raises(ValueError, match="Not a valid ACN"):
                parse_acn(f"{body}{last}")


@pytest.mark.parametrize(("acn", "abn"), ABN_OF_ACN.items())
def test_a_company_abn_is_its_acn_with_two_digits_in_front(acn: str, abn: str) -> None:
    """The published pairs: both are valid and agree."""
    assert parse_abn(check_digits(acn) + acn) == abn
    assert parse_abn(abn)[2:] == parse_acn(acn)


def test_only_synthetic_bodies_are_synthetic() -> None:
    """Bodies of 900 000 000 and above are pretend, the published real ones are not (one sample lies above)."""
    assert [abn for abn in VALID_ABNS if is_synthetic_abn(abn)] == ["83914571673", *SYNTHETIC_ABNS]


@pytest.mark.parametrize(
    ("text", "e164"),
    [
        ("0491 570 006", "+61491570006"), ("(02) 5550 1234", "+61255501234"), ("1300 975 707", "+611300975707"),
        ("13 22 66", "+61132266"), ("412345678", "+61412345678"), ("1800 160 401", "+611800160401"),
        ("+61 491 570 156", "+61491570156"), ("(03) 7010 0001", "+61370100001"),
    ],
)  # fmt: skip
def test_phones_are_stored_in_e164(text: str, e164: str) -> None:
    """Australian numbers of every kind have one stored form."""
    assert values.parse_phone(text) == e164


@pytest.mark.parametrize("text", ["05 1234 5678", "+614123456", "+64 21 123 4567", "", "0" * 41, 491570006, None])
def test_wrong_phones_are_refused(text: object) -> None:
    """Numbers that do not exist, foreign numbers and no text are refused."""
    with pytest.raises(ValueError, match="Not a valid Australian telephone number"):
        values.parse_phone(text)


@pytest.mark.parametrize("text", ["0491 570 006", "0491 570 157", "412345678"])
def test_mobiles_can_get_a_code(text: str) -> None:
    """Mobile numbers pass where a one-time code is sent."""
    assert values.parse_mobile(text).startswith("+614")


@pytest.mark.parametrize("text", ["(02) 5550 1234", "1300 975 707", "13 22 66"])
def test_other_phones_cannot_get_a_code(text: str) -> None:
    """Fixed, shared-cost and short numbers are valid but not mobile."""
    with pytest.raises(ValueError, match="mobile"):
        values.parse_mobile(text)


RANGES = (
    "A 01-05, B 06-10, C 11-25, D 26-29, E 30-32, F 33-38, G 39-43, H 44-45, I 46-53, J 54-60, K 62-64, L 66-67, "
    "M 69-70, N 72-73, O 75-77, P 80-82, Q 84-87, R 89-92, S 94-96"
)
MISSING = ["00", "61", "65", "68", "71", "74", "78", "79", "83", "88", "93", "97", "98", "99"]


def test_every_subdivision_has_its_division() -> None:
    """ANZSIC 2006 class to division for all hundred two-digit beginnings, the missing ones refused."""
    expected: dict[str, str | None] = {f"{n:02d}": None for n in range(100)}
    for entry in RANGES.split(", "):
        letter, (low, high) = entry[0], entry[2:].split("-")
        expected.update({f"{n:02d}": letter for n in range(int(low), int(high) + 1)})
    assert {start: division_of(f"{start}11") for start in expected} == expected
    assert [start for start, letter in expected.items() if letter is None] == MISSING


def test_a_division_letter_stands_for_itself() -> None:
    """A to S are divisions; anything else is none."""
    assert [division_of(letter) for letter in "ABCDEFGHIJKLMNOPQRS"] == list("ABCDEFGHIJKLMNOPQRS")
    assert [division_of(text) for text in ("T", "g", "", "45", "451", "45111", "４５１１", "4511\n")] == [None] * 8
    assert division_of("4511") == "H"


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        ("2026-01-15", "2026-01-15", 0), ("2026-01-15", "2026-02-14", 0), ("2026-01-15", "2026-02-15", 1),
        ("2025-12-31", "2026-02-28", 1), ("2018-03-01", "2026-08-03", 101), ("2026-08-04", "2026-08-03", 0),
    ],
)  # fmt: skip
def test_months_are_whole(start: str, end: str, months: int) -> None:
    """Only months that have passed count, and never fewer than none."""
    assert months_between(date.fromisoformat(start), date.fromisoformat(end)) == months


NAME = TypeAdapter(values.Name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "two\nlines",
        "a\tb",
        "nul\x00",
        "\x7f",
        "next\x85line",
        "line\u2028break",
        "a\u2029b",
        "x" * 201,
    ],
)
def test_a_name_is_one_line_of_text(text: str) -> None:
    """Control characters, line breaks of every kind, blanks and overlong text are refused."""
    with pytest.raises(ValidationError):
        NAME.validate_python(text)


def test_names_keep_their_letters() -> None:
    """Apostrophes, accents and other scripts are names."""
    for text in ("O'Brien & Søns Pty Ltd", "Nguyễn Trading", "北京商行"):
        assert NAME.validate_python(text) == text


def test_moments_are_kept_in_utc() -> None:
    """A time with another zone becomes the same moment in UTC; one without a zone is refused."""
    moment = TypeAdapter(values.Moment)
    stored = moment.validate_json('"2026-08-03T11:00:00+10:00"')
    assert stored == datetime(2026, 8, 3, 1, tzinfo=UTC)
    assert moment.dump_json(stored) == b'"2026-08-03T01:00:00Z"'
    with pytest.raises(ValidationError, match="needs its zone"):
        moment.validate_json('"2026-08-03T11:00:00"')


@given(st.sampled_from(["+61", "0", "61", ""]), st.text("0123456789 ", min_size=7, max_size=12), st.booleans())
def test_the_quick_way_to_a_mobile_number_is_the_librarys(prefix: str, rest: str, begins: bool) -> None:
    """A number written as most are is accepted or refused, and kept, just as the library alone would have it."""
    written = f"{prefix}{'4' if begins else ''}{rest}"
    try:
        number = phonenumbers.parse(written, "AU")
        is_mobile = (
            number.country_code == 61
            and phonenumbers.is_valid_number(number)
            and phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
        )
    except phonenumbers.NumberParseException:
        is_mobile = False
    if is_mobile:
        assert parse_mobile(written) == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    else:
        with pytest.raises(PydanticCustomError):
            parse_mobile(written)
