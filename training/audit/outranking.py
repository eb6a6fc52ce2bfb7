"""Columns, and relations of two, that rank the newer span far beyond what all clean columns reach together.

It does: find the step in the order of columns by single ranking power where one column alone outranks everything below
it together (a small LightGBM on the rest). It does not: use a fixed AUC. The rule it keeps: what is "too good" is read
off the table itself, with the sampling error of its newer span.
"""

import lightgbm
import numpy as np
from scipy.special import ndtri

from training.audit.findings import Finding
from training.audit.groups import cut
from training.audit.reading import Column, Table
from training.audit.views import View
from training.data.examples import Floats
from training.evaluation import auc

GAP = 0.5  # of the separation of two normal scores with the same AUCs
LEAST_AUC = 0.75  # below it nothing is too good, however weak the rest
MOST_FITS = 25
FIT_ROWS = 30_000
_PARAMETERS = {
    "objective": "binary", "learning_rate": 0.1, "num_leaves": 15, "min_data_in_leaf": 40, "num_threads": 1,
    "deterministic": True, "seed": 1, "verbose": -1,
}  # fmt: skip
_TREES = 80
_PRIOR_ROWS = 30.0
_NEVER = 0.9995


def separation(area: float) -> float:
    """Distance of two normal scores, in deviations, that have this AUC."""
    return float(np.sqrt(2) * ndtri(np.clip(area, 1 - _NEVER, _NEVER)))


def cautious(area: float, table: Table) -> float:
    """An AUC less two standard errors (Hanley and McNeil) over the newer span."""
    bads = float(table.y[~table.older].sum())
    goods = float((~table.older).sum()) - bads
    a = max(area, 1 - area)
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    variance = (a * (1 - a) + (bads - 1) * (q1 - a * a) + (goods - 1) * (q2 - a * a)) / (bads * goods)
    return area - 2 * float(np.sqrt(max(variance, 0)))


def beyond(area: float, reach: float, table: Table) -> bool:
    """Whether a single AUC is far beyond what the rest reaches together."""
    careful = cautious(area, table)
    return careful >= LEAST_AUC and separation(careful) >= separation(reach) + GAP


def reach(columns: list[Column], table: Table) -> float:
    """AUC in the newer span of a small model on these columns, fitted in the older; one half of none."""
    usable = [column for column in columns if column.distinct > 1]
    if not usable:
        return 0.5
    keep = np.zeros(len(table.y), dtype=bool)
    keep[:: max(1, -(-len(table.y) // FIT_ROWS))] = True
    x = np.column_stack([_numbers(column, table) for column in usable])
    old, new = table.older & keep, ~table.older & keep
    train = lightgbm.Dataset(x[old], label=table.y[old], weight=table.weight[old])
    booster = lightgbm.train(_PARAMETERS, train, num_boost_round=_TREES)
    area = auc(table.y[new], np.asarray(booster.predict(x[new], num_threads=1)), table.weight[new])
    return max(0.5, area)


def _numbers(column: Column, table: Table) -> Floats:
    """A column as the small model sees it: categories as older bad rates, dates since the decision."""
    if column.kind == "date":
        return column.values - table.day if table.timed else column.values
    if column.kind == "number":
        return column.values
    groups, old = cut(column.kind, column.values, table).codes, table.older
    many = int(groups.max()) + 1
    total = np.bincount(groups[old], table.weight[old], many)
    bad = np.bincount(groups[old], (table.weight * table.y)[old], many)
    prior = _PRIOR_ROWS * table.weight[old].mean()
    rates: Floats = ((bad + prior * bad.sum() / total.sum()) / (total + prior))[groups]
    return rates


def outranking(clean: list[Column], strength: dict[str, float], table: Table) -> tuple[set[str], float]:
    """Columns above the step, and the reach of those below it.

    The step is the lowest place at which a column alone is far beyond all columns below it together.
    """
    ordered = sorted(clean, key=lambda column: (-strength[column.name], column.name))
    floor = last = reach(ordered, table)
    above = 0
    for i, column in enumerate(ordered[:MOST_FITS]):
        if cautious(strength[column.name], table) < LEAST_AUC:
            break  # strong against noise is not strong
        last = reach(ordered[i + 1 :], table)
        if beyond(strength[column.name], last, table):
            above, floor = i + 1, last
    return {column.name for column in ordered[:above]}, floor


def finding(name: str, best: View, floor: float, other: str | None = None) -> Finding:
    """The finding of a column that outranks the clean ones together."""
    what = f"{name}" if other is None else f"the {best.name} of {name} and {other}"
    how = f" ({best.name})" if best.name and other is None else ""
    return Finding(
        column=name, kind="outranks", other=other, evidence={"auc": round(best.auc, 4), "reach": round(floor, 4)},
        sentence=f"Alone, {what}{how} ranks the newer span with AUC {best.auc:.3f}; all clean columns together reach "
        f"{floor:.3f}.",
    )  # fmt: skip
