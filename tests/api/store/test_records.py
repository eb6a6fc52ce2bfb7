"""One request leaves one whole record, whoever asks again, at once or later."""

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text

from api.store import queries
from api.store.database import Database
from api.store.queries import Exposure, NewRecord, Recorded, RecordResult, Replayed, Standing, StandingMoved, Superseded
from engine.facts.standing import Guards
from tests.support.records import (
    ABN,
    NOON,
    a_claim,
    a_decision,
    a_query,
    a_record,
    a_refusal,
    digest_of,
    recording,
    reply_of,
)


def _record(database: Database, record: NewRecord) -> RecordResult:
    with database.transaction() as connection:
        return queries.record_decision(connection, record)


def _count(connection: Connection, table: str) -> int:
    return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


NOTHING = Standing(group=(ABN,), guards=Guards(group_entities=1))


def _checked(decision: queries.NewDecision, seen: Standing) -> NewRecord:
    """A record that is kept only while this standing is true."""
    return a_record(decision, standing_seen=seen, standing_query=a_query(decision))


def test_everything_of_a_record_is_found_again(database: Database) -> None:
    """Application, people, facts, decision, key, message and audit entry come back byte for byte."""
    record = a_record(a_decision(id="dec_1", application_id="app_1"), claim=a_claim(), request_id="req-1")
    done = asyncio.run(database.write(recording(record)))
    assert isinstance(done, Recorded)
    assert done.reply == reply_of("dec_1", done.receipt)
    assert done.receipt.seq == 1
    with database.transaction(read_only=True) as connection:
        application = queries.get_application(connection, "app_1")
        decision = queries.get_decision(connection, "dec_1")
        row = queries.find_idempotent(connection, "key_caller", "/v1/applications", a_claim().key)
        (person,) = queries.people_of(connection, "app_1")
        (message,) = queries.due_messages(connection, NOON)
        entry = queries.audit_entry(connection, 1)
        assert decision is not None
        facts = queries.facts_body(connection, decision.facts_sha256)
    assert application is not None
    assert application.body == b'{"abn":"51900000000"}'
    assert application.received_at == NOON
    assert (decision.limit_cents, decision.audit_seq, decision.pd) == (6_000_000, 1, 0.0312)
    assert decision.decided_at.isoformat() == "2026-11-23T01:00:00+00:00"
    assert facts == b'{"as_of":"2026-11-23","days":[1,2,3]}'
    assert row is not None
    assert (row.reply, row.decision_id, row.fingerprint) == (done.reply, "dec_1", digest_of("asked"))
    assert person.body == '{"name":"A. Person"}'
    assert (message.topic, message.object_id, message.attempts) == ("decided", "dec_1", 0)
    assert entry is not None
    assert entry.sha256 == done.receipt.sha256
    assert f'"decision_sha256":"{decision.body_sha256}"' in entry.body
    assert "Person" not in entry.body


def test_the_same_key_gets_the_first_outcome(database: Database) -> None:
    """A second record under one key writes nothing and hands back the first one's reply."""
    first = _record(database, a_record(a_decision(id="dec_1"), claim=a_claim()))
    assert isinstance(first, Recorded)
    again = _record(database, a_record(a_decision(id="dec_2"), claim=a_claim(fingerprint=digest_of("other"))))
    assert isinstance(again, Replayed)
    assert (again.earlier.reply, again.earlier.fingerprint) == (first.reply, digest_of("asked"))
    with database.transaction(read_only=True) as connection:
        assert [_count(connection, table) for table in ("decision", "application", "audit", "outbox")] == [
            1,
            1,
            1,
            1,
        ]


def test_a_key_belongs_to_its_caller_and_its_route(database: Database) -> None:
    """The same words from another caller, or to another route, are another key."""
    for claim in (a_claim(), a_claim(caller_id="key_other"), a_claim(route="/v1/decisions")):
        assert isinstance(_record(database, a_record(claim=claim)), Recorded)


def test_a_key_may_have_an_outcome_without_a_decision(database: Database) -> None:
    """Other requests claim and finish keys by themselves; a key that was taken is not finished twice."""
    claim = a_claim(status=409)
    with database.transaction() as connection:
        assert queries.claim_key(connection, claim, NOON)
        queries.finish_key(connection, claim, b"duplicate", None)
        assert not queries.claim_key(connection, claim, NOON)
        row = queries.find_idempotent(connection, claim.caller_id, claim.route, claim.key)
    assert row is not None
    assert (row.status, row.reply) == (409, b"duplicate")


def test_twenty_at_once_have_one_owner(database: Database) -> None:
    """Twenty tasks with one key: one records, nineteen replay it, and one row is there of each kind."""

    async def race() -> list[RecordResult]:
        records = [a_record(a_decision(), claim=a_claim()) for _ in range(20)]
        return await asyncio.gather(*(database.write(recording(record)) for record in records))

    results = asyncio.run(race())
    (owner,) = [each for each in results if isinstance(each, Recorded)]
    replies = [each.earlier.reply for each in results if isinstance(each, Replayed)]
    assert replies == [owner.reply] * 19
    with database.transaction(read_only=True) as connection:
        assert [_count(connection, table) for table in ("decision", "audit", "outbox")] == [1, 1, 1]


def test_twenty_threads_have_one_owner(url: str) -> None:
    """The same from twenty threads with a database of their own each, as several processes would be."""
    results: list[RecordResult] = []
    barrier = threading.Barrier(20)

    def ask(record: NewRecord) -> None:
        with Database.open(url) as database:
            barrier.wait()
            results.append(asyncio.run(database.write(recording(record))))

    threads = [threading.Thread(target=ask, args=(a_record(claim=a_claim()),)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(isinstance(each, Recorded) for each in results) == 1
    assert sum(isinstance(each, Replayed) for each in results) == 19


def test_parallel_offers_to_one_business_do_not_stack(database: Database) -> None:
    """Ten approvals for one business, each on an exposure of nothing: one is kept, nine decide again."""

    async def stack() -> list[RecordResult]:
        records = [_checked(a_decision(), NOTHING) for _ in range(10)]
        return await asyncio.gather(*(database.write(recording(record)) for record in records))

    results = asyncio.run(stack())
    assert sum(isinstance(each, Recorded) for each in results) == 1
    moved = [each.standing for each in results if isinstance(each, StandingMoved)]
    assert [(each.offers, each.business_cents, each.group_cents) for each in moved] == [(1, 6_000_000, 6_000_000)] * 9


def test_a_standing_that_moved_writes_nothing_and_the_second_try_is_kept(database: Database) -> None:
    """Deciding once more on the new figure succeeds under the same key."""
    _record(database, a_record())
    record = replace(_checked(a_decision(), NOTHING), claim=a_claim())
    moved = _record(database, record)
    assert isinstance(moved, StandingMoved)
    with database.transaction(read_only=True) as connection:
        assert [_count(connection, table) for table in ("decision", "attempt", "idempotency")] == [1, 0, 0]
    assert isinstance(_record(database, replace(record, standing_seen=moved.standing)), Recorded)


def test_a_decision_is_superseded_once(database: Database) -> None:
    """The second attempt to supersede the same decision is told of the first, and writes nothing."""
    _record(database, a_record(a_decision(id="dec_old", application_id="app_1")))
    new = a_decision(id="dec_new", application_id="app_1", supersedes="dec_old")
    assert isinstance(_record(database, a_record(new, application=None, people=())), Recorded)
    late = a_refusal(id="dec_late", application_id="app_1", supersedes="dec_old")
    assert _record(database, a_record(late, application=None, people=())) == Superseded("dec_new")
    with database.transaction(read_only=True) as connection:
        assert queries.successor_of(connection, "dec_old") == "dec_new"
        assert queries.successor_of(connection, "dec_new") is None
        assert queries.verify_audit(connection) is None


def test_open_offers_are_those_not_superseded_and_not_expired(database: Database) -> None:
    """Exposure counts a business's standing offers, not refusals, nor what expired or was superseded."""
    later = NOON + timedelta(days=20)
    offers = [
        a_decision(id="dec_a", application_id="app_a", limit_cents=5_000_000),
        a_decision(id="dec_b", application_id="app_b", limit_cents=1_000_000, expires_at=NOON + timedelta(days=30)),
        a_decision(abn="51900000001", limit_cents=9_000_000),
        a_refusal("refer"),
        a_refusal("decline"),
    ]
    for decision in offers:
        _record(database, a_record(decision))
    with database.transaction() as connection:
        assert queries.exposure_of(connection, ABN, NOON) == Exposure(2, 6_000_000)
        assert queries.exposure_of(connection, ABN, later) == Exposure(1, 1_000_000)
        assert queries.exposure_of(connection, ABN, NOON + timedelta(days=14)) == Exposure(1, 1_000_000)
        assert queries.exposure_of(connection, "51900000009", NOON) == Exposure(0, 0)
    smaller = a_decision(application_id="app_a", limit_cents=2_000_000, supersedes="dec_a")
    _record(database, a_record(smaller, application=None, people=()))
    refusal = a_refusal(application_id="app_b", supersedes="dec_b")
    _record(database, a_record(refusal, application=None, people=()))
    with database.transaction() as connection:
        assert queries.exposure_of(connection, ABN, NOON) == Exposure(1, 2_000_000)


def test_a_day_is_the_lenders_day(database: Database) -> None:
    """What was approved at 23:59 in Sydney counts for that day, also on the day when clocks change."""
    midnight = NOON.replace(hour=13)  # 24 November, 00:00 in Sydney
    change = NOON.replace(month=10, day=3, hour=14)  # 4 October, 00:00: that day has 23 hours
    for number, moment in enumerate(
        [midnight - timedelta(minutes=1), midnight, change, change + timedelta(hours=23)], start=1
    ):
        expires = moment + timedelta(days=14)
        _record(
            database,
            a_record(a_decision(decided_at=moment, expires_at=expires, limit_cents=number * 1_000_000)),
        )
    with database.transaction(read_only=True) as connection:
        days = [(23, 11), (24, 11), (4, 10), (5, 10)]
        approved = [queries.approved_today(connection, NOON.date().replace(day=d, month=m)) for d, m in days]
    assert [each.limit_cents for each in approved] == [1_000_000, 2_000_000, 3_000_000, 4_000_000]


def test_decisions_are_read_on_in_pages_in_the_order_of_the_chain(database: Database) -> None:
    """Pages of 7 over 23 decisions give each once; reading goes on after the last one seen."""
    for _ in range(23):
        _record(database, a_record())
    with database.transaction(read_only=True) as connection:
        seen = [row.audit_seq for row in queries.decisions_since(connection, page=7)]
        rest = [row.audit_seq for row in queries.decisions_since(connection, after_seq=20, page=7)]
        assert list(queries.decisions_since(connection, after_seq=23)) == []
    assert seen == list(range(1, 24))
    assert rest == [21, 22, 23]


def test_facts_are_kept_once_and_an_altered_set_is_refused(database: Database) -> None:
    """Two decisions on the same facts share one row; bytes that no longer have their digest are an error."""
    _record(database, a_record())
    _record(database, a_record())
    with database.transaction(read_only=True) as connection:
        assert _count(connection, "fact_set") == 1
        assert queries.facts_body(connection, digest_of("unknown")) is None
    bad = replace(queries.FactSet.of(b"truth"), sha256=digest_of("lie"))
    _record(database, a_record(facts=bad))
    with database.transaction(read_only=True) as connection, pytest.raises(ValueError, match="altered"):
        queries.facts_body(connection, bad.sha256)
