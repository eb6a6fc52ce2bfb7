"""Referrals: what people did about them, written once, and an index of the decisions that refer."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_SETTLES = sa.text("act IN ('clear', 'match')")
_REFERS = sa.text("outcome = 'refer'")


def upgrade() -> None:
    """Make the table, its triggers and the index."""
    _referral_act()
    op.create_index("ix_referral_act_application_id", "referral_act", ["application_id", "at"])
    op.create_index(
        "ix_referral_act_settled", "referral_act", ["decision_id"], unique=True, sqlite_where=_SETTLES,
        postgresql_where=_SETTLES,
    )  # fmt: skip
    op.create_index("ix_decision_referred", "decision", ["audit_seq"], sqlite_where=_REFERS, postgresql_where=_REFERS)
    _triggers()


def _referral_act() -> None:
    op.create_table(
        "referral_act",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("proposal_id", sa.Text(), nullable=True),
        sa.Column("proposed_by", sa.Text(), nullable=True),
        sa.Column("review_id", sa.Text(), nullable=True),
        sa.Column("new_decision_id", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("audit_seq", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("substr(id, 1, 4) = 'act_'", name=op.f("ck_referral_act_id_prefix")),
        sa.CheckConstraint(
            "act IN ('note', 'ask', 'propose', 'confirm', 'withdraw', 'answer', 'clear', 'match')",
            name=op.f("ck_referral_act_act"),
        ),
        sa.CheckConstraint(
            "(act IN ('confirm', 'withdraw')) = (proposal_id IS NOT NULL)", name=op.f("ck_referral_act_of_proposal")
        ),
        sa.CheckConstraint("(proposal_id IS NULL) = (proposed_by IS NULL)", name=op.f("ck_referral_act_proposer")),
        sa.CheckConstraint("act <> 'confirm' OR staff_id <> proposed_by", name=op.f("ck_referral_act_maker_checker")),
        sa.CheckConstraint("(act = 'answer') = (review_id IS NOT NULL)", name=op.f("ck_referral_act_of_request")),
        sa.CheckConstraint(
            "act <> 'confirm' OR new_decision_id IS NOT NULL", name=op.f("ck_referral_act_confirm_decides")
        ),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name=op.f("fk_referral_act_application_id")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_referral_act_decision_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_referral_act_staff_id")),
        sa.ForeignKeyConstraint(["proposal_id"], ["referral_act.id"], name=op.f("fk_referral_act_proposal_id")),
        sa.ForeignKeyConstraint(["proposed_by"], ["staff.id"], name=op.f("fk_referral_act_proposed_by")),
        sa.ForeignKeyConstraint(["review_id"], ["review_request.id"], name=op.f("fk_referral_act_review_id")),
        sa.ForeignKeyConstraint(["new_decision_id"], ["decision.id"], name=op.f("fk_referral_act_new_decision_id")),
        sa.ForeignKeyConstraint(["audit_seq"], ["audit.seq"], name=op.f("fk_referral_act_audit_seq")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral_act")),
        sa.UniqueConstraint("proposal_id", name=op.f("uq_referral_act_proposal_id")),
        sa.UniqueConstraint("review_id", name=op.f("uq_referral_act_review_id")),
        sa.UniqueConstraint("audit_seq", name=op.f("uq_referral_act_audit_seq")),
    )


def _triggers() -> None:
    if op.get_bind().dialect.name == "postgresql":
        refusal = "EXECUTE FUNCTION refuse_change()"
        op.execute(f"CREATE TRIGGER referral_act_no_update BEFORE UPDATE ON referral_act FOR EACH ROW {refusal}")
        op.execute(f"CREATE TRIGGER referral_act_no_delete BEFORE DELETE ON referral_act FOR EACH ROW {refusal}")
        op.execute(f"CREATE TRIGGER referral_act_no_truncate BEFORE TRUNCATE ON referral_act {refusal}")
    else:
        refusal = "BEGIN SELECT RAISE(ABORT, 'referral_act is append-only'); END"
        op.execute(f"CREATE TRIGGER referral_act_no_update BEFORE UPDATE ON referral_act {refusal}")
        op.execute(f"CREATE TRIGGER referral_act_no_delete BEFORE DELETE ON referral_act {refusal}")
