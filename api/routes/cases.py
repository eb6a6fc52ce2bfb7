"""JSON v1 after an offer: accept it, send documents, watch the case, read the contract and sign it.

Handlers authenticate from headers before any body is read, then hand over to api.cases.
"""

import re
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from api.bodies import whole_body
from api.cases import accepting, receiving
from api.cases.desk import tell
from api.cases.replies import case_reply, document_reply
from api.cases.wanted import stand
from api.contracts.signing import may_draw, sign
from api.errors import FieldProblem, Problem
from api.requests import AnyRequest, desk_of
from api.security import Caller, Keyring
from api.store import queries as store
from api.wire import check_json, require_json
from engine.canonical import canonical_bytes

MOST_SMALL_BODY = 4_096
_ID = re.compile(r"(app|dec)_[0-9a-f]{32}")
_REF = re.compile(r"per_[0-9a-f]{32}")
_SHA256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class Acceptance(msgspec.Struct, forbid_unknown_fields=True):
    """Which conditional offer is taken up."""

    decision_id: Annotated[str, msgspec.Meta(pattern=r"^dec_[0-9a-f]{32}$")]


class SignatureOf(msgspec.Struct, forbid_unknown_fields=True):
    """One person's signature of the text with this digest."""

    person_ref: Annotated[str, msgspec.Meta(pattern=r"^per_[0-9a-f]{32}$")]
    body_sha256: _SHA256


async def _caller(request: AnyRequest) -> Caller:
    keyring: Keyring = request.app.state.keyring
    caller = await keyring.caller(request.headers.get("authorization"))
    caller.require("apply")
    return caller


def _check_id(found: str) -> None:
    if not _ID.fullmatch(found):
        raise Problem("not-found")


async def _small(request: AnyRequest, kind: type[msgspec.Struct]) -> Any:
    """A small JSON body; Problems `unsupported-media-type`, `malformed-json`, `validation-failed`."""
    require_json(request.headers.get("content-type"), request.headers.get("content-encoding"))
    body = await whole_body(request)
    check_json(body)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        path = str(error).rpartition(" - at `$.")[2].rstrip("`") if "`$." in str(error) else ""
        raise Problem("validation-failed", [FieldProblem(path, "shape", "Not what is expected here")]) from None


def _json(body: bytes, status: int = 200) -> Response[bytes]:
    return Response(
        body, status_code=status, media_type="application/json", headers={"Cache-Control": "no-store"}
    )  # fmt: skip


async def _case_of(request: AnyRequest, application_id: str) -> tuple[Caller, store.CaseRow]:
    """The caller, and the case of an application of theirs; Problem `not-found` for anybody else's."""
    caller = await _caller(request)
    _check_id(application_id)

    def look(connection: Any) -> store.CaseRow | None:
        row = store.get_application(connection, application_id)
        if row is None or row.caller_id != caller.id:
            return None
        return store.case_of_application(connection, application_id)

    case = await desk_of(request).shell.database.read(look)
    if case is None:
        raise Problem("not-found")
    return caller, case


@post(
    "/v1/applications/{application_id:str}/acceptance", request_max_body_size=MOST_SMALL_BODY,
    include_in_schema=False, opt={"scopes": ("apply",)},
)  # fmt: skip
async def accept(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """Take up the conditional offer: 201 with the case and the documents it wants, 200 where it was accepted before."""
    caller = await _caller(request)
    _check_id(application_id)
    body: Acceptance = await _small(request, Acceptance)
    desk = desk_of(request)
    accepted = await accepting.accept(desk, caller, application_id, body.decision_id)
    standing = await desk.shell.database.read(lambda connection: stand(connection, accepted.case))
    return _json(case_reply(standing, desk.shell.clock()), 201 if accepted.new else 200)


@get("/v1/applications/{application_id:str}/case", include_in_schema=False, opt={"scopes": ("apply",)})
async def case(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """The case of one of the caller's own applications: documents, clock, state."""
    _, found = await _case_of(request, application_id)
    desk = desk_of(request)
    standing = await desk.shell.database.read(lambda connection: stand(connection, found))
    return _json(case_reply(standing, desk.shell.clock()))


@post(
    "/v1/applications/{application_id:str}/documents", request_max_body_size=receiving.MOST_BYTES,
    include_in_schema=False, opt={"scopes": ("apply",)},
)  # fmt: skip
async def upload(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """Send one document as the raw body; `kind` and, for an identity, `person_ref` are in the query."""
    caller, found = await _case_of(request, application_id)
    kind, person_ref = request.query_params.get("kind"), request.query_params.get("person_ref")
    if person_ref is not None and not _REF.fullmatch(person_ref):
        raise Problem("validation-failed", [FieldProblem("person_ref", "shape", "A reference of a person")])
    sent = receiving.Sent(kind or "", person_ref, request.headers.get("content-type") or "")
    document = await receiving.receive(desk_of(request), request.app.state.intray, caller, found, sent, request)
    return _json(document_reply(document), 201)


@get("/v1/applications/{application_id:str}/contract", include_in_schema=False, opt={"scopes": ("apply",)})
async def contract(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """The text to be signed, with its digest and who has signed."""
    _, found = await _case_of(request, application_id)

    def look(connection: Any) -> bytes | None:
        row = store.contract_of(connection, found.id)
        return None if row is None else _contract(connection, row, store.line_of(connection, found.application_id))

    body = await desk_of(request).shell.database.read(look)
    if body is None:
        raise Problem("not-found")
    return _json(body)


@post(
    "/v1/applications/{application_id:str}/contract/signatures", request_max_body_size=MOST_SMALL_BODY,
    include_in_schema=False, opt={"scopes": ("apply",)},
)  # fmt: skip
async def sign_contract(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """Sign exactly the text with this digest; the line opens with the last signature that is needed."""
    caller, found = await _case_of(request, application_id)
    body: SignatureOf = await _small(request, SignatureOf)
    desk = desk_of(request)

    def work(connection: Any) -> tuple[bytes, bool]:
        row = store.contract_of(connection, found.id)
        if row is None:
            raise Problem("not-found")
        at = desk.shell.clock()
        signed = sign(connection, row.id, body.person_ref, body.body_sha256, caller.id, at)
        if isinstance(signed, str):
            raise Problem({"another_text": "stale-version", "offer_expired": "offer-expired"}.get(signed, "not-now"))
        if signed.opened:
            tell(desk, connection, "line.opened", found)
        return _contract(connection, row, signed.line), signed.repeated

    told, repeated = await desk.shell.database.write(work)
    return _json(told, 200 if repeated else 201)


def _contract(connection: Any, row: store.ContractRow, line: store.LineRow | None) -> bytes:
    signed, drawing = store.signatures_of(connection, row.id), may_draw(line)
    return canonical_bytes(
        {
            "contract_id": row.id,
            "text": row.body.decode(),
            "body_sha256": row.body_sha256,
            "signatures": [
                {
                    "person_ref": each.person_ref, "authority": each.authority,
                    "signed_at": each.signed_at.isoformat().replace("+00:00", "Z"),
                }
                for each in signed
            ],
            "line_id": None if line is None else line.id,
            "may_draw": drawing == "yes",
            "draw_obstacle": None if drawing == "yes" else drawing,
        }
    )  # fmt: skip
