"""Case and document as two tables of states x events: what may happen when, and what it leads to.

It does: answer what comes next, and draw each table. It does not: know who may do it, or what else an event means.
The rule it keeps: what is not in a table cannot happen; the diagrams in docs/verification.md are drawn from the tables.
"""

from collections.abc import Mapping
from typing import Literal, TypeVar, get_args

CaseState = Literal["waiting", "open", "claimed", "verified", "approving", "approved", "rejected", "expired"]
CaseEvent = Literal[
    "open", "document_received", "document_checked", "complete", "sample", "claim", "release", "lapse", "record",
    "accept_document", "return_document", "request", "waive", "note", "snooze", "reassign", "escalate", "alert",
    "verify", "machine_verify", "claim_approval", "release_approval", "decided", "approve", "approve_final", "decline",
    "send_back", "expire",
]  # fmt: skip
DocumentState = Literal["received", "quarantined", "clean", "checked", "accepted", "returned", "rejected", "replaced"]
DocumentEvent = Literal["inspect", "pass", "reject", "check", "accept", "return", "replace"]
S = TypeVar("S", bound=str)
E = TypeVar("E", bound=str)

CASE_STATES: tuple[CaseState, ...] = get_args(CaseState)
LIVE: tuple[CaseState, ...] = ("waiting", "open", "claimed", "verified", "approving")
CLOSED: tuple[CaseState, ...] = ("approved", "rejected", "expired")

CASE: Mapping[tuple[CaseState, CaseEvent], CaseState] = {
    # Whatever the state, as long as the case lives: people talk about it and the clock runs.
    **{(state, event): state for state in LIVE for event in ("note", "escalate", "alert", "document_checked")},
    ("waiting", "document_received"): "waiting",
    ("waiting", "waive"): "waiting",
    ("waiting", "complete"): "open",
    ("waiting", "expire"): "expired",
    ("open", "sample"): "open",
    ("open", "machine_verify"): "verified",
    ("open", "claim"): "claimed",
    ("open", "document_received"): "open",
    ("claimed", "document_received"): "claimed",
    ("claimed", "release"): "open",
    ("claimed", "lapse"): "open",
    ("claimed", "snooze"): "open",
    ("claimed", "reassign"): "claimed",
    ("claimed", "record"): "claimed",
    ("claimed", "accept_document"): "claimed",
    ("claimed", "waive"): "claimed",
    ("claimed", "return_document"): "waiting",
    ("claimed", "request"): "waiting",
    ("claimed", "verify"): "verified",
    ("verified", "claim_approval"): "approving",
    ("approving", "release_approval"): "verified",
    ("approving", "lapse"): "verified",
    ("approving", "snooze"): "verified",
    ("approving", "reassign"): "approving",
    ("approving", "decided"): "approving",
    ("approving", "approve"): "verified",
    ("approving", "approve_final"): "approved",
    ("approving", "decline"): "rejected",
    ("approving", "send_back"): "open",
    ("verified", "approve_final"): "approved",  # by policy, where the machine verified it and nobody was drawn to look
}

DOCUMENT: Mapping[tuple[DocumentState, DocumentEvent], DocumentState] = {
    ("received", "inspect"): "quarantined",
    ("quarantined", "inspect"): "quarantined",  # once more, after a crash
    ("quarantined", "pass"): "clean",
    ("quarantined", "reject"): "rejected",
    ("clean", "check"): "checked",
    ("checked", "accept"): "accepted",
    ("checked", "return"): "returned",
    ("accepted", "return"): "returned",
    ("checked", "replace"): "replaced",
}


def next_state(table: Mapping[tuple[S, E], S], state: str, event: str) -> S | None:
    """The state that an event leads to, or None where it cannot happen now."""
    found: S | None = table.get((state, event))  # type: ignore[arg-type]
    return found


def diagram(table: Mapping[tuple[S, E], S]) -> str:
    """The table as a Mermaid state diagram; events that leave a state as it is are listed within it."""
    states = list(dict.fromkeys(state for pair, after in table.items() for state in (pair[0], after)))
    lines = ["stateDiagram-v2", f"    [*] --> {states[0]}"]
    for state in states:
        moves: dict[str, list[str]] = {}
        for (before, event), after in table.items():
            if before == state:
                moves.setdefault(after, []).append(event)
        lines += [f"    {state} --> {after}: {', '.join(events)}" for after, events in moves.items() if after != state]
        if stays := moves.get(state):
            lines.append(f"    {state}: {state} ({', '.join(stays)})")
        if not moves:
            lines.append(f"    {state} --> [*]")
    return "\n".join(lines)
