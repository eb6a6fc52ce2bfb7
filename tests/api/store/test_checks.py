"""A decision that the engine could not make cannot be written by anyone else either."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from api.store import queries
from api.store.database import Database
from tests.support.records import NOON, a_claim, a_decision, a_record, a_refusal


@pytest.mark.parametrize(
    "decision",
    [
        a_decision(limit_cents=500_000, monthly_rate_bps=115),
        a_decision(limit_cents=30_000_000, pd=0.0),
        a_decision(pd=1.0),
        a_decision(pd=None, grade=None),
        a_refusal("decline"),
        a_refusal("refer", grade="C", pd=0.05),
    ],
)
def test_legal_decisions_are_kept(database: Database, decision: queries.NewDecision) -> None:
    """The ends of every range are inside it."""
    with database.transaction() as connection:
        assert isinstance(queries.record_decision(connection, a_record(decision)), queries.Recorded)
        kept = queries.get_decision(connection, decision.id)
    assert kept is not None
    assert (kept.limit_cents, kept.monthly_rate_bps, kept.pd, kept.grade, kept.expires_at) == (
        decision.limit_cents,
        decision.monthly_rate_bps,
        decision.pd,
        decision.grade,
        decision.expires_at,
    )


ILLEGAL: list[tuple[str, dict[str, Any]]] = [
    ("approve_has_limit", {"limit_cents": None}),
    ("approve_has_rate", {"monthly_rate_bps": None}),
    ("approve_has_expiry", {"expires_at": None}),
    ("approve_has_limit", {"outcome": "decline", "monthly_rate_bps": None, "expires_at": None}),
    ("approve_has_rate", {"outcome": "refer", "limit_cents": None, "expires_at": None}),
    ("approve_has_expiry", {"outcome": "refer", "limit_cents": None, "monthly_rate_bps": None}),
    ("outcome", {"outcome": "maybe", "limit_cents": None, "monthly_rate_bps": None, "expires_at": None}),
    ("limit_step", {"limit_cents": 5_025_000}),
    ("limit_step", {"limit_cents": 5_000_001}),
    ("limit_range", {"limit_cents": 450_000}),
    ("limit_range", {"limit_cents": 30_050_000}),
    ("limit_range", {"limit_cents": -5_000_000}),
    ("rate_floor", {"monthly_rate_bps": 114}),
    ("pd_range", {"pd": 1.0001}),
    ("pd_range", {"pd": -0.0001}),
    ("expires_later", {"expires_at": NOON}),
    ("id_prefix", {"id": "app_1"}),
    ("release_digest_length", {"release_digest": "abc"}),
    ("engine_digest_length", {"engine_digest": ""}),
    ("abn_length", {"abn": "123"}),
]


@pytest.mark.parametrize(("check", "changes"), ILLEGAL)
def test_illegal_decisions_are_refused(database: Database, check: str, changes: dict[str, Any]) -> None:
    """Each breach is refused by the CHECK of that name, and nothing that came with the decision stays."""
    refused = pytest.raises(IntegrityError, match=rf"ck_(decision|application)_{check}\b")
    with refused, database.transaction() as connection:
        queries.record_decision(connection, a_record(a_decision(**changes), claim=a_claim()))
    with database.transaction(read_only=True) as connection:
        assert queries.audit_tail(connection) == ()
        assert queries.find_idempotent(connection, "key_caller", "/v1/applications", a_claim().key) is None


def test_a_decision_needs_its_application_and_its_predecessor(database: Database) -> None:
    """Foreign keys are in force on both databases."""
    for orphan in (a_record(application=None, people=()), a_record(a_decision(supersedes="dec_none"))):
        with pytest.raises(IntegrityError), database.transaction() as connection:
            queries.record_decision(connection, orphan)


def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    """A naive datetime raises before any row is written."""
    naive = NOON.replace(tzinfo=None) + timedelta(days=1)
    with pytest.raises(Exception, match="time zone"), database.transaction() as connection:
        queries.record_decision(connection, a_record(a_decision(expires_at=naive)))
