"""What was missing is asked for again: a referral for want of a fact is decided anew when the fact can be had."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from api import flow, worker
from api.metrics import REGISTRY
from api.recording import FIRST_RETRY, WANTED
from api.sources import OUTSIDE, Asking, Gathered
from api.store import queries
from engine.facts.statement import STATEMENT, statement_of
from tests.support.businesses import facts_of, story
from tests.support.schema import slug_of
from tests.support.service import Clock, RemoteStories, Service, apply_arguments, body_of, fresh_key, remote

KEY = "first-key:0000000000000001"


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


def referred(service: Service, body: object = None) -> str:
    """A referral for want of a fact; its id."""
    told = service.apply(body or body_of(), KEY).json()
    assert told["outcome"] == "refer"
    return str(told["decision_id"])


def wanted(service: Service) -> tuple[queries.OutboxRow, ...]:
    """The messages that ask for a fact and are neither done nor given up."""
    with service.database.transaction(read_only=True) as connection:
        return queries.due_messages(connection, clock_of(service).now + timedelta(days=9), topic=WANTED)


def follow_up(service: Service, seconds: float = 5) -> str:
    """Let so much time pass, follow everything up that is due, and say how it ended."""
    clock_of(service).advance(seconds)
    before = {result: followed(result) for result in ("superseded", "settled", "still_missing", "given_up")}
    asyncio.run(worker._follow_up(service.state.shell))
    return " ".join(result for result, value in before.items() if followed(result) > value)


def followed(result: str) -> float:
    """How often it ended so."""
    return REGISTRY.get_sample_value("creditline_follow_ups_total", {"result": result}) or 0.0


def successor(service: Service, decision_id: str) -> str:
    """The decision that superseded it."""
    with service.database.transaction(read_only=True) as connection:
        found = queries.successor_of(connection, decision_id)
    assert found is not None
    return found


def replays(service: Service, decision_id: str) -> bool:
    """Whether it replays to the byte."""
    return service.ask("GET", f"/v1/decisions/{decision_id}/replay").json()["match"] is True


# -- what is left to be asked --------------------------------------------------------------------------------


def test_a_referral_for_want_of_a_fact_leaves_one_message(service: Service) -> None:
    """It names the decision and is due in five seconds, not at once; a replay of the request adds none."""
    decision_id = referred(service)
    assert service.apply(body_of(), KEY).headers["idempotency-replayed"] == "true"
    [message] = wanted(service)
    assert (message.topic, message.object_id) == (WANTED, decision_id)
    assert json.loads(message.body)["decision_id"] == decision_id
    assert message.next_at == clock_of(service).now + FIRST_RETRY
    assert follow_up(service, 4.9) == ""


@pytest.mark.parametrize(
    ("told", "failing", "outcome"),
    [
        ({}, (), "approve"),
        ({"compliance": {"sanctions_hits": 1}}, (), "refer"),
        ({"registry": {"company_status": "EXAD"}}, ("bureau",), "decline"),
    ],
    ids=["approved", "referred for another reason", "declined without it"],
)
def test_what_lacks_nothing_is_not_asked_for(
    sqlite_url: str, told: Mapping[str, Any], failing: tuple[str, ...], outcome: str
) -> None:
    """No message where every source answered, or where the rules have declined without the one that did not."""
    with remote(sqlite_url, RemoteStories(story(told), failing=failing)) as service:
        assert service.apply(body_of(told)).json()["outcome"] == outcome
        assert wanted(service) == ()


def test_a_referral_that_waits_is_no_secret_of_ours(lone: Service) -> None:
    """What the message holds are two ids, and nothing about the business or its people."""
    decision_id = referred(lone)
    [message] = wanted(lone)
    assert set(json.loads(message.body)) == {"application_id", "decision_id"}
    assert slug_of(lone.ask("GET", f"/v1/decisions/{decision_id}/difference")) == "not-found"


# -- it came -------------------------------------------------------------------------------------------------


def test_when_the_source_answers_the_referral_is_superseded(service: Service, sources: RemoteStories) -> None:
    """The outcome becomes an approval; both decisions replay to the byte, and no message is left."""
    old = referred(service)
    sources.failing.clear()
    assert follow_up(service) == "superseded"
    new = successor(service, old)
    told = service.ask("GET", f"/v1/decisions/{new}").json()
    assert (told["outcome"], told["supersedes"], told["external_data_unavailable"]) == ("approve", old, [])
    assert told["offer"] is not None
    assert replays(service, old)
    assert replays(service, new)
    assert wanted(service) == ()
    assert (service.count("decision"), service.count("application"), service.count("attempt")) == (2, 1, 1)
    with service.database.transaction(read_only=True) as connection:
        assert queries.verify_audit(connection) is None


def test_only_what_was_missing_is_asked_for(service: Service, sources: RemoteStories) -> None:
    """The other sources' facts are the very same ones, time and digest included; one source is asked once more."""
    old = referred(service)
    sources.failing.clear()
    sources.asked.clear()
    follow_up(service)
    was, now = service.facts_of(old), service.facts_of(successor(service, old))
    application_id = service.ask("GET", f"/v1/decisions/{old}").json()["application_id"]
    assert sources.asked == [(application_id, "bureau")]
    kept = [name for name in OUTSIDE if name != "bureau"]
    assert [getattr(now, name) for name in kept] == [getattr(was, name) for name in kept]
    assert all(getattr(now, name).digest is not None for name in OUTSIDE)
    assert (now.bureau.status, now.bureau.fetched_at) == ("present", clock_of(service).now)
    assert now.as_of == clock_of(service).now


def test_a_bureau_report_is_paid_for_once(lone: Service, sources: RemoteStories) -> None:
    """Where another source was missing, the report that is held is used again."""
    sources.failing = {"bank"}
    old = referred(lone)
    sources.failing.clear()
    assert follow_up(lone) == "superseded"
    assert sources.times("bureau") == 1
    assert lone.facts_of(successor(lone, old)).bureau == lone.facts_of(old).bureau


def test_a_statement_that_was_sent_is_not_lost(sqlite_url: str) -> None:
    """It stands in for the bank in the superseding decision too, even where the sources ask for everything anew."""

    class Forgetful(RemoteStories):
        async def gather(self, asking: Asking) -> Gathered:
            return await super().gather(replace(asking, earlier=None))

    bank = facts_of(story({"bank": {"balance_cents": 9_000_000}})).bank.value
    assert bank is not None
    sent = STATEMENT.dump_python(statement_of(bank), mode="json")
    sources = Forgetful(story(), failing=("bureau",))
    with remote(sqlite_url, sources) as service:
        old = referred(service, {**body_of(), "bank": sent})
        sources.failing.clear()
        assert follow_up(service) == "superseded"
        was, now = service.facts_of(old), service.facts_of(successor(service, old))
    assert now.bank.source.startswith("caller/")
    assert (now.bank, now.registry, now.marketplace) == (was.bank, was.registry, was.marketplace)


def test_the_reply_that_was_given_stays(service: Service, sources: RemoteStories) -> None:
    """The old decision's bytes and the replay of its request are what they were; a Link names the new one."""
    first = service.apply(body_of(), KEY)
    sources.failing.clear()
    old = first.json()["decision_id"]
    assert "link" not in service.ask("GET", f"/v1/decisions/{old}").headers
    follow_up(service)
    again, read = service.apply(body_of(), KEY), service.ask("GET", f"/v1/decisions/{old}")
    assert (again.content, read.content) == (first.content, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    new = successor(service, old)
    assert read.headers["link"] == f'</v1/decisions/{new}>; rel="successor-version"'
    assert "link" not in service.ask("GET", f"/v1/decisions/{new}").headers


def test_one_of_two_that_were_missing_comes(service: Service, sources: RemoteStories) -> None:
    """It is decided again on what came, still a referral, and the rest is asked for under the new decision."""
    sources.failing = {"bank", "bureau"}
    old = referred(service)
    sources.failing = {"bank"}
    assert follow_up(service) == "superseded"
    new = successor(service, old)
    told = service.ask("GET", f"/v1/decisions/{new}").json()
    assert (told["outcome"], told["external_data_unavailable"]) == ("refer", ["bank"])
    assert [message.object_id for message in wanted(service)] == [new]
    sources.failing.clear()
    assert follow_up(service) == "superseded"
    assert service.ask("GET", f"/v1/decisions/{successor(service, new)}").json()["outcome"] == "approve"
    assert sources.times("bureau") == 2


def test_an_application_does_not_stand_in_its_own_way(service: Service, sources: RemoteStories) -> None:
    """Its own earlier decision counts neither as exposure nor as an open application; an earlier offer does."""
    offered = body_of({"application": {"request": {"amount_cents": 500_000}}})
    sources.failing.clear()
    assert service.apply(offered, fresh_key()).json()["outcome"] == "approve"
    sources.failing.add("bureau")
    old = referred(service)
    sources.failing.clear()
    follow_up(service)
    was, now = (service.facts_of(each).exposure.value for each in (old, successor(service, old)))
    assert now is not None
    assert (now, now.business_cents) == (was, 500_000)


# -- it did not ----------------------------------------------------------------------------------------------


def test_what_is_still_missing_is_asked_for_ever_less_often(lone: Service, sources: RemoteStories) -> None:
    """Nineteen times with growing waits, then the message is dead, and the referral stays with a person."""
    referred(lone)
    waits, ends = [], []
    for attempt in range(1, queries.ATTEMPTS_MAX + 1):
        [message] = wanted(lone)
        ends.append(follow_up(lone, (message.next_at - clock_of(lone).now).total_seconds()))
        if attempt < queries.ATTEMPTS_MAX:
            [message] = wanted(lone)
            waits.append(message.next_at - clock_of(lone).now)
            assert message.attempts == attempt
    assert ends == ["still_missing"] * 19 + ["given_up"]
    longest = [worker.WAITS[min(n, len(worker.WAITS) - 1)] for n in range(19)]
    assert all(most / 2 <= wait <= most for wait, most in zip(waits, longest, strict=True))
    assert timedelta(hours=11) < sum(waits, timedelta()) < timedelta(hours=23)
    assert wanted(lone) == ()
    assert (sources.times("bureau"), lone.count("decision")) == (21, 1)
    with lone.database.transaction(read_only=True) as connection:
        assert connection.execute(
            text("SELECT dead_at IS NOT NULL FROM outbox WHERE topic = :t"), {"t": WANTED}
        ).scalar()


def test_waits_have_jitter() -> None:
    """Two messages that failed together do not come back together."""
    assert len({worker.wait_before(5) for _ in range(20)}) > 15


# -- others were quicker -------------------------------------------------------------------------------------


def test_two_workers_at_once_supersede_once(service: Service, sources: RemoteStories) -> None:
    """Of two that found the message due at the same moment one leases it; there is one superseding decision."""
    referred(service)
    sources.failing.clear()
    clock_of(service).advance(5)
    [message] = wanted(service)

    async def both() -> None:
        await asyncio.gather(*(worker.follow_up(service.state.shell, message) for _ in range(2)))

    asyncio.run(both())
    assert (sources.times("bureau"), service.count("decision"), wanted(service)) == (2, 2, ())


def test_two_that_decide_again_at_once_supersede_once(service: Service, sources: RemoteStories) -> None:
    """Without the lease too: whoever writes second finds it superseded, and nothing of the second is kept."""
    old = referred(service)
    sources.failing.clear()
    clock_of(service).advance(5)

    async def both() -> list[str]:
        return await asyncio.gather(*(flow.decide_again(service.state.shell, old) for _ in range(2)))

    assert sorted(asyncio.run(both())) == ["settled", "superseded"]
    assert (service.count("decision"), service.count("audit")) == (2, 2)


def test_what_was_superseded_meanwhile_is_settled(service: Service, sources: RemoteStories) -> None:
    """A message whose decision has a successor already is done, and nobody is asked."""
    old = referred(service)
    sources.failing.clear()
    assert asyncio.run(flow.decide_again(service.state.shell, old)) == "superseded"
    sources.asked.clear()
    assert follow_up(service) == "settled"
    assert (sources.asked, wanted(service), service.count("decision")) == ([], (), 2)


def test_a_decision_that_is_not_there_is_settled(lone: Service) -> None:
    """A message that names no decision of ours ends; it does not come back for ever."""
    assert asyncio.run(flow.decide_again(lone.state.shell, "dec_" + "0" * 32)) == "settled"


def test_another_application_decided_meanwhile_is_counted(service: Service, sources: RemoteStories) -> None:
    """Where the standing moves while the source is asked, it is decided once more on the standing of now."""
    old = referred(service)
    sources.failing.clear()
    clock_of(service).advance(5)
    shell = service.state.shell
    small = body_of({"application": {"request": {"amount_cents": 500_000}}})

    async def meanwhile() -> None:
        sources.gate, asked = asyncio.Event(), len(sources.asked)
        again = asyncio.ensure_future(flow.decide_again(shell, old))
        while len(sources.asked) == asked:
            await asyncio.sleep(0.005)
        gate, sources.gate = sources.gate, None
        other = await service.send("POST", "/v1/applications", **apply_arguments(small))
        assert other.json()["outcome"] == "approve"
        gate.set()
        assert await again == "superseded"

    asyncio.run(meanwhile())
    exposure = service.facts_of(successor(service, old)).exposure.value
    assert exposure is not None
    assert exposure.business_cents == 500_000


# -- people who were erased ----------------------------------------------------------------------------------


def erase_people(service: Service) -> None:
    """Erase everybody."""
    with service.database.transaction() as connection:
        for ref in connection.execute(text("SELECT ref FROM person")).scalars().all():
            assert queries.erase_person(connection, ref, clock_of(service).now)


def test_erased_people_do_not_stop_it(service: Service, sources: RemoteStories) -> None:
    """Where the people were screened before they were erased, the missing fact alone is asked for and decided on."""
    old = referred(service)
    erase_people(service)
    sources.failing.clear()
    assert follow_up(service) == "superseded"
    assert len(sources.names[-1]) == 1
    assert replays(service, successor(service, old))


def test_people_who_cannot_be_screened_any_more_are_not_passed(service: Service, sources: RemoteStories) -> None:
    """Where the list was missing and a person was erased since, compliance stays missing: never approved unseen."""
    sources.failing = {"compliance", "bureau"}
    old = referred(service)
    erase_people(service)
    sources.failing.clear()
    assert follow_up(service) == "superseded"
    new = successor(service, old)
    assert service.facts_of(new).compliance.status == "failed"
    assert service.ask("GET", f"/v1/decisions/{new}").json()["outcome"] == "refer"
    assert follow_up(service) == "still_missing"


# -- counting ------------------------------------------------------------------------------------------------


def test_a_follow_up_is_counted_by_how_it_ended_and_what_it_lacked(lone: Service, sources: RemoteStories) -> None:
    """A referral without the bureau, one vain try, one that succeeds: each adds one to its own series."""

    def degraded(outcome: str, missing: str) -> float:
        labels = {"outcome": outcome, "missing": missing}
        return REGISTRY.get_sample_value("creditline_degraded_decisions_total", labels) or 0.0

    before = degraded("refer", "bureau"), degraded("approve", "none")
    referred(lone)
    vain, won = followed("still_missing"), followed("superseded")
    follow_up(lone)
    sources.failing.clear()
    follow_up(lone, 15)
    assert (followed("still_missing") - vain, followed("superseded") - won) == (1, 1)
    assert (degraded("refer", "bureau") - before[0], degraded("approve", "none") - before[1]) == (1, 1)
