"""What an audit tells: findings with their numbers, and the report that holds them.

It does: hold and serialise. It does not: judge. The rule it keeps: every finding has a kind, its evidence in numbers,
and one plain sentence.
"""

from typing import Literal

from engine.values import Frozen

Kind = Literal[
    "one_outcome",
    "relation",
    "outranks",
    "after_decision",
    "rewritten_copy",
    "filled_in_later",
    "identifier",
    "constant",
    "missing",
    "drifted",
    "duplicates",
    "weight",
]
MEANINGS: dict[Kind, str] = {
    "one_outcome": "values that occur under one outcome only",
    "relation": "a relation to another column that holds under one outcome only",
    "outranks": "ranks alone far beyond all clean columns together",
    "after_decision": "dates after the decision",
    "rewritten_copy": "a copy of another column, rewritten where the outcome differs",
    "filled_in_later": "filled in later for those that lived",
    "identifier": "a name for each row",
    "constant": "one value only",
    "missing": "mostly missing",
    "drifted": "another distribution in the newer span",
    "duplicates": "rows of the older span that return in the newer",
    "weight": "the weight tells the outcome",
}
BETRAYS: frozenset[Kind] = frozenset(
    ("one_outcome", "relation", "outranks", "after_decision", "rewritten_copy", "filled_in_later")
)


class Finding(Frozen):
    """One thing found about one column (or, with `column` empty, about the table)."""

    column: str
    kind: Kind
    other: str | None = None  # the column it was found against
    evidence: dict[str, float]
    sentence: str

    @property
    def betrays(self) -> bool:
        """Whether a model may use the column only under a waiver."""
        return self.kind in BETRAYS


class Span(Frozen):
    """One of the two spans that columns are judged over."""

    start: str
    end: str
    rows: int
    bads: int


class Looked(Frozen):
    """One column that was looked at: how much is missing, how many values, and how it ranks the newer span alone."""

    name: str
    kind: Literal["number", "category", "date"]
    missing: float
    distinct: int
    auc: float


class Report(Frozen):
    """Everything an audit found. `reach` is the out-of-time AUC of all clean columns together."""

    table: str
    sha256: str
    target: str
    time: str | None
    weight: str | None
    rows: int
    rows_looked_at: int
    older: Span
    newer: Span
    reach: float
    columns: list[Looked]
    findings: list[Finding]

    @property
    def betraying(self) -> dict[str, list[Finding]]:
        """Column to the findings that bar it from a model, in the order of the table."""
        found = {
            looked.name: [f for f in self.findings if f.column == looked.name and f.betrays] for looked in self.columns
        }
        return {name: findings for name, findings in found.items() if findings}
