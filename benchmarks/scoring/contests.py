"""One row's score and its exact contributions, each beside the libraries that one would take for them.

It does: let our scorer, LightGBM and the peers take turns on the same rows of the same model, and compare their
answers with LightGBM's. It does not: put it into words. The rule it keeps: model and rows are laid once and
read by all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.peers.contest import Entry, Spent, contest
from benchmarks.peers.environments import OURS, environment
from benchmarks.peers.suites import lightgbm_blocks, lightgbm_contributions, lightgbm_scores, ours_rules
from benchmarks.scoring import rules
from benchmarks.scoring.models import TREES, drawn, shipped, synthetic

SYNTHETIC, NUMERIC, SHIPPED = "synthetic", "synthetic, no categories", "shipped"
_COMPARED = range(0, 1_000, 50)
BLOCK_SEED = 99
BLOCK_SUITES = (("ours_blocks", "ours"), ("lightgbm_blocks", "ours"), ("compiled_blocks", "libraries"))
RULE_SUITES = (("ours_rules", "ours"), ("zen_rules", "libraries"))
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


def measure(folder: Path, rounds: int, slow_rounds: int, trees: int = TREES, *, peers: bool = True) -> Singles:
    """Both contests on both models; `trees` makes the synthetic model smaller."""
    models = {SYNTHETIC: synthetic(trees), NUMERIC: synthetic(trees, 0), SHIPPED: shipped()}
    scores, contributions = {}, {}
    for name, model in models.items():
        place = model.lay(folder / name)
        scores[name] = _held(place, SCORE_SUITES, lightgbm_scores.PREDICT, rounds, peers)
        contributions[name] = _held(place, CONTRIBUTION_SUITES, lightgbm_contributions.CONTRIB, slow_rounds, peers)
    return Singles(scores, contributions)


def blocks(folder: Path, rows: int, rounds: int, *, peers: bool = True, trees: int = TREES) -> Result:
    """The synthetic model on a block of many rows, two threads each; each contestant runs once before it counts."""
    place = synthetic(trees).lay(folder / "block")
    np.save(place / "block.npy", drawn(rows, BLOCK_SEED))
    return _held(place, BLOCK_SUITES, lightgbm_blocks.PREDICT, rounds, peers, range(1), 1)


def policy(folder: Path, rounds: int, *, peers: bool = True) -> Result:
    """Rules, limit and price, beside a rules engine; ValueError where the two do not agree on every case."""
    found = _held(rules.lay(folder / "rules"), RULE_SUITES, ours_rules.OURS, rounds, peers, range(rules.CASES))
    if wrong := [task for task, off in found.off.items() if off]:
        raise ValueError(f"another answer than ours from {', '.join(wrong)}")
    return found


def _held(
    folder: Path, suites: tuple[tuple[str, str], ...], base: str, rounds: int, peers: bool,
    compared: Sequence[int] = _COMPARED, calls: int | None = None,
) -> Result:  # fmt: skip
    entries = [
        Entry(suite, OURS if family == "ours" else environment(family), folder)
        for suite, family in suites
        if peers or family == "ours"
    ]
    with contest(entries, folder) as held:
        off = held.differences(base, compared)
        return Result(base, held.run(rounds, calls), off, held.failed)
