"""What the page before the form says of costs and of people: the engine's own figures, and no share of too few."""

import asyncio
from datetime import date

import models
from api.journey.costing import DRAW_CENTS, LINE_CENTS, Outcomes, by_people, costs
from engine.pricing import disclose
from tests.support.service import Service, body_of


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


def test_the_store_counts_once_a_minute(service: Service) -> None:
    """Whoever opens the page within a minute is told what was counted; after it, what there is by then."""
    moment = 0.0
    outcomes = Outcomes(service.database, lambda: moment)
    assert asyncio.run(outcomes.newest()) == (0, 0)
    reply = service.apply(body_of()).json()
    moment = 59.9
    assert asyncio.run(outcomes.newest()) == (0, 0)
    moment = 60.0
    assert asyncio.run(outcomes.newest()) == (int(reply["outcome"] == "refer"), 1)
