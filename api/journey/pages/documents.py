"""After the offer: which documents are wanted and why, sending them, the clock, and what became of each.

The rules: everything shown is the public reply of the case; a file is sent whole by a form, or piece by piece by the
page's script, and either way taken in by the one way there is.
"""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, Final

from litestar import Response, get, post, put
from litestar.params import FromPath
from sqlalchemy import Connection

from api.applicants import uploads
from api.applicants.uploads import MOST_PIECE, Place
from api.bodies import whole_body
from api.cases.receiving import MOST_BYTES, Sent, receive_from
from api.cases.replies import case_reply
from api.cases.wanted import stand
from api.errors import FieldProblem, Problem
from api.journey.guarding import lobby_of, meant, meant_with_files, require_application, require_ours, seen
from api.journey.replies import ROUTE, page
from api.journey.sending import CALLER
from api.pages.replies import HEADERS, go_to
from api.requests import AnyRequest, desk_of, shell_of
from api.stated import people_of
from api.store import queries as store
from api.store.queries.applicants import VisitRow
from api.store.queries.uploads import UploadRow

_MOST_DIGITS: Final = 9
_WORDS = {
    "unsupported-media-type": "Send a PDF, PNG or JPEG file",
    "validation-failed": "Choose a file that is not empty",
    "payload-too-large": "The file is larger than 10 MB: send fewer pages, or a smaller picture",
    "quota-exceeded": "More files than can be taken in one day: go on tomorrow, or ask us",
    "not-now": "No more documents can be taken for this application",
}
Told = dict[str, Any]


def _place(request: AnyRequest) -> Place:
    return Place(lobby_of(request), desk_of(request), request.app.state.intray)


async def case_of(request: AnyRequest, application_id: str) -> store.CaseRow:
    """The case of an application that the visit may see; Problem `not-found` where no offer was accepted."""
    case = await shell_of(request).database.read(
        lambda connection: store.case_of_application(connection, application_id)
    )
    if case is None:
        raise Problem("not-found")
    return case


@get("/applications/{application_id:str}/documents", **ROUTE)
async def documents(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """The list of what is wanted, with its state, and the clock."""
    visit = await seen(request, application_id)
    return await _page(request, visit, await case_of(request, application_id), {})


async def _page(request: AnyRequest, visit: VisitRow, case: store.CaseRow, faults: dict[str, str]) -> Response[bytes]:
    shell = shell_of(request)

    def look(connection: Connection) -> tuple[Told, dict[str, str], bool]:
        found: Told = json.loads(case_reply(stand(connection, case), shell.clock()))
        names = {ref: each.full_name for ref, each in people_of(connection, case.application_id).items()}
        return found, names, store.contract_of(connection, case.id) is not None

    told, names, contract = await shell.database.read(look)
    clock = told["clock"]
    return page(
        request, "documents", status=422 if faults else 200, visit=visit, told=told, names=names, faults=faults,
        contract=contract, most_mb=MOST_BYTES // 1_000_000, clock=clock,
        due_at=_moment(clock["due_at"]), held_until=_moment(told["held_until"]),
        elapsed=timedelta(seconds=clock["elapsed_seconds"]), paused=timedelta(seconds=clock["paused_seconds"]),
        share=min(clock["elapsed_seconds"] / 864, 100.0),
    )  # fmt: skip


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


# -- a whole file by a form ----------------------------------------------------------------------------------


@post("/applications/{application_id:str}/documents", **ROUTE, request_max_body_size=MOST_BYTES + 50_000)
async def send(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """Take files of one kind from a form; what cannot be taken is told beside it."""
    require_ours(request)
    visit = await seen(request, application_id)
    case = await case_of(request, application_id)
    form, files = await meant_with_files(request, visit)
    kind, person = form.get("kind", ""), form.get("person_ref") or None
    name = f"file-{kind}-{person or ''}"
    if not files:
        return await _page(request, visit, case, {name: "Choose a file first"})
    for each in files:
        try:
            sent = Sent(kind, person, each.media_type)
            await receive_from(desk_of(request), request.app.state.intray, CALLER, case, sent, _whole(each.content))
        except Problem as problem:
            if problem.slug not in _WORDS:
                raise
            return await _page(request, visit, case, {name: _WORDS[problem.slug]})
    return go_to(f"/applications/{application_id}/documents#{name}")


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content


# -- piece by piece by the page's script ---------------------------------------------------------------------


@post("/applications/{application_id:str}/uploads", **ROUTE, request_max_body_size=1_000)
async def announce(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """Announce a file: its kind, whose it is, its type and size stand in the query."""
    visit, _ = await meant(request)
    await require_application(request, visit, application_id)
    told = request.query_params
    sent = Sent(told.get("kind", ""), told.get("person_ref") or None, told.get("type", ""))
    row = await uploads.begin(_place(request), await case_of(request, application_id), sent, _number(told.get("bytes")))
    return _progress(row, 201)


@get("/applications/{application_id:str}/uploads/{upload_id:str}", **ROUTE)
async def progress(request: AnyRequest, application_id: FromPath[str], upload_id: FromPath[str]) -> Response[bytes]:
    """How far a file has come."""
    await seen(request, application_id)
    return _progress(await uploads.load(_place(request), await case_of(request, application_id), upload_id))


@put("/applications/{application_id:str}/uploads/{upload_id:str}", **ROUTE, request_max_body_size=MOST_PIECE)
async def piece(request: AnyRequest, application_id: FromPath[str], upload_id: FromPath[str]) -> Response[bytes]:
    """One more piece; with the last the file is taken in."""
    visit, _ = await meant(request)
    await require_application(request, visit, application_id)
    place, case = _place(request), await case_of(request, application_id)
    row = await uploads.load(place, case, upload_id)
    offset = _number(request.query_params.get("offset"))
    row = await uploads.add(place, row, offset, await whole_body(request, seconds=60.0))
    return _progress(row, done=await uploads.finish(place, CALLER, case, row))


def _number(text: str | None) -> int:
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise Problem("validation-failed", [FieldProblem("", "number", "A whole number")])
    return int(text)


def _progress(row: UploadRow, status: int = 200, *, done: bool = False) -> Response[bytes]:
    told = {"upload_id": row.id, "received": row.received, "bytes": row.bytes, "done": done or row.done_at is not None,
            "most_piece": MOST_PIECE}  # fmt: skip
    return Response(json.dumps(told).encode(), status_code=status, media_type="application/json", headers=HEADERS)


HANDLERS = (documents, send, announce, progress, piece)
