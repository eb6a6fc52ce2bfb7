"""The one thread in which advice is worked out, so that applications come first.

It does: take a piece of work, or say that too many wait. It does not: know what is worked out.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from api.errors import Problem

T = TypeVar("T")
MOST_WAITING = 16  # pieces of work of some 20 to 400 ms


class Worker:
    """One thread with a short line before it. Close it with the service."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="advice")
        self._waiting = 0

    async def do(self, work: Callable[[], T]) -> T:
        """Wait for a piece of work; Problem `overloaded` where the line is full. For one event loop."""
        if self._waiting >= MOST_WAITING:
            raise Problem("overloaded")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Let the thread end; what waits is dropped."""
        self._thread.shutdown(wait=False, cancel_futures=True)
