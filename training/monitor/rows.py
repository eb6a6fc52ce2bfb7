"""What is watched: applications in order of time, each with its features, PD, decision and, where known, outcome.

It does: read an export of decisions with later performance, or a described table. It does not: judge. The rules it
keeps: the first decision of an application is what came through the door, later ones say what people made of it; only
a closed window has an outcome; what is left out is counted.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.features import FEATURE_NAMES
from engine.release import Baselines, Release
from engine.values import DIVISIONS, division_of
from training.data import Days, Floats, TableDescription, scanned
from training.data.faults import rows_fault
from training.data.performance import Definitions, statuses
from training.data.tables import Reading
from training.evaluation.segments import UNKNOWN, labels, turnover_band
from training.exported import lines, no_decision
from training.fitting import pds
from training.fitting.stored import Stored
from training.rescoring import raw_scores

Texts = NDArray[np.str_]
OUTCOMES = ("approve", "refer", "decline")
_NEEDED = ("application_id", "decision_id", "decided_at", "release_digest", "application", "facts", "decision")
_SEGMENTS = ("region", "industry", "turnover", "size")


@dataclass(frozen=True, slots=True)
class Rows:
    """Applications in order of time. `outcome`, `limit` (dollars) and `overridden` are none where nothing was decided;
    `y` is NaN while an outcome is not known, `pd_settled` the PD of the decision that it is an outcome of.
    """

    source: str
    names: tuple[str, ...]
    categorical: tuple[int, ...]
    time: Days
    x: Floats
    pd: Floats
    weight: Floats
    y: Floats
    pd_settled: Floats
    outcome: Texts | None = None
    limit: Floats | None = None
    overridden: NDArray[np.bool_] | None = None
    segments: dict[str, Texts] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    windows: str = ""

    def where(self, keep: "NDArray[Any] | slice") -> "Rows":
        """Some of them."""
        arrays = ("time", "x", "pd", "weight", "y", "pd_settled", "outcome", "limit", "overridden")
        kept: dict[str, Any] = {name: None if (of := getattr(self, name)) is None else of[keep] for name in arrays}
        return replace(self, segments={name: of[keep] for name, of in self.segments.items()}, **kept)

    def between(self, start: date | None, end: date | None) -> "Rows":
        """Those of a span; an open end takes all."""
        low = 0 if start is None else int(np.searchsorted(self.time, np.datetime64(start), side="left"))
        high = len(self.time) if end is None else int(np.searchsorted(self.time, np.datetime64(end), side="right"))
        return self.where(slice(low, max(low, high)))


@dataclass(slots=True)
class _Application:
    """One application as it is read: its first decision, and what later ones changed."""

    day: date
    row: Floats
    outcome: str
    limit: float
    segments: tuple[str, ...]
    decision_id: str
    settled_on: date
    settled_pd: float
    overridden: bool = False


def from_decisions(
    export: Path, release: Release, performance: Path | None = None, definitions: Definitions | None = None
) -> Rows:
    """The applications of an export that a release decided, scored by it on the features as recorded.

    ValueError names the line that is no decision; TableFaults what is wrong with the performance table.
    """
    found, left_out = _applications(export, release.digest)
    if not found:
        raise ValueError(f"{export} holds no decision by {release.name}")
    keys = sorted(found, key=lambda key: found[key].day)
    read = [found[key] for key in keys]
    x = np.stack([each.row for each in read])
    became: dict[str, str] = {}
    windows = ""
    if performance is not None and definitions is not None:
        by_decision = definitions.key == "decision_id"
        named = [each.decision_id if by_decision else key for key, each in zip(keys, read, strict=True)]
        days = {name: each.settled_on for name, each in zip(named, read, strict=True)}
        told = statuses(days, performance, definitions)
        became = {key: told[name] for key, name in zip(keys, named, strict=True) if name in told}
        left_out.update(f"outcome: {status}" for status in became.values() if status not in {"good", "bad"})
        windows = f"bad from {definitions.bad_from_days} days past due within {definitions.window_months} months"
    labelled = {"good": 0.0, "bad": 1.0}
    return Rows(
        source=f"decisions of {export.name}", names=FEATURE_NAMES, categorical=(),
        time=np.array([each.day for each in read], dtype="datetime64[D]"), x=x,
        pd=pds(release.calibration, raw_scores(release.scorer, x)), weight=np.ones(len(x)),
        y=np.array([labelled.get(became.get(key, ""), np.nan) for key in keys]),
        pd_settled=np.array([each.settled_pd for each in read]),
        outcome=np.array([each.outcome for each in read]), limit=np.array([each.limit for each in read]),
        overridden=np.array([each.overridden for each in read]),
        segments=dict(zip(_SEGMENTS, np.array([each.segments for each in read], dtype=str).T, strict=True)),
        left_out=dict(left_out), windows=windows,
    )  # fmt: skip


def _applications(export: Path, release_digest: str) -> tuple[dict[str, _Application], Counter[str]]:
    found: dict[str, _Application] = {}
    left_out: Counter[str] = Counter()
    for number, record in lines(export, *_NEEDED):
        if record["application"] is None or record["facts"] is None or record["decision"] is None:
            left_out["erased"] += 1
        elif record["release_digest"] != release_digest and record["application_id"] not in found:
            left_out["decided by another release"] += 1
        else:
            try:
                _take(found, record, record["release_digest"] == release_digest)
            except (KeyError, TypeError, ValueError, AttributeError):
                raise no_decision(export, number) from None
    return found, left_out


def _take(found: dict[str, _Application], record: dict[str, Any], ours: bool) -> None:
    """A decision: of an application not met before, or one that follows another of the same."""
    decision, day = record["decision"], datetime.fromisoformat(record["decided_at"]).date()
    pd = float(decision["score"]["pd"]) if ours and decision["score"] else np.nan
    known = found.get(record["application_id"])
    if known is None:
        features, offer = decision["features"], decision["offer"]
        row = np.array([np.nan if features[name] is None else features[name] for name in FEATURE_NAMES], dtype=float)
        known = found[record["application_id"]] = _Application(
            day, row, decision["outcome"], offer["limit_cents"] / 100 if offer else np.nan,
            _labels(record["application"]), record["decision_id"], day, pd,
        )  # fmt: skip
    known.decision_id, known.settled_on, known.settled_pd = record["decision_id"], day, pd
    review = (record["facts"].get("review") or {}).get("value") or {}
    known.overridden |= record.get("case_state") == "rejected"  # an approver's no to what was offered
    known.overridden |= any(review.get(what) for what in ("set_aside", "declined", "most_cents"))


def _labels(application: dict[str, Any]) -> tuple[str, ...]:
    business = application["business"]
    letter = division_of(business["anzsic"])
    return (
        str(business["state"]), f"{letter} {DIVISIONS[letter][0]}" if letter else UNKNOWN,
        turnover_band(application["finances"]["turnover_12m_cents"]), str(business["staff_band"]),
    )  # fmt: skip


def from_watched_table(
    path: Path, described: TableDescription, model: Stored, baselines: Baselines, by: tuple[str, ...] = ()
) -> Rows:
    """A described table, scored by a draft; its target may be missing, or not yet known on some rows.

    Categories are coded as the draft's training coded them. TableFaults names what is wrong by column and row.
    """
    kinds = described.columns
    with scanned(path) as scan:
        reading = Reading(path.name, scan)
        reading.require((*filter(None, (described.time, described.weight)), *kinds, *by))
        reading.tells_unseen = True
        reading.levels |= {each.name: each.labels for each in baselines.features if each.labels is not None}
        if described.time is None:
            raise ValueError(f"{path.name}: without a time column there is nothing to watch")
        time = reading.time(described.time, reading.rows(), date.today())
        weight = reading.weight(described.weight, len(time))
        order = np.argsort(time, kind="stable")
        x = np.column_stack([reading.column(name, how, time) for name, how in kinds.items()])[order]
        y = _known(reading, described)[order]
        reading.finish()
        segments = {name: labels(reading.series(name))[order] for name in by}
    categorical = tuple(i for i, how in enumerate(kinds.values()) if how.kind == "category")
    pd = model.pd(_as_trained(x, categorical, baselines))
    return Rows(
        source=described.description or path.name, names=tuple(kinds), categorical=categorical, time=time[order], x=x,
        pd=pd, weight=weight[order], y=y, pd_settled=pd, segments=segments,
        windows=f"{described.target} of the table" if np.isfinite(y).any() else "",
    )  # fmt: skip


def _known(reading: Reading, described: TableDescription) -> Floats:
    """1 bad, 0 good, NaN where the outcome is not known."""
    if described.target not in reading.schema:
        return np.full(reading.rows(), np.nan)
    series = reading.series(described.target)
    if described.bad is not None:
        told = (series.cast(pl.String) == str(described.bad)).cast(pl.Float64)
    else:
        told = series.cast(pl.Float64, strict=False)
        wrong = (told.is_null() & series.is_not_null()) | ((told != 0) & (told != 1)).fill_null(value=False)
        reading.faults += rows_fault(described.target, wrong.to_numpy(), "is neither 0 nor 1 nor missing")
    return np.asarray(told.fill_null(float("nan")).to_numpy(), dtype=np.float64)


def _as_trained(x: Floats, categorical: tuple[int, ...], baselines: Baselines) -> Floats:
    """The same rows with categories that training never saw as missing: the model knows no other place for them."""
    shown = x.copy()
    for i in categorical:
        shown[shown[:, i] >= len(baselines.features[i].edges), i] = np.nan
    return shown


def weeks_or_months(time: Days, by: str) -> NDArray[np.datetime64]:
    """The first day of each one's week (Monday) or month."""
    if by == "month":
        return time.astype("datetime64[M]").astype("datetime64[D]")
    days = time.astype("datetime64[D]").astype(int)
    return np.asarray((days - (days + 3) % 7).astype("datetime64[D]"))
