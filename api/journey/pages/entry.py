"""Coming back: by a one-time code to one's own address; the list of one's applications; signing out; confirming.

The rule: no answer tells whether an address is known, and a link does nothing before a button was pressed.
"""

from litestar import Response, get, post
from litestar.params import FromPath
from sqlalchemy import Connection

from api.applicants import entering, visits
from api.applicants.entering import CODE_LASTS
from api.errors import Problem
from api.journey.form.fields import Field, Wrong, clean
from api.journey.guarding import lobby_of, meant, require_ours, visit_here
from api.journey.replies import ROUTE, link_over, page
from api.journey.wording import CODE
from api.pages.forms import MOST_BYTES, read_form
from api.pages.replies import go_to
from api.requests import AnyRequest, address_of
from api.stated import application_of
from api.store import queries as store
from api.store.queries import applicants as kept
from engine.application import Application
from engine.decision import Decision

_POST = {**ROUTE, "request_max_body_size": MOST_BYTES}
_EMAIL = Field("email", "E-mail address", "Enter the e-mail address that you applied with", "email")
_MOST_TYPED = 254


@get("/sign-in", **ROUTE)
async def sign_in_page(request: AnyRequest) -> Response[bytes]:
    """The address that a code is sent to."""
    return page(request, "sign_in", visit=await visit_here(request), email="", faults={})


@post("/sign-in", **_POST)
async def sign_in(request: AnyRequest) -> Response[bytes]:
    """Send a code, or seem to: the answer is the same for every address."""
    require_ours(request)
    email = (await read_form(request)).get("email", "")[:_MOST_TYPED]
    try:
        _EMAIL.value({"email": email})
    except Wrong as wrong:
        return page(request, "sign_in", status=422, email=email, faults={"email": wrong.words})
    if await entering.send_code(lobby_of(request), clean(email), address_of(request), CODE) == "waiting":
        raise Problem("rate-limited")
    return page(request, "sign_in_code", email=clean(email), faults={}, minutes=CODE_LASTS.seconds // 60)


@post("/sign-in/code", **_POST)
async def code(request: AnyRequest) -> Response[bytes]:
    """Let in whoever shows the code; the address travels in the form, so that nothing of it stands in a URL."""
    require_ours(request)
    form, visit = await read_form(request), await visit_here(request)
    email = form.get("email", "")[:_MOST_TYPED]
    opened = await entering.enter(lobby_of(request), email, form.get("code", "")[:20], address_of(request), visit)
    if opened == "waiting":
        raise Problem("rate-limited")
    if isinstance(opened, str):
        words = "That is not the code, or it is older than 15 minutes: check it, or ask for another"
        minutes = CODE_LASTS.seconds // 60
        return page(request, "sign_in_code", status=422, email=email, faults={"code": words}, minutes=minutes)
    return go_to("/my", [visits.cookie(opened.token)])


@post("/sign-out", **_POST)
async def sign_out(request: AnyRequest) -> Response[bytes]:
    """End the visit, here and in the browser."""
    visit, _ = await meant(request)
    await visits.end(lobby_of(request), visit)
    return go_to("/", [visits.no_cookie()])


@get("/my", **ROUTE)
async def mine(request: AnyRequest) -> Response[bytes]:
    """The applications of who is signed in, and the one of this visit."""
    visit = await visit_here(request)
    if visit is None:
        return go_to("/sign-in")

    def look(connection: Connection) -> list[dict[str, object]]:
        ids = list(kept.applications_held(connection, visit.applicant_id)) if visit.applicant_id else []
        draft = kept.get_draft(connection, visit.draft_id) if visit.draft_id else None
        if draft is not None and draft.application_id is not None and draft.application_id not in ids:
            ids.insert(0, draft.application_id)
        return [_line(connection, each) for each in ids]

    lines = await lobby_of(request).database.read(look)
    return page(request, "my", visit=visit, lines=lines)


def _line(connection: Connection, application_id: str) -> dict[str, object]:
    row, decided = (
        store.get_application(connection, application_id),
        store.standing_decision(connection, application_id),
    )
    assert row is not None, "an application that is held is there"
    stated = Application.model_validate_json(row.body)
    return {
        "id": application_id,
        "name": stated.business.legal_name,
        "requested_cents": stated.request.amount_cents,
        "received_at": row.received_at,
        "outcome": None if decided is None else Decision.model_validate_json(decided.body).outcome,
        "case": store.case_of_application(connection, application_id),
    }


# -- a second person confirms --------------------------------------------------------------------------------


@get("/confirm/{token:str}", **ROUTE)
async def confirm_page(request: AnyRequest, token: FromPath[str]) -> Response[bytes]:
    """What was said of somebody, for them to confirm; neither figures nor the decision."""
    link = await entering.personal_link(lobby_of(request), "confirm", token[:100])
    if link is None:
        return link_over(request)
    told = await lobby_of(request).database.read(lambda connection: _stated(connection, link))
    return page(request, "confirm", token=token[:100], told=told, done=link.used_at is not None)


@post("/confirm", **_POST)
async def confirm(request: AnyRequest) -> Response[bytes]:
    """Note that the person confirmed."""
    require_ours(request)
    token = (await read_form(request)).get("token", "")[:100]
    link = await entering.personal_link(lobby_of(request), "confirm", token)
    if link is None:
        raise Problem("not-found")
    await entering.confirm(lobby_of(request), link)
    return go_to(f"/confirm/{token}")


def _stated(connection: Connection, link: kept.LinkRow) -> dict[str, object]:
    assert link.application_id is not None
    stated = application_of(connection, link.application_id)
    person = next(each for each in stated.people if each.ref == link.person_ref)
    return {"business": stated.business.legal_name, "abn": stated.business.abn, "roles": person.roles,
            "ownership_bps": person.ownership_bps}  # fmt: skip


HANDLERS = (sign_in_page, sign_in, code, sign_out, mine, confirm_page, confirm)
