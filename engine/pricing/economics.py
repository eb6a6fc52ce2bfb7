"""What a line earns and costs the lender: expected loss, return on capital and the break-even rate.

It values one line over one year from the lender's dated assumptions. It does not set prices (see grid). The
rule: break-even is the rate at which interest alone pays for funding, expected loss, running costs and the
hurdle on capital; fees come on top.
"""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engine.pricing.money import (
    BPS,
    MONTHS_PER_YEAR,
    Bps,
    Cents,
    PositiveCents,
    Shown,
    exact,
    require_cents,
    require_decimal,
    shown,
    to_cents,
)


class Economics(BaseModel):
    """The lender's assumptions, and the reference line at which a price grid has to break even."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cost_of_funds_bps: Bps
    """A year, on the part of the drawn money that is not capital."""
    lgd_bps: Bps
    ccf_bps: Bps
    opex_cents: Cents
    """A year and line."""
    capital_bps: Annotated[int, Field(strict=True, ge=1, le=BPS)]
    """Of the exposure at default."""
    hurdle_bps: Bps
    """Return on capital after tax, a year."""
    tax_bps: Annotated[int, Field(strict=True, ge=0, le=BPS - 1)]
    reference_limit_cents: PositiveCents
    reference_drawn_cents: PositiveCents

    @model_validator(mode="after")
    def _reference_line_is_a_line_in_use(self) -> Self:
        if not self.reference_drawn_cents <= self.reference_limit_cents <= 100 * self.reference_drawn_cents:
            raise ValueError("the reference line is drawn by 1 % to 100 % of its limit")
        return self


class Return(BaseModel):
    """A year of one line: where its revenue goes and what is left on the capital it ties up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    revenue_cents: Cents
    funding_cents: Cents
    expected_loss_cents: Cents
    opex_cents: Cents
    pre_tax_cents: int
    capital_cents: PositiveCents
    raroc_pre_tax_pct: Shown
    raroc_post_tax_pct: Shown


def exposure_at_default(limit_cents: int, drawn_cents: int, ccf: Decimal) -> int:
    """Give the balance expected at default: drawn + CCF * (limit - drawn), half up to the cent."""
    with exact():
        return to_cents(_exposure(limit_cents, drawn_cents, ccf))


def expected_loss(limit_cents: int, drawn_cents: int, pd: Decimal, lgd: Decimal, ccf: Decimal) -> int:
    """Give the loss expected over the PD's horizon: PD * LGD * exposure at default, half up to the cent."""
    require_decimal("PD", pd)
    require_decimal("LGD", lgd)
    with exact():
        return to_cents(pd * lgd * _exposure(limit_cents, drawn_cents, ccf))


def break_even_monthly(pd: Decimal, economics: Economics) -> Decimal:
    """Give the monthly rate, as a fraction, at which the reference line just earns its hurdle."""
    return break_even_at(pd, economics, economics.reference_limit_cents, economics.reference_drawn_cents)


def break_even_at(pd: Decimal, economics: Economics, limit_cents: int, drawn_cents: int) -> Decimal:
    """Give the monthly rate, as a fraction, at which a line just earns its hurdle by interest alone.

    (drawn * cost of funds * (1 - k) + EL + opex + k * EAD * hurdle / (1 - tax)) / drawn / 12, with k the
    share of the exposure held as capital. ValueError for nothing drawn or drawn above the limit.
    """
    require_decimal("PD", pd)
    require_cents("the drawn amount", drawn_cents, least=1)
    with exact():
        exposure = _exposure(limit_cents, drawn_cents, _fraction(economics.ccf_bps))
        hurdle = _fraction(economics.hurdle_bps) / (1 - _fraction(economics.tax_bps))
        needed = (
            _funding(drawn_cents, economics)
            + pd * _fraction(economics.lgd_bps) * exposure
            + economics.opex_cents
            + _fraction(economics.capital_bps) * exposure * hurdle
        )
        return needed / drawn_cents / MONTHS_PER_YEAR


def raroc(limit_cents: int, drawn_cents: int, revenue_cents: int, pd: Decimal, economics: Economics) -> Return:
    """Give a line's year and its risk-adjusted return on capital, before and after tax.

    (revenue - funding - opex - EL) / capital, with capital = k * EAD; revenue is a year's interest and
    fees. A loss is taxed like a gain (the lender is taken to have other income). ValueError as for the
    expected loss, and where there is no exposure to hold capital for.
    """
    require_decimal("PD", pd)
    require_cents("the revenue", revenue_cents)
    with exact():
        exposure = _exposure(limit_cents, drawn_cents, _fraction(economics.ccf_bps))
        capital = _fraction(economics.capital_bps) * exposure
        if to_cents(capital) == 0:
            raise ValueError("no exposure, no capital, no return on it")
        loss, funding = pd * _fraction(economics.lgd_bps) * exposure, _funding(drawn_cents, economics)
        pre_tax = revenue_cents - funding - loss - economics.opex_cents
        return Return(
            revenue_cents=revenue_cents,
            funding_cents=to_cents(funding),
            expected_loss_cents=to_cents(loss),
            opex_cents=economics.opex_cents,
            pre_tax_cents=to_cents(pre_tax),
            capital_cents=to_cents(capital),
            raroc_pre_tax_pct=shown(100 * pre_tax / capital),
            raroc_post_tax_pct=shown(100 * pre_tax * (1 - _fraction(economics.tax_bps)) / capital),
        )


def _fraction(bps: int) -> Decimal:
    return Decimal(bps) / BPS


def _funding(drawn_cents: int, economics: Economics) -> Decimal:
    """Give a year's funding cost of the drawn money that is not the lender's own capital."""
    return drawn_cents * _fraction(economics.cost_of_funds_bps) * (1 - _fraction(economics.capital_bps))


def _exposure(limit_cents: int, drawn_cents: int, ccf: Decimal) -> Decimal:
    require_decimal("CCF", ccf)
    require_cents("the drawn amount", drawn_cents)
    require_cents("the limit", limit_cents, least=drawn_cents)
    return drawn_cents + ccf * (limit_cents - drawn_cents)
