"""A request's time: what the header may say, who gets how much of it, and that nothing is half done when it is over."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, make_url

import api.security
from api.deadline import DEFAULT_MS, LEAST_MS, MOST_MS, Budget, _Turn
from api.errors import Problem
from api.sources import Asking, Gathered
from api.store import queries
from api.store.database import Database, Work
from api.store.errors import StoreError
from tests.support.businesses import story
from tests.support.schema import slug_of
from tests.support.service import (
    APPLICATIONS,
    RemoteStories,
    Service,
    apply_arguments,
    body_of,
    remote,
)

KEY = "first-key:0000000000000001"
MARGIN_S = 0.75  # the promise is 50 ms; two busy processors decide nothing here


def within(milliseconds: int) -> dict[str, str]:
    """The header for so much time."""
    return {"Request-Deadline-Ms": str(milliseconds)}


# -- the header ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["50", "10000", " 2000 ", "0500"])
def test_a_budget_is_counted_from_the_first_byte(header: str) -> None:
    """It ends so many milliseconds after the moment at which the request began, queueing included."""
    assert Budget.of(header, 7.0) == Budget(7.0, 7.0 + int(header) / 1000)


def test_without_a_header_a_request_has_two_seconds() -> None:
    """The default is 2000 ms, and half of it is for the sources."""
    budget = Budget.of(None, 7.0)
    assert (budget.ends, budget.sources_until) == (9.0, 8.0)
    assert DEFAULT_MS == 2_000


@given(st.integers(LEAST_MS, MOST_MS))
def test_every_budget_leaves_time_to_write(milliseconds: int) -> None:
    """Sources end before the last moment at which a write may begin, and that is 15 to 200 ms before the end."""
    budget = Budget.of(str(milliseconds), 7.0)
    assert budget.began < budget.sources_until < budget.begin_until < budget.ends
    kept_back = budget.ends - budget.begin_until
    assert kept_back == pytest.approx(min(0.2, milliseconds * 0.0003))


@pytest.mark.parametrize(
    "header",
    [
        "-1", "NaN", "1e9", "49", "10001", "", "5 0", "٥٠٠", "５００", "+500", "500.0", "0x200", "1_000", "500, 600",
        "inf", "9" * 400,
    ],
)  # fmt: skip
def test_another_header_is_refused(lone_service: Service, header: str) -> None:
    """B20: anything but a whole number from 50 to 10000 is 400 `invalid-deadline`, and nothing is written."""
    raw = {"Request-Deadline-Ms": header.encode("utf-8")}
    reply = lone_service.ask("POST", APPLICATIONS, **apply_arguments(body_of(), KEY, headers=raw))
    assert (reply.status_code, slug_of(reply)) == (400, "invalid-deadline")
    assert set(lone_service.counts().values()) == {0}


# -- sources that are slow -----------------------------------------------------------------------------------


@pytest.mark.parametrize("milliseconds", [1_000, 3_000])
def test_a_source_that_hangs_refers_in_time(sqlite_url: str, milliseconds: int) -> None:
    """B18: the bureau never answers: 201, referred and without an offer, inside the budget that was asked for."""
    with remote(sqlite_url, RemoteStories(story(), hanging=("bureau",))) as service:
        service.ask("GET", "/v1/decisions/none")  # so that the caller is known
        began = time.monotonic()
        reply = service.apply(body_of(), KEY, headers=within(milliseconds))
        took = time.monotonic() - began
    assert (reply.status_code, reply.json()["outcome"], reply.json()["offer"]) == (201, "refer", None)
    assert reply.json()["external_data_unavailable"] == ["bureau"]
    assert milliseconds / 2_000 <= took < milliseconds / 1_000 + MARGIN_S


def test_fifty_milliseconds_are_enough_or_are_not(sqlite_url: str) -> None:
    """B19: with the least budget a source that hangs leads to 201 or 504, in time, and nothing is half done."""
    with remote(sqlite_url, RemoteStories(story(), hanging=("bureau",))) as service:
        service.ask("GET", "/v1/decisions/none")
        began = time.monotonic()
        reply = service.apply(body_of(), KEY, headers=within(50))
        assert time.monotonic() - began < 0.05 + MARGIN_S
        asyncio.run(service.database.write(lambda connection: None))  # what had begun is finished
        counts = service.counts()
        decided = counts["decision"]
        expected = {201: {1}, 503: {0, 1}, 504: {0}}  # 503: it had begun, and its outcome was not known yet
        assert decided in expected[reply.status_code]
        assert [counts[table] for table in ("audit", "idempotency", "fact_set")] == [decided] * 3
        assert counts["application"] == service.count("intake")
        assert service.clock is not None
        service.clock.advance(1)
        again = service.apply(body_of(), KEY, headers=within(2_000))
    assert again.status_code == 201
    assert ("idempotency-replayed" in again.headers) is bool(decided)


# -- a store that hangs --------------------------------------------------------------------------------------


@contextmanager
def occupied(service: Service) -> Iterator[threading.Event]:
    """The store is busy with something else, all its writers, until the event is set or the block ends."""
    release, begun = threading.Event(), threading.Semaphore(0)
    writers = 1 if service.url.startswith("sqlite") else service.database.limits.connections

    def hold(connection: Connection) -> None:
        begun.release()
        release.wait(20)

    async def all_of_them() -> None:
        await asyncio.gather(*(service.database.write(hold) for _ in range(writers)))

    thread = threading.Thread(target=lambda: asyncio.run(all_of_them()))
    thread.start()
    try:
        for _ in range(writers):
            assert begun.acquire(timeout=10)
        yield release
    finally:
        release.set()
        thread.join(20)


def places(database: Database) -> int:
    """How many more functions it would take."""
    semaphore: Any = database._places  # type: ignore[attr-defined]
    return int(semaphore._value)


async def timed(service: Service, milliseconds: int, key: str = KEY) -> tuple[httpx.Response, float]:
    """The reply to an application with so much time, and how long it took."""
    began = time.monotonic()
    reply = await service.send("POST", APPLICATIONS, **apply_arguments(body_of(), key, headers=within(milliseconds)))
    return reply, time.monotonic() - began


def test_a_write_that_has_not_begun_is_given_up(service: Service) -> None:
    """504 `deadline-exceeded` in time; the write never happens, not even when the store is free again."""
    assert service.apply(body_of(), "known-key:000000000000001").status_code == 201
    before = service.counts()
    with occupied(service):
        reply, took = asyncio.run(timed(service, 300))
    assert (reply.status_code, slug_of(reply)) == (504, "deadline-exceeded")
    assert reply.headers["retry-after"] in {"1", "2", "3"}
    assert took < 0.3 + MARGIN_S
    assert service.apply(body_of(), "later-key:000000000000001").status_code == 201
    assert {table: n - before[table] for table, n in service.counts().items()}["decision"] == 1
    assert "idempotency-replayed" not in service.apply(body_of(), KEY).headers


def test_nothing_is_left_behind_by_who_gave_up(service: Service) -> None:
    """After twenty requests that ran out of time every place is free, no task is left, and no thread is new."""
    assert service.apply(body_of()).status_code == 201
    free = places(service.database)

    async def many() -> int:
        asked = [timed(service, 300, f"key-of-many:{number:012d}") for number in range(20)]
        replies = await asyncio.gather(*asked)
        assert {reply.status_code for reply, _ in replies} == {504}
        return len(asyncio.all_tasks())

    with occupied(service):
        threads = threading.active_count()
        assert asyncio.run(many()) == 1
        assert threading.active_count() <= threads + service.database.limits.readers
        assert places(service.database) == free - (1 if service.url.startswith("sqlite") else 8)
    assert places(service.database) == free
    assert service.apply(body_of()).status_code == 201
    assert service.count("decision") == 2


def test_a_write_that_has_begun_is_finished(service: Service) -> None:
    """503 `outcome-unknown` in time; the decision is kept all the same, and the same key replays it, once."""
    assert service.apply(body_of(), "known-key:000000000000001").status_code == 201
    whole, begun, go_on = service.database.write, threading.Event(), threading.Event()

    async def slowly(work: Work[Any]) -> Any:
        def slow(connection: Connection) -> Any:
            value = work(connection)
            begun.set()
            go_on.wait(20)
            return value

        return await whole(slow)

    service.database.write = slowly  # type: ignore[method-assign]
    reply, took = asyncio.run(timed(service, 1_000))
    service.database.write = whole  # type: ignore[method-assign]
    assert begun.is_set()
    assert (reply.status_code, slug_of(reply)) == (503, "outcome-unknown")
    assert took < 1.0 + MARGIN_S
    go_on.set()
    again = service.settle([(body_of(), KEY)])[0]
    assert (again.status_code, again.headers.get("idempotency-replayed")) == (201, "true")
    assert service.count("decision") == 2


def test_a_write_is_not_begun_when_it_could_not_be_finished(lone_service: Service) -> None:
    """A turn that comes after the last moment to begin, with the request still waiting, is not taken: 504."""
    now = time.monotonic()
    budget = Budget(now, now + 1.0)
    ran: list[float] = []

    async def late() -> None:
        asyncio.get_running_loop().call_later(0.9, release.set)
        await budget.write(lone_service.database, lambda connection: ran.append(time.monotonic()))

    with occupied(lone_service) as release, pytest.raises(Problem, match="deadline-exceeded"):
        asyncio.run(late())
    assert time.monotonic() < budget.ends + MARGIN_S
    assert ran == []


def test_a_write_is_not_even_asked_for_when_it_is_too_late(lone_service: Service) -> None:
    """After the last moment to begin the store is left alone."""
    now = time.monotonic()
    ran: list[int] = []
    with pytest.raises(Problem, match="deadline-exceeded"):
        asyncio.run(Budget(now - 0.9, now + 0.1).write(lone_service.database, lambda connection: ran.append(1)))
    assert ran == []


def test_an_error_of_the_store_stays_what_it_is(lone_service: Service) -> None:
    """What a write raises in its time is raised, and is not taken for a deadline."""

    def work(connection: Connection) -> None:
        raise StoreError("as it was")

    with pytest.raises(StoreError, match="as it was"):
        asyncio.run(Budget.of("10000").write(lone_service.database, work))


# -- the turn of a write -------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(["take", "give_up"]), max_size=6))
def test_a_turn_given_up_as_not_begun_is_never_taken(calls: list[str]) -> None:
    """In any order: once somebody was told that it had not begun, it does not begin."""
    turn, promised = _Turn(time.monotonic() + 60), False
    for call in calls:
        if call == "give_up":
            promised |= turn.give_up()
            continue
        try:
            turn.take()
        except TimeoutError:
            continue
        assert not promised


def test_a_turn_is_taken_or_given_up_and_never_both() -> None:
    """Two threads at the same moment, five hundred times: the write runs, or the caller hears that it did not."""
    ends: list[tuple[bool, bool]] = []
    for _ in range(500):
        turn, barrier = _Turn(time.monotonic() + 60), threading.Barrier(2)
        taken: list[bool] = []

        def take(turn: _Turn = turn, barrier: threading.Barrier = barrier, taken: list[bool] = taken) -> None:
            barrier.wait(10)
            try:
                turn.take()
            except TimeoutError:
                return
            taken.append(True)

        thread = threading.Thread(target=take)
        thread.start()
        barrier.wait(10)
        given_up = turn.give_up()
        thread.join(10)
        ends.append((bool(taken), given_up))
    assert set(ends) <= {(True, False), (False, True)}


def test_a_second_turn_after_a_rollback_may_be_refused() -> None:
    """A first try was rolled back and the second comes too late: then it has not begun, and that is what is told."""
    turn = _Turn(time.monotonic() + 0.05)
    turn.take()
    time.sleep(0.06)
    with pytest.raises(TimeoutError):
        turn.take()
    assert turn.give_up() is True


# -- a PostgreSQL that stops ---------------------------------------------------------------------------------


class Wire:
    """A wire to a server that can be frozen: what was open stays open, new connections are taken, no byte passes.

    To a client that is what a server does which was stopped in its tracks, or whose network was parted.
    """

    def __init__(self, port: int) -> None:
        self._to, self._thawed = port, threading.Event()
        self._thawed.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self) -> None:
        """From now on nothing passes."""
        self._thawed.clear()

    def thaw(self) -> None:
        """What was held back passes, and all that follows."""
        self._thawed.set()

    def close(self) -> None:
        """Take no more connections."""
        self.thaw()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._to), timeout=None)
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65_536):
                self._thawed.wait(30)
                other.sendall(data)
        with suppress(OSError):
            other.shutdown(socket.SHUT_WR)


@pytest.fixture
def wire(postgres_url: str) -> Iterator[Wire]:
    """A wire to the server of `postgres_url`."""
    wire = Wire(make_url(postgres_url).port or 5432)
    yield wire
    wire.close()


@pytest.fixture
def wired(postgres_url: str, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The service behind it, which remembers its callers, after one decision."""
    monkeypatch.setattr(api.security, "_LIVE_SECONDS", 60.0)
    over = make_url(postgres_url).set(host="127.0.0.1", port=wire.port).render_as_string(hide_password=False)
    with remote(over, RemoteStories(story())) as service:
        assert service.apply(body_of()).status_code == 201
        yield service
        wire.thaw()


def recovered(service: Service, key: str = KEY) -> httpx.Response:
    """The reply to the same request when the store is back; in between it is told to come again."""
    give_up = time.monotonic() + 20
    while True:
        reply = service.apply(body_of(), key)
        if "retry-after" not in reply.headers or time.monotonic() > give_up:
            return reply
        time.sleep(0.1)


@pytest.mark.postgres
def test_a_server_that_hangs_is_told_of_in_time(wired: Service, wire: Wire) -> None:
    """B15: 504, or 503 where it takes a new connection, within the budget; afterwards all is as it was."""
    free = places(wired.database)

    async def many() -> list[tuple[httpx.Response, float]]:
        return await asyncio.gather(*(timed(wired, 500, f"key-of-many:{n:012d}") for n in range(20)))

    wire.freeze()
    replies = asyncio.run(many())
    assert {(r.status_code, slug_of(r)) for r, _ in replies} <= {
        (504, "deadline-exceeded"), (503, "dependency-unavailable"), (503, "overloaded")
    }  # fmt: skip
    assert max(seconds for _, seconds in replies) < 0.5 + MARGIN_S
    wire.thaw()
    assert recovered(wired).status_code == 201
    assert places(wired.database) == free
    assert wired.count("decision") == 2


@pytest.mark.postgres
def test_a_lease_that_cannot_be_given_back_is_not_waited_for(wired: Service, wire: Wire) -> None:
    """The server hangs once the application is kept: 504 in time all the same, and the key decides what was kept."""
    sources = wired.state.shell.sources
    whole = sources.gather

    async def gather(asking: Asking) -> Gathered:
        gathered: Gathered = await whole(asking)
        wire.freeze()
        await asyncio.sleep(0.8)  # so that no write may begin any more, and there is time left to give the lease back
        return gathered

    sources.gather = gather
    reply, took = asyncio.run(timed(wired, 1_000))
    sources.gather = whole
    assert (reply.status_code, slug_of(reply)) == (504, "deadline-exceeded")
    assert took < 1.0 + MARGIN_S
    wire.thaw()
    assert wired.clock is not None
    wired.clock.advance(1)
    assert recovered(wired).status_code == 201
    assert (wired.count("decision"), wired.count("application"), wired.count("intake")) == (2, 2, 2)


@pytest.mark.postgres
def test_a_network_that_parts_in_commit_leaves_an_unknown_outcome(wired: Service, wire: Wire) -> None:
    """B16: 503 `outcome-unknown` in time; when the network is back the key gives the one decision there is."""
    whole = wired.database.write

    async def write(work: Work[Any]) -> Any:
        def parting(connection: Connection) -> Any:
            value = work(connection)
            if isinstance(value, queries.Recorded):
                wire.freeze()
            return value

        return await whole(parting)

    wired.database.write = write  # type: ignore[method-assign]
    reply, took = asyncio.run(timed(wired, 1_000))
    wired.database.write = whole  # type: ignore[method-assign]
    assert (reply.status_code, slug_of(reply)) == (503, "outcome-unknown")
    assert took < 1.0 + MARGIN_S
    wire.thaw()
    again = recovered(wired)
    assert (again.status_code, again.headers.get("idempotency-replayed")) == (201, "true")
    assert wired.count("decision") == 2
    with wired.database.transaction(read_only=True) as connection:
        assert queries.verify_audit(connection) is None


@pytest.mark.postgres
def test_a_server_that_hangs_is_told_of_in_time_to_callers_not_yet_known(
    wired: Service, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B15: also where the key of the caller has to be read first."""
    monkeypatch.setattr(wired.state.keyring, "_known", {})
    threading.Timer(2.0, wire.thaw).start()
    wire.freeze()
    reply, took = asyncio.run(timed(wired, 500))
    assert took < 0.5 + MARGIN_S
    assert reply.status_code in {503, 504}
