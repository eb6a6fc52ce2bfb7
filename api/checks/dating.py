"""How old a document is.

It does: compare the day that it says with today and the most days allowed. It does not: believe a file's own dates.
The rule it keeps: a day in the future is wrong, but for the day that Sydney is ahead of UTC.
"""

from collections.abc import Callable
from datetime import date

from api.checks import labels
from api.checks.subject import Answer, Subject, failing, unread
from api.checks.values import AGES, Finding


def age(subject: Subject, dated: tuple[date, Finding] | None, what: str) -> Answer:
    """Not older than allowed on the day, nor from the future."""
    if dated is None:
        return unread(f"The {what}")
    on, finding = dated
    today, most = subject.expectation.today, _most_days(subject)
    days = (today - on).days
    if days < -1:  # a day in Sydney begins before the same day in UTC
        return Answer(failing(subject), f"The {what} is in the future.", [finding])
    if days > most:
        return Answer(failing(subject), f"The {what} is {days} days ago; at most {most} are allowed.", [finding])
    return Answer("pass", f"The {what} is {max(days, 0)} days ago; at most {most} are allowed.", [finding])


def _most_days(subject: Subject) -> int:
    given = subject.expectation.most_days_old
    return AGES.get(subject.expectation.kind, 365) if given is None else given


def dated_at(label: str, what: str, field: str = "dated") -> Callable[[Subject], Answer]:
    """A check of age by the day that stands at a label, found under this field's name."""

    def run(subject: Subject) -> Answer:
        found = labels.date_at(subject.rows, label)
        return age(subject, (found[0], found[1].find(field, found[0].isoformat())) if found else None, what)

    return run
