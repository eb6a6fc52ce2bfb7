"""What an applicant is told of their case: public words and ids, the clock, and each document with what to do.

It does: make canonical JSON from a case as it stands. It does not: tell findings, names of staff or notes. The rule it
keeps: a case that compliance looks at reads as any other that people look at.
"""

from datetime import datetime
from typing import Any

from api.cases.acts import MACHINE
from api.cases.wanted import UNSEEN, Standing, Wanted
from api.store import queries as store
from engine.canonical import canonical_bytes
from engine.verification.clock import Clock
from engine.verification.documents import KINDS, RETURN_REASONS

_STATES = {
    "waiting": "documents_wanted", "open": "being_verified", "claimed": "being_verified", "verified": "being_approved",
    "approving": "being_approved", "approved": "approved", "rejected": "declined", "expired": "expired",
}  # fmt: skip
_DOCUMENT_STATES = {
    "received": "received", "quarantined": "being_checked", "clean": "being_checked", "checked": "received",
    "accepted": "accepted", "returned": "returned", "rejected": "refused", "replaced": "replaced",
}  # fmt: skip
UNUSABLE = "We could not open this file safely. Send it as PDF, PNG or JPEG, without a password or active content."


def case_reply(standing: Standing, now: datetime) -> bytes:
    """The case as its applicant may see it, canonical JSON."""
    case, clock = standing.case, clock_of(standing.case)
    return canonical_bytes(
        {
            "case_id": case.id,
            "application_id": case.application_id,
            "decision_id": case.decision_id if case.closed_at is not None else case.accepted_decision_id,
            "state": _STATES[case.state],
            "limit_cents": case.limit_cents if case.state == "approved" else None,
            "held_until": _moment(case.expires_at),
            "wanted": [_wanted(each, standing) for each in standing.wanted],
            "clock": {
                "started_at": _moment(clock.complete_at),
                "due_at": None if clock.paused_at else _moment(clock.due_at),
                "elapsed_seconds": int(clock.elapsed(case.closed_at or now).total_seconds()),
                "paused_seconds": int(clock.paused_for(case.closed_at or now).total_seconds()),
                "paused": clock.paused_at is not None,
            },
            "verified_by_machine": case.verified_by == MACHINE.id,
        }
    )


def document_reply(document: store.DocumentRow) -> bytes:
    """One document as its applicant may see it, canonical JSON."""
    return canonical_bytes(_document(document))


def clock_of(case: store.CaseRow) -> Clock:
    """The clock of a case from its head."""
    return Clock.of(case.complete_at, case.paused_at, case.paused_us)


def _wanted(wanted: Wanted, standing: Standing) -> dict[str, Any]:
    documents = [each for each in standing.documents if each.id in wanted.documents]
    return {
        "id": wanted.id,
        "kind": wanted.kind,
        "title": KINDS[wanted.kind].title,
        "ask": KINDS[wanted.kind].ask,
        "why": wanted.why,
        "adds": wanted.adds,
        "person_ref": wanted.person_ref,
        "count": wanted.count,
        "required": wanted.required,
        "state": _wanted_state(wanted, documents),
        "documents": [_document(each) for each in documents],
    }


def _wanted_state(wanted: Wanted, documents: list[store.DocumentRow]) -> str:
    if wanted.waived:
        return "not_needed"
    if wanted.settled:
        return "accepted"
    if wanted.met:
        return "received"
    if any(each.state in UNSEEN for each in documents):
        return "being_checked"
    return "returned" if any(each.state in {"returned", "rejected"} for each in documents) else "wanted"


def _document(document: store.DocumentRow) -> dict[str, Any]:
    reason = RETURN_REASONS.get(document.reason or "")
    wrong = UNUSABLE if document.state == "rejected" else reason.wrong if reason else None
    return {
        "document_id": document.id,
        "kind": document.kind,
        "person_ref": document.person_ref,
        "state": _DOCUMENT_STATES[document.state],
        "received_at": _moment(document.received_at),
        "bytes": document.bytes,
        "sha256": document.sha256,
        "reason": document.reason if document.state == "returned" else None,
        "wrong": wrong,
        "send": reason.send if reason and document.state == "returned" else None,
        "words": document.words,
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
