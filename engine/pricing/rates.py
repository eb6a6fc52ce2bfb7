"""Rates of interest and of return: nominal, effective, and the APR of any cash flow.

It turns rates and cash flows into yearly rates. It does not know how a cash flow came about (see instalments
and disclosure). The rule: the result is found in decimals, to far more digits than are shown, so that every
machine shows the same figure.
"""

from collections.abc import Sequence
from decimal import Decimal
from math import isfinite

from engine.pricing.money import (
    MONTHS_PER_YEAR,
    MonthlyRate,
    exact,
    monthly_fraction,
    require_cents,
    require_decimal,
    require_whole,
    shown,
    to_cents,
)

DAYS_PER_YEAR = 365
MOST_PERIODS = 520
_MOST_STEPS = 400
_MOST_DAYS = 36_500
# Of the discount factor. A Newton step this small leaves an error of about its square; a bisection, its half.
_SMALL_MOVE = Decimal("1e-24")
_CENT = Decimal("0.01")
_MOST_FLOAT_STEPS = 12
_SMALL_FLOAT_MOVE = 1e-9  # its square is beyond what a float holds


def nominal_annual(monthly_rate: MonthlyRate) -> Decimal:
    """Give twelve times the monthly rate, as a fraction a year (0.0115 -> 0.138)."""
    with exact():
        return MONTHS_PER_YEAR * monthly_fraction(monthly_rate)


def effective_annual(monthly_rate: MonthlyRate) -> Decimal:
    """Compound the monthly rate over a year, as a fraction: (1 + m)^12 - 1, rounded at its 40th digit."""
    part, whole = monthly_fraction(monthly_rate).as_integer_ratio()
    grown, start = (whole + part) ** MONTHS_PER_YEAR, whole**MONTHS_PER_YEAR
    with exact():
        return Decimal(grown - start) / Decimal(start)


def term_in_months(term_days: int) -> Decimal:
    """Express a term in days as months of 365/12 days, to two places (182 days -> 5.98).

    Two places, because Moula's published average monthly payment follows only from the rounded term:
    https://moula.com.au/smart-box
    """
    require_whole("a term in days", term_days, least=1, most=_MOST_DAYS)
    with exact():
        return (Decimal(term_days * MONTHS_PER_YEAR) / DAYS_PER_YEAR).quantize(_CENT)


def average_monthly_payment(total_repayment_cents: int, term_months: Decimal | int) -> int:
    """Spread everything repaid evenly over the months of the term, half up to the cent."""
    require_cents("the total repayment", total_repayment_cents)
    months = Decimal(term_months)
    require_decimal("a term in months", months, most=_MOST_DAYS)
    if not months:
        raise ValueError("a term of no months has no average payment")
    with exact():
        return to_cents(Decimal(total_repayment_cents) / months)


def apr(disbursed_cents: int, payments_cents: Sequence[int], periods_per_year: int) -> Decimal:
    """Give the annual percentage rate: periodic rate of return times periods a year, in per cent, 4 places.

    The convention of the US Regulation Z as the SMART Box uses it (weekly x 52, fortnightly x 26, monthly x
    12): https://www.ondeck.com/smartbox. Errors as in `periodic_return`.
    """
    require_whole("the payment periods of a year", periods_per_year, least=1, most=DAYS_PER_YEAR)
    with exact():
        return shown(100 * periods_per_year * periodic_return(disbursed_cents, payments_cents))


def effective_from_periodic(periodic: Decimal, periods_per_year: int) -> Decimal:
    """Compound a periodic rate of return over the year's periods, in per cent, 4 places."""
    require_whole("the payment periods of a year", periods_per_year, least=1, most=DAYS_PER_YEAR)
    with exact():
        return shown(100 * ((1 + periodic) ** periods_per_year - 1))


def periodic_return(disbursed_cents: int, payments_cents: Sequence[int]) -> Decimal:
    """Find the rate a period at which the payments, one at each period's end, are worth the money disbursed.

    Exactly one rate above -100 % does: with payments >= 0 their worth rises with the discount factor v = 1
    / (1 + rate) from 0 without end. Good to at least 20 digits. ValueError for nothing disbursed, nothing
    repaid, a payment below zero, or more than 520 payments.
    """
    require_whole("the number of payments", len(payments_cents), least=1, most=MOST_PERIODS)
    require_cents("the amount disbursed", disbursed_cents, least=1)
    for payment in payments_cents:
        require_cents("a payment", payment)
    total_cents = sum(payments_cents)
    if total_cents == 0:
        raise ValueError("nothing is repaid: no rate of return exists")
    if total_cents == disbursed_cents:
        return Decimal(0)
    backwards = tuple(map(Decimal, reversed(payments_cents)))
    with exact():
        return 1 / _discount_factor(Decimal(disbursed_cents), backwards, Decimal(total_cents)) - 1


def _discount_factor(disbursed: Decimal, backwards: tuple[Decimal, ...], total: Decimal) -> Decimal:
    """Solve worth(v) = disbursed by Newton's steps from near the root, in a bracket that bisection can always halve.

    With ratio = disbursed / total the root lies between ratio and 1: at v = 1 the payments are worth their
    total, and v^k is on the far side of v from 1. Worth is convex in v, so that Newton from the right end
    comes down to the root; bisection is for the flows, a few cents lent against thousands, on which Newton
    would creep.
    """
    ratio = disbursed / total
    if len(backwards) == 1:
        return ratio
    low, high = min(ratio, Decimal(1)), max(ratio, Decimal(1))
    factor, last_move = min(max(_near(disbursed, backwards, high), low), high), high - low
    for _ in range(_MOST_STEPS):
        worth, slope = _worth_and_slope(factor, backwards)
        if worth > disbursed:
            high = factor
        else:
            low = factor
        step = (worth - disbursed) / slope
        following = factor - step
        if not low <= following <= high or 2 * abs(step) > last_move:
            following = (low + high) / 2
        last_move = abs(following - factor)
        factor = following
        if last_move <= factor * _SMALL_MOVE:
            return factor
    raise ArithmeticError("the rate of return did not settle: a defect of this function, not of the flow")


def _near(disbursed: Decimal, backwards: tuple[Decimal, ...], start: Decimal) -> Decimal:
    """A place to begin: the same steps in binary floats, whose error the decimal steps then take out."""
    factor, wanted, payments = float(start), float(disbursed), [float(payment) for payment in backwards]
    for _ in range(_MOST_FLOAT_STEPS):
        worth = slope = 0.0
        for payment in payments:
            slope = slope * factor + worth
            worth = worth * factor + payment
        step = (worth * factor - wanted) / (slope * factor + worth)
        if not isfinite(step):  # thousands lent against cents: far out the powers overflow
            return start
        factor -= step
        if abs(step) < _SMALL_FLOAT_MOVE:
            break
    return Decimal(factor)


def _worth_and_slope(factor: Decimal, backwards: tuple[Decimal, ...]) -> tuple[Decimal, Decimal]:
    """Evaluate the payments' worth and its derivative at a discount factor, from the last payment back."""
    worth, slope = Decimal(0), Decimal(0)
    for payment in backwards:
        slope = slope * factor + worth
        worth = worth * factor + payment
    return worth * factor, slope * factor + worth
