"""Price arithmetic: rates, schedules, cost disclosure, the lender's economics and the price grid.

This page only names what the rest of the engine may use; each part says in its own file what it does. It
decides nothing: grade and limit come in, figures go out. The rule: whole cents and decimals, no binary
floats.
"""

from engine.pricing.disclosure import NO_FEES, CostDisclosure, Fees, disclose
from engine.pricing.economics import (
    Economics,
    Return,
    break_even_at,
    break_even_monthly,
    expected_loss,
    exposure_at_default,
    raroc,
)
from engine.pricing.grid import (
    HIGHEST_RATE_BPS,
    BreakEvenCell,
    GradeRates,
    GridViolation,
    PriceGrid,
    PricingPolicy,
    break_even_report,
    check_reference_line,
    price,
)
from engine.pricing.instalments import Instalment, daily_interest, loan_for_payment, schedule
from engine.pricing.money import (
    LARGEST_LIMIT_CENTS,
    LIMIT_STEP_CENTS,
    LOWEST_RATE_BPS,
    SMALLEST_LIMIT_CENTS,
    MonthlyRate,
)
from engine.pricing.rates import (
    apr,
    average_monthly_payment,
    effective_annual,
    nominal_annual,
    periodic_return,
    term_in_months,
)

__all__ = [
    "HIGHEST_RATE_BPS",
    "LARGEST_LIMIT_CENTS",
    "LIMIT_STEP_CENTS",
    "LOWEST_RATE_BPS",
    "NO_FEES",
    "SMALLEST_LIMIT_CENTS",
    "BreakEvenCell",
    "CostDisclosure",
    "Economics",
    "Fees",
    "GradeRates",
    "GridViolation",
    "Instalment",
    "MonthlyRate",
    "PriceGrid",
    "PricingPolicy",
    "Return",
    "apr",
    "average_monthly_payment",
    "break_even_at",
    "break_even_monthly",
    "break_even_report",
    "check_reference_line",
    "daily_interest",
    "disclose",
    "effective_annual",
    "expected_loss",
    "exposure_at_default",
    "loan_for_payment",
    "nominal_annual",
    "periodic_return",
    "price",
    "raroc",
    "schedule",
    "term_in_months",
]
