"""A file that comes piece by piece, so that a bad line costs the last piece and not the whole.

It does: keep sealed pieces in order, say how far a file has come, and hand it over whole. It does not: look into it, or
decide whether it is wanted (api.cases.receiving does). The rules it keeps: a piece counts once it is stored; of two
that come for one place one counts; one who asks takes a whole file in, and the others wait; what does not come whole
within a day is removed, and so is what storage did not remove at once.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from api.applicants.visits import Lobby
from api.cases.desk import Desk
from api.cases.intray import Intray
from api.cases.receiving import MOST_BYTES, Sent, receive_from
from api.documents.storage import StorageDown
from api.errors import FieldProblem, Problem
from api.sealing import CannotOpen
from api.security import Caller, new_id
from api.store import queries as store
from api.store.queries import uploads as kept

LASTS: Final = timedelta(hours=24)
MOST_PIECE: Final = 512_000
MOST_OPEN: Final = 10  # of one case at a time
TAKING: Final = timedelta(seconds=60)  # until another may take a whole file in whose taker was cut off
_AGAIN: Final = frozenset({"dependency-unavailable", "storage-full", "overloaded"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where pieces are kept, and who takes whole files in."""

    lobby: Lobby
    desk: Desk
    intray: Intray


async def begin(place: Place, case: store.CaseRow, sent: Sent, size: int) -> kept.UploadRow:
    """Announce a file. Problems `validation-failed` for a size that no file may have, `quota-exceeded`."""
    if not 0 < size <= MOST_BYTES:
        raise Problem("validation-failed", [FieldProblem("bytes", "range", "At most 10 MB, and not empty")])
    now = place.lobby.clock()
    row = kept.UploadRow(
        id=new_id("upl"), case_id=case.id, kind=sent.kind, person_ref=sent.person_ref, media_type=sent.media_type,
        bytes=size, received=0, pieces=0, created_at=now, expires_at=now + LASTS, taken_until=None, done_at=None,
        document_id=None,
    )  # fmt: skip

    def work(connection: Connection) -> None:
        if kept.open_uploads(connection, case.id, now) >= MOST_OPEN:
            raise Problem("quota-exceeded")
        kept.add_upload(connection, row)

    await place.lobby.database.write(work)
    return row


async def load(place: Place, case: store.CaseRow, upload_id: str) -> kept.UploadRow:
    """A file of this case on its way, or that came; Problem `not-found`, also for one that was given up."""
    row = await place.lobby.database.read(lambda connection: kept.get_upload(connection, upload_id))
    if row is None or row.case_id != case.id or (row.done_at is not None and row.document_id is None):
        raise Problem("not-found")
    if row.done_at is None and row.expires_at <= place.lobby.clock():
        raise Problem("not-found")
    return row


async def add(place: Place, row: kept.UploadRow, offset: int, piece: bytes) -> kept.UploadRow:
    """Keep the piece that begins at `offset`; a piece that is there already changes nothing.

    Problem `stale-version` where another piece is due: the sender asks how far the file has come and goes on there.
    """
    if row.done_at is not None or offset + len(piece) <= row.received:
        return row
    if offset != row.received:
        raise Problem("stale-version")
    if not piece or len(piece) > MOST_PIECE or row.received + len(piece) > row.bytes:
        raise Problem("payload-too-large")
    # Stored before it counts; two tabs that send one file at once store the same bytes.
    try:
        await place.intray.storage.put(_key(row.id, row.pieces), piece)
    except StorageDown:
        raise Problem("dependency-unavailable") from None
    if not await place.lobby.database.write(lambda connection: kept.add_piece(connection, row, len(piece))):
        raise Problem("stale-version")
    after = await place.lobby.database.read(lambda connection: kept.get_upload(connection, row.id))
    assert after is not None, "its row is never removed"
    return after


async def finish(place: Place, caller: Caller, case: store.CaseRow, row: kept.UploadRow) -> bool:
    """Take a whole file in, once; False while something of it is missing. Problem `overloaded` while another does it.

    A file that cannot be taken is given up; where it only cannot be taken now, the same can be asked again.
    """
    if row.done_at is not None or row.received < row.bytes:
        return row.done_at is not None
    now = place.lobby.clock()
    if not await place.lobby.database.write(lambda connection: kept.take_upload(connection, row.id, now, now + TAKING)):
        raise Problem("overloaded")
    sent = Sent(row.kind, row.person_ref, row.media_type)
    try:
        document = await receive_from(place.desk, place.intray, caller, case, sent, _whole(place, row))
    except Problem as problem:
        if problem.slug in _AGAIN:
            await place.lobby.database.write(lambda connection: kept.release_upload(connection, row.id))
        else:
            await _end(place, row, None)
        raise
    await _end(place, row, document.id)
    return True


async def remove_lapsed(place: Place) -> int:
    """Remove what did not come whole within a day, and pieces that storage did not remove before."""
    now = place.lobby.clock()
    late = await place.lobby.database.read(lambda connection: kept.lapsed_uploads(connection, now))
    for row in late:
        await _end(place, row, None)
    return len(late)


async def _whole(place: Place, row: kept.UploadRow) -> AsyncIterator[bytes]:
    """The pieces in their order; they are as many bytes as were counted, or the file is given up."""
    left = row.bytes
    for number in range(row.pieces):
        try:
            piece = await place.intray.storage.get(_key(row.id, number))
        except StorageDown:
            raise Problem("dependency-unavailable") from None
        except (KeyError, CannotOpen):
            raise Problem("validation-failed", [FieldProblem("", "pieces", "A piece is missing")]) from None
        left -= len(piece)
        yield piece
    if left:  # two tabs sent other bytes for one place
        raise Problem("validation-failed", [FieldProblem("", "pieces", "The pieces do not fit together")])


async def _end(place: Place, row: kept.UploadRow, document_id: str | None) -> None:
    """It is over; pieces that storage does not remove now are removed later."""
    now = place.lobby.clock()
    await place.lobby.database.write(lambda connection: kept.finish_upload(connection, row.id, document_id, now))
    try:
        for number in range(row.pieces):
            await place.intray.storage.delete(_key(row.id, number))
    except StorageDown:
        return
    await place.lobby.database.write(lambda connection: kept.empty_upload(connection, row.id))


def _key(upload_id: str, number: int) -> str:
    return f"{upload_id}/{number}"
