"""One fit on workers that are all there at its start: the steps, in order.

It does: have parts read where they stay, samples drawn, trees grown in step, the line set and the model judged. It does
not: look after a worker that ends (fitting does). The rule it keeps: what comes here is numbers that add up, trees, the
figures, and the few golden rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

import models
from engine.scoring import parse_model
from training.cluster.growing import Floats, Grower, address, drawn, together
from training.cluster.line import calibrating_line
from training.cluster.parts import Part, dealt
from training.cluster.survey import Looked, categorical, directions, read
from training.cluster.waiting import Cluster, ClusterFault, Task
from training.data import Dataset, TableDescription
from training.fitting import MOST_TREES, PATIENCE, Fitted, Model, Recipe, Split, judged
from training.fitting.boosting import class_weights, parameters_for
from training.fitting.calibration import calibration_of
from training.fitting.split import SPANS
from training.publishing import Learnt, golden_rows

SAMPLE_ROWS = 200_000  # as many as LightGBM itself draws to find bins
_TREES_A_STEP = 10
Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Fit:
    """What to fit, on what; `sample_rows` of each span at most are drawn for bins, challengers and judgement."""

    described: TableDescription
    table: Path
    split: Split
    seed: int
    recipe: Recipe = field(default_factory=Recipe)
    sample_rows: int = SAMPLE_ROWS
    today: date = field(default_factory=date.today)


@dataclass(frozen=True, slots=True)
class Seen:
    """The table after it was looked through: its parts, what each holds, what all hold, and its digest."""

    parts: Sequence[Part]
    looked: Sequence[Looked]
    whole: Looked
    sha256: str


@dataclass(frozen=True, slots=True)
class Made:
    """What a cluster made: the fit, what its draft says of the examples, golden rows, and rows held by each worker."""

    fitted: Fitted
    learnt: Learnt
    golden: Floats
    held: Sequence[Mapping[str, int]]


def attempt(cluster: Cluster, workers: Sequence[str], key: str, fit: Fit, seen: Seen, told: Told) -> Made:
    """Fit under a key that no other fit has; WorkerLost where a worker ends meanwhile."""
    places = placed(seen.looked, len(workers))
    used = workers[: max(places) + 1]
    told("reading", 0, len(seen.parts))
    held = _read(cluster, fit, seen, [used[place] for place in places])
    samples = _samples(cluster, fit, seen, held)
    parameters = _parameters(cluster, fit, seen.whole, used[0])
    growers = _growers(cluster, used, key, held, samples[0], (parameters, _class_weights(fit, seen.whole)))
    del held  # binned by now: let go of the rows
    _join(cluster, growers)
    trees = _grown(cluster, growers, seen.whole, told)
    model = _model(cluster, growers, fit, trees, parameters)
    told("judging", 0, 1)
    rows = cluster.results([cluster.on(task.worker, Grower.leave, task.future) for task in growers])
    described = _description(fit, seen.whole, len(used))
    [(fitted, golden)] = cluster.results(
        [
            cluster.on(
                used[0], judged_on, model, *[[t.future for t in drawn] for drawn in samples], fit.recipe, described
            )
        ]
    )
    return Made(fitted, _learnt(fit, seen, described), golden, rows)


def placed(looked: Sequence[Looked], workers: int) -> list[int]:
    """Which worker reads each part, so that all have about as many rows to learn from, and of the others too."""
    teaching = [part.spans[0].rows for part in looked]
    workers = min(workers, sum(rows > 0 for rows in teaching))
    first = iter(dealt([rows for rows in teaching if rows], workers))
    rest = iter(dealt([part.rows for part in looked if not part.spans[0].rows], workers))
    return [next(first) if rows else next(rest) for rows in teaching]


def _read(cluster: Cluster, fit: Fit, seen: Seen, where: Sequence[str]) -> list[Task]:
    tasks = [
        cluster.on(worker, read, part, fit.described, fit.split, seen.whole.levels, fit.today)
        for worker, part in zip(where, seen.parts, strict=True)
    ]
    cluster.finished(tasks)
    return tasks


def _samples(cluster: Cluster, fit: Fit, seen: Seen, held: Sequence[Task]) -> list[list[Task]]:
    """Of each span, the task of each part that draws its share of at most `sample_rows`; they stay on the workers."""
    samples = []
    for span, total in enumerate(seen.whole.spans):
        ends = np.cumsum([part.spans[span].rows for part in seen.looked]) * min(fit.sample_rows / total.rows, 1.0)
        counts = np.diff(np.floor(ends + 1e-6).astype(int), prepend=0).tolist()
        samples.append([
            cluster.on(task.worker, drawn, task.future, span, count, (fit.seed, span, number))
            for number, (task, count) in enumerate(zip(held, counts, strict=True)) if count
        ])  # fmt: skip
    cluster.finished([task for tasks in samples for task in tasks])
    return samples


def _parameters(cluster: Cluster, fit: Fit, whole: Looked, worker: str) -> dict[str, Any]:
    """What a single machine would grow with, on as many threads as the workers have."""
    changed = dict(fit.recipe.changed or {})
    changed["num_threads"] = cluster.client.nthreads().get(worker, 1)
    return parameters_for(whole.spans[0].bads, directions(fit.described), fit.seed, changed)


def _class_weights(fit: Fit, whole: Looked) -> tuple[float, float]:
    return class_weights(fit.recipe.weighting, whole.spans[0].bad_weight, whole.spans[0].good_weight)


def _growers(
    cluster: Cluster, used: Sequence[str], key: str, held: Sequence[Task], sample: Sequence[Task],
    how: tuple[Mapping[str, Any], tuple[float, float]],
) -> list[Task]:  # fmt: skip
    taught = [task.future for task in sample]
    tasks = [
        cluster.on(worker, Grower, [t.future for t in held if t.worker == worker], taught, key, *how) for worker in used
    ]
    cluster.finished(tasks)
    return tasks


def _join(cluster: Cluster, growers: Sequence[Task]) -> None:
    places = cluster.results([cluster.on(task.worker, address, task.worker) for task in growers])
    machines = ",".join(f"{host}:{port}" for host, port in places)
    minutes = max(int(cluster.timeout_seconds // 60), 1)
    cluster.results([
        cluster.on(task.worker, Grower.join, task.future, machines, port, minutes)
        for task, (_, port) in zip(growers, places, strict=True)
    ])  # fmt: skip


def _grown(cluster: Cluster, growers: Sequence[Task], whole: Looked, told: Told) -> int:
    """Grow until the loss stops falling; how many trees are kept."""
    mass = whole.spans[1].good_weight + whole.spans[1].bad_weight
    losses: list[float] = []
    while (kept := stopped(losses)) is None and len(losses) < MOST_TREES:
        step = cluster.results([cluster.on(t.worker, Grower.grow, t.future, _TREES_A_STEP) for t in growers])
        losses += (np.sum(step, axis=0) / mass).tolist()
        told("growing trees", len(losses), MOST_TREES)
    return kept or int(np.argmin(losses)) + 1


def stopped(losses: Sequence[float]) -> int | None:
    """How many trees to keep once the loss has not fallen for as many as LightGBM would wait; None before that."""
    best = 0
    for tree, loss in enumerate(losses):
        if loss < losses[best]:
            best = tree
        if tree - best >= PATIENCE:
            return best + 1
    return None


def _model(cluster: Cluster, growers: Sequence[Task], fit: Fit, trees: int, parameters: Mapping[str, Any]) -> Model:
    """The trees and their line; ValueError where a direction does not hold, or the validation span ranks backwards."""
    text, *others = cluster.results([cluster.on(t.worker, Grower.text, t.future, trees) for t in growers])
    if any(other != text for other in others):
        raise ClusterFault("the workers did not grow the same trees: build them all from one lock file")
    models.prove(parse_model(text), directions(fit.described))
    cluster.results([cluster.on(task.worker, Grower.scored, task.future, trees) for task in growers])

    def total(function: Callable[..., Floats], *arguments: float) -> Floats:
        sums = cluster.results([cluster.on(t.worker, Grower.sums, t.future, function, *arguments) for t in growers])
        return np.asarray(np.sum(sums, axis=0), dtype=np.float64)

    return Model(text, calibration_of(*calibrating_line(total)), trees, fit.seed, parameters)


def judged_on(
    model: Model, learn: Sequence[Dataset], stop: Sequence[Dataset], test: Sequence[Dataset], how: Recipe,
    description: str,
) -> tuple[Fitted, Floats]:  # fmt: skip
    """A model judged beside its challengers on the samples, and golden rows. Runs on a worker."""
    first, second, third = (replace(together(parts), description=description) for parts in (learn, stop, test))
    fitted = judged(model, (first, second, third), {}, how)
    return fitted, golden_rows(fitted, third)


def _description(fit: Fit, whole: Looked, workers: int) -> str:
    """What the draft says of its examples: also what was judged on a sample alone."""
    told = f"{fit.described.description or fit.described.table} (fitted by {workers} workers"
    cut = [name for name, held in zip(SPANS, whole.spans, strict=True) if held.rows > fit.sample_rows]
    return told + (f"; {fit.sample_rows:,} rows drawn of each of {', '.join(cut)} to judge by)" if cut else ")")


def _learnt(fit: Fit, seen: Seen, description: str) -> Learnt:
    none = np.empty(0)
    names = tuple(fit.described.columns)
    data = Dataset(
        names=names, x=np.empty((0, len(names))), y=none, weight=none, time=none.astype("datetime64[D]"),
        directions=directions(fit.described), categorical=categorical(fit.described), description=description,
        source_sha256=seen.sha256, levels=tuple(seen.whole.levels[names[i]] for i in categorical(fit.described)),
    )  # fmt: skip
    return Learnt(data, [(held.first, held.last, held.rows, held.bads) for held in seen.whole.spans])
