"""What `creditline outbox` does: show messages that were not sent, and have dead ones tried again.

It does not: send (the worker does), or show what a message says: ids, topics and times are enough to look into it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from api.store.database import Database
from api.store.queries.notices import revive_message, unsent_messages
from api.store.queries.outbox import OutboxRow

MOST_LISTED = 1_000
_PAGE = 500


def listed(database_url: str, *, dead: bool) -> Iterator[str]:
    """A line for each message that was not sent, or for each dead one, oldest first; a thousand at the most."""
    with Database.open(database_url) as database, database.transaction(read_only=True) as connection:
        after = seen = 0
        while seen < MOST_LISTED and (page := unsent_messages(connection, after, _PAGE, dead=dead)):
            yield from map(_line, page)
            after, seen = page[-1].id, seen + len(page)


def retry(database_url: str, message_ids: tuple[int, ...]) -> int:
    """Let these dead messages be tried again, or every one of them where none is named; how many there were."""
    at, revived = datetime.now(UTC), 0
    with Database.open(database_url) as database, database.transaction() as connection:
        if message_ids:
            return sum(revive_message(connection, each, at) for each in message_ids)
        while page := unsent_messages(connection, limit=_PAGE, dead=True):
            revived += sum(revive_message(connection, each.id, at) for each in page)
    return revived


def _line(message: OutboxRow) -> str:
    state = f"dead since {_moment(message.dead_at)}" if message.dead_at else f"due {_moment(message.next_at)}"
    return f"{message.id:>8}  {message.topic:<16} {message.object_id}  {message.attempts} attempts, {state}"


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
