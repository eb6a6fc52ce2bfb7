"""Rows of the engine's own features from applications and their facts, in parallel.

It does: derive each row with the very features that decide (engine.features). It does not: know where the facts come
from. The rule it keeps: only a few chunks wait at a time, however long the source is.
"""

import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
from pydantic import ValidationError

from engine.application import Application
from engine.canonical import digest
from engine.facts import Facts
from engine.features import FEATURE_NAMES, FEATURES, feature_row
from training.data.examples import Dataset, Days, Floats, checked
from training.market import CHUNK, Raw

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class _Chunk:
    x: Floats
    y: Floats
    time: Days
    sha256: str


def derived(source: Iterator[Raw], jobs: int, progress: Progress, description: str, nothing: str) -> Dataset:
    """Examples of every row of a source, in order of time; ValueError (`nothing`) where it is empty.

    `description` may name {rows}.
    """
    chunks: list[_Chunk] = []
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        for chunk in _in_turn(pool, source, 2 * jobs + 1):
            chunks.append(chunk)
            progress(len(chunk.y))
    if not chunks:
        raise ValueError(nothing)
    x, y, time = (np.concatenate([getattr(chunk, part) for chunk in chunks]) for part in ("x", "y", "time"))
    order = np.argsort(time, kind="stable")
    return checked(
        Dataset(
            names=FEATURE_NAMES, x=x[order], y=y[order], weight=np.ones(len(y)), time=time[order],
            directions=tuple(f.direction for f in FEATURES), categorical=(),
            description=description.format(rows=len(y)), source_sha256=digest([chunk.sha256 for chunk in chunks]),
        )
    )  # fmt: skip


def _in_turn(pool: ProcessPoolExecutor, source: Iterator[Raw], ahead: int) -> Iterator[_Chunk]:
    """Chunks in the order of the source, at most `ahead` of them under way."""
    waiting: deque[Future[_Chunk]] = deque()
    while chunk := list(islice(source, CHUNK)):
        waiting.append(pool.submit(_derive, chunk))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _derive(chunk: list[Raw]) -> _Chunk:
    x = np.empty((len(chunk), len(FEATURE_NAMES)))
    for i, (application, facts, day, _) in enumerate(chunk):
        try:
            x[i] = feature_row(
                Application.model_validate_json(application), Facts.model_validate_json(zlib.decompress(facts))
            )
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            raise ValueError(f"a decision of {day} cannot be read by this engine: {where}") from None
    return _Chunk(
        x=x, y=np.array([row[3] for row in chunk], dtype=float),
        time=np.array([row[2] for row in chunk], dtype="datetime64[D]"),
        sha256=digest([digest(row[1]) for row in chunk]),
    )  # fmt: skip
