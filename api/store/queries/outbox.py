"""Messages to be sent after the fact: written with what they tell of, sent by a relay, at least once each.

It does not send anything.
The rule: a message is sent, dead after 20 attempts, or still due; it is never lost.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, case, func, insert, literal, select, update

from api.store.moment import Moment
from api.store.prepared import Prepared
from api.store.tables import outbox

ATTEMPTS_MAX = 20


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to be sent, at once or after a while; the receiver drops repeated ones by `dedupe`, `body` is JSON."""

    topic: str
    object_id: str
    dedupe: str
    body: str = "{}"
    wait: timedelta = timedelta()


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


_INSERT = Prepared(insert(outbox).inline())
_IS_DUE = outbox.c.sent_at.is_(None) & outbox.c.dead_at.is_(None)
_DUE = (
    select(outbox)
    .where(_IS_DUE, outbox.c.next_at <= bindparam("now"))
    .order_by(outbox.c.next_at, outbox.c.id)
    .limit(bindparam("page"))
)
_WAITING = select(func.count()).select_from(outbox).where(_IS_DUE)
_DEAD = select(func.count()).select_from(outbox).where(outbox.c.dead_at.is_not(None))


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
            "next_at": at + each.wait,
            "dedupe": each.dedupe,
        }
        for each in messages
    ]
    _INSERT.send_each(connection, rows)


def due_messages(
    connection: Connection, now: datetime, limit: int = 100, topic: str | None = None
) -> tuple[OutboxRow, ...]:
    """The messages to be sent now, of one topic or of all, longest due first; nothing is claimed by reading them."""
    due = _DUE if topic is None else _DUE.where(outbox.c.topic == topic)
    return tuple(OutboxRow(**row) for row in connection.execute(due, {"now": now, "page": limit}).mappings())


def waiting_messages(connection: Connection, topic: str) -> int:
    """How many messages of a topic are neither sent nor dead, due or not."""
    return int(connection.execute(_WAITING.where(outbox.c.topic == topic)).scalar_one())


def dead_messages(connection: Connection) -> int:
    """How many messages were given up and nobody had tried again."""
    return int(connection.execute(_DEAD).scalar_one())


def lease_message(connection: Connection, message: OutboxRow, until: datetime) -> bool:
    """Keep a due message from others until then; False if somebody else was quicker."""
    still = (outbox.c.id == message.id) & _IS_DUE & (outbox.c.next_at == message.next_at)
    return connection.execute(update(outbox).where(still).values(next_at=until)).rowcount == 1


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
