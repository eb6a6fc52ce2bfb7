"""Who takes which case: the earliest deadline first, one person a case, and nobody twice in a pair of eyes."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from api.store import queries
from api.store.database import Database
from api.store.moment import microseconds
from api.store.queries import case_work
from api.store.queries.case_work import StageName, take
from benchmarks.claiming import Size, fill
from tests.support.casework import (
    ANN,
    BEN,
    CAT,
    DAY,
    LEASE,
    a_waiting_case,
    an_approval,
    an_event,
    an_open_case,
    at_once,
    changed,
    hire,
    verified,
)
from tests.support.records import NOON, a_decision, digest_of

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def staffed(database: Database) -> Database:
    """A database with Ann, Ben and Cat in it."""
    with database.transaction() as connection:
        hire(connection)
    return database


def _claimed(connection: Connection, staff_id: str = ANN, now: datetime = NOON, stage: Any = "verify") -> str | None:
    found = queries.claim_next(connection, stage, staff_id, now, LEASE)
    return None if found is None else found.id


# -- order ---------------------------------------------------------------------------------------------------


def test_the_earliest_place_goes_first_then_rank_then_id(staffed: Database) -> None:
    """Cases come by deadline; of one place the lower rank comes first, and of one rank the lower id."""
    with staffed.transaction() as connection:
        later = an_open_case(connection, a_decision(id="dec_1"), due_at=NOON + 3 * HOUR)
        second = an_open_case(connection, a_decision(id="dec_3"), rank=-1)
        third = an_open_case(connection, a_decision(id="dec_2"), rank=0)
        fourth = an_open_case(connection, a_decision(id="dec_4"), rank=0)
        a_waiting_case(connection)
        order = [_claimed(connection) for _ in range(5)]
    assert order == [later.id, second.id, third.id, fourth.id, None]


def test_a_claim_is_a_lease_and_the_first_touch(staffed: Database) -> None:
    """Who claims holds the case until the lease ends; the first claim is the first touch for good."""
    with staffed.transaction() as connection:
        opened = an_open_case(connection)
        claimed = queries.claim_next(connection, "verify", ANN, NOON, LEASE)
        assert claimed is not None
        assert (claimed.state, claimed.owner, claimed.lease_until) == ("claimed", ANN, NOON + LEASE)
        assert (claimed.touched_at, claimed.version) == (NOON, 2)
        queries.release_case(connection, opened.id, ANN, NOON)
        again = queries.claim_next(connection, "verify", BEN, NOON + HOUR, LEASE)
        assert again is not None
        assert (again.touched_at, again.owner) == (NOON, BEN)


def test_a_snoozed_case_is_skipped_until_its_time(staffed: Database) -> None:
    """It keeps its place, comes back by itself, and may be taken by name meanwhile."""
    with staffed.transaction() as connection:
        sleeper = changed(connection, an_open_case(connection, due_at=NOON), snoozed_until=NOON + HOUR)
        other = an_open_case(connection)
        assert _claimed(connection) == other.id
        assert _claimed(connection, BEN) is None
        assert _claimed(connection, BEN, NOON + HOUR) == sleeper.id
        queries.release_case(connection, sleeper.id, BEN, NOON)
        awake = queries.get_case(connection, sleeper.id)
        assert awake is not None
        assert awake.snoozed_until is None
        changed(connection, awake, snoozed_until=NOON + DAY)
        assert queries.claim_case(connection, sleeper.id, "verify", CAT, NOON, LEASE) is not None


# -- leases --------------------------------------------------------------------------------------------------


def test_a_lapsed_lease_makes_a_case_free_at_its_old_place(staffed: Database) -> None:
    """The next claimer gets it before later deadlines, and the history tells of the lapse."""
    with staffed.transaction() as connection:
        first = an_open_case(connection, due_at=NOON + HOUR)
        an_open_case(connection)
        assert _claimed(connection) == first.id
        taken = queries.claim_next(connection, "verify", BEN, NOON + LEASE, LEASE)
        assert taken is not None
        assert (taken.id, taken.owner, taken.version) == (first.id, BEN, 4)
        lapse, claim = queries.case_events(connection, first.id, after=2)
    assert (lapse.event, lapse.actor, lapse.state, lapse.details) == ("lapse", "clock", "open", {"owner": ANN})
    assert (claim.event, claim.actor, claim.state) == ("claim", BEN, "claimed")


def test_a_running_lease_keeps_others_away(staffed: Database) -> None:
    """Neither the next claim nor one by name takes a case whose lease runs, be it for a microsecond more."""
    with staffed.transaction() as connection:
        held = an_open_case(connection)
        assert _claimed(connection) == held.id
        just_before = NOON + LEASE - timedelta(microseconds=1)
        assert _claimed(connection, BEN, just_before) is None
        assert queries.claim_case(connection, held.id, "verify", BEN, just_before, LEASE) is None
        assert queries.claim_case(connection, held.id, "approve", BEN, NOON + LEASE, LEASE) is None
        assert queries.claim_case(connection, held.id, "verify", BEN, NOON + LEASE, LEASE) is not None


def test_only_its_holder_renews_a_lease_and_only_while_it_runs(staffed: Database) -> None:
    """Renewing moves the end and leaves version and history alone."""
    with staffed.transaction() as connection:
        case_id = an_open_case(connection).id
        queries.claim_next(connection, "verify", ANN, NOON, LEASE)
        assert queries.renew_lease(connection, case_id, BEN, NOON, DAY) is None
        assert queries.renew_lease(connection, case_id, ANN, NOON + LEASE, DAY) is None
        assert queries.renew_lease(connection, case_id, ANN, NOON + SECOND, LEASE) == NOON + SECOND + LEASE
        found = queries.get_case(connection, case_id)
        assert found is not None
        assert (found.version, found.lease_until) == (2, NOON + SECOND + LEASE)
        assert len(queries.case_events(connection, case_id)) == 2


def test_only_its_holder_gives_a_case_back(staffed: Database) -> None:
    """It is then free, in the state that it was claimed from."""
    with staffed.transaction() as connection:
        case = an_open_case(connection)
        queries.claim_next(connection, "verify", ANN, NOON, LEASE)
        assert queries.release_case(connection, case.id, BEN, NOON) is None
        freed = queries.release_case(connection, case.id, ANN, NOON)
        assert freed is not None
        assert (freed.state, freed.owner, freed.lease_until) == ("open", None, None)
        verified(connection, freed)
        queries.claim_next(connection, "approve", BEN, NOON, LEASE)
        freed = queries.release_case(connection, case.id, BEN, NOON)
        assert freed is not None
        assert freed.state == "verified"
        assert queries.case_events(connection, case.id)[-1].event == "release_approval"


def test_all_lapsed_leases_are_freed_a_page_at_a_time(staffed: Database) -> None:
    """Longest lapsed first, each to its own stage, and running ones stay."""
    with staffed.transaction() as connection:
        cases = [an_open_case(connection, due_at=NOON + number * HOUR) for number in range(4)]
        verified(connection, cases[0])
        assert _claimed(connection, BEN, NOON + SECOND, "approve") == cases[0].id
        assert _claimed(connection, ANN, NOON) == cases[1].id
        assert _claimed(connection, ANN, NOON + DAY) == cases[1].id
        assert _claimed(connection, BEN, NOON) == cases[2].id
        first = queries.lapse_leases(connection, NOON + HOUR, limit=1)
        rest = queries.lapse_leases(connection, NOON + HOUR)
        none = queries.lapse_leases(connection, NOON + HOUR)
        assert queries.verify_audit(connection) is None
    assert [(each.id, each.state) for each in first] == [(cases[2].id, "open")]
    assert [(each.id, each.state) for each in rest] == [(cases[0].id, "verified")]
    assert none == ()


# -- four eyes -----------------------------------------------------------------------------------------------


def test_nobody_claims_the_approval_of_their_own_verification(staffed: Database) -> None:
    """Who verified is passed over, also by name; what a machine verified anybody may approve."""
    with staffed.transaction() as connection:
        own = verified(connection, an_open_case(connection), by=ANN)
        assert _claimed(connection, ANN, stage="approve") is None
        assert queries.claim_case(connection, own.id, "approve", ANN, NOON, LEASE) is None
        assert _claimed(connection, BEN, stage="approve") == own.id
        by_machine = verified(connection, an_open_case(connection), by="machine")
        assert _claimed(connection, ANN, stage="approve") == by_machine.id


def test_nobody_approves_the_same_content_twice(staffed: Database) -> None:
    """Who approved is passed over for the second approval, but not once the content is another."""
    with staffed.transaction() as connection:
        case = verified(connection, an_open_case(connection))
        assert _claimed(connection, BEN, stage="approve") == case.id
        queries.insert_approval(connection, an_approval(case), NOON)
        freed = queries.release_case(connection, case.id, BEN, NOON)
        assert freed is not None
        assert _claimed(connection, BEN, stage="approve") is None
        unknown = changed(connection, freed, content_sha256=None)
        assert _claimed(connection, BEN, stage="approve") is None
        changed(connection, unknown, content_sha256=digest_of("other content"))
        assert _claimed(connection, BEN, stage="approve") == case.id


def test_an_approver_takes_over_a_lapsed_approval(staffed: Database) -> None:
    """A lease that lapsed in the stage of approval is free for another approver, not for the verifier."""
    with staffed.transaction() as connection:
        case = verified(connection, an_open_case(connection))
        assert _claimed(connection, BEN, stage="approve") == case.id
        assert _claimed(connection, CAT, stage="approve") is None
        assert _claimed(connection, ANN, NOON + LEASE, "approve") is None
        assert _claimed(connection, CAT, NOON + LEASE, "approve") == case.id


# -- many at once --------------------------------------------------------------------------------------------


def _until_none(database: Database, staff_id: str) -> list[str]:
    won: list[str] = []
    while True:
        with database.transaction() as connection:
            found = _claimed(connection, staff_id)
        if found is None:
            return won
        won.append(found)


def test_many_claimers_at_once_win_every_case_once(url: str) -> None:
    """Four threads empty a queue of forty: nobody wins what another won, and nothing is left."""
    names = [f"stf_{number}" for number in range(4)]
    with Database.open(url) as database, database.transaction() as connection:
        hire(connection, *names)
        cases = {an_open_case(connection).id for _ in range(40)}
    won = at_once(url, 4, lambda database, number: _until_none(database, names[number]))
    everything = [each for one in won for each in one]
    assert len(everything) == 40
    assert set(everything) == cases
    with Database.open(url) as database, database.transaction() as connection:
        assert queries.verify_audit(connection) is None
        assert queries.claim_next(connection, "verify", names[0], NOON, LEASE) is None


@pytest.mark.parametrize("lapsed", [False, True])
def test_one_case_has_one_winner(url: str, lapsed: bool) -> None:
    """Eight claim the only case, free or lapsed, at the same moment: one wins, seven hear that there is nothing."""
    names = [f"stf_{number}" for number in range(8)]
    with Database.open(url) as database, database.transaction() as connection:
        hire(connection, *names, CAT)
        case = an_open_case(connection)
        if lapsed:
            assert _claimed(connection, CAT, NOON - DAY) == case.id

    def work(database: Database, number: int) -> str | None:
        with database.transaction() as connection:
            return _claimed(connection, names[number])

    assert sorted(at_once(url, 8, work), key=str) == [None] * 7 + [case.id]


@pytest.mark.postgres
def test_a_case_that_is_being_taken_is_skipped_not_waited_for(postgres_url: str) -> None:
    """While one transaction holds the first case, another gets the second at once; a rollback gives the first back."""
    with Database.open(postgres_url) as database:
        with database.transaction() as connection:
            hire(connection)
            first = an_open_case(connection, due_at=NOON + HOUR)
            second = an_open_case(connection)
        with database.transaction() as connection:
            undone = connection.begin_nested()
            taken = take(connection, "verify", ANN, NOON, LEASE)
            assert taken is not None
            assert taken[1].id == first.id
            with database.transaction() as other:
                assert _claimed(other, BEN) == second.id
                assert _claimed(other, CAT) is None
            undone.rollback()
        with database.transaction() as connection:
            assert _claimed(connection, CAT) == first.id


# -- the clock -----------------------------------------------------------------------------------------------


ALERTS = [  # hours passed, last alert, touched, alert due
    (2, 0, False, 2), (2, 0, True, None), (12, 0, True, 12), (12, 2, False, 12), (11, 2, False, None),
    (18, 12, True, 18), (17, 12, True, None), (22, 18, True, 22), (24, 22, True, 24), (23, 22, True, None),
    (30, 0, False, 24), (30, 24, True, None),
]  # fmt: skip


def test_an_alert_is_due_once_its_hours_have_passed(staffed: Database) -> None:
    """The highest alert passed is told until it, or a higher one, was raised; the first only where nobody came."""
    with staffed.transaction() as connection:
        case = an_open_case(connection, due_at=NOON + DAY)
        for hours, alerted, touched, expected in ALERTS:
            case = changed(connection, case, alerted_hours=alerted, touched_at=NOON if touched else None)
            found = queries.due_alerts(connection, NOON + hours * HOUR)
            assert found == (() if expected is None else ((case, expected),)), (hours, alerted)
            if hours in queries.ALERT_HOURS:
                assert queries.due_alerts(connection, NOON + hours * HOUR - timedelta(microseconds=1)) == ()


def test_a_stopped_clock_raises_no_alert(staffed: Database) -> None:
    """Neither a case that waits for the applicant nor a closed one is told of; the most urgent is told first."""
    with staffed.transaction() as connection:
        late = an_open_case(connection, due_at=NOON + HOUR)
        later = an_open_case(connection, due_at=NOON)
        changed(connection, an_open_case(connection, due_at=NOON), state="waiting", paused_at=NOON)
        changed(connection, an_open_case(connection, due_at=NOON), state="rejected", closed_at=NOON)
        a_waiting_case(connection)
        assert queries.due_alerts(connection, NOON) == ((later, 24), (late, 22))
        assert queries.due_alerts(connection, NOON, limit=1) == ((later, 24),)


def test_an_offer_that_expired_while_waiting_is_told(staffed: Database) -> None:
    """From the moment of its expiry on, and only while the applicant is waited for."""
    with staffed.transaction() as connection:
        an_open_case(connection, expires_at=NOON)
        waiting = a_waiting_case(connection, expires_at=NOON)
        a_waiting_case(connection, expires_at=NOON + SECOND)
        assert queries.expired_waiting(connection, NOON - SECOND) == ()
        assert queries.expired_waiting(connection, NOON) == (waiting,)


# -- plans ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (case_work._NEXT["verify"], "ix_verification_case_verify"),
        (case_work._NEXT["approve"], "ix_verification_case_approve"),
        (case_work._LAPSED, "ix_verification_case_owner"),
        (case_work._ALERTS, "ix_verification_case_alert"),
        (case_work._EXPIRED, "ix_verification_case_waiting"),
    ],
)
def test_the_queries_of_the_queue_have_their_index(database: Database, statement: Any, index: str) -> None:
    """Either database knows the index that was made for a query, and claims need no sort."""
    known: dict[str, object] = {"now": microseconds(NOON), "now_us": microseconds(NOON), "me": ANN, "page": 10}
    with database.transaction() as connection:
        explain = "EXPLAIN QUERY PLAN "
        if connection.dialect.name == "postgresql":
            for each in ("seqscan", "bitmapscan", "sort"):  # what is right for a table as small as this one
                connection.execute(text(f"SET LOCAL enable_{each} = off"))
            explain = "EXPLAIN "
        asked = statement.compile(connection)
        values = {**asked.params, **{name: known[name] for name in asked.params.keys() & known.keys()}}
        given = tuple(values[name] for name in asked.positiontup) if asked.positional else values
        plan = "\n".join(str(row) for row in connection.exec_driver_sql(explain + str(asked), given))
    assert index in plan
    if index.endswith(("verify", "approve")):
        assert "Sort" not in plan
        assert "TEMP B-TREE" not in plan


def test_an_event_of_another_actor_is_kept_as_told(staffed: Database) -> None:
    """The actor and the role of an event are those that were given."""
    with staffed.transaction() as connection:
        case = changed(connection, an_open_case(connection), an_event("escalate", actor=CAT, actor_role="risk"))
        last = queries.case_events(connection, case.id)[-1]
    assert (last.actor, last.actor_role, last.event, last.at) == (CAT, "risk", "escalate", NOON)


@pytest.mark.postgres
@pytest.mark.parametrize("stage", ["verify", "approve"])
def test_the_next_case_is_found_by_its_index_however_many_are_closed(postgres_url: str, stage: StageName) -> None:
    """Among 20,000 cases with 500 in the queue, a claim reads the first rows of its stage's index and sorts nothing."""
    with Database.open(postgres_url) as database:
        fill(database, Size(cases=20_000, open=500, seconds=0))
        if stage == "approve":
            with database.transaction() as connection:
                verify = "UPDATE verification_case SET state = 'verified', verified_by = 'machine' WHERE state = 'open'"
                connection.execute(text(verify))
                connection.execute(text("ANALYZE verification_case"))
        with database.transaction() as connection:
            asked = case_work._TAKE_NEXT[stage].compile(connection)
            values = {**asked.params, "now": microseconds(NOON), "until": 0, "me": "stf_0", "worked": "claimed"}
            rows = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {asked}", values).scalars().all()
            connection.rollback()
    plan = "\n".join(rows)
    assert f"ix_verification_case_{stage}" in plan
    scans = ("Sort", "Seq Scan on verification_case", "Bitmap Heap Scan on verification_case")
    assert not any(each in plan for each in scans), plan
    touched = re.search(r"Buffers: shared hit=(\d+)", plan)
    assert touched is not None
    assert int(touched[1]) < 200, plan
