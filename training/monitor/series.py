"""One thing watched day by day: its counts, what it is held against, and how far it must move to matter.

It does: measure a move from running totals, and find the first day on which it matters and is beyond chance. It does
not: choose what is watched (watching does). The rule it keeps: both are asked of the same decisions, those since one
start; chance alone, or size alone, never alarms.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.release import Baseline
from models.watching import Alarm, Kind, Reading
from training.data import Days, Floats
from training.evaluation.stability import psi
from training.monitor import evidence
from training.monitor.baselines import codes, column

PSI_SCORE, PSI_FEATURE, RATE, SEGMENT_RATE, MEAN, UNSEEN, RATIO = 0.2, 0.25, 0.05, 0.10, 0.10, 0.02, 1.25
_Z = 2.326  # 99 of 100
FEWEST = 30  # rows below which nothing is said


@dataclass(frozen=True, slots=True)
class Series:
    """Counts (days, bins), with further sums (days, k) where a move is not measured by shares.

    `moved` takes running totals of both, (n, bins) and (n, k), and gives the move (n,) and what stands there now (n,);
    `noise` the move that chance alone stays below, of so many rows, 99 times in 100.
    """

    kind: Kind
    name: str
    family: str
    mark: float
    counts: Floats
    sums: Floats
    proof: Callable[[Floats, Floats], Floats]
    moved: Callable[[Floats, Floats], tuple[Floats, Floats]]
    noise: Callable[[float], float]
    before: float | None = None

    def reading(self, days: slice) -> Reading:
        """Whether the decisions of some days alone moved, or are too few to tell."""
        totals, sums = self.counts[days].sum(axis=0)[None], self.sums[days].sum(axis=0)[None]
        rows = float(totals.sum())
        return read(float(self.moved(totals, sums)[0][0]), self.mark, self.noise(max(rows, 1.0)), rows)


@dataclass(frozen=True, slots=True)
class Placed:
    """Decisions on the axis of days: the weight and the day of each, and how many days there are."""

    weight: Floats
    day: NDArray[np.int64]
    days: int

    def where(self, keep: NDArray[np.bool_]) -> "Placed":
        """Some of them."""
        return Placed(self.weight[keep], self.day[keep], self.days)

    def counts(self, code: NDArray[Any], bins: int) -> Floats:
        """Weighted counts (days, bins)."""
        flat = np.bincount(self.day * bins + code, self.weight, minlength=self.days * bins)
        return np.asarray(flat.reshape(self.days, bins), dtype=np.float64)

    def sums(self, *values: Floats) -> Floats:
        """Weighted sums (days, values)."""
        found = [np.bincount(self.day, self.weight * each, minlength=self.days) for each in values]
        return np.column_stack(found) if found else np.zeros((self.days, 0))


def read(moved: float, mark: float, noise: float, rows: float) -> Reading:
    """A move beyond both the mark and what chance stays below, or whether there was anything to see."""
    if rows < FEWEST:
        return "too few"
    if moved > max(mark, noise):
        return "moved"
    return "too few" if noise > mark else "steady"


def first_alarm(series: Series, starts: Sequence[int], days: Days, family: int) -> Alarm | None:
    """The first day on which the decisions since one of the starts moved by more than the mark, beyond chance."""
    best: tuple[int, int, float, float, float, float] | None = None
    for k, start in enumerate(starts):
        end = None if best is None else best[0]  # only an earlier day can be the first
        totals, sums = np.cumsum(series.counts[start:end], axis=0), np.cumsum(series.sums[start:end], axis=0)
        if not len(totals):
            break
        proof = evidence.left(series.proof(totals, sums), k, family)
        moved, now = series.moved(totals, sums)
        found = np.flatnonzero((proof > 0) & (moved > series.mark) & (totals.sum(axis=1) >= FEWEST))
        found = found[found > 0]  # one day alone is a day, not a move
        if len(found):
            i = int(found[0])
            best = (start + i, start, float(totals[i].sum()), float(moved[i]), float(proof[i]), float(now[i]))
    if best is None:
        return None
    fired, start, rows, moved_by, odds, value = best
    later = [slice(a, b) for a, b in zip(starts, (*starts[1:], len(days)), strict=True) if a > fired]
    told = [reading for reading in map(series.reading, later) if reading != "too few"]
    return Alarm(
        kind=series.kind, name=series.name, since=days[start].item(), fired=days[fired].item(), rows=round(rows),
        moved=moved_by, mark=series.mark, odds=odds, before=series.before,
        now=value if np.isfinite(value) else None, standing=not told or told[-1] == "moved",
    )  # fmt: skip


# -- kinds of series -----------------------------------------------------------------------------------------


def of_column(
    kind: Kind, baseline: Baseline, rows: float, values: Floats, at: Placed, mark: float = PSI_FEATURE
) -> Series:  # fmt: skip
    """The distribution of one column, by PSI against its baseline of so many rows, less what chance alone gives."""
    expected = np.array(baseline.shares)
    counts = at.counts(codes(baseline, values), len(expected))
    bins = max(int(((expected > 0) | (counts.sum(axis=0) > 0)).sum()), 2)

    def moved(totals: Floats, _: Floats) -> tuple[Floats, Floats]:
        n = totals.sum(axis=1)
        found = [psi(expected, each) for each in totals / np.maximum(n, 1e-9)[:, None]]
        return np.array(found) - evidence.usual(bins, n, rows), np.full(len(n), np.nan)

    return Series(
        kind, baseline.name, kind, mark, counts, at.sums(),
        proof=lambda totals, _: evidence.of_shares(totals, expected, rows, (bins - 1) / mark), moved=moved,
        noise=lambda n: evidence.noise(bins, n, rows) - float(evidence.usual(bins, n, rows)),
    )  # fmt: skip


def of_rate(
    kind: Kind, name: str, hit: NDArray[np.bool_], at: Placed, earlier: tuple[float, float], mark: float = RATE,
    family: str = "outcomes",
) -> Series:  # fmt: skip
    """A share of decisions, held against an earlier one among so many rows."""
    before, rows = earlier
    expected, spread = np.array([1 - before, before]), max(before * (1 - before) / mark**2 - 1, 4.0)

    def moved(totals: Floats, _: Floats) -> tuple[Floats, Floats]:
        now = totals[:, 1] / np.maximum(totals.sum(axis=1), 1e-9)
        return np.abs(now - before), now

    return Series(
        kind, name, family, mark, at.counts(hit.astype(int), 2), at.sums(),
        proof=lambda totals, _: evidence.of_shares(totals, expected, rows, spread), moved=moved,
        noise=lambda n: _Z * math.sqrt(max(before * (1 - before), 1 / rows) * (1 / n + 1 / rows)), before=before,
    )  # fmt: skip


def of_mean(kind: Kind, name: str, values: Floats, at: Placed, earlier: Floats) -> Series:
    """A mean held against earlier values: it alarms where its bins show a change and the mean moved by a tenth."""
    baseline, rows, before = column(name, earlier, np.ones(len(earlier))), float(len(earlier)), float(earlier.mean())
    expected, varies = np.array(baseline.shares), float(earlier.std()) / before

    def moved(totals: Floats, sums: Floats) -> tuple[Floats, Floats]:
        n = totals.sum(axis=1)
        now = np.where(n > 0, sums[:, 0] / np.maximum(n, 1e-9), before)
        return np.abs(now / before - 1), now

    return Series(
        kind, name, "outcomes", MEAN, at.counts(codes(baseline, values), len(expected)), at.sums(values),
        proof=lambda totals, _: evidence.of_shares(totals, expected, rows, (len(expected) - 1) / PSI_FEATURE),
        moved=moved, noise=lambda n: _Z * varies * math.sqrt(1 / n + 1 / rows), before=before,
    )  # fmt: skip


def of_outcomes(y: Floats, pd: Floats, at: Placed) -> Series:
    """Bads against what the PDs said; more than said alone alarms, since fewer cost no money."""
    rate = float((at.weight * pd).sum() / at.weight.sum())

    def moved(_: Floats, sums: Floats) -> tuple[Floats, Floats]:
        ratio = sums[:, 0] / np.maximum(sums[:, 1], 1e-9)
        return ratio, ratio

    return Series(
        "calibration", "bads over expected", "outcomes", RATIO, at.counts(np.zeros(len(y), dtype=int), 1),
        np.hstack([at.sums(y, pd), at.sums(*evidence.outcome_terms(y, pd))]),
        proof=lambda _, sums: evidence.of_outcomes(sums[:, 2:]), moved=moved,
        noise=lambda n: 1 + _Z * math.sqrt((1 - rate) / (rate * n)), before=1.0,
    )  # fmt: skip
