"""Compliance: what screening found, and that a customer was identified. Apart from credit, for compliance alone."""

from litestar import Response, get, post
from litestar.params import FromPath

from api.console.loading.compliance import compliance_view
from api.console.pages.replies import ROUTE, message, page, require_id
from api.console.views import Choice, Notice
from api.contracts.signing import record_due_diligence
from api.errors import Problem
from api.pages.forms import read_form
from api.pages.replies import go_to
from api.requests import AnyRequest, desk_of
from api.staff.guarding import member_of

_DONE = Notice("Customer due diligence is recorded complete: the line can be drawn from.")


@get("/console/compliance", opt={"action": "compliance.read"}, **ROUTE)
async def compliance(request: AnyRequest) -> Response[bytes]:
    """Lines whose customer is to be identified, and what screening found."""
    member, notice = member_of(request), _DONE if request.query_params.get("done") else None
    return page(
        request,
        await desk_of(request).shell.database.read(lambda connection: compliance_view(connection, member, notice)),
    )


@post("/console/lines/{line_id:str}/due-diligence", opt={"action": "line.due_diligence"}, **ROUTE)
async def due_diligence(request: AnyRequest, line_id: FromPath[str]) -> Response[bytes]:
    """Record that the customer of a line was identified; once."""
    require_id(line_id)
    desk, member, form = desk_of(request), member_of(request), await read_form(request)
    if form.get("identified") != "yes":
        raise Problem("malformed-request")
    recorded = await desk.shell.database.write(
        lambda connection: record_due_diligence(connection, line_id, member.id, "compliance", desk.shell.clock())
    )
    if not recorded:
        return message(request, Problem("not-now"), Choice("/console/compliance", "To compliance"))
    return go_to("/console/compliance?done=1")


HANDLERS = (compliance, due_diligence)
