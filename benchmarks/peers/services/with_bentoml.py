"""LightGBM behind BentoML, as its documentation says; run inside the peer's environment by `bentoml serve`."""

import os

import bentoml
import lightgbm
import numpy as np


class Scoring:
    """A service with one worker, which is its default."""

    def __init__(self) -> None:
        self.booster = lightgbm.Booster({"num_threads": 1}, model_file=os.environ["BENCHMARK_MODEL"])

    def score(self, row: list[float]) -> float:
        """The raw score."""
        return float(self.booster.predict(np.array([row]), raw_score=True, num_threads=1)[0])


Scoring.score = bentoml.api(Scoring.score)  # type: ignore[method-assign, unused-ignore]
# Without its line for each request, since no other service here writes one.
Service = bentoml.service(Scoring, logging={"access": {"enabled": False}})
