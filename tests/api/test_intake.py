"""Where sources take time an application is kept before they are asked, and whoever leaves it is replaced, once."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from api import flow
from api.sources import OUTSIDE, Asking, Gathered
from api.store import queries
from api.store.errors import StorageFull
from engine.canonical import digest
from tests.support.businesses import story
from tests.support.releases import fake_release
from tests.support.schema import slug_of
from tests.support.service import (
    APPLICATIONS,
    Clock,
    RemoteStories,
    Service,
    apply_arguments,
    body_of,
    fresh_key,
    remote,
)

KEY = "first-key:0000000000000001"
SHORT = {"Request-Deadline-Ms": "800"}
LONG = {"Request-Deadline-Ms": "10000"}
NOW = timedelta(0)
ROWS = "".join(f"2026-07-{day:02d},SALE AT THE COUNTER,10.00,{day}0.00\n" for day in range(1, 31))
UPLOADING = {
    **body_of(),
    "device": "device-1",
    "statements": [{"account_name": "Everyday", "csv": f"Date,Description,Amount,Balance\n{ROWS}"}],
}


@pytest.fixture
def sources() -> RemoteStories:
    """Sources that take time, telling of the ordinary, healthy business."""
    return RemoteStories(story())


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


def posting(service: Service, body: object = None, key: str = KEY, **more: Any) -> Awaitable[httpx.Response]:
    """An application on its way, to be awaited."""
    return service.send("POST", APPLICATIONS, **apply_arguments(body or body_of(), key, **more))


async def once(happened: Callable[[], bool]) -> None:
    """Wait until it has, ten seconds at most."""
    give_up = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < give_up, "it did not happen"
        await asyncio.sleep(0.005)


async def hanging(service: Service, sources: RemoteStories, body: object = None, **more: Any) -> Any:
    """A request that has been kept and waits for its sources until the gate opens, and the gate."""
    sources.gate, before = asyncio.Event(), len(sources.asked)
    task = asyncio.ensure_future(posting(service, body, **{"headers": LONG, **more}))
    await once(lambda: len(sources.asked) > before)
    return task, sources.gate


def leave(service: Service, sources: RemoteStories, body: object = None, **more: Any) -> None:
    """A request whose owner is lost after it has been kept; afterwards its lease has lapsed."""

    async def lost() -> None:
        task, _ = await hanging(service, sources, body, **more)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        sources.gate = None

    asyncio.run(lost())
    clock_of(service).advance(11)


def clock_of(service: Service) -> Clock:
    """Its clock."""
    assert service.clock is not None
    return service.clock


def complete(service: Service, patience: timedelta = NOW) -> bool:
    """One turn of the completer."""
    return asyncio.run(flow.complete(service.state.shell, patience))


def row(service: Service, key: str = KEY) -> queries.IntakeRow:
    """What was taken in under a key."""
    with service.database.transaction(read_only=True) as connection:
        caller = connection.execute(text("SELECT caller_id FROM intake WHERE key = :key"), {"key": key}).scalar_one()
        found = queries.find_intake(connection, caller, APPLICATIONS, key)
    assert found is not None
    return found


def counts(service: Service) -> tuple[int, int, int, int]:
    """Applications, attempts, decisions and taken keys."""
    applications, attempts, decisions, keys = map(service.count, ("application", "attempt", "decision", "idempotency"))
    return applications, attempts, decisions, keys


# -- kept first ----------------------------------------------------------------------------------------------


def test_an_application_is_kept_before_anybody_is_asked(service: Service, sources: RemoteStories) -> None:
    """While the sources hang, application, people and key are in the store, and nothing that only a decision has."""

    async def look() -> httpx.Response:
        task, gate = await hanging(service, sources)
        assert (*counts(service), service.count("person"), service.count("intake")) == (1, 0, 0, 0, 1, 1)
        assert row(service).done_at is None
        gate.set()
        reply: httpx.Response = await task
        return reply

    reply = asyncio.run(look())
    assert (reply.status_code, reply.json()["application_id"]) == (201, row(service).application_id)
    assert counts(service) == (1, 1, 1, 1)


def test_a_decided_application_keeps_nothing_of_what_came_with_it(service: Service) -> None:
    """Once the decision holds it, the row of the key is done and its body is gone."""
    assert service.apply(UPLOADING, KEY).json()["outcome"] in {"approve", "refer", "decline"}
    held = row(service)
    assert (held.body, held.done_at) == (None, clock_of(service).now)


def test_a_hundred_at_once_make_one_decision(service: Service, sources: RemoteStories) -> None:
    """B05: one original, the others replay it or wait in vain; one application, one attempt, each source asked once."""

    async def all_of_them() -> list[httpx.Response]:
        return await asyncio.gather(*(posting(service, headers=LONG) for _ in range(100)))

    replies = asyncio.run(all_of_them())
    told = {reply.content for reply in replies if reply.status_code == 201}
    assert {slug_of(reply) for reply in replies if reply.status_code != 201} <= {"idempotency-in-flight"}
    originals = [r for r in replies if r.status_code == 201 and "idempotency-replayed" not in r.headers]
    assert (len(told), len(originals)) == (1, 1)
    assert counts(service) == (1, 1, 1, 1)
    assert sources.asked == [(originals[0].json()["application_id"], name) for name in OUTSIDE]
    with service.database.transaction(read_only=True) as connection:
        assert queries.verify_audit(connection) is None


# -- somebody else works on it -------------------------------------------------------------------------------


def test_who_comes_second_waits_and_gets_the_same_bytes(service: Service, sources: RemoteStories) -> None:
    """A second request with the key waits for the first, then replays its reply; the sources are asked once."""

    async def both() -> tuple[httpx.Response, httpx.Response]:
        first, gate = await hanging(service, sources)
        second = asyncio.ensure_future(posting(service, headers=LONG))
        await asyncio.sleep(0.1)
        assert not second.done()
        gate.set()
        return await first, await second

    first, second = asyncio.run(both())
    assert (first.status_code, second.status_code, second.content) == (201, 201, first.content)
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert sources.times("bureau") == 1


def test_who_cannot_wait_longer_is_told_to_come_back(lone: Service, sources: RemoteStories) -> None:
    """With 800 ms to wait and the first still at it: 409 `idempotency-in-flight`, Retry-After; the first goes on."""

    async def both() -> tuple[httpx.Response, httpx.Response]:
        first, gate = await hanging(lone, sources)
        second = await posting(lone, headers=SHORT)
        gate.set()
        return await first, second

    first, second = asyncio.run(both())
    assert (second.status_code, slug_of(second)) == (409, "idempotency-in-flight")
    assert second.headers["retry-after"] in {"1", "2", "3"}
    assert (first.status_code, counts(lone)) == (201, (1, 1, 1, 1))


def test_another_body_is_refused_while_the_first_is_in_flight(service: Service, sources: RemoteStories) -> None:
    """422 `idempotency-key-reuse` at once, not after waiting, and the same when the first is done."""
    other = body_of({"application": {"request": {"amount_cents": 500_000}}})

    async def both() -> tuple[httpx.Response, httpx.Response]:
        first, gate = await hanging(service, sources)
        second = await posting(service, other, headers=LONG)
        assert not first.done()
        gate.set()
        return await first, second

    first, second = asyncio.run(both())
    again = service.apply(other, KEY)
    assert [(r.status_code, slug_of(r)) for r in (second, again)] == [(422, "idempotency-key-reuse")] * 2
    assert (first.status_code, counts(service)) == (201, (1, 1, 1, 1))


# -- taking over ---------------------------------------------------------------------------------------------


def test_after_a_504_the_same_key_takes_over_at_once(service: Service, sources: RemoteStories) -> None:
    """When its budget has ended, the application that was kept is decided by the retry: no second one, no waiting."""
    sources.overrun_s = 0.65  # beyond the last moment at which a write may begin
    first = service.apply(body_of(), KEY, headers=SHORT)
    assert (first.status_code, slug_of(first)) == (504, "deadline-exceeded")
    assert counts(service) == (1, 0, 0, 0)
    sources.overrun_s = 0.0
    clock_of(service).advance(0.8)
    again = service.apply(body_of(), KEY, headers=LONG)
    assert again.status_code == 201
    assert "idempotency-replayed" not in again.headers
    assert again.json()["application_id"] == row(service).application_id
    assert counts(service) == (1, 1, 1, 1)


def test_a_request_that_fails_early_lets_go_at_once(
    service: Service, sources: RemoteStories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a 503 the retry takes over at the same moment, although the first had most of its time left."""

    async def full(*_: object) -> None:
        raise StorageFull("as if the disk were")

    monkeypatch.setattr(flow, "_record", full)
    assert slug_of(service.apply(body_of(), KEY, headers=LONG)) == "storage-full"
    monkeypatch.undo()
    reply = service.apply(body_of(), KEY, headers=LONG)
    assert (reply.status_code, reply.json()["application_id"]) == (201, row(service).application_id)
    assert counts(service) == (1, 1, 1, 1)


def test_a_lost_owner_holds_the_key_no_longer_than_its_budget(service: Service, sources: RemoteStories) -> None:
    """While the lost request could still write, the key is in flight; from then on the next to ask takes over."""

    async def lost() -> None:
        task, _ = await hanging(service, sources)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(lost())
    sources.gate = None
    assert slug_of(service.apply(body_of(), KEY, headers=SHORT)) == "idempotency-in-flight"
    clock_of(service).advance(10)
    assert service.apply(body_of(), KEY).status_code == 201
    assert counts(service) == (1, 1, 1, 1)


def test_an_owner_who_was_replaced_cannot_write(service: Service, sources: RemoteStories) -> None:
    """The slow first one wakes up when the second has decided: it writes nothing and replays the second's reply."""

    async def both() -> tuple[httpx.Response, httpx.Response]:
        first, gate = await hanging(service, sources)
        sources.gate = None
        clock_of(service).advance(11)
        second = await posting(service, headers=LONG)
        gate.set()
        return await first, second

    first, second = asyncio.run(both())
    assert (first.status_code, first.content) == (201, second.content)
    assert first.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in second.headers
    assert counts(service) == (1, 1, 1, 1)


def test_an_owner_who_was_replaced_cannot_write_before_the_other_either(
    service: Service, sources: RemoteStories
) -> None:
    """The first wakes up while the second still asks: it does not decide, waits, and replays."""

    async def both() -> tuple[httpx.Response, httpx.Response]:
        first, gate = await hanging(service, sources)
        clock_of(service).advance(11)
        second, its_gate = await hanging(service, sources)
        gate.set()
        await asyncio.sleep(0.1)
        assert not first.done()
        assert service.count("decision") == 0
        its_gate.set()
        return await first, await second

    first, second = asyncio.run(both())
    assert first.headers["idempotency-replayed"] == "true"
    assert (first.content, counts(service)) == (second.content, (1, 1, 1, 1))


# -- the completer -------------------------------------------------------------------------------------------


def test_the_completer_decides_what_was_left(service: Service, sources: RemoteStories) -> None:
    """A kept application whose owner is gone is decided once; the key replays that, and the caller's mark is on it."""
    leave(service, sources)
    assert complete(service) is True
    assert complete(service) is False
    reply = service.apply(body_of(), KEY)
    assert (reply.status_code, reply.headers["idempotency-replayed"]) == (201, "true")
    assert counts(service) == (1, 1, 1, 1)
    with service.database.transaction(read_only=True) as connection:
        application = queries.get_application(connection, reply.json()["application_id"])
    assert application is not None
    assert application.caller_id == row(service).caller_id
    replayed = service.ask("GET", f"/v1/decisions/{reply.json()['decision_id']}/replay").json()
    assert replayed["match"] is True


def test_the_completer_leaves_a_lease_alone(lone: Service, sources: RemoteStories) -> None:
    """What somebody works on, or left a moment ago, is not taken."""
    leave(lone, sources)
    clock_of(lone).advance(-5)
    assert complete(lone) is False
    clock_of(lone).advance(5)
    assert complete(lone, timedelta(seconds=10)) is False
    assert complete(lone) is True


def test_two_completers_decide_once(service: Service, sources: RemoteStories) -> None:
    """Of two at the same moment one decides; the other finds nothing, or that somebody was quicker."""
    leave(service, sources)

    async def both() -> None:
        shell = service.state.shell
        ends = await asyncio.gather(*(flow.complete(shell, NOW) for _ in range(2)), return_exceptions=True)
        assert True in ends

    asyncio.run(both())
    assert counts(service) == (1, 1, 1, 1)
    assert sources.times("bureau") == 2  # by the one who was lost, and by the one who decided


@pytest.mark.parametrize("by_retry", [True, False])
def test_what_was_uploaded_survives_its_owner(service: Service, sources: RemoteStories, by_retry: bool) -> None:
    """Statement and device are those that came with the request, whoever decides; then the copy is gone."""
    straight = service.apply(UPLOADING, fresh_key()).json()["decision_id"]
    leave(service, sources, UPLOADING)
    assert row(service).body is not None
    if not by_retry:
        assert complete(service)
    reply = service.apply(UPLOADING, KEY)
    assert ("idempotency-replayed" in reply.headers) is not by_retry
    was, now = (service.facts_of(each).bank for each in (straight, reply.json()["decision_id"]))
    assert (now.value, now.source) == (was.value, was.source)
    assert now.value is not None
    assert now.value.evidence == "declared"
    with service.database.transaction(read_only=True) as connection:
        devices = connection.execute(text("SELECT value FROM signal WHERE kind = 'device'")).scalars().all()
    assert len(devices) == 2
    assert len(set(devices)) == 1
    assert row(service).body is None


def test_twenty_attempts_are_the_last(lone: Service, sources: RemoteStories, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the request's own and nineteen of the completer's it is left to people; the caller may still retry."""

    async def broken(asking: Asking) -> Gathered:
        sources.asked.append((asking.reference, "broken"))
        raise ValueError("a mistake of ours")

    leave(lone, sources)
    monkeypatch.setattr(sources, "gather", broken)
    for _ in range(19):
        with pytest.raises(ValueError, match="a mistake of ours"):
            complete(lone)
        clock_of(lone).advance(21)
    assert complete(lone) is False
    assert (sources.times("broken"), row(lone).attempts) == (19, 20)
    monkeypatch.undo()
    assert lone.apply(body_of(), KEY).status_code == 201


def test_an_application_that_cannot_be_read_does_not_stop_the_others(lone: Service, sources: RemoteStories) -> None:
    """The first in line fails at every attempt, and the one behind it is decided all the same."""
    other = body_of({"application": {"business": {"abn": "93900000428", "acn": "900000428"}}})
    leave(lone, sources)
    leave(lone, sources, other, key="other-key:0000000000000002")
    spoil = "UPDATE application SET body = :body WHERE id = :id"
    lone.tamper("application", spoil, body=b"{}", id=row(lone).application_id)
    with pytest.raises(ValueError, match="validation error"):
        complete(lone)
    assert complete(lone) is True
    assert row(lone, "other-key:0000000000000002").done_at is not None
    assert (row(lone).done_at, row(lone).attempts) == (None, 2)


# -- refused after all ---------------------------------------------------------------------------------------


@pytest.fixture
def guarded(url: str, sources: RemoteStories) -> Iterator[Service]:
    """The service with its guards on: a business has one open application of a caller's at a time."""
    with remote(url, sources, fake_release(guarded=True)) as running:
        yield running


def test_one_that_is_refused_after_it_was_kept_is_done(guarded: Service, sources: RemoteStories) -> None:
    """A second application of the business is decided meanwhile: 409, and the completer does not decide it later."""

    async def both() -> tuple[httpx.Response, httpx.Response]:
        first, gate = await hanging(guarded, sources)
        sources.gate = None
        second = await posting(guarded, key=fresh_key())
        gate.set()
        return await first, second

    first, second = asyncio.run(both())
    assert (second.status_code, slug_of(first)) == (201, "duplicate-application")
    assert first.json()["earlier_decision"] == second.json()["decision_id"]
    held = row(guarded)
    assert (held.done_at is not None, held.body) == (True, None)
    clock_of(guarded).advance(60)
    assert complete(guarded) is False
    assert guarded.count("decision") == 1


def test_one_that_was_refused_may_come_again(guarded: Service, sources: RemoteStories) -> None:
    """Under the same key: refused again while the other is open, and decided, as it came, once that has expired."""

    async def both() -> None:
        first, gate = await hanging(guarded, sources, UPLOADING)
        sources.gate = None
        await posting(guarded, key=fresh_key())
        gate.set()
        await first

    asyncio.run(both())
    assert slug_of(guarded.apply(UPLOADING, KEY)) == "duplicate-application"
    clock_of(guarded).advance(40 * 86_400)
    reply = guarded.apply(UPLOADING, KEY)
    assert (reply.status_code, reply.json()["application_id"]) == (201, row(guarded).application_id)
    assert (row(guarded).body, guarded.count("application")) == (None, 2)


def test_the_completer_refuses_what_a_request_would_be_refused(guarded: Service, sources: RemoteStories) -> None:
    """An application left behind, of a business that has been decided since: it ends without a decision."""
    leave(guarded, sources)
    assert guarded.apply(body_of(), fresh_key()).status_code == 201
    assert complete(guarded) is True
    assert row(guarded).done_at is not None
    assert complete(guarded) is False
    assert guarded.count("decision") == 1


# -- the record ----------------------------------------------------------------------------------------------


def test_an_application_that_was_kept_before_is_sworn_to(lone: Service) -> None:
    """Altered with its digest so that it decides the same, it differs from what the audit entry holds."""
    decision_id = lone.apply(body_of(), KEY).json()["decision_id"]
    with lone.database.transaction(read_only=True) as connection:
        body = connection.execute(text("SELECT body FROM application")).scalar_one()
    forged = body.replace(b'"version":"2026-11"', b'"version":"2026-10"')
    assert forged != body
    change = "UPDATE application SET body = :body, body_sha256 = :sha256"
    lone.tamper("application", change, body=forged, sha256=digest(forged))
    told = lone.ask("GET", f"/v1/decisions/{decision_id}/replay").json()
    assert told["difference"] == "record differs from its audit entry"
