"""What an applicant can keep or read up: the receipt of a decision, and how decisions are made by a program.

The rules: the receipt's page prints the file and nothing else; the notice is made from the release that is live.
"""

from litestar import Response, get
from litestar.params import FromPath
from sqlalchemy import Connection

from api.disclosure.notice import notice_of
from api.errors import Problem
from api.journey.guarding import seen, visit_here
from api.journey.replies import ROUTE, page
from api.pages.replies import HEADERS
from api.receipts.making import receipt_of
from api.receipts.view import receipt_view
from api.requests import AnyRequest, settings_of, shell_of
from api.store import queries as store


async def _receipt(request: AnyRequest, application_id: str) -> bytes:
    """The signed file of the decision that stands."""
    settings = settings_of(request)
    signer = settings.receipts.signer(development=settings.development)

    def look(connection: Connection) -> bytes | None:
        row = store.standing_decision(connection, application_id)
        return None if row is None else receipt_of(connection, row.id, signer)

    found = await shell_of(request).database.read(look)
    if found is None:
        raise Problem("not-found")
    return found


@get("/applications/{application_id:str}/receipt", **ROUTE)
async def receipt(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """The receipt, to be printed."""
    visit = await seen(request, application_id)
    view = receipt_view(await _receipt(request, application_id), settings_of(request).lender())
    return page(request, "receipt", visit=visit, view=view, id=application_id)


@get("/applications/{application_id:str}/receipt.json", **ROUTE)
async def receipt_file(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """The signed file, to be kept."""
    await seen(request, application_id)
    headers = {**HEADERS, "Content-Disposition": 'attachment; filename="receipt.json"'}
    return Response(await _receipt(request, application_id), media_type="application/json", headers=headers)


@get("/automated-decisions", **ROUTE)
async def automated_decisions(request: AnyRequest) -> Response[bytes]:
    """Which decisions a program makes, and with what information."""
    notice = notice_of(shell_of(request).release)
    return page(request, "automated_decisions", visit=await visit_here(request), notice=notice)


HANDLERS = (receipt, receipt_file, automated_decisions)
