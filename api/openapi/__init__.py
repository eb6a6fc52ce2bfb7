"""The API's description, OpenAPI 3.1: schemas from the very models that validate, replies and problems by name.

It does: describe every public route with examples. It does not: serve a viewer (its pages load scripts from other
hosts). The rule it keeps: a test compares its paths with the routes that exist, both ways.
"""

from functools import cache

from pydantic.json_schema import models_json_schema

from api.comparables import Question
from api.openapi.advice import advice_paths, advice_schemas
from api.openapi.cases import case_paths, case_schemas
from api.openapi.parts import Schema, obj, problems, read, ref, reply
from api.wire import Submission
from engine.difference import Difference
from engine.pricing import CostDisclosure, Fees
from engine.reasons import Reason

_PROBLEMS_OF_APPLY = (
    "idempotency-key-missing", "idempotency-key-invalid", "idempotency-key-reuse", "idempotency-in-flight",
    "idempotency-key-expired", "invalid-deadline", "duplicate-application", "application-locked", "deadline-exceeded",
    "malformed-json", "malformed-request", "request-timeout", "validation-failed", "payload-too-large",
    "unsupported-media-type", "unauthenticated", "forbidden", "dependency-unavailable", "overloaded", "storage-full",
    "outcome-unknown", "internal",
)  # fmt: skip
EXAMPLE: Schema = {
    "business": {
        "entity_type": "company", "abn": "37 955 501 005", "acn": "955 501 005",
        "legal_name": "BANKSIA HOMEWARES PTY LTD", "anzsic": "G", "state": "VIC", "trading_since": "2018-03-01",
        "staff_band": "5-19", "gst_registered": True,
    },
    "request": {"amount_cents": 4_000_000, "purpose": "stock"},
    "finances": {
        "turnover_12m_cents": 96_000_000, "other_lenders": 0, "other_repayments_month_cents": 0,
        "overdue_tax_cents": 0,
    },
    "consents": [
        {"kind": kind, "version": "2026-11", "given": True, "at": "2026-11-23T01:00:00Z"}
        for kind in (
            "privacy_notice", "commercial_bureau", "bank_data", "marketplace_data", "electronic_communications",
            "authority",
        )
    ],
    "people": [
        {
            "roles": ["owner", "director", "contact"], "ownership_bps": 10_000, "given_names": "Example",
            "family_name": "Person", "date_of_birth": "1984-02-29", "mobile": "0491 570 006",
            "email": "person@example.com",
        }
    ],
}  # fmt: skip


@cache
def document() -> Schema:
    """The whole description."""
    _, shared = models_json_schema(
        [(Submission, "validation"), (Question, "validation"), (CostDisclosure, "serialization"),
         (Fees, "serialization"), (Reason, "serialization"), (Difference, "serialization")],
        ref_template="#/components/schemas/{model}",
    )  # fmt: skip
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "creditline", "version": "1",
            "description": "Credit-line decisions for Australian small businesses. Money is integer cents, "
            "rates are basis points a month (115 is 1.15 %), times are UTC.",
        },
        "security": [{"bearer": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": {**shared["$defs"], **_schemas()},
        },
    }  # fmt: skip


def _paths() -> dict[str, Schema]:
    decision_id = {"name": "decision_id", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "/v1/applications": {
            "post": {
                "operationId": "apply",
                "summary": "Send an application and get its decision",
                "parameters": [
                    {
                        "name": "Idempotency-Key", "in": "header", "required": True,
                        "description": "Made and kept before sending; the same key gives the same reply for ever.",
                        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{16,255}$"},
                    },
                    {
                        "name": "Request-Deadline-Ms", "in": "header", "required": False,
                        "description": "How long the caller waits; half of it is for outside sources, and what has "
                        "not come by then refers the application and is asked for again afterwards.",
                        "schema": {"type": "integer", "minimum": 50, "maximum": 10_000, "default": 2_000},
                    },
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": ref("Submission"), "example": EXAMPLE}},
                },
                "responses": {"201": reply("The decision, recorded", "Decision"), **problems(*_PROBLEMS_OF_APPLY)},
            }
        },
        "/v1/connection-value": {"post": _connection_value()},
        "/v1/decisions/{decision_id}": {
            "get": read("decision", "A decision of yours again", "Decision", [decision_id], "unauthenticated",
                         "forbidden", "not-found", "dependency-unavailable", "internal"),
        },
        "/v1/applications/{application_id}/decision": {
            "get": read("current", "The decision of an application of yours that stands now", "Decision",
                         [{**decision_id, "name": "application_id"}], "unauthenticated", "forbidden", "not-found",
                         "dependency-unavailable", "internal"),
        },
        "/v1/decisions/{decision_id}/difference": {
            "get": read("difference", "What a decision changed of the one it superseded, and why (auditors)",
                         "Difference", [decision_id], "unauthenticated", "forbidden", "not-found",
                         "dependency-unavailable", "internal"),
        },
        "/v1/decisions/{decision_id}/replay": {
            "get": read("replay", "Decide again from the record and compare every byte (auditors)", "Replay",
                         [decision_id], "unauthenticated", "forbidden", "not-found", "gone",
                         "dependency-unavailable", "internal"),
        },
        **case_paths(),
        **advice_paths(),
        "/health": {"get": read("health", "The process lives", "Status", [])},
        "/ready": {"get": read("ready", "The service can decide", "Status", [], "dependency-unavailable")},
        "/problems/{slug}": {
            "get": read("problem", "What a problem means", "ProblemMeaning",
                         [{**decision_id, "name": "slug"}], "not-found"),
        },
        "/metrics": {
            "get": {
                "operationId": "metrics", "summary": "Prometheus metrics (operators)",
                "responses": {"200": {"description": "Text format", "content": {"text/plain": {}}},
                              **problems("unauthenticated", "forbidden", "dependency-unavailable", "internal")},
            }
        },
        "/schema/openapi.json": {"get": read("openapi", "This document", "Status", [])},
    }  # fmt: skip


def _connection_value() -> Schema:
    return {
        "operationId": "connection_value",
        "summary": "What connecting or uploading bank statements usually gives, before any consent; nothing is kept",
        "requestBody": {"required": True, "content": {"application/json": {"schema": ref("Question")}}},
        "responses": {
            "200": reply("Ranges over comparable businesses, each way on the same footing", "ConnectionValue"),
            **problems(
                "malformed-json", "malformed-request", "request-timeout", "validation-failed", "payload-too-large",
                "unsupported-media-type", "unauthenticated", "forbidden", "rate-limited", "not-configured",
                "overloaded", "dependency-unavailable", "internal",
            ),
        },
    }  # fmt: skip


def _schemas() -> dict[str, Schema]:
    text, number = {"type": "string"}, {"type": "integer"}
    strings = {"type": "array", "items": text}
    condition = obj(code=text, text=text)
    offer = obj(
        limit_cents=number, monthly_rate_bps=number, monthly_rate_percent=text, fees=ref("Fees"), held_until=text,
        conditions={"type": "array", "items": condition}, worked_draw=ref("CostDisclosure"),
    )  # fmt: skip
    return {
        "Offer": offer,
        "Decision": obj(
            decision_id=text, application_id=text, decided_at=text,
            outcome={"type": "string", "enum": ["approve", "refer", "decline"]}, message=text, requested_cents=number,
            offer={"anyOf": [ref("Offer"), {"type": "null"}]},
            reasons={"type": "array", "maxItems": 4, "items": ref("Reason")}, external_data_unavailable=strings,
            supersedes={"type": ["string", "null"]}, audit_seq=number, receipt_hash=text,
            synthetic={"type": "boolean"},
        ),
        "Replay": obj(
            decision_id=text, match={"type": "boolean"}, engine_recorded=text, engine_now=text, release=text,
            difference={"type": ["string", "null"]},
        ),
        "Problem": {
            "type": "object", "required": ["type", "title", "status", "request_id"],
            "properties": {
                "type": text, "title": text, "status": number, "request_id": text,
                "errors": {"type": "array", "items": obj(path=text, rule=text, message=text)},
                "earlier_decision": text,
            },
        },
        "ConnectionValue": obj(
            source={"const": "bank"},
            ways={"type": "array", "minItems": 2, "maxItems": 2, "items": ref("ConnectionWay")},
            without_cents={"type": ["integer", "null"]}, note=text, basis=text, synthetic={"type": "boolean"},
        ),
        "ConnectionWay": obj(
            way={"enum": ["connect", "upload"]}, usual={"type": "boolean"}, words=text,
            line_low_cents={"type": ["integer", "null"]}, line_median_cents={"type": ["integer", "null"]},
            line_high_cents={"type": ["integer", "null"]},
        ),
        "ProblemMeaning": obj(slug=text, status=number, title=text),
        "Status": {"type": "object"},
        **case_schemas(),
        **advice_schemas(),
    }  # fmt: skip
