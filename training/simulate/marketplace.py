"""Twelve months of orders on the marketplace, and the suppliers they went to.

It does: draw orders whose number follows turnover and engagement, and whose payment follows liquidity. It
does not: judge a supplier. The rule it keeps: order values sum to the share of goods this buyer buys here.
"""
# ruff: noqa: PLR2004 - the figures are the made-up world itself; a name for each would say no more

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from engine.facts.bank import day_number
from engine.facts.marketplace import (
    CANCELLED,
    CHARGEBACK,
    COMPLETED,
    DISPUTE_LOST,
    DISPUTE_WON,
    NOT_PAID_YET,
    NOT_SHIPPED,
    WINDOW_DAYS,
)
from training.simulate.ledger import Ints
from training.simulate.population import Business, Rng, stream
from training.simulate.sales import size_of

Json = dict[str, object]
_MOST_ORDERS = 2_000
_TERMS_DAYS = 30


@dataclass(frozen=True, slots=True)
class History:
    """The history in the form of engine.facts.MarketplaceHistory, how many orders, and whom they went to."""

    json: Json
    orders: int
    supplier_ids: list[str]


def make_marketplace(business: Business) -> History:
    """A buyer's last twelve months; 3 % have joined only lately."""
    rng, shipping = (stream(business.seed, business.index, part) for part in (3, 9))
    tenure = _tenure(business, rng)
    span = min(tenure, WINDOW_DAYS - 1)
    count = _order_count(business, span, rng)
    ages = _ages(business, count, span, rng)
    suppliers = min(1 + int(count**0.5 * math.exp(0.35 * float(rng.standard_normal()))), 40, max(count, 1))
    weights = np.arange(1, suppliers + 1) ** -(0.6 + 0.9 * float(rng.random()))
    who = np.searchsorted(np.cumsum(weights), rng.random(count) * weights.sum())
    who = np.minimum(who, suppliers - 1)
    if business.fraud == "related_supplier":
        who = np.where(rng.random(count) < 0.75, 0, who)
    amounts = _amounts(business, count, span, rng)
    outcomes = _outcomes(business, count, rng)
    today = day_number(business.applied_on)
    ids = [f"sup-{(business.name_number * 31 + place * 7_919) % 1_000_003:06d}-{place}" for place in range(suppliers)]
    json: Json = {
        "joined_on": (business.applied_on - timedelta(days=tenure)).isoformat(),
        "suppliers": [
            {**_supplier(business, place, ids[place], rng), **_manners(business, shipping)}
            for place in range(suppliers)
        ],
        "orders": {
            "placed_day": (today - ages).tolist(),
            "amount_cents": amounts.tolist(),
            "supplier": who.tolist(),
            "outcome": outcomes.tolist(),
            "days_late": _days_late(business, ages, outcomes, rng).tolist(),
            "ship_days": _ship_days(ages, outcomes, shipping).tolist(),
        },
    }
    return History(json, count, ids)


def _tenure(business: Business, rng: Rng) -> int:
    """Days on the marketplace: 3 % joined within the last three months."""
    if float(rng.random()) < 0.03:
        return int(rng.integers(10, 90))
    longest = max(business.age_days + 30, 120)
    drawn = 620 * math.exp(0.3 * business.traits.engagement + 0.7 * float(rng.standard_normal()))
    return int(min(max(drawn, 90), longest, 4_000))


def _order_count(business: Business, span: int, rng: Rng) -> int:
    """Heavy-tailed by turnover, engagement and chance; at most 2,000."""
    noise = 0.65 * float(rng.standard_normal())
    rate = 66 * size_of(business) ** 0.45 * math.exp(0.45 * business.traits.engagement + noise)
    return min(int(rng.poisson(rate * span / WINDOW_DAYS)), _MOST_ORDERS)


def _ages(business: Business, count: int, span: int, rng: Rng) -> Ints:
    """Days before the application that orders were placed, oldest first; a fading buyer has few of late."""
    tilt = math.exp(min(max(0.28 * business.traits.momentum + 0.1 * business.traits.engagement, -0.9), 0.9))
    return np.sort(1 + (span * rng.random(count) ** tilt).astype(np.int64))[::-1]


def _amounts(business: Business, count: int, span: int, rng: Rng) -> Ints:
    """Order values in cents; a related supplier's are suspiciously round."""
    total = business.turnover_cents * business.trade.goods * business.platform_share * span / WINDOW_DAYS
    sizes = np.exp(0.8 * rng.standard_normal(count))
    cents = sizes * (total / max(float(sizes.sum()), 1.0))
    unit = 100_000 if business.fraud == "related_supplier" else 5
    return np.maximum(np.rint(cents / unit).astype(np.int64), 1) * unit


def _outcomes(business: Business, count: int, rng: Rng) -> Ints:
    traits = business.traits
    chances = (
        (CANCELLED, 0.03 * math.exp(-0.4 * traits.engagement)),
        (DISPUTE_WON, 0.01),
        (DISPUTE_LOST, 0.008 * math.exp(-0.5 * traits.health)),
        (CHARGEBACK, 0.002 * math.exp(-0.7 * traits.health)),
    )
    edges = np.cumsum([chance for _, chance in chances])
    codes = np.array([code for code, _ in chances] + [COMPLETED], dtype=np.int64)
    return codes[np.searchsorted(edges, rng.random(count), side="right")]


def _days_late(business: Business, ages: Ints, outcomes: Ints, rng: Rng) -> Ints:
    """Days paid after due; recent orders and cancelled ones are mostly not paid."""
    traits, count = business.traits, len(ages)
    habit = 0.9 * traits.liquidity + 0.5 * float(rng.standard_normal())
    late = rng.random(count) < 1 / (1 + math.exp(1.1 + habit))
    days = np.ceil(rng.exponential(9 * math.exp(-0.35 * traits.liquidity), count)).astype(np.int64)
    paid = np.where(late, np.minimum(days, np.maximum(ages - 1, 0)), 0)
    open_still = (ages < _TERMS_DAYS) & (rng.random(count) < 0.65)
    return np.where(open_still | (outcomes == CANCELLED), NOT_PAID_YET, paid)


def _ship_days(ages: Ints, outcomes: Ints, rng: Rng) -> Ints:
    """Days from order to shipment; what was cancelled, or ordered too lately, has not left."""
    days = np.ceil(rng.gamma(1.6, 2.2, len(ages))).astype(np.int64)
    return np.where((outcomes == CANCELLED) | (days > ages), NOT_SHIPPED, days)


def _manners(business: Business, rng: Rng) -> Json:
    """When a supplier was last vetted, how often it answers, and how fast."""
    u = rng.random(3).tolist()
    return {
        "vetted_on": (business.applied_on - timedelta(days=int(182 * u[0]))).isoformat(),
        "response_rate_bps": int(10_000 - 2_500 * u[1] ** 2),
        "response_hours": 1 + int(47 * u[2] ** 2),
    }


def _supplier(business: Business, place: int, supplier_id: str, rng: Rng) -> Json:
    """A supplier's own record; most pass a reasonable gate."""
    u = rng.random(5).tolist()
    orders = int(math.exp(3 + 4 * u[1]))
    related = place == 0 and business.fraud == "related_supplier"
    return {
        "id": supplier_id,
        "active_since": (business.applied_on - timedelta(days=int(100 + 2_400 * u[0]))).isoformat(),
        "orders_12m": orders,
        "value_12m_cents": int(orders * math.exp(11.6 + 2.5 * u[2])),
        "dispute_bps": int(40 - 70 * math.log(max(u[3], 1e-3))) if not related else 0,
        "on_time_bps": int(10_000 - 1_050 * u[4] ** 2),
        "related_to_buyer": related,
    }
