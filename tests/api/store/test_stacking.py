"""Many at once, in several processes' worth of connections, never get more together than one after another."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import text

from api.store import queries
from api.store.database import Database
from api.store.errors import InFlight, StoreBusy
from api.store.queries import NewDecision, Recorded, Standing, StandingMoved, StandingQuery, standing_of
from tests.support.records import GUARDED, NOON, a_decision, a_query, a_record, a_refusal, a_signal, recording

ABNS = tuple(f"5190000{number:04}" for number in range(10))
ASKED = 6_000_000
MOST_GROUP = 20_000_000
_PATIENCE = 400  # tries of one application; each lost race lets another one win

COUNT = text("SELECT count(*) FROM decision")
Decide = Callable[[NewDecision, Standing], NewDecision]


def _by_room(decision: NewDecision, standing: Standing) -> NewDecision:
    """What the group has room for, in steps of the product."""
    limit = min(ASKED, MOST_GROUP - standing.group_cents)
    return replace(decision, limit_cents=limit) if limit >= 500_000 else _no(decision, "decline")


def _by_brakes(decision: NewDecision, standing: Standing) -> NewDecision:
    """All that is asked, unless a brake stops it."""
    return _no(decision, "refer") if any(each.stops(ASKED) for each in standing.brakes) else decision


def _no(decision: NewDecision, outcome: str) -> NewDecision:
    return a_refusal(outcome, id=decision.id, application_id=decision.application_id, abn=decision.abn)


async def _apply(database: Database, decision: NewDecision, query: StandingQuery, decide: Decide) -> None:
    """Decide on what the record says until what was decided is kept."""
    standing = await database.read(lambda connection: standing_of(connection, query, NOON))
    for _ in range(_PATIENCE):
        decided = decide(decision, standing)
        record = a_record(decided, standing_seen=standing, standing_query=query)
        try:
            result = await database.write(recording(record))
        except (StoreBusy, InFlight):
            await asyncio.sleep(0.01)
            continue
        if isinstance(result, Recorded):
            return
        assert isinstance(result, StandingMoved)
        standing = result.standing
    raise AssertionError("an application never got its turn")


def _all_at_once(url: str, queries_of: list[tuple[NewDecision, StandingQuery]], decide: Decide) -> None:
    """Two workers, each with a half of the applications, all at the same time."""
    failures: list[BaseException] = []
    barrier = threading.Barrier(2)

    def work(half: list[tuple[NewDecision, StandingQuery]]) -> None:
        async def everybody(database: Database) -> None:
            await asyncio.gather(*(_apply(database, decision, query, decide) for decision, query in half))

        try:
            with Database.open(url) as database:
                barrier.wait()
                asyncio.run(everybody(database))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(queries_of[start::2],)) for start in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failures == []


def _approved(url: str) -> tuple[int, int]:
    """Cents approved, and how many decisions there are."""
    with Database.open(url) as database, database.transaction(read_only=True) as connection:
        assert queries.verify_audit(connection) is None
        row = connection.execute(text("SELECT coalesce(sum(limit_cents), 0), count(*) FROM decision")).one()
        return int(row[0]), int(row[1])


def test_one_director_over_ten_companies_stacks_nothing(url: str) -> None:
    """Fifty applications for ten ABNs under one director at once: together exactly the most lent to a group."""
    director = a_signal("person", "director")
    asked = []
    for number in range(50):
        decision = a_decision(abn=ABNS[number % 10])
        # Every second one also comes with a person of its own, so that not all take the same locks.
        others = (a_signal("person", str(number)),) if number % 2 else ()
        asked.append((decision, a_query(decision, director, *others, terms=GUARDED)))
    _all_at_once(url, asked, _by_room)
    assert _approved(url) == (MOST_GROUP, 50)


def test_a_chain_of_links_stacks_nothing(url: str) -> None:
    """Companies that are linked through a third alone hold each other's locks too."""
    left, right = a_signal("person", "left"), a_signal("person", "right")
    with Database.open(url) as database:
        middle = a_decision(abn=ABNS[0])
        both = a_query(middle, left, right, terms=GUARDED)
        with database.transaction() as connection:
            seen = standing_of(connection, both, NOON)
            record = a_record(_no(middle, "decline"), standing_seen=seen, standing_query=both)
            assert isinstance(queries.record_decision(connection, record), Recorded)
    asked = []
    for number in range(20):
        decision = a_decision(abn=ABNS[1 + number % 2])
        asked.append((decision, a_query(decision, (left, right)[number % 2], terms=GUARDED)))
    _all_at_once(url, asked, _by_room)
    assert _approved(url) == (MOST_GROUP, 21)


def test_fifty_at_once_stay_within_the_dollars_of_the_day(url: str) -> None:
    """Fifty businesses that share nothing, with room for seven of them: seven are approved, forty-three referred."""
    with Database.open(url) as database, database.transaction() as connection:
        queries.set_brake(connection, "daily_dollars", NOON, "officer", value=7 * ASKED + 1)
    asked = []
    for number in range(50):
        decision = a_decision(abn=f"519000{number:05}")
        asked.append((decision, a_query(decision, amount_cents=ASKED)))
    _all_at_once(url, asked, _by_brakes)
    assert _approved(url) == (7 * ASKED, 50)


def test_fifty_at_once_stay_within_a_concentration(url: str) -> None:
    """Beside 60 million elsewhere, fifteen per cent of the book has room for one line of six, not for two."""
    with Database.open(url) as database, database.transaction() as connection:
        for number in range(2):
            queries.record_decision(
                connection, a_record(a_decision(abn=ABNS[number], limit_cents=30_000_000, state="NSW"))
            )
        queries.set_brake(connection, "concentration", NOON, "officer", segment="state:VIC", value=1_500)
    asked = []
    for number in range(50):
        decision = a_decision(abn=f"519000{number:05}", state="VIC", limit_cents=ASKED)
        asked.append((decision, a_query(decision, amount_cents=ASKED)))
    _all_at_once(url, asked, _by_brakes)
    book, count = _approved(url)
    victorian = book - 60_000_000
    assert count == 52
    assert victorian == ASKED
    assert (victorian + ASKED) * 10_000 > (book + ASKED) * 1_500, "one more would have been too much"


def test_a_brake_pulled_amid_approvals_is_exact(url: str) -> None:
    """Whatever was approved before it counts against it: after the pull nothing goes past the day's dollars."""
    asked = []
    for number in range(40):
        decision = a_decision(abn=f"519000{number:05}")
        asked.append((decision, a_query(decision, amount_cents=ASKED)))
    pulled = threading.Event()

    def pull() -> None:
        with Database.open(url) as database:
            while _approved(url)[1] < 3:
                pulled.wait(0.005)
            for _ in range(_PATIENCE):
                try:
                    with database.transaction() as connection:
                        queries.set_brake(connection, "daily_dollars", NOON, "officer", value=0)
                        before.append(int(connection.execute(COUNT).scalar_one()))
                    return
                except StoreBusy:
                    pulled.wait(0.01)

    before: list[int] = []
    thread = threading.Thread(target=pull)
    thread.start()
    _all_at_once(url, asked, _by_brakes)
    thread.join(60)
    assert len(before) == 1, "it was pulled"
    assert _approved(url) == (before[0] * ASKED, 40), "not one approval after it"
