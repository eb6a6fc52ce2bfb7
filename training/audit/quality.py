"""What is wrong with a table without betraying anything: identifiers, constants, gaps, drift, duplicates, weights.

It does: tell notes. It does not: bar a column from a model. The rule it keeps: a note has its number like any finding.
"""

from dataclasses import replace

import numpy as np
import polars as pl

from training.audit.findings import Finding
from training.audit.groups import cut, ranking
from training.audit.reading import Column, Mask, Table
from training.audit.views import View

_UNIQUE_SHARE = 0.999
_MISSING_SHARE = 0.9
_CONSTANT_SHARE = 0.999
_PSI = 0.25
_PSI_GROUPS = 60
_LEAST_SHARE = 1e-4
_WEIGHT_AUC = 0.75


def notes(column: Column, itself: View, table: Table) -> list[Finding]:
    """The notes on one column."""
    return [*_identifier(column), *_constant(column, itself), *_missing(column), *_drifted(column, itself, table)]


def _identifier(column: Column) -> list[Finding]:
    told = int((~column.missing).sum())
    if column.kind == "date" or not column.whole or told < 2 or column.distinct < _UNIQUE_SHARE * told:  # noqa: PLR2004
        return []
    return [
        _note(column, "identifier", {"distinct": column.distinct, "rows": told},
              f"{column.name} has {column.distinct:,} values in {told:,} rows: it names rows and teaches nothing."),
    ]  # fmt: skip


def _constant(column: Column, itself: View) -> list[Finding]:
    share = float(np.bincount(itself.codes).max()) / len(itself.codes)
    if column.distinct > 1 and (share < _CONSTANT_SHARE or (column.kind == "number" and column.distinct > _PSI_GROUPS)):
        return []
    return [
        _note(column, "constant", {"distinct": column.distinct, "share": round(share, 4)},
              f"{column.name} holds one value in {share:.1%} of rows."),
    ]  # fmt: skip


def _missing(column: Column) -> list[Finding]:
    share = float(column.missing.mean())
    if share < _MISSING_SHARE:
        return []
    return [_note(column, "missing", {"share": round(share, 4)}, f"{column.name} is missing in {share:.1%} of rows.")]


def _drifted(column: Column, itself: View, table: Table) -> list[Finding]:
    if column.kind == "category" and column.distinct > _PSI_GROUPS:
        return []  # an index over hundreds of rare groups says nothing
    found = psi(itself.codes, table.older)
    if found < _PSI:
        return []
    return [
        _note(column, "drifted", {"psi": round(found, 3)},
              f"{column.name} is distributed otherwise in the newer span than in the older (PSI {found:.2f})."),
    ]  # fmt: skip


def psi(codes: "np.ndarray[tuple[int], np.dtype[np.int64]]", older: Mask) -> float:
    """Population stability index of groups between two spans; an empty group counts as one in ten thousand."""
    many = int(codes.max()) + 1
    shares = [np.bincount(codes[part], minlength=many) / max(int(part.sum()), 1) for part in (older, ~older)]
    a, b = (np.maximum(share, _LEAST_SHARE) for share in shares)
    return float(((b - a) * np.log(b / a)).sum())


def weight_note(name: str, table: Table) -> list[Finding]:
    """The weight, where it tells the outcome by itself (a sample balanced by outcome does)."""
    unweighted = replace(table, weight=np.ones(len(table.y)))
    area = ranking(cut("number", table.weight, table).codes, unweighted)
    area = max(area, 1 - area)
    if area < _WEIGHT_AUC:
        return []
    return [
        Finding(column="", kind="weight", other=name, evidence={"auc": round(area, 4)},
                sentence=f"{name} tells the outcome (AUC {area:.3f}): it may weigh, and never be an input."),
    ]  # fmt: skip


def duplicates(scan: pl.LazyFrame, columns: list[str], target: str, time: str | None) -> list[Finding]:
    """Rows of the newer span that are in the older too, in every column that may be an input; whole table, hashed."""
    if not columns or time is None:
        return []
    parsed = pl.col(time)
    if scan.collect_schema()[time] == pl.String:
        parsed = parsed.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    rows = scan.select(row=pl.struct(columns).hash(), target=pl.col(target).cast(pl.String), day=parsed.cast(pl.Date))
    edge = rows.select(pl.col("day").quantile(0.65, "lower")).collect(engine="streaming").item()
    late = rows.filter(pl.col("day") > edge)
    seen = rows.filter(pl.col("day") <= edge).group_by("row").agg(older=pl.col("target").first())
    found = late.join(seen, on="row").select(pl.len(), same=(pl.col("target") == pl.col("older")).sum())
    again, same = found.collect(engine="streaming").row(0)
    if not again:
        return []
    share = again / late.select(pl.len()).collect(engine="streaming").item()
    return [
        Finding(column="", kind="duplicates",
                evidence={"rows": again, "share_of_newer": round(share, 4), "with_the_same_outcome": same},
                sentence=f"{again:,} rows of the newer span ({share:.2%}) are in the older span too, {same:,} with the "
                "same outcome: they would be judged on what was learnt by heart."),
    ]  # fmt: skip


def _note(column: Column, kind: str, evidence: dict[str, float], sentence: str) -> Finding:
    return Finding.model_validate({"column": column.name, "kind": kind, "evidence": evidence, "sentence": sentence})
