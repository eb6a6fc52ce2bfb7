"""Evidence that grows day by day, and may be looked at every day.

It does: weigh, for each day on which a change may have begun, how much better the counts since then are explained by
some change than by none. It does not: say whether a change matters (series does). The rules it keeps: evidence is a
ratio of likelihoods, so that it exceeds 1/alpha under no change with a chance of at most about alpha however often it
is looked at (Ville); starts share that chance, the k-th one having 1/(k(k+1)) of it; a baseline is itself a sample, so
counts are predicted from it and not held against it as if it were the truth.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

Floats = NDArray[np.float64]
ALPHA = 0.01  # the chance of one false alarm, ever, in a family of series
_SHIFTS = np.linspace(0.1, 2.0, 20)  # in log-odds: how much worse outcomes may be than the PDs said


def of_shares(totals: Floats, expected: Floats, rows: float, spread: float) -> Floats:
    """Log evidence (days,) that running totals (days, bins) come of other shares than a baseline of `rows` rows.

    Dirichlet-multinomial both: no change has the baseline's rows behind its shares, some change only `spread` of
    them, so that a change is expected to be about as large as one that matters.
    """
    smoothed = (rows * expected + 0.5) / (rows + 0.5 * len(expected))
    return _predicted(totals, spread * smoothed) - _predicted(totals, rows * smoothed)


def outcome_terms(y: Floats, pd: Floats) -> Floats:
    """Log-likelihood ratios (shifts, n) of outcomes under each shift against outcomes as the PDs said."""
    return np.asarray(_SHIFTS[:, None] * y - np.log1p(pd * np.expm1(_SHIFTS)[:, None]))


def of_outcomes(totals: Floats) -> Floats:
    """Log evidence (days,) that more went bad than was said, from running totals of the terms: all shifts alike."""
    most = totals.max(axis=1)
    return np.asarray(most + np.log(np.exp(totals - most[:, None]).mean(axis=1)))


def left(evidence: Floats, start: int, series: int) -> Floats:
    """Decimal logarithm of what is left of evidence after its costs; above 0 is an alarm.

    The costs: that it began at the `start`-th start (from 0), and that so many series of one family are watched.
    """
    return np.asarray((evidence - np.log((start + 1) * (start + 2)) - np.log(series / ALPHA)) / np.log(10))


def noise(bins: int, rows: float, baseline_rows: float, z: float = 2.326) -> float:
    """The PSI that no change stays below in 99 of 100 samples of `rows`: chi-square / rows (Wilson and Hilferty)."""
    k = max(bins - 1, 1)
    return float(k * (1 - 2 / (9 * k) + z * np.sqrt(2 / (9 * k))) ** 3 * _unsure(rows, baseline_rows))


def usual(bins: int, rows: "Floats | float", baseline_rows: float) -> Floats:
    """The mean PSI under no change."""
    return np.asarray((bins - 1) * _unsure(rows, baseline_rows))


def _unsure(rows: "Floats | float", baseline_rows: float) -> Floats:
    return np.asarray(1 / np.maximum(rows, 1e-9) + 1 / baseline_rows)


def _predicted(counts: Floats, prior: Floats) -> Floats:
    n, mass = counts.sum(axis=-1), prior.sum()
    return np.asarray(
        gammaln(mass) - gammaln(mass + n) + (gammaln(prior + counts) - gammaln(prior)).sum(axis=-1), dtype=np.float64
    )
