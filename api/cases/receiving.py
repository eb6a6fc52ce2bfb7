"""Taking in a document: who may send it, how many and how large, and its first row.

It does: check that the case wants such a document, stream the file to quarantine, and keep it with its event. It does
not: look into it. The rules it keeps: nothing of a file is believed before a process of its own has looked at it; what
was not kept in the database is removed from storage.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from litestar import Request
from sqlalchemy import Connection

from api.bodies import pieces
from api.cases.acts import Actor, act
from api.cases.desk import Desk
from api.cases.intray import Intray
from api.cases.wanted import stand
from api.documents.receiving import MOST_BYTES, quarantine
from api.documents.storage import StorageDown
from api.errors import FieldProblem, Problem
from api.security import Caller, new_id
from api.store import queries as store
from api.store.errors import OutcomeUnknown
from engine.verification.documents import KINDS

__all__ = ["MOST_BYTES", "Sent", "receive", "receive_from"]

RECEIVE_SECONDS = 120.0  # for 10 MB over a bad line
MOST_FILES, MOST_CASE_BYTES = 40, 160_000_000  # of one case, those that were returned included
MOST_A_DAY = 30  # files of one case within 24 hours
_TYPES = frozenset({"application/pdf", "image/png", "image/jpeg"})
_TAKING = frozenset({"waiting", "open", "claimed"})


@dataclass(frozen=True, slots=True)
class Sent:
    """What a sender says of a file."""

    kind: str
    person_ref: str | None
    media_type: str


async def receive(
    desk: Desk, intray: Intray, caller: Caller, case: store.CaseRow, sent: Sent, request: Request[Any, Any, Any]
) -> store.DocumentRow:
    """Keep the body of a request as one document of a case; the problems of `receive_from`."""
    return await receive_from(desk, intray, caller, case, sent, pieces(request, RECEIVE_SECONDS))


async def receive_from(
    desk: Desk, intray: Intray, caller: Caller, case: store.CaseRow, sent: Sent, stream: AsyncIterator[bytes]
) -> store.DocumentRow:
    """Keep one document of a case. Raises Problem `unsupported-media-type`, `validation-failed` for a kind that is not
    wanted, `not-now` where the case takes none any more, `quota-exceeded`, `payload-too-large`, `overloaded` where too
    many are on their way in, `storage-full`, `dependency-unavailable`.
    """
    if sent.media_type.partition(";")[0].strip().lower() not in _TYPES:
        raise Problem("unsupported-media-type")
    await desk.shell.database.read(lambda connection: _check(desk, connection, case, sent))
    document_id = new_id("doc")
    with intray.door.entered():
        stored = await quarantine(stream, intray.storage, document_id)

    def work(connection: Connection) -> store.DocumentRow:
        at = desk.shell.clock()
        store.hold_case(connection, case.id)  # of two files at once both are taken, one after the other
        now = _check(desk, connection, case, sent)
        row = store.insert_document(
            connection,
            store.NewDocument(
                id=document_id, case_id=case.id, kind=sent.kind, received_from=caller.id, bytes=stored.bytes,
                sha256=stored.sha256, storage_key=stored.key, person_ref=sent.person_ref,
            ),
            at,
        )  # fmt: skip
        details = {"kind": sent.kind, "sha256": stored.sha256, "bytes": stored.bytes}
        act(connection, now, "document_received", Actor(caller.id, "caller"), at, details=details, document_id=row.id)
        return row

    try:
        row = await desk.shell.database.write(work)
    except OutcomeUnknown:
        raise  # the row may be there: the file stays
    except BaseException:
        with suppress(StorageDown):  # what went wrong first is what is told
            await intray.storage.delete(stored.key)
        raise
    intray.arrived.set()
    return row


def _check(desk: Desk, connection: Connection, case: store.CaseRow, sent: Sent) -> store.CaseRow:
    """The case as it is now; a Problem where this document cannot be taken."""
    found = store.get_case(connection, case.id)
    if found is None or found.state not in _TAKING:
        raise Problem("not-now")
    standing = stand(connection, found)
    wanted = [each for each in standing.wanted if each.kind == sent.kind]
    if sent.kind not in KINDS or not wanted:
        raise Problem("validation-failed", [FieldProblem("kind", "not_wanted", "The case does not want this kind")])
    people = {each.person_ref for each in wanted}
    if None not in people and sent.person_ref not in people:
        raise Problem("validation-failed", [FieldProblem("person_ref", "not_wanted", "Say whose document it is")])
    day_ago = desk.shell.clock() - timedelta(days=1)
    lately = sum(each.received_at > day_ago for each in standing.documents)
    if (
        len(standing.documents) >= MOST_FILES
        or lately >= MOST_A_DAY
        or sum(each.bytes for each in standing.documents) >= MOST_CASE_BYTES
    ):
        raise Problem("quota-exceeded")
    return found
