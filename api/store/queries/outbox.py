"""Messages to be sent after the fact: written with what they tell of, sent by a relay, at least once each.

It does not send anything.
The rule: a message is sent, dead after 20 attempts, or still due; it is never lost.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, insert, literal, select, update

from api.store.moment import Moment
from api.store.tables import outbox

ATTEMPTS_MAX = 20


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to be sent; the receiver drops repeated ones by `dedupe`, and `body` is JSON text."""

    topic: str
    object_id: str
    dedupe: str
    body: str = "{}"


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message as kept."""

    id: int
    at: datetime
    topic: str
    object_id: str
    body: str
    attempts: int
    next_at: datetime
    sent_at: datetime | None
    dead_at: datetime | None
    dedupe: str


_INSERT = insert(outbox)
_IS_DUE = outbox.c.sent_at.is_(None) & outbox.c.dead_at.is_(None)
_DUE = (
    select(outbox)
    .where(_IS_DUE, outbox.c.next_at <= bindparam("now"))
    .order_by(outbox.c.next_at, outbox.c.id)
    .limit(bindparam("page"))
)


def add_message(connection: Connection, message: NewMessage, at: datetime) -> None:
    """Keep a message, due at once; raises IntegrityError if its `dedupe` is there already."""
    insert_messages(connection, (message,), at)


def insert_messages(connection: Connection, messages: tuple[NewMessage, ...], at: datetime) -> None:
    """Keep several messages at once."""
    rows = [
        {
            "at": at,
            "topic": each.topic,
            "object_id": each.object_id,
            "body": each.body,
            "attempts": 0,
            "next_at": at,
            "dedupe": each.dedupe,
        }
        for each in messages
    ]
    if rows:
        connection.execute(_INSERT, rows)


def due_messages(connection: Connection, now: datetime, limit: int = 100) -> tuple[OutboxRow, ...]:
    """The messages to be sent now, longest due first; for the one relay, since nothing is claimed."""
    return tuple(OutboxRow(**row) for row in connection.execute(_DUE, {"now": now, "page": limit}).mappings())


def mark_sent(connection: Connection, message_id: int, at: datetime) -> bool:
    """Note that a message was sent; False if it was no longer due."""
    due = (outbox.c.id == message_id) & _IS_DUE
    changed = update(outbox).where(due).values(sent_at=at, attempts=outbox.c.attempts + 1)
    return connection.execute(changed).rowcount == 1


def mark_failed(connection: Connection, message_id: int, next_at: datetime) -> bool:
    """Note a failed attempt: due again at `next_at`, or dead from then on after the last one."""
    due = (outbox.c.id == message_id) & _IS_DUE
    is_last = outbox.c.attempts + 1 >= ATTEMPTS_MAX
    changed = (
        update(outbox)
        .where(due)
        .values(
            attempts=outbox.c.attempts + 1,
            next_at=next_at,
            dead_at=case((is_last, literal(next_at, Moment())), else_=None),
        )
    )
    return connection.execute(changed).rowcount == 1
