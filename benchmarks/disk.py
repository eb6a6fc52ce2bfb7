"""The disk under the store: what one fsync costs, and what sharing commits brings.

It does: time fsync of a small write, and the store's own writer with and without shared commits; both once more on a
slower disk, which is this one with a sleep of a millisecond before every COMMIT. It does not: weaken anything: all run
with synchronous=FULL. The rule it keeps: the same disk as the service's database.
"""

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from sqlalchemy import Connection, event

from api.store.database import Database, Limits
from api.store.sqlite import SqliteDatabase
from benchmarks.samples import Timing

_SYNCS = 200
_BLOCK = b"x" * 4_096
_TOGETHER = 32
_WRITES = 640
_SLOWER_S = 0.001
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Disk:
    """Cost of an fsync, and small transactions a second one to a commit and shared."""

    fsync: Timing
    alone_a_second: float
    shared_a_second: float
    slow_alone_a_second: float
    slow_shared_a_second: float


def measure(folder: Path) -> Disk:
    """Measure in a folder on the disk in question."""
    ways = [(slower, batch) for slower in (0.0, _SLOWER_S) for batch in (1, Limits().batch)]
    rates: dict[tuple[float, int], list[float]] = {way: [] for way in ways}
    fsync = _fsync(folder / "fsync")
    for turn in range(_ROUNDS):
        for slower, batch in ways:
            url = f"sqlite:///{folder / f'commits-{turn}-{slower}-{batch}.sqlite'}"
            rates[slower, batch].append(asyncio.run(_commits_a_second(url, Limits(batch=batch), slower)))
    return Disk(fsync, *(median(rates[way]) for way in ways))


def _fsync(path: Path) -> Timing:
    """Append a block and wait for it to be durable, 200 times."""
    times = []
    with path.open("wb", buffering=0) as file:
        for _ in range(_SYNCS):
            file.write(_BLOCK)
            start = time.perf_counter()
            os.fsync(file.fileno())
            times.append((time.perf_counter() - start) * 1_000)
    return Timing.of(times)


async def _commits_a_second(url: str, limits: Limits, slower_s: float) -> float:
    """Small transactions a second with 32 always waiting, every COMMIT after a sleep."""

    def insert(connection: Connection) -> None:
        connection.exec_driver_sql("INSERT INTO note (body) VALUES (?)", (_BLOCK[:200],))

    async def client(database: Database) -> None:
        for _ in range(_WRITES // _TOGETHER):
            await database.write(insert)

    with Database.open(url, limits) as database:
        with database.transaction() as connection:
            connection.exec_driver_sql("CREATE TABLE note (id INTEGER PRIMARY KEY, body BLOB)")
        if slower_s and isinstance(database, SqliteDatabase):
            event.listen(database.writer, "commit", lambda _: time.sleep(slower_s))
        start = time.perf_counter()
        await asyncio.gather(*(client(database) for _ in range(_TOGETHER)))
        return _WRITES / (time.perf_counter() - start)
