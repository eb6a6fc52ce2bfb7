"""JSON v1: an application in, a decision out; a decision again; a replay for auditors.

Handlers authenticate from headers before any body is read, then hand over to api.flow.
"""

import re

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from api import flow, records
from api.bodies import whole_body
from api.deadline import Budget
from api.errors import Problem
from api.replay import replay as replay_decision
from api.requests import AnyRequest, shell_of
from api.security import Caller, Keyring
from api.wire import (
    MOST_BODY_BYTES,
    fingerprint,
    idempotency_key,
    parse_submission,
    require_json,
)
from engine.release import Release

APPLICATIONS = "/v1/applications"
_DECISION_ID = re.compile(r"dec_[0-9a-f]{32}")
_APPLICATION_ID = re.compile(r"app_[0-9a-f]{32}")


async def _caller(request: AnyRequest, *scopes: str) -> Caller:
    """The caller, who has to hold the first scope, or any of the others."""
    keyring: Keyring = request.app.state.keyring
    caller = await keyring.caller(request.headers.get("authorization"))
    if caller.scopes.isdisjoint(scopes):
        caller.require(scopes[0])
    return caller


def _budget(request: AnyRequest) -> tuple[Budget, Problem | None]:
    """The time that the request asks for; or the usual one, and what is wrong with what it asks."""
    began = request.scope["state"].get("began")
    try:
        return Budget.of(request.headers.get("request-deadline-ms"), began), None
    except Problem as fault:
        return Budget.of(None, began), fault


def _check_id(decision_id: str) -> None:
    """Only an id of our own form is looked up: some of the others no database takes as text."""
    if not _DECISION_ID.fullmatch(decision_id):
        raise Problem("not-found")


def _json(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(
        body,
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


@post(APPLICATIONS, request_max_body_size=MOST_BODY_BYTES, opt={"scopes": ("apply",)}, include_in_schema=False)
async def apply(request: AnyRequest) -> Response[bytes]:
    """Decide an application: 201 with the decision, or the earlier reply of the same Idempotency-Key."""
    budget, fault = _budget(request)
    caller = await budget.within(_caller(request, "apply"))  # authority comes first, and in time too
    if fault is not None:
        raise fault
    keys = request.headers.getall("idempotency-key", [])
    key = idempotency_key(",".join(keys) if keys else None)  # two lines are one list, which is no key
    require_json(request.headers.get("content-type"), request.headers.get("content-encoding"))
    shell = shell_of(request)
    submission = parse_submission(await whole_body(request), shell.clock().date())
    asked = flow.Asked(
        caller=caller,
        key=key,
        route=APPLICATIONS,
        fingerprint=fingerprint(APPLICATIONS, submission),
        submission=submission,
        request_id=request.scope["state"].get("request_id", ""),
        budget=budget,
    )
    answer = await flow.answer(shell, asked)
    replayed = {} if answer.age_seconds is None else {"Idempotency-Replayed": "true", "Age": str(answer.age_seconds)}
    return _json(answer.body, answer.status, replayed)


@get("/v1/decisions/{decision_id:str}", opt={"scopes": ("apply", "audit")}, include_in_schema=False)
async def decision(request: AnyRequest, decision_id: FromPath[str]) -> Response[bytes]:
    """The public reply of one of the caller's own decisions; an auditor may read any.

    The reply never changes. Where a later decision superseded it, a Link with `successor-version` names that one.
    """
    caller = await _caller(request, "apply", "audit")
    _check_id(decision_id)
    owner = None if "audit" in caller.scopes else caller.id
    stored = await records.stored_reply(shell_of(request).database, decision_id, owner)
    if stored is None:
        raise Problem("not-found")
    link = f'</v1/decisions/{stored.successor}>; rel="successor-version"'
    return _json(stored.body, headers={"Link": link} if stored.successor else None)


@get("/v1/applications/{application_id:str}/decision", opt={"scopes": ("apply", "audit")}, include_in_schema=False)
async def current(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """The decision of one of the caller's own applications that stands now."""
    caller = await _caller(request, "apply", "audit")
    if not _APPLICATION_ID.fullmatch(application_id):
        raise Problem("not-found")
    owner = None if "audit" in caller.scopes else caller.id
    body = await records.current_reply(shell_of(request).database, application_id, owner)
    if body is None:
        raise Problem("not-found")
    return _json(body)


@get("/v1/decisions/{decision_id:str}/difference", opt={"scopes": ("audit",)}, include_in_schema=False)
async def difference(request: AnyRequest, decision_id: FromPath[str]) -> Response[bytes]:
    """What changed from the decision that this one superseded, and which facts made it so; for auditors."""
    await _caller(request, "audit")
    _check_id(decision_id)
    body = await records.difference_of(shell_of(request).database, decision_id)
    if body is None:
        raise Problem("not-found")
    return _json(body)


@get("/v1/decisions/{decision_id:str}/replay", opt={"scopes": ("audit",)}, include_in_schema=False)
async def replay(request: AnyRequest, decision_id: FromPath[str]) -> Response[bytes]:
    """Decide again from the record and say whether every byte agrees; for auditors."""
    await _caller(request, "audit")
    _check_id(decision_id)
    shell = shell_of(request)

    def release_of(name: str) -> Release:
        release: Release = shell.release if name == shell.release.name else request.app.state.load_release(name)
        return release

    result = await shell.database.read(
        lambda connection: replay_decision(connection, decision_id, release_of, shell.engine_digest)
    )
    if result is None:
        raise Problem("not-found")
    if result.difference == "erased":
        raise Problem("gone")
    return _json(msgspec.json.encode(result))
