"""Tables of advice: counterfactuals that were shown and are honoured, requests for a person, reads that were counted.

Counterfactuals and requests are written once. No column holds personal data.
"""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from api.store.moment import Moment
from api.store.tables.base import digest, metadata, prefixed

MOST_KEPT = 3  # counterfactuals of one decision

counterfactual = Table(
    "counterfactual",
    metadata,
    Column("id", Text, primary_key=True),
    Column("application_id", Text, ForeignKey("application.id"), nullable=False),
    Column("decision_id", Text, ForeignKey("decision.id"), nullable=False),  # the one it was worked out from
    Column("place", Integer, nullable=False),  # the first is the one to try first
    Column("release_name", Text, nullable=False),
    Column("release_digest", Text, nullable=False),
    Column("engine_digest", Text, nullable=False),
    Column("evidence", Text, nullable=False),  # canonical JSON: what a source has to show
    Column("limit_cents", BigInteger, nullable=False),
    Column("monthly_rate_bps", Integer, nullable=False),
    Column("held_until", Moment, nullable=False),
    Column("made_at", Moment, nullable=False),
    UniqueConstraint("decision_id", "place"),
    prefixed("cfl_"),
    digest("release_digest"),
    digest("engine_digest"),
    CheckConstraint(f"place BETWEEN 1 AND {MOST_KEPT}", "place"),
    CheckConstraint("limit_cents BETWEEN 500000 AND 30000000", "limit_range"),
    CheckConstraint("limit_cents = (limit_cents / 50000) * 50000", "limit_step"),
    CheckConstraint("monthly_rate_bps >= 115", "rate_floor"),
    CheckConstraint("held_until > made_at", "held_later"),
    Index("ix_counterfactual_application_id", "application_id", "held_until"),
)

review_request = Table(
    "review_request",
    metadata,
    Column("id", Text, primary_key=True),
    Column("application_id", Text, ForeignKey("application.id"), nullable=False),
    Column("decision_id", Text, ForeignKey("decision.id"), nullable=False),  # one request a decision
    Column("requested_at", Moment, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("answer_by", Moment, nullable=False),
    UniqueConstraint("decision_id"),
    prefixed("rev_"),
    CheckConstraint("answer_by > requested_at", "answer_later"),
    Index("ix_review_request_application_id", "application_id"),
    Index("ix_review_request_answer_by", "answer_by"),
)

# Not append-only: it counts up, and old days may go.
advice_read = Table(
    "advice_read",
    metadata,
    Column("application_id", Text, ForeignKey("application.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("day", Text, primary_key=True),  # UTC, YYYY-MM-DD
    Column("reads", Integer, nullable=False),
    CheckConstraint("kind IN ('explore', 'look')", "kind"),
    CheckConstraint("length(day) = 10", "day_length"),
    CheckConstraint("reads >= 1", "reads"),
)
