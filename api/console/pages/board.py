"""The board, its moving part, and taking the next case; with the console's own files."""

from typing import Final

from litestar import Response, get, post
from litestar.params import FromPath

from api.cases import working
from api.cases.acts import Actor
from api.console.loading.board import board_view
from api.console.pages.replies import ROUTE, page
from api.console.rendering import ASSETS, live_board
from api.console.views import BoardView, Notice
from api.errors import Problem
from api.pages.forms import read_form
from api.pages.replies import HEADERS, asset_reply, go_to
from api.requests import AnyRequest, desk_of
from api.staff.guarding import member_of
from api.staff.pages.replies import ACCOUNT
from api.store import queries as store
from engine.verification.states import LIVE

STAGES: Final[tuple[tuple[store.StageName, str], ...]] = (("verify", "verifier"), ("approve", "approver"))
_NOTHING = Notice("There is nothing for you to take at this moment.", "warn")


@get("/console/static/{name:str}", opt={"public": True}, include_in_schema=False)
async def static(name: FromPath[str]) -> Response[bytes]:
    """One of the console's own files, under an address that names its bytes."""
    asset = ASSETS.get(name)
    if asset is None:
        raise Problem("not-found")
    return asset_reply(asset)


@get("/console", opt={"action": "session.own"}, **ROUTE)
async def board(request: AnyRequest) -> Response[bytes]:
    """The board, of all states or of one; who has no board is led to their account, since signing in leads here."""
    if not member_of(request).may("board.read"):
        return go_to(ACCOUNT)
    return page(request, await _view(request, _NOTHING if request.query_params.get("none") else None))


@get("/console/board/version", opt={"action": "board.read"}, **ROUTE)
async def board_version(request: AnyRequest) -> Response[bytes]:
    """The board's moving part, or 304 where it is what the page has."""
    live = live_board(await _view(request), csrf=member_of(request).csrf)
    headers = {**HEADERS, "ETag": f'"{live.version}"'}
    if request.headers.get("if-none-match") == f'"{live.version}"':
        return Response(b"", status_code=304, headers=headers)
    return Response(live.body, media_type="text/html", headers=headers)


async def _view(request: AnyRequest, notice: Notice | None = None) -> BoardView:
    desk, member, state = desk_of(request), member_of(request), request.query_params.get("state")
    if state is not None and state not in LIVE:
        raise Problem("not-found")
    return await desk.shell.database.read(
        lambda connection: board_view(connection, member, desk.shell.clock(), state, notice)
    )


@post("/console/next", opt={"action": "case.claim"}, **ROUTE)
async def take_next(request: AnyRequest) -> Response[bytes]:
    """Take the next case, of the stage that was named or else of the first in which there is one, and go to it."""
    form, member = await read_form(request), member_of(request)
    wanted = form.get("stage", "")
    stages = [(stage, role) for stage, role in STAGES if role in member.roles and wanted in {"", stage}]
    if not stages:
        raise Problem("forbidden")
    for stage, role in stages:
        case = await working.claim_next(desk_of(request), stage, Actor(member.id, role))
        if case is not None:
            return go_to(f"/console/cases/{case.id}")
    return go_to("/console?none=1")


HANDLERS = (static, board, board_version, take_next)
