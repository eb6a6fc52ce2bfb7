"""Every table of the store, for SQLite and PostgreSQL alike.

Money is integer cents, a moment is UTC microseconds (moment.py says why), a record is the exact bytes that
were hashed. What the design promises of a decision is asserted here again as CHECKs, so that no other program
can write what `decide` cannot. It does not hold the triggers that make rows append-only: those are in
migrations/, which a test compares with this package.
The rule: a table is changed here and in a new migration, never in an old one.
"""

from api.store.tables.base import metadata
from api.store.tables.decisions import (
    application,
    attempt,
    audit,
    brake,
    caller_key,
    decision,
    fact_set,
    idempotency,
    intake,
    outbox,
    person,
    signal,
)
from api.store.tables.staff import enrolment, passkey, recovery_code, sign_in, staff, staff_session
from api.store.tables.verification import (
    approval,
    case_event,
    contract,
    document,
    document_check,
    line,
    recorded_value,
    signature,
    verification_case,
)

__all__ = [
    "application", "approval", "attempt", "audit", "brake", "caller_key", "case_event", "contract", "decision",
    "document", "document_check", "enrolment", "fact_set", "idempotency", "intake", "line", "metadata", "outbox",
    "passkey", "person", "recorded_value", "recovery_code", "sign_in", "signal", "signature", "staff",
    "staff_session", "verification_case",
]  # fmt: skip
