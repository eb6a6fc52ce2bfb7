"""What the service does by itself: decide what was taken in and left, and ask again for facts that were missing.

It does: look for due work every second, take it under a lease, and do it one at a time. It does not: send messages
to anybody, or hurry: requests come first. The rule it keeps: no failure of one piece of work ends the loop, and
several workers never do the same piece at once.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection

from api import flow
from api.errors import where
from api.metrics import FOLLOW_UPS
from api.recording import WANTED
from api.store import queries as store
from api.store.errors import StoreError

log = structlog.get_logger()
TICK_SECONDS = 1.0
PATIENCE = timedelta(seconds=10)  # after a lease has lapsed, since its holder may only be slow
LEASE = timedelta(seconds=60)
MOST_A_TICK = 20
# Waits between attempts, the last one from then on: eleven to twenty-two hours until an attempt is the last.
WAITS = tuple(timedelta(seconds=s) for s in (15, 30, 60, 120, 300, 600, 1_200, 2_400, 3_600, 7_200))


@asynccontextmanager
async def working(*loops: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Work for as long as the block lasts; what is unfinished then is done by the next to come, under its lease."""
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def repeat(piece: Callable[[], Awaitable[object]], seconds: float, wake: asyncio.Event | None = None) -> None:
    """Do a piece of work over and over until cancelled: every so many seconds, or at once when woken."""
    while True:
        if wake is None:
            await asyncio.sleep(seconds)
        else:
            with suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), seconds)
            wake.clear()
        await surely(piece)


async def work(shell: flow.Shell) -> None:
    """Work until cancelled."""
    while True:
        await asyncio.sleep(TICK_SECONDS)
        await surely(lambda: _complete(shell))
        await surely(lambda: _follow_up(shell))


async def surely(piece: Callable[[], Awaitable[object]]) -> None:
    """Do a piece of work; what goes wrong is logged, without a word of what it said."""
    try:
        await piece()
    except StoreError as error:
        log.warning("worker_waits", error_type=type(error).__name__)
    except Exception as error:  # a mistake in one piece of work must not stop all that comes after it
        log.error("worker_error", error_type=type(error).__name__, where=where(error))


async def _complete(shell: flow.Shell) -> None:
    for _ in range(MOST_A_TICK):
        if not await flow.complete(shell, PATIENCE):
            return


async def _follow_up(shell: flow.Shell) -> None:
    now = shell.clock()
    due = await shell.database.read(lambda connection: store.due_messages(connection, now, MOST_A_TICK, WANTED))
    for message in due:
        await surely(partial(follow_up, shell, message))


async def follow_up(shell: flow.Shell, message: store.OutboxRow) -> None:
    """Ask again for what one decision lacked; done, or due again later, or given up after the last attempt."""
    until = shell.clock() + LEASE
    if not await shell.database.write(lambda connection: store.lease_message(connection, message, until)):
        return
    try:
        result = await flow.decide_again(shell, json.loads(message.body)["decision_id"])
    except StoreError:
        raise  # the lease lapses by itself, and nothing was found out
    except Exception:
        await _note(shell, message, done=False)
        raise
    await _note(shell, message, done=result != "still_missing")
    given_up = result == "still_missing" and message.attempts + 1 >= store.ATTEMPTS_MAX
    FOLLOW_UPS.labels("given_up" if given_up else result).inc()


async def _note(shell: flow.Shell, message: store.OutboxRow, *, done: bool) -> None:
    at = shell.clock()

    def note(connection: Connection) -> None:
        if done:
            store.mark_sent(connection, message.id, at)
        else:
            store.mark_failed(connection, message.id, at + wait_before(message.attempts + 1))

    await shell.database.write(note)


def wait_before(attempt: int) -> timedelta:
    """How long to wait before this attempt (1 is the second), with jitter so that they do not come in waves."""
    return WAITS[min(attempt, len(WAITS)) - 1] * random.uniform(0.5, 1.0)
