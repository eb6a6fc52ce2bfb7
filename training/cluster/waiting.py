"""Wait for what workers do, but never for a worker that is gone.

It does: put tasks where they belong, hand out results in order, and end with an error that names the worker when one is
lost, fails or says nothing for too long. It does not: retry (fitting does). The rule it keeps: every wait has an end.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from distributed import Client, Future, wait

_LOOK_SECONDS = 0.5
RETURN_SECONDS = 45  # within which a worker that ended is expected back
_AHEAD = 4  # tasks that wait at each worker, so that none is idle and none is swamped


class ClusterFault(ValueError):
    """What went wrong on the cluster, and what to do about it."""


class WorkerLost(ClusterFault):
    """A worker ended, or its connection to the others did, while it worked for us."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something a worker does; its future, given to another task on that worker, is the thing itself."""

    worker: str
    future: Future[Any]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A connection, and how long one step may take."""

    client: Client
    timeout_seconds: float

    @property
    def alive(self) -> tuple[str, ...]:
        """The workers that the scheduler sees now, in a fixed order."""
        try:
            seen = self.client.scheduler_info(n_workers=-1)["workers"]
        except (OSError, TimeoutError):
            seen = None
        if seen is None or self.client.status != "running":
            raise ClusterFault("the scheduler is gone; nothing was written: start it, then run the same command again")
        return tuple(sorted(seen, key=lambda address: (str(seen[address]["name"]), address)))

    def on(self, worker: str, function: Callable[..., Any], *arguments: Any) -> Task:
        """Start a task on this very worker: its data is there, so it may run nowhere else."""
        future = self.client.submit(function, *arguments, workers=[worker], allow_other_workers=False, pure=False)
        return Task(worker, future)

    def results(self, tasks: Sequence[Task]) -> list[Any]:
        """What tasks give, in their order; their first error, or WorkerLost."""
        self.finished(tasks)
        return list(self.client.gather([task.future for task in tasks]))

    def finished(self, tasks: Sequence[Task]) -> None:
        """Wait until tasks are done; what they give stays where it is."""
        began, done = time.monotonic(), -1
        while True:
            states = [task.future.status for task in tasks]
            for task, state in zip(tasks, states, strict=True):
                if state in ("error", "lost", "cancelled"):
                    raise _fault(task)
            finished = states.count("finished")
            if finished == len(tasks):
                return
            if gone := {task.worker for task in tasks} - set(self.alive):
                raise WorkerLost(f"worker {', '.join(sorted(gone))} is gone")
            if finished > done:
                began, done = time.monotonic(), finished
            elif time.monotonic() - began > self.timeout_seconds:
                waiting = {t.worker for t, state in zip(tasks, states, strict=True) if state != "finished"}
                raise ClusterFault(
                    f"worker {', '.join(sorted(waiting))} gave nothing for {self.timeout_seconds:.0f} s: "
                    "look at its log, or allow more with --cluster-timeout"
                )
            _look([task.future for task in tasks if task.future.status == "pending"])

    def each(self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        """What a function gives for each of many arguments, in their order, on any worker.

        The function keeps nothing, so that of a worker that ends another does the work again.
        """
        left = iter(arguments)
        running: list[Future[Any]] = []
        try:
            for _ in arguments:
                while len(running) < _AHEAD * max(len(self.alive), 1) and (ahead := next(left, None)) is not None:
                    running.append(self.client.submit(function, *ahead, pure=False))
                yield self._first(running)
                running.pop(0)
        finally:
            self.client.cancel(running)

    def _first(self, running: list[Future[Any]]) -> Any:
        began = seen = time.monotonic()
        while running[0].status == "pending":
            now = time.monotonic()
            seen = now if self.alive else seen
            if now - seen > RETURN_SECONDS:
                raise ClusterFault("no worker is left; nothing was written: start workers, then run the command again")
            if now - began > self.timeout_seconds:
                raise ClusterFault(
                    f"nothing came for {self.timeout_seconds:.0f} s: look at the workers' logs, or allow more with "
                    "--cluster-timeout"
                )
            _look(running[:1])
        if running[0].status != "finished":
            raise _fault(Task("", running[0]))
        return running[0].result()


def _look(pending: list[Future[Any]]) -> None:
    """Wait a moment, or until one is done."""
    with suppress(TimeoutError):
        wait(pending, timeout=_LOOK_SECONDS, return_when="FIRST_COMPLETED")


def _fault(task: Task) -> Exception:
    """The error of a task that gave none but an error."""
    try:
        error = task.future.exception(timeout=10)
    except Exception as cancelled:  # the future itself was lost with its worker
        error = cancelled
    if isinstance(error, ClusterFault):
        return error
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    kind = type(error).__name__
    if kind == "LightGBMError" and ("ocket" in said or "onnect" in said or "bind" in said):
        return WorkerLost(f"worker {task.worker} lost its connection to the others ({said})")
    if kind in ("KilledWorker", "CancelledError", "FutureCancelledError", "FutureLostError"):
        return WorkerLost(f"a worker ended while it worked ({said})")
    if isinstance(error, ModuleNotFoundError):
        return ClusterFault(
            f"worker {task.worker or '(any)'}: {said}; install creditline[training,distributed] there too"
        )
    if isinstance(error, ValueError | OSError):
        return error
    return ClusterFault(f"worker {task.worker or '(any)'} failed: {kind}: {said}")
