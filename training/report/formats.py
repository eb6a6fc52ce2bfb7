"""How a figure is written, everywhere in the report alike.

It does: round for reading. It does not: change the record. The rule it keeps: what is not known is a dash, never 0.
"""

from collections.abc import Sequence
from itertools import groupby

NOT_KNOWN = "–"
_PERCENT, _MINUS = "\N{NO-BREAK SPACE}%", "\N{MINUS SIGN}"
_LISTED = 6


def number(figure: float | None, digits: int = 4) -> str:
    """A plain figure."""
    return NOT_KNOWN if figure is None else _zero(f"{figure:,.{digits}f}")


def signed(figure: float | None, digits: int = 4) -> str:
    """A figure with its sign."""
    return NOT_KNOWN if figure is None else f"{figure:+,.{digits}f}".replace("-", _MINUS)


def percent(figure: float | None, digits: int = 2) -> str:
    """A share."""
    return NOT_KNOWN if figure is None else _zero(f"{100 * figure:,.{digits}f}") + _PERCENT


def count(figure: int) -> str:
    """A number of things."""
    return f"{figure:,}"


def cents(figure: float | None) -> str:
    """Money, in dollars."""
    return NOT_KNOWN if figure is None else (_MINUS if figure < 0 else "") + f"${abs(figure) / 100:,.2f}"


def interval(low: float | None, high: float | None, digits: int = 4) -> str:
    """A 95 % interval."""
    return NOT_KNOWN if low is None or high is None else f"{number(low, digits)} to {number(high, digits)}"


def percents(low: float, high: float, digits: int = 2) -> str:
    """A 95 % interval of a share."""
    return f"{percent(low, digits).removesuffix(_PERCENT)} to {percent(high, digits)}"


def listed(words: Sequence[str]) -> str:
    """Words as a list in a sentence, each once; beyond six only how many more there are."""
    each = [word for word, _ in groupby(words)]
    shown, more = each[:_LISTED], len(each) - _LISTED
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))


def _zero(text: str) -> str:
    """The text with a true minus sign, and without one before zero."""
    bare = text.removeprefix("-")
    return bare if bare == text or not bare.strip("0.,") else f"{_MINUS}{bare}"
