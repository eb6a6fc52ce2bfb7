"""Golden rows: feature rows with the raw score and contributions that the trainer's own LightGBM gave them.

It does: choose rows that show every turn, write them, and hold a loaded model to them. It does not: say
whether a model is good. The rule it keeps: the scorer, the file, and the walk in plain Python agree to
the last bit of every raw score, or the release is refused. Contributions are sums in another order than
LightGBM's, so they are held to a distance instead.
"""

import heapq
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.canonical import canonical_bytes
from engine.scoring import Ensemble, Scorer, walk_paths
from models.rejection import ReleaseRejected

FEWEST_ROWS: Final = 20
MOST_ROWS: Final = 5_000
CONTRIBUTION_TOLERANCE: Final = 1e-12

Floats = NDArray[np.float64]
Turn = tuple[int, int, int, str]  # tree, node, child, kind of value


@dataclass(frozen=True, slots=True)
class GoldenRow:
    """One row in model order with what it must score."""

    row: tuple[float, ...]
    raw: float
    contributions: tuple[float, ...]


def choose_rows(ensemble: Ensemble, candidates: Floats, least: int = 100) -> Floats:
    """Few rows, at least `least` if there are as many, that show every turn the candidates take.

    A turn is one side of one node taken by a present, a zero or a missing value: a turn no golden row shows
    could change unseen. Copies of candidates with a feature blanked or zeroed are candidates too. Greedy:
    the row with the most turns not yet shown comes next. A thousand candidates are plenty: each costs some
    milliseconds.
    """
    pool = np.vstack([candidates, _with_holes(candidates, np.nan), _with_holes(candidates, 0.0)])
    shows = [frozenset(_turns(ensemble, row)) for row in pool.tolist()]
    chosen = _cover(shows)
    taken = set(chosen)
    spare = [index for index in range(len(candidates)) if index not in taken]
    return pool[sorted([*chosen, *spare[: max(least - len(chosen), 0)]])]


def golden_bytes(rows: Floats, raws: Floats, contributions: Floats) -> bytes:
    """The golden file: one JSON object a line, every float in hexadecimal so that no bit is lost.

    `raws` and `contributions` come from the trainer's lightgbm.Booster, never from the code they are to test.
    """
    return b"".join(map(_line, rows.tolist(), raws.tolist(), contributions.tolist()))


def read_golden(data: bytes, features: int) -> tuple[GoldenRow, ...]:
    """The rows of a golden file; raises ReleaseRejected where it is not exactly what golden_bytes writes."""
    lines = data.splitlines(keepends=True)
    if not FEWEST_ROWS <= len(lines) <= MOST_ROWS:
        raise ReleaseRejected("golden", f"{len(lines)} golden rows are not {FEWEST_ROWS} to {MOST_ROWS}")
    try:
        rows = tuple(map(_read_row, lines))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        raise ReleaseRejected("golden", "a golden row is malformed, or not in its one byte form") from None
    if any(len(row.row) != features or len(row.contributions) != features + 1 for row in rows):
        raise ReleaseRejected("golden", "a golden row has another number of features than the model")
    return rows


def check_golden(scorer: Scorer, golden: Sequence[GoldenRow]) -> None:
    """Hold scorer and walk to the golden rows; raises ReleaseRejected at the first difference."""
    for number, wanted in enumerate(golden, start=1):
        found = (scorer.raw(wanted.row), scorer.walk(wanted.row))
        if found != (wanted.raw, wanted.raw):
            by = "the scorer" if found[0] != wanted.raw else "the plain walk"
            raise ReleaseRejected("golden", f"row {number}: {by} gives another raw score")
        shares = scorer.contributions(wanted.row)
        if not np.allclose(shares, wanted.contributions, rtol=0.0, atol=CONTRIBUTION_TOLERANCE):
            raise ReleaseRejected("golden", f"row {number}: the scorer gives other contributions")
    block = scorer.raw_many(np.array([wanted.row for wanted in golden], dtype=np.float64))
    if block.tolist() != [wanted.raw for wanted in golden]:
        raise ReleaseRejected("golden", "scoring in blocks differs from scoring row by row")


def _with_holes(candidates: Floats, hole: float) -> Floats:
    """Copies of the rows, each with one feature replaced, feature after feature in turn."""
    copies = candidates.copy()
    rows = np.arange(len(copies))
    copies[rows, rows % copies.shape[1]] = hole
    return copies


def _cover(shows: Sequence[frozenset[Turn]]) -> list[int]:
    """Rows that together show all there is to show, greedily.

    What a row would add only ever shrinks, so a row whose count is stale is counted anew only when it
    comes first.
    """
    unseen = set().union(*shows)
    waiting = [(-len(turns), index) for index, turns in enumerate(shows)]
    heapq.heapify(waiting)
    chosen: list[int] = []
    while unseen:
        _, index = heapq.heappop(waiting)
        gain = len(shows[index] & unseen)
        if waiting and (-gain, index) > waiting[0]:
            heapq.heappush(waiting, (-gain, index))
        else:
            chosen.append(index)
            unseen -= shows[index]
    return chosen


def _turns(ensemble: Ensemble, row: Sequence[float]) -> Iterator[Turn]:
    """The turns along a row's way through every tree."""
    for number, path in enumerate(walk_paths(ensemble, row)):
        for node, child in pairwise(path):
            value = row[ensemble.trees[number].split_feature[node]]
            kind = "missing" if math.isnan(value) else "zero" if value == 0.0 else "present"
            yield number, node, child, kind


def _read_row(line: bytes) -> GoldenRow:
    fields = json.loads(line)
    raw, shares = float.fromhex(fields["raw"]), tuple(_floats(fields["contributions"]))
    row = tuple(_floats(fields["row"]))
    if not math.isfinite(raw) or not all(map(math.isfinite, shares)) or any(map(math.isinf, row)):
        raise ValueError
    if _line(row, raw, shares) != line:
        raise ValueError
    return GoldenRow(row=row, raw=raw, contributions=shares)


def _line(row: Sequence[float], raw: float, shares: Sequence[float]) -> bytes:
    return canonical_bytes({"row": _hex(row), "raw": raw.hex(), "contributions": _hex(shares)}) + b"\n"


def _hex(values: Sequence[float]) -> list[str]:
    return [float(value).hex() for value in values]


def _floats(texts: Sequence[str]) -> Iterator[float]:
    return map(float.fromhex, texts)
