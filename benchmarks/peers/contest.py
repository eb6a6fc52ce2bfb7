"""Several workers, each a process in its own environment, timed in turn.

It does: start them, let each task run a short stretch a round, starting with another one each round, and compare
answers. It does not: know what a task does. The rule it keeps: one worker runs at a time, all in the same rounds;
a worker that does not answer in time is ended by its number, and so are all at the end.
"""

import json
import os
import select
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.machine import ROOT
from benchmarks.peers.environments import Environment

_START_SECONDS = 180.0
_ANSWER_SECONDS = 240.0
_COMPARING_SECONDS = 6.0
_STRETCH_NS = 25_000_000  # what a task runs at a time
_MOST_CALLS = 20_000
_MOST_NS = 12_000_000_000  # a task that has run for longer sits out the rounds that are left


@dataclass(frozen=True, slots=True)
class Entry:
    """A suite to be run in an environment, on what lies in a folder."""

    suite: str
    environment: Environment
    folder: Path


@dataclass(frozen=True, slots=True)
class Spent:
    """What one call of a task took, nanoseconds, one figure a round."""

    rounds: tuple[float, ...]

    @property
    def us(self) -> float:
        """Median of the rounds, microseconds."""
        return median(self.rounds) / 1_000

    @property
    def least_us(self) -> float:
        """The quickest round, microseconds."""
        return min(self.rounds) / 1_000


class Silent(RuntimeError):
    """A worker that ended or did not answer in time; says what it said last."""


class Fault(RuntimeError):
    """A task that raised; says what."""


class Worker:
    """One contestant's process."""

    def __init__(self, entry: Entry, log: Path) -> None:
        self._log = log
        paths = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "passive"}
        with log.open("wb") as said:
            self._process = subprocess.Popen(
                (str(entry.environment.python), "-m", "benchmarks.peers.worker", entry.suite, str(entry.folder)),
                cwd=ROOT, env=paths, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said,
            )  # fmt: skip
        self._read = b""
        try:
            self.tasks: list[str] = self._told(_START_SECONDS)
        except Silent:
            self.end()
            raise

    def ask(self, do: str, task: str, start: int = 0, count: int = 1) -> Any:
        """One order and its answer; Silent where there is none."""
        assert self._process.stdin is not None
        order = json.dumps({"do": do, "task": task, "start": start, "count": count}) + "\n"
        try:
            self._process.stdin.write(order.encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            raise Silent(self._last()) from None
        told = self._told(_ANSWER_SECONDS)
        if "fault" in told:
            raise Fault(told["fault"])
        return told["found"]

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _told(self, seconds: float) -> Any:
        assert self._process.stdout is not None
        until = time.monotonic() + seconds
        number = self._process.stdout.fileno()
        while b"\n" not in self._read:
            ready, _, _ = select.select([number], [], [], max(until - time.monotonic(), 0))
            part = os.read(number, 1 << 16) if ready else b""
            if not part:
                raise Silent(self._last())
            self._read += part
        line, _, self._read = self._read.partition(b"\n")
        return json.loads(line)

    def _last(self) -> str:
        said = self._log.read_text(errors="replace").strip().splitlines()
        return said[-1] if said else "nothing was said"


@dataclass(frozen=True, slots=True)
class Contest:
    """Workers ready to run; `failed` says by suite or task why one is not among them."""

    workers: Mapping[str, Worker]
    failed: dict[str, str]

    def tasks(self) -> dict[str, Worker]:
        """Every task that has not failed, with the worker that has it."""
        found = {task: worker for worker in self.workers.values() for task in worker.tasks}
        return {task: worker for task, worker in found.items() if task not in self.failed}

    def differences(self, to: str, places: Sequence[int]) -> dict[str, float]:
        """The largest difference of each task's answers to those of task `to`, over these rows, or as many as it has
        time for.
        """
        tasks, off = self.tasks(), {}
        right = [tasks[to].ask("answer", to, place) for place in places]
        for task, worker in tasks.items():
            try:
                off[task] = _difference(worker, task, places, right)
            except (Fault, Silent) as fault:
                self.failed[task] = str(fault)
        return off

    def run(self, rounds: int, calls: int | None = None) -> dict[str, Spent]:
        """Let all tasks take turns; what a call of each took, of `calls` a round or as many as fill a stretch."""
        counts = {task: calls or _calls(worker, task) for task, worker in self.tasks().items()}
        spent: dict[str, list[float]] = {task: [] for task in counts}
        order, start = list(self.tasks().items()), 0
        for turn in range(rounds):
            first = turn % len(order)
            for task, worker in order[first:] + order[:first]:
                if sum(spent[task]) * counts[task] < _MOST_NS:
                    spent[task].append(worker.ask("time", task, start, counts[task]) / counts[task])
            start += max(counts.values())
        return {task: Spent(tuple(each)) for task, each in spent.items()}


@contextmanager
def contest(entries: Sequence[Entry], logs: Path) -> Iterator[Contest]:
    """Start a worker for each entry whose environment is there, and end them all."""
    workers: dict[str, Worker] = {}
    failed = {entry.suite: entry.environment.why for entry in entries if not entry.environment.there}
    with ExitStack() as stack:
        for entry in entries:
            if not entry.environment.there:
                continue
            try:
                worker = Worker(entry, logs / f"{entry.suite}.log")
            except Silent as silent:
                failed[entry.suite] = str(silent)
                continue
            stack.callback(worker.end)
            workers[entry.suite] = worker
        yield Contest(workers, failed)


def _difference(worker: Worker, task: str, places: Sequence[int], right: Sequence[Sequence[float]]) -> float:
    worst, until = 0.0, time.monotonic() + _COMPARING_SECONDS
    for place, expected in zip(places, right, strict=True):
        found = worker.ask("answer", task, place)
        worst = max(worst, *(abs(one - other) for one, other in zip(found, expected, strict=True)))
        if time.monotonic() > until:
            break
    return worst


def _calls(worker: Worker, task: str) -> int:
    """How many calls fill a stretch: doubled until a trial is long enough to tell. The trials warm it up, too."""
    count = 1
    while True:
        taken = max(int(worker.ask("time", task, 0, count)), 1)
        if taken >= _STRETCH_NS // 4 or count >= _MOST_CALLS:
            return max(min(count * _STRETCH_NS // taken, _MOST_CALLS), 1)
        count *= 4
