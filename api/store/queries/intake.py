"""Applications taken in that have no decision yet: kept before outside sources are asked, so that none is lost.

Whoever works on one holds a lease under a token of its own; when the lease has lapsed, the next request with the
same key or the completer takes over. It does not decide. `body` (an uploaded statement, perhaps) goes when the row
is done; the row stays as long as the application.
The rule: only the holder of the newest token may finish it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from api.store.errors import InFlight
from api.store.prepared import Prepared
from api.store.queries.applications import NewApplication, NewPerson, insert_application
from api.store.queries.idempotency import find_idempotent
from api.store.tables import intake

_LOCK_NOT_AVAILABLE = "55P03"
_KEY = ["caller_id", "route", "key"]
ATTEMPTS_MAX = 20  # after so many the completer leaves it to people; the caller's own retry is still taken


@dataclass(frozen=True, slots=True)
class NewIntake:
    """An application to be kept for a decision; `owner` is a token that nobody else has."""

    caller_id: str
    route: str
    key: str
    fingerprint: str
    body: bytes
    owner: str
    lease: timedelta


@dataclass(frozen=True, slots=True)
class IntakeRow:
    """An application that waits for its decision."""

    caller_id: str
    route: str
    key: str
    fingerprint: str
    application_id: str
    received_at: datetime
    body: bytes | None
    owner: str
    lease_until: datetime
    attempts: int
    done_at: datetime | None

    def is_held(self, now: datetime) -> bool:
        """Whether somebody's lease on it runs still."""
        return self.done_at is None and self.lease_until > now


_MATCH = (
    (intake.c.caller_id == bindparam("its_caller"))
    & (intake.c.route == bindparam("its_route"))
    & (intake.c.key == bindparam("its_key"))
)
# Each gives back the key of the row that it changed.
_INSERT = Prepared(
    {
        name: dialect.insert(intake).on_conflict_do_nothing(index_elements=_KEY).returning(intake.c.key)
        for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
    }
)
_FIND = Prepared(select(intake).where(_MATCH))
_LEASE = Prepared(
    update(intake)
    .where(_MATCH, intake.c.done_at.is_(None), intake.c.owner == bindparam("before"))
    .values(owner=bindparam("after"), lease_until=bindparam("until"), attempts=intake.c.attempts + 1)
    .returning(intake.c.key)
)
_REOPEN = Prepared(
    update(intake)
    .where(_MATCH, intake.c.done_at.is_not(None), intake.c.owner == bindparam("before"))
    .values(owner=bindparam("after"), lease_until=bindparam("until"), attempts=1, done_at=None, body=bindparam("again"))
    .returning(intake.c.key)
)
_FINISH = Prepared(
    update(intake)
    .where(_MATCH, intake.c.done_at.is_(None), intake.c.owner == bindparam("before"))
    .values(done_at=bindparam("at"), body=None)
    .returning(intake.c.key)
)
_RELEASE = Prepared(
    update(intake)
    .where(_MATCH, intake.c.owner == bindparam("before"))
    .values(lease_until=bindparam("at"))
    .returning(intake.c.key)
)
_LAPSED = (
    select(intake)
    .where(intake.c.done_at.is_(None), intake.c.lease_until < bindparam("before"), intake.c.attempts < ATTEMPTS_MAX)
    .order_by(intake.c.lease_until)
    .limit(1)
)


def find_intake(connection: Connection, caller_id: str, route: str, key: str) -> IntakeRow | None:
    """What was taken in under this key, if anything."""
    row = _FIND.first(connection, _key(caller_id, route, key))
    return None if row is None else IntakeRow(*row)


def take_in(
    connection: Connection, new: NewIntake, application: NewApplication, people: tuple[NewPerson, ...]
) -> IntakeRow | None:
    """Keep an application for its decision; or, where this key was taken in before, take that row over.

    None where it is new. Raises InFlight while somebody else's lease runs, or where it has just been decided (the
    reply is then to be read under the key). One that was refused undecided begins anew. The caller compares
    fingerprints.
    """
    until = application.received_at + new.lease
    found = find_intake(connection, new.caller_id, new.route, new.key)
    if found is None:
        insert_application(connection, application, people)
        _insert(connection, new, application, until)
        return None
    if found.fingerprint != new.fingerprint:
        return found
    if found.is_held(application.received_at):
        raise InFlight("the same key is being worked on")
    if found.done_at is None:
        return _taken_over(connection, found, new.owner, until)
    if find_idempotent(connection, new.caller_id, new.route, new.key) is not None:
        raise InFlight("the same key has just been decided")
    return _taken_over(connection, replace(found, body=new.body), new.owner, until, _REOPEN, again=new.body)


def _insert(connection: Connection, new: NewIntake, application: NewApplication, until: datetime) -> None:
    """Raises InFlight where another transaction was quicker, which undoes the application too."""
    values = {
        "caller_id": new.caller_id, "route": new.route, "key": new.key, "fingerprint": new.fingerprint,
        "application_id": application.id, "received_at": application.received_at, "body": new.body,
        "owner": new.owner, "lease_until": until, "attempts": 1,
    }  # fmt: skip
    if not _changed(connection, _INSERT, values):
        raise InFlight("the same key was taken in a moment ago")


def take_over_lapsed(
    connection: Connection, now: datetime, owner: str, lease: timedelta, patience: timedelta
) -> IntakeRow | None:
    """The application whose lease lapsed longest ago, at least `patience` since, now held by `owner`; or None."""
    row = connection.execute(_LAPSED, {"before": now - patience}).first()
    return None if row is None else _taken_over(connection, IntakeRow(*row), owner, now + lease)


def _taken_over(
    connection: Connection, row: IntakeRow, owner: str, until: datetime, change: Prepared = _LEASE, **more: bytes
) -> IntakeRow:
    values = {**_key(row.caller_id, row.route, row.key), "before": row.owner, "after": owner, "until": until, **more}
    if not _changed(connection, change, values):
        raise InFlight("somebody else was quicker")
    return row


def _changed(connection: Connection, statement: Prepared, values: Mapping[str, object]) -> bool:
    """Whether a statement changed its row; raises InFlight where another transaction holds the row for too long."""
    try:
        return statement.first(connection, values) is not None
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise InFlight("the same key is being worked on") from error
        raise


def finish_intake(connection: Connection, caller_id: str, route: str, key: str, owner: str, at: datetime) -> None:
    """The decision is kept in this transaction; raises InFlight where somebody else has taken over."""
    if not _changed(connection, _FINISH, {**_key(caller_id, route, key), "before": owner, "at": at}):
        raise InFlight("somebody else has taken over")


def release_intake(connection: Connection, caller_id: str, route: str, key: str, owner: str, at: datetime) -> None:
    """Let go of it undecided, so that the next to ask may take over at once."""
    _changed(connection, _RELEASE, {**_key(caller_id, route, key), "before": owner, "at": at})


def _key(caller_id: str, route: str, key: str) -> dict[str, str]:
    return {"its_caller": caller_id, "its_route": route, "its_key": key}
