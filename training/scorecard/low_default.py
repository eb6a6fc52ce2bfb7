"""How high a portfolio's PD may be when few or none of it went bad, and what a scorecard says of that portfolio.

It does: the most prudent estimate of Pluto and Tasche (Estimating probabilities of default for low default portfolios,
2005) for one portfolio and one period, its businesses independent or with a common factor (Vasicek). It does not:
estimate a best guess. The rule it keeps: with no bads at all the bound is still above zero, and falls as history grows.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtr, ndtri
from scipy.stats import binom

from engine.scoring.scale import FACTOR
from training.scorecard.description import Scorecard, ScoredFeature

_NODES = 96  # of the quadrature over the common factor
_LEAST, _MOST = 1e-9, 1.0 - 1e-9


def upper_pd(obligors: int, bads: int, confidence: float, correlation: float = 0.0) -> float:
    """The highest PD under which so few bads are not less likely than 1 - confidence."""
    factors, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    weights = weights / weights.sum()

    def surplus(pd: float) -> float:
        given = ndtr((ndtri(pd) - np.sqrt(correlation) * factors) / np.sqrt(1.0 - correlation))
        return float(weights @ binom.cdf(bads, obligors, given)) - (1.0 - confidence)

    return float(brentq(surplus, _LEAST, _MOST, xtol=1e-12))


def portfolio_pd(scorecard: Scorecard, log_odds: float) -> float:
    """The mean PD of the expected applicants, where the neutral business has these log-odds of default.

    Exact for the stated shares, features taken as independent.
    """
    return _mean_pd(_totals(scorecard.features), log_odds)


def log_odds_for(scorecard: Scorecard, pd: float) -> float:
    """The neutral business's log-odds at which the expected applicants' mean PD is this."""
    totals = _totals(scorecard.features)
    return float(brentq(lambda log_odds: _mean_pd(totals, log_odds) - pd, -30.0, 30.0, xtol=1e-12))


def anchor_pds(scorecard: Scorecard, log_odds: float) -> list[float]:
    """The mean PD in each band of the anchor and where it is missing, all else as expected."""
    [anchor] = [feature for feature in scorecard.features if feature.name == scorecard.anchor.feature]
    others = _totals([feature for feature in scorecard.features if feature is not anchor])
    return [_mean_pd(others, log_odds - worth.points / FACTOR) for worth in anchor.worths]


def _mean_pd(totals: Mapping[int, float], log_odds: float) -> float:
    points, shares = np.array(list(totals)), np.array(list(totals.values()))
    return float(shares @ expit(log_odds - points / FACTOR))


def _totals(features: Iterable[ScoredFeature]) -> dict[int, float]:
    """Total points and the share of applicants expected to have them."""
    totals: dict[int, float] = {0: 1.0}
    for feature in features:
        found: dict[int, float] = defaultdict(float)
        for total, share in totals.items():
            for worth in feature.worths:
                found[total + worth.points] += share * worth.share_bps / 10_000
        totals = dict(found)
    return totals
