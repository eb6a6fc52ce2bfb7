"""Pulling and lifting brakes: one command and one line, sworn in the chain, obeyed by the next decision everywhere."""

import getpass
import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from api.store import queries
from api.store.database import Database
from tests.support.businesses import AS_OF
from tests.support.commands import failed, ran, run
from tests.support.neighbours import NeighbourSources, body_for
from tests.support.releases import fake_release
from tests.support.service import Clock, opened

WHY = ("--because", "Losses in building are rising.")


def _last_entry(url: str) -> dict[str, object]:
    with Database.open(url) as database, database.transaction(read_only=True) as connection:
        assert queries.verify_audit(connection) is None
        told: dict[str, object] = json.loads(queries.audit_tail(connection, 1)[0].body)
        return told


@pytest.mark.parametrize(
    ("words", "told", "listed"),
    [
        (("refer-all",), "refer everything", "refer everything  since"),
        (("refer-all", "--segment", "division:E"), "refer division:E", "refer division:E  since"),
        (
            ("daily-dollars", "--dollars", 500_000),
            "refer everything beyond $500,000 approved a day (Sydney)",
            "a day (Sydney) ($0 today)  since",
        ),
        (
            ("daily-dollars", "--dollars", 0, "--segment", "entity:trust"),
            "refer entity:trust beyond $0 approved a day (Sydney)",
            "($0 today)",
        ),
        (
            ("concentration", "--segment", "state:NSW", "--percent", 12.5),
            "refer state:NSW beyond 12.5 % of the open book",
            "of the open book (0.00 % now)",
        ),
        (
            ("concentration", "--segment", "group", "--percent", 5),
            "refer one linked group beyond 5 % of the open book",
            "of the open book  since",
        ),
    ],
)
def test_a_brake_is_pulled_listed_and_lifted(url: str, words: tuple[object, ...], told: str, listed: str) -> None:
    """Each says in one line what holds; the list shows who and why; the chain has it without the words."""
    operator = f"operator/{getpass.getuser()}"
    assert ran(url, "brake", "pull", *words, *WHY) == f"brake 1 holds from now on: {told}\n"
    entry = _last_entry(url)
    assert (entry["actor"], entry["action"], entry["object"]) == (operator, "pull_brake", "brake/1")
    assert "Losses" not in str(entry)
    (line,) = ran(url, "brake", "list").splitlines()
    assert line.startswith(f"1  {told}")
    assert listed in line
    assert line.endswith(f"by {operator}: {WHY[1]}")
    assert ran(url, "brake", "lift", 1, "--because", "It is over.") == "brake 1 is lifted; in force now: none\n"
    assert (_last_entry(url)["action"], _last_entry(url)["object"]) == ("lift_brake", "brake/1")
    assert ran(url, "brake", "list") == "no brake is in force\n"


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("pull", "refer-all", "--segment", "division:Z"), "a segment is all, or division:A"),
        (("pull", "refer-all", "--dollars", 5), "refer-all takes neither --dollars nor --percent"),
        (("pull", "daily-dollars"), "daily-dollars takes --dollars and nothing else"),
        (("pull", "daily-dollars", "--dollars", 5, "--percent", 5), "daily-dollars takes --dollars"),
        (("pull", "concentration", "--segment", "state:NSW"), "concentration takes --percent"),
        (("pull", "concentration", "--percent", 5), "a concentration needs a segment"),
        (("pull", "concentration", "--segment", "state:NSW", "--percent", 100), "less than the whole"),
        (("pull", "concentration", "--segment", "state:NSW", "--percent", "nan"), "more than nothing"),
        (("pull", "refer-all", "--because", "two\nlines"), "a reason is one line"),
        (("pull", "refer-all", "--because", "x" * 501), "a reason is one line of at most 500"),
        (("lift", 7, *WHY), "no brake 7 is in force"),
    ],
)
def test_what_cannot_be_pulled_or_lifted_is_one_line(sqlite_url: str, words: tuple[object, ...], fault: str) -> None:
    """Each mistake is told in words, leaves nothing behind and is no traceback."""
    assert fault in failed(sqlite_url, "brake", *words)
    with Database.open(sqlite_url) as database, database.transaction(read_only=True) as connection:
        assert queries.audit_tail(connection) == ()


def test_a_brake_is_lifted_once_and_why_is_kept(sqlite_url: str) -> None:
    """The second lifting is an error; both reasons stay in the record."""
    ran(sqlite_url, "brake", "pull", "refer-all", *WHY)
    ran(sqlite_url, "brake", "lift", 1, "--because", "It is over.")
    assert "no brake 1 is in force" in failed(sqlite_url, "brake", "lift", 1, *WHY)
    with Database.open(sqlite_url) as database, database.transaction(read_only=True) as connection:
        brake = connection.execute(text("SELECT because, lifted_because FROM brake")).one()
    assert (brake.because, brake.lifted_because) == (WHY[1], "It is over.")
    assert run(sqlite_url, "brake", "lift", 1).exit_code == 2, "a lifting without a reason is no command"


def test_the_next_decision_on_every_worker_obeys(url: str) -> None:
    """Two workers with a database opened each: both refer after the command, and neither after the lifting."""
    workers = [opened(url, sources=NeighbourSources(), release=fake_release(), clock=Clock(AS_OF)) for _ in range(2)]
    with workers[0] as one, workers[1] as other:

        def outcomes(first: int) -> list[str]:
            replies = [worker.apply(body_for(first + place)) for place, worker in enumerate((one, other))]
            return [reply.json()["outcome"] for reply in replies]

        assert outcomes(0) == ["approve", "approve"]
        ran(url, "brake", "pull", "refer-all", "--segment", "state:VIC", *WHY)
        assert outcomes(2) == ["refer", "refer"], "though the workers' clocks stand before the pull"
        ran(url, "brake", "lift", 1, "--because", "It is over.")
        for worker in (one, other):
            worker.state.shell.clock.now = datetime.now(UTC)
        assert outcomes(4) == ["approve", "approve"]
