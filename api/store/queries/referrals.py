"""Applications that wait for a person: referrals without a case, requests for a person, and what was done about them.

It does not decide, nor know who may see what.
The rules: every list is bounded, whoever waits longest first; an act is written once, with its entry in the audit
chain, which holds a digest and nobody's words; what compliance confirmed waits for nobody any more.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, insert, select, text

from api.store.queries.advice import ReviewRequestRow
from api.store.queries.audit import AuditEvent, append_audit
from api.store.queries.decisions import DecisionRow
from api.store.tables import application, decision, referral_act, review_request, verification_case
from engine.canonical import canonical_bytes


@dataclass(frozen=True, slots=True)
class ReferralRow:
    """A decision that refers and still stands; `received_at` is when the application came in."""

    decision: DecisionRow
    received_at: datetime


@dataclass(frozen=True, slots=True)
class NewAct:
    """One act of a member of staff; `body` is what was said."""

    id: str
    application_id: str
    decision_id: str
    act: str
    staff_id: str
    role: str
    body: Mapping[str, Any]
    proposal_id: str | None = None
    proposed_by: str | None = None
    review_id: str | None = None
    new_decision_id: str | None = None


@dataclass(frozen=True, slots=True)
class ActRow:
    """An act as kept; `body` is canonical JSON."""

    id: str
    application_id: str
    decision_id: str
    act: str
    staff_id: str
    role: str
    proposal_id: str | None
    proposed_by: str | None
    review_id: str | None
    new_decision_id: str | None
    body: str
    at: datetime
    audit_seq: int


_later, _act = decision.alias("later"), referral_act.alias("settled")


def _waiting(*columns: Any) -> Select[Any]:
    """Decisions that refer, stand, have no case and were not confirmed to be a match."""
    return select(*columns).where(
        decision.c.application_id == application.c.id,
        text("decision.outcome = 'refer'"),  # in these words, for SQLite to know the index that is of them
        ~select(_later.c.id).where(_later.c.supersedes == decision.c.id).exists(),
        ~select(verification_case.c.id).where(verification_case.c.application_id == application.c.id).exists(),
        ~select(_act.c.id).where(_act.c.decision_id == decision.c.id, _act.c.act == "match").exists(),
    )


_REFERRALS = (
    _waiting(decision, application.c.received_at)
    .order_by(application.c.received_at, decision.c.audit_seq)
    .limit(bindparam("page"))
)
_COUNT = _waiting(func.count())
_COUNT_BEFORE = _waiting(func.count()).where(application.c.received_at < bindparam("before"))
_answer = referral_act.alias("answer")
_unanswered = ~select(_answer.c.id).where(_answer.c.review_id == review_request.c.id).exists()
_REVIEWS = (
    select(review_request)
    .where(_unanswered)
    .order_by(review_request.c.answer_by, review_request.c.id)
    .limit(bindparam("page"))
)
_REVIEW_COUNT = select(func.count()).select_from(review_request).where(_unanswered)
_REVIEW_COUNT_BEFORE = _REVIEW_COUNT.where(review_request.c.answer_by < bindparam("before"))
_REVIEWS_OF = (
    select(review_request)
    .where(review_request.c.application_id == bindparam("sought"))
    .order_by(review_request.c.requested_at, review_request.c.id)
)
_OPEN_REVIEW = select(review_request).where(review_request.c.id == bindparam("sought"), _unanswered)
_ACTS_OF = (
    select(referral_act)
    .where(referral_act.c.application_id == bindparam("sought"))
    .order_by(referral_act.c.at, referral_act.c.audit_seq)
)
_ACT = select(referral_act).where(referral_act.c.id == bindparam("sought"))
_KEEP = insert(referral_act)
_DECISIONS_OF = select(decision).where(decision.c.application_id == bindparam("sought")).order_by(decision.c.audit_seq)


def waiting_referrals(connection: Connection, limit: int = 100) -> tuple[ReferralRow, ...]:
    """Referrals that wait for a person, the oldest application first."""
    return tuple(
        ReferralRow(DecisionRow(*row[:-1]), row[-1]) for row in connection.execute(_REFERRALS, {"page": limit})
    )


def count_waiting(connection: Connection, received_before: datetime | None = None) -> int:
    """How many referrals wait for a person; only those that came in until a moment, where one is given."""
    if received_before is None:
        return int(connection.execute(_COUNT).scalar_one())
    return int(connection.execute(_COUNT_BEFORE, {"before": received_before}).scalar_one())


def open_reviews(connection: Connection, limit: int = 100) -> tuple[ReviewRequestRow, ...]:
    """Requests for a person that nobody has answered, the first to be answered first."""
    return tuple(ReviewRequestRow(*row) for row in connection.execute(_REVIEWS, {"page": limit}))


def count_reviews(connection: Connection, due_before: datetime | None = None) -> int:
    """How many requests for a person nobody has answered; only those due until a moment, where one is given."""
    if due_before is None:
        return int(connection.execute(_REVIEW_COUNT).scalar_one())
    return int(connection.execute(_REVIEW_COUNT_BEFORE, {"before": due_before}).scalar_one())


def reviews_of(connection: Connection, application_id: str) -> tuple[ReviewRequestRow, ...]:
    """Every request for a person about an application, the first one first."""
    return tuple(ReviewRequestRow(*row) for row in connection.execute(_REVIEWS_OF, {"sought": application_id}))


def open_review(connection: Connection, review_id: str) -> ReviewRequestRow | None:
    """One request that nobody has answered."""
    row = connection.execute(_OPEN_REVIEW, {"sought": review_id}).first()
    return None if row is None else ReviewRequestRow(*row)


def decisions_of(connection: Connection, application_id: str) -> tuple[DecisionRow, ...]:
    """Every decision of an application, in the order in which they were made."""
    return tuple(DecisionRow(*row) for row in connection.execute(_DECISIONS_OF, {"sought": application_id}))


def acts_of(connection: Connection, application_id: str) -> tuple[ActRow, ...]:
    """Everything that was done about an application, in its order."""
    return tuple(ActRow(*row) for row in connection.execute(_ACTS_OF, {"sought": application_id}))


def get_act(connection: Connection, act_id: str) -> ActRow | None:
    """One act by its id."""
    row = connection.execute(_ACT, {"sought": act_id}).first()
    return None if row is None else ActRow(*row)


def content_sha256(act: str, body: str, *names: str | None) -> str:
    """The digest of what an act says and of what it names: proposal, proposer, request, new decision."""
    return hashlib.sha256(canonical_bytes({"act": act, "body": body, "names": list(names)})).hexdigest()


def keep_act(connection: Connection, new: NewAct, at: datetime) -> None:
    """Keep an act with its entry in the audit chain; it takes that chain's lock, so it comes last.

    The entry is the same whatever the act is: nobody learns from it what compliance did. Raises IntegrityError where
    the proposal, the request or the finding was settled already.
    """
    body = canonical_bytes(dict(new.body))
    sworn = content_sha256(new.act, body.decode(), new.proposal_id, new.proposed_by, new.review_id, new.new_decision_id)
    details = {"act": new.id, "decision": new.decision_id, "sha256": sworn}
    event = AuditEvent(new.staff_id, new.role, "referral_act", new.application_id, details)
    receipt = append_audit(connection, event, at)
    connection.execute(
        _KEEP,
        {
            "id": new.id, "application_id": new.application_id, "decision_id": new.decision_id, "act": new.act,
            "staff_id": new.staff_id, "role": new.role, "proposal_id": new.proposal_id,
            "proposed_by": new.proposed_by, "review_id": new.review_id, "new_decision_id": new.new_decision_id,
            "body": body.decode(), "at": at, "audit_seq": receipt.seq,
        },
    )  # fmt: skip
