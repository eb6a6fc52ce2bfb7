"""One application as it stands for those who look at referrals.

It does: read its standing decision with what that rests on, what was done about it, and what is asked; say what may be
done. It does not: write, or know who may see what. The rule it keeps: what screening found, whatever it is, holds the
application for compliance, and so does a screening that could not be had: from outside the two look alike.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from api.advice.reviewing import answer_by
from api.errors import FieldProblem, Problem
from api.store import queries as store
from api.store.queries.advice import ReviewRequestRow
from api.store.queries.referrals import ActRow, acts_of, count_reviews, count_waiting, reviews_of
from api.zone import SYDNEY
from engine.application import Application
from engine.decision import Decision
from engine.facts import Facts

MOST_WORDS = 2_000
PROMISED_DAYS = 1  # business days, as the applicant is told


@dataclass(frozen=True, slots=True)
class Referral:
    """An application, its standing decision, and what people did."""

    application_id: str
    received_at: datetime
    application: Application
    row: store.DecisionRow
    decision: Decision
    facts: Facts
    case: store.CaseRow | None
    acts: tuple[ActRow, ...]
    reviews: tuple[ReviewRequestRow, ...]

    @property
    def is_open(self) -> bool:
        """Whether it still waits for a person: referred, and without a case."""
        return self.decision.outcome == "refer" and self.case is None

    @property
    def held(self) -> bool:
        """Whether it is compliance's to settle first."""
        return any(each.source == "compliance" for each in self.decision.findings)

    @property
    def settled(self) -> ActRow | None:
        """How compliance settled what screening found on this decision, if it did."""
        return next((each for each in self.acts if each.act in {"clear", "match"} and self.is_of(each)), None)

    @property
    def proposal(self) -> ActRow | None:
        """What somebody proposed on this decision and nobody has confirmed or withdrawn."""
        ended = {each.proposal_id for each in self.acts}
        return next(
            (each for each in self.acts if each.act == "propose" and each.id not in ended and self.is_of(each)), None
        )

    @property
    def open_reviews(self) -> tuple[ReviewRequestRow, ...]:
        """The requests for a person that nobody has answered."""
        answered = {each.review_id for each in self.acts}
        return tuple(each for each in self.reviews if each.id not in answered)

    def is_of(self, act: ActRow) -> bool:
        """Whether an act was about the decision that stands."""
        return act.decision_id == self.row.id


def due_at(received_at: datetime) -> datetime:
    """Until when a person looks at a referral, as the applicant was promised."""
    return answer_by(received_at, PROMISED_DAYS)


def count_late(connection: Connection, now: datetime) -> int:
    """How many wait for a person past what they were promised."""
    return count_waiting(connection, late_before(now)) + count_reviews(connection, now)


def late_before(now: datetime) -> datetime:
    """Whatever came in before this moment, and waits, is late: the newest day whose promise has ended."""
    day = now.astimezone(SYDNEY).replace(hour=0, minute=0, second=0, microsecond=0)
    while due_at(day) >= now:
        day -= timedelta(days=1)
    return day + timedelta(days=1)


def read(connection: Connection, application_id: str) -> Referral:
    """An application that was decided; Problem `not-found`, or `gone` where it was erased."""
    application = store.get_application(connection, application_id)
    row = None if application is None else store.standing_decision(connection, application_id)
    if application is None or row is None:
        raise Problem("not-found")
    body = store.facts_body(connection, row.facts_sha256)
    if body is None:
        raise Problem("gone")
    return Referral(
        application_id=application_id,
        received_at=application.received_at,
        application=Application.model_validate_json(application.body),
        row=row,
        decision=Decision.model_validate_json(row.body),
        facts=Facts.model_validate_json(body),
        case=store.case_of_application(connection, application_id),
        acts=acts_of(connection, application_id),
        reviews=reviews_of(connection, application_id),
    )


def seen(connection: Connection, application_id: str, decision_id: str) -> Referral:
    """The same, held against others until the transaction ends; Problem `stale-version` where another one stands."""
    application = store.get_application(connection, application_id)
    if application is None:
        raise Problem("not-found")
    store.hold_business(connection, application.abn)
    referral = read(connection, application_id)
    if referral.row.id != decision_id:
        raise Problem("stale-version")
    return referral


def require_answerable(referral: Referral) -> None:
    """Problem `not-now` unless an approver can answer this referral."""
    if not referral.is_open or referral.held:
        raise Problem("not-now")


def check_words(words: str) -> None:
    """Problem `validation-failed` unless something was said, and not too much."""
    if not words.strip():
        raise Problem("validation-failed", [FieldProblem("words", "missing", "Say it in words")])
    if len(words) > MOST_WORDS:
        raise Problem("validation-failed", [FieldProblem("words", "too_long", f"At most {MOST_WORDS} characters")])
