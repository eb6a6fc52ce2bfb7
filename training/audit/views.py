"""The simple transforms of a column, and of two, that leaks show in.

It does: give every view of a column (itself, whether it is told, multiples, days since the decision) and of a pair
(which is larger or whether they are equal, ratio, difference) as groups, with words for each group. It does not: judge.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from training.audit.groups import Cut, Purest, cut, purest, ranking
from training.audit.reading import Column, Ints, Mask, Table
from training.data.examples import Floats

_MULTIPLES = (12, 10, 100, 1000)
_FEW = 4
_LEAST_SHARE = 0.002


@dataclass(frozen=True)
class View:
    """One way to look at a column: groups and what each is called. `name` is "" for the column itself."""

    name: str
    codes: Ints
    groups: Cut | tuple[str, ...]
    table: Table

    def words(self, group: int) -> str:
        """What a group holds, in words."""
        return self.groups.words(group) if isinstance(self.groups, Cut) else self.groups[group]

    @cached_property
    def auc(self) -> float:
        """How it ranks the newer span by what was learnt in the older."""
        return ranking(self.codes, self.table)

    @cached_property
    def purest(self) -> Purest | None:
        """Its group nearest to one outcome; not bins, as the ends of a column that ranks well are pure by nature."""
        most = self.groups.single if isinstance(self.groups, Cut) else len(self.groups)
        return purest(self.codes, self.table, most)


def own_views(column: Column, table: Table) -> list[View]:
    """Every view of a column alone."""
    itself = cut(column.kind, column.values, table)
    views = [View("", itself.codes, itself, table)]
    if _varies(column.missing):
        views.append(View("told or missing", (~column.missing).astype(np.int64), ("missing", "not missing"), table))
    if column.kind == "number":
        views += _number_views(column, table)
    if column.kind == "date" and table.timed:
        days = cut("number", column.values - table.day, table)
        views.append(View("days since the decision", days.codes, days, table))
    return views


def _number_views(column: Column, table: Table) -> Iterator[View]:
    """Nothing or something; and of whole numbers, multiples of a year of months and of round amounts."""
    nothing = column.values == 0
    if _varies(nothing):
        codes = np.where(column.missing, 0, 2 - nothing).astype(np.int64)
        yield View("nothing or something", codes, ("missing", "0", "not 0"), table)
    if not column.whole or column.distinct <= _FEW:
        return
    for multiple in _MULTIPLES:
        even = np.mod(column.values, multiple) == 0
        if _varies(even & ~nothing):
            groups = ("missing", "0", f"no multiple of {multiple}", f"a multiple of {multiple}")
            codes = np.where(column.missing, 0, np.where(nothing, 1, 2 + even)).astype(np.int64)
            yield View(f"multiple of {multiple}", codes, groups, table)


def order_view(one: Column, other: Column, table: Table) -> View | None:
    """Whether two columns are equal, and of numbers and dates which is larger; None where it never varies."""
    equal = one.values == other.values
    if one.kind == "category":
        codes = np.where(one.missing | other.missing, 0, 1 + equal).astype(np.int64)
        groups: tuple[str, ...] = ("missing", f"different from {other.name}", f"equal to {other.name}")
        return View("equality", codes, groups, table) if _varies(equal) else None
    sign = np.sign(one.values - other.values)
    codes = np.where(np.isnan(sign), 0, np.nan_to_num(sign) + 2).astype(np.int64)
    counts = np.bincount(codes, minlength=4)[1:]
    if counts.max() > (1 - _LEAST_SHARE) * max(counts.sum(), 1):
        return None
    name = other.name
    return View("order", codes, ("missing", f"below {name}", f"equal to {name}", f"above {name}"), table)


def amount_views(one: Column, other: Column, table: Table) -> Iterator[View]:
    """Ratio (of numbers) and difference of two columns."""
    difference = cut("number", one.values - other.values, table)
    yield View("difference", difference.codes, difference, table)
    if one.kind == "number" and other.kind == "number":
        ratio = cut("number", _ratio(one.values, other.values), table)
        yield View("ratio", ratio.codes, ratio, table)


def comparable(one: Column, other: Column) -> bool:
    """Whether it makes sense to hold two columns against each other: both texts, both dates or both numbers."""
    return one.kind == other.kind and min(one.distinct, other.distinct) > 2  # noqa: PLR2004 - a flag equals by chance


def _ratio(one: Floats, other: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        found = one / other
    return np.where(np.isfinite(found), found, np.nan)


def _varies(mask: Mask) -> bool:
    share = float(mask.mean())
    return _LEAST_SHARE < share < 1 - _LEAST_SHARE
