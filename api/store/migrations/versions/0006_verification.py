"""Full approval: cases, their events and documents, what was read in them, approvals, contracts, signatures, lines.

Heads of cases and documents change; everything else is written once, and nothing is deleted.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_NOT_DUE_DILIGENCE = (
    "NOT (OLD.due_diligence_at IS NULL AND NEW.due_diligence_at IS NOT NULL AND NEW.id = OLD.id"
    " AND NEW.application_id = OLD.application_id AND NEW.case_id = OLD.case_id AND NEW.decision_id = OLD.decision_id"
    " AND NEW.contract_id = OLD.contract_id AND NEW.abn = OLD.abn AND NEW.limit_cents = OLD.limit_cents"
    " AND NEW.monthly_rate_bps = OLD.monthly_rate_bps AND NEW.opened_at = OLD.opened_at)"
)
_OTHER_CASE = (
    "NEW.id <> OLD.id OR NEW.application_id <> OLD.application_id OR NEW.abn <> OLD.abn"
    " OR NEW.accepted_decision_id <> OLD.accepted_decision_id OR NEW.opened_at <> OLD.opened_at"
    " OR NEW.version < OLD.version"
)
_OTHER_DOCUMENT = "NEW.id <> OLD.id OR NEW.case_id <> OLD.case_id OR NEW.sha256 <> OLD.sha256 OR NEW.kind <> OLD.kind"
_REFUSED_CHANGES = {
    "verification_case": _OTHER_CASE,
    "case_event": None,
    "document": _OTHER_DOCUMENT,
    "document_part": None,
    "document_check": None,
    "recorded_value": None,
    "approval": None,
    "contract": None,
    "signature": None,
    "line": _NOT_DUE_DILIGENCE,
}


def upgrade() -> None:
    """Make the tables and triggers."""
    _verification_case()
    _case_indexes()
    _document()
    _document_part()
    _case_event()
    _document_check()
    _recorded_value()
    _approval()
    _contract()
    _signature()
    _line()
    _triggers()


def _verification_case() -> None:
    op.create_table(
        "verification_case",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("accepted_decision_id", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("abn", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("limit_cents", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("complete_at", sa.BigInteger(), nullable=True),
        sa.Column("paused_at", sa.BigInteger(), nullable=True),
        sa.Column("paused_us", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("touched_at", sa.BigInteger(), nullable=True),
        sa.Column("alerted_hours", sa.Integer(), nullable=False),
        sa.Column("queue_at", sa.BigInteger(), nullable=True),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("snoozed_until", sa.BigInteger(), nullable=True),
        sa.Column("escalated", sa.Boolean(), nullable=False),
        sa.Column("verified_by", sa.Text(), nullable=True),
        sa.Column("content_sha256", sa.Text(), nullable=True),
        sa.Column("sampled", sa.Boolean(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(state IN ('approved', 'rejected', 'expired')) = (closed_at IS NOT NULL)",
            name=op.f("ck_verification_case_closed"),
        ),
        sa.CheckConstraint(
            "(state IN ('claimed', 'approving')) = (owner IS NOT NULL)",
            name=op.f("ck_verification_case_owner_while_worked"),
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'open', 'claimed', 'verified', 'approving', 'approved', 'rejected', 'expired')",
            name=op.f("ck_verification_case_state"),
        ),
        sa.CheckConstraint("substr(id, 1, 5) = 'case_'", name=op.f("ck_verification_case_id_prefix")),
        sa.CheckConstraint(
            "(due_at IS NULL) = (queue_at IS NULL)", name=op.f("ck_verification_case_queued_by_deadline")
        ),
        sa.CheckConstraint(
            "queue_at IS NOT NULL OR NOT (state IN ('open', 'claimed') OR state IN ('verified', 'approving'))",
            name=op.f("ck_verification_case_queued_has_place"),
        ),
        sa.CheckConstraint("length(content_sha256) = 64", name=op.f("ck_verification_case_content_sha256_length")),
        sa.CheckConstraint(
            "(owner IS NULL) = (lease_until IS NULL)", name=op.f("ck_verification_case_owner_has_lease")
        ),
        sa.CheckConstraint("alerted_hours IN (0, 2, 12, 18, 22, 24)", name=op.f("ck_verification_case_alerted_hours")),
        sa.CheckConstraint("length(abn) = 11", name=op.f("ck_verification_case_abn_length")),
        sa.CheckConstraint("limit_cents BETWEEN 500000 AND 30000000", name=op.f("ck_verification_case_limit_range")),
        sa.CheckConstraint("paused_us >= 0", name=op.f("ck_verification_case_paused_us")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_verification_case_version")),
        sa.ForeignKeyConstraint(
            ["accepted_decision_id"], ["decision.id"], name=op.f("fk_verification_case_accepted_decision_id")
        ),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_verification_case_application_id")
        ),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_verification_case_decision_id")),
        sa.ForeignKeyConstraint(["owner"], ["staff.id"], name=op.f("fk_verification_case_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification_case")),
        sa.UniqueConstraint("application_id", name=op.f("uq_verification_case_application_id")),
    )


def _case_indexes() -> None:
    table = "verification_case"
    op.create_index("ix_verification_case_abn", table, ["abn"])
    op.create_index("ix_verification_case_name", table, ["name_key"])
    _partial("ix_verification_case_verify", table, "state IN ('open', 'claimed')", "queue_at", "rank", "id")
    _partial("ix_verification_case_approve", table, "state IN ('verified', 'approving')", "queue_at", "rank", "id")
    _partial("ix_verification_case_owner", table, "owner IS NOT NULL", "owner")
    _partial("ix_verification_case_alert", table, "closed_at IS NULL", "alerted_hours", "due_at")
    _partial("ix_verification_case_waiting", table, "state = 'waiting'", "expires_at", "id")
    _partial("ix_verification_case_closed", table, "closed_at IS NOT NULL", "state", "closed_at", "id")


def _partial(name: str, table: str, condition: str, *columns: str) -> None:
    op.create_index(name, table, list(columns), sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))


def _document() -> None:
    op.create_table(
        "document",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person_ref", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("received_from", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("perceptual", sa.Text(), nullable=True),
        sa.Column("storage_key", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state IN ('returned', 'rejected')) = (reason IS NOT NULL)", name=op.f("ck_document_refused_with_reason")
        ),
        sa.CheckConstraint(
            "state IN ('received', 'quarantined', 'clean', 'checked', 'accepted', 'returned', 'rejected', 'replaced')",
            name=op.f("ck_document_state"),
        ),
        sa.CheckConstraint("substr(id, 1, 4) = 'doc_'", name=op.f("ck_document_id_prefix")),
        sa.CheckConstraint("bytes > 0", name=op.f("ck_document_bytes")),
        sa.CheckConstraint("length(perceptual) = 16", name=op.f("ck_document_perceptual_length")),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_document_sha256_length")),
        sa.CheckConstraint("pages >= 1", name=op.f("ck_document_pages")),
        sa.CheckConstraint("attempts BETWEEN 0 AND 5", name=op.f("ck_document_attempts")),
        sa.ForeignKeyConstraint(["case_id"], ["verification_case.id"], name=op.f("fk_document_case_id")),
        sa.ForeignKeyConstraint(["person_ref"], ["person.ref"], name=op.f("fk_document_person_ref")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
    )
    op.create_index("ix_document_case_id", "document", ["case_id"])
    op.create_index("ix_document_sha256", "document", ["sha256"])
    unchecked = "state IN ('received', 'quarantined', 'clean')"
    _partial("ix_document_unchecked", "document", unchecked, "received_at", "id")


def _document_part() -> None:
    op.create_table(
        "document_part",
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.CheckConstraint("part BETWEEN 0 AND 3", name=op.f("ck_document_part_part")),
        sa.CheckConstraint("length(value) = 4", name=op.f("ck_document_part_value_length")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_document_part_document_id")),
        sa.PrimaryKeyConstraint("part", "value", "document_id", name=op.f("pk_document_part")),
    )


def _case_event() -> None:
    op.create_table(
        "case_event",
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("audit_seq", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'open', 'claimed', 'verified', 'approving', 'approved', 'rejected', 'expired')",
            name=op.f("ck_case_event_state"),
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_case_event_version")),
        sa.ForeignKeyConstraint(["audit_seq"], ["audit.seq"], name=op.f("fk_case_event_audit_seq")),
        sa.ForeignKeyConstraint(["case_id"], ["verification_case.id"], name=op.f("fk_case_event_case_id")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_case_event_document_id")),
        sa.PrimaryKeyConstraint("case_id", "version", name=op.f("pk_case_event")),
        sa.UniqueConstraint("audit_seq", name=op.f("uq_case_event_audit_seq")),
    )
    op.create_index("ix_case_event_at", "case_event", ["at"])


def _document_check() -> None:
    op.create_table(
        "document_check",
        sa.Column("id", COUNTER, nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("confidence_bps", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("verdict IN ('pass', 'warn', 'fail', 'unread')", name=op.f("ck_document_check_verdict")),
        sa.CheckConstraint("confidence_bps BETWEEN 0 AND 10000", name=op.f("ck_document_check_confidence")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_document_check_document_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_check")),
        sa.UniqueConstraint("document_id", "name", name=op.f("uq_document_check_document_id")),
    )


def _recorded_value() -> None:
    op.create_table(
        "recorded_value",
        sa.Column("id", COUNTER, nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["verification_case.id"], name=op.f("fk_recorded_value_case_id")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_recorded_value_document_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recorded_value")),
    )
    op.create_index("ix_recorded_value_case_id", "recorded_value", ["case_id", "id"])


def _approval() -> None:
    op.create_table(
        "approval",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("verified_by", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("limit_cents", sa.BigInteger(), nullable=True),
        sa.Column("overrides", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(verdict = 'approve') = (limit_cents IS NOT NULL)", name=op.f("ck_approval_approve_has_limit")
        ),
        sa.CheckConstraint("substr(id, 1, 4) = 'apr_'", name=op.f("ck_approval_id_prefix")),
        sa.CheckConstraint("verdict = 'approve' OR reason IS NOT NULL", name=op.f("ck_approval_decline_has_reason")),
        sa.CheckConstraint("verdict IN ('approve', 'decline')", name=op.f("ck_approval_verdict")),
        sa.CheckConstraint("NOT overrides OR reason IS NOT NULL", name=op.f("ck_approval_override_has_reason")),
        sa.CheckConstraint("length(content_sha256) = 64", name=op.f("ck_approval_content_sha256_length")),
        sa.CheckConstraint("limit_cents = (limit_cents / 50000) * 50000", name=op.f("ck_approval_limit_step")),
        sa.CheckConstraint("limit_cents BETWEEN 500000 AND 30000000", name=op.f("ck_approval_limit_range")),
        sa.CheckConstraint("staff_id <> verified_by", name=op.f("ck_approval_maker_checker")),
        sa.ForeignKeyConstraint(["case_id"], ["verification_case.id"], name=op.f("fk_approval_case_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_approval_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
        sa.UniqueConstraint("case_id", "content_sha256", "staff_id", name=op.f("uq_approval_case_id")),
    )
    op.create_index("ix_approval_staff_id", "approval", ["staff_id", "at"])


def _contract() -> None:
    op.create_table(
        "contract",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("template_sha256", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("rendered_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("substr(id, 1, 4) = 'con_'", name=op.f("ck_contract_id_prefix")),
        sa.CheckConstraint("length(body_sha256) = 64", name=op.f("ck_contract_body_sha256_length")),
        sa.CheckConstraint("length(template_sha256) = 64", name=op.f("ck_contract_template_sha256_length")),
        sa.ForeignKeyConstraint(["case_id"], ["verification_case.id"], name=op.f("fk_contract_case_id")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_contract_decision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract")),
        sa.UniqueConstraint("case_id", name=op.f("uq_contract_case_id")),
    )


def _signature() -> None:
    op.create_table(
        "signature",
        sa.Column("contract_id", sa.Text(), nullable=False),
        sa.Column("person_ref", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.Column("received_from", sa.Text(), nullable=False),
        sa.CheckConstraint("length(body_sha256) = 64", name=op.f("ck_signature_body_sha256_length")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_signature_contract_id")),
        sa.ForeignKeyConstraint(["person_ref"], ["person.ref"], name=op.f("fk_signature_person_ref")),
        sa.PrimaryKeyConstraint("contract_id", "person_ref", name=op.f("pk_signature")),
    )


def _line() -> None:
    op.create_table(
        "line",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("contract_id", sa.Text(), nullable=False),
        sa.Column("abn", sa.Text(), nullable=False),
        sa.Column("limit_cents", sa.BigInteger(), nullable=False),
        sa.Column("monthly_rate_bps", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("due_diligence_at", sa.BigInteger(), nullable=True),
        sa.Column("due_diligence_by", sa.Text(), nullable=True),
        sa.CheckConstraint("substr(id, 1, 5) = 'line_'", name=op.f("ck_line_id_prefix")),
        sa.CheckConstraint(
            "(due_diligence_at IS NULL) = (due_diligence_by IS NULL)", name=op.f("ck_line_due_diligence_by_someone")
        ),
        sa.CheckConstraint("length(abn) = 11", name=op.f("ck_line_abn_length")),
        sa.CheckConstraint("limit_cents BETWEEN 500000 AND 30000000", name=op.f("ck_line_limit_range")),
        sa.CheckConstraint("monthly_rate_bps >= 115", name=op.f("ck_line_rate_floor")),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name=op.f("fk_line_application_id")),
        sa.ForeignKeyConstraint(["case_id"], ["verification_case.id"], name=op.f("fk_line_case_id")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_line_contract_id")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_line_decision_id")),
        sa.ForeignKeyConstraint(["due_diligence_by"], ["staff.id"], name=op.f("fk_line_due_diligence_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line")),
        sa.UniqueConstraint("application_id", name=op.f("uq_line_application_id")),
        sa.UniqueConstraint("contract_id", name=op.f("uq_line_contract_id")),
    )
    op.create_index("ix_line_abn", "line", ["abn"])
    dead = sa.text("dead_at IS NOT NULL")
    op.create_index("ix_outbox_dead", "outbox", ["id"], sqlite_where=dead, postgresql_where=dead)


def _triggers() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for table, condition in _REFUSED_CHANGES.items():
        if on_postgresql:
            when, refusal = f"WHEN ({condition}) " if condition else "", "EXECUTE FUNCTION refuse_change()"
            op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW {when}{refusal}")
            op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW {refusal}")
            op.execute(f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} {refusal}")
        else:
            when = f"WHEN {condition} " if condition else ""
            refusal = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {when}{refusal}")
            op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refusal}")
