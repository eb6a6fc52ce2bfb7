"""The whole audit of one table.

It does: look at each column alone, then at those not yet barred against each other, then sum up. It does not: read a
column's name or a description. The rule it keeps: a column already barred explains nothing else, so that one leak does
not drag honest columns with it.
"""

from collections import Counter
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np

from training.audit import afterwards, quality
from training.audit.findings import Finding, Looked, Report, Span
from training.audit.one_outcome import pure
from training.audit.outranking import beyond, finding, outranking
from training.audit.reading import Column, Mask, Table, read
from training.audit.views import View, amount_views, comparable, order_view, own_views
from training.data.tables import file_sha256, scanned

Progress = Callable[[str], None]
Views = dict[str, list[View]]


def audit(
    path: Path, target: str, time: str | None = None, weight: str | None = None, bad: str | None = None,
    progress: Progress = lambda name: None,
) -> Report:  # fmt: skip
    """Everything found in a table with nothing but target, time and weight named.

    `bad` is the value of the target that means bad, where it is not 0 and 1. ValueError where the table cannot be read
    so. The same file gives the same report.
    """
    with scanned(path) as scan:
        table = read(path, scan, target, bad, time, weight)
        views = {}
        for column in table.columns:
            progress(column.name)
            views[column.name] = own_views(column, table)
        strength = {name: max(view.auc for view in own) for name, own in views.items()}
        found = _alone(table, views)
        floor = _against_each_other(table, views, strength, found)
        names = {f.column for f in found if f.kind == "identifier"}
        kept = [column.name for column in _clean(table, found) if column.name not in names]
        found += quality.duplicates(scan, kept, target, time)
    barred_now = {f.column for f in found if f.betrays}
    found = [f for f in found if f.kind != "drifted" or f.column not in barred_now]
    if weight is not None:
        found += quality.weight_note(weight, table)
    order = {name: i for i, name in enumerate(views)}
    return Report(
        table=path.name, sha256=file_sha256(path), target=target, time=time, weight=weight, rows=table.rows,
        rows_looked_at=len(table.y), older=_span(table, table.older), newer=_span(table, ~table.older),
        reach=round(floor, 4),
        columns=[
            Looked(
                name=c.name, kind=c.kind, missing=round(float(c.missing.mean()), 4), distinct=c.distinct,
                auc=round(strength[c.name], 4),
            )
            for c in table.columns
        ],
        findings=sorted(found, key=lambda f: (not f.betrays, order.get(f.column, len(order)), f.kind)),
    )  # fmt: skip


def _alone(table: Table, views: Views) -> list[Finding]:
    """What each column tells alone."""
    found = []
    for column in table.columns:
        own = views[column.name]
        found += pure(column.name, own)
        found += afterwards.after_decision(column, table)
        found += afterwards.filled_in_later(column, own[0], table)
        found += quality.notes(column, own[0], table)
    return found


def _clean(table: Table, found: list[Finding]) -> list[Column]:
    barred = {finding.column for finding in found if finding.betrays}
    return [column for column in table.columns if column.name not in barred]


def _against_each_other(table: Table, views: Views, strength: dict[str, float], found: list[Finding]) -> float:
    """Adds what columns tell beside each other, until nothing new is found; returns the reach of the clean ones."""
    while True:
        before = len(found)
        barred, floor = outranking(_clean(table, found), strength, table)
        found += [_outranks(name, views, floor) for name in views if name in barred]
        found += _related(table, strength, found)
        found += afterwards.copies(_clean(table, found), table)
        if len(found) == before:
            break
    found += _amounts(table, strength, floor, found)
    told = {f.column for f in found if f.kind == "outranks"}
    high = {f.column for f in found if f.betrays and beyond(strength[f.column], floor, table)} - told
    found += [_outranks(name, views, floor) for name in views if name in high]
    return floor


def _outranks(name: str, views: Views, floor: float) -> Finding:
    return finding(name, max(views[name], key=lambda view: view.auc), floor)


def _pairs(table: Table, strength: dict[str, float], found: list[Finding]) -> list[tuple[Column, Column]]:
    """Clean columns that can be held against each other, the one that ranks better first."""
    return [
        (one, other) if strength[one.name] >= strength[other.name] else (other, one)
        for one, other in combinations(_clean(table, found), 2)
        if comparable(one, other)
    ]


def _related(table: Table, strength: dict[str, float], found: list[Finding]) -> list[Finding]:
    """Relations of two columns that hold under one outcome only, one for each column that must go for none to be left.

    The column with most relations goes first, and is told by its purest.
    """
    left = [(one, other, _relation(one, other, table)) for one, other in _pairs(table, strength, found)]
    left = [each for each in left if each[2]]
    named = []
    while left:
        counts = Counter(column.name for one, other, _ in left for column in (one, other))
        worst = max(counts, key=lambda name: (counts[name], strength[name], name))
        gone = [each for each in left if worst in (each[0].name, each[1].name)]
        one, other, _ = min(gone, key=lambda each: each[2][0].evidence["ratio_at_most"])
        named += _relation(one, other, table) if one.name == worst else _relation(other, one, table)
        left = [each for each in left if worst not in (each[0].name, each[1].name)]
    return named


def _amounts(table: Table, strength: dict[str, float], floor: float, found: list[Finding]) -> list[Finding]:
    """Ratios and differences of two columns that outrank all clean columns together."""
    new: dict[str, Finding] = {}
    for one, other in _pairs(table, strength, found):
        if one.kind != "category" and one.name not in new and other.name not in new:
            for view in amount_views(one, other, table):
                if beyond(view.auc, floor, table):
                    new[one.name] = finding(one.name, view, floor, other.name)
    return list(new.values())


def _relation(one: Column, other: Column, table: Table) -> list[Finding]:
    order = order_view(one, other, table)
    return pure(one.name, [order], other.name) if order else []


def _span(table: Table, part: Mask) -> Span:
    days = table.day[part]
    start, end = ("", "") if not table.timed else (str(np.datetime64(int(d), "D")) for d in (days.min(), days.max()))
    return Span(start=start, end=end, rows=int(part.sum()), bads=int(table.y[part].sum()))
