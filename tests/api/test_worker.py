"""The worker's loop: it finds what is due by itself, survives what goes wrong, and ends at once."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import structlog
from sqlalchemy import Connection
from structlog.testing import CapturingLogger

from api import flow, worker
from api.recording import WANTED
from api.store import queries
from api.store.errors import StoreUnavailable
from tests.support.businesses import story
from tests.support.service import Clock, RemoteStories, Service, body_of, remote


@pytest.fixture
def sources() -> RemoteStories:
    """Sources that take time, of which the bureau fails."""
    return RemoteStories(story(), failing=("bureau",))


@pytest.fixture
def service(url: str, sources: RemoteStories) -> Iterator[Service]:
    """The service with them, on either database."""
    with remote(url, sources) as running:
        yield running


@pytest.fixture
def lone(sqlite_url: str, sources: RemoteStories) -> Iterator[Service]:
    """The same on SQLite alone, where the database makes no difference."""
    with remote(sqlite_url, sources) as running:
        yield running


def clock_of(service: Service) -> Clock:
    """Its clock."""
    assert service.clock is not None
    return service.clock


def referred(service: Service) -> str:
    """A referral for want of a fact, whose message is due; its id."""
    told = service.apply(body_of()).json()
    assert told["outcome"] == "refer"
    clock_of(service).advance(5)
    return str(told["decision_id"])


def wanted(service: Service) -> tuple[queries.OutboxRow, ...]:
    """The messages that ask for a fact and are neither done nor given up."""
    with service.database.transaction(read_only=True) as connection:
        return queries.due_messages(connection, clock_of(service).now.replace(year=2099), topic=WANTED)


@contextmanager
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[CapturingLogger]:
    """What the worker logs."""
    lines = CapturingLogger()
    monkeypatch.setattr(worker, "log", structlog.wrap_logger(lines, processors=[]))
    yield lines


def work(service: Service, until: Callable[[], bool]) -> float:
    """Let the worker run, in quick ticks, until something is so; how long it took to end it."""

    async def run() -> float:
        give_up = time.monotonic() + 10
        async with worker.working(worker.work(service.state.shell)):
            while not until():
                assert time.monotonic() < give_up, "it did not happen"
                await asyncio.sleep(0.01)
            began = time.monotonic()
        assert len(asyncio.all_tasks()) == 1
        return time.monotonic() - began

    return asyncio.run(run())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ticks of ten milliseconds."""
    monkeypatch.setattr(worker, "TICK_SECONDS", 0.01)


@pytest.mark.usefixtures("quick")
def test_the_worker_follows_up_by_itself(service: Service, sources: RemoteStories) -> None:
    """Left alone, it finds the due message and supersedes the referral."""
    referred(service)
    sources.failing.clear()
    work(service, lambda: service.count("decision") == 2)


@pytest.mark.usefixtures("quick")
def test_a_mistake_in_one_message_stops_neither_the_others_nor_the_loop(
    lone: Service, sources: RemoteStories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first due raises: it is logged without its words and counted as an attempt, and the second is done."""
    first = referred(lone)
    lone.apply(body_of({"application": {"business": {"abn": "93900000428", "acn": "900000428"}}}))
    sources.failing.clear()
    clock_of(lone).advance(5)
    whole = flow.decide_again

    async def stumble(shell: flow.Shell, decision_id: str) -> flow.Again:
        if decision_id == first:
            raise ValueError("canary")
        return await whole(shell, decision_id)

    monkeypatch.setattr(flow, "decide_again", stumble)
    with logged(monkeypatch) as lines:
        work(lone, lambda: lone.count("decision") == 3 and [m.attempts for m in wanted(lone)] == [1])
    [message] = wanted(lone)
    assert (message.object_id, message.attempts) == (first, 1)
    assert message.next_at > clock_of(lone).now
    told = [call.kwargs for call in lines.calls]
    assert [each["error_type"] for each in told] == ["ValueError"]
    assert "canary" not in str(lines.calls)


@pytest.mark.usefixtures("quick")
def test_a_store_that_is_away_is_waited_for(
    lone: Service, sources: RemoteStories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is away every tick says so and no attempt is lost; when it is back the work is done."""
    referred(lone)
    sources.failing.clear()
    lone.database.broken = True
    with logged(monkeypatch) as lines:

        def seen() -> bool:
            if len(lines.calls) >= 4:
                lone.database.broken = False
            return not lone.database.broken and lone.count("decision") == 2

        work(lone, seen)
    assert {(call.method_name, call.kwargs["error_type"]) for call in lines.calls} == {("warning", "StoreUnavailable")}


def test_a_store_that_goes_away_costs_no_attempt(lone: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of a follow-up: the message is due again when its lease has lapsed, with as many attempts."""
    referred(lone)

    async def away(*_: object) -> flow.Again:
        raise StoreUnavailable("as if it were")

    monkeypatch.setattr(flow, "decide_again", away)
    asyncio.run(worker._follow_up(lone.state.shell))
    [message] = wanted(lone)
    assert (message.attempts, message.next_at) == (0, clock_of(lone).now + worker.LEASE)


@pytest.mark.usefixtures("quick")
def test_the_worker_ends_at_once(lone: Service, sources: RemoteStories) -> None:
    """Cancelled while a source hangs, it is gone within a second, with no task left, and the message is not lost."""
    referred(lone)
    sources.failing.clear()
    sources.hanging.add("bureau")
    assert work(lone, lambda: sources.times("bureau") == 2) < 1.0
    [message] = wanted(lone)
    assert message.next_at == clock_of(lone).now + worker.LEASE
    sources.hanging.clear()
    clock_of(lone).advance(60)
    asyncio.run(worker._follow_up(lone.state.shell))
    assert (lone.count("decision"), wanted(lone)) == (2, ())


def test_work_goes_on_after_a_full_page(lone: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """One tick takes so many messages and no more; the rest comes with the next."""
    monkeypatch.setattr(worker, "MOST_A_TICK", 2)
    taken: list[str] = []

    async def note(shell: flow.Shell, decision_id: str) -> flow.Again:
        taken.append(decision_id)
        return "settled"

    monkeypatch.setattr(flow, "decide_again", note)

    def add(connection: Connection) -> None:
        for number in range(3):
            body = json.dumps({"decision_id": f"dec_{number}"})
            message = queries.NewMessage(WANTED, f"dec_{number}", f"m{number}", body)
            queries.add_message(connection, message, clock_of(lone).now)
        queries.add_message(connection, queries.NewMessage("decision.made", "dec_9", "m9"), clock_of(lone).now)

    asyncio.run(lone.database.write(add))
    for most in (2, 3, 3):
        asyncio.run(worker._follow_up(lone.state.shell))
        assert taken == ["dec_0", "dec_1", "dec_2"][:most]
