"""The offer explorer: what smaller amounts would be offered, and what a draw costs over other terms.

It does: decide each amount again. It does not: go above what was asked for. The rule it keeps: at most 500 points.
"""

from collections.abc import Sequence
from typing import Literal

from engine.application import Application
from engine.decision import DecidingRelease
from engine.facts import Facts
from engine.pricing import CostDisclosure, Fees, disclose
from engine.values import Frozen
from engine.whatif.changed import asking
from engine.whatif.outlook import Outlook, Outlooks

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
    fees = release.policy.on(facts.as_of.date()).pricing.fees
    found = Outlooks(release).of([(asking(application, cents), facts) for cents in amounts_cents])
    return tuple(
        _point(outlook, cents, months, draw_cents, fees)
        for cents, outlook in zip(amounts_cents, found, strict=True)
        for months in terms_months
    )


def _point(outlook: Outlook, amount_cents: int, months: int, draw_cents: int | None, fees: Fees) -> Point:
    outcome, limit_cents, rate_bps = outlook
    cost = None
    if limit_cents is not None and rate_bps is not None:
        cost = disclose(min(draw_cents or limit_cents, limit_cents), limit_cents, rate_bps, months, fees)
    return Point(
        amount_cents=amount_cents,
        months=months,
        outcome=outcome,
        limit_cents=limit_cents,
        monthly_rate_bps=rate_bps,
        cost=cost,
    )
