"""Rows that are kept for good: the database itself refuses to change or delete them.

What may change is named column by column: a person may be erased, an idempotency row may get its reply and
lose it again, a brake may be lifted once. Everything else in these tables is written once. It does not stop
the owner of the database, who can drop a trigger: that is what the chain of digests is for.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

# table -> when a change to a row is refused; None is always.
_NOT_JUST_AN_ERASURE = (
    "NOT (NEW.body IS NULL AND NEW.erased_at IS NOT NULL AND OLD.erased_at IS NULL"
    " AND NEW.ref = OLD.ref AND NEW.application_id = OLD.application_id AND NEW.role = OLD.role)"
)
_NOT_JUST_A_REPLY = (
    "NOT (NEW.caller_id = OLD.caller_id AND NEW.route = OLD.route AND NEW.key = OLD.key"
    " AND NEW.fingerprint = OLD.fingerprint AND NEW.status = OLD.status AND NEW.created_at = OLD.created_at"
    " AND (OLD.reply IS NULL OR NEW.reply IS NULL OR NEW.reply = OLD.reply)"
    " AND (OLD.decision_id IS NULL OR (NEW.decision_id IS NOT NULL AND NEW.decision_id = OLD.decision_id)))"
)
_NOT_JUST_A_LIFTING = (
    "NOT (OLD.lifted_at IS NULL AND NEW.lifted_at IS NOT NULL AND NEW.id = OLD.id AND NEW.kind = OLD.kind"
    " AND NEW.segment = OLD.segment AND NEW.set_at = OLD.set_at AND NEW.set_by = OLD.set_by"
    " AND COALESCE(NEW.value, -1) = COALESCE(OLD.value, -1))"
)
_REFUSED_CHANGES = {
    "audit": None,
    "decision": None,
    "application": None,
    "fact_set": None,
    "person": _NOT_JUST_AN_ERASURE,
    "idempotency": _NOT_JUST_A_REPLY,
    "brake": _NOT_JUST_A_LIFTING,
}


def upgrade() -> None:
    """Make the triggers of whichever database this is."""
    if op.get_bind().dialect.name == "postgresql":
        _on_postgresql()
    else:
        _on_sqlite()


def _on_sqlite() -> None:
    for table, condition in _REFUSED_CHANGES.items():
        when = f"WHEN {condition} " if condition else ""
        refusal = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {when}{refusal}")
        op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refusal}")


def _on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = TG_TABLE_NAME || ' is append-only'; "
        "END $$"
    )
    for table, condition in _REFUSED_CHANGES.items():
        when = f"WHEN ({condition}) " if condition else ""
        refusal = "EXECUTE FUNCTION refuse_change()"
        op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW {when}{refusal}")
        op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW {refusal}")
        op.execute(f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} {refusal}")
