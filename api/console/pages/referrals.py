"""Referrals and requests for a person: the list, one application's page, and what is done about it.

The rules: a form names the decision that was seen; what was refused comes back with the words that were typed; what
came of asking sources is told in the same words whether something failed, said the same again, or is nobody's to see.
"""

from collections.abc import Awaitable, Callable

from litestar import Response, get, post
from litestar.params import FromPath

from api.cases.acts import Actor
from api.console.loading.referrals import referral_view, referrals_view
from api.console.pages.forms import Form, acts_as
from api.console.pages.replies import ROUTE, message, page, require_id
from api.console.pages.verdicts import cents_of
from api.console.views import NO_FORM, Choice, FormState, Notice
from api.errors import Problem
from api.pages.forms import read_form
from api.pages.replies import go_to
from api.referrals import acts, answering, proposing, settling
from api.referrals.proposing import Proposal
from api.requests import AnyRequest, desk_of
from api.staff.guarding import Member, member_of

_SOURCE, _ASIDE = "source.", "aside."  # what the names of ticked sources and rules begin with
_DONE = {
    "noted": Notice("The note is kept."),
    "new": Notice("Something new came in, and it was decided again."),
    "same": Notice("Nothing came that changes the decision.", "warn"),
    "proposed": Notice("Proposed. Another approver confirms it, or it is withdrawn."),
    "confirmed": Notice("Decided. The applicant is told."),
    "withdrawn": Notice("What was proposed is withdrawn."),
    "answered": Notice("Answered. The applicant is told in your words."),
    "settled": Notice("Settled."),
}
Act = Callable[[Form, Member], Awaitable[str]]


@get("/console/referrals", opt={"action": "referral.read"}, **ROUTE)
async def referrals(request: AnyRequest) -> Response[bytes]:
    """Everything that waits for a person."""
    desk, member = desk_of(request), member_of(request)
    view = await desk.shell.database.read(lambda connection: referrals_view(connection, member, desk.shell.clock()))
    return page(request, view)


@get("/console/referrals/{application_id:str}", opt={"action": "referral.read"}, **ROUTE)
async def referral(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """One application on one screen."""
    notice = _DONE.get(request.query_params.get("done", ""))
    return await _page(request, application_id, notice=notice)


async def _page(
    request: AnyRequest, application_id: str, form: FormState = NO_FORM, notice: Notice | None = None, status: int = 200
) -> Response[bytes]:
    require_id(application_id)
    desk, member = desk_of(request), member_of(request)
    view = await desk.shell.database.read(
        lambda connection: referral_view(connection, application_id, member, desk.shell.clock(), form, notice)
    )
    return page(request, view, status)


async def _acting(request: AnyRequest, application_id: str, form_id: str, act: Act) -> Response[bytes]:
    """Do what a form asks and lead on to the application, with what came of it."""
    require_id(application_id)
    form, member, place = await read_form(request), member_of(request), f"/console/referrals/{application_id}"
    try:
        done = await act(form, member)
    except Problem as problem:
        if problem.slug == "validation-failed":
            faults = {each.path: each.message for each in problem.errors}
            return await _page(request, application_id, FormState(form_id, dict(form), faults), status=422)
        if problem.slug == "not-found":
            raise
        return message(request, problem, Choice(place, "Back to the application"))
    return go_to(f"{place}?done={done}")


@post("/console/referrals/{application_id:str}/note", opt={"action": "referral.note"}, **ROUTE)
async def note(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """Write a note."""

    async def act(form: Form, member: Member) -> str:
        await acts.note(desk_of(request), application_id, _seen(form), _anybody(member), form.get("words", ""))
        return "noted"

    return await _acting(request, application_id, "note", act)


@post("/console/referrals/{application_id:str}/ask", opt={"action": "referral.ask"}, **ROUTE)
async def ask(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """Ask sources again, and decide again on what is new."""

    async def act(form: Form, member: Member) -> str:
        sources, desk = _ticked(form, _SOURCE), desk_of(request)
        words, actor = form.get("words", ""), _anybody(member)
        again = await acts.ask(desk, application_id, _seen(form), actor, frozenset(sources), words)
        return "new" if again == "superseded" else "same"

    return await _acting(request, application_id, "ask", act)


@post("/console/referrals/{application_id:str}/aside", opt={"action": "referral.propose"}, **ROUTE)
async def aside(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """Propose to leave referral rules aside."""

    async def act(form: Form, member: Member) -> str:
        most_cents = cents_of(form.get("limit", ""))
        wanted = Proposal("aside", form.get("reason", ""), form.get("words", ""), _ticked(form, _ASIDE), most_cents)
        actor = Actor(member.id, "approver")
        await proposing.propose(desk_of(request), application_id, _seen(form), actor, wanted)
        return "proposed"

    return await _acting(request, application_id, "aside", act)


@post("/console/referrals/{application_id:str}/decline", opt={"action": "referral.propose"}, **ROUTE)
async def decline(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """Propose to decline."""

    async def act(form: Form, member: Member) -> str:
        wanted = Proposal("decline", form.get("reason", ""), form.get("words", ""))
        actor = Actor(member.id, "approver")
        await proposing.propose(desk_of(request), application_id, _seen(form), actor, wanted)
        return "proposed"

    return await _acting(request, application_id, "decline", act)


@post("/console/referrals/{application_id:str}/confirm", opt={"action": "referral.confirm"}, **ROUTE)
async def confirm(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """Confirm what another approver proposed."""

    async def act(form: Form, member: Member) -> str:
        proposal, content, words = form.get("proposal", ""), form.get("content", ""), form.get("words", "")
        actor = Actor(member.id, "approver")
        await proposing.confirm(desk_of(request), application_id, proposal, content, actor, words)
        return "confirmed"

    return await _acting(request, application_id, "confirm", act)


@post("/console/referrals/{application_id:str}/withdraw", opt={"action": "referral.propose"}, **ROUTE)
async def withdraw(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """End what was proposed."""

    async def act(form: Form, member: Member) -> str:
        actor, proposal = Actor(member.id, "approver"), form.get("proposal", "")
        await proposing.withdraw(desk_of(request), application_id, proposal, actor, form.get("words", ""))
        return "withdrawn"

    return await _acting(request, application_id, "withdraw", act)


@post("/console/referrals/{application_id:str}/answer", opt={"action": "referral.answer"}, **ROUTE)
async def answer(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """Answer who asked for a person."""

    async def act(form: Form, member: Member) -> str:
        actor, review = _anybody(member), form.get("review", "")
        await answering.answer(desk_of(request), application_id, _seen(form), review, actor, form.get("words", ""))
        return "answered"

    return await _acting(request, application_id, "answer", act)


@post("/console/referrals/{application_id:str}/clear", opt={"action": "compliance.clear"}, **ROUTE)
async def clear(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """Settle what screening found: it is no bar."""

    async def act(form: Form, member: Member) -> str:
        actor, reason, words = Actor(member.id, "compliance"), form.get("reason", ""), form.get("words", "")
        await settling.clear(desk_of(request), application_id, _seen(form), actor, reason, words)
        return "settled"

    return await _acting(request, application_id, "clear", act)


@post("/console/referrals/{application_id:str}/match", opt={"action": "compliance.clear"}, **ROUTE)
async def match(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """Settle what screening found: it is a bar."""

    async def act(form: Form, member: Member) -> str:
        actor, reason, words = Actor(member.id, "compliance"), form.get("reason", ""), form.get("words", "")
        await settling.match(desk_of(request), application_id, _seen(form), actor, reason, words)
        return "settled"

    return await _acting(request, application_id, "match", act)


def _anybody(member: Member) -> Actor:
    """As compliance where the member is of it: what compliance writes is for its own eyes."""
    return acts_as(member, "compliance" if "compliance" in member.roles else "approver")


def _seen(form: Form) -> str:
    return form.get("decision", "")


def _ticked(form: Form, prefix: str) -> tuple[str, ...]:
    return tuple(sorted(name.removeprefix(prefix) for name in form if name.startswith(prefix)))


HANDLERS = (referrals, referral, note, ask, aside, decline, confirm, withdraw, answer, clear, match)
