"""The lender's staff: who they are, how they sign in, their sessions. Nobody in it is ever deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# A row of staff may change, but never go; an attempt to sign in is written once.
_REFUSED_CHANGES = {"staff": "NEW.id <> OLD.id", "sign_in": None}


def upgrade() -> None:
    """Make the tables and triggers."""
    _staff()
    _passkey()
    _recovery_code()
    _enrolment()
    _staff_session()
    _sign_in()
    _triggers()


def _staff() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("totp_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("totp_last_step", sa.BigInteger(), nullable=True),
        sa.Column("totp_pending", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("enrolled_at", sa.BigInteger(), nullable=True),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.CheckConstraint("substr(id, 1, 4) = 'stf_'", name=op.f("ck_staff_id_prefix")),
        sa.CheckConstraint(
            "enrolled_at IS NULL OR password_hash IS NOT NULL", name=op.f("ck_staff_enrolled_with_password")
        ),
        sa.CheckConstraint("login = lower(login)", name=op.f("ck_staff_login_lower")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("login", name=op.f("uq_staff_login")),
    )


def _passkey() -> None:
    op.create_table(
        "passkey",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_passkey_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
    )
    op.create_index("ix_passkey_staff_id", "passkey", ["staff_id"])


def _recovery_code() -> None:
    op.create_table(
        "recovery_code",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_recovery_code_sha256_length")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_recovery_code_staff_id")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_recovery_code")),
    )
    op.create_index("ix_recovery_code_staff_id", "recovery_code", ["staff_id"])


def _enrolment() -> None:
    op.create_table(
        "enrolment",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_enrolment_sha256_length")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_enrolment_staff_id")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_enrolment")),
    )
    op.create_index("ix_enrolment_staff_id", "enrolment", ["staff_id"])


def _staff_session() -> None:
    op.create_table(
        "staff_session",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("challenge", sa.Text(), nullable=True),
        sa.CheckConstraint("stage IN ('password', 'full')", name=op.f("ck_staff_session_stage")),
        sa.CheckConstraint("ends_at > created_at", name=op.f("ck_staff_session_ends_later")),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_staff_session_sha256_length")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_session_staff_id")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_staff_session")),
    )
    op.create_index(
        "ix_staff_session_staff_id",
        "staff_session",
        ["staff_id"],
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _sign_in() -> None:
    op.create_table(
        "sign_in",
        sa.Column("id", COUNTER, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(address) = 64", name=op.f("ck_sign_in_address_length")),
        sa.CheckConstraint("length(login) = 64", name=op.f("ck_sign_in_login_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
    )
    op.create_index("ix_sign_in_address", "sign_in", ["address", "at"])
    op.create_index("ix_sign_in_login", "sign_in", ["login", "at"])


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
