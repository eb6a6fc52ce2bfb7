"""What can be done with a case, apart from its documents and the verdict on it."""

from collections.abc import Awaitable
from datetime import timedelta

from litestar import Response, post
from litestar.params import FromPath

from api.cases import working
from api.cases.acts import Actor
from api.console.pages.board import STAGES
from api.console.pages.forms import Form, acting, acts_as
from api.console.pages.replies import ROUTE, require_id
from api.errors import FieldProblem, Problem
from api.pages import wording
from api.pages.replies import HEADERS
from api.requests import AnyRequest, desk_of
from api.staff.guarding import Member, member_of
from api.store import queries as store
from api.zone import SYDNEY

_BOARD = "/console"
_MOST_DIGITS = 4


@post("/console/cases/{case_id:str}/claim", opt={"action": "case.claim"}, **ROUTE)
async def claim(request: AnyRequest, case_id: FromPath[str]) -> Response[bytes]:
    """Take this case."""

    async def act(_form: Form, _version: int, member: Member) -> store.CaseRow:
        return await _take(request, case_id, member)

    return await acting(request, case_id, "claim", act, versioned=False)


@post("/console/cases/{case_id:str}/unsnooze", opt={"action": "case.snooze"}, **ROUTE)
async def unsnooze(request: AnyRequest, case_id: FromPath[str]) -> Response[bytes]:
    """Put it into the queue again before its time: it is taken, which ends the putting off, and given back."""

    async def act(_form: Form, _version: int, member: Member) -> store.CaseRow:
        taken = await _take(request, case_id, member)
        return await working.release(desk_of(request), case_id, acts_as(member, _role_for(taken)))

    return await acting(request, case_id, "unsnooze", act, versioned=False)


async def _take(request: AnyRequest, case_id: str, member: Member) -> store.CaseRow:
    desk = desk_of(request)
    found = await desk.shell.database.read(lambda connection: store.get_case(connection, case_id))
    if found is None:
        raise Problem("not-found")
    role = _role_for(found)
    if role not in member.roles:
        raise Problem("forbidden")
    stage = next(stage for stage, its_role in STAGES if its_role == role)
    return await working.claim(desk, case_id, stage, Actor(member.id, role))


def _role_for(case: store.CaseRow) -> str:
    return "approver" if case.state in {"verified", "approving"} else "verifier"


@post("/console/cases/{case_id:str}/renewal", opt={"action": "case.claim"}, status_code=200, **ROUTE)
async def renew(request: AnyRequest, case_id: FromPath[str]) -> Response[bytes]:
    """Hold it on: asked for by the page while somebody works on it, and answered by its new end, in words."""
    require_id(case_id)
    until = await working.renew(desk_of(request), case_id, acts_as(member_of(request), "verifier"))
    return Response(wording.soon(until, SYDNEY).encode(), media_type="text/plain", headers=HEADERS)


@post("/console/cases/{case_id:str}/release", opt={"action": "case.claim"}, **ROUTE)
async def release(request: AnyRequest, case_id: FromPath[str]) -> Response[bytes]:
    """Give it back."""

    async def act(_form: Form, _version: int, member: Member) -> store.CaseRow:
        return await working.release(desk_of(request), case_id, acts_as(member, "verifier"))

    return await acting(request, case_id, "release", act, _BOARD)


@post("/console/cases/{case_id:str}/verify", opt={"action": "case.verify"}, **ROUTE)
async def verify(request: AnyRequest, case_id: FromPath[str]) -> Response[bytes]:
    """Vouch for the evidence."""

    async def act(form: Form, version: int, member: Member) -> store.CaseRow:
        actor = Actor(member.id, "verifier")
        return await working.verify(desk_of(request), case_id, version, actor, form.get("words", ""))

    return await acting(request, case_id, "verify", act)


@post("/console/cases/{case_id:str}/request", opt={"action": "case.return"}, **ROUTE)
async def request_more(request: AnyRequest, case_id: FromPath[str]) -> Response[bytes]:
    """Ask the applicant for one more document."""

    async def act(form: Form, version: int, member: Member) -> store.CaseRow:
        kind, person, words = form.get("kind", ""), form.get("person") or None, form.get("words", "")
        actor = Actor(member.id, "verifier")
        return await working.request(desk_of(request), case_id, version, actor, kind, person, words)

    return await acting(request, case_id, "request", act)


@post("/console/cases/{case_id:str}/waive", opt={"action": "case.waive"}, **ROUTE)
async def waive(request: AnyRequest, case_id: FromPath[str]) -> Response[bytes]:
    """Leave a wanted document aside."""

    async def act(form: Form, version: int, member: Member) -> store.CaseRow:
        wanted, reason, words = form.get("requirement", ""), form.get("reason", ""), form.get("words", "")
        actor = Actor(member.id, "verifier")
        return await working.waive(desk_of(request), case_id, version, actor, wanted, reason, words)

    return await acting(request, case_id, "waive", act)


@post("/console/cases/{case_id:str}/note", opt={"action": "case.note"}, **ROUTE)
async def note(request: AnyRequest, case_id: FromPath[str]) -> Response[bytes]:
    """Write a note."""

    async def act(form: Form, _version: int, member: Member) -> store.CaseRow:
        return await working.note(desk_of(request), case_id, acts_as(member, "verifier"), form.get("words", ""))

    return await acting(request, case_id, "note", act)


@post("/console/cases/{case_id:str}/escalate", opt={"action": "case.escalate"}, **ROUTE)
async def escalate(request: AnyRequest, case_id: FromPath[str]) -> Response[bytes]:
    """Ask for other eyes."""

    async def act(form: Form, _version: int, member: Member) -> store.CaseRow:
        return await working.escalate(desk_of(request), case_id, acts_as(member, "verifier"), form.get("words", ""))

    return await acting(request, case_id, "escalate", act)


@post("/console/cases/{case_id:str}/snooze", opt={"action": "case.snooze"}, **ROUTE)
async def snooze(request: AnyRequest, case_id: FromPath[str]) -> Response[bytes]:
    """Put it off."""

    def act(form: Form, version: int, member: Member) -> Awaitable[store.CaseRow]:
        desk, text = desk_of(request), form.get("minutes", "")
        if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
            raise Problem("validation-failed", [FieldProblem("minutes", "range", "Choose for how long")])
        until = desk.shell.clock() + timedelta(minutes=int(text))
        return working.snooze(desk, case_id, version, acts_as(member, "verifier"), until, form.get("words", ""))

    return await acting(request, case_id, "snooze", act, _BOARD)


@post("/console/cases/{case_id:str}/reassign", opt={"action": "case.reassign"}, **ROUTE)
async def reassign(request: AnyRequest, case_id: FromPath[str]) -> Response[bytes]:
    """Give it to somebody else."""

    async def act(form: Form, _version: int, member: Member) -> store.CaseRow:
        to, words = form.get("to", ""), form.get("words", "")
        if not to:
            raise Problem("validation-failed", [FieldProblem("to", "missing", "Choose a colleague")])
        return await working.reassign(desk_of(request), case_id, Actor(member.id, "approver"), to, words)

    return await acting(request, case_id, "reassign", act)


HANDLERS = (
    claim, unsnooze, renew, release, verify, request_more, waive, note, escalate, snooze, reassign,
)  # fmt: skip
