"""The price grid: monthly rate by PD grade and limit band, and the proof that it pays.

It holds the lender's rates, looks one up, and reports each cell against its break-even. It does not compute
a PD or a limit. The rule: no rate below 1.15 % a month, none above the ceiling, none falling as risk rises;
and at the reference line every grade's rate covers its worst PD.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from engine.pricing.disclosure import NO_FEES, Fees
from engine.pricing.economics import Economics, break_even_at, break_even_monthly
from engine.pricing.money import (
    BPS,
    LARGEST_LIMIT_CENTS,
    LARGEST_MONTHLY_RATE,
    LIMIT_STEP_CENTS,
    LOWEST_RATE_BPS,
    SMALLEST_LIMIT_CENTS,
    PositiveCents,
    Shown,
    divide_half_up,
    exact,
    require_decimal,
    shown,
)

HIGHEST_RATE_BPS = int(LARGEST_MONTHLY_RATE * BPS)
MOST_GRADES = 26
MOST_BANDS = 20

RateBps = Annotated[int, Field(strict=True, ge=LOWEST_RATE_BPS, le=HIGHEST_RATE_BPS)]
GradeName = Annotated[str, Field(strict=True, pattern=r"^[A-Z][A-Z0-9+-]{0,7}$")]
Grades = Sequence[tuple[str, Decimal]]
"""Grades from the best to the riskiest, each with the worst PD it admits."""


class GradeRates(BaseModel):
    """One grade's monthly rates, a rate for each limit band."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    grade: GradeName
    rates_bps: Annotated[tuple[RateBps, ...], Field(min_length=1, max_length=MOST_BANDS)]


def _rows_of_table(table: object) -> object:
    """Read a table {grade: [rates]} as rows in the order written; leave the rest to the field's own check."""
    if not isinstance(table, Mapping):
        return table
    return tuple({"grade": grade, "rates_bps": rates} for grade, rates in table.items())


class PriceGrid(BaseModel):
    """Monthly rates by grade, best first, and limit band, smallest first; a broken rule is a ValueError."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bands_cents: Annotated[tuple[PositiveCents, ...], Field(min_length=1, max_length=MOST_BANDS)]
    """The upper edge of each band, itself included; the last is the largest limit of the product."""
    rates: Annotated[
        tuple[GradeRates, ...], BeforeValidator(_rows_of_table), Field(min_length=1, max_length=MOST_GRADES)
    ]
    ceiling_bps: RateBps

    @property
    def grades(self) -> tuple[str, ...]:
        """Give the grades that have a price, best first."""
        return tuple(row.grade for row in self.rates)

    @model_validator(mode="after")
    def _rules_hold(self) -> Self:
        broken = [*_broken_bands(self.bands_cents), *_broken_rows(self)]
        if broken:
            raise ValueError("; ".join(broken))
        return self


class PricingPolicy(PriceGrid):
    """The whole `[pricing]` table of a policy: the grid, the fees, and the economics it is tested against."""

    fees: Fees
    economics: Economics


class BreakEvenCell(BaseModel):
    """One cell of the grid beside the rates it has to earn, in hundredths of a per cent a month.

    The margin is judged at the reference line by interest alone. The band's middle line, drawn in the same
    proportion, shows how the fixed running cost weighs on a small line and what the monthly fee brings there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    grade: GradeName
    worst_pd: Decimal
    band_from_cents: PositiveCents
    band_to_cents: PositiveCents
    rate_bps: RateBps
    break_even_bps: Shown
    margin_bps: Shown
    mid_limit_cents: PositiveCents
    mid_break_even_bps: Shown
    mid_fee_bps: Shown
    mid_margin_bps: Shown


class GridViolation(BaseModel):
    """A grade or cell that must not be published, with the reason in words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    grade: str
    band_to_cents: PositiveCents | None
    sentence: str


def price(grid: PriceGrid, grade: str, limit_cents: int) -> int:
    """Look up the monthly rate, in hundredths of a per cent, of a grade at a limit.

    ValueError for a grade without a price (`PriceGrid.grades` tells) or a limit outside $5,000 to $300,000.
    """
    if not SMALLEST_LIMIT_CENTS <= limit_cents <= LARGEST_LIMIT_CENTS:
        raise ValueError(f"a limit of {limit_cents!r} cents is outside the product")
    for row in grid.rates:
        if row.grade == grade:
            return next(
                rate_bps
                for band_to_cents, rate_bps in zip(grid.bands_cents, row.rates_bps, strict=True)
                if limit_cents <= band_to_cents
            )
    raise ValueError(f"grade {grade!r} has no price; the grid knows {', '.join(grid.grades)}")


def break_even_report(
    grid: PriceGrid, grades: Grades, economics: Economics, fees: Fees = NO_FEES
) -> tuple[BreakEvenCell, ...]:
    """Set every cell of the grid beside its break-even, at the grade's worst PD, in the grid's order.

    Grades that are not in the grid (those that never get an offer) are left out. ValueError where a priced
    grade has no worst PD.
    """
    worst = dict(grades)
    return tuple(_cell(place, worst[place.grade], economics, fees) for place in _places(grid, worst))


def check_reference_line(grid: PriceGrid, grades: Grades, economics: Economics) -> tuple[GridViolation, ...]:
    """Name all that forbids publishing the grid: no worst PD, another order of risk, a rate below break-even.

    Break-even is that of the reference line at the grade's worst PD, compared unrounded. An empty answer is
    a pass.
    """
    worst = dict(grades)
    unknown = tuple(
        GridViolation(grade=grade, band_to_cents=None, sentence=f"Grade {grade} has a price but no worst PD.")
        for grade in grid.grades
        if grade not in worst
    )
    if unknown:
        return unknown
    disordered = tuple(
        GridViolation(
            grade=riskier,
            band_to_cents=None,
            sentence=f"Grade {riskier} stands after {safer} but its worst PD is not above {safer}'s.",
        )
        for safer, riskier in pairwise(grid.grades)
        if worst[riskier] <= worst[safer]
    )
    return disordered + tuple(_losses(grid, worst, economics))


class _Place(NamedTuple):
    grade: str
    band_from_cents: int
    band_to_cents: int
    rate_bps: int


def _places(grid: PriceGrid, worst: Mapping[str, Decimal]) -> Iterator[_Place]:
    """Walk the grid's cells, refusing a grade whose worst PD is not known."""
    for row in grid.rates:
        if row.grade not in worst:
            raise ValueError(f"grade {row.grade!r} has a price but no worst PD")
        band_from_cents = SMALLEST_LIMIT_CENTS
        for band_to_cents, rate_bps in zip(grid.bands_cents, row.rates_bps, strict=True):
            yield _Place(row.grade, band_from_cents, band_to_cents, rate_bps)
            band_from_cents = band_to_cents + LIMIT_STEP_CENTS


def _losses(grid: PriceGrid, worst: Mapping[str, Decimal], economics: Economics) -> Iterator[GridViolation]:
    for place in _places(grid, worst):
        with exact():
            needed_bps = BPS * break_even_monthly(worst[place.grade], economics)
            if place.rate_bps >= needed_bps:
                continue
            sentence = (
                f"Grade {place.grade} up to ${place.band_to_cents // 100:,} is priced at {place.rate_bps} bps"
                f" a month but needs {shown(needed_bps)} at a PD of {worst[place.grade]}."
            )
        yield GridViolation(grade=place.grade, band_to_cents=place.band_to_cents, sentence=sentence)


def _cell(place: _Place, worst_pd: Decimal, economics: Economics, fees: Fees) -> BreakEvenCell:
    require_decimal("worst PD", worst_pd)
    middle_cents = (place.band_from_cents + place.band_to_cents) // 2
    mid_limit_cents = middle_cents - middle_cents % LIMIT_STEP_CENTS
    mid_drawn_cents = divide_half_up(mid_limit_cents * economics.reference_drawn_cents, economics.reference_limit_cents)
    with exact():
        break_even_bps = BPS * break_even_monthly(worst_pd, economics)
        mid_break_even_bps = BPS * break_even_at(worst_pd, economics, mid_limit_cents, mid_drawn_cents)
        mid_fee_bps = Decimal(BPS * fees.monthly_cents(mid_limit_cents)) / mid_drawn_cents
        return BreakEvenCell(
            grade=place.grade,
            worst_pd=worst_pd,
            band_from_cents=place.band_from_cents,
            band_to_cents=place.band_to_cents,
            rate_bps=place.rate_bps,
            break_even_bps=shown(break_even_bps),
            margin_bps=shown(place.rate_bps - break_even_bps),
            mid_limit_cents=mid_limit_cents,
            mid_break_even_bps=shown(mid_break_even_bps),
            mid_fee_bps=shown(mid_fee_bps),
            mid_margin_bps=shown(place.rate_bps + mid_fee_bps - mid_break_even_bps),
        )


def _broken_bands(bands_cents: tuple[int, ...]) -> Iterator[str]:
    if any(lower >= upper for lower, upper in pairwise(bands_cents)):
        yield "the bands do not rise"
    if bands_cents[0] < SMALLEST_LIMIT_CENTS or bands_cents[-1] != LARGEST_LIMIT_CENTS:
        yield f"the bands do not cover the product: first edge {bands_cents[0]}, last {bands_cents[-1]} cents"
    if any(edge % LIMIT_STEP_CENTS for edge in bands_cents):
        yield f"a band's edge is not a multiple of {LIMIT_STEP_CENTS} cents"


def _broken_rows(grid: PriceGrid) -> Iterator[str]:
    if len(set(grid.grades)) != len(grid.grades):
        yield "a grade is priced twice"
    for row in grid.rates:
        if len(row.rates_bps) != len(grid.bands_cents):
            yield f"grade {row.grade} has {len(row.rates_bps)} rates for {len(grid.bands_cents)} bands"
        if max(row.rates_bps) > grid.ceiling_bps:
            yield f"grade {row.grade} has a rate above the ceiling of {grid.ceiling_bps} bps"
    for safer, riskier in pairwise(grid.rates):
        if any(low > high for low, high in zip(safer.rates_bps, riskier.rates_bps, strict=False)):
            yield f"grade {riskier.grade} is cheaper than the safer grade {safer.grade}"
