"""What people did about referrals and requests for a person: one table, written once.

No column but `body` holds words of people, and it is never copied into the audit chain.
"""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Table, Text, UniqueConstraint, text

from api.store.moment import Moment
from api.store.tables.base import metadata, prefixed

ACTS = ("note", "ask", "propose", "confirm", "withdraw", "answer", "clear", "match")
_SETTLES = "act IN ('clear', 'match')"

referral_act = Table(
    "referral_act",
    metadata,
    Column("id", Text, primary_key=True),
    Column("application_id", Text, ForeignKey("application.id"), nullable=False),
    Column("decision_id", Text, ForeignKey("decision.id"), nullable=False),  # the one that was looked at
    Column("act", Text, nullable=False),
    Column("staff_id", Text, ForeignKey("staff.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("proposal_id", Text, ForeignKey("referral_act.id")),  # what is confirmed or withdrawn, once
    Column("proposed_by", Text, ForeignKey("staff.id")),
    Column("review_id", Text, ForeignKey("review_request.id")),  # what is answered, once
    Column("new_decision_id", Text, ForeignKey("decision.id")),  # what came of it
    Column("body", Text, nullable=False),  # canonical JSON; people's words
    Column("at", Moment, nullable=False),
    Column("audit_seq", BigInteger, ForeignKey("audit.seq"), nullable=False),
    UniqueConstraint("proposal_id"),
    UniqueConstraint("review_id"),
    UniqueConstraint("audit_seq"),
    prefixed("act_"),
    CheckConstraint("act IN (" + ", ".join(f"'{act}'" for act in ACTS) + ")", "act"),
    CheckConstraint("(act IN ('confirm', 'withdraw')) = (proposal_id IS NOT NULL)", "of_proposal"),
    CheckConstraint("(proposal_id IS NULL) = (proposed_by IS NULL)", "proposer"),
    CheckConstraint("act <> 'confirm' OR staff_id <> proposed_by", "maker_checker"),
    CheckConstraint("(act = 'answer') = (review_id IS NOT NULL)", "of_request"),
    CheckConstraint("act <> 'confirm' OR new_decision_id IS NOT NULL", "confirm_decides"),
    Index("ix_referral_act_application_id", "application_id", "at"),
    # A finding is settled once.
    Index(
        "ix_referral_act_settled", "decision_id", unique=True, sqlite_where=text(_SETTLES),
        postgresql_where=text(_SETTLES),
    ),
)  # fmt: skip
