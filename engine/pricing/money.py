"""Cents, ratios and rounding: the number rules every other part of pricing keeps.

It holds the one decimal context (40 digits, half up), the product's bounds, and the few conversions between
cents, rates and shown figures. It does not know what a fee, a grade or a schedule is. The rule: money is
whole cents, ratios are exact integer fractions or decimals of 40 digits, nothing is rounded before the end,
and no binary float comes in or goes out.
"""

from contextlib import AbstractContextManager
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation, Overflow, localcontext
from typing import Annotated

from pydantic import Field

DIGITS = 40
# Every setting is spelled out: a default taken from the process could be changed by any other library in it.
_CONTEXT = Context(
    prec=DIGITS,
    rounding=ROUND_HALF_UP,
    Emin=-999_999,
    Emax=999_999,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[InvalidOperation, DivisionByZero, Overflow],
)

MONTHS_PER_YEAR = 12
BPS = 10_000
# The product: a line of $5,000 to $300,000 in steps of $500, from 1.15 % a month.
SMALLEST_LIMIT_CENTS = 500_000
LARGEST_LIMIT_CENTS = 30_000_000
LIMIT_STEP_CENTS = 50_000
LOWEST_RATE_BPS = 115
LARGEST_AMOUNT_CENTS = 10**13
LARGEST_MONTHLY_RATE = Decimal("0.05")
FINEST_RATE_PLACES = 12

_FOUR_PLACES = Decimal("0.0001")
_WHOLE = Decimal(1)

MonthlyRate = Decimal | int
"""A rate a month: a decimal fraction (0.0115), or whole basis points (115). Both mean 1.15 %."""

Cents = Annotated[int, Field(strict=True, ge=0, le=LARGEST_AMOUNT_CENTS)]
PositiveCents = Annotated[int, Field(strict=True, ge=1, le=LARGEST_AMOUNT_CENTS)]
Bps = Annotated[int, Field(strict=True, ge=0, le=BPS)]
Shown = Annotated[Decimal, Field(decimal_places=4)]


def exact() -> AbstractContextManager[Context]:
    """Enter the decimal context of pricing, whatever context the caller's thread has."""
    return localcontext(_CONTEXT)


def divide_half_up(numerator: int, denominator: int) -> int:
    """Divide whole numbers and round half up, exactly; for a numerator >= 0 and a denominator > 0."""
    return (2 * numerator + denominator) // (2 * denominator)


def share_of(amount_cents: int, share_bps: int) -> int:
    """Take hundredths of a per cent of an amount, rounded half up to the cent."""
    return divide_half_up(amount_cents * share_bps, BPS)


def to_cents(amount: Decimal) -> int:
    """Round an amount in cents with fractions half up to whole cents; call it inside `exact()`."""
    return int(amount.quantize(_WHOLE))


def shown(figure: Decimal) -> Decimal:
    """Round a figure to the four places in which people see it; call it inside `exact()`."""
    # Adding nothing turns a rounded "-0.0000" into "0.0000".
    return figure.quantize(_FOUR_PLACES) + 0


def monthly_fraction(rate: MonthlyRate) -> Decimal:
    """Read a rate a month, given as a fraction or in basis points, as a fraction.

    Refuses (ValueError) a float or bool, a rate outside [0, 0.05] and one finer than 12 decimal places:
    the first two are mistakes of unit, the last keeps the integers of a schedule short.
    """
    if isinstance(rate, int):
        require_whole("a monthly rate in bps", rate, most=int(LARGEST_MONTHLY_RATE * BPS))
        # Built from text, so that the caller's own decimal context cannot round it.
        return Decimal(f"{rate}E-4")
    require_decimal("a monthly rate", rate, most=LARGEST_MONTHLY_RATE)
    if -int(rate.as_tuple().exponent) > FINEST_RATE_PLACES:
        raise ValueError(f"a monthly rate has at most {FINEST_RATE_PLACES} decimal places, not {rate!r}")
    return rate


# The checks below take any object: the type checker guards our own calls, they guard everyone else's.


def require_decimal(name: str, value: object, *, least: int = 0, most: Decimal | int = 1) -> None:
    """Refuse (ValueError) anything but a finite Decimal within bounds; a share or probability by default."""
    # Finiteness first: comparing a NaN raises in its own words.
    if not isinstance(value, Decimal) or not value.is_finite() or not least <= value <= most:
        raise ValueError(f"{name} is a Decimal in [{least}, {most}], not {value!r}")


def require_whole(name: str, value: object, *, least: int = 0, most: int) -> None:
    """Refuse (ValueError) anything but a whole number within bounds."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{name} is a whole number from {least} to {most}, not {value!r}")


def require_cents(name: str, value: object, *, least: int = 0, most: int = LARGEST_AMOUNT_CENTS) -> None:
    """Refuse (ValueError) anything but whole cents within bounds, a hundred billion dollars at the most."""
    require_whole(f"{name} (in cents)", value, least=least, most=most)
