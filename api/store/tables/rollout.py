"""Tables of the roll-out: what the service took up and when, and what the other release said beside a decision."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Double, ForeignKey, Index, Integer, Table, Text

from api.store.moment import Moment
from api.store.tables.base import digest, metadata

rollout_event = Table(
    "rollout_event",
    metadata,
    Column("audit_seq", BigInteger, ForeignKey("audit.seq"), primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("kind", Text, nullable=False),
    Column("rollout", Text),  # none for a champion that was promoted
    Column("share", Integer),  # hundredths of a per cent, of a stage
    Column("release_name", Text, nullable=False),  # that serves from now on, or is tried
    Column("release_digest", Text, nullable=False),
    Column("why", Text),
    digest("release_digest"),
    CheckConstraint("kind IN ('champion', 'stage', 'rolled_back', 'ended')", "kind"),
    CheckConstraint("(kind = 'champion') = (rollout IS NULL)", "of_rollout"),
    CheckConstraint("(kind = 'stage') = (share IS NOT NULL)", "share_of_stage"),
    CheckConstraint("share BETWEEN 0 AND 10000", "share_range"),
    CheckConstraint("(kind IN ('rolled_back', 'ended')) = (why IS NOT NULL)", "why"),
    Index("ix_rollout_event_rollout", "rollout", "audit_seq"),
)

shadow = Table(
    "shadow",
    metadata,
    Column("decision_id", Text, ForeignKey("decision.id"), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("rollout", Text, nullable=False),
    Column("share", Integer, nullable=False),  # of the stage in which the decision was made
    Column("arm", Text, nullable=False),  # of the release that decided beside, not of the one that decided
    Column("release_name", Text, nullable=False),
    Column("release_digest", Text, nullable=False),
    Column("made_outcome", Text, nullable=False),  # the decision's own, beside which this one stands
    Column("outcome", Text),
    Column("limit_cents", BigInteger),
    Column("monthly_rate_bps", Integer),
    Column("pd", Double),  # in the rounding of records
    Column("agreement", Text, nullable=False),
    Column("error", Text),
    digest("release_digest"),
    CheckConstraint("share BETWEEN 0 AND 10000", "share_range"),
    CheckConstraint("arm IN ('champion', 'challenger')", "arm"),
    CheckConstraint("outcome IN ('approve', 'refer', 'decline')", "outcome"),
    CheckConstraint("agreement IN ('same', 'terms', 'outcome', 'error')", "agreement"),
    CheckConstraint("(agreement = 'error') = (error IS NOT NULL)", "error"),
    CheckConstraint("(agreement = 'error') = (outcome IS NULL)", "outcome_unless_error"),
    Index("ix_shadow_rollout", "rollout", "share", "arm", "made_outcome", "outcome"),
)
