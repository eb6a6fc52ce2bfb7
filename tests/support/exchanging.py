"""Running a piece of asynchronous network code to its end, and looking at what it leaves behind.

It does: bound the time, and compare tasks and file descriptors before and after. It does not: know what ran. The
rule it keeps: whatever happened inside, nothing is left.
"""

import asyncio
import os
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_LONGEST_S = 60.0
_SETTLED_S = 5.0


def descriptors() -> int:
    """How many file descriptors this process has open."""
    return len(os.listdir("/proc/self/fd"))


def leaving_nothing(work: Coroutine[Any, Any, T]) -> T:
    """Run it in an event loop of its own; afterwards no task and no socket of it is left."""

    async def watched() -> T:
        before = descriptors()
        async with asyncio.timeout(_LONGEST_S):
            result = await work
        until = time.monotonic() + _SETTLED_S
        while (len(asyncio.all_tasks()) > 1 or descriptors() > before) and time.monotonic() < until:
            await asyncio.sleep(0.01)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert descriptors() <= before
        return result

    return asyncio.run(watched())
