"""Everything that is said of a model on one set of examples, in one record that a report or a monitor reads.

It does: put figures, slices, drift, profit, fairness, challengers and swaps together. It does not: draw or decide.
The rule it keeps: the record is plain JSON both ways, and everything in it follows from examples, PDs and a seed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.values import Frozen
from training.data import Dataset
from training.evaluation.contest import Contest, contest
from training.evaluation.errors import Band, bands, wilson
from training.evaluation.fairness import Fairness, fairness
from training.evaluation.figures import RESAMPLES, Evaluation, Figure, evaluate
from training.evaluation.profit import Prices, Profit, profit
from training.evaluation.ranking import auc, auc_error
from training.evaluation.segments import Segments
from training.evaluation.stability import Drift, drift
from training.evaluation.swaps import Swap, safest, swap

Floats = NDArray[np.float64]
_Z = 1.959964
_LONG_SPAN_DAYS = 900
_USUAL_APPROVAL = 0.7


class Slice(Frozen):
    """The figures of one part of the examples: a vintage or a segment."""

    by: str
    value: str
    rows: int
    bads: int
    share: float
    mean_pd: float
    bad_rate: float
    bad_rate_low: float
    bad_rate_high: float
    auc: Figure
    auc_low: Figure
    auc_high: Figure


class Rival(Frozen):
    """Another model on the same examples: its figures, the comparison, and whom it would swap."""

    name: str
    figures: Evaluation
    contest: Contest
    profit: Profit | None
    swap: Swap | None
    """The judged model in place of this one, at the judged model's approval rate."""


class Judgement(Frozen):
    """A model judged on examples it did not learn from."""

    examples: str
    model: str
    span: tuple[str, str]
    seed: int
    figures: Evaluation
    bands: tuple[Band, ...]
    vintages: tuple[Slice, ...]
    segments: tuple[Slice, ...]
    fairness: tuple[Fairness, ...]
    score_drift: Drift | None
    feature_drift: tuple[Drift, ...]
    profit: Profit | None
    approval_rate: float
    rivals: tuple[Rival, ...]

    @property
    def verdicts(self) -> tuple[str, ...]:
        """What the comparisons say, a sentence a rival."""
        return tuple(f"{self.model} {rival.contest.sentence}" for rival in self.rivals)


@dataclass(frozen=True, slots=True)
class Beside:
    """What a model is judged beside: where any of it is missing, that part of the record is empty."""

    rivals: Mapping[str, Floats] = field(default_factory=dict)
    segments: Segments = field(default_factory=dict)
    prices: Prices | None = None
    before: Dataset | None = None
    before_pd: Floats | None = None
    approval_rate: float | None = None


def judge(
    data: Dataset, pd: Floats, model: str, beside: Beside, seed: int = 0, resamples: int = RESAMPLES
) -> Judgement:  # fmt: skip
    """Judge PDs (n,) of the examples of `data`."""
    y, w = data.y, data.weight
    earned = profit(y, pd, w, beside.prices) if beside.prices else None
    approval = beside.approval_rate or (earned.approval_rate if earned else 0) or _USUAL_APPROVAL
    approved = beside.prices.approved(pd) if beside.prices and earned and earned.approval_rate else None
    chosen = safest(pd, w, approval) if approved is None or beside.approval_rate else approved
    return Judgement(
        examples=data.description, model=model, span=(str(data.time.min()), str(data.time.max())), seed=seed,
        figures=evaluate(y, pd, w, seed, resamples),
        bands=bands(y, pd, w),
        vintages=slices("vintage", vintages(data.time), y, pd, w),
        segments=tuple(s for name, of in beside.segments.items() for s in slices(name, of, y, pd, w)),
        fairness=tuple(fairness(name, of, y, pd, w, chosen) for name, of in beside.segments.items()),
        score_drift=_score_drift(pd, w, beside),
        feature_drift=_feature_drift(data, beside.before) if beside.before else (),
        profit=earned, approval_rate=approval,
        rivals=tuple(
            _rival(name, data, pd, other, approval, beside.prices, seed, resamples)
            for name, other in beside.rivals.items()
        ),
    )  # fmt: skip


def vintages(time: NDArray[np.datetime64]) -> NDArray[np.str_]:
    """The quarter of each day, such as 2003Q2; the month where the span is short."""
    months = time.astype("datetime64[M]")
    if not len(time) or (time.max() - time.min()).astype("timedelta64[D]").astype(int) < _LONG_SPAN_DAYS // 3:
        return months.astype(str)
    years = time.astype("datetime64[Y]").astype(str)
    quarter = (months.astype(int) % 12 // 3 + 1).astype(str)
    return np.char.add(np.char.add(years, "Q"), quarter)


def slices(by: str, labels: NDArray[np.str_], y: Floats, pd: Floats, weight: Floats) -> tuple[Slice, ...]:
    """The figures of each label's examples; AUC intervals after DeLong."""
    found = []
    for label in np.unique(labels):
        rows = labels == label
        w, mass = weight[rows], float(weight[rows].sum())
        if not mass:
            continue
        rate = float((w * y[rows]).sum() / mass)
        low, high = wilson(rate, mass**2 / float((w**2).sum()))
        area, error = auc(y[rows], pd[rows], w), auc_error(y[rows], pd[rows], w)
        known = np.isfinite(area)
        found.append(Slice(
            by=by, value=str(label), rows=int(rows.sum()), bads=int(y[rows].sum()), share=mass / float(weight.sum()),
            mean_pd=float((w * pd[rows]).sum() / mass), bad_rate=rate, bad_rate_low=low, bad_rate_high=high,
            auc=area if known else None, auc_low=max(area - _Z * error, 0.0) if known else None,
            auc_high=min(area + _Z * error, 1.0) if known else None,
        ))  # fmt: skip
    return tuple(found)


def _rival(
    name: str, data: Dataset, pd: Floats, other: Floats, approval: float, prices: Prices | None, seed: int,
    resamples: int,
) -> Rival:  # fmt: skip
    y, w = data.y, data.weight
    return Rival(
        name=name, figures=evaluate(y, other, w, seed, resamples),
        contest=contest(y, pd, other, w, name, seed, min(resamples, 100)),
        profit=profit(y, other, w, prices) if prices else None,
        swap=swap(y, other, pd, w, approval, prices) if prices else None,
    )  # fmt: skip


def _score_drift(pd: Floats, weight: Floats, beside: Beside) -> Drift | None:
    if beside.before is None or beside.before_pd is None:
        return None
    return drift("score", beside.before_pd, pd, beside.before.weight, weight)


def _feature_drift(data: Dataset, before: Dataset) -> tuple[Drift, ...]:
    """Every input, the most moved first."""
    found = [
        drift(name, before.x[:, i], data.x[:, i], before.weight, data.weight, i in data.categorical)
        for i, name in enumerate(data.names)
    ]
    return tuple(sorted(found, key=lambda d: -d.psi))
