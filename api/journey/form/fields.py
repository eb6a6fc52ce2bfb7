"""One question's answer read: from what was typed to a value, or to words that say what to do about it.

It does: read ABN, money, numbers, days, names, addresses of mail, mobile numbers, one of a few, and ticks. It does not:
know any question. The rule it keeps: the words name the field and the remedy, and never repeat what was typed.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic_core import PydanticCustomError

from api.notices.settings import is_mailbox
from engine.people import ADULT_YEARS
from engine.values import parse_abn, parse_mobile

Answers = Mapping[str, str]
Kind = Literal["text", "abn", "money", "count", "day", "month", "name", "email", "mobile", "choice", "tick"]
Value = str | int | date | bool
MOST_TYPED = 254
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f.]+(?:\.[^@\s\x00-\x1f\x7f.]+)+")
_MONEY = re.compile(r"\$?\s*(\d{1,3}(?:[, ]\d{3})+|\d{1,9})(?:\.(\d{1,2}))?\s*(k|K|m|M)?")
_MOST_COUNT = 3
_WORDY = frozenset({"text", "name", "email"})
_FIRST_YEAR = 1900


class Wrong(Exception):
    """An answer that cannot be used; the words say what to do."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def always(_: Answers) -> bool:
    """For a question that everybody is asked."""
    return True


@dataclass(frozen=True, slots=True)
class Field:
    """One question. `ask` are the words where nothing was answered; `choices` are (value, words, hint).

    `when` says whom it is asked; `under` names the answer under which it stands on the page, for the eye alone.
    A `day` is three boxes: `name-day`, `name-month`, `name-year`; a `month` the last two.
    """

    name: str
    label: str
    ask: str
    kind: Kind = "text"
    hint: str = ""
    choices: tuple[tuple[str, str, str], ...] = ()
    required: bool = True
    when: Callable[[Answers], bool] = always
    under: str = ""
    autocomplete: str = "off"
    most: int = 100
    typed: bool = True  # whether a person has to type it, as against choosing

    @property
    def boxes(self) -> tuple[str, ...]:
        """The names under which the answer is sent."""
        parts = {"day": ("day", "month", "year"), "month": ("month", "year")}.get(self.kind)
        return (self.name,) if parts is None else tuple(f"{self.name}-{part}" for part in parts)

    def value(self, answers: Answers) -> Value | None:
        """What was answered; None where it need not be and was not. Raises Wrong."""
        typed = [clean(answers.get(box, "")) for box in self.boxes]
        if not any(typed):
            if self.required:
                raise Wrong(self.ask)
            return None
        if self.kind in _WORDY and len(typed[0]) > self.most:
            raise Wrong(f"{self.label}: write at most {self.most} characters")
        return _READ[self.kind](self, typed)


def clean(text: str) -> str:
    """What was typed, without spaces around it and more than one between words."""
    return " ".join(text.split())


def _abn(field: Field, typed: list[str]) -> str:
    try:
        return parse_abn(typed[0])
    except (ValueError, PydanticCustomError):
        raise Wrong("Check the ABN: it has 11 digits, and these are not an ABN") from None


def cents_of(text: str) -> int | None:
    """Dollars as people write them: `1,250,000`, `$1250000.50`, `1.25m`, `80k`."""
    found = _MONEY.fullmatch(text)
    if found is None:
        return None
    dollars, part, times = re.sub(r"\D", "", found[1]), found[2] or "", (found[3] or "").lower()
    cents = int(dollars) * 100 + int((part + "00")[:2])
    return cents * {"": 1, "k": 1_000, "m": 1_000_000}[times]


def _money(field: Field, typed: list[str]) -> int:
    cents = cents_of(typed[0])
    if cents is None:
        raise Wrong(f"{field.label}: write dollars in figures, such as 250,000")
    if cents > 100_000_000_000:  # noqa: PLR2004 - engine.values.Cents
        raise Wrong(f"{field.label}: that is more than a billion dollars")
    return cents


def _count(field: Field, typed: list[str]) -> int:
    if not (typed[0].isascii() and typed[0].isdigit() and len(typed[0]) <= _MOST_COUNT):
        raise Wrong(f"{field.label}: write a whole number in figures")
    return int(typed[0])


def _day(field: Field, typed: list[str]) -> date:
    return _date(field, typed, "27 3 1986")


def _month(field: Field, typed: list[str]) -> date:
    return _date(field, ["1", *typed], "3 2019")


def _date(field: Field, typed: list[str], example: str) -> date:
    if not all(typed):
        missing = [word for word, part in zip(("day", "month", "year"), typed, strict=True) if not part]
        raise Wrong(f"{field.label}: the {' and the '.join(missing)} is missing")
    if not all(part.isascii() and part.isdigit() for part in typed) or len(typed[2]) != 4:  # noqa: PLR2004 - a year
        raise Wrong(f"{field.label}: write it in figures, such as {example}")
    day, month, year = (int(part) for part in typed)
    try:
        found = date(year, month, day)
    except (ValueError, OverflowError):
        raise Wrong(f"{field.label}: there is no such date") from None
    if year < _FIRST_YEAR:
        raise Wrong(f"{field.label}: check the year")
    return found


def _name(field: Field, typed: list[str]) -> str:
    if not any(letter.isalpha() for letter in typed[0]):
        raise Wrong(field.ask)
    if not typed[0].isprintable():
        raise Wrong(f"{field.label}: leave out characters that cannot be seen")
    return typed[0]


def _text(field: Field, typed: list[str]) -> str:
    if not typed[0].isprintable():
        raise Wrong(f"{field.label}: leave out characters that cannot be seen")
    return typed[0]


def _email(field: Field, typed: list[str]) -> str:
    if not (_EMAIL.fullmatch(typed[0]) and is_mailbox(typed[0])):
        raise Wrong(f"{field.label}: write it like name@example.com.au")
    return typed[0]


def _mobile(field: Field, typed: list[str]) -> str:
    try:
        return parse_mobile(typed[0])
    except (ValueError, PydanticCustomError):
        raise Wrong(f"{field.label}: write an Australian mobile number, such as 0491 570 006") from None


def _choice(field: Field, typed: list[str]) -> str:
    if typed[0] not in {value for value, _, _ in field.choices}:
        raise Wrong(field.ask)
    return typed[0]


def _tick(field: Field, typed: list[str]) -> bool:
    if typed[0] != "yes":
        raise Wrong(field.ask)
    return True


_READ: Mapping[Kind, Callable[[Field, list[str]], Value]] = {
    "text": _text, "abn": _abn, "money": _money, "count": _count, "day": _day, "month": _month, "name": _name,
    "email": _email, "mobile": _mobile, "choice": _choice, "tick": _tick,
}  # fmt: skip


def is_adult(born: date, today: date) -> bool:
    """Whether somebody born on a day is of age today."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day)) >= ADULT_YEARS
