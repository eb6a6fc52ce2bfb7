"""What the lender's own record says of an application: counts in their windows, links, earlier results."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from api.store import queries
from api.store.database import Database
from api.store.queries import NewDecision, Recorded, Signal, Standing, StandingQuery, standing_of
from engine.facts.standing import Brake
from engine.policy import GuardTerms
from tests.support.prepared import sent_in
from tests.support.records import (
    ABN,
    GUARDED,
    NOON,
    a_decision,
    a_query,
    a_record,
    a_refusal,
    a_signal,
    digest_of,
)

OTHERS = tuple(f"5190000{number:04}" for number in range(1, 60))
ALICE, BOB, CAROL, DAN = (a_signal("person", name) for name in ("alice", "bob", "carol", "dan"))
DEVICE = a_signal("device", "one")


def _keep(
    connection: Connection, decision: NewDecision, *signals: Signal, at: datetime = NOON, **changes: Any
) -> StandingQuery:
    """A decision with its attempt, made at that moment."""
    caller = changes.pop("caller_id", "key_caller")
    decision = replace(decision, decided_at=at, as_of=at, expires_at=decision.expires_at and at + timedelta(days=30))
    query = a_query(decision, *signals, caller_id=caller, **changes)
    record = a_record(decision)
    application = replace(record.application, caller_id=caller) if record.application else None
    assert isinstance(queries.record_decision(connection, replace(record, application=application)), Recorded)
    queries.add_attempt(connection, query.attempt(refused=False), at)
    return query


def _asked(*signals: Signal, **changes: Any) -> StandingQuery:
    """A new application of the same business under the draft policy's guards."""
    return a_query(None, *signals, **{"terms": GUARDED, **changes})


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """A transaction to set rows up in and to ask in."""
    with database.transaction() as opened:
        yield opened


# -- others with the same ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "window", "count"),
    [
        ("person", timedelta(days=90), "person_entities"),
        ("bank_account", timedelta(days=365), "account_entities"),
        ("device", timedelta(hours=24), "device_hours_entities"),
        ("device", timedelta(days=7), "device_days_entities"),
        ("phone", timedelta(days=30), "contact_entities"),
        ("email", timedelta(days=30), "contact_entities"),
    ],
)
def test_other_entities_with_the_same_are_counted_in_their_window(
    connection: Connection, kind: Any, window: timedelta, count: str
) -> None:
    """Distinct other entities count, not repeats nor this one; a second after the window, one has gone out of it."""
    shared, second = a_signal(kind, "shared"), timedelta(seconds=1)
    for at, abn in ((0, OTHERS[0]), (1, OTHERS[0]), (1, OTHERS[1]), (1, ABN), (1, OTHERS[2])):
        came_with = shared if abn != OTHERS[2] else a_signal(kind, "something else")
        _keep(connection, a_refusal(abn=abn), came_with, at=NOON + at * second)
    seen = [standing_of(connection, _asked(shared), NOON + window + late).guards for late in (0 * second, second)]
    assert [getattr(guards, count) for guards in seen] == [2, 0]
    told = {name for name, number in seen[0].model_dump(exclude={"group_entities"}).items() if number}
    assert told - {count} <= ({"device_days_entities"} if kind == "device" else set())


def test_a_repeat_later_keeps_an_entity_in_the_window(connection: Connection) -> None:
    """The newest time that an entity came with a signal is the one that counts."""
    for day in (0, 80):
        _keep(connection, a_refusal(abn=OTHERS[0]), ALICE, at=NOON + timedelta(days=day))
    assert standing_of(connection, _asked(ALICE), NOON + timedelta(days=160)).guards.person_entities == 1


def test_refused_attempts_count_and_their_repeats_are_kept_once_an_hour(connection: Connection) -> None:
    """An attempt without an application links entities too; only one that brings something new is written again."""
    first = a_query(a_refusal(abn=OTHERS[0]), DEVICE)
    assert queries.add_refused_attempt(connection, first.attempt(refused=True), NOON)
    for attempt_id, signals, minutes, kept in (
        ("att_b", (DEVICE,), 59, False),
        ("att_c", (DEVICE, ALICE), 59, True),
        ("att_d", (ALICE,), 59, False),
        ("att_e", (DEVICE,), 119, True),
    ):
        again = replace(first, attempt_id=attempt_id, signals=signals).attempt(refused=True)
        assert queries.add_refused_attempt(connection, again, NOON + timedelta(minutes=minutes)) is kept
    assert connection.execute(text("SELECT count(*) FROM attempt")).scalar() == 3
    assert standing_of(connection, _asked(DEVICE), NOON + timedelta(hours=25)).guards.device_hours_entities == 1


# -- linked entities -----------------------------------------------------------------------------------------


def test_links_are_followed_over_three_entities_by_people_and_accounts(connection: Connection) -> None:
    """A chain of one person, one account and one person is one group; what is four links away is not in it."""
    account = a_signal("bank_account", "shared")
    chain = [(ALICE,), (ALICE, account), (account, BOB), (BOB, CAROL), (CAROL,)]
    for place, signals in enumerate(chain[1:]):
        _keep(connection, a_decision(abn=OTHERS[place], limit_cents=(place + 1) * 1_000_000), *signals)
    found = standing_of(connection, _asked(ALICE), NOON)
    assert found.group == tuple(sorted((ABN, *OTHERS[:3])))
    assert (found.guards.group_entities, found.business_cents, found.group_cents) == (4, 0, 6_000_000)


def test_a_device_or_a_telephone_makes_no_group(connection: Connection) -> None:
    """An accountant's device and number link nobody's exposure."""
    shared = (DEVICE, a_signal("phone", "one"), a_signal("email", "one"))
    _keep(connection, a_decision(abn=OTHERS[0]), *shared)
    found = standing_of(connection, _asked(*shared), NOON)
    assert (found.group, found.group_cents) == ((ABN,), 0)


def test_earlier_people_still_link_a_business(connection: Connection) -> None:
    """Applying with another person than the last time does not cut the links of the last time, for a year."""
    _keep(connection, a_refusal("decline"), ALICE)
    _keep(connection, a_decision(abn=OTHERS[0]), ALICE)
    asked = _asked(BOB)
    assert standing_of(connection, asked, NOON).group_cents == 6_000_000
    assert standing_of(connection, asked, NOON + timedelta(days=366)).group == (ABN,)


def test_a_group_is_not_followed_without_end(connection: Connection) -> None:
    """Of fifty-nine entities under one person at least one more than policy can allow is found, and not all."""
    for abn in OTHERS:
        _keep(connection, a_refusal(abn=abn), ALICE)
    found = standing_of(connection, _asked(ALICE), NOON).guards.group_entities
    assert 50 < found < 60


def test_without_guards_a_business_stands_alone(connection: Connection) -> None:
    """Under a policy that has none, nothing is counted but the business's own offers."""
    _keep(connection, a_decision(abn=OTHERS[0]), ALICE)
    _keep(connection, a_decision(), ALICE)
    asked = _asked(ALICE, terms=GuardTerms(), declared=digest_of("other"))
    found = standing_of(connection, asked, NOON)
    assert (found.offers, found.business_cents, found.group_cents) == (1, 6_000_000, 6_000_000)
    assert found.guards.model_dump() == {**dict.fromkeys(found.guards.model_dump(), 0), "group_entities": 1}
    assert (found.earlier, found.own_open, found.own_versions) == (None, 0, 0)


# -- earlier results of the same business --------------------------------------------------------------------


def test_what_is_open_is_told_apart_by_caller(connection: Connection) -> None:
    """A referral and a standing offer are open, a decline is not; only the caller's own is named."""
    _keep(connection, a_refusal("decline", id="dec_no"))
    _keep(connection, a_refusal("refer", id="dec_mine"))
    _keep(connection, a_decision(id="dec_theirs"), caller_id="key_other")
    mine, theirs, nobodys = (
        standing_of(connection, _asked(caller_id=caller), NOON) for caller in ("key_caller", "key_other", "key_third")
    )
    assert [(each.earlier, each.own_open) for each in (mine, theirs, nobodys)] == [
        ("dec_mine", 1), ("dec_theirs", 1), (None, 0)
    ]  # fmt: skip
    assert {each.guards.open_applications for each in (mine, theirs, nobodys)} == {2}


def test_what_is_open_closes(connection: Connection) -> None:
    """An offer closes when it expires, a referral after policy's days, either when it is superseded."""
    _keep(connection, a_decision(id="dec_offer"))
    _keep(connection, a_refusal("refer", id="dec_wait", application_id="app_wait"), at=NOON + timedelta(days=5))

    def open_on(day: float) -> int:
        return standing_of(connection, _asked(), NOON + timedelta(days=day)).guards.open_applications

    assert [open_on(day) for day in (6, 29.99, 30, 34.99, 35)] == [2, 2, 1, 1, 0]
    after = a_refusal("decline", supersedes="dec_wait", application_id="app_wait", decided_at=NOON + timedelta(days=6))
    queries.record_decision(connection, a_record(after, application=None, people=()))
    assert open_on(7) == 1


OTHER, THIRD = digest_of("other"), digest_of("third")


@pytest.mark.parametrize(
    ("changes", "retypes"),
    [
        ({}, 0),
        ({"amount_cents": 500_000}, 0),
        ({"amount_cents": 6_050_000}, 1),
        ({"declared": OTHER}, 1),
        ({"declared": OTHER, "amount_cents": 500_000}, 1),
        ({"declared": OTHER, "caller_id": "key_other"}, 1),
    ],
)
def test_a_change_after_a_result_is_a_retype(connection: Connection, changes: dict[str, Any], retypes: int) -> None:
    """Another declared value or a higher amount, whoever sends it; asking for less is none, nor is the same again."""
    _keep(connection, a_refusal())
    assert standing_of(connection, _asked(**changes), NOON).guards.retypes == retypes
    sticky = timedelta(days=30)
    assert standing_of(connection, _asked(**changes), NOON + sticky).guards.retypes == 0


def test_retypes_are_counted_by_version_and_for_the_caller_apart(connection: Connection) -> None:
    """Versions add up over everybody's attempts, refused ones too; for the lock only the caller's own count."""
    _keep(connection, a_refusal())
    for attempt_id, caller, version, cents in (
        ("att_a", "key_caller", OTHER, 6_000_000),
        ("att_b", "key_caller", OTHER, 5_000_000),
        ("att_c", "key_other", THIRD, 6_000_000),
        ("att_d", "key_other", OTHER, 9_000_000),
    ):
        tried = _asked(attempt_id=attempt_id, caller_id=caller, declared=version, amount_cents=cents)
        assert queries.add_refused_attempt(connection, tried.attempt(refused=True), NOON)
    seen = {}
    for caller in ("key_caller", "key_other", "key_third"):
        for version in (digest_of("declared"), OTHER, digest_of("a fourth")):
            found = standing_of(connection, _asked(caller_id=caller, declared=version), NOON)
            seen[caller, version] = (found.guards.retypes, found.own_versions)
    assert list(seen.values()) == [(0, 1), (3, 1), (4, 2), (0, 2), (3, 3), (4, 3), (0, 0), (3, 1), (4, 1)]


def test_the_newest_result_is_the_one_that_counts(connection: Connection) -> None:
    """Once another version has a result of its own, that version is the one to keep to."""
    _keep(connection, a_refusal())
    _keep(connection, a_refusal(), declared=OTHER)
    assert standing_of(connection, _asked(declared=OTHER), NOON).guards.retypes == 0
    assert standing_of(connection, _asked(), NOON).guards.retypes == 1


def test_deciding_again_is_no_second_application(connection: Connection) -> None:
    """An application that is decided again is not its own duplicate, retype or exposure, and keeps its signals."""
    _keep(connection, a_refusal("refer", abn=OTHERS[0]), DEVICE)
    kept = _keep(connection, a_decision(id="dec_first", application_id="app_first"), DEVICE, ALICE)
    again = replace(kept, terms=GUARDED, signals=(ALICE,), again=True)
    found = standing_of(connection, again, NOON)
    assert (found.business_cents, found.group_cents, found.own_open, found.guards.open_applications) == (0, 0, 0, 0)
    assert (found.guards.retypes, found.guards.device_days_entities) == (0, 1)
    other = standing_of(connection, _asked(ALICE), NOON)
    assert (other.business_cents, other.own_open, other.guards.device_days_entities) == (6_000_000, 1, 0)


# -- what it costs, and what moves it ------------------------------------------------------------------------


def test_the_ordinary_case_is_five_statements(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first application of a business that shares nothing: signals, links, offers, history and brakes, once each."""
    _keep(connection, a_decision(abn=OTHERS[0]), BOB)
    statements = sent_in(monkeypatch)
    standing_of(connection, _asked(ALICE, DEVICE), NOON)
    assert len(statements) == 5


@pytest.mark.parametrize(
    ("found", "moved"),
    [
        (Standing(), False),
        (Standing(business_cents=1, group_cents=1), True),
        (Standing(group_cents=1), True),
        (Standing(own_versions=1), True),
        (Standing(group=(ABN, OTHERS[0])), True),
    ],
)
def test_what_moves_a_standing(found: Standing, moved: bool) -> None:
    """Anything that could change the decision does."""
    assert Standing().differs(found, 1_000_000) is moved


def _daily(limit_cents: int, used_cents: int) -> Standing:
    told = {"kind": "daily_dollars", "segment": "all", "limit_cents": limit_cents, "used_cents": used_cents}
    return Standing(brakes=(Brake.model_validate(told),))


def test_of_a_brake_only_the_verdict_moves_a_standing() -> None:
    """Dollars used by others move nothing until this amount no longer fits; a brake that was pulled does at once."""
    asked, seen = 1_000_000, _daily(5_000_000, 0)
    assert not seen.differs(_daily(5_000_000, 4_000_000), asked)
    assert seen.differs(_daily(5_000_000, 4_000_001), asked)
    assert Standing().differs(_daily(5_000_000, 0), asked)


def test_a_standing_tells_no_other_business_in_a_log(connection: Connection) -> None:
    """Neither the question nor the answer shows an ABN or a digest of a person when it is printed."""
    _keep(connection, a_decision(abn=OTHERS[0]), ALICE)
    asked = _asked(ALICE)
    shown = f"{asked!r} {asked.attempt(refused=True)!r} {standing_of(connection, asked, NOON)!r}"
    assert [word for word in (ABN, OTHERS[0], ALICE.value) if word in shown] == []
