"""Keys open until they are revoked or expire; messages are due until they are sent or dead."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from api.store import queries
from api.store.database import Database
from api.store.queries import CallerKey, NewMessage
from tests.support.records import NOON, digest_of

KEY = CallerKey(
    id="key_1",
    name="Marketplace",
    scopes=frozenset({"applications:write", "decisions:read"}),
    secret_sha256=digest_of("secret"),
    prefix="cl_live_abcd",
    created_at=NOON,
    expires_at=NOON + timedelta(days=365),
)


def test_a_key_is_found_by_the_digest_of_its_secret(database: Database) -> None:
    """It comes back as it was put in; another digest finds nothing."""
    with database.transaction() as connection:
        queries.add_key(connection, KEY)
        assert queries.find_key_by_sha(connection, digest_of("secret")) == KEY
        assert queries.find_key_by_sha(connection, digest_of("guess")) is None
        assert queries.list_keys(connection) == (KEY,)


def test_two_keys_cannot_have_one_secret(database: Database) -> None:
    """The digest of a secret names one caller."""
    with database.transaction() as connection:
        queries.add_key(connection, KEY)
    with pytest.raises(IntegrityError), database.transaction() as connection:
        queries.add_key(connection, replace(KEY, id="key_2"))


def test_a_key_is_revoked_once_and_stays_known(database: Database) -> None:
    """A revoked key is found and is not valid; so is one that has expired."""
    later = NOON + timedelta(days=1)
    with database.transaction() as connection:
        queries.add_key(connection, KEY)
        queries.touch_key(connection, "key_1", later)
        assert queries.revoke_key(connection, "key_1", later)
        assert not queries.revoke_key(connection, "key_1", later)
        assert not queries.revoke_key(connection, "key_none", later)
        kept = queries.find_key_by_sha(connection, KEY.secret_sha256)
    assert kept == replace(KEY, revoked_at=later, last_used_at=later)
    assert not kept.is_valid(later)
    assert KEY.is_valid(later)
    assert not KEY.is_valid(NOON + timedelta(days=365))


def test_messages_are_due_in_order_until_sent(database: Database) -> None:
    """The longest due comes first; a sent one is not due again and cannot be sent twice."""
    with database.transaction() as connection:
        for number, minutes in enumerate((5, 0, 10)):
            message = NewMessage("decided", "dec_1", f"m{number}")
            queries.add_message(connection, message, NOON + timedelta(minutes=minutes))
        due = queries.due_messages(connection, NOON + timedelta(minutes=6))
        assert [each.dedupe for each in due] == ["m1", "m0"]
        assert queries.mark_sent(connection, due[0].id, NOON)
        assert not queries.mark_sent(connection, due[0].id, NOON)
        assert [each.dedupe for each in queries.due_messages(connection, NOON + timedelta(minutes=6))] == ["m0"]
        assert len(queries.due_messages(connection, NOON + timedelta(hours=1), limit=1)) == 1


def test_a_message_dies_after_twenty_attempts(database: Database) -> None:
    """Nineteen failures put it off, the twentieth takes it out of the queue and leaves it to be looked at."""
    with database.transaction() as connection:
        queries.add_message(connection, NewMessage("decided", "dec_1", "m"), NOON)
        (message,) = queries.due_messages(connection, NOON)
        for attempt in range(1, 21):
            next_at = NOON + timedelta(minutes=attempt)
            assert queries.mark_failed(connection, message.id, next_at)
            assert len(queries.due_messages(connection, next_at)) == (1 if attempt < 20 else 0)
        assert not queries.mark_failed(connection, message.id, NOON)


def test_a_message_is_written_once(database: Database) -> None:
    """A second message with the same `dedupe` is refused."""
    message = NewMessage("decided", "dec_1", "same")
    with database.transaction() as connection:
        queries.add_message(connection, message, NOON)
    with pytest.raises(IntegrityError), database.transaction() as connection:
        queries.add_message(connection, message, NOON)


def test_a_message_waits_as_long_as_it_was_told(database: Database) -> None:
    """Written with a wait it is due after that, not before."""
    with database.transaction() as connection:
        queries.add_message(connection, NewMessage("wanted", "dec_1", "m", wait=timedelta(seconds=5)), NOON)
        assert queries.due_messages(connection, NOON + timedelta(seconds=4.9)) == ()
        assert len(queries.due_messages(connection, NOON + timedelta(seconds=5))) == 1


def test_a_listener_reads_its_own_topic(database: Database) -> None:
    """One topic's messages are found apart from the others, up to a limit; without a topic all are."""
    with database.transaction() as connection:
        for number, topic in enumerate(("made", "wanted", "made", "wanted")):
            queries.add_message(connection, NewMessage(topic, "dec_1", f"m{number}"), NOON)

        def due(limit: int = 100, topic: str | None = None) -> list[str]:
            return [each.dedupe for each in queries.due_messages(connection, NOON, limit, topic)]

        assert (due(topic="wanted"), due(1, "wanted"), due(topic="other")) == (["m1", "m3"], ["m1"], [])
        assert len(due()) == 4


def test_a_leased_message_is_one_workers(database: Database) -> None:
    """Of two who read it due one leases it; when the lease has lapsed it is due again, with as many attempts."""
    until = NOON + timedelta(minutes=1)
    with database.transaction() as connection:
        queries.add_message(connection, NewMessage("wanted", "dec_1", "m"), NOON)
        (message,) = queries.due_messages(connection, NOON)
        assert queries.lease_message(connection, message, until)
        assert not queries.lease_message(connection, message, until)
        assert queries.due_messages(connection, until - timedelta(microseconds=1)) == ()
        (again,) = queries.due_messages(connection, until)
        assert again == replace(message, next_at=until)
        assert queries.lease_message(connection, again, until + timedelta(minutes=1))


@pytest.mark.parametrize("sent", [True, False])
def test_a_message_that_is_over_cannot_be_leased(database: Database, sent: bool) -> None:
    """Sent or dead: whoever still holds it as due finds out."""
    with database.transaction() as connection:
        queries.add_message(connection, NewMessage("wanted", "dec_1", "m"), NOON)
        (message,) = queries.due_messages(connection, NOON)
        for _ in range(1 if sent else queries.ATTEMPTS_MAX):
            assert (
                queries.mark_sent(connection, message.id, NOON)
                if sent
                else queries.mark_failed(connection, message.id, NOON)
            )
        assert not queries.lease_message(connection, message, NOON + timedelta(minutes=1))
