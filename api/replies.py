"""What the public is told of a decision: one function from record to bytes.

It does: choose the fields, by name. It does not: ever show PD, score, grade, findings, contributions or caps. The
rule it keeps: the same record gives the same bytes, so a pruned reply is rebuilt, and a referral for compliance
reads like any other.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import msgspec

from engine.canonical import canonical_bytes
from engine.decision import Decision, Offer
from engine.features.once import Once
from engine.reasons import Reason

_MESSAGES = {
    "approve": "A conditional offer: it becomes a line once identity and documents are verified.",
    "refer": "A person will look at this application before we decide. We will be in touch within one business day.",
    "decline": "We cannot offer a line on this application. You may ask for a person to look at it again.",
}
CONDITIONS = {
    "identity_verified": "Identity of owners and directors is verified",
    "documents_verified": "The documents we ask for are verified",
    "draws_to_approved_suppliers": "Draws pay suppliers that meet the marketplace's requirements",
    "activity_statements": "Business activity statements for the last quarters",
    "financial_statements": "Financial statements and tax returns for the last year",
}
# Sources whose failure the public may be told of; compliance is never named.
_PUBLIC_SOURCES = {"registry", "marketplace", "bank", "bureau"}


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision with the ids that the shell gave it."""

    decision_id: str
    application_id: str
    decided_at: datetime
    decision: Decision
    audit_seq: int
    receipt_hash: str
    supersedes: str | None = None


def public_reply(recorded: Recorded) -> bytes:
    """The JSON body that a caller gets for a decision, canonical."""
    decision = recorded.decision
    failed = [f.source for f in decision.findings if f.rule == f"{f.source}_failed"]
    return canonical_bytes(
        {
            "decision_id": recorded.decision_id,
            "application_id": recorded.application_id,
            "decided_at": _moment(recorded.decided_at),
            "outcome": decision.outcome,
            "message": _MESSAGES[decision.outcome],
            "requested_cents": decision.requested_cents,
            "offer": None if decision.offer is None else _offer(decision.offer),
            "reasons": [_reason(reason) for reason in decision.reasons],
            "external_data_unavailable": [source for source in failed if source in _PUBLIC_SOURCES],
            "supersedes": recorded.supersedes,
            "audit_seq": recorded.audit_seq,
            "receipt_hash": recorded.receipt_hash,
            "synthetic": decision.synthetic,
        }
    )


def _reason(reason: Reason) -> dict[str, str]:
    return {"code": reason.code, "text": reason.text, "help": reason.help}


def _offer(offer: Offer) -> dict[str, object]:
    return {
        "limit_cents": offer.limit_cents,
        "monthly_rate_bps": offer.monthly_rate_bps,
        "monthly_rate_percent": str(Decimal(offer.monthly_rate_bps) / 100),
        "fees": offer.fees.model_dump(mode="json"),
        "held_until": _moment(offer.expires_at),
        "conditions": [{"code": code, "text": CONDITIONS[code]} for code in offer.conditions],
        "worked_draw": _DRAWN(offer.worked_draw),
    }


# Lines are of whole steps, so that the engine hands out the same draws again and again.
_DRAWN = Once(lambda draw: msgspec.Raw(canonical_bytes(draw.model_dump(mode="json"))))


def _moment(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
