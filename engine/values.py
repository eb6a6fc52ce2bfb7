"""Small checked values that every room shares: identifiers, money, names, dates.

It does: turn text into its one stored form or refuse it. It does not: look anything up; a checksum that
passes says nothing about existence or ownership. The rule it keeps: an error names the rule, never the value.
"""

import re
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from typing import Annotated, Any, Literal

import phonenumbers
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError
from stdnum.au import abn as stdnum_abn
from stdnum.au import acn as stdnum_acn

from engine.canonical import canonical_bytes


class Frozen(BaseModel):
    """Base of every record: immutable, no unknown fields, no silent type coercion."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    def canonical(self) -> bytes:
        """The record's only byte form (see engine.canonical)."""
        return canonical_bytes(self.model_dump(mode="json"))


def problem(rule: str, message: str) -> PydanticCustomError:
    """A validation error with a stable rule name and a message that holds no value."""
    return PydanticCustomError(rule, message)


_ABN_DRESSING = re.compile(r"[\s\-.]")
_ABN_PREFIX = re.compile(r"(?i)^\s*(?:A\.?B\.?N\.?)\s*:?\s*")
_ACN_PREFIX = re.compile(r"(?i)^\s*(?:A\.?C\.?N\.?)\s*:?\s*")
_LOWEST_ABN_PREFIX = 11  # the naive mod-89 test also accepts 00-10, which the register never issues


def parse_abn(text: object) -> str:
    """Eleven digits of a valid ABN from any usual way of writing it.

    Strips a leading "ABN", spaces, dots and hyphens (python-stdnum strips spaces only), folds full-width
    digits, and refuses prefixes below 11, which the plain mod-89 rule lets through.
    """
    if not isinstance(text, str):
        raise problem("abn_type", "An ABN is text with 11 digits")
    bare = _ABN_DRESSING.sub("", _ABN_PREFIX.sub("", text, count=1))
    if not stdnum_abn.is_valid(bare):
        raise problem("abn_invalid", "Not a valid ABN: 11 digits whose check digits agree")
    compact = str(stdnum_abn.compact(bare))
    if int(compact[:2]) < _LOWEST_ABN_PREFIX:
        raise problem("abn_invalid", "Not a valid ABN: 11 digits whose check digits agree")
    return compact


def parse_acn(text: object) -> str:
    """Nine digits of a valid ACN (ARBN and ARSN share the rule)."""
    if not isinstance(text, str):
        raise problem("acn_type", "An ACN is text with 9 digits")
    bare = _ABN_DRESSING.sub("", _ACN_PREFIX.sub("", text, count=1))
    if not stdnum_acn.is_valid(bare):
        raise problem("acn_invalid", "Not a valid ACN: 9 digits whose check digit agrees")
    return str(stdnum_acn.compact(bare))


def is_synthetic_abn(abn: str) -> bool:
    """True for bodies of 900 000 000 and above: no such company number has been issued."""
    return abn[2] == "9"


def parse_phone(text: object) -> str:
    """An Australian telephone number in E.164; also short and shared-cost numbers."""
    return _e164(_australian(text))


def parse_mobile(text: object) -> str:
    """A mobile number in E.164: the only kind a one-time code can be sent to."""
    if isinstance(text, str) and len(text) <= _LONGEST:
        usual = _USUAL_MOBILE.fullmatch(text.replace(" ", ""))
        if usual is not None and _mobiles().fullmatch(usual[1]):
            return f"+61{usual[1]}"
    number = _australian(text)
    if phonenumbers.number_type(number) != phonenumbers.PhoneNumberType.MOBILE:
        raise problem("phone_not_mobile", "Must be a mobile number")
    return _e164(number)


_LONGEST = 40  # longer text is no number
_USUAL_MOBILE = re.compile(r"(?:\+61|0)(4[0-9]{8})")


@cache
def _mobiles() -> re.Pattern[str]:
    """The library's own pattern of Australian mobile numbers: asked alone, it is as strict and far quicker."""
    numbers: Any = phonenumbers.PhoneMetadata.metadata_for_region("AU")
    return re.compile(numbers.mobile.national_number_pattern)


def _australian(text: object) -> phonenumbers.PhoneNumber:
    if not isinstance(text, str) or len(text) > _LONGEST:
        raise problem("phone_invalid", "Not a valid Australian telephone number")
    try:
        number = phonenumbers.parse(text, "AU")
    except phonenumbers.NumberParseException:
        raise problem("phone_invalid", "Not a valid Australian telephone number") from None
    if number.country_code != 61 or not phonenumbers.is_valid_number(number):  # noqa: PLR2004 - +61
        raise problem("phone_invalid", "Not a valid Australian telephone number")
    return number


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def _no_control(text: str) -> str:
    if _CONTROL.search(text):
        raise problem("control_character", "Must not hold control characters or line breaks")
    if not text.strip():
        raise problem("blank", "Must not be blank")
    return text


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise problem("zone_missing", "A time needs its zone")
    return moment.astimezone(UTC)


Abn = Annotated[str, BeforeValidator(parse_abn)]
Acn = Annotated[str, BeforeValidator(parse_acn)]
Phone = Annotated[str, BeforeValidator(parse_phone)]
Mobile = Annotated[str, BeforeValidator(parse_mobile)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_no_control)]
Note = Annotated[str, StringConstraints(max_length=500), AfterValidator(_no_control)]
Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:/-]{1,80}$")]
Moment = Annotated[datetime, AfterValidator(_utc)]
Cents = Annotated[int, Field(ge=0, le=100_000_000_000)]  # up to AU$1 billion
SignedCents = Annotated[int, Field(ge=-100_000_000_000, le=100_000_000_000)]
Bps = Annotated[int, Field(ge=0, le=10_000)]
State = Literal["NSW", "VIC", "QLD", "WA", "SA", "TAS", "NT", "ACT"]

# ANZSIC 2006: division letter -> its two-digit subdivisions (Australian Bureau of Statistics, cat. 1292.0).
DIVISIONS: dict[str, tuple[str, int, int]] = {
    "A": ("Agriculture, forestry and fishing", 1, 5),
    "B": ("Mining", 6, 10),
    "C": ("Manufacturing", 11, 25),
    "D": ("Electricity, gas, water and waste", 26, 29),
    "E": ("Construction", 30, 32),
    "F": ("Wholesale trade", 33, 38),
    "G": ("Retail trade", 39, 43),
    "H": ("Accommodation and food", 44, 45),
    "I": ("Transport, postal and warehousing", 46, 53),
    "J": ("Information media and telecommunications", 54, 60),
    "K": ("Financial and insurance", 62, 64),
    "L": ("Rental, hiring and real estate", 66, 67),
    "M": ("Professional, scientific and technical", 69, 70),
    "N": ("Administrative and support", 72, 73),
    "O": ("Public administration and safety", 75, 77),
    "P": ("Education and training", 80, 82),
    "Q": ("Health care and social assistance", 84, 87),
    "R": ("Arts and recreation", 89, 92),
    "S": ("Other services", 94, 96),
}


@lru_cache(maxsize=1024)  # there are 19 letters and some 500 classes
def division_of(anzsic: str) -> str | None:
    """The division letter of a division letter or a four-digit class, None where there is none."""
    if anzsic in DIVISIONS:
        return anzsic
    if not re.fullmatch(r"[0-9]{4}", anzsic):
        return None
    subdivision = int(anzsic[:2])
    return next((d for d, (_, low, high) in DIVISIONS.items() if low <= subdivision <= high), None)


def months_between(start: date, end: date) -> int:
    """Whole calendar months from start to end, 0 where end is not after start."""
    months = (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)
    return max(months, 0)
