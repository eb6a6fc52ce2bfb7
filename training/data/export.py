"""The service's own export of decisions, joined with later performance, as examples.

It does: read `creditline export` line by line, derive each decision's inputs from its facts as known then, and label it
by what became of it. It does not: use what the record learnt later. The rules it keeps: of several decisions on one
application the last counts; only a closed window has an outcome; what is left out is counted.
"""

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from engine.canonical import canonical_bytes
from training.data.derived import Progress, derived
from training.data.examples import Dataset
from training.data.performance import Definitions, Status, read_definitions, statuses
from training.exported import lines
from training.market import Raw

_NEEDED = ("application", "facts", "decision_id")


@dataclass(frozen=True, slots=True)
class Joined:
    """Examples of an export, and how many decisions became what; those beside good and bad teach nothing."""

    data: Dataset
    counts: dict[str, int]


def from_export(
    export: Path, performance: Path, definitions: Path, jobs: int = 2, progress: Progress = lambda done: None
) -> Joined:
    """Good and bad decisions of an export as examples.

    ValueError names the line that is no decision; TableFaults what is wrong with the performance table.
    """
    by = read_definitions(definitions)
    decided, counts = _decided(export, by)
    days = {key: day for key, (_, day) in decided.items()}
    became = statuses(days, performance, by)
    counts.update(became.values())
    counts["without performance"] = len(decided) - len(became)
    taught = {
        decision: status for key, (decision, _) in decided.items() if (status := became.get(key)) in ("good", "bad")
    }
    data = derived(
        _taught(export, taught), jobs, progress,
        f"export of decisions, {{rows}} with a window of {by.window_months} months closed by {by.cut_off}",
        f"{export} and {performance} have no decision in common that turned out good or bad by {by.cut_off}",
    )  # fmt: skip
    return Joined(replace(data, approved_only=True), dict(counts))  # who was turned down performs nowhere


def _decided(export: Path, by: Definitions) -> tuple[dict[str, tuple[str, date]], Counter[str]]:
    """The decision that counts of each key, with its day; and how many were erased or followed by another."""
    decided: dict[str, tuple[str, date]] = {}
    counts: Counter[str] = Counter()
    for number, record in lines(export, *_NEEDED):
        if record["application"] is None or record["facts"] is None:
            counts["erased"] += 1
            continue
        try:
            key, day = str(record[by.key]), datetime.fromisoformat(record["decided_at"]).date()
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"{export}: line {number} lacks {by.key} or the moment of its decision") from None
        counts["followed by another decision"] += key in decided
        decided[key] = (str(record["decision_id"]), day)
    return decided, counts


def _taught(export: Path, taught: Mapping[str, Status]) -> Iterator[Raw]:
    """The labelled decisions as rows to derive, one at a time."""
    for _, record in lines(export, *_NEEDED):
        status = taught.get(str(record["decision_id"]))
        if status is not None:
            application, facts = canonical_bytes(record["application"]), canonical_bytes(record["facts"])
            day = datetime.fromisoformat(record["decided_at"]).date().isoformat()
            yield application.decode(), zlib.compress(facts, 1), day, int(status == "bad")
