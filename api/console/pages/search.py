"""Finding a case. The rule: what is looked for is sent by POST, so that no name or number stands in an address."""

from litestar import Response, get, post

from api.console.loading.board import search_view
from api.console.pages.replies import ROUTE, page
from api.console.views import SearchView
from api.pages.forms import read_form
from api.pages.replies import go_to
from api.requests import AnyRequest, desk_of
from api.staff.guarding import member_of

_MOST_CHARACTERS = 200


@get("/console/search", opt={"action": "board.read"}, **ROUTE)
async def search(request: AnyRequest) -> Response[bytes]:
    """An empty search page."""
    return page(request, SearchView())


@post("/console/search", opt={"action": "board.read"}, status_code=200, **ROUTE)
async def found(request: AnyRequest) -> Response[bytes]:
    """What was found; where it is one case alone, the case."""
    desk, member = desk_of(request), member_of(request)
    query = (await read_form(request)).get("q", "")[:_MOST_CHARACTERS]
    view = await desk.shell.database.read(lambda connection: search_view(connection, member, desk.shell.clock(), query))
    if len(view.lines) == 1 and member.may("case.read"):
        return go_to(f"/console/cases/{view.lines[0].id}")
    return page(request, view)


HANDLERS = (search, found)
