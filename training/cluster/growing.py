"""Trees grown by several workers at once, each on the rows it read: what runs on a worker.

It does: draw a sample, bin by the sample that all workers share, grow in step with the others (LightGBM's data-parallel
learner over sockets of its own), and sum losses and calibration up over its rows. It does not: send a row, but those of
the sample. The rule it keeps: a process is in one fit at a time, and says so.
"""

import socket
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlparse

import lightgbm
import numpy as np
from numpy.typing import NDArray

from training.cluster.waiting import ClusterFault
from training.data import Dataset

Floats = NDArray[np.float64]
Spans = tuple[Dataset, ...]  # training, validation and test examples of a part
_HERE: "weakref.WeakValueDictionary[str, Grower]" = weakref.WeakValueDictionary()


def drawn(spans: Spans, span: int, count: int, seed: tuple[int, ...]) -> Dataset:
    """So many examples of a part's span, drawn by the seed, in the part's order."""
    data = spans[span]
    rows = np.sort(np.random.Generator(np.random.PCG64(seed)).choice(len(data.y), count, replace=False))
    return replace(data, x=data.x[rows], y=data.y[rows], weight=data.weight[rows], time=data.time[rows])


def together(parts: Sequence[Dataset]) -> Dataset:
    """Examples of several parts as one, in order of time."""
    x, y, weight, time = (np.concatenate([getattr(p, of) for p in parts]) for of in ("x", "y", "weight", "time"))
    order = np.argsort(time, kind="stable")
    return replace(parts[0], x=x[order], y=y[order], weight=weight[order], time=time[order])


class Grower:
    """One worker's rows, binned, and the trees that all workers grow together."""

    def __init__(
        self, parts: Sequence[Spans], sample: Sequence[Dataset], key: str, told: Mapping[str, Any],
        weights: tuple[float, float],
    ) -> None:  # fmt: skip
        if _HERE:
            raise ClusterFault("another fit is running on this worker: wait for it, or use other workers")
        learn, stop = ([spans[i] for spans in parts if len(spans[i].y)] for i in (0, 1))
        taught = np.concatenate([drawn.x for drawn in sample])
        y, of_bad, of_good = np.concatenate([part.y for part in learn]), *weights
        weight = np.concatenate([part.weight for part in learn]) * np.where(y == 1, of_bad, of_good)
        names, categorical = list(learn[0].names), list(learn[0].categorical)
        self._told = dict(told)
        self._booster: lightgbm.Booster | None = None
        self._learn = lightgbm.Dataset(
            [part.x for part in learn], y, weight=weight, feature_name=names, categorical_feature=categorical,
            reference=lightgbm.Dataset(taught, feature_name=names, categorical_feature=categorical, params=dict(told)),
            params=dict(told),
        ).construct()  # fmt: skip
        self._x = np.concatenate([np.empty((0, len(names))), *[part.x for part in stop]])
        self._y = np.concatenate([np.empty(0), *[part.y for part in stop]])
        self._weight = np.concatenate([np.empty(0), *[part.weight for part in stop]])
        self._raw = np.empty(0)
        self._held = {"training": len(y), "validation": len(self._y), "sample": len(taught)}
        _HERE[key] = self

    def join(self, machines: str, port: int, minutes: int) -> None:
        """Meet the other workers. Ends when all have."""
        network = {"machines": machines, "num_machines": machines.count(",") + 1, "local_listen_port": port,
            "time_out": minutes, "tree_learner": "data"} if "," in machines else {}  # fmt: skip
        self._booster = booster = lightgbm.Booster({**self._told, **network}, self._learn)
        if len(self._y):
            stop = lightgbm.Dataset(
                self._x, self._y, weight=self._weight, reference=self._learn, params=dict(self._told)
            )
            booster.add_valid(stop, "validation")

    def grow(self, trees: int) -> Floats:
        """Grow on, and tell the validation rows' loss after each tree: their mean log loss times their weight."""
        booster, losses, weight = self._grown, [], float(self._weight.sum())
        for _ in range(trees):
            booster.update()
            losses.append(booster.eval_valid()[0][2] * weight if weight else 0.0)
        return np.array(losses)

    def text(self, trees: int) -> str:
        """The first trees, as LightGBM writes them, without the names of the machines."""
        text = self._grown.model_to_string(num_iteration=trees)
        model, parameters = text.split("\nparameters:\n", 1)
        kept = [line for line in parameters.splitlines() if not line.startswith(_OF_THE_NETWORK)]
        return "\n".join([model, "parameters:", *kept, ""])

    def scored(self, trees: int) -> None:
        """Score the validation rows by the first trees, for `sums`."""
        if len(self._y):
            raw = self._grown.predict(
                self._x, raw_score=True, num_iteration=trees, num_threads=self._told["num_threads"]
            )
            self._raw = np.asarray(raw, dtype=np.float64)

    def sums(self, function: Callable[..., Floats], *arguments: Any) -> Floats:
        """A function of outcome, raw score and weight, which sums up over the validation rows."""
        return function(self._y, self._raw, self._weight, *arguments)

    def leave(self) -> dict[str, int]:
        """Part from the others and let go of the rows; how many were held."""
        if self._booster is not None:
            self._booster.free_network()
        self._booster = None
        _HERE.clear()
        return self._held

    @property
    def _grown(self) -> lightgbm.Booster:
        if self._booster is None:
            raise ClusterFault("this worker has left the fit")
        return self._booster


_OF_THE_NETWORK = ("[machines:", "[num_machines:", "[local_listen_port:", "[time_out:", "[tree_learner:",
    "[machine_list_filename:")  # fmt: skip


def address(worker: str) -> tuple[str, int]:
    """This worker's host as the others see it, and a port that is free there now."""
    host = urlparse(worker).hostname or ""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as free:
        free.bind((host, 0))
        return host, int(free.getsockname()[1])


def at_rest(key: str) -> None:
    """Leave a fit that broke off."""
    if grower := _HERE.get(key):
        grower.leave()
