"""The description of what follows an offer: acceptance, documents, the case, the contract."""

from api.openapi.parts import Schema, obj, problems, ref, reply

_COMMON = ("unauthenticated", "forbidden", "not-found", "dependency-unavailable", "overloaded", "internal")
_SENDING = (
    "malformed-request", "request-timeout", "validation-failed", "payload-too-large",
    "unsupported-media-type", "storage-full", "outcome-unknown",
)  # fmt: skip
_JSON = ("malformed-json",)  # besides those of sending, where the body is not a file
_APPLICATION = {"name": "application_id", "in": "path", "required": True, "schema": {"type": "string"}}


def case_paths() -> dict[str, Schema]:
    """The operations."""
    under = "/v1/applications/{application_id}"
    kind = {"name": "kind", "in": "query", "required": True, "schema": {"type": "string"},
            "description": "One of the kinds that the case wants."}  # fmt: skip
    person = {"name": "person_ref", "in": "query", "required": False, "schema": {"type": "string"},
              "description": "Whose identity the document shows."}  # fmt: skip
    binary = {"schema": {"type": "string"}}
    return {
        f"{under}/acceptance": {
            "post": {
                "operationId": "accept", "summary": "Take up the conditional offer of a decision",
                "parameters": [_APPLICATION],
                "requestBody": _body(obj(decision_id={"type": "string"})),
                "responses": {
                    "201": reply("The case, opened", "Case"), "200": reply("The case, opened before", "Case"),
                    **problems(*_COMMON, *_SENDING, *_JSON, "offer-superseded", "offer-expired", "no-offer", "gone",
                               "contract-not-drawn"),
                },
            }
        },
        f"{under}/case": {
            "get": {
                "operationId": "case", "summary": "The documents, clock and state of a case",
                "parameters": [_APPLICATION],
                "responses": {"200": reply("The case as it stands", "Case"), **problems(*_COMMON)},
            }
        },
        f"{under}/documents": {
            "post": {
                "operationId": "upload", "summary": "Send one document, the file as the body",
                "parameters": [_APPLICATION, kind, person],
                "requestBody": {
                    "required": True,
                    "content": {"application/pdf": binary, "image/png": binary, "image/jpeg": binary},
                },
                "responses": {
                    "201": reply("Received; machines look at it next", "CaseDocument"),
                    **problems(*_COMMON, *_SENDING, "not-now", "quota-exceeded"),
                },
            }
        },
        f"{under}/contract": {
            "get": {
                "operationId": "contract", "summary": "The contract of an approved case",
                "parameters": [_APPLICATION],
                "responses": {"200": reply("The text and who has signed it", "Contract"), **problems(*_COMMON)},
            }
        },
        f"{under}/contract/signatures": {
            "post": {
                "operationId": "sign", "summary": "Sign exactly the text with this digest",
                "parameters": [_APPLICATION],
                "requestBody": _body(obj(person_ref={"type": "string"}, body_sha256={"type": "string"})),
                "responses": {
                    "201": reply("Signed", "Contract"), "200": reply("Signed before", "Contract"),
                    **problems(*_COMMON, *_SENDING, *_JSON, "stale-version", "offer-expired", "not-now"),
                },
            }
        },
    }  # fmt: skip


def _body(schema: Schema) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def case_schemas() -> dict[str, Schema]:
    """What the operations answer with."""
    text, number, flag = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
    maybe = {"type": ["string", "null"]}
    return {
        "CaseDocument": obj(
            document_id=text, kind=text, person_ref=maybe, state=text, received_at=text, bytes=number, sha256=text,
            reason=maybe, wrong=maybe, send=maybe, words=maybe,
        ),
        "Wanted": obj(
            id=text, kind=text, title=text, ask=text, why=text, adds=text, person_ref=maybe, count=number,
            required=flag, state=text, documents={"type": "array", "items": ref("CaseDocument")},
        ),
        "Case": obj(
            case_id=text, application_id=text, decision_id=text,
            state={"enum": ["documents_wanted", "being_verified", "being_approved", "approved", "declined", "expired"]},
            limit_cents={"type": ["integer", "null"]}, held_until=text,
            wanted={"type": "array", "items": ref("Wanted")},
            clock=obj(started_at=maybe, due_at=maybe, elapsed_seconds=number, paused_seconds=number, paused=flag),
            verified_by_machine=flag,
        ),
        "Contract": obj(
            contract_id=text, text=text, body_sha256=text,
            signatures={"type": "array", "items": obj(person_ref=text, authority=text, signed_at=text)},
            line_id=maybe, may_draw=flag, draw_obstacle={"enum": [None, "not_signed", "due_diligence_incomplete"]},
        ),
    }  # fmt: skip
