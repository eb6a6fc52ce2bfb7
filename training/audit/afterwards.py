"""Traces of writing after the decision, whatever the column ranks.

It does: find dates after the decision, copies of another column that were rewritten in part, and codes for "nothing
recorded" that nearly vanished except where the outcome was known. It does not: use names. The rule it keeps: each trace
must be there in numbers and be too strong for chance.
"""

import numpy as np

from training.audit.findings import Finding
from training.audit.groups import odds
from training.audit.reading import BUCKETS, Column, Table
from training.audit.views import View
from training.data.examples import Floats

_LATE_SHARE = 0.05
_SURE_Z = 4.0
_COPY_SHARE = (0.7, 0.995)
_COPY_ROWS = 100
_ROUNDER = 2.0
_AGREED_ROUND = 0.5  # an amount that people agreed on is mostly round
_AMOUNT = 1000
_EMPTY_OLDER, _EMPTY_NEWER, _EMPTY_ROWS = 0.3, 0.1, 50
_EMPTY_LOG_ODDS = np.log(2)


def after_decision(column: Column, table: Table) -> list[Finding]:
    """A date that often lies after the decision."""
    if column.kind != "date" or not table.timed or column.missing.all():
        return []
    late = column.values[~column.missing] > table.day[~column.missing]
    share = float(late.mean())
    if share < _LATE_SHARE:
        return []
    days = float(np.median((column.values - table.day)[~column.missing][late]))
    return [
        Finding(
            column=column.name, kind="after_decision",
            evidence={"share_after": round(share, 4), "median_days_after": days, "rows": int(late.sum())},
            sentence=f"{share:.1%} of the dates in {column.name} lie after the decision, by {days:,.0f} days in the "
            "middle: they could not be known then.",
        )
    ]  # fmt: skip


def rewritten_copy(one: Column, other: Column, table: Table) -> list[Finding]:
    """A number that equals another in most rows and, where it does not, is less round and goes with the outcome."""
    if one.kind != "number" or not (one.whole and other.whole):
        return []
    both = ~(one.missing | other.missing)
    differ = both & (one.values != other.values)
    share = 1 - differ.sum() / max(both.sum(), 1)
    if not _COPY_SHARE[0] <= share <= _COPY_SHARE[1] or differ.sum() < _COPY_ROWS:
        return []
    roundness = [_roundness(column.values[differ]) for column in (one, other)]
    rewritten, kept = (one, other) if roundness[0] < roundness[1] else (other, one)
    if max(roundness) < max(_AGREED_ROUND, _ROUNDER * min(roundness)):
        return []
    sides = (differ, differ & (rewritten.values > kept.values), differ & (rewritten.values < kept.values))
    log_odds, z = max((odds(side.astype(float), table, both) for side in sides), key=lambda found: abs(found[1]))
    if abs(z) < _SURE_Z:
        return []
    return [
        Finding(
            column=rewritten.name, kind="rewritten_copy", other=kept.name,
            evidence={
                "equal_share": round(float(share), 4), "rows_that_differ": int(differ.sum()),
                "odds_ratio": round(float(np.exp(log_odds)), 3), "z": round(z, 1),
                "round_share": round(min(roundness), 4), "round_share_of_other": round(max(roundness), 4),
            },
            sentence=f"{rewritten.name} equals {kept.name} in {share:.1%} of rows; where it does not, it is a round "
            f"number in {min(roundness):.0%} against {max(roundness):.0%}, and the odds of bad differ "
            f"{np.exp(log_odds):.2f} times (z {z:.1f}): it was written over once the account had run.",
        )
    ]  # fmt: skip


def _roundness(values: Floats) -> float:
    """Share of multiples of a hundred among amounts; none where the values are too small to be amounts."""
    amounts = np.abs(values[values != 0])
    return float((np.mod(amounts, 100) == 0).mean()) if len(amounts) and np.median(amounts) >= _AMOUNT else 0.0


def filled_in_later(column: Column, itself: View, table: Table) -> list[Finding]:
    """A column once mostly empty, now nearly always filled, and where still empty far off the common bad rate.

    Empty is missing, or the value that stood in most older rows. The other values must differ less than empty does.
    """
    new = ~table.older
    if not table.timed or np.bincount(itself.codes[table.older]).max() < _EMPTY_OLDER * table.older.sum():
        return []
    code = int(np.bincount(itself.codes[table.older]).argmax())
    empty = itself.codes == code
    rows = int((empty & new).sum())
    before, now = float(empty[table.older].mean()), rows / int(new.sum())
    if now > _EMPTY_NEWER or rows < _EMPTY_ROWS:
        return []
    log_odds, z = odds(empty.astype(float), table, new)
    if abs(log_odds) < _EMPTY_LOG_ODDS or abs(z) < _SURE_Z or _spread(itself, code, table) > abs(log_odds) / 2:
        return []
    return [
        Finding(
            column=column.name, kind="filled_in_later",
            evidence={
                "share_older": round(before, 4), "share_newer": round(now, 4), "rows_newer": rows,
                "odds_ratio": round(float(np.exp(log_odds)), 3), "z": round(z, 1),
            },
            sentence=f"{column.name} was {itself.words(code)} in {before:.0%} of older rows and is in {now:.1%} of "
            f"newer ones, where the odds of bad are {np.exp(log_odds):.2f} times the others' (z {z:.1f}): the rest was "
            f"filled in later, for accounts that {'lived to see it' if log_odds > 0 else 'went bad'}.",
        )
    ]  # fmt: skip


def _spread(itself: View, code: int, table: Table) -> float:
    """The largest log odds ratio, among rows not empty, of one frequent value against the rest."""
    new = ~table.older & (itself.codes != code)
    counts = np.bincount(itself.codes[new], minlength=1)
    frequent = [g for g in np.flatnonzero(counts >= max(_EMPTY_ROWS, 0.02 * new.sum())) if g != code]
    return max((abs(odds((itself.codes == g).astype(float), table, new)[0]) for g in frequent[:BUCKETS]), default=0.0)


def copies(columns: list[Column], table: Table) -> list[Finding]:
    """Every rewritten copy among columns that are not yet barred."""
    found: dict[str, Finding] = {}
    for i, one in enumerate(columns):
        for other in columns[i + 1 :]:
            if one.kind == other.kind == "number":
                for finding in rewritten_copy(one, other, table):
                    found.setdefault(finding.column, finding)
    return list(found.values())
