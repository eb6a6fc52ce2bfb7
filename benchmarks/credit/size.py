"""One fit with calibration of a million made-up rows beside plain LightGBM's own training, in turn, in child processes.

It does: time both and read each child's peak memory. It does not: judge the models. The rule it keeps: both train on
the same rows with the same parameters and grow the same number of trees; ours also bins and scores the validation
rows, keeps directions, proves them on rows, calibrates and writes the model's text.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from statistics import median

import lightgbm
import numpy as np

from training.data import Dataset
from training.fitting import MOST_TREES, PARAMETERS, train
from training.fitting.split import view

FEATURES, VALIDATION_SHARE, SEED = 45, 0.1, 11


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds by the clock and of the processor in each round, and the largest peak memory, in MiB."""

    rows: int
    ours: tuple[float, ...]
    plain: tuple[float, ...]
    ours_cpu: tuple[float, ...]
    plain_cpu: tuple[float, ...]
    trees: int
    data_mib: float
    base_mib: float
    ours_mib: float
    plain_mib: float

    @property
    def ratio(self) -> float:
        """Ours over plain, of the medians by the clock."""
        return median(self.ours) / median(self.plain)

    @property
    def ratio_cpu(self) -> float:
        """The same of processor time: on one thread it is what the clock would show on a quiet machine."""
        return median(self.ours_cpu) / median(self.plain_cpu)


def made(rows: int) -> Dataset:
    """Made-up examples from a seed: 45 numbers, a tenth of them missing in part, an outcome that follows some."""
    generator = np.random.Generator(np.random.PCG64(SEED))
    x = np.empty((rows, FEATURES))
    for start in range(0, rows, 50_000):
        block = x[start : start + 50_000]
        generator.standard_normal(out=block)
        block[:, ::10][generator.random(block[:, ::10].shape) < 0.1] = np.nan
    pull = np.nan_to_num(x[:, 1]) + 0.7 * np.nan_to_num(x[:, 2]) * (x[:, 31] > 0) - 0.5 * np.nan_to_num(x[:, 3])
    y = (generator.random(rows) < 1 / (1 + np.exp(2.5 - pull))).astype(float)
    directions = tuple(1 if i in (1, 2) else -1 if i == 3 else (0, 1, -1)[i % 3] for i in range(FEATURES))
    time_ = np.datetime64("2020-01-01") + np.arange(rows) * 1_000 // rows
    names = tuple(f"f{i}" for i in range(FEATURES))
    return Dataset(names, x, y, np.ones(rows), time_, directions, (), "made up", "0" * 64)


def child(which: str, rows: int, trees: int, threads: int) -> dict[str, float]:
    """Make the rows, then train one way; seconds of the training alone, peak memory of the process."""
    data = made(rows)
    cut = int(rows * (1 - VALIDATION_SHARE))
    learn, stop = view(data, slice(0, cut)), view(data, slice(cut, rows))
    base = _peak()
    began, worked = time.perf_counter(), time.process_time()
    grown = trees
    if which == "ours":
        grown = train(learn, stop, SEED, changed={"num_threads": threads, "num_iterations": trees}).trees
    else:
        told = {**PARAMETERS, "seed": SEED, "num_threads": threads}
        lightgbm.train(told, lightgbm.Dataset(learn.x, learn.y, weight=learn.weight), num_boost_round=trees)
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    return {"seconds": seconds, "cpu": cpu, "peak": _peak(), "base": base, "trees": grown}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(rows: int = 1_000_000, rounds: int = 3, trees: int = 200, threads: int = 1) -> Measured:
    """Rounds of both in turn, each in a process of its own."""
    found: dict[str, list[dict[str, float]]] = {"ours": [], "plain": []}
    for turn in range(rounds):
        for which in ("ours", "plain") if turn % 2 else ("plain", "ours"):
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.credit.size", which, str(rows), str(trees), str(threads)],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            found[which].append(json.loads(done.stdout.splitlines()[-1]))
    return Measured(
        rows=rows,
        ours=tuple(f["seconds"] for f in found["ours"]),
        plain=tuple(f["seconds"] for f in found["plain"]),
        ours_cpu=tuple(f["cpu"] for f in found["ours"]),
        plain_cpu=tuple(f["cpu"] for f in found["plain"]),
        trees=int(found["ours"][0]["trees"]),
        data_mib=rows * FEATURES * 8 / 2**20,
        base_mib=max(f["base"] for f in found["ours"]),
        ours_mib=max(f["peak"] for f in found["ours"]),
        plain_mib=max(f["peak"] for f in found["plain"]),
    )


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("which", choices=("ours", "plain"))
    for name in ("rows", "trees", "threads"):
        asked.add_argument(name, type=int)
    given = asked.parse_args()
    sys.stdout.write(json.dumps(child(given.which, given.rows, min(given.trees, MOST_TREES), given.threads)) + "\n")
