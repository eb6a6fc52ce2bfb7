"""What a model earns under the price grid: expected and realised profit, and the expected maximum profit.

It does: value each example as a year of the policy's reference line at the price of its grade, by engine.pricing.
It does not: know the line that was really lent, or reprice by amount. The rule it keeps: one formula
(economics.raroc) values goods (PD 0) and bads (PD 1) alike, so expected and realised differ only by what happened.
"""

from decimal import Decimal
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from engine.policy import Policy
from engine.pricing import price
from engine.pricing.economics import exposure_at_default, raroc
from engine.values import Frozen
from training.evaluation.ranking import hull

Floats = NDArray[np.float64]
_BPS, _MONTHS = 10_000, 12
UNIFORM_SHARE = 0.35  # of losses between nothing and all, in Verbraken et al. (2014): 1 - 0.55 - 0.1


class Prices(Frozen):
    """What a good and a bad line leaves before tax in a year, by grade, at the policy's reference line."""

    policy: str
    grades: tuple[str, ...]
    pd_most: tuple[float, ...]
    good_cents: tuple[int, ...]
    bad_cents: tuple[int, ...]
    exposure_cents: int
    """At default."""
    loss_given_default: float

    @classmethod
    def of(cls, policy: Policy) -> Self:
        """The prices of one day's policy; grades without a price are left out."""
        economics, fees = policy.pricing.economics, policy.pricing.fees
        limit, drawn = economics.reference_limit_cents, economics.reference_drawn_cents
        priced = [grade for grade in policy.grades if grade.name in policy.pricing.grades]
        good, bad = [], []
        for grade in priced:
            rate = price(policy.pricing, grade.name, limit)
            revenue = _MONTHS * (drawn * rate // _BPS + fees.monthly_cents(limit)) + fees.establishment_cents(limit)
            good.append(raroc(limit, drawn, revenue, Decimal(0), economics).pre_tax_cents)
            bad.append(raroc(limit, drawn, revenue, Decimal(1), economics).pre_tax_cents)
        return cls(
            policy=policy.name, grades=tuple(grade.name for grade in priced),
            pd_most=tuple(grade.pd_most_bps / _BPS for grade in priced), good_cents=tuple(good), bad_cents=tuple(bad),
            exposure_cents=exposure_at_default(limit, drawn, Decimal(economics.ccf_bps) / _BPS),
            loss_given_default=economics.lgd_bps / _BPS,
        )  # fmt: skip

    def approved(self, pd: Floats) -> NDArray[np.bool_]:
        """Whom the grade table gives a price, by the PD as records hold it (four decimals)."""
        return np.round(pd, 4) <= self.pd_most[-1]

    def values(self, pd: Floats) -> tuple[Floats, Floats]:
        """Cents a good and a bad of each PD leave; beyond the last grade at the last grade's price."""
        place = np.minimum(np.searchsorted(self.pd_most, np.round(pd, 4), side="left"), len(self.grades) - 1)
        return np.asarray(self.good_cents, float)[place], np.asarray(self.bad_cents, float)[place]

    def realised(self, y: Floats, pd: Floats) -> Floats:
        """Cents each example would have left, had it been approved."""
        good, bad = self.values(pd)
        return np.where(y == 1, bad, good)


class Profit(Frozen):
    """Profit before tax, cents per applicant, under the price grid at the reference line."""

    policy: str
    approval_rate: float
    bad_rate_approved: float | None
    expected_cents: float
    realised_cents: float
    best_approval_rate: float
    """At which approval rate, safest first, the realised profit was largest (hindsight)."""
    best_cents: float
    curve: tuple[tuple[float, float], ...] = Field(description="approval rate and realised cents per applicant")
    roi: float
    """What a good line leaves of a dollar of exposure, on average over those approved."""
    emp: float
    """Expected maximum profit, of a dollar of exposure to every applicant, over lending to all."""
    emp_rejected: float
    """Share of applicants that the cut-offs behind it reject."""


def profit(y: Floats, pd: Floats, weight: Floats, prices: Prices, points: int = 20) -> Profit:
    """Value a model's PDs under a policy's prices."""
    total, approved = float(weight.sum()), prices.approved(pd)
    good, bad = prices.values(pd)
    realised, expected = prices.realised(y, pd), (1 - pd) * good + pd * bad
    taken = weight * approved
    order = np.argsort(pd, kind="stable")
    rate = np.concatenate(([0.0], np.cumsum(weight[order]) / total))
    cents = np.concatenate(([0.0], np.cumsum((weight * realised)[order]) / total))
    at = np.searchsorted(rate, np.arange(1, points + 1) / points - 1e-9)
    best = int(cents.argmax())
    pool = taken if taken.sum() else weight
    roi = float((pool * good).sum() / pool.sum()) / prices.exposure_cents
    gain, rejected = emp(y, pd, weight, roi, *loss_masses(prices.loss_given_default))
    return Profit(
        policy=prices.policy, approval_rate=float(taken.sum() / total),
        bad_rate_approved=float((taken * y).sum() / taken.sum()) if taken.sum() else None,
        expected_cents=float((taken * expected).sum() / total), realised_cents=float((taken * realised).sum() / total),
        best_approval_rate=float(rate[best]), best_cents=float(cents[best]),
        curve=tuple((float(rate[i]), float(cents[i])) for i in np.minimum(at, len(rate) - 1)),
        roi=roi, emp=gain, emp_rejected=rejected,
    )  # fmt: skip


def loss_masses(mean: float) -> tuple[float, float]:
    """The chance that a default loses nothing, and all, so that the mean is the policy's loss given default.

    The published form is kept (a share UNIFORM_SHARE evenly between), its masses moved to the mean; where no
    masses fit, the even share gives way.
    """
    ends = 1 - UNIFORM_SHARE
    shift = 2 * mean - 1
    ends = max(ends, abs(shift))
    return (ends - shift) / 2, (ends + shift) / 2


def emp(y: Floats, pd: Floats, weight: Floats, roi: float, nothing: float, everything: float) -> tuple[float, float]:
    """Expected maximum profit and the share rejected (Verbraken, Bravo, Weber and Baesens 2014), exactly.

    A rejected bad saves a share of the loan, 0 with chance `nothing`, 1 with chance `everything`, else even
    between; a rejected good costs `roi`. The best cut-off for each loss lies on the ROC curve's hull, where the
    integral is a sum over its edges. Where nothing is lost nobody is rejected.
    """
    pi = float((weight * y).sum() / weight.sum())
    goods, bads = hull(y, pd, weight)
    rise, run = pi * np.diff(bads), (1 - pi) * np.diff(goods)
    turning = np.where(rise > 0, roi * run / np.where(rise > 0, rise, 1), np.inf)
    edges = np.concatenate(([0.0], np.clip(turning, 0, 1), [1.0]))  # vertex i is best from edges[i] to edges[i + 1]
    cost, saved, rejected = roi * (1 - pi) * goods, pi * bads, (1 - pi) * goods + pi * bads
    width, square = np.diff(edges), np.diff(edges**2) / 2
    even = 1 - nothing - everything
    last = int(np.flatnonzero(turning <= 1).max(initial=-1)) + 1  # the vertex for a loss of all
    gain = even * float((saved * square - cost * width).sum()) + everything * float(saved[last] - cost[last])
    share = even * float((rejected * width).sum()) + everything * float(rejected[last])
    return gain, share
