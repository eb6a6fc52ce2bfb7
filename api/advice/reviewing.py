"""Asking for a person: kept once a decision, told to the staff, with the day by which an answer is due.

It does: write the request, its entry in the audit chain and a notice to the staff, together. It does not: decide, or
take words (a person is heard by the person who answers). The rule it keeps: asking again answers with the first
request, and business days are Monday to Friday with no holiday left out, so that the day is never later than promised.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Connection

from api.advice.record import standing_row
from api.flow import Shell
from api.notices.messages import Notice, notice_messages
from api.security import Caller, new_id
from api.store import queries as store
from api.store.queries.advice import ReviewRequestRow, keep_review_request, review_request_of
from api.zone import SYDNEY
from engine.canonical import canonical_bytes

DAYS = 5
_CLOSES = time(17)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a person, and whether it was made just now."""

    reply: bytes
    new: bool


async def ask_for_a_person(shell: Shell, caller: Caller, application_id: str, *, webhook: bool) -> Asked:
    """Ask for a person to look again at the decision that stands; Problem `not-found` for anybody else's."""

    def work(connection: Connection) -> Asked:
        at = shell.clock()
        row = standing_row(connection, application_id, caller.id)
        store.hold_business(connection, row.abn)  # two that ask at once are one request
        earlier = review_request_of(connection, row.id)
        if earlier is not None:
            return Asked(review_reply(earlier), new=False)
        request = ReviewRequestRow(new_id("rev"), application_id, row.id, at, caller.id, answer_by(at))
        keep_review_request(connection, request)
        notice = Notice(topic="review.requested", application_id=application_id, object_id=request.id, version=1)
        store.insert_messages(connection, notice_messages(notice, webhook=webhook), at)
        details = {"application": application_id, "decision": row.id, "answer_by": request.answer_by.isoformat()}
        store.append_audit(connection, store.AuditEvent(caller.id, "caller", "ask_person", request.id, details), at)
        return Asked(review_reply(request), new=True)

    return await shell.database.write(work)


def answer_by(at: datetime, days: int = DAYS) -> datetime:
    """Five in the afternoon in Sydney, so many business days after the day on which it was asked there."""
    day = at.astimezone(SYDNEY).date()
    for _ in range(days):
        day += timedelta(days=1)
        while day.weekday() >= _SATURDAY:
            day += timedelta(days=1)
    return datetime.combine(day, _CLOSES, SYDNEY).astimezone(UTC)


def review_reply(row: ReviewRequestRow) -> bytes:
    """What the applicant is told of a request."""
    return canonical_bytes(
        {
            "review_request_id": row.id,
            "application_id": row.application_id,
            "decision_id": row.decision_id,
            "requested_at": _moment(row.requested_at),
            "answer_by": _moment(row.answer_by),
        }
    )


def _moment(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
