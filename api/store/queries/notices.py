"""What senders of notices and those who look after them ask: one person, and messages that are due or dead.

It does not send, nor know what a message says.
The rule: a dead message stays until somebody has it tried again.
"""

from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from api.store.queries.applications import PersonRow
from api.store.queries.outbox import OutboxRow
from api.store.tables import outbox, person

_PERSON = select(person).where(person.c.ref == bindparam("sought"))
_OPEN = select(outbox).where(outbox.c.sent_at.is_(None), outbox.c.id > bindparam("after")).order_by(outbox.c.id)
_IS_DEAD = outbox.c.dead_at.is_not(None)


def get_person(connection: Connection, ref: str) -> PersonRow | None:
    """One person by reference; the body is gone where the person was erased."""
    row = connection.execute(_PERSON, {"sought": ref}).mappings().first()
    return None if row is None else PersonRow(**row)


def unsent_messages(
    connection: Connection, after: int = 0, limit: int = 100, *, dead: bool = False
) -> tuple[OutboxRow, ...]:
    """Messages that were not sent, or the dead ones of them alone, in the order in which they were written."""
    wanted = _OPEN.where(_IS_DEAD) if dead else _OPEN
    return tuple(OutboxRow(**row) for row in connection.execute(wanted.limit(limit), {"after": after}).mappings())


def revive_message(connection: Connection, message_id: int, at: datetime) -> bool:
    """Let a dead message be tried again from `at` on, as if it were new; False where there is none."""
    dead = (outbox.c.id == message_id) & _IS_DEAD
    changed = update(outbox).where(dead).values(dead_at=None, attempts=0, next_at=at)
    return connection.execute(changed).rowcount == 1
