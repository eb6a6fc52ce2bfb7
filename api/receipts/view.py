"""A receipt as a printed page shows it: every line of it, from the signed file alone.

It does: put what the file says into labels and values for people. It does not: make HTML, or know anything that the
file does not say but the lender's name. The rule it keeps: what is printed is what was signed.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.audit.checkpoints import key_id_of
from api.pages.wording import abn, dated, money, percent
from api.receipts.settings import DEVELOPMENT_KEY
from api.zone import SYDNEY

_OUTCOMES = {
    "approve": "A conditional offer",
    "refer": "A person looks at the application before anything is decided",
    "decline": "No line can be offered on this application",
}
_SOURCES = {
    "registry": "the business register", "marketplace": "the marketplace", "bank": "the bank",
    "bureau": "the credit bureau",
}  # fmt: skip
_WHAT = (
    "This receipt says what was decided and commits the lender to what it was decided on: a digest stands for each of "
    "your application, the facts that were gathered, the rules with the model, and the program. Whoever holds the "
    "things themselves can show that they are the same ones; nobody can read them out of a digest."
)
_KEEP = "Keep the file. Its signature, not this page, is the proof; it can be checked without the lender."
_MADE_UP = "The decision was made on made-up data."
_EVERYBODYS = "It is signed by the development key, which everybody knows: it proves nothing."


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what it is, and its value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Why:
    """One reason with what would help."""

    text: str
    help: str


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """All that a page prints; a part that a decision does not have is empty."""

    title: str
    lender: str
    outcome: str
    application: tuple[Line, ...]
    offer: tuple[Line, ...]
    worked_draw: tuple[Line, ...]
    conditions: tuple[str, ...]
    reasons: tuple[Why, ...]
    unavailable: tuple[str, ...]
    proof: tuple[Line, ...]
    notes: tuple[str, ...]
    file_name: str


def receipt_view(receipt: bytes, lender: str) -> ReceiptView:
    """The lines of a receipt that `receipt_of` made, or that was verified."""
    file = json.loads(receipt)
    told: dict[str, Any] = file["receipt"]
    offer = told["offer"]
    return ReceiptView(
        title="Receipt of a credit decision",
        lender=lender,
        outcome=_OUTCOMES[told["outcome"]],
        application=_application(told),
        offer=() if offer is None else _offer(offer),
        worked_draw=() if offer is None else _worked_draw(offer["worked_draw"]),
        conditions=() if offer is None else tuple(each["text"] for each in offer["conditions"]),
        reasons=tuple(Why(each["text"], each["help"]) for each in told["reasons"]),
        unavailable=tuple(_SOURCES[name] for name in told["external_data_unavailable"]),
        proof=_proof(told, file["signature"]),
        notes=_notes(told),
        file_name=f"receipt-{told['decision_id']}.json",
    )


def _application(told: dict[str, Any]) -> tuple[Line, ...]:
    lines = [
        Line("ABN", abn(told["abn"])),
        Line("Asked for", money(told["requested_cents"])),
        Line("Received", _moment(told["received_at"])),
        Line("Decided", _moment(told["decided_at"])),
        Line("Application", told["application_id"]),
        Line("Decision", told["decision_id"]),
    ]
    if told["supersedes"] is not None:
        lines.append(Line("In place of decision", told["supersedes"]))
    return tuple(lines)


def _offer(offer: dict[str, Any]) -> tuple[Line, ...]:
    fees, limit = offer["fees"], offer["limit_cents"]
    told = (
        ("Establishment fee, once", fees["establishment_bps"], "of the line"),
        ("Line fee, every month", fees["line_fee_bps_month"], "of the line"),
        ("Fee for each draw", fees["draw_fee_bps"], "of the draw"),
    )
    return (
        Line("Line of credit, up to", money(limit)),
        Line("Interest a month", f"{percent(offer['monthly_rate_bps'])} of what is drawn"),
        *(Line(label, f"{percent(bps)} {of}") for label, bps, of in told if bps),
        Line("Least monthly fee", money(fees["minimum_monthly_fee_cents"])),
        Line("Held until", _moment(offer["held_until"])),
    )


def _worked_draw(draw: dict[str, Any]) -> tuple[Line, ...]:
    return (
        Line("Drawn", f"{money(draw['draw_cents'])}, paid back over {draw['months']} months"),
        Line("Average monthly payment", money(draw["average_monthly_payment_cents"])),
        Line("Total cost", money(draw["total_cost_cents"])),
        Line("Total paid back", money(draw["total_repayment_cents"])),
        Line("Annual percentage rate", f"{float(draw['apr_pct']):.2f}%"),
        Line("Simple annual rate", f"{float(draw['simple_annual_pct']):.2f}%"),
        Line("Cost in each dollar drawn", f"{float(draw['cents_in_the_dollar']):.2f} cents"),
    )


def _proof(told: dict[str, Any], signature: str) -> tuple[Line, ...]:
    return (
        Line("Application, SHA-256", told["application_sha256"]),
        Line("Facts, SHA-256", told["facts_sha256"]),
        Line("Rules and model", told["release"]),
        Line("Rules and model, SHA-256", told["release_digest"]),
        Line("Program, SHA-256", told["engine_digest"]),
        Line("Audit entry", f"{told['audit_seq']}:{told['receipt_hash']}"),
        Line("Signed by key", told["key"]),
        Line("Signature", signature),
    )


def _notes(told: dict[str, Any]) -> tuple[str, ...]:
    notes = [_WHAT, _KEEP]
    if told["synthetic"]:
        notes.append(_MADE_UP)
    if told["key"] == key_id_of(DEVELOPMENT_KEY):
        notes.append(_EVERYBODYS)
    return tuple(notes)


def _moment(text: str) -> str:
    """A moment in Sydney, and in UTC to the microsecond as it was signed."""
    return f"{dated(datetime.fromisoformat(text), SYDNEY)} in Sydney ({text})"
