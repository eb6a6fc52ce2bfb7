"""How long one document takes in a process of its own, as the service starts it, and how much memory that takes.

It does: start the child that checks documents, pinned to one core, and wait for its answer. It does not: time what the
service does besides. The rule it keeps: the process is new each time, and its start is counted.
"""

import asyncio
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from api.cases.checking import LIMITS, MODULE
from api.documents.confinement import run
from tests.support.papers import Paper, paper

TEXT_PAGES = 10
TEXT_GOAL, PICTURE_GOAL = 2.0, 15.0  # seconds
_TEXT_ROWS = 260  # of which 26 go on a page


@dataclass(frozen=True, slots=True)
class Timed:
    """One document: what it is, seconds of each round by the clock and of the processor, the goal, and most memory.

    On a machine that does other work besides, the clock tells of that as well.
    """

    what: str
    seconds: tuple[float, ...]
    processor: tuple[float, ...]
    goal: float
    peak_mib: float


def timed(rounds: int = 3) -> list[Timed]:
    """A text PDF of ten pages, then one page that is a picture: the child's peak memory only ever grows."""
    found = []
    for what, goal, subject in (
        (f"text, {TEXT_PAGES} pages", TEXT_GOAL, paper("bank_statement", rows=_TEXT_ROWS)),
        ("a scan of one page", PICTURE_GOAL, paper("bank_statement", "scanned")),
    ):
        spent = [_seconds(subject) for _ in range(rounds)]
        seconds, processor = (tuple(column) for column in zip(*spent, strict=True))
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        found.append(Timed(what, seconds, processor, goal, peak))
    return found


def _seconds(subject: Paper) -> tuple[float, float]:
    """By the clock, and of the processor."""
    header = {"media_type": subject.media_type, "expectation": subject.subject.model_dump(mode="json")}
    with _one_core():
        start, before = time.perf_counter(), _processor()
        told, _ = asyncio.run(run(MODULE, header, subject.data, LIMITS))
        spent, used = time.perf_counter() - start, _processor() - before
    if all(each["verdict"] == "unread" for each in told["results"]):
        raise RuntimeError("nothing was read: there is no time to speak of")
    return spent, used


def _processor() -> float:
    """Seconds that all children took which have ended."""
    taken = resource.getrusage(resource.RUSAGE_CHILDREN)
    return taken.ru_utime + taken.ru_stime


@contextmanager
def _one_core() -> Iterator[None]:
    """Children started inside run on one core."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
