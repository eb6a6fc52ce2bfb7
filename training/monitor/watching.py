"""Rows and baselines into one record: periods, segments, and the alarms over all series.

It does: choose the reference, build every series, ask each for its alarm, and sum up periods and segments. It does not:
read or write files. The rules it keeps: rates and mixes are held against the first decisions watched, score and
features against training where the release tells it; each family of series has one chance of a false alarm.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from engine.release import Baseline, Baselines
from models.watching import Alarm, Kind, Reference, Watch
from training.data import Days, Floats
from training.monitor import series as kinds
from training.monitor.baselines import column, effective
from training.monitor.rows import Rows, weeks_or_months
from training.monitor.series import Placed, Series, first_alarm
from training.monitor.summing import periods, segments

Mask = NDArray[np.bool_]
_REFERENCE_ROWS = 300
_FEWEST_EARLIER = 100
_MOST_LABELS = 40


@dataclass(frozen=True, slots=True)
class Plan:
    """Whose record it is, by what it is cut, and until when the first decisions go (none: enough of them)."""

    release: str
    made_at: datetime
    by: str = "month"
    reference_to: date | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """Rows beside what they are held against, on one axis of days."""

    rows: Rows
    baselines: Baselines
    by: str
    days: Days
    day: NDArray[np.int64]
    starts: tuple[int, ...]
    weight: Floats  # as equal examples
    earlier: Mask | None  # the first decisions; none where nothing comes after them

    @property
    def alike(self) -> Mask:
        """Those who are such as taught: where outcomes of approved ones alone were known, approved ones alone."""
        if self.baselines.population == "applicants" or self.rows.outcome is None:
            return np.ones(len(self.day), dtype=bool)
        return np.asarray(self.rows.outcome == "approve")

    @property
    def placed(self) -> Placed:
        """The decisions on the axis of days."""
        return Placed(self.weight, self.day, len(self.days))


def watch(rows: Rows, baselines: Baselines | None, plan: Plan) -> Watch:
    """The record; ValueError where there is nothing to watch."""
    if not len(rows.time):
        raise ValueError("there is no decision to watch in that span")
    earlier = _earlier(rows.time, plan)
    if baselines is None:
        if earlier is None:
            raise ValueError(
                "the release tells no baselines, and there are too few decisions to take the first for one"
            )
        held = _held(rows, _from_first(rows.where(earlier)), earlier, plan)
    else:
        held = _held(rows, baselines, earlier, plan)
    tested = list(_series(held, baselines is not None))
    family = Counter(each.family for each, _ in tested)
    alarms = [
        alarm for each, late in tested
        if (alarm := first_alarm(each, _after(held, late), held.days, family[each.family]))
    ]  # fmt: skip
    first = None if earlier is None else rows.time[earlier]
    return Watch(
        release=plan.release, made_at=plan.made_at, source=rows.source, by="week" if plan.by == "week" else "month",
        start=rows.time[0].item(), end=rows.time[-1].item(), decisions=len(rows.time), left_out=rows.left_out,
        baseline="training" if baselines else "first decisions", baseline_rows=held.baselines.rows,
        reference=None if first is None
        else Reference(start=first[0].item(), end=first[-1].item(), decisions=len(first)),
        windows=rows.windows, series=len(tested), periods=periods(held), segments=segments(held),
        alarms=tuple(sorted(alarms, key=_first_things_first)),
    )  # fmt: skip


def _first_things_first(alarm: Alarm) -> tuple[bool, bool, date, str]:
    return (not alarm.standing, alarm.kind in {"feature", "mix"}, alarm.fired, alarm.name)


def _earlier(time: Days, plan: Plan) -> Mask | None:
    """The first decisions: whole periods until there are enough; none where nothing would be left to watch."""
    if plan.reference_to is not None:
        first = time <= np.datetime64(plan.reference_to)
        if not first.any():
            raise ValueError(f"there is no decision up to {plan.reference_to} to hold later ones against")
    else:
        period = weeks_or_months(time, plan.by)
        first = period <= period[min(_REFERENCE_ROWS, len(time)) - 1]
    return None if first.all() else np.asarray(first)


def _from_first(first: Rows) -> Baselines:
    return Baselines(
        rows=max(round(effective(first.weight)), 1), population="applicants",
        score=column("score", first.pd, first.weight),
        features=tuple(
            column(name, first.x[:, i], first.weight, i in first.categorical) for i, name in enumerate(first.names)
        ),
    )  # fmt: skip


def _held(rows: Rows, baselines: Baselines, earlier: Mask | None, plan: Plan) -> Held:
    if [each.name for each in baselines.features] != list(rows.names):
        raise ValueError("the baselines are of other inputs than these decisions have")
    days, day = np.unique(rows.time, return_inverse=True)
    period = weeks_or_months(days, plan.by)
    starts = tuple(np.flatnonzero(np.r_[True, period[1:] != period[:-1]]).tolist())
    squares = float((rows.weight**2).sum())
    weight = rows.weight * (float(rows.weight.sum()) / squares if squares else 0.0)
    return Held(rows, baselines, plan.by, days, day, starts, weight, earlier)


def _after(held: Held, late: bool) -> tuple[int, ...]:
    """The starts of a series: all of them, or those after the first decisions."""
    if not late or held.earlier is None:
        return held.starts
    last = int(held.day[held.earlier].max())
    return tuple(start for start in held.starts if start > last)


def _series(held: Held, trained: bool) -> Iterator[tuple[Series, bool]]:
    """Every series, and whether it begins only after the first decisions."""
    rows, told, at = held.rows, held.baselines, held.placed
    of = held.alike
    x, pd, there = rows.x[of], rows.pd[of], at.where(of)
    yield kinds.of_column("score", told.score, told.rows, pd, there, kinds.PSI_SCORE), not trained
    for i, each in enumerate(told.features):
        if each.edges:
            yield kinds.of_column("feature", each, told.rows, x[:, i], there), not trained
        if each.labels is not None:
            unseen = x[:, i] >= len(each.edges)
            yield (
                kinds.of_rate("unseen", each.name, unseen, there, (0.0, told.rows), kinds.UNSEEN, "unseen"),
                not trained,
            )
    if told.approved_to_pd is not None and told.approval_rate is not None:
        hit = np.round(pd, 4) <= told.approved_to_pd
        yield kinds.of_rate("approval", "by the score alone", hit, there, (told.approval_rate, told.rows)), False
    known = np.isfinite(rows.y) & np.isfinite(rows.pd_settled)
    if known.any():
        yield kinds.of_outcomes(rows.y[known], rows.pd_settled[known], at.where(known)), False
    if held.earlier is not None:
        yield from ((each, True) for each in _rates(held, held.earlier))


def _rates(held: Held, earlier: Mask) -> Iterator[Series]:
    """Rates, limits and mixes, against the first decisions."""
    rows, at, count = held.rows, held.placed, float(held.weight[earlier].sum())
    if rows.outcome is not None and rows.overridden is not None and rows.limit is not None:
        rates: tuple[tuple[Kind, Mask], ...] = (
            ("approval", rows.outcome == "approve"),
            ("referral", rows.outcome == "refer"),
            ("override", rows.overridden),
        )  # fmt: skip
        for kind, hit in rates:
            yield kinds.of_rate(kind, "as decided", hit, at, (float(hit[earlier].mean()), count))
        lent = np.isfinite(rows.limit)
        if (lent & earlier).sum() >= _FEWEST_EARLIER:
            limits = rows.limit[lent & earlier]
            yield kinds.of_mean("limit", "average limit", rows.limit[lent], at.where(lent), limits)
    for by, labels in rows.segments.items():
        yield _mix(by, labels, earlier, held, count)
        if rows.outcome is not None:
            yield from _approvals_by(by, labels, earlier, held)


def _mix(by: str, labels: NDArray[np.str_], earlier: Mask, held: Held, count: float) -> Series:
    levels, code = np.unique(labels, return_inverse=True)
    shares = np.bincount(code[earlier], held.weight[earlier], minlength=len(levels)) / count
    baseline = Baseline(name=by, edges=tuple(map(float, range(len(levels)))), shares=(*shares.clip(max=1), 0.0, 0.0))
    return kinds.of_column("mix", baseline, count, code.astype(float), held.placed)


def _approvals_by(by: str, labels: NDArray[np.str_], earlier: Mask, held: Held) -> Iterator[Series]:
    """Approvals of each label with enough first decisions."""
    assert held.rows.outcome is not None
    levels, counts = np.unique(labels[earlier], return_counts=True)
    for level in levels[counts >= _FEWEST_EARLIER][:_MOST_LABELS]:
        of = labels == level
        hit = held.rows.outcome[of] == "approve"
        before = float(hit[earlier[of]].mean()), float(held.weight[of & earlier].sum())
        yield kinds.of_rate(
            "approval", f"{by} {level}", hit, held.placed.where(of), before, kinds.SEGMENT_RATE, "segments"
        )
