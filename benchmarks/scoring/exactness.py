"""Whether our raw scores have LightGBM's bits, on many random models, and our contributions its values.

It does: train small random models, and compare block and single scores bit for bit, contributions by their largest
difference. It does not: time. The rule it keeps: LightGBM is the arbiter; models and rows come from seeds.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import lightgbm
import numpy as np

from benchmarks.peers.suites.given import THREADS
from benchmarks.scoring.models import CATEGORICAL, FEATURES, Floats, drawn, kept, trained
from engine.scoring import Scorer, backends
from training.rescoring import raw_scores

_TREES, _EXAMPLES = 60, 4_000
_SINGLES, _EXPLAINED = 200, 50
_FEWER = 10  # the first back end scores every row, the slower ones a tenth of them


@dataclass(frozen=True, slots=True)
class Exactness:
    """Rows scored in all, those whose bits differ, and the largest difference of a contribution, over all back ends."""

    models: int
    rows: int
    differing: int
    contribution_off: float


def measure(models: int, rows: int) -> Exactness:
    """Compare `rows` rows in all, as many on each model."""
    names, differing, off = tuple(f"x{place}" for place in range(FEATURES)), 0, 0.0
    codes = tuple(range(FEATURES - CATEGORICAL, FEATURES))
    for seed in range(models):
        made = partial(trained, drawn(_EXAMPLES, 1_000 + seed), names, seed, _TREES, 4 + 3 * seed, codes)
        text = kept(f"random-{seed}", made)
        booster: Any = lightgbm.Booster(model_str=text)
        block = drawn(rows // models, 2_000 + seed)
        right = booster.predict(block, raw_score=True)
        explained = booster.predict(block[:_EXPLAINED], pred_contrib=True)
        for place, backend in enumerate(backends()):
            scorer, most = Scorer(text, names, backend), len(block) // (_FEWER if place else 1)
            differing += _different(raw_scores(scorer, block[:most], THREADS), right[:most])
            differing += _different(np.array([scorer.raw(row) for row in block[:_SINGLES]]), right[:_SINGLES])
            found = np.array([scorer.contributions(row) for row in block[:_EXPLAINED]])
            off = max(off, float(np.abs(found - explained).max()))
    return Exactness(models, rows // models * models, differing, off)


def _different(found: Floats, right: Floats) -> int:
    return int((found.view(np.int64) != right.view(np.int64)).sum())
