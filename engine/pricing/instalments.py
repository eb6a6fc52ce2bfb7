"""Instalment schedules and daily interest: what a drawn amount costs, cent by cent.

It computes interest and payments. It does not add fees or judge them (see disclosure). The rule: exact
integer arithmetic, rounded half up to the cent once for every figure a ledger would book, so that the offer
and the ledger agree to the cent.
"""

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from engine.pricing.money import (
    LARGEST_AMOUNT_CENTS,
    Cents,
    MonthlyRate,
    PositiveCents,
    divide_half_up,
    monthly_fraction,
    require_cents,
    require_decimal,
    require_whole,
)
from engine.pricing.rates import DAYS_PER_YEAR

SMALLEST_DRAW_CENTS = 10_000
LONGEST_TERM_MONTHS = 60
HIGHEST_COVER = 100
LAST_DAY = 36_500


class Instalment(BaseModel):
    """One month's payment, split into interest and principal, with the balance it leaves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: PositiveCents
    payment_cents: PositiveCents
    interest_cents: Cents
    principal_cents: PositiveCents
    balance_cents: Cents

    @model_validator(mode="after")
    def _parts_make_the_whole(self) -> Self:
        if self.payment_cents != self.interest_cents + self.principal_cents:
            raise ValueError(f"instalment {self.number}: interest and principal do not add up to the payment")
        return self


def schedule(principal_cents: int, monthly_rate: MonthlyRate, months: int) -> tuple[Instalment, ...]:
    """Repay a draw in equal monthly instalments; interest half up to the cent a month, the last one clears.

    ValueError for less than $100, a term outside 1 to 60 months or a rate outside [0, 5 %] a month: within
    these limits a cent's rounding, compounded over the term, stays below one payment, so that every payment
    is above zero and the balance falls every month.
    """
    require_cents("the principal", principal_cents, least=SMALLEST_DRAW_CENTS)
    require_whole("a term in months", months, least=1, most=LONGEST_TERM_MONTHS)
    part, whole = monthly_fraction(monthly_rate).as_integer_ratio()
    level_cents = divide_half_up(*_level_payment(principal_cents, part, whole, months))
    instalments, balance_cents = [], principal_cents
    for number in range(1, months + 1):
        interest_cents = divide_half_up(balance_cents * part, whole)
        repaid_cents = balance_cents if number == months else level_cents - interest_cents
        balance_cents -= repaid_cents
        instalments.append(
            Instalment(
                number=number,
                payment_cents=interest_cents + repaid_cents,
                interest_cents=interest_cents,
                principal_cents=repaid_cents,
                balance_cents=balance_cents,
            )
        )
    return tuple(instalments)


def _level_payment(principal_cents: int, part: int, whole: int, months: int) -> tuple[int, int]:
    """Give the equal payment P*m / (1 - (1+m)^-n) as an exact fraction, for a monthly rate m = part/whole."""
    if part == 0:
        return principal_cents, months
    grown, start = _growth(part, whole, months)
    return principal_cents * part * grown, whole * (grown - start)


@lru_cache(maxsize=1024)  # a price grid has a few dozen rates, and terms are a few
def _growth(part: int, whole: int, months: int) -> tuple[int, int]:
    """Give (1+m)^n, for a monthly rate m = part/whole, as a fraction that is not reduced."""
    return (whole + part) ** months, whole**months


@lru_cache(maxsize=1024, typed=True)  # a business's cash stays the same however often it is decided again
def loan_for_payment(net_cash_cents: int, dscr: Decimal, monthly_rate: MonthlyRate, months: int) -> int:
    """Give the loan that a business's monthly net cash, divided by the cover wanted, repays over the months.

    The annuity net cash / DSCR * (1 - (1+m)^-n) / m, exact and rounded half up to the cent. Net cash of
    zero or less carries no loan: 0. ValueError for a cover outside [1, 100], or a term or rate outside the
    schedule's.
    """
    require_decimal("a debt service cover", dscr, least=1, most=HIGHEST_COVER)
    require_whole("a term in months", months, least=1, most=LONGEST_TERM_MONTHS)
    part, whole = monthly_fraction(monthly_rate).as_integer_ratio()
    require_cents("the net cash", net_cash_cents, least=-LARGEST_AMOUNT_CENTS)
    if net_cash_cents <= 0:
        return 0
    cover_part, cover_whole = dscr.as_integer_ratio()
    payment_part, payment_whole = _level_payment(1, part, whole, months)
    return divide_half_up(net_cash_cents * cover_whole * payment_whole, cover_part * payment_part)


def daily_interest(events: Iterable[tuple[int, int]], annual_rate: Decimal, to_day: int) -> int:
    """Sum the simple daily interest on a changing balance up to a day, actual/365 fixed, half up to the cent.

    Each event is (day, change of the balance in cents), in any order; it counts from its own day on, and
    events on or after `to_day` earn nothing yet. A leap year has 366 days of interest. ValueError for a day
    outside a century, a rate outside [0, 1] a year, or a balance below zero at the end of a day: a lender's
    ledger pays no interest.
    """
    require_decimal("an annual rate", annual_rate)
    require_whole("the day interest runs to", to_day, most=LAST_DAY)
    part, whole = annual_rate.as_integer_ratio()
    return divide_half_up(_cent_days(events, to_day) * part, whole * DAYS_PER_YEAR)


def _cent_days(events: Iterable[tuple[int, int]], to_day: int) -> int:
    """Add up the balance at the end of every day before `to_day`."""
    changes: dict[int, int] = {}
    for day, change_cents in events:
        require_whole("an event's day", day, most=LAST_DAY)
        require_cents("an event's change", change_cents, least=-LARGEST_AMOUNT_CENTS)
        if day < to_day:
            changes[day] = changes.get(day, 0) + change_cents
    balance_cents = total = 0
    for day in sorted(changes):
        balance_cents += changes[day]
        if balance_cents < 0:
            raise ValueError(f"the balance is below zero at the end of day {day}")
        total += changes[day] * (to_day - day)
    return total
