"""Champion and challenger: what was taken up, what the other release said beside a decision, the arm of a decision."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_TABLES = ("rollout_event", "shadow")


def upgrade() -> None:
    """Make the tables and their triggers, and the column of a decision's arm."""
    _rollout_event()
    _shadow()
    # SQLite adds a checked column only in words of its own; PostgreSQL takes the same ones.
    op.execute(
        "ALTER TABLE decision ADD COLUMN arm TEXT CONSTRAINT ck_decision_arm CHECK (arm IN ('champion', 'challenger'))"
    )
    op.create_index("ix_rollout_event_rollout", "rollout_event", ["rollout", "audit_seq"])
    op.create_index("ix_shadow_rollout", "shadow", ["rollout", "share", "arm", "made_outcome", "outcome"])
    for table in _TABLES:
        _triggers(table)


def _rollout_event() -> None:
    op.create_table(
        "rollout_event",
        sa.Column("audit_seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rollout", sa.Text(), nullable=True),
        sa.Column("share", sa.Integer(), nullable=True),
        sa.Column("release_name", sa.Text(), nullable=False),
        sa.Column("release_digest", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.CheckConstraint("length(release_digest) = 64", name=op.f("ck_rollout_event_release_digest_length")),
        sa.CheckConstraint("kind IN ('champion', 'stage', 'rolled_back', 'ended')", name=op.f("ck_rollout_event_kind")),
        sa.CheckConstraint("(kind = 'champion') = (rollout IS NULL)", name=op.f("ck_rollout_event_of_rollout")),
        sa.CheckConstraint("(kind = 'stage') = (share IS NOT NULL)", name=op.f("ck_rollout_event_share_of_stage")),
        sa.CheckConstraint("share BETWEEN 0 AND 10000", name=op.f("ck_rollout_event_share_range")),
        sa.CheckConstraint("(kind IN ('rolled_back', 'ended')) = (why IS NOT NULL)", name=op.f("ck_rollout_event_why")),
        sa.ForeignKeyConstraint(["audit_seq"], ["audit.seq"], name=op.f("fk_rollout_event_audit_seq")),
        sa.PrimaryKeyConstraint("audit_seq", name=op.f("pk_rollout_event")),
    )


def _shadow() -> None:
    op.create_table(
        "shadow",
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("rollout", sa.Text(), nullable=False),
        sa.Column("share", sa.Integer(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.Column("release_name", sa.Text(), nullable=False),
        sa.Column("release_digest", sa.Text(), nullable=False),
        sa.Column("made_outcome", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("limit_cents", sa.BigInteger(), nullable=True),
        sa.Column("monthly_rate_bps", sa.Integer(), nullable=True),
        sa.Column("pd", sa.Double(), nullable=True),
        sa.Column("agreement", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("length(release_digest) = 64", name=op.f("ck_shadow_release_digest_length")),
        sa.CheckConstraint("share BETWEEN 0 AND 10000", name=op.f("ck_shadow_share_range")),
        sa.CheckConstraint("arm IN ('champion', 'challenger')", name=op.f("ck_shadow_arm")),
        sa.CheckConstraint("outcome IN ('approve', 'refer', 'decline')", name=op.f("ck_shadow_outcome")),
        sa.CheckConstraint("agreement IN ('same', 'terms', 'outcome', 'error')", name=op.f("ck_shadow_agreement")),
        sa.CheckConstraint("(agreement = 'error') = (error IS NOT NULL)", name=op.f("ck_shadow_error")),
        sa.CheckConstraint("(agreement = 'error') = (outcome IS NULL)", name=op.f("ck_shadow_outcome_unless_error")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_shadow_decision_id")),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_shadow")),
    )


def _triggers(table: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        refusal = "EXECUTE FUNCTION refuse_change()"
        op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW {refusal}")
        op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW {refusal}")
        op.execute(f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} {refusal}")
    else:
        refusal = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refusal}")
        op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refusal}")
