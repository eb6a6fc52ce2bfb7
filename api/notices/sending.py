"""Sending what is due: leased, sent, and marked; tried again later, or dead after the last attempt.

It does: take due notices of both channels, find each one's person at that moment, and send. It does not: run by
itself (the worker calls it), or keep what it found. The rules it keeps: a message is sent at least once, and twice
only where a crash came between sending and marking, under the same id; who was erased is told nothing; no failure of
one message keeps another from being sent; nobody's name or address is logged.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import structlog
from sqlalchemy import Connection

from api.errors import where
from api.notices.channel import NotSent
from api.notices.letters import Letters
from api.notices.mail import Mailbox, Post, SmtpPost, compose
from api.notices.messages import MAIL, STAFF, WEBHOOK, Posted
from api.notices.settings import NoticeSettings
from api.notices.webhook import Webhook
from api.store import queries as store
from api.store.database import Database
from api.store.errors import StoreError
from api.store.queries.notices import get_person
from api.store.queries.referrals import get_act
from engine.people import Person

log = structlog.get_logger()
LEASE = timedelta(seconds=60)  # longer than any one sending may take
MOST_A_ROUND = 20
# 15 seconds, doubled up to two hours: eleven to twenty-two hours until an attempt is the last.
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=15), timedelta(hours=2)

# `closed`: nobody to tell. `failed`: tried again later. `dead`: that was the last attempt. `postponed`: no attempt,
# since the receiver is left alone for a moment. `taken`: another worker has it.
Result = Literal["sent", "closed", "failed", "dead", "postponed", "taken"]
Send = Callable[[store.OutboxRow], Awaitable[bool]]
_SAID = frozenset({"review.answered"})  # topics that a person answers in words


@dataclass(frozen=True, slots=True)
class PostOffice:
    """What sending needs. Without a `webhook` its messages wait."""

    database: Database
    settings: NoticeSettings
    letters: Letters
    post: Post
    webhook: Webhook | None
    clock: Callable[[], datetime]

    async def close(self) -> None:
        """Give up connections."""
        if self.webhook is not None:
            await self.webhook.close()


def post_office(
    database: Database, settings: NoticeSettings, letters: Letters, clock: Callable[[], datetime]
) -> PostOffice:
    """The senders that settings name; ValueError where mail has no server to go to, and no folder of development."""
    post: Post
    if settings.server is not None:
        post = SmtpPost(settings.server, settings.sender)
    elif settings.mailbox is not None:
        post = Mailbox(settings.mailbox)
    else:
        raise ValueError("CREDITLINE_SMTP must be set: only development writes mail into a folder")
    webhook = Webhook(settings.hook) if settings.hook else None
    return PostOffice(database, settings, letters, post, webhook, clock)


async def send_due(office: PostOffice, also: Sequence[tuple[str, Send]] = ()) -> Counter[Result]:
    """Send what is due on both channels, twenty messages each at the most; how many ended how.

    `also` are further topics of the outbox, each with how one message of it is sent.

    A receiver that is away ends its channel's round, so that a round lasts about one sending's time limit and its
    other messages lose no attempt. Raises StoreError where the store is away: leases then lapse by themselves.
    """
    ways: list[tuple[str, Send]] = [(MAIL, lambda message: _mail(office, message)), *also]
    if (webhook := office.webhook) is not None:
        ways.append((WEBHOOK, lambda message: _call(office, webhook, message)))
    rounds = await asyncio.gather(*(_round(office, channel, send) for channel, send in ways), return_exceptions=True)
    results: Counter[Result] = Counter()
    for each in rounds:
        if isinstance(each, BaseException):
            raise each
        results.update(each)
    return results


async def _round(office: PostOffice, channel: str, send: Send) -> list[Result]:
    now = office.clock()
    due = await office.database.read(lambda connection: store.due_messages(connection, now, MOST_A_ROUND, channel))
    results = []
    for message in due:
        result, away = await _deliver(office, message, send)
        results.append(result)
        if away:
            break
    return results


async def _deliver(office: PostOffice, message: store.OutboxRow, send: Send) -> tuple[Result, bool]:
    """One message under a lease; and whether its receiver is away."""
    until = office.clock() + LEASE
    if not await office.database.write(lambda connection: store.lease_message(connection, message, until)):
        return "taken", False
    told = log.bind(
        message=message.id, channel=message.topic, object_id=message.object_id, attempt=message.attempts + 1
    )
    try:
        was_sent = await send(message)
    except NotSent as failure:
        if failure.why == "resting":
            return "postponed", True
        return await _failed(office, message, told, failure.why), failure.away
    except StoreError:
        raise
    except Exception as error:  # a mistake in one message must not keep the others from being sent
        told.error("notice_error", error_type=type(error).__name__, where=where(error))
        return await _failed(office, message, told, "mistake"), False
    at = office.clock()
    await office.database.write(lambda connection: store.mark_sent(connection, message.id, at))
    result: Result = "sent" if was_sent else "closed"
    told.info("notice_" + result)
    return result, False


async def _failed(
    office: PostOffice, message: store.OutboxRow, told: structlog.typing.FilteringBoundLogger, why: str
) -> Result:
    next_at = office.clock() + wait_before(message.attempts + 1)
    await office.database.write(lambda connection: store.mark_failed(connection, message.id, next_at))
    result: Result = "dead" if message.attempts + 1 >= store.ATTEMPTS_MAX else "failed"
    told.warning("notice_" + result, why=why)
    return result


def wait_before(attempt: int) -> timedelta:
    """How long to wait before this attempt (1 is the second), with jitter so that they do not come in waves."""
    # Doubled ten times at most, whatever a row says.
    return min(_FIRST_WAIT * (1 << min(attempt - 1, 10)), _LONGEST_WAIT) * random.uniform(0.5, 1.0)


async def _mail(office: PostOffice, message: store.OutboxRow) -> bool:
    """Write to the one person, or to staff; False where there is nobody to write to any more."""
    posted = Posted.model_validate_json(message.body)
    settings, notice = office.settings, posted.notice
    if posted.to == STAFF:
        address, given_names = settings.staff, ""
    else:
        person = await office.database.read(lambda connection: _person(connection, posted))
        if person is None:
            return False
        address, given_names = person.email, person.given_names
    words = await office.database.read(lambda connection: _words(connection, posted)) if notice.topic in _SAID else ""
    subject, text = office.letters.write(notice, given_names, words)
    mail = compose(subject, text, sender=settings.sender, to=address, dedupe=message.dedupe, at=message.at)
    await office.post.send(mail, address)
    return True


async def _call(office: PostOffice, webhook: Webhook, message: store.OutboxRow) -> bool:
    await webhook.send(message, Posted.model_validate_json(message.body), office.clock())
    return True


def _words(connection: Connection, posted: Posted) -> str:
    """What a person wrote to the applicant, from where it is kept: never from the message."""
    act = get_act(connection, posted.notice.object_id)
    return "" if act is None else str(json.loads(act.body)["words"])


def _person(connection: Connection, posted: Posted) -> Person | None:
    """Who is written to, as known now; none who was erased or is no person of the application."""
    row = None if posted.to is None else get_person(connection, posted.to)
    if row is None or row.body is None or row.application_id != posted.notice.application_id:
        return None
    return Person.model_validate_json(row.body)
