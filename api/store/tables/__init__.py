"""Every table of the store, for SQLite and PostgreSQL alike.

Money is integer cents, a moment is UTC microseconds (moment.py says why), a record is the exact bytes that
were hashed. What the design promises of a decision is asserted here again as CHECKs, so that no other program
can write what `decide` cannot. It does not hold the triggers that make rows append-only: those are in
migrations/, which a test compares with this package.
The rule: a table is changed here and in a new migration, never in an old one.
"""

from api.store.tables.advice import advice_read, counterfactual, review_request
from api.store.tables.applicants import applicant, draft, entry_code, entry_link, holding, letter, upload, visit
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
from api.store.tables.referrals import referral_act
from api.store.tables.rollout import rollout_event, shadow
from api.store.tables.staff import enrolment, passkey, recovery_code, sign_in, staff, staff_session
from api.store.tables.verification import (
    approval,
    case_event,
    contract,
    document,
    document_check,
    document_part,
    line,
    recorded_value,
    signature,
    verification_case,
)

__all__ = [
    "advice_read", "applicant", "application", "approval", "attempt", "audit", "brake", "caller_key", "case_event",
    "contract", "counterfactual", "decision", "document", "document_check", "document_part", "draft", "enrolment",
    "entry_code", "entry_link", "fact_set", "holding", "idempotency", "intake", "letter", "line", "metadata",
    "outbox", "passkey", "person", "recorded_value", "recovery_code", "referral_act", "review_request",
    "rollout_event", "shadow", "sign_in", "signal", "signature", "staff", "staff_session", "upload",
    "verification_case", "visit",
]  # fmt: skip
