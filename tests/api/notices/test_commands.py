"""`creditline outbox` shows what was not sent, and has the dead tried again."""

from datetime import timedelta

import pytest

from api.notices import commands
from api.store.database import Database
from api.store.queries import ATTEMPTS_MAX, NewMessage, add_message, due_messages, mark_failed, mark_sent
from tests.support.commands import ran, run
from tests.support.records import NOON


@pytest.fixture
def filled(database: Database, url: str) -> str:
    """Four messages: one due, one sent, two dead."""
    with database.transaction() as connection:
        for number in range(4):
            add_message(connection, NewMessage("notice.mail", f"case_{number}", f"m{number}", '{"canary":1}'), NOON)
        _, sent, *dead = due_messages(connection, NOON)
        mark_sent(connection, sent.id, NOON)
        for message in dead:
            for _ in range(ATTEMPTS_MAX):
                mark_failed(connection, message.id, NOON + timedelta(hours=1))
    return url


def test_what_was_not_sent_is_listed_without_what_it_says(filled: str) -> None:
    """The due one and the dead ones, or the dead alone; never a sent one, nor a body."""
    lines = ran(filled, "outbox", "list").splitlines()
    assert [line.split()[0] for line in lines] == ["1", "3", "4"]
    assert lines[0].endswith("case_0  0 attempts, due 2026-11-23T01:00:00+00:00")
    assert lines[1].endswith("case_2  20 attempts, dead since 2026-11-23T02:00:00+00:00")
    assert ran(filled, "outbox", "list", "--dead").splitlines() == lines[1:]
    assert "canary" not in "".join(lines)


def test_dead_messages_are_tried_again(filled: str, database: Database) -> None:
    """By number, or all of them: due now, with all their attempts; a due or sent one is left alone."""
    assert ran(filled, "outbox", "retry", 1, 2, 3, 99) == "1 tried again\n"
    with database.transaction(read_only=True) as connection:
        due = {each.id: each.attempts for each in due_messages(connection, NOON.replace(year=2099))}
    assert due == {1: 0, 3: 0}
    assert ran(filled, "outbox", "retry", "--dead") == "1 tried again\n"
    assert ran(filled, "outbox", "retry", "--dead") == "0 tried again\n"
    assert ran(filled, "outbox", "list", "--dead") == ""


@pytest.mark.parametrize("words", [(), (3, "--dead"), (0,)])
def test_it_has_to_be_said_which(url: str, words: tuple[object, ...]) -> None:
    """Neither numbers nor --dead, both, or a number that there cannot be: a usage error."""
    assert run(url, "outbox", "retry", *words).exit_code == 2


def test_a_long_list_comes_in_pages_and_has_an_end(
    filled: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page by page none is told twice or missed, until the limit."""
    monkeypatch.setattr(commands, "_PAGE", 2)
    with database.transaction() as connection:
        for number in range(5):
            add_message(connection, NewMessage("notice.mail", "case_9", f"n{number}"), NOON)
    assert [line.split()[0] for line in commands.listed(filled, dead=False)] == ["1", "3", "4", "5", "6", "7", "8", "9"]
    monkeypatch.setattr(commands, "MOST_LISTED", 4)
    assert len(list(commands.listed(filled, dead=False))) == 4
