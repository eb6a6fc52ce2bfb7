"""What every form of a case has in common: the version that was seen, the act, and where it leads.

It does: hand what was typed to an act, and lead on by GET; or show the case again with what was typed and what is
wrong with it, or a message that somebody was quicker. It does not: know any act. The rule it keeps: a refused form has
changed nothing, and says so.
"""

from collections.abc import Awaitable, Callable, Mapping

from litestar import Response

from api.cases.acts import Actor
from api.console.pages.case import case_page
from api.console.pages.replies import message, require_id
from api.console.views import Choice, FormState
from api.errors import Problem
from api.pages.forms import read_form
from api.pages.replies import go_to
from api.requests import AnyRequest
from api.staff.guarding import Member, member_of
from api.store import queries as store

Form = Mapping[str, str]
Act = Callable[[Form, int, Member], Awaitable[store.CaseRow]]
_FIELD = "field."  # what the names of a document's fields begin with
_SAME_FIELD = {"until": "minutes", "person_ref": "person"}  # as the case service calls it: as the form does
_MOST_VERSION_DIGITS = 9


async def acting(
    request: AnyRequest, case_id: str, form_id: str, act: Act, after: str | None = None, *, versioned: bool = True
) -> Response[bytes]:
    """Do what a form asks and lead on to `after`, or else to the case.

    `form_id` is the form's on the page. Whoever takes a case has not seen any version of it yet.
    """
    require_id(case_id)
    form, member = await read_form(request), member_of(request)
    try:
        await act(form, _version(form) if versioned else 0, member)
    except Problem as problem:
        if problem.slug == "validation-failed":
            return await case_page(request, case_id, _refused(form_id, form, problem), 422)
        if problem.slug == "not-found":
            raise
        return message(request, problem, Choice(f"/console/cases/{case_id}", "Back to the case"))
    return go_to(after or f"/console/cases/{case_id}")


def acts_as(member: Member, role: str) -> Actor:
    """The member in this role, or in the first of theirs where others than its holders may do it too."""
    return Actor(member.id, role if role in member.roles else min(member.roles))


def _version(form: Form) -> int:
    text = form.get("version", "")
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_VERSION_DIGITS):
        raise Problem("malformed-request")
    return int(text)


def _refused(form_id: str, form: Form, problem: Problem) -> FormState:
    faults = {_SAME_FIELD.get(each.path, each.path): each.message for each in problem.errors}
    return FormState(form_id, {name.removeprefix(_FIELD): value for name, value in form.items()}, faults)
