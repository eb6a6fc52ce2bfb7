"""Files that come piece by piece, in the store: how far each has come, and who takes it in when it is whole.

It does not know storage or cases (api.applicants.uploads does).
The rule: of two pieces for one place one counts, and of two who take a whole file in one does.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, or_, select, update

from api.store.tables import upload


@dataclass(frozen=True, slots=True)
class UploadRow:
    """A file on its way: how much of it has come, in how many pieces."""

    id: str
    case_id: str
    kind: str
    person_ref: str | None
    media_type: str
    bytes: int
    received: int
    pieces: int
    created_at: datetime
    expires_at: datetime
    taken_until: datetime | None
    done_at: datetime | None
    document_id: str | None


def add_upload(connection: Connection, row: UploadRow) -> None:
    """Keep a file that is going to come."""
    connection.execute(insert(upload), {name: getattr(row, name) for name in UploadRow.__slots__})


def get_upload(connection: Connection, upload_id: str) -> UploadRow | None:
    """One by its id."""
    row = connection.execute(select(upload).where(upload.c.id == upload_id)).mappings().first()
    return None if row is None else UploadRow(**row)


def open_uploads(connection: Connection, case_id: str, now: datetime) -> int:
    """How many files of a case are on their way."""
    running = (upload.c.case_id == case_id) & upload.c.done_at.is_(None) & (upload.c.expires_at > now)
    return int(connection.execute(select(func.count()).where(running)).scalar_one())


def add_piece(connection: Connection, seen: UploadRow, size: int) -> bool:
    """Count one more piece; False where another came first."""
    same = (upload.c.id == seen.id) & (upload.c.received == seen.received) & upload.c.done_at.is_(None)
    values = {"received": seen.received + size, "pieces": seen.pieces + 1}
    return connection.execute(update(upload).where(same).values(**values)).rowcount == 1


def take_upload(connection: Connection, upload_id: str, now: datetime, until: datetime) -> bool:
    """Be the one who takes a whole file in, until a moment; False where somebody is, or it is done."""
    free = (upload.c.id == upload_id) & upload.c.done_at.is_(None)
    free &= upload.c.taken_until.is_(None) | (upload.c.taken_until <= now)
    return connection.execute(update(upload).where(free).values(taken_until=until)).rowcount == 1


def release_upload(connection: Connection, upload_id: str) -> None:
    """Let the next who asks take the file in."""
    connection.execute(update(upload).where(upload.c.id == upload_id).values(taken_until=None))


def finish_upload(connection: Connection, upload_id: str, document_id: str | None, at: datetime) -> bool:
    """Note that a file is whole and became a document, or is given up; False where that was noted before."""
    running = (upload.c.id == upload_id) & upload.c.done_at.is_(None)
    values = {"document_id": document_id, "done_at": at}
    return connection.execute(update(upload).where(running).values(**values)).rowcount == 1


def empty_upload(connection: Connection, upload_id: str) -> None:
    """Nothing of its pieces is in storage any more."""
    connection.execute(update(upload).where(upload.c.id == upload_id).values(pieces=0))


def lapsed_uploads(connection: Connection, now: datetime, most: int = 20) -> tuple[UploadRow, ...]:
    """Files that did not come whole in time, and those of whose pieces something may still be in storage."""
    left = or_(upload.c.done_at.is_(None), upload.c.pieces > 0)
    late = select(upload).where(upload.c.expires_at <= now, left).limit(most)
    return tuple(UploadRow(**row) for row in connection.execute(late).mappings())
