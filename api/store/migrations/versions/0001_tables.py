"""The first tables: keys, applications, people, facts, decisions, idempotency, audit, outbox and brakes.

Written out in full and not taken from tables.py, because that file goes on changing and this step does not.
Moments are BIGINT microseconds, money BIGINT cents.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them, parents first."""
    _caller_key()
    _application()
    _person()
    _fact_set()
    _audit()
    _decision()
    _idempotency()
    _outbox()
    _brake()


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _caller_key() -> None:
    op.create_table(
        "caller_key",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("secret_sha256", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("development", sa.Boolean(), nullable=False),
        sa.CheckConstraint("substr(id, 1, 4) = 'key_'", name=op.f("ck_caller_key_id_prefix")),
        sa.CheckConstraint("length(secret_sha256) = 64", name=op.f("ck_caller_key_secret_sha256_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caller_key")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_caller_key_secret_sha256")),
    )


def _application() -> None:
    op.create_table(
        "application",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("caller_id", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("abn", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.CheckConstraint("substr(id, 1, 4) = 'app_'", name=op.f("ck_application_id_prefix")),
        sa.CheckConstraint("length(abn) = 11", name=op.f("ck_application_abn_length")),
        sa.CheckConstraint("length(body_sha256) = 64", name=op.f("ck_application_body_sha256_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application")),
    )
    op.create_index("ix_application_abn", "application", ["abn", "received_at"])


def _person() -> None:
    op.create_table(
        "person",
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("substr(ref, 1, 4) = 'per_'", name=op.f("ck_person_ref_prefix")),
        sa.CheckConstraint("(body IS NULL) = (erased_at IS NOT NULL)", name=op.f("ck_person_erased")),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name=op.f("fk_person_application_id")),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_person")),
    )
    op.create_index("ix_person_application_id", "person", ["application_id"])


def _fact_set() -> None:
    op.create_table(
        "fact_set",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("encoding", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("bytes_raw", sa.Integer(), nullable=False),
        sa.CheckConstraint("encoding IN ('raw', 'zlib')", name=op.f("ck_fact_set_encoding")),
        sa.CheckConstraint("bytes_raw > 0", name=op.f("ck_fact_set_bytes_raw")),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_fact_set_sha256_length")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_fact_set")),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("prev", sa.Text(), nullable=False),
        sa.CheckConstraint("length(prev) = 64", name=op.f("ck_audit_prev_length")),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_audit_sha256_length")),
        sa.CheckConstraint("seq >= 1", name=op.f("ck_audit_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
    )


def _decision() -> None:
    op.create_table(
        "decision",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("supersedes", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("limit_cents", sa.BigInteger(), nullable=True),
        sa.Column("monthly_rate_bps", sa.Integer(), nullable=True),
        sa.Column("grade", sa.Text(), nullable=True),
        sa.Column("pd", sa.Double(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("release_name", sa.Text(), nullable=False),
        sa.Column("release_digest", sa.Text(), nullable=False),
        sa.Column("engine_digest", sa.Text(), nullable=False),
        sa.Column("facts_sha256", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("audit_seq", sa.BigInteger(), nullable=False),
        sa.Column("abn", sa.Text(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "(outcome = 'approve') = (expires_at IS NOT NULL)", name=op.f("ck_decision_approve_has_expiry")
        ),
        sa.CheckConstraint(
            "(outcome = 'approve') = (limit_cents IS NOT NULL)", name=op.f("ck_decision_approve_has_limit")
        ),
        sa.CheckConstraint(
            "(outcome = 'approve') = (monthly_rate_bps IS NOT NULL)",
            name=op.f("ck_decision_approve_has_rate"),
        ),
        sa.CheckConstraint("outcome IN ('approve', 'refer', 'decline')", name=op.f("ck_decision_outcome")),
        sa.CheckConstraint("substr(id, 1, 4) = 'dec_'", name=op.f("ck_decision_id_prefix")),
        sa.CheckConstraint("expires_at > decided_at", name=op.f("ck_decision_expires_later")),
        sa.CheckConstraint("length(abn) = 11", name=op.f("ck_decision_abn_length")),
        sa.CheckConstraint("length(body_sha256) = 64", name=op.f("ck_decision_body_sha256_length")),
        sa.CheckConstraint("length(engine_digest) = 64", name=op.f("ck_decision_engine_digest_length")),
        sa.CheckConstraint("length(release_digest) = 64", name=op.f("ck_decision_release_digest_length")),
        sa.CheckConstraint("limit_cents = (limit_cents / 50000) * 50000", name=op.f("ck_decision_limit_step")),
        sa.CheckConstraint("limit_cents BETWEEN 500000 AND 30000000", name=op.f("ck_decision_limit_range")),
        sa.CheckConstraint("monthly_rate_bps >= 115", name=op.f("ck_decision_rate_floor")),
        sa.CheckConstraint("pd BETWEEN 0 AND 1", name=op.f("ck_decision_pd_range")),
        sa.CheckConstraint("supersedes <> id", name=op.f("ck_decision_supersedes_another")),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name=op.f("fk_decision_application_id")),
        sa.ForeignKeyConstraint(["audit_seq"], ["audit.seq"], name=op.f("fk_decision_audit_seq")),
        sa.ForeignKeyConstraint(["facts_sha256"], ["fact_set.sha256"], name=op.f("fk_decision_facts_sha256")),
        sa.ForeignKeyConstraint(["supersedes"], ["decision.id"], name=op.f("fk_decision_supersedes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
        sa.UniqueConstraint("audit_seq", name=op.f("uq_decision_audit_seq")),
        sa.UniqueConstraint("supersedes", name=op.f("uq_decision_supersedes")),
    )
    op.create_index("ix_decision_application_id", "decision", ["application_id"])
    op.create_index("ix_decision_decided_at", "decision", ["decided_at"])
    op.create_index("ix_decision_open_offer", "decision", ["abn", "expires_at"], **_where("outcome = 'approve'"))


def _idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("caller_id", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("reply", sa.LargeBinary(), nullable=True),
        sa.Column("decision_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(fingerprint) = 64", name=op.f("ck_idempotency_fingerprint_length")),
        sa.CheckConstraint("length(key) BETWEEN 1 AND 255", name=op.f("ck_idempotency_key_length")),
        sa.CheckConstraint("status BETWEEN 200 AND 499", name=op.f("ck_idempotency_status")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_idempotency_decision_id")),
        sa.PrimaryKeyConstraint("caller_id", "route", "key", name=op.f("pk_idempotency")),
    )
    op.create_index("ix_idempotency_prunable", "idempotency", ["created_at"], **_where("reply IS NOT NULL"))


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", COUNTER, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("dead_at", sa.BigInteger(), nullable=True),
        sa.Column("dedupe", sa.Text(), nullable=False),
        sa.CheckConstraint("attempts BETWEEN 0 AND 20", name=op.f("ck_outbox_attempts")),
        sa.CheckConstraint("sent_at IS NULL OR dead_at IS NULL", name=op.f("ck_outbox_sent_or_dead")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("dedupe", name=op.f("uq_outbox_dedupe")),
    )
    op.create_index("ix_outbox_due", "outbox", ["next_at"], **_where("sent_at IS NULL AND dead_at IS NULL"))


def _brake() -> None:
    op.create_table(
        "brake",
        sa.Column("id", COUNTER, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=True),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("lifted_at", sa.BigInteger(), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.CheckConstraint("(kind = 'refer_all') = (value IS NULL)", name=op.f("ck_brake_value")),
        sa.CheckConstraint("kind IN ('refer_all', 'daily_dollars', 'concentration')", name=op.f("ck_brake_kind")),
        sa.CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name=op.f("ck_brake_lifted_by_someone")),
        sa.CheckConstraint("lifted_at >= set_at", name=op.f("ck_brake_lifted_after")),
        sa.CheckConstraint("value >= 0", name=op.f("ck_brake_value_sign")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brake")),
    )
