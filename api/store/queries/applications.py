"""Applications as they were received, and the people in them, who are kept apart so that they can be erased.

It does not parse bodies: they are kept and given back byte for byte.
The rule: an application is never changed.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from api.store.prepared import Prepared
from api.store.tables import application, person


@dataclass(frozen=True, slots=True)
class NewApplication:
    """What is to be kept of an application; `body` is its canonical JSON, with people by their refs only."""

    id: str
    caller_id: str
    received_at: datetime
    abn: str
    body: bytes
    channel: str


@dataclass(frozen=True, slots=True)
class NewPerson:
    """One person of an application; `body` is JSON text."""

    ref: str
    role: str
    body: str


@dataclass(frozen=True, slots=True)
class ApplicationRow:
    """An application as kept."""

    id: str
    caller_id: str
    received_at: datetime
    abn: str
    body: bytes
    body_sha256: str
    channel: str


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person as kept; `body` is gone once `erased_at` is set."""

    ref: str
    application_id: str
    role: str
    body: str | None
    erased_at: datetime | None


_INSERT = Prepared(insert(application))
_INSERT_PEOPLE = Prepared(insert(person))
_BY_ID = Prepared(select(application).where(application.c.id == bindparam("sought")))
_PEOPLE = select(person).where(person.c.application_id == bindparam("sought")).order_by(person.c.ref)


def insert_application(connection: Connection, new: NewApplication, people: tuple[NewPerson, ...]) -> str:
    """Keep an application and its people; returns the digest of its body."""
    body_sha256 = hashlib.sha256(new.body).hexdigest()
    _INSERT.send(
        connection,
        {
            "id": new.id,
            "caller_id": new.caller_id,
            "received_at": new.received_at,
            "abn": new.abn,
            "body": new.body,
            "body_sha256": body_sha256,
            "channel": new.channel,
        },
    )
    rows = [{"ref": each.ref, "application_id": new.id, "role": each.role, "body": each.body} for each in people]
    _INSERT_PEOPLE.send_each(connection, rows)
    return body_sha256


def get_application(connection: Connection, application_id: str) -> ApplicationRow | None:
    """One application by its id."""
    row = _BY_ID.first(connection, {"sought": application_id})
    return None if row is None else ApplicationRow(*row)


def people_of(connection: Connection, application_id: str) -> tuple[PersonRow, ...]:
    """The people of an application, the erased ones as empty rows."""
    return tuple(PersonRow(**row) for row in connection.execute(_PEOPLE, {"sought": application_id}).mappings())


def erase_person(connection: Connection, ref: str, at: datetime) -> bool:
    """Erase what is kept of one person; False if there is no such person or it was erased before."""
    kept = (person.c.ref == ref) & person.c.erased_at.is_(None)
    return connection.execute(update(person).where(kept).values(body=None, erased_at=at)).rowcount == 1
