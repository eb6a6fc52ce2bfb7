"""What guards and brakes count by: attempts with their blind indexes, a decision's segments, why a brake was pulled.

Attempts and signals are append-only like every other record. Decisions made before this step have no segments and
are counted in none. It does not fill in anything: those rows must not be changed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# As step 0002 has it, with the new columns: the reason of a pull stays, and that of the lifting comes with it.
_NOT_JUST_A_LIFTING = (
    "NOT (OLD.lifted_at IS NULL AND NEW.lifted_at IS NOT NULL AND NEW.id = OLD.id AND NEW.kind = OLD.kind"
    " AND NEW.segment = OLD.segment AND NEW.set_at = OLD.set_at AND NEW.set_by = OLD.set_by"
    " AND COALESCE(NEW.value, -1) = COALESCE(OLD.value, -1)"
    " AND COALESCE(NEW.because, '') = COALESCE(OLD.because, ''))"
)


def upgrade() -> None:
    """Make the tables, columns and triggers."""
    for column in ("division", "state", "entity_type"):
        op.add_column("decision", sa.Column(column, sa.Text(), nullable=True))
    op.create_index("ix_decision_abn", "decision", ["abn", "audit_seq"])
    for column in ("because", "lifted_because"):
        op.add_column("brake", sa.Column(column, sa.Text(), nullable=True))
    _attempt()
    _signal()
    if op.get_bind().dialect.name == "postgresql":
        _on_postgresql()
    else:
        _on_sqlite()


def _attempt() -> None:
    op.create_table(
        "attempt",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("abn", sa.Text(), nullable=False),
        sa.Column("caller_id", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=True),
        sa.Column("declared", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("substr(id, 1, 4) = 'att_'", name=op.f("ck_attempt_id_prefix")),
        sa.CheckConstraint("length(declared) = 64", name=op.f("ck_attempt_declared_length")),
        sa.CheckConstraint("length(abn) = 11", name=op.f("ck_attempt_abn_length")),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_attempt_amount_sign")),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name=op.f("fk_attempt_application_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
    )
    op.create_index("ix_attempt_abn", "attempt", ["abn", "at"])
    op.create_index("ix_attempt_application_id", "attempt", ["application_id"])


def _signal() -> None:
    op.create_table(
        "signal",
        sa.Column("id", COUNTER, nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("abn", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(value) = 64", name=op.f("ck_signal_value_length")),
        sa.CheckConstraint(
            "kind IN ('person', 'bank_account', 'device', 'phone', 'email')", name=op.f("ck_signal_kind")
        ),
        sa.CheckConstraint("length(abn) = 11", name=op.f("ck_signal_abn_length")),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_signal_attempt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal")),
    )
    op.create_index("ix_signal_attempt_id", "signal", ["attempt_id"])
    op.create_index("ix_signal_value", "signal", ["value", "at"])
    op.create_index("ix_signal_abn", "signal", ["abn", "kind"])


def _on_sqlite() -> None:
    for table in ("attempt", "signal"):
        refusal = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refusal}")
        op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refusal}")
    op.execute("DROP TRIGGER brake_no_update")
    op.execute(
        f"CREATE TRIGGER brake_no_update BEFORE UPDATE ON brake WHEN {_NOT_JUST_A_LIFTING} "
        "BEGIN SELECT RAISE(ABORT, 'brake is append-only'); END"
    )


def _on_postgresql() -> None:
    refusal = "EXECUTE FUNCTION refuse_change()"
    for table in ("attempt", "signal"):
        op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW {refusal}")
        op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW {refusal}")
        op.execute(f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} {refusal}")
    op.execute("DROP TRIGGER brake_no_update ON brake")
    op.execute(
        f"CREATE TRIGGER brake_no_update BEFORE UPDATE ON brake FOR EACH ROW WHEN ({_NOT_JUST_A_LIFTING}) {refusal}"
    )
