"""Columns cut into groups, and groups held against the outcome.

It does: cut a column into its frequent values and twenty bins, count outcomes by group and bucket of time, and compare
with what the bad rates of short strata of time lead one to expect. It does not: decide what is too much.
The rule it keeps: code 0 is "missing", and expectations never cross strata, so that a rate that moves is no finding.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import gamma

from training.audit.reading import BUCKETS, Ints, Mask, Table
from training.data.examples import Floats
from training.evaluation import auc

BINS = 20
_FREQUENT = 0.01
_FEWEST = 20
_PRIOR_ROWS = 30.0
_LEAST_EXPECTED = 20.0
_SURE = 0.99
_NONE: Floats = np.empty(0)


@dataclass(frozen=True, slots=True)
class Cut:
    """A column cut into groups: `codes` (n,), 0 missing, then frequent values, then bins between `edges`."""

    codes: Ints
    frequent: Floats
    edges: Floats
    texts: tuple[str, ...] = ()

    @property
    def single(self) -> int:
        """How many of the first groups hold one value each, and are no bins."""
        return len(self.texts) + 1 if self.texts else len(self.frequent) + 1

    def words(self, group: int) -> str:
        """What a group holds, in words."""
        if group == 0:
            return "missing"
        if self.texts:
            return f"'{self.texts[group - 1]}'"
        if group <= len(self.frequent):
            return f"{self.frequent[group - 1]:,.6g}"
        place = group - 1 - len(self.frequent)
        low = f"above {self.edges[place - 1]:,.6g}" if place else ""
        high = f"up to {self.edges[place]:,.6g}" if place < len(self.edges) else ""
        return f"{low} {high}".strip() or "other values"


def cut(kind: str, values: Floats, table: Table) -> Cut:
    """A column in groups; frequent values and bins are those of the older span."""
    missing = np.isnan(values)
    if kind == "category":
        return Cut(np.where(missing, 0, np.nan_to_num(values) + 1).astype(np.int64), _NONE, _NONE, table.texts)
    known = values[table.older & ~missing]
    if not len(known):
        return Cut(np.where(missing, 0, 1).astype(np.int64), _NONE, _NONE)
    distinct, counts = np.unique(known, return_counts=True)
    frequent = distinct[counts >= max(_FREQUENT * table.older.sum(), _FEWEST)]
    rest = known[~np.isin(known, frequent)]
    edges = np.unique(np.quantile(rest, np.linspace(0, 1, BINS + 1)[1:-1])) if len(rest) else _NONE
    found = np.searchsorted(edges, values, side="left") + len(frequent)
    if len(frequent):
        place = np.clip(np.searchsorted(frequent, values), 0, len(frequent) - 1)
        found = np.where(frequent[place] == values, place, found)
    return Cut(np.where(missing, 0, found + 1).astype(np.int64), frequent, edges)


def ranking(groups: Ints, table: Table) -> float:
    """Weighted AUC in the newer span of bad rates by group that were learnt in the older."""
    many, old, weight = int(groups.max()) + 1, table.older, table.weight
    total = np.bincount(groups[old], weight[old], many)
    bad = np.bincount(groups[old], (weight * table.y)[old], many)
    prior = _PRIOR_ROWS * weight[old].mean()
    rate = (bad + prior * bad.sum() / total.sum()) / (total + prior)
    new = ~old
    return auc(table.y[new], rate[groups[new]], weight[new])


@dataclass(frozen=True, slots=True)
class Purest:
    """The group nearest to one outcome: `seen` of the rarer outcome where `expected` were to be expected.

    `ratio` is seen over expected at the upper end of a 99 % interval; `first` and `last` bucket say when.
    """

    group: int
    bad_only: bool
    rows: int
    seen: int
    expected: float
    ratio: float
    first: int
    last: int


def purest(groups: Ints, table: Table, most: int) -> Purest | None:
    """The purest of the groups below `most` over every run of buckets; None where none is large enough to tell."""
    many = int(groups.max()) + 1
    place = groups * BUCKETS + table.bucket
    rows = np.bincount(place, minlength=many * BUCKETS).reshape(many, BUCKETS).astype(float)
    bads = np.bincount(place, table.y, many * BUCKETS).reshape(many, BUCKETS)
    usual = np.bincount(table.stratum, table.y) / np.maximum(np.bincount(table.stratum), 1)
    usual_bads = np.bincount(place, usual[table.stratum], many * BUCKETS).reshape(many, BUCKETS)
    best: Purest | None = None
    for first, last in _windows():
        many_rows, bad = rows[:, first:last].sum(axis=1), bads[:, first:last].sum(axis=1)
        expected_bad = usual_bads[:, first:last].sum(axis=1)
        for bad_only, seen, expected in (
            (False, bad, expected_bad),
            (True, many_rows - bad, many_rows - expected_bad),
        ):
            enough = (expected >= _LEAST_EXPECTED) & (np.arange(many) < most)
            if not enough.any():
                continue
            ratio = np.where(enough, gamma.ppf(_SURE, seen + 1) / np.maximum(expected, 1), np.inf)
            i = int(np.argmin(ratio))
            if best is None or ratio[i] < best.ratio:
                best = Purest(
                    i, bad_only, int(many_rows[i]), int(seen[i]), float(expected[i]), float(ratio[i]), first, last - 1
                )  # fmt: skip
    return best


def _windows() -> list[tuple[int, int]]:
    return [(first, last) for first in range(BUCKETS) for last in range(first + 1, BUCKETS + 1)]


def odds(group: Floats, table: Table, within: Mask) -> tuple[float, float]:
    """Mantel-Haenszel log odds ratio of bad in a group (1) against the rest (0) over strata, and its z."""
    stratum, y, g = table.stratum[within], table.y[within], group[within]

    def per_stratum(what: Floats) -> Floats:
        return np.bincount(stratum, what).astype(np.float64)

    n = per_stratum(np.ones(len(y)))
    in_group, bads, both = per_stratum(g), per_stratum(y), per_stratum(g * y)
    told = n > 1
    n, in_group, bads, both = n[told], in_group[told], bads[told], both[told]
    top = (both * (n - in_group - bads + both) / n).sum()
    bottom = ((in_group - both) * (bads - both) / n).sum()
    variance = (in_group * (n - in_group) * bads * (n - bads) / (n * n * (n - 1))).sum()
    if top <= 0 or bottom <= 0 or variance <= 0:
        return 0.0, 0.0
    return float(np.log(top / bottom)), float((both - in_group * bads / n).sum() / np.sqrt(variance))
