"""What an approver says of a case: the line as decided or a lower one, against a rule, not at all, or look again."""

from litestar import Response, post
from litestar.params import FromPath

from api.cases import approving
from api.cases.acts import Actor
from api.cases.approving import Verdict
from api.console.pages.forms import Form, acting
from api.console.pages.replies import ROUTE
from api.errors import FieldProblem, Problem
from api.requests import AnyRequest, desk_of
from api.staff.guarding import Member
from api.store import queries as store

_ASIDE = "aside."  # what the names of the rules to be left aside begin with
_MOST_DIGITS = 9  # a billion dollars


@post("/console/cases/{case_id:str}/approve", opt={"action": "case.approve"}, **ROUTE)
async def approve(request: AnyRequest, case_id: FromPath[str]) -> Response[bytes]:
    """Approve the line, or a lower one."""

    async def act(form: Form, version: int, member: Member) -> store.CaseRow:
        verdict = _verdict(form, version, cents_of(form.get("limit", "")))
        return await approving.approve(desk_of(request), case_id, Actor(member.id, "approver"), verdict)

    return await acting(request, case_id, "approve", act)


@post("/console/cases/{case_id:str}/override", opt={"action": "case.override"}, **ROUTE)
async def override(request: AnyRequest, case_id: FromPath[str]) -> Response[bytes]:
    """Leave referral rules aside, and approve what is then decided."""

    async def act(form: Form, version: int, member: Member) -> store.CaseRow:
        verdict = _verdict(form, version, cents_of(form.get("limit", "")))
        return await approving.override(desk_of(request), case_id, Actor(member.id, "approver"), verdict)

    return await acting(request, case_id, "override", act)


@post("/console/cases/{case_id:str}/decline", opt={"action": "case.approve"}, **ROUTE)
async def decline(request: AnyRequest, case_id: FromPath[str]) -> Response[bytes]:
    """Decline, with a coded reason."""

    async def act(form: Form, version: int, member: Member) -> store.CaseRow:
        verdict = _verdict(form, version, None)
        return await approving.decline(desk_of(request), case_id, Actor(member.id, "approver"), verdict)

    return await acting(request, case_id, "decline", act)


@post("/console/cases/{case_id:str}/send-back", opt={"action": "case.send_back"}, **ROUTE)
async def send_back(request: AnyRequest, case_id: FromPath[str]) -> Response[bytes]:
    """Return it to verification."""

    async def act(form: Form, version: int, member: Member) -> store.CaseRow:
        actor = Actor(member.id, "approver")
        return await approving.send_back(desk_of(request), case_id, version, actor, form.get("words", ""))

    return await acting(request, case_id, "send-back", act, "/console")


def _verdict(form: Form, version: int, cents: int | None) -> Verdict:
    aside = tuple(sorted(name.removeprefix(_ASIDE) for name in form if name.startswith(_ASIDE)))
    return Verdict(version, form.get("content", ""), cents, form.get("reason", ""), form.get("words", ""), aside)


def cents_of(text: str) -> int | None:
    """Whole dollars as they were typed; None where nothing was."""
    bare = text.strip().lstrip("$").replace(",", "")
    if not bare:
        return None
    whole, _, rest = bare.partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= _MOST_DIGITS) or rest.strip("0"):
        raise Problem("validation-failed", [FieldProblem("limit", "amount", "Whole dollars, such as 12,500")])
    return int(whole) * 100


HANDLERS = (approve, override, decline, send_back)
