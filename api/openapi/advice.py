"""The description of advice: offer explorer, counterfactuals, looking again, asking for a person."""

from api.openapi.parts import Schema, obj, problems, ref, reply
from engine.pricing import CostDisclosure

_COMMON = (
    "unauthenticated", "forbidden", "not-found", "gone", "not-configured", "dependency-unavailable", "overloaded",
    "internal",
)  # fmt: skip
_WRITING = ("storage-full", "outcome-unknown")
_APPLICATION = {"name": "application_id", "in": "path", "required": True, "schema": {"type": "string"}}
_TEXT, _NUMBER, _FLAG = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
_MAYBE = {"type": ["string", "null"]}
_MAYBE_NUMBER = {"type": ["integer", "null"]}


def advice_paths() -> dict[str, Schema]:
    """The operations."""
    under = "/v1/applications/{application_id}"
    return {
        f"{under}/offer-options": {"get": _explore()},
        f"{under}/advice": {
            "get": {
                "operationId": "advice",
                "summary": "What would change the decision, the sources it rests on, and whom to ask",
                "parameters": [_APPLICATION],
                "responses": {"200": reply("Advice on the decision that stands", "Advice"),
                              **problems(*_COMMON, *_WRITING)},
            }
        },
        f"{under}/looks": {
            "post": {
                "operationId": "look", "summary": "Ask the sources that a kept counterfactual names once more",
                "parameters": [_APPLICATION],
                "responses": {"200": reply("What came of it", "Look"),
                              **problems(*_COMMON, *_WRITING, "not-now", "rate-limited")},
            }
        },
        f"{under}/review-requests": {
            "post": {
                "operationId": "ask_for_a_person", "summary": "Ask for a person to look at the decision again",
                "parameters": [_APPLICATION],
                "responses": {"201": reply("Asked; the staff are told", "ReviewRequest"),
                              "200": reply("Asked before", "ReviewRequest"), **problems(*_COMMON, *_WRITING)},
            }
        },
    }  # fmt: skip


def _explore() -> Schema:
    def query(name: str, description: str) -> Schema:
        return {"name": name, "in": "query", "required": False, "schema": _NUMBER, "description": description}

    return {
        "operationId": "offer_options",
        "summary": "Smaller lines and other terms than offered, each decided again; the whole grid, or one point",
        "parameters": [
            _APPLICATION,
            query("amount_cents", "A line up to the one offered, in whole steps of $500; with `months`."),
            query("months", "Over how many months the draw is repaid; with `amount_cents`."),
            query("draw_cents", "What would be drawn; the whole line where it is left out."),
        ],
        "responses": {
            "200": reply("What would be offered, and what the draw costs", "OfferOptions"),
            **problems(*_COMMON, *_WRITING, "no-offer", "offer-expired", "validation-failed", "rate-limited"),
        },
    }


def _cost() -> Schema:
    """A cost disclosure without its schedule and assumptions: amounts are integers, percentages text."""
    names = [name for name in CostDisclosure.model_fields if name not in {"schedule", "assumptions"}]
    return obj(**{name: _NUMBER if name.endswith("_cents") or name == "months" else _TEXT for name in names})


def advice_schemas() -> dict[str, Schema]:
    """What the operations answer with."""
    contact = obj(name=_TEXT, telephone=_MAYBE, email=_MAYBE, page=_MAYBE, post=_MAYBE)
    scheme = obj(words=_TEXT, contact=ref("Contact"), member_number=_TEXT)
    return {
        "Contact": contact,
        "OptionCost": _cost(),
        "OfferOption": obj(
            amount_cents=_NUMBER, months=_NUMBER, outcome={"enum": ["approve", "refer", "decline"]},
            limit_cents=_MAYBE_NUMBER, monthly_rate_bps=_MAYBE_NUMBER, monthly_rate_percent=_MAYBE,
            cost={"anyOf": [ref("OptionCost"), {"type": "null"}]},
        ),
        "OfferOptions": obj(
            application_id=_TEXT, decision_id=_TEXT, offered_cents=_NUMBER, held_until=_TEXT,
            amounts_cents={"type": "array", "items": _NUMBER}, terms_months={"type": "array", "items": _NUMBER},
            options={"type": "array", "items": ref("OfferOption")},
            schedule={"type": "array", "items": ref("Instalment")}, assumptions={"type": "array", "items": _TEXT},
            synthetic=_FLAG,
        ),
        "Counterfactual": obj(
            counterfactual_id=_TEXT, words=_TEXT,
            evidence={"type": "array", "minItems": 1, "maxItems": 2, "items": obj(
                code=_TEXT, shown_by={"enum": ["documents", "registry", "bureau"]}, words=_TEXT)},
            limit_cents=_NUMBER, monthly_rate_bps=_NUMBER, monthly_rate_percent=_TEXT, held_until=_TEXT,
            how=obj(code={"enum": ["documents", "look", "look_and_documents"]}, words=_TEXT),
        ),
        "SourceUsed": obj(
            source={"enum": ["registry", "marketplace", "bank", "bureau"]}, name=_TEXT, data=_TEXT, asked_on=_TEXT,
            answered=_FLAG, how_to_get=_TEXT, how_to_correct=_TEXT, free_report=_MAYBE,
            contact={"anyOf": [ref("Contact"), {"type": "null"}]},
        ),
        "Advice": obj(
            application_id=_TEXT, decision_id=_TEXT, outcome={"enum": ["approve", "refer", "decline"]},
            counterfactuals={"type": "array", "maxItems": 3, "items": ref("Counterfactual")},
            subject_to={"type": "array", "items": _TEXT}, sources={"type": "array", "items": ref("SourceUsed")},
            person=obj(words=_TEXT, business_days=_NUMBER, requested=_FLAG, answered=_FLAG),
            complaints=obj(
                words=_TEXT, desk=ref("Contact"), answer_days=_NUMBER, privacy=_TEXT,
                scheme={"anyOf": [scheme, {"type": "null"}]},
            ),
            synthetic=_FLAG,
        ),
        "Look": obj(
            application_id=_TEXT, decision_id=_TEXT, asked={"type": "array", "items": _TEXT},
            result={"enum": ["changed", "unchanged", "no_answer"]},
        ),
        "ReviewRequest": obj(
            review_request_id=_TEXT, application_id=_TEXT, decision_id=_TEXT, requested_at=_TEXT, answer_by=_TEXT,
        ),
    }  # fmt: skip
