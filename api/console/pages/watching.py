"""Watching: what the monitor says of the release in service; for risk, and for auditors."""

from asyncio import to_thread

from litestar import Response, get

from api.console.loading.watching import watching_view
from api.console.pages.replies import ROUTE, page
from api.requests import AnyRequest, shell_of


@get("/console/watching", opt={"action": "risk.read"}, **ROUTE)
async def watching(request: AnyRequest) -> Response[bytes]:
    """Alarms in words, drawings and tables, or why there are none."""
    shell = shell_of(request)
    held = await to_thread(request.app.state.watching.look)  # a year of weeks takes a moment to parse
    return page(request, watching_view(held, shell.release.name, shell.clock()))


HANDLERS = (watching,)
