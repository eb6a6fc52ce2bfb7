"""The offer explorer: what smaller amounts would be offered, and what a draw costs over other terms.

It does: decide each amount again. It does not: go above what was asked for. The rule it keeps: at most 500 points.
"""

from collections.abc import Sequence
from typing import Literal

from engine.application import Application
from engine.decision import DecidingRelease, Decision, decide
from engine.facts import Facts
from engine.pricing import CostDisclosure, disclose
from engine.values import Frozen
from engine.whatif.changed import asking

MOST_POINTS = 500


class Point(Frozen):
    """One point of the explorer: what would be offered, and the cost of a draw over the term."""

    amount_cents: int
    months: int
    outcome: Literal["approve", "refer", "decline"]
    limit_cents: int | None
    monthly_rate_bps: int | None
    cost: CostDisclosure | None


def explore(
    application: Application,
    facts: Facts,
    release: DecidingRelease,
    amounts_cents: Sequence[int],
    terms_months: Sequence[int],
    draw_cents: int | None = None,
) -> tuple[Point, ...]:
    """Every amount (at or below the one asked for) decided again, each with its cost over every term.

    The draw is the whole limit unless stated, and never above it. ValueError for an amount above the request,
    or more than 500 points.
    """
    if len(amounts_cents) * len(terms_months) > MOST_POINTS:
        raise ValueError(f"at most {MOST_POINTS} points")
    if any(cents > application.request.amount_cents for cents in amounts_cents):
        raise ValueError("the explorer goes down from the amount asked for, never up")
    points: list[Point] = []
    for cents in amounts_cents:
        decision = decide(asking(application, cents), facts, release)
        points += [_point(decision, cents, months, draw_cents) for months in terms_months]
    return tuple(points)


def _point(decision: Decision, amount_cents: int, months: int, draw_cents: int | None) -> Point:
    offer, cost = decision.offer, None
    if offer:
        draw = min(draw_cents or offer.limit_cents, offer.limit_cents)
        cost = disclose(draw, offer.limit_cents, offer.monthly_rate_bps, months, offer.fees)
    return Point(
        amount_cents=amount_cents,
        months=months,
        outcome=decision.outcome,
        limit_cents=offer.limit_cents if offer else None,
        monthly_rate_bps=offer.monthly_rate_bps if offer else None,
        cost=cost,
    )
