"""What a line is worth in a year, at its own limit and rate.

It does: value a line by engine.pricing.economics, drawn in the proportion of the policy's reference line, if it is paid
and if it goes bad. It does not: know what will be drawn. The rule it keeps: both sides of a comparison are valued at
the same costs, those of the new policy's newest terms.
"""

from decimal import Decimal
from functools import lru_cache

from engine.pricing import PricingPolicy
from engine.pricing.economics import raroc

_BPS, _MONTHS = 10_000, 12


class Worth:
    """The value of lines under one policy's costs and fees; lines and rates repeat, so each is worked out once."""

    def __init__(self, pricing: PricingPolicy) -> None:
        self._pricing = pricing
        self.of = lru_cache(maxsize=65_536)(self._of)

    def _of(self, limit_cents: int, rate_bps: int) -> tuple[int, int]:
        """Cents before tax that a line leaves in a year if it is paid, and if it goes bad."""
        economics, fees = self._pricing.economics, self._pricing.fees
        drawn = limit_cents * economics.reference_drawn_cents // economics.reference_limit_cents
        interest = _MONTHS * (drawn * rate_bps // _BPS)
        revenue = interest + _MONTHS * fees.monthly_cents(limit_cents) + fees.establishment_cents(limit_cents)
        return (
            raroc(limit_cents, drawn, revenue, Decimal(0), economics).pre_tax_cents,
            raroc(limit_cents, drawn, revenue, Decimal(1), economics).pre_tax_cents,
        )
