"""Every query of the store, as a named function that takes a Connection and returns frozen values.

Grouped by noun; the functions are used as `queries.find_key_by_sha(connection, ...)`. None of them begins or
ends a transaction.
The rule: no SQL is written anywhere else.
"""

from api.store.queries.applications import (
    ApplicationRow,
    NewApplication,
    NewPerson,
    PersonRow,
    erase_person,
    get_application,
    people_of,
)
from api.store.queries.audit import (
    AuditEntry,
    AuditEvent,
    Receipt,
    append_audit,
    audit_entry,
    audit_tail,
    verify_audit,
)
from api.store.queries.brakes import EVERYWHERE, Brake, brakes_in_force, lift_brake, set_brake
from api.store.queries.decisions import DecisionRow, NewDecision, decisions_since, get_decision, successor_of
from api.store.queries.exposure import (
    SYDNEY,
    Exposure,
    approved_between,
    approved_today,
    exposure_of,
    hold_business,
)
from api.store.queries.facts import FactSet, facts_body
from api.store.queries.idempotency import (
    Claim,
    IdempotentRow,
    claim_key,
    find_idempotent,
    finish_key,
    prune_replies,
)
from api.store.queries.keys import CallerKey, add_key, find_key_by_sha, list_keys, revoke_key, touch_key
from api.store.queries.outbox import NewMessage, OutboxRow, add_message, due_messages, mark_failed, mark_sent
from api.store.queries.records import (
    ExposureMoved,
    NewRecord,
    Recorded,
    RecordResult,
    Replayed,
    Superseded,
    record_decision,
)

__all__ = [
    "EVERYWHERE",
    "SYDNEY",
    "ApplicationRow",
    "AuditEntry",
    "AuditEvent",
    "Brake",
    "CallerKey",
    "Claim",
    "DecisionRow",
    "Exposure",
    "ExposureMoved",
    "FactSet",
    "IdempotentRow",
    "NewApplication",
    "NewDecision",
    "NewMessage",
    "NewPerson",
    "NewRecord",
    "OutboxRow",
    "PersonRow",
    "Receipt",
    "RecordResult",
    "Recorded",
    "Replayed",
    "Superseded",
    "add_key",
    "add_message",
    "append_audit",
    "approved_between",
    "approved_today",
    "audit_entry",
    "audit_tail",
    "brakes_in_force",
    "claim_key",
    "decisions_since",
    "due_messages",
    "erase_person",
    "exposure_of",
    "facts_body",
    "find_idempotent",
    "find_key_by_sha",
    "finish_key",
    "get_application",
    "get_decision",
    "hold_business",
    "lift_brake",
    "list_keys",
    "mark_failed",
    "mark_sent",
    "people_of",
    "prune_replies",
    "record_decision",
    "revoke_key",
    "set_brake",
    "successor_of",
    "touch_key",
    "verify_audit",
]
