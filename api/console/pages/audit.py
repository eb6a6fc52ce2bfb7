"""The audit page: the chain, as it is kept, newest first."""

from litestar import Response, get

from api.console.loading.audit import audit_view
from api.console.pages.replies import ROUTE, page
from api.errors import Problem
from api.requests import AnyRequest, desk_of

_MOST_DIGITS = 12


@get("/console/audit", opt={"action": "audit.read"}, **ROUTE)
async def audit(request: AnyRequest) -> Response[bytes]:
    """The end of the audit chain, or the entries before one."""
    before = request.query_params.get("before", "")
    if before and not (before.isascii() and before.isdigit() and len(before) <= _MOST_DIGITS):
        raise Problem("not-found")
    desk, checkpoints = desk_of(request), request.app.state.checkpoints
    now = desk.shell.clock()
    return page(
        request,
        await desk.shell.database.read(
            lambda connection: audit_view(connection, checkpoints, now, int(before) if before else None)
        ),
    )


HANDLERS = (audit,)
