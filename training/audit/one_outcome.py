"""Values, and relations between columns, that occur under one outcome only.

It does: find groups of a column's views in which one outcome is all but absent though many of it were to be expected.
It does not: mind how few rows the group is of all. The rule it keeps: a group counts only where at most 15 % of the
expected was seen, at the upper end of a 99 % interval; application-time columns of the public credit sets reach no
lower than a quarter.
"""

from training.audit.findings import Finding, Kind
from training.audit.groups import Purest
from training.audit.views import View

MOST_RATIO = 0.15


def pure(name: str, views: list[View], other: str | None = None) -> list[Finding]:
    """The finding of a column's purest group over its views, in a list; an empty list where none is pure."""
    found = [(best, view) for view in views if (best := view.purest) is not None and best.ratio <= MOST_RATIO]
    return [_finding(name, *max(found, key=lambda pair: pair[0].expected - pair[0].seen), other)] if found else []


def _finding(name: str, best: Purest, view: View, other: str | None) -> Finding:
    kind: Kind = "relation" if other else "one_outcome"
    rare, common = ("good", "bad") if best.bad_only else ("bad", "good")
    where = f"{name} is {view.words(best.group)}"
    if view.name.startswith("days"):
        where = f"{name} lies {view.words(best.group)} days from the decision"
    share = best.rows / len(view.codes)
    return Finding(
        column=name, kind=kind, other=other,
        evidence={
            "rows": best.rows, "share_of_rows": round(share, 4), "seen": best.seen,
            "expected": round(best.expected, 1), "ratio_at_most": round(best.ratio, 4),
            "first_bucket": best.first, "last_bucket": best.last,
        },
        sentence=f"Where {where} ({best.rows:,} rows) {best.seen:,} went {rare} though {best.expected:,.0f} were to be "
        f"expected: it all but occurs under {common} only.",
    )  # fmt: skip
