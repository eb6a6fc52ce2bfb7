"""Applications taken in before outside sources are asked, with the lease of whoever works on them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "intake",
        sa.Column("caller_id", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("length(fingerprint) = 64", name=op.f("ck_intake_fingerprint_length")),
        sa.CheckConstraint("done_at IS NULL OR body IS NULL", name=op.f("ck_intake_done_without_body")),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name=op.f("fk_intake_application_id")),
        sa.PrimaryKeyConstraint("caller_id", "route", "key", name=op.f("pk_intake")),
        sa.UniqueConstraint("application_id", name=op.f("uq_intake_application_id")),
    )
    op.create_index(
        "ix_intake_waiting", "intake", ["lease_until"],
        sqlite_where=sa.text("done_at IS NULL"), postgresql_where=sa.text("done_at IS NULL"),
    )  # fmt: skip
