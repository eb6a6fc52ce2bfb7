"""Advice: counterfactuals that were shown and are honoured, requests for a person, reads that were counted.

Counterfactuals and requests are written once; the count of reads goes up.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_KEPT = ("counterfactual", "review_request")


def upgrade() -> None:
    """Make the tables and triggers."""
    _counterfactual()
    _review_request()
    _advice_read()
    _triggers()


def _counterfactual() -> None:
    op.create_table(
        "counterfactual",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("release_name", sa.Text(), nullable=False),
        sa.Column("release_digest", sa.Text(), nullable=False),
        sa.Column("engine_digest", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("limit_cents", sa.BigInteger(), nullable=False),
        sa.Column("monthly_rate_bps", sa.Integer(), nullable=False),
        sa.Column("held_until", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("substr(id, 1, 4) = 'cfl_'", name=op.f("ck_counterfactual_id_prefix")),
        sa.CheckConstraint("length(release_digest) = 64", name=op.f("ck_counterfactual_release_digest_length")),
        sa.CheckConstraint("length(engine_digest) = 64", name=op.f("ck_counterfactual_engine_digest_length")),
        sa.CheckConstraint("place BETWEEN 1 AND 3", name=op.f("ck_counterfactual_place")),
        sa.CheckConstraint("limit_cents BETWEEN 500000 AND 30000000", name=op.f("ck_counterfactual_limit_range")),
        sa.CheckConstraint("limit_cents = (limit_cents / 50000) * 50000", name=op.f("ck_counterfactual_limit_step")),
        sa.CheckConstraint("monthly_rate_bps >= 115", name=op.f("ck_counterfactual_rate_floor")),
        sa.CheckConstraint("held_until > made_at", name=op.f("ck_counterfactual_held_later")),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name=op.f("fk_counterfactual_application_id")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_counterfactual_decision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_counterfactual")),
        sa.UniqueConstraint("decision_id", "place", name=op.f("uq_counterfactual_decision_id")),
    )
    op.create_index("ix_counterfactual_application_id", "counterfactual", ["application_id", "held_until"])


def _review_request() -> None:
    op.create_table(
        "review_request",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("answer_by", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("substr(id, 1, 4) = 'rev_'", name=op.f("ck_review_request_id_prefix")),
        sa.CheckConstraint("answer_by > requested_at", name=op.f("ck_review_request_answer_later")),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name=op.f("fk_review_request_application_id")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_review_request_decision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_request")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_review_request_decision_id")),
    )
    op.create_index("ix_review_request_application_id", "review_request", ["application_id"])
    op.create_index("ix_review_request_answer_by", "review_request", ["answer_by"])


def _advice_read() -> None:
    op.create_table(
        "advice_read",
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("reads", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('explore', 'look')", name=op.f("ck_advice_read_kind")),
        sa.CheckConstraint("length(day) = 10", name=op.f("ck_advice_read_day_length")),
        sa.CheckConstraint("reads >= 1", name=op.f("ck_advice_read_reads")),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name=op.f("fk_advice_read_application_id")),
        sa.PrimaryKeyConstraint("application_id", "kind", "day", name=op.f("pk_advice_read")),
    )


def _triggers() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for table in _KEPT:
        if on_postgresql:
            refusal = "EXECUTE FUNCTION refuse_change()"
            op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW {refusal}")
            op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW {refusal}")
            op.execute(f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} {refusal}")
        else:
            refusal = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refusal}")
            op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refusal}")
