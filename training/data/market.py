"""A market file as examples.

It does: read the businesses of a simulated market. It does not: know how a market is made. The rule it keeps: only a
closed performance window has an outcome.
"""

from pathlib import Path

from training.data.derived import Progress, derived
from training.data.examples import Dataset
from training.market import businesses


def from_market(path: Path, jobs: int = 2, progress: Progress = lambda done: None) -> Dataset:
    """Every business of a market with a closed performance window, derived as the live service would.

    ValueError where the market has no such business or only one outcome.
    """
    return derived(
        businesses(path),
        jobs,
        progress,
        "simulated market, {rows} businesses with a closed window (synthetic)",
        f"{path} holds no business with a closed performance window",
    )
