"""A case's documents: what is done with one, its pages as pictures, and the file as it was sent.

The rule: a browser is shown nothing that a stranger made but pictures that we drew; the file itself is an attachment.
"""

from typing import Final

from litestar import Response, get, post
from litestar.params import FromPath

from api.cases import working
from api.cases.acts import Actor
from api.cases.checking import needed_of
from api.cases.intray import Intray
from api.console.loading.documents import SHOWABLE, redactions_of
from api.console.pages.forms import Form, acting
from api.console.pages.replies import ROUTE, require_id
from api.documents.confinement import ChildFailed
from api.errors import FieldProblem, Problem
from api.requests import AnyRequest, desk_of
from api.staff.guarding import Member
from api.store import queries as store
from engine.verification.documents import KINDS

Box = tuple[int, int, int, int, int]
_ENDINGS: Final = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}
_CONFINED: Final = {
    "Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store", "Cross-Origin-Resource-Policy": "same-origin",
}  # fmt: skip
_MOST_DIGITS = 4
_MOST_DRAWN = 64  # pages of a hundred kB or so
_DRAWN: dict[tuple[str, int, tuple[Box, ...]], bytes] = {}  # used last stands last


async def _document_of(request: AnyRequest, document_id: str) -> store.DocumentRow:
    require_id(document_id)
    row = await desk_of(request).shell.database.read(lambda connection: store.get_document(connection, document_id))
    if row is None:
        raise Problem("not-found")
    return row


@post("/console/documents/{document_id:str}/record", opt={"action": "case.record"}, **ROUTE)
async def record(request: AnyRequest, document_id: FromPath[str]) -> Response[bytes]:
    """Write down what a document says."""
    document = await _document_of(request, document_id)

    async def act(form: Form, version: int, member: Member) -> store.CaseRow:
        actor, fields = Actor(member.id, "verifier"), _fields(form, document.kind)
        return await working.record(desk_of(request), document.case_id, version, actor, document.id, fields)

    place = f"/console/cases/{document.case_id}#{document.id}"
    return await acting(request, document.case_id, f"record-{document.id}", act, place)


@post("/console/documents/{document_id:str}/accept", opt={"action": "case.accept"}, **ROUTE)
async def accept(request: AnyRequest, document_id: FromPath[str]) -> Response[bytes]:
    """Rely on a document; what was typed beside it is written down first."""
    document = await _document_of(request, document_id)

    async def act(form: Form, version: int, member: Member) -> store.CaseRow:
        desk, actor, fields = desk_of(request), Actor(member.id, "verifier"), _fields(form, document.kind)
        await _require_said(request, document, fields)
        if fields:
            noted = await working.record(desk, document.case_id, version, actor, document.id, fields)
            version = noted.version
        return await working.accept_document(desk, document.case_id, version, actor, document.id)

    return await acting(request, document.case_id, f"record-{document.id}", act)


@post("/console/documents/{document_id:str}/return", opt={"action": "case.return"}, **ROUTE)
async def return_document(request: AnyRequest, document_id: FromPath[str]) -> Response[bytes]:
    """Send a document back."""
    document = await _document_of(request, document_id)

    async def act(form: Form, version: int, member: Member) -> store.CaseRow:
        actor, reason, words = Actor(member.id, "verifier"), form.get("reason", ""), form.get("words", "")
        desk = desk_of(request)
        return await working.return_document(desk, document.case_id, version, actor, document.id, reason, words)

    return await acting(request, document.case_id, f"return-{document.id}", act)


async def _require_said(request: AnyRequest, document: store.DocumentRow, fields: Form) -> None:
    """Look, before anything is written, whether all that has to be recorded is there."""
    recorded = await desk_of(request).shell.database.read(
        lambda connection: {
            each.field for each in store.latest_values(connection, document.case_id) if each.document_id == document.id
        }
    )
    missing = [name for name in needed_of(document.kind) if name not in recorded and name not in fields]
    if missing:
        raise Problem("validation-failed", [FieldProblem(name, "missing", "Record it first") for name in missing])


def _fields(form: Form, kind: str) -> dict[str, str]:
    """The fields of a document that were filled in."""
    names = {f"field.{each.name}": each.name for each in KINDS[kind].fields}
    return {names[name]: value for name, value in form.items() if name in names and value.strip()}


@get("/console/documents/{document_id:str}/pages/{page:str}", opt={"action": "document.read"}, **ROUTE)
async def document_page(request: AnyRequest, document_id: FromPath[str], page: FromPath[str]) -> Response[bytes]:
    """A page as a picture of our own making, with what must not be seen blacked out."""
    document = await _document_of(request, document_id)
    number = page.removesuffix(".png")
    if not (number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS):
        raise Problem("not-found")
    if not 1 <= int(number) <= (document.pages or 0):
        raise Problem("not-found")
    picture = await _picture_of(request, document, int(number))
    headers = {**_CONFINED, "Content-Disposition": 'inline; filename="page.png"'}
    return Response(picture, media_type="image/png", headers=headers)


async def _picture_of(request: AnyRequest, document: store.DocumentRow, page: int) -> bytes:
    """One page, drawn by a confined process; the last ones are kept in memory, since each act shows the case again."""
    _require_kept(document)
    checks = await desk_of(request).shell.database.read(lambda connection: store.checks_of(connection, document.id))
    boxes = tuple(redactions_of(checks))
    key = (document.sha256, page, boxes)
    picture = _DRAWN.pop(key, None)
    if picture is None:
        try:
            picture = await _intray(request).inspector.render(await _content_of(request, document), page, boxes)
        except ChildFailed:
            raise Problem("not-found") from None
    _DRAWN[key] = picture
    if len(_DRAWN) > _MOST_DRAWN:
        del _DRAWN[next(iter(_DRAWN))]
    return picture


@get("/console/documents/{document_id:str}/original", opt={"action": "document.original"}, **ROUTE)
async def original(request: AnyRequest, document_id: FromPath[str]) -> Response[bytes]:
    """The file as it was sent, as an attachment under a name of ours."""
    document = await _document_of(request, document_id)
    content = await _content_of(request, document)
    name = f"{document.id}.{_ENDINGS.get(document.media_type or '', 'bin')}"
    headers = {**_CONFINED, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/octet-stream", headers=headers)


async def _content_of(request: AnyRequest, document: store.DocumentRow) -> bytes:
    """What was sent, of a document that was found to be harmless and is kept."""
    _require_kept(document)
    return await _intray(request).storage.get(document.storage_key or "")


def _require_kept(document: store.DocumentRow) -> None:
    if document.state not in SHOWABLE or document.storage_key is None:
        raise Problem("not-found")


def _intray(request: AnyRequest) -> Intray:
    intray: Intray = request.app.state.intray
    return intray


HANDLERS = (record, accept, return_document, document_page, original)
