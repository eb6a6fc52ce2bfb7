"""The contract on its final terms: read, and signed by those with authority.

The rules: a signature names the exact text that was shown, by digest; whoever signs says who they are, and that they
read it; the same signature again is the same.
"""

from litestar import Response, get, post
from litestar.params import FromPath
from sqlalchemy import Connection

from api.cases.desk import Desk, tell
from api.contracts.signatories import Mandate
from api.contracts.signing import mandate_for, sign
from api.errors import Problem
from api.journey.guarding import AnyRequest, meant, require_application
from api.journey.pages.decision import seen
from api.journey.pages.documents import case_of
from api.journey.replies import ROUTE, page
from api.journey.sending import CALLER
from api.pages.forms import MOST_BYTES
from api.pages.replies import HEADERS, go_to
from api.store import queries as store
from api.store.queries.applicants import VisitRow
from engine.application import Application
from engine.people import Person

_FAULTS = {"read": "Tick that you read the contract and agree to it", "person_ref": "Choose who signs"}


def _desk(request: AnyRequest) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


@get("/applications/{application_id:str}/contract", **ROUTE)
async def contract(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """The text, who has signed it and who has to, and the line once it is open."""
    visit = await seen(request, application_id)
    return await _page(request, visit, await case_of(request, application_id), {})


async def _page(request: AnyRequest, visit: VisitRow, case: store.CaseRow, faults: dict[str, str]) -> Response[bytes]:
    def look(connection: Connection) -> dict[str, object] | None:
        row = store.contract_of(connection, case.id)
        application = store.get_application(connection, case.application_id)
        if row is None or application is None:
            return None
        mandate = mandate_for(Application.model_validate_json(application.body))
        names = {
            each.ref: Person.model_validate_json(each.body)
            for each in store.people_of(connection, case.application_id)
            if each.body is not None
        }
        signed = {each.person_ref: each for each in store.signatures_of(connection, row.id)}
        capacities = mandate.capacities if isinstance(mandate, Mandate) else ()
        return {
            "id": row.id, "text": row.body.decode(), "sha256": row.body_sha256,
            "line": store.line_of(connection, case.application_id),
            "execution": mandate.execution if isinstance(mandate, Mandate) else "",
            "people": [
                {
                    "ref": ref, "name": f"{names[ref].given_names} {names[ref].family_name}" if ref in names else ref,
                    "capacity": " and ".join(capacity), "signed_at": signed[ref].signed_at if ref in signed else None,
                }
                for ref, capacity in capacities
            ],
        }  # fmt: skip

    told = await _desk(request).shell.database.read(look)
    if told is None:
        raise Problem("not-found")
    return page(
        request, "contract", status=422 if faults else 200, visit=visit, told=told, application_id=case.application_id,
        faults=faults,
    )  # fmt: skip


@get("/applications/{application_id:str}/contract.txt", **ROUTE)
async def text(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """The very bytes that are signed, to keep."""
    await seen(request, application_id)
    case = await case_of(request, application_id)
    row = await _desk(request).shell.database.read(lambda connection: store.contract_of(connection, case.id))
    if row is None:
        raise Problem("not-found")
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{row.id}.txt"'}
    return Response(row.body, media_type="text/plain", headers=headers)


@post("/applications/{application_id:str}/contract", **ROUTE, request_max_body_size=MOST_BYTES)
async def sign_contract(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """Sign the text that was shown; the line opens with the last signature that is needed."""
    visit, form = await meant(request)
    await require_application(request, visit, application_id)
    case = await case_of(request, application_id)
    faults = {name: words for name, words in _FAULTS.items() if not form.get(name)}
    if faults:
        return await _page(request, visit, case, faults)
    desk = _desk(request)

    def work(connection: Connection) -> None:
        row = store.contract_of(connection, case.id)
        if row is None:
            raise Problem("not-found")
        at = desk.shell.clock()
        signed = sign(connection, row.id, form["person_ref"], form.get("sha256", ""), CALLER.id, at)
        if isinstance(signed, str):
            raise Problem({"another_text": "stale-version", "offer_expired": "offer-expired"}.get(signed, "not-now"))
        if signed.opened:
            tell(desk, connection, "line.opened", case)

    await desk.shell.database.write(work)
    return go_to(f"/applications/{application_id}/contract")


HANDLERS = (contract, text, sign_contract)
