"""The contract on its final terms: read, and signed by those with authority.

The rules: a signature names the exact text that was shown, by digest; everybody signs for themselves: whoever applied
on their own page, the others by a link to their own mailbox; the same signature again is the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from sqlalchemy import Connection

from api.applicants import entering
from api.cases.desk import tell
from api.contracts.signatories import Mandate
from api.contracts.signing import mandate_for, sign
from api.errors import Problem
from api.journey.guarding import lobby_of, meant, require_application, require_ours, seen
from api.journey.pages.documents import case_of
from api.journey.replies import ROUTE, link_over, page
from api.journey.sending import CALLER
from api.journey.wording import SIGN
from api.pages.forms import MOST_BYTES, read_form
from api.pages.replies import HEADERS, go_to
from api.requests import AnyRequest, desk_of, shell_of
from api.stated import application_of, people_of
from api.store import queries as store
from api.store.queries import applicants as kept

_FAULTS = {"person_ref": "Say that it is you who signs", "read": "Tick that you read the contract and agree to it"}
_POST = {**ROUTE, "request_max_body_size": MOST_BYTES}
_MOST_TOKEN = 100


@dataclass(frozen=True, slots=True)
class _Signer:
    """Who looks at a contract: by their visit, or by a link of their own; `ref` is the person they are."""

    case: store.CaseRow
    ref: str
    visit: kept.VisitRow | None = None
    token: str = ""

    @property
    def place(self) -> str:
        """Where their page is."""
        return f"/sign/{self.token}" if self.token else f"/applications/{self.case.application_id}/contract"


async def _by_visit(request: AnyRequest, visit: kept.VisitRow, application_id: str) -> _Signer:
    """Whoever applied: the first of the people."""
    case = await case_of(request, application_id)
    stated = await shell_of(request).database.read(lambda connection: application_of(connection, case.application_id))
    return _Signer(case, stated.people[0].ref, visit=visit)


async def _by_link(request: AnyRequest, token: str) -> _Signer | None:
    """Whose link it is; None where it is unknown or too old."""
    link = await entering.personal_link(lobby_of(request), "sign", token[:_MOST_TOKEN])
    if link is None:
        return None
    assert link.application_id is not None
    assert link.person_ref is not None
    return _Signer(await case_of(request, link.application_id), link.person_ref, token=token[:_MOST_TOKEN])


# -- the page ------------------------------------------------------------------------------------------------


@get("/applications/{application_id:str}/contract", **ROUTE)
async def contract(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """The text, who has signed it and who has to, and the line once it is open."""
    visit = await seen(request, application_id)
    return await _page(request, await _by_visit(request, visit, application_id), {})


@get("/sign/{token:str}", **ROUTE)
async def sign_page(request: AnyRequest, token: FromPath[str]) -> Response[bytes]:
    """The same for somebody who was sent a link of their own."""
    signer = await _by_link(request, token)
    return link_over(request) if signer is None else await _page(request, signer, {})


async def _page(request: AnyRequest, signer: _Signer, faults: dict[str, str]) -> Response[bytes]:
    told = await shell_of(request).database.read(lambda connection: _told(connection, signer))
    if told is None:
        raise Problem("not-found")
    return page(
        request, "contract", status=422 if faults else 200, visit=signer.visit, told=told, faults=faults,
        application_id=signer.case.application_id, place=signer.place, token=signer.token,
    )  # fmt: skip


def _told(connection: Connection, signer: _Signer) -> dict[str, Any] | None:
    case = signer.case
    row = store.contract_of(connection, case.id)
    if row is None:
        return None
    people = people_of(connection, case.application_id)
    mandate = mandate_for(application_of(connection, case.application_id))
    signed = {each.person_ref: each for each in store.signatures_of(connection, row.id)}
    capacities = mandate.capacities if isinstance(mandate, Mandate) else ()
    return {
        "id": row.id, "text": row.body.decode(), "sha256": row.body_sha256,
        "line": store.line_of(connection, case.application_id),
        "execution": mandate.execution if isinstance(mandate, Mandate) else "",
        "people": [
            {
                "ref": ref, "name": people[ref].full_name if ref in people else ref, "capacity": " and ".join(capacity),
                "signed_at": signed[ref].signed_at if ref in signed else None, "here": ref == signer.ref,
            }
            for ref, capacity in capacities
        ],
    }  # fmt: skip


@get("/applications/{application_id:str}/contract.txt", **ROUTE)
async def text(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """The very bytes that are signed, to keep."""
    visit = await seen(request, application_id)
    return await _text(request, await _by_visit(request, visit, application_id))


@get("/sign/{token:str}/contract.txt", **ROUTE)
async def sign_text(request: AnyRequest, token: FromPath[str]) -> Response[bytes]:
    """The same for somebody who was sent a link of their own."""
    signer = await _by_link(request, token)
    return link_over(request) if signer is None else await _text(request, signer)


async def _text(request: AnyRequest, signer: _Signer) -> Response[bytes]:
    row = await shell_of(request).database.read(lambda connection: store.contract_of(connection, signer.case.id))
    if row is None:
        raise Problem("not-found")
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{row.id}.txt"'}
    return Response(row.body, media_type="text/plain; charset=utf-8", headers=headers)


# -- signing -------------------------------------------------------------------------------------------------


@post("/applications/{application_id:str}/contract", **_POST)
async def sign_contract(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """Sign the text that was shown; the others are then sent links, and the line opens with the last signature."""
    visit, form = await meant(request)
    await require_application(request, visit, application_id)
    return await _signed(request, await _by_visit(request, visit, application_id), form)


@post("/sign", **_POST)
async def sign_by_link(request: AnyRequest) -> Response[bytes]:
    """The same for somebody who was sent a link of their own, which stands in the form."""
    require_ours(request)
    form = await read_form(request)
    signer = await _by_link(request, form.get("token", ""))
    return link_over(request) if signer is None else await _signed(request, signer, form)


async def _signed(request: AnyRequest, signer: _Signer, form: Mapping[str, str]) -> Response[bytes]:
    if faults := {name: words for name, words in _FAULTS.items() if not form.get(name)}:
        return await _page(request, signer, faults)
    desk, case = desk_of(request), signer.case

    def work(connection: Connection) -> None:
        row = store.contract_of(connection, case.id)
        if row is None:
            raise Problem("not-found")
        if form["person_ref"] != signer.ref:  # everybody for themselves
            raise Problem("not-now")
        done = sign(connection, row.id, signer.ref, form.get("sha256", ""), CALLER.id, desk.shell.clock())
        if isinstance(done, str):
            raise Problem({"another_text": "stale-version", "offer_expired": "offer-expired"}.get(done, "not-now"))
        if done.opened:
            tell(desk, connection, "line.opened", case)
        elif done.line is None and signer.visit is not None and not done.repeated:
            _ask_others(request, connection, signer, row.id)

    await desk.shell.database.write(work)
    return go_to(signer.place)


@post("/applications/{application_id:str}/contract/links", **_POST)
async def ask_others(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """Send those who have not signed a link of their own, again where the first was lost."""
    visit, _ = await meant(request)
    await require_application(request, visit, application_id)
    signer = await _by_visit(request, visit, application_id)

    def work(connection: Connection) -> None:
        row = store.contract_of(connection, signer.case.id)
        if row is None:
            raise Problem("not-found")
        if store.line_of(connection, application_id) is None:
            _ask_others(request, connection, signer, row.id)

    await shell_of(request).database.write(work)
    return go_to(signer.place)


def _ask_others(request: AnyRequest, connection: Connection, signer: _Signer, contract_id: str) -> None:
    mandate = mandate_for(application_of(connection, signer.case.application_id))
    people = people_of(connection, signer.case.application_id)
    done = {each.person_ref for each in store.signatures_of(connection, contract_id)}
    for ref, _ in mandate.capacities if isinstance(mandate, Mandate) else ():
        if ref in people and ref not in done and ref != signer.ref:
            entering.send_personal_link(
                lobby_of(request), connection, "sign", signer.case.application_id, ref, people[ref].email,
                f"{request.app.state.sending.page}/sign", SIGN,
            )  # fmt: skip


HANDLERS = (contract, sign_page, text, sign_text, sign_contract, sign_by_link, ask_others)
