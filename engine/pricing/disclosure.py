"""The cost of a draw as an applicant sees it: fees, total cost, APR and the other SMART Box figures.

It adds the lender's fees to a schedule and states the result and the assumptions behind it. It does not
choose rate or limit, nor know what the law of any contract says. The rule: every figure follows from the
cash flows, and the figures are checked against each other before the disclosure exists.
"""

from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engine.pricing.instalments import Instalment, schedule
from engine.pricing.money import (
    LARGEST_LIMIT_CENTS,
    MONTHS_PER_YEAR,
    Cents,
    MonthlyRate,
    PositiveCents,
    Shown,
    exact,
    monthly_fraction,
    require_cents,
    share_of,
    shown,
)
from engine.pricing.rates import apr, average_monthly_payment, effective_from_periodic, periodic_return

# Bounds on what a policy may ask: far above any fee we would charge, so that only a slip of unit is refused.
OneOffFeeBps = Annotated[int, Field(strict=True, ge=0, le=1_000)]
MonthlyFeeBps = Annotated[int, Field(strict=True, ge=0, le=200)]
MonthlyFeeCents = Annotated[int, Field(strict=True, ge=0, le=100_000)]


class Fees(BaseModel):
    """The lender's unavoidable fees: one-off at the first draw, at every draw, and every month."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    establishment_bps: OneOffFeeBps = 0
    """Of the limit, once, withheld from the first draw."""
    line_fee_bps_month: MonthlyFeeBps = 0
    """Of the limit, every month, drawn or not."""
    draw_fee_bps: OneOffFeeBps = 0
    """Of the draw, withheld from it."""
    minimum_monthly_fee_cents: MonthlyFeeCents = 0
    """The least the monthly line fee comes to: what lets a small line pay for its upkeep."""

    def establishment_cents(self, limit_cents: int) -> int:
        """Give the one-off fee of a line."""
        return share_of(limit_cents, self.establishment_bps)

    def draw_fee_cents(self, draw_cents: int) -> int:
        """Give the fee withheld from one draw."""
        return share_of(draw_cents, self.draw_fee_bps)

    def monthly_cents(self, limit_cents: int) -> int:
        """Give the line fee of one month, no less than the minimum."""
        return max(share_of(limit_cents, self.line_fee_bps_month), self.minimum_monthly_fee_cents)


NO_FEES = Fees()


class CostDisclosure(BaseModel):
    """What one draw costs, item by item; percentages and ratios at four places.

    The items and their formulae are those of the SMART Box: https://moula.com.au/smart-box and
    https://www.ondeck.com/smartbox. `later_draw_*` leave the establishment fee out, as it is charged once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    draw_cents: PositiveCents
    limit_cents: PositiveCents
    months: PositiveCents
    monthly_rate_pct: Shown
    establishment_fee_cents: Cents
    draw_fee_cents: Cents
    disbursement_cents: PositiveCents
    interest_cents: Cents
    monthly_line_fee_cents: Cents
    line_fees_cents: Cents
    total_cost_cents: Cents
    total_repayment_cents: PositiveCents
    average_monthly_payment_cents: PositiveCents
    apr_pct: Shown
    effective_annual_pct: Shown
    simple_annual_pct: Shown
    total_interest_pct: Shown
    cents_in_the_dollar: Shown
    factor_rate: Shown
    later_draw_total_cost_cents: Cents
    later_draw_apr_pct: Shown
    schedule: tuple[Instalment, ...]
    assumptions: tuple[str, ...]

    @model_validator(mode="after")
    def _figures_agree(self) -> Self:
        withheld_cents = self.establishment_fee_cents + self.draw_fee_cents
        paid_cents = sum(instalment.payment_cents for instalment in self.schedule)
        interest_cents = sum(instalment.interest_cents for instalment in self.schedule)
        agreements = {
            "limit and draw": self.draw_cents <= self.limit_cents,
            "term and schedule": len(self.schedule) == self.months and self.schedule[-1].balance_cents == 0,
            "disbursement": self.disbursement_cents == self.draw_cents - withheld_cents,
            "interest": self.interest_cents == interest_cents == paid_cents - self.draw_cents,
            "line fees": self.line_fees_cents == self.monthly_line_fee_cents * self.months,
            "total repayment": self.total_repayment_cents == paid_cents + self.line_fees_cents,
            "total cost": self.total_cost_cents == self.total_repayment_cents - self.disbursement_cents,
            "cost of a later draw": self.later_draw_total_cost_cents
            == self.total_cost_cents - self.establishment_fee_cents,
        }
        wrong = [name for name, holds in agreements.items() if not holds]
        if wrong:
            raise ValueError(f"figures disagree: {', '.join(wrong)}")
        return self


@lru_cache(
    maxsize=1024, typed=True
)  # of a few kB each; lines are of whole steps and rates of a grid, so draws come again
def disclose(draw_cents: int, limit_cents: int, monthly_rate: MonthlyRate, months: int, fees: Fees) -> CostDisclosure:
    """State the cost of one draw on day 0, repaid in equal monthly instalments over the months.

    The APR is the monthly internal rate of return on the amount disbursed, times twelve. ValueError outside
    the schedule's limits, for a draw above the limit or a limit above $300,000, and where the fees withheld
    exceed half of the draw, as they may on a small draw from a large line (`Fees` tells the fees
    beforehand): an APR of thousands of per cent informs nobody.
    """
    instalments = schedule(draw_cents, monthly_rate, months)
    require_cents("the limit", limit_cents, least=draw_cents, most=LARGEST_LIMIT_CENTS)
    establishment_cents = fees.establishment_cents(limit_cents)
    draw_fee_cents = fees.draw_fee_cents(draw_cents)
    monthly_fee_cents = fees.monthly_cents(limit_cents)
    later_disbursed_cents = draw_cents - draw_fee_cents
    disbursed_cents = later_disbursed_cents - establishment_cents
    if 2 * disbursed_cents < draw_cents:
        raise ValueError("the fees withheld exceed half of the draw")
    payments_cents = tuple(instalment.payment_cents + monthly_fee_cents for instalment in instalments)
    repaid_cents, line_fees_cents = sum(payments_cents), monthly_fee_cents * months
    interest_cents = repaid_cents - line_fees_cents - draw_cents
    with exact():
        monthly_return = periodic_return(disbursed_cents, payments_cents)
        apr_pct = shown(100 * MONTHS_PER_YEAR * monthly_return)
        interest_pct = shown(Decimal(100 * interest_cents) / draw_cents)
        return CostDisclosure(
            draw_cents=draw_cents,
            limit_cents=limit_cents,
            months=months,
            monthly_rate_pct=shown(100 * monthly_fraction(monthly_rate)),
            establishment_fee_cents=establishment_cents,
            draw_fee_cents=draw_fee_cents,
            disbursement_cents=disbursed_cents,
            interest_cents=interest_cents,
            monthly_line_fee_cents=monthly_fee_cents,
            line_fees_cents=line_fees_cents,
            total_cost_cents=repaid_cents - disbursed_cents,
            total_repayment_cents=repaid_cents,
            average_monthly_payment_cents=average_monthly_payment(repaid_cents, months),
            apr_pct=apr_pct,
            effective_annual_pct=effective_from_periodic(monthly_return, MONTHS_PER_YEAR),
            simple_annual_pct=shown(Decimal(100 * MONTHS_PER_YEAR * interest_cents) / (draw_cents * months)),
            total_interest_pct=interest_pct,
            cents_in_the_dollar=interest_pct,
            factor_rate=shown(Decimal(repaid_cents) / draw_cents),
            later_draw_total_cost_cents=repaid_cents - later_disbursed_cents,
            later_draw_apr_pct=apr(later_disbursed_cents, payments_cents, MONTHS_PER_YEAR)
            if establishment_cents
            else apr_pct,
            schedule=instalments,
            assumptions=_assumptions(draw_cents, limit_cents, months, fees),
        )


def _assumptions(draw_cents: int, limit_cents: int, months: int, fees: Fees) -> tuple[str, ...]:
    """Say in plain words what the figures take for granted; only what applies to these fees."""
    stated = [
        f"One draw of {_dollars(draw_cents)} on the first day, from a limit of {_dollars(limit_cents)}.",
        "Repaid at once after a month, on time."
        if months == 1
        else f"Repaid in {months} equal monthly instalments, on time; the last one clears any rounding.",
        "Nothing is drawn again and nothing is paid early or late.",
        "Interest is worked out each month on the balance still owed, to the nearest cent.",
        "APR is the monthly rate of return on the money paid out to you, times twelve.",
    ]
    if fees.establishment_cents(limit_cents):
        stated.append(
            "The establishment fee is charged once and taken out of the first draw."
            " Figures for a later draw leave it out."
        )
    if fees.draw_fee_cents(draw_cents):
        stated.append("The draw fee is taken out of the draw.")
    if fees.monthly_cents(limit_cents):
        stated.append("The line fee is charged for as many months as the draw runs.")
    return tuple(stated)


def _dollars(amount_cents: int) -> str:
    whole, cents = divmod(amount_cents, 100)
    return f"${whole:,}.{cents:02d}" if cents else f"${whole:,}"
