"""Tables of decisions: callers, applications with their people, facts, decisions, the audit chain, messages, guards."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
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

caller_key = Table(
    "caller_key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),  # words with single spaces between, sorted
    Column("secret_sha256", Text, nullable=False),
    Column("prefix", Text, nullable=False),  # the first characters, by which people recognise a key
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    Column("last_used_at", Moment),
    Column("development", Boolean, nullable=False),
    UniqueConstraint("secret_sha256"),
    prefixed("key_"),
    digest("secret_sha256"),
)

application = Table(
    "application",
    metadata,
    Column("id", Text, primary_key=True),
    # No foreign key: the web form is a caller too, and has no key.
    Column("caller_id", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("abn", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("body_sha256", Text, nullable=False),
    Column("channel", Text, nullable=False),
    prefixed("app_"),
    digest("body_sha256"),
    CheckConstraint("length(abn) = 11", "abn_length"),
    Index("ix_application_abn", "abn", "received_at"),
)

person = Table(
    "person",
    metadata,
    Column("ref", Text, primary_key=True),
    Column("application_id", Text, ForeignKey("application.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("body", Text),
    Column("erased_at", Moment),
    prefixed("per_", "ref"),
    CheckConstraint("(body IS NULL) = (erased_at IS NOT NULL)", "erased"),
    Index("ix_person_application_id", "application_id"),
)

fact_set = Table(
    "fact_set",
    metadata,
    Column("sha256", Text, primary_key=True),  # of the raw bytes, before compression
    Column("encoding", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("bytes_raw", Integer, nullable=False),
    digest("sha256"),
    CheckConstraint("encoding IN ('raw', 'zlib')", "encoding"),
    CheckConstraint("bytes_raw > 0", "bytes_raw"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("body", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("prev", Text, nullable=False),
    digest("sha256"),
    digest("prev"),
    CheckConstraint("seq >= 1", "seq"),
)

_IS_APPROVED = "outcome = 'approve'"
_REFERS = "outcome = 'refer'"

decision = Table(
    "decision",
    metadata,
    Column("id", Text, primary_key=True),
    Column("application_id", Text, ForeignKey("application.id"), nullable=False),
    Column("supersedes", Text, ForeignKey("decision.id")),
    Column("decided_at", Moment, nullable=False),
    Column("as_of", Moment, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("limit_cents", BigInteger),
    Column("monthly_rate_bps", Integer),
    Column("grade", Text),
    Column("pd", Double),
    Column("expires_at", Moment),
    Column("release_name", Text, nullable=False),
    Column("release_digest", Text, nullable=False),
    Column("engine_digest", Text, nullable=False),
    Column("facts_sha256", Text, ForeignKey("fact_set.sha256"), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("body_sha256", Text, nullable=False),
    Column("audit_seq", BigInteger, ForeignKey("audit.seq"), nullable=False),
    Column("abn", Text, nullable=False),
    Column("synthetic", Boolean, nullable=False),
    # What brakes count by; none in rows from before they did.
    Column("division", Text),
    Column("state", Text),
    Column("entity_type", Text),
    Column("arm", Text),  # of a roll-out; none where there was none
    UniqueConstraint("supersedes"),  # a decision is superseded once
    UniqueConstraint("audit_seq"),
    prefixed("dec_"),
    digest("release_digest"),
    digest("engine_digest"),
    digest("body_sha256"),
    CheckConstraint("length(abn) = 11", "abn_length"),
    CheckConstraint("supersedes <> id", "supersedes_another"),
    CheckConstraint("outcome IN ('approve', 'refer', 'decline')", "outcome"),
    CheckConstraint(f"({_IS_APPROVED}) = (limit_cents IS NOT NULL)", "approve_has_limit"),
    CheckConstraint(f"({_IS_APPROVED}) = (monthly_rate_bps IS NOT NULL)", "approve_has_rate"),
    CheckConstraint(f"({_IS_APPROVED}) = (expires_at IS NOT NULL)", "approve_has_expiry"),
    CheckConstraint("expires_at > decided_at", "expires_later"),
    CheckConstraint("limit_cents BETWEEN 500000 AND 30000000", "limit_range"),
    # Integer division instead of a per cent sign, which drivers take for a placeholder.
    CheckConstraint("limit_cents = (limit_cents / 50000) * 50000", "limit_step"),
    CheckConstraint("monthly_rate_bps >= 115", "rate_floor"),
    CheckConstraint("pd BETWEEN 0 AND 1", "pd_range"),
    CheckConstraint("arm IN ('champion', 'challenger')", "arm"),
    Index("ix_decision_abn", "abn", "audit_seq"),
    Index("ix_decision_application_id", "application_id"),
    Index("ix_decision_decided_at", "decided_at"),
    Index("ix_decision_referred", "audit_seq", sqlite_where=text(_REFERS), postgresql_where=text(_REFERS)),
    Index(
        "ix_decision_open_offer",
        "abn",
        "expires_at",
        sqlite_where=text(_IS_APPROVED),
        postgresql_where=text(_IS_APPROVED),
    ),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("caller_id", Text, primary_key=True),
    Column("route", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("reply", LargeBinary),  # pruned after a month; the row itself stays as long as the decision
    Column("decision_id", Text, ForeignKey("decision.id")),
    Column("created_at", Moment, nullable=False),
    digest("fingerprint"),
    CheckConstraint("length(key) BETWEEN 1 AND 255", "key_length"),
    CheckConstraint("status BETWEEN 200 AND 499", "status"),
    Index(
        "ix_idempotency_prunable",
        "created_at",
        sqlite_where=text("reply IS NOT NULL"),
        postgresql_where=text("reply IS NOT NULL"),
    ),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", counter, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("topic", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Moment, nullable=False),
    Column("sent_at", Moment),
    Column("dead_at", Moment),
    Column("dedupe", Text, nullable=False),
    UniqueConstraint("dedupe"),
    CheckConstraint("attempts BETWEEN 0 AND 20", "attempts"),
    CheckConstraint("sent_at IS NULL OR dead_at IS NULL", "sent_or_dead"),
    Index(
        "ix_outbox_due",
        "next_at",
        sqlite_where=text("sent_at IS NULL AND dead_at IS NULL"),
        postgresql_where=text("sent_at IS NULL AND dead_at IS NULL"),
    ),
    Index(
        "ix_outbox_dead",
        "id",
        sqlite_where=text("dead_at IS NOT NULL"),
        postgresql_where=text("dead_at IS NOT NULL"),
    ),
)

brake = Table(
    "brake",
    metadata,
    Column("id", counter, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("segment", Text, nullable=False),  # '*' for all of them
    Column("value", BigInteger),  # cents, or hundredths of a per cent; none for a plain stop
    Column("set_at", Moment, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("lifted_at", Moment),
    Column("lifted_by", Text),
    Column("because", Text),
    Column("lifted_because", Text),
    CheckConstraint("kind IN ('refer_all', 'daily_dollars', 'concentration')", "kind"),
    CheckConstraint("(kind = 'refer_all') = (value IS NULL)", "value"),
    CheckConstraint("value >= 0", "value_sign"),
    CheckConstraint("lifted_at >= set_at", "lifted_after"),
    CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", "lifted_by_someone"),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("abn", Text, nullable=False),
    Column("caller_id", Text, nullable=False),
    Column("application_id", Text, ForeignKey("application.id")),  # none where the attempt was refused
    Column("declared", Text, nullable=False),  # keyed digest of the material declared values, the amount left out
    Column("amount_cents", BigInteger, nullable=False),
    prefixed("att_"),
    digest("declared"),
    CheckConstraint("length(abn) = 11", "abn_length"),
    CheckConstraint("amount_cents > 0", "amount_sign"),
    Index("ix_attempt_abn", "abn", "at"),
    Index("ix_attempt_application_id", "application_id"),
)

signal = Table(
    "signal",
    metadata,
    Column("id", counter, primary_key=True),
    Column("attempt_id", Text, ForeignKey("attempt.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False),  # a blind index: a keyed digest, apart for each kind
    Column("abn", Text, nullable=False),
    Column("at", Moment, nullable=False),
    digest("value"),
    CheckConstraint("kind IN ('person', 'bank_account', 'device', 'phone', 'email')", "kind"),
    CheckConstraint("length(abn) = 11", "abn_length"),
    Index("ix_signal_attempt_id", "attempt_id"),
    Index("ix_signal_value", "value", "at"),
    Index("ix_signal_abn", "abn", "kind"),
)

# Not append-only: a lease changes hands, and what was uploaded goes once the decision holds it.
intake = Table(
    "intake",
    metadata,
    Column("caller_id", Text, primary_key=True),
    Column("route", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("application_id", Text, ForeignKey("application.id"), nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("body", LargeBinary),
    Column("owner", Text, nullable=False),
    Column("lease_until", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("done_at", Moment),
    UniqueConstraint("application_id"),
    digest("fingerprint"),
    CheckConstraint("done_at IS NULL OR body IS NULL", "done_without_body"),
    Index(
        "ix_intake_waiting",
        "lease_until",
        sqlite_where=text("done_at IS NULL"),
        postgresql_where=text("done_at IS NULL"),
    ),
)
