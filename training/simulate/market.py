"""The market file: one SQLite file with every made-up business, its facts and its later performance.

It does: make businesses on one or more processes and write them in order of index, under a temporary name
that becomes the real one only when complete. It does not: read for use (api.sources.market and
training.data do, each for its own purpose). The rule it keeps: the same seed and count give the same
content, told by a digest.
"""

import hashlib
import os
import sqlite3
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from engine.canonical import canonical_bytes
from training.simulate.outcome import PERFORMANCE_CUT_OFF
from training.simulate.population import MOST_BUSINESSES
from training.simulate.story import Made, make

GENERATOR_VERSION = "2"
_CHUNK = 100
_COMPRESSION = 6
_SCHEMA = """
CREATE TABLE market (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE business (
    idx INTEGER PRIMARY KEY,
    abn TEXT NOT NULL UNIQUE,
    applied_on TEXT NOT NULL,
    application TEXT NOT NULL,  -- canonical JSON of engine.application.Application
    facts BLOB NOT NULL,        -- zlib of canonical JSON of engine.facts.Facts
    story TEXT NOT NULL,
    bad INTEGER CHECK (bad IN (0, 1)),
    months_to_bad INTEGER CHECK (months_to_bad BETWEEN 1 AND 12),
    fraud INTEGER NOT NULL CHECK (fraud IN (0, 1)),
    CHECK ((months_to_bad IS NOT NULL) = (bad IS 1))
) STRICT;
"""
# Only a NULL `bad` reads as indeterminate: its performance window is not closed.

Row = tuple[int, str, str, str, bytes, str, int | None, int | None, int]


@dataclass(slots=True)
class Tally:
    """Counts of one group: businesses, closed windows, bads."""

    count: int = 0
    closed: int = 0
    bads: int = 0

    @property
    def bad_rate(self) -> float:
        """Bads over closed windows; NaN without any."""
        return self.bads / self.closed if self.closed else float("nan")


@dataclass(slots=True)
class Summary:
    """What was made, for the table printed at the end."""

    all: Tally = field(default_factory=Tally)
    by_division: dict[str, Tally] = field(default_factory=dict)
    stories: Counter[str] = field(default_factory=Counter)
    without_bank: int = 0
    without_score: int = 0
    fraud: int = 0
    transactions: list[int] = field(default_factory=list)
    orders: list[int] = field(default_factory=list)
    content_sha256: str = ""


@dataclass(frozen=True, slots=True)
class _Shape:
    """What the summary needs of one business, and the digest of its row."""

    content: bytes
    division: str
    story: str
    bad: bool | None
    fraud: bool
    score: bool
    transactions: int | None
    orders: int


def write_market(
    path: Path,
    *,
    count: int,
    seed: int,
    jobs: int = 1,
    force: bool = False,
    progress: Callable[[int], None] = lambda made: None,
) -> Summary:
    """Write a market file and sum it up; `progress` is told how many more are made.

    Raises FileExistsError where the file exists and `force` is False, ValueError on a count or seed out of
    range. A run that fails or is stopped leaves the target as it was.
    """
    if not 1 <= count <= MOST_BUSINESSES or seed < 0 or jobs < 1:
        raise ValueError(f"count must be 1 to {MOST_BUSINESSES}, seed not negative, jobs at least 1")
    if path.exists() and not force:
        raise FileExistsError(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            summary = _fill(connection, count, seed, jobs, progress)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return summary


def market_digest(path: Path) -> str:
    """SHA-256 over a market file's rows in order of index: the same content gives the same digest."""
    hasher = hashlib.sha256()
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        for row in connection.execute("SELECT * FROM business ORDER BY idx"):
            hasher.update(_content(row, zlib.decompress(row[4])))
    return hasher.hexdigest()


def _fill(connection: sqlite3.Connection, count: int, seed: int, jobs: int, progress: Callable[[int], None]) -> Summary:
    # A half-written draft is thrown away, so nothing is gained by waiting for the disk.
    connection.executescript("PRAGMA page_size=8192; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + _SCHEMA)
    connection.execute("BEGIN")
    summary, hasher = Summary(), hashlib.sha256()
    for rows, shapes in _chunks(count, seed, jobs):
        connection.executemany("INSERT INTO business VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        for shape in shapes:
            hasher.update(shape.content)
            _count(summary, shape)
        progress(len(rows))
    summary.content_sha256 = hasher.hexdigest()
    facts = {
        "synthetic": "true",
        "generator_version": GENERATOR_VERSION,
        "numpy_version": np.__version__,  # its generators promise the same draws within a version only
        "seed": str(seed),
        "count": str(count),
        "performance_cut_off": PERFORMANCE_CUT_OFF.isoformat(),
        "content_sha256": summary.content_sha256,
    }
    connection.executemany("INSERT INTO market VALUES (?, ?)", sorted(facts.items()))
    connection.execute("COMMIT")
    return summary


def _chunks(count: int, seed: int, jobs: int) -> Iterator[tuple[list[Row], list[_Shape]]]:
    """Rows in order of index, a hundred at a time; with several jobs only a few chunks are in the air."""
    tasks = ((seed, start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK))
    if jobs == 1:
        yield from (_make_chunk(task) for task in tasks)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(_make_chunk, task) for task in islice(tasks, 3 * jobs)]
        while waiting:
            chunk = waiting.pop(0).result()
            waiting.extend(pool.submit(_make_chunk, task) for task in islice(tasks, 1))
            yield chunk


def _make_chunk(task: tuple[int, int, int]) -> tuple[list[Row], list[_Shape]]:
    seed, start, stop = task
    rows, shapes = [], []
    for index in range(start, stop):
        made = make(seed, index)
        facts = made.facts_bytes
        row = _row(made, facts)
        rows.append(row)
        shapes.append(_shape(made, _content(row, facts)))
    return rows, shapes


def _row(made: Made, facts: bytes) -> Row:
    business, outcome = made.business, made.outcome
    return (
        business.index,
        business.abn,
        business.applied_on.isoformat(),
        canonical_bytes(made.application).decode(),
        zlib.compress(facts, _COMPRESSION),
        made.story,
        None if outcome.bad is None else int(outcome.bad),
        outcome.months_to_bad,
        int(business.fraud is not None),
    )


def _content(row: Row, facts: bytes) -> bytes:
    """Digest of one row's content; facts are hashed inflated, since deflaters differ."""
    return hashlib.sha256(canonical_bytes([*row[:4], hashlib.sha256(facts).hexdigest(), *row[5:]])).digest()


def _shape(made: Made, content: bytes) -> _Shape:
    return _Shape(
        content=content,
        division=made.business.division,
        story=made.story,
        bad=made.outcome.bad,
        fraud=made.business.fraud is not None,
        score=made.scored,
        transactions=made.transactions,
        orders=made.orders,
    )


def _count(summary: Summary, shape: _Shape) -> None:
    for tally in (summary.all, summary.by_division.setdefault(shape.division, Tally())):
        tally.count += 1
        tally.closed += shape.bad is not None
        tally.bads += shape.bad is True
    summary.stories[shape.story] += 1
    summary.fraud += shape.fraud
    summary.without_score += not shape.score
    summary.without_bank += shape.transactions is None
    summary.orders.append(shape.orders)
    if shape.transactions is not None:
        summary.transactions.append(shape.transactions)
