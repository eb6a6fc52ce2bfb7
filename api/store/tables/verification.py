"""Tables of full approval: the verification case, its documents and what was read in them, approvals, contract, line.

The head of a case (`verification_case`) and of a document changes with every event; the events themselves, and what
anybody read, recorded or approved, are written once. No column but those named for it holds personal data.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from api.store.moment import Moment
from api.store.tables.base import counter, digest, metadata, prefixed

CASE_STATES = ("waiting", "open", "claimed", "verified", "approving", "approved", "rejected", "expired")
DOCUMENT_STATES = ("received", "quarantined", "clean", "checked", "accepted", "returned", "rejected", "replaced")
# The two stages of the queue. Queries repeat these words exactly: SQLite then knows the index that they are of.
VERIFY_STAGE = "state IN ('open', 'claimed')"
APPROVE_STAGE = "state IN ('verified', 'approving')"
UNCHECKED = "state IN ('received', 'quarantined', 'clean')"


def _one_of(column: str, words: tuple[str, ...]) -> str:
    return f"{column} IN (" + ", ".join(f"'{word}'" for word in words) + ")"


def _partial(name: str, condition: str, *columns: str) -> Index:
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


verification_case = Table(
    "verification_case",
    metadata,
    Column("id", Text, primary_key=True),
    Column("application_id", Text, ForeignKey("application.id"), nullable=False),
    Column("accepted_decision_id", Text, ForeignKey("decision.id"), nullable=False),  # the conditional offer taken up
    Column("decision_id", Text, ForeignKey("decision.id"), nullable=False),  # the one it stands on now
    Column("abn", Text, nullable=False),
    # The legal name to search by, lower case; compared by code points, so that a prefix is a range of the index.
    Column("name_key", Text().with_variant(Text(collation="C"), "postgresql"), nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),  # one more with every event
    Column("limit_cents", BigInteger, nullable=False),  # of the decision it stands on
    Column("opened_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),  # of the offer
    # The clock: from the last required document, paused while the applicant is waited for.
    Column("complete_at", Moment),
    Column("paused_at", Moment),
    Column("paused_us", BigInteger, nullable=False),
    Column("due_at", Moment),  # complete_at + 24 h + paused so far; none before the clock runs
    Column("touched_at", Moment),
    Column("alerted_hours", Integer, nullable=False),  # the highest alert raised: 0, 2, 12, 18, 22 or 24
    # The queue: earliest deadline first; the lower `rank` first among deadlines of the same quarter of an hour.
    Column("queue_at", Moment),
    Column("rank", BigInteger, nullable=False),
    Column("owner", Text, ForeignKey("staff.id")),
    Column("lease_until", Moment),
    Column("snoozed_until", Moment),
    Column("escalated", Boolean, nullable=False),
    Column("verified_by", Text),  # a member of staff, or 'machine'
    Column("content_sha256", Text),  # of what was verified and waits for approval; none before
    Column("sampled", Boolean, nullable=False),  # verified by machine and drawn for people to look at
    Column("closed_at", Moment),
    UniqueConstraint("application_id"),
    prefixed("case_"),
    CheckConstraint("length(abn) = 11", "abn_length"),
    CheckConstraint(_one_of("state", CASE_STATES), "state"),
    CheckConstraint("version >= 1", "version"),
    CheckConstraint("limit_cents BETWEEN 500000 AND 30000000", "limit_range"),
    CheckConstraint("paused_us >= 0", "paused_us"),
    CheckConstraint("alerted_hours IN (0, 2, 12, 18, 22, 24)", "alerted_hours"),
    CheckConstraint("(owner IS NULL) = (lease_until IS NULL)", "owner_has_lease"),
    CheckConstraint("(state IN ('claimed', 'approving')) = (owner IS NOT NULL)", "owner_while_worked"),
    CheckConstraint("(state IN ('approved', 'rejected', 'expired')) = (closed_at IS NOT NULL)", "closed"),
    CheckConstraint("(due_at IS NULL) = (queue_at IS NULL)", "queued_by_deadline"),
    CheckConstraint(f"queue_at IS NOT NULL OR NOT ({VERIFY_STAGE} OR {APPROVE_STAGE})", "queued_has_place"),
    digest("content_sha256"),
    Index("ix_verification_case_abn", "abn"),
    Index("ix_verification_case_name", "name_key"),
    _partial("ix_verification_case_verify", VERIFY_STAGE, "queue_at", "rank", "id"),
    _partial("ix_verification_case_approve", APPROVE_STAGE, "queue_at", "rank", "id"),
    _partial("ix_verification_case_owner", "owner IS NOT NULL", "owner"),
    _partial("ix_verification_case_alert", "closed_at IS NULL", "alerted_hours", "due_at"),
    _partial("ix_verification_case_waiting", "state = 'waiting'", "expires_at", "id"),
    _partial("ix_verification_case_closed", "closed_at IS NOT NULL", "state", "closed_at", "id"),
)

case_event = Table(
    "case_event",
    metadata,
    Column("case_id", Text, ForeignKey("verification_case.id"), primary_key=True),
    Column("version", Integer, primary_key=True),  # of the case, after the event
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("actor_role", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("state", Text, nullable=False),  # of the case, after the event
    Column("document_id", Text, ForeignKey("document.id")),
    Column("body", Text, nullable=False),  # canonical JSON; people's words, so never copied into the audit chain
    Column("audit_seq", BigInteger, ForeignKey("audit.seq"), nullable=False),
    UniqueConstraint("audit_seq"),
    CheckConstraint("version >= 1", "version"),
    CheckConstraint(_one_of("state", CASE_STATES), "state"),
    Index("ix_case_event_at", "at"),
)

document = Table(
    "document",
    metadata,
    Column("id", Text, primary_key=True),
    Column("case_id", Text, ForeignKey("verification_case.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("person_ref", Text, ForeignKey("person.ref")),  # whose identity it shows
    Column("state", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("received_from", Text, nullable=False),  # caller or member of staff
    Column("media_type", Text),  # none until looked at
    Column("bytes", BigInteger, nullable=False),
    Column("pages", Integer),
    Column("sha256", Text, nullable=False),  # of the original
    Column("perceptual", Text),  # of the first page, 16 hexadecimal digits
    Column("storage_key", Text),  # none once it was destroyed
    Column("reason", Text),  # the code with which it was returned or rejected
    Column("words", Text),  # to the applicant
    Column("settled_at", Moment),
    # Of the worker that looks at it; nobody tries more often than the attempts allow.
    Column("lease_until", Moment),
    Column("attempts", Integer, nullable=False),
    prefixed("doc_"),
    digest("sha256"),
    CheckConstraint(_one_of("state", DOCUMENT_STATES), "state"),
    CheckConstraint("bytes > 0", "bytes"),
    CheckConstraint("pages >= 1", "pages"),
    CheckConstraint("attempts BETWEEN 0 AND 5", "attempts"),
    CheckConstraint("length(perceptual) = 16", "perceptual_length"),
    CheckConstraint("(state IN ('returned', 'rejected')) = (reason IS NOT NULL)", "refused_with_reason"),
    Index("ix_document_case_id", "case_id"),
    Index("ix_document_sha256", "sha256"),
    _partial("ix_document_unchecked", UNCHECKED, "received_at", "id"),
)

# A perceptual hash in four parts of 16 bits: hashes that are near each other have a part that is nearly the same.
document_part = Table(
    "document_part",
    metadata,
    Column("part", Integer, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("document_id", Text, ForeignKey("document.id"), primary_key=True),
    CheckConstraint("part BETWEEN 0 AND 3", "part"),
    CheckConstraint("length(value) = 4", "value_length"),
)

document_check = Table(
    "document_check",
    metadata,
    Column("id", counter, primary_key=True),
    Column("document_id", Text, ForeignKey("document.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("confidence_bps", Integer, nullable=False),
    Column("body", Text, nullable=False),  # canonical JSON: what was read, on which page and where; redacted
    Column("at", Moment, nullable=False),
    UniqueConstraint("document_id", "name"),
    CheckConstraint("verdict IN ('pass', 'warn', 'fail', 'unread')", "verdict"),
    CheckConstraint("confidence_bps BETWEEN 0 AND 10000", "confidence"),
)

recorded_value = Table(
    "recorded_value",
    metadata,
    Column("id", counter, primary_key=True),
    Column("case_id", Text, ForeignKey("verification_case.id"), nullable=False),
    Column("document_id", Text, ForeignKey("document.id"), nullable=False),
    Column("field", Text, nullable=False),
    Column("value", Text, nullable=False),  # canonical JSON
    Column("recorded_at", Moment, nullable=False),
    Column("recorded_by", Text, nullable=False),  # a member of staff, or 'machine'
    Index("ix_recorded_value_case_id", "case_id", "id"),
)

approval = Table(
    "approval",
    metadata,
    Column("id", Text, primary_key=True),
    Column("case_id", Text, ForeignKey("verification_case.id"), nullable=False),
    Column("content_sha256", Text, nullable=False),  # of exactly what was approved
    Column("staff_id", Text, ForeignKey("staff.id"), nullable=False),
    Column("verified_by", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("limit_cents", BigInteger),
    Column("overrides", Boolean, nullable=False),
    Column("reason", Text),
    Column("words", Text),
    Column("at", Moment, nullable=False),
    UniqueConstraint("case_id", "content_sha256", "staff_id"),
    prefixed("apr_"),
    digest("content_sha256"),
    CheckConstraint("staff_id <> verified_by", "maker_checker"),
    CheckConstraint("verdict IN ('approve', 'decline')", "verdict"),
    CheckConstraint("(verdict = 'approve') = (limit_cents IS NOT NULL)", "approve_has_limit"),
    CheckConstraint("limit_cents BETWEEN 500000 AND 30000000", "limit_range"),
    CheckConstraint("limit_cents = (limit_cents / 50000) * 50000", "limit_step"),
    CheckConstraint("verdict = 'approve' OR reason IS NOT NULL", "decline_has_reason"),
    CheckConstraint("NOT overrides OR reason IS NOT NULL", "override_has_reason"),
    Index("ix_approval_staff_id", "staff_id", "at"),
)

contract = Table(
    "contract",
    metadata,
    Column("id", Text, primary_key=True),
    Column("case_id", Text, ForeignKey("verification_case.id"), nullable=False),
    Column("decision_id", Text, ForeignKey("decision.id"), nullable=False),
    Column("template_sha256", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),  # the exact text to be signed, UTF-8
    Column("body_sha256", Text, nullable=False),
    Column("rendered_at", Moment, nullable=False),
    UniqueConstraint("case_id"),
    prefixed("con_"),
    digest("template_sha256"),
    digest("body_sha256"),
)

signature = Table(
    "signature",
    metadata,
    Column("contract_id", Text, ForeignKey("contract.id"), primary_key=True),
    Column("person_ref", Text, ForeignKey("person.ref"), primary_key=True),
    Column("authority", Text, nullable=False),  # in which capacity the person signs
    Column("body_sha256", Text, nullable=False),  # of the text that was shown
    Column("signed_at", Moment, nullable=False),
    Column("received_from", Text, nullable=False),
    digest("body_sha256"),
)

line = Table(
    "line",
    metadata,
    Column("id", Text, primary_key=True),
    Column("application_id", Text, ForeignKey("application.id"), nullable=False),
    Column("case_id", Text, ForeignKey("verification_case.id"), nullable=False),
    Column("decision_id", Text, ForeignKey("decision.id"), nullable=False),
    Column("contract_id", Text, ForeignKey("contract.id"), nullable=False),
    Column("abn", Text, nullable=False),
    Column("limit_cents", BigInteger, nullable=False),
    Column("monthly_rate_bps", Integer, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("due_diligence_at", Moment),  # customer due diligence recorded complete: no drawdown before
    Column("due_diligence_by", Text, ForeignKey("staff.id")),
    UniqueConstraint("application_id"),
    UniqueConstraint("contract_id"),
    prefixed("line_"),
    CheckConstraint("length(abn) = 11", "abn_length"),
    CheckConstraint("limit_cents BETWEEN 500000 AND 30000000", "limit_range"),
    CheckConstraint("monthly_rate_bps >= 115", "rate_floor"),
    CheckConstraint("(due_diligence_at IS NULL) = (due_diligence_by IS NULL)", "due_diligence_by_someone"),
    Index("ix_line_abn", "abn"),
)
