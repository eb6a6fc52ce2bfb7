"""`python -m benchmarks.peers.worker SUITE FOLDER`: one contestant, run in its own environment, timed when it is told.

It does: load a suite's tasks, and carry out orders read as lines of JSON: time some calls, or give one answer. It
does not: choose what is timed when; benchmarks.peers.contest does. The rule it keeps: nothing but the standard
library is imported here, since each suite brings an environment of its own; and the clock stands around the calls
alone.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

# A task is called with the place of a row and gives back whatever its library gives, all numbers of it in order.
Call = Callable[[int], Any]


def numbers(found: Any) -> list[float]:
    """The numbers in an answer, flat: of an array, a sequence or a single one."""
    if hasattr(found, "tolist"):
        found = found.tolist()
    if isinstance(found, str) or not isinstance(found, Iterable):
        return [float(found)]
    return [number for part in found for number in numbers(part)]


def timed(call: Call, start: int, count: int, rows: int) -> int:
    """Nanoseconds of `count` calls, each on the next row."""
    places = [place % rows for place in range(start, start + count)]
    began = time.perf_counter_ns()
    for place in places:
        call(place)
    return time.perf_counter_ns() - began


def obey(tasks: dict[str, Call], rows: int, orders: Iterable[str], replies: TextIO) -> None:
    """Carry out one order after another until there are no more."""
    for line in orders:
        order = json.loads(line)
        call = tasks[order["task"]]
        told: dict[str, Any] = {}
        try:
            if order["do"] == "time":
                told["found"] = timed(call, order["start"], order["count"], rows)
            else:
                told["found"] = numbers(call(order["start"] % rows))
        except Exception as error:  # whatever a library raises is a finding, told in the report
            told["fault"] = f"{type(error).__name__}: {error}"[:300]
        replies.write(json.dumps(told) + "\n")
        replies.flush()


def main() -> None:
    """Load the suite, say which tasks it has, then obey."""
    suite, folder = sys.argv[1:]
    # Libraries print; what they print goes to standard error, and the line to the parent stays clean.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    loaded = import_module(f"benchmarks.peers.suites.{suite}")
    tasks: dict[str, Call] = loaded.tasks(Path(folder))
    replies.write(json.dumps(list(tasks)) + "\n")
    replies.flush()
    obey(tasks, int(loaded.ROWS), sys.stdin, replies)


if __name__ == "__main__":
    main()
