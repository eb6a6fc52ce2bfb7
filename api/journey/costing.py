"""What a line costs and how often a person looks, told before anybody applies.

It does: price one draw from an example line by the price list of the policy in force, at its lowest and its highest
rate for such a line. It does not: promise a rate. The rules it keeps: every figure is worked out by the engine's own
pricing, so that the page can say nothing that an offer would not; and the store counts once a minute, however many open
the page.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from api.store.database import Database
from api.store.queries.outcomes import newest_outcomes
from engine.policy import Policy
from engine.pricing import CostDisclosure, Fees, disclose, price

LINE_CENTS: Final = 3_000_000
DRAW_CENTS: Final = 2_000_000
_FEWEST: Final = 100  # decisions below which a share of them says nothing
_COUNTED_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Costs:
    """The range of rates over all lines, and the same draw at the lowest and the highest rate of the example line."""

    least_bps: int
    most_bps: int
    fees: Fees
    lowest: CostDisclosure
    highest: CostDisclosure
    held_days: int


def costs(policy: Policy) -> Costs:
    """What the policy asks."""
    pricing, rates = policy.pricing, [bps for row in policy.pricing.rates for bps in row.rates_bps]
    lowest, highest = (
        disclose(DRAW_CENTS, LINE_CENTS, price(pricing, grade, LINE_CENTS), policy.offer.worked_months, pricing.fees)
        for grade in (pricing.grades[0], pricing.grades[-1])
    )
    return Costs(min(rates), max(rates), pricing.fees, lowest, highest, policy.offer.held_days)


def by_people(referred: int, decided: int) -> int | None:
    """How many in a hundred applications went to a person first, rounded up; None where too few were decided."""
    return None if decided < _FEWEST else -(-100 * referred // decided)


class Outcomes:
    """What became of the newest applications, as counted at most a minute ago; `clock` is monotonic."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._counted = (0, 0)
        self._due = clock()

    async def newest(self) -> tuple[int, int]:
        """How many were referred to a person at first, and how many there are (at most the newest thousand)."""
        now = self._clock()
        if now >= self._due:
            self._counted = await self._database.read(newest_outcomes)
            self._due = now + _COUNTED_SECONDS
        return self._counted
