"""What good, bad and the other words mean in the examples' source.

It does: tell a description's, a file of definitions' or the simulated market's own terms in words. It does not: apply
them (training.data does). The rule it keeps: words and figures come from the very file that labelled the examples.
"""

from collections.abc import Mapping
from pathlib import Path

from training.data import read_description
from training.data.performance import read_definitions


def definitions(described_by: Path | None, of_performance: Path | None) -> Mapping[str, str]:
    """Term to meaning, of a described table, of an export, or, where neither file is named, of a simulated market."""
    if described_by is not None:
        return _of_table(described_by)
    return _of_market() if of_performance is None else _of_export(of_performance)


def _of_market() -> dict[str, str]:
    return {
        "bad": "The made-up business is 90 days past due within twelve months of its application, whoever would have "
        "been approved: the outcome of every business is known.",
        "good": "Not bad when the window closed.",
        "indeterminate": "Does not occur in a simulated market.",
        "window": "Twelve months from the application. A business whose window was not closed teaches and judges "
        "nothing.",
        "weight": "Every example counts 1.",
    }  # fmt: skip


def _of_table(file: Path) -> dict[str, str]:
    told = read_description(file)
    means = "1" if told.bad is None else f"“{told.bad}”"
    return {
        "bad": f"Column {told.target} of the table is {means}, as whoever made the table defined it.",
        "good": "Every other value of that column.",
        "indeterminate": "The table has no such outcome, or left those rows out before it came here.",
        "weight": f"Column {told.weight}." if told.weight else "Every example counts 1.",
        "time": f"Column {told.time}, the day of the decision." if told.time else "The table tells none.",
    }  # fmt: skip


def _of_export(file: Path) -> dict[str, str]:
    by = read_definitions(file)
    written_off = f", or written off ({by.written_off})" if by.written_off else ""
    return {
        "bad": f"{by.bad_from_days} days past due or more at its worst within the window{written_off}.",
        "indeterminate": f"{by.indeterminate_from_days} to {by.bad_from_days - 1} days past due at its worst: left out."
        if by.indeterminate_from_days < by.bad_from_days else "Not used.",
        "good": "Everything else whose window is closed.",
        "window": f"{by.window_months} months from the decision, closed by {by.cut_off}; a window that closes later "
        "is too young.",
        "decision": "Of several decisions on one application the last counts.",
        "weight": "Every example counts 1.",
    }  # fmt: skip
