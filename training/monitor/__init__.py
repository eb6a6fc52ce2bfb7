"""Watching a release: does what it now decides on still look like what it learnt from, and is it still right.

baselines keeps what training looked like, rows reads what is watched (an export of decisions, or a table), series
counts it by day, evidence tests it day by day, watching puts it all into one record (models.watching), keeping draws
and writes. The rule: an alarm needs both a move that matters and evidence that does not come of few rows or many looks.
"""

from training.monitor.baselines import baselines, column, fitted_baselines, stored_baselines
from training.monitor.evidence import ALPHA
from training.monitor.rows import Rows, from_decisions, from_watched_table
from training.monitor.watching import Plan, watch

__all__ = [
    "ALPHA", "Plan", "Rows", "baselines", "column", "fitted_baselines", "from_decisions",
    "from_watched_table", "stored_baselines", "watch",
]  # fmt: skip
