"""JSON v1, advice on an application: other offers, what would change the decision, looking again, asking for a person.

Handlers authenticate from headers before anything else, then hand over to api.advice.
"""

import re

from litestar import Response, get, post
from litestar.params import FromPath

from api.advice.exploring import Choice
from api.advice.looking import look_again
from api.advice.reviewing import ask_for_a_person
from api.errors import FieldProblem, Problem
from api.requests import AnyRequest, advice_of, shell_of
from api.security import Caller, Keyring

_APPLICATION_ID = re.compile(r"app_[0-9a-f]{32}")
_NUMBER = re.compile(r"[0-9]{1,9}")
_CHOICES = ("amount_cents", "months", "draw_cents")
_UNDER = "/v1/applications/{application_id:str}"


async def _caller(request: AnyRequest, application_id: str) -> Caller:
    keyring: Keyring = request.app.state.keyring
    caller = await keyring.caller(request.headers.get("authorization"))
    caller.require("apply")
    if not _APPLICATION_ID.fullmatch(application_id):
        raise Problem("not-found")
    return caller


def _json(body: bytes, status: int = 200) -> Response[bytes]:
    return Response(
        body, status_code=status, media_type="application/json", headers={"Cache-Control": "no-store"}
    )  # fmt: skip


def _choice(request: AnyRequest) -> Choice:
    """What the query asks for; each name once at the most, whole numbers alone."""
    faults, found = [], {}
    for name in request.query_params:
        texts = request.query_params.getall(name)
        if name not in _CHOICES:
            faults.append(FieldProblem("", "unknown", "A query parameter that is not known"))
        elif len(texts) != 1 or not _NUMBER.fullmatch(texts[0]):
            faults.append(FieldProblem(name, "number", "One whole number"))
        else:
            found[name] = int(texts[0])
    if faults:
        raise Problem("validation-failed", list(dict.fromkeys(faults)))
    return Choice(**found)


@get(f"{_UNDER}/offer-options", include_in_schema=False, opt={"scopes": ("apply",)})
async def offer_options(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """One amount over one term with its schedule, or without a query the whole grid."""
    caller = await _caller(request, application_id)
    choice = _choice(request)
    return _json(await advice_of(request).explorer.answer(shell_of(request), caller.id, application_id, choice))


@get(f"{_UNDER}/advice", include_in_schema=False, opt={"scopes": ("apply",)})
async def advice(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """What would change the decision, which sources it rests on, how to ask for a person and how to complain."""
    caller = await _caller(request, application_id)
    return _json(await advice_of(request).adviser.answer(shell_of(request), caller.id, application_id))


@post(f"{_UNDER}/looks", status_code=200, include_in_schema=False, opt={"scopes": ("apply",)})
async def look(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """Ask the sources that a kept counterfactual names once more, and decide on what they say now."""
    caller = await _caller(request, application_id)
    return _json(await look_again(shell_of(request), caller, application_id))


@post(f"{_UNDER}/review-requests", include_in_schema=False, opt={"scopes": ("apply",)})
async def review_request(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """Ask for a person to look at the decision: 201, or 200 with the request that was made before."""
    caller = await _caller(request, application_id)
    webhook = advice_of(request).webhook
    asked = await ask_for_a_person(shell_of(request), caller, application_id, webhook=webhook)
    return _json(asked.reply, 201 if asked.new else 200)


HANDLERS = (offer_options, advice, look, review_request)
