"""What the page before the form says of costs and of people: the engine's own figures, and no share of too few."""

from datetime import date

import models
from api.journey.costing import DRAW_CENTS, LINE_CENTS, by_people, costs
from engine.pricing import disclose


def test_the_worked_draw_is_what_the_engine_would_disclose() -> None:
    """At the lowest and the highest rate of the price list for such a line, with the fees of the policy in force."""
    policy = models.champion().policy.on(date(2026, 11, 28))
    found = costs(policy)
    rates = [bps for row in policy.pricing.rates for bps in row.rates_bps]
    assert (found.least_bps, found.most_bps) == (min(rates), max(rates))
    assert found.lowest.apr_pct < found.highest.apr_pct
    for each in (found.lowest, found.highest):
        bps = int(each.monthly_rate_pct * 100)
        assert bps in rates
        assert each == disclose(DRAW_CENTS, LINE_CENTS, bps, policy.offer.worked_months, policy.pricing.fees)


def test_a_share_of_people_is_told_of_enough_applications() -> None:
    """Below a hundred applications nothing is said; above it the share is rounded up, never down to none."""
    assert by_people(5, 99) is None
    assert by_people(0, 100) == 0
    assert by_people(1, 1_000) == 1
    assert by_people(151, 1_000) == 16
