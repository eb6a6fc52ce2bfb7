"""One row's score and its exact contributions, each beside the libraries that one would take for them.

It does: let our scorer, LightGBM and the peers take turns on the same rows of the same model, and compare their
answers with LightGBM's. It does not: measure blocks (`blocks` does). The rule it keeps: the model and rows are laid
once and read by all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.contest import Entry, Spent, contest
from benchmarks.peers.environments import OURS, environment
from benchmarks.peers.suites import lightgbm_contributions, lightgbm_scores
from benchmarks.scoring.models import TREES, shipped, synthetic

SYNTHETIC, NUMERIC, SHIPPED = "synthetic", "synthetic, no categories", "shipped"
_COMPARED = range(0, 1_000, 50)
SCORE_SUITES = (("ours_scores", "ours"), ("lightgbm_scores", "ours"), ("compiled_scores", "libraries"))
CONTRIBUTION_SUITES = (
    ("ours_contributions", "ours"), ("lightgbm_contributions", "ours"), ("explainers", "explainers"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """What a call of each task took, how far its answers are from LightGBM's, and which suites failed, with why."""

    base: str
    spent: Mapping[str, Spent]
    off: Mapping[str, float]
    failed: Mapping[str, str]

    def times(self, task: str) -> float:
        """How many times as fast as the base a task is; 0 where it did not run."""
        return self.spent[self.base].us / self.spent[task].us if task in self.spent else 0.0


@dataclass(frozen=True, slots=True)
class Singles:
    """Scores and contributions, by name of the model."""

    scores: Mapping[str, Result]
    contributions: Mapping[str, Result]


def measure(folder: Path, rounds: int, *, peers: bool = True, trees: int = TREES) -> Singles:
    """Both contests on both models; `trees` makes the synthetic model smaller."""
    models = {SYNTHETIC: synthetic(trees), NUMERIC: synthetic(trees, 0), SHIPPED: shipped()}
    scores, contributions = {}, {}
    for name, model in models.items():
        place = model.lay(folder / name)
        scores[name] = _held(place, SCORE_SUITES, lightgbm_scores.PREDICT, rounds, peers)
        contributions[name] = _held(place, CONTRIBUTION_SUITES, lightgbm_contributions.CONTRIB, rounds, peers)
    return Singles(scores, contributions)


def _held(folder: Path, suites: tuple[tuple[str, str], ...], base: str, rounds: int, peers: bool) -> Result:
    entries = [
        Entry(suite, OURS if family == "ours" else environment(family), folder)
        for suite, family in suites
        if peers or family == "ours"
    ]
    with contest(entries, folder) as held:
        off = held.differences(base, _COMPARED)
        return Result(base, held.run(rounds), off, held.failed)
