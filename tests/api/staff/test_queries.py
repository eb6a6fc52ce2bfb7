"""The store's part of staff sign-in, on both databases: what is unique, what is taken once, what stays for good."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from api.store import queries as store
from tests.support.staffing import House


def test_a_login_is_one_members_for_good(both: House) -> None:
    """A second one is refused, also after the first was disabled."""
    person = both.member()
    with both.database.transaction() as connection:
        store.disable_staff(connection, person.id, both.clock())
    with pytest.raises(IntegrityError):
        both.member()


@pytest.mark.parametrize("table", ["staff", "sign_in"])
def test_staff_and_attempts_are_never_deleted(both: House, table: str) -> None:
    """The database refuses, whoever asks."""
    both.member()
    with both.database.transaction() as connection:
        store.add_attempt_to_sign_in(connection, both.clock(), "a" * 64, "b" * 64, 1)
    with pytest.raises(IntegrityError, match="append-only"), both.database.transaction() as connection:
        connection.execute(text(f"DELETE FROM {table}"))


def test_what_works_once_is_taken_once(both: House) -> None:
    """A link, a step of the code, a recovery code, a challenge, a counter, a session's end: a second finds it gone."""
    person, now = both.member(), both.clock()
    sha = "c" * 64
    key = store.Passkey("id", person.id, b"key", 5, "Key", now)
    with both.database.transaction() as connection:
        store.add_enrolment(connection, sha, person.id, now, now + timedelta(hours=1))
        store.set_recovery_codes(connection, person.id, [sha])
        store.open_session(connection, store.NewSession(sha, person.id, "full", "t", now, now + timedelta(hours=8)))
        store.set_challenge(connection, sha, "challenge")
        store.add_passkey(connection, key)

        def both_times() -> list[bool]:
            return [
                store.use_enrolment(connection, sha, now),
                store.take_totp_step(connection, person.id, 7),
                store.use_recovery_code(connection, person.id, sha, now),
                store.take_challenge(connection, sha, "challenge"),
                store.use_passkey(connection, key, 6, now),
                store.end_session(connection, sha, now),
            ]

        assert both_times() == [True] * 6
        assert both_times() == [False] * 6
        assert not store.take_totp_step(connection, person.id, 6)
        assert store.take_totp_step(connection, person.id, 8)
        assert store.use_passkey(connection, replace(key, sign_count=6), 7, now)


def test_a_link_that_is_over_is_not_taken(both: House) -> None:
    """At its end it is no good, and a member who was disabled has none."""
    person, now = both.member(), both.clock()
    with both.database.transaction() as connection:
        store.add_enrolment(connection, "d" * 64, person.id, now, now + timedelta(hours=1))
        assert store.enrolment_of(connection, "d" * 64, now + timedelta(minutes=59)) is not None
        assert store.enrolment_of(connection, "d" * 64, now + timedelta(hours=1)) is None
        assert not store.use_enrolment(connection, "d" * 64, now + timedelta(hours=1))
        store.disable_staff(connection, person.id, now)
        assert store.enrolment_of(connection, "d" * 64, now) is None


def test_attempts_are_counted_by_login_and_by_address(both: House) -> None:
    """The last row of a login says how many failures in a row; an address counts its failures since a moment."""
    now, login, address = both.clock(), "a" * 64, "b" * 64
    with both.database.transaction() as connection:
        assert store.attempts_of_login(connection, login) == store.Attempts()
        for minute, failures in enumerate((1, 2, 0, 1)):
            at = now + timedelta(minutes=minute)
            store.add_attempt_to_sign_in(connection, at, login, address, failures)
        last = now + timedelta(minutes=3)
        assert store.attempts_of_login(connection, login) == store.Attempts(1, last)
        assert store.attempts_of_address(connection, address, now) == store.Attempts(2, last)
        assert store.attempts_of_address(connection, "e" * 64, now) == store.Attempts(0, None)


def test_no_repr_shows_what_is_kept(both: House) -> None:
    """A member's and a session's name neither person nor token."""
    person, now = both.member(), both.clock()
    with both.database.transaction() as connection:
        store.open_session(
            connection, store.NewSession("f" * 64, person.id, "full", "a-token", now, now + timedelta(hours=8))
        )
        found = store.session_by_sha(connection, "f" * 64)
    assert found is not None
    assert [word for word in ("Vera", "argon2", "f" * 64, "a-token") if word in repr(found)] == []
