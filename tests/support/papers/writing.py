"""How papers write money, days and numbers.

It does: write them the several ways that are usual in Australia. It does not: read. The rule it keeps: the day stands
before the month.
"""

from datetime import date
from typing import Literal

Days = Literal["short", "long", "slashed", "iso"]


def money(cents: int, *, sign: str = "", dollars: bool = False) -> str:
    """12,345.67; with `dollars` 12,346 only, and `sign` before it, where a minus stays before that."""
    whole = f"{abs(cents) // 100:,}" if dollars else f"{abs(cents) // 100:,}.{abs(cents) % 100:02d}"
    return f"{'-' if cents < 0 else ''}{sign}{whole}"


def bracketed(cents: int, *, dollars: bool = False) -> str:
    """As accountants do: what is less than nothing stands in brackets."""
    return f"({money(-cents, dollars=dollars)})" if cents < 0 else money(cents, dollars=dollars)


def day(on: date, how: Days = "short") -> str:
    """3 Aug 2026, 3 August 2026, 03/08/2026 or 2026-08-03."""
    match how:
        case "short":
            return f"{on.day} {on:%b %Y}"
        case "long":
            return f"{on.day} {on:%B %Y}"
        case "slashed":
            return f"{on:%d/%m/%Y}"
        case "iso":
            return on.isoformat()


def grouped(digits: str) -> str:
    """In threes: an ACN, a TFN, an account number."""
    head = len(digits) % 3
    groups = [digits[:head]] if head else []
    return " ".join(groups + [digits[place : place + 3] for place in range(head, len(digits), 3)])


def branch(bsb: str, mark: str = "-") -> str:
    """A BSB in its two halves."""
    return f"{bsb[:3]}{mark}{bsb[3:]}"


def in_pairs(abn: str) -> str:
    """An ABN as it is written: two digits, then threes."""
    return f"{abn[:2]} {grouped(abn[2:])}"
