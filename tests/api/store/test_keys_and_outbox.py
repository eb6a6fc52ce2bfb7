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
