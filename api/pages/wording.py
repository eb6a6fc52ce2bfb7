"""How values are written for people: money, moments, durations, shares, identifiers, and text that others typed.

Pure functions, used as filters of the templates. The rules: money is exact cents with thousands separators; a moment
is shown in the lender's zone and named in UTC beside it; a character that cannot be seen is made visible.
"""

import unicodedata
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Literal

Unit = Literal["cents", "date", "text", "count", "flag", "bps"]
Value = int | str | date | bool | None

NOTHING = "–"
_MINUS = "−"
_ABN_DIGITS = 11
_KILOBYTE = 1_000
# Invisible or direction-changing characters (general category Cf, Zl, Zp) and control characters; a line feed and a tab
# are left, since people write them in notes.
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Zl", "Zp", "Co", "Cs"})
_LEFT = frozenset("\n\t")


def visible(text: str) -> str:
    """Text with each invisible, direction-changing or control character written as its code, `[U+202E]`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"[U+{ord(sign):04X}]" if _is_hidden(sign) else sign for sign in text)


def _is_hidden(sign: str) -> bool:
    return sign not in _LEFT and unicodedata.category(sign) in _HIDDEN_CATEGORIES


def money(cents: int | None) -> str:
    """Dollars with thousands separators; cents only where there are any."""
    if cents is None:
        return NOTHING
    dollars, rest = divmod(abs(cents), 100)
    sign = _MINUS if cents < 0 else ""
    return f"{sign}${dollars:,}.{rest:02d}" if rest else f"{sign}${dollars:,}"


def percent(bps: int | None) -> str:
    """Basis points as a percentage, with as many decimals as it has."""
    if bps is None:
        return NOTHING
    return f"{bps / 100:.2f}".rstrip("0").rstrip(".") + "%"


def points(value: float) -> str:
    """Points of the score with their sign, one decimal."""
    return f"{_MINUS if round(value, 1) < 0 else '+'}{abs(value):.1f}"


def duration(span: timedelta | None) -> str:
    """Hours and minutes, rounded down; without its sign: words beside it say which way."""
    if span is None:
        return NOTHING
    minutes = int(abs(span).total_seconds()) // 60
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02d} min" if hours else f"{rest} min"


def local(moment: datetime, zone: tzinfo) -> str:
    """Day and time in a zone, without the year: for what is days away at most."""
    return moment.astimezone(zone).strftime("%a %-d %b %H:%M")


def soon(moment: datetime, zone: tzinfo) -> str:
    """Weekday and time in a zone: for what is less than a week away."""
    return moment.astimezone(zone).strftime("%a %H:%M")


def dated(moment: datetime, zone: tzinfo) -> str:
    """Day with its year, and time in a zone."""
    return moment.astimezone(zone).strftime("%-d %b %Y %H:%M")


def utc(moment: datetime) -> str:
    """The same moment in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def machine_time(moment: datetime) -> str:
    """The moment as a `datetime` attribute takes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(value: date | None) -> str:
    """A calendar day."""
    return NOTHING if value is None else value.strftime("%-d %b %Y")


def abn(number: str) -> str:
    """An ABN as it is printed, `NN NNN NNN NNN`; anything else as it is."""
    if len(number) != _ABN_DIGITS or not number.isdigit():
        return number
    return f"{number[:2]} {number[2:5]} {number[5:8]} {number[8:]}"


def size(count: int) -> str:
    """Bytes as kB or MB of a thousand."""
    if count < _KILOBYTE**2:
        return f"{max(count // _KILOBYTE, 1)} kB"
    return f"{count / _KILOBYTE**2:.1f} MB"


def shown(value: Value, unit: Unit) -> str:
    """A declared, read or recorded value by its unit."""
    match unit, value:
        case _, None:
            return NOTHING
        case "cents", int():
            return money(value)
        case "bps", int():
            return percent(value)
        case "date", date():
            return day(value)
        case "flag", bool():
            return "yes" if value else "no"
        case "count", int():
            return f"{value:,}"
    return str(value)


def typed(value: Value, unit: Unit) -> str:
    """A value as it stands in a form's field, to be typed over."""
    match unit, value:
        case _, None:
            return ""
        case "cents", int():
            return money(value).replace("$", "").replace(_MINUS, "-")
        case "date", date():
            return value.isoformat()
        case "flag", bool():
            return "yes" if value else "no"
    return str(value)
