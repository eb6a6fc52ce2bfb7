"""The board: what waits for whom and for how long, page by page, and finding a case by what people know of it."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection

from api.store import queries
from api.store.database import Database
from api.store.queries import CaseRow, StateCount, Workload
from tests.support.casework import (
    ANN,
    BEN,
    DAY,
    LEASE,
    a_waiting_case,
    an_event,
    an_open_case,
    changed,
    hire,
    verified,
)
from tests.support.records import ABN, NOON, a_decision

HOUR = timedelta(hours=1)


def _pages(database: Database, state: str, limit: int) -> list[str]:
    """Every id of a state's list, fetched so many at a time."""
    found: list[str] = []
    last: CaseRow | None = None
    with database.transaction() as connection:
        for _ in range(20):
            page = queries.list_cases(connection, state, limit, last)
            found += [each.id for each in page]
            if len(page) < limit:
                return found
            last = page[-1]
    raise AssertionError("the list never ends")


@pytest.mark.parametrize("state", ["waiting", "open", "claimed", "verified", "approving", "approved", "rejected"])
def test_every_state_has_a_list_that_goes_on_where_it_stopped(database: Database, state: str) -> None:
    """In pages of two or all at once: the same cases, in the order of the queue, of expiry, or newest closed first."""
    with database.transaction() as connection:
        hire(connection)
        expected = []
        for number in range(5):
            moment = NOON + timedelta(hours=(3, 1, 1, 5, 4)[number])
            case = a_waiting_case(connection, a_decision(id=f"dec_{number}"), expires_at=moment)
            expected.append((moment, case.id))
            _put(connection, case, state, moment)
        for other in {"waiting", "open", "expired"} - {state}:
            _put(connection, a_waiting_case(connection), other, NOON)
    expected.sort(reverse=state in ("approved", "rejected"))
    assert _pages(database, state, 50) == [each for _, each in expected]
    assert _pages(database, state, 2) == [each for _, each in expected]


def _put(connection: Connection, case: CaseRow, state: str, moment: datetime) -> None:
    if state == "waiting":
        return
    change: queries.CaseChange = {"state": state, "due_at": moment, "queue_at": moment}
    if state in ("claimed", "approving"):
        change |= {"owner": ANN, "lease_until": moment}
    if state in ("approved", "rejected", "expired"):
        change |= {"closed_at": moment}
    changed(connection, case, **change)


def test_the_board_counts_live_cases_by_state_and_age(database: Database) -> None:
    """Ages are of the clock, which stands still while it is paused; closed cases are not counted."""
    with database.transaction() as connection:
        hire(connection)
        for hours in (1, 3, 13, 25):
            an_open_case(connection, due_at=NOON + DAY - hours * HOUR)
        changed(connection, an_open_case(connection, due_at=NOON + DAY), snoozed_until=NOON + HOUR, escalated=True)
        paused = an_open_case(connection, due_at=NOON + DAY - 19 * HOUR)
        changed(connection, paused, state="waiting", paused_at=NOON - 17 * HOUR)
        a_waiting_case(connection)
        changed(connection, an_open_case(connection), state="approved", closed_at=NOON)
        board = queries.board_of(connection, NOON)
    assert board == (
        StateCount("open", 5, 30_000_000, 1, 1, NOON - HOUR, (3, 2, 1, 1, 1)),
        StateCount("waiting", 2, 12_000_000, 0, 0, NOON + 5 * HOUR, (1, 0, 0, 0, 0)),
    )


def test_the_workload_is_what_people_hold_and_did(database: Database) -> None:
    """Cases held now, by whom and due when, and cases acted on since a moment, each counted once."""
    with database.transaction() as connection:
        hire(connection)
        first = an_open_case(connection, due_at=NOON + HOUR)
        an_open_case(connection, due_at=NOON + 2 * HOUR)
        an_open_case(connection, due_at=NOON + 3 * HOUR)
        for staff_id in (ANN, ANN, BEN):
            queries.claim_next(connection, "verify", staff_id, NOON, LEASE)
        held = queries.get_case(connection, first.id)
        assert held is not None
        verified(connection, held)
        changed(connection, a_waiting_case(connection), an_event("alert", actor="clock", at=NOON + HOUR))
        assert queries.workload_of(connection, NOON - HOUR) == (
            Workload(ANN, 1, NOON + 2 * HOUR, 4),
            Workload(BEN, 1, NOON + 3 * HOUR, 1),
        )
        assert queries.workload_of(connection, NOON) == (
            Workload(ANN, 1, NOON + 2 * HOUR, 0),
            Workload(BEN, 1, NOON + 3 * HOUR, 0),
        )


FOUND = {
    "case_dec_one": ["one"], "app_one": ["one"], "51 900 000 001": ["one"], "51900000001": ["one"],
    "wat": ["two", "one"], "WATTLE &  s": ["one"], " Wattle": ["two", "one"], "é": ["three"],
    "sons": [], "w%": [], "w_t": [], "": [], "   ": [], "case_none": [], "app_none": [], "51900000009": [],
}  # fmt: skip


def test_a_case_is_found_by_what_people_know_of_it(database: Database) -> None:
    """Its id, its application's, the ABN with or without spaces, or the beginning of the legal name, signs as such."""
    named = {"one": "Wattle & Sons Pty Ltd", "two": "Wattle  AND Daughters", "three": "Écru Foods"}
    with database.transaction() as connection:
        for number, (name, legal_name) in enumerate(named.items(), 1):
            decision = a_decision(id=f"dec_{name}", application_id=f"app_{name}", abn=f"5190000000{number}")
            an_open_case(connection, decision, legal_name=legal_name)
        found = {sought: [each.id for each in queries.find_cases(connection, sought)] for sought in FOUND}
    expected = {sought: [f"case_dec_{name}" for name in names] for sought, names in FOUND.items()}
    assert {sought: sorted(ids) for sought, ids in found.items()} == {k: sorted(v) for k, v in expected.items()}
    assert found["wat"] == ["case_dec_one", "case_dec_two"], "in order of name"


def test_what_is_found_is_bounded(database: Database) -> None:
    """Of many cases of one business the newest come, as many as asked."""
    with database.transaction() as connection:
        for number in range(4):
            waiting = a_waiting_case(connection, a_decision(id=f"dec_{number}"))
            assert waiting.opened_at == NOON
        found = queries.find_cases(connection, ABN, limit=3)
    assert [each.id for each in found] == ["case_dec_0", "case_dec_1", "case_dec_2"]
