"""Notices to be sent in tests: the words for codes, a sender's office on a database, and messages to put into it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import text

from api.notices.letters import Letters, Wording
from api.notices.mail import Post, SmtpPost
from api.notices.messages import TOPICS, Notice, Topic, notice_messages
from api.notices.sending import PostOffice
from api.notices.settings import Hook, MailServer, NoticeSettings
from api.notices.webhook import Webhook
from api.sources.settings import Secret
from api.store.database import Database
from api.store.queries.outbox import insert_messages
from tests.support.contracting import Approved
from tests.support.service import Clock

SENDER, STAFF = "lender@lender.example", "staff@lender.example"
OLD, NEW = Secret("old-" + "0" * 32), Secret("new-" + "1" * 32)
WORDING = Wording(
    kind={"identity": "Driver licence or passport", "bank_statement": "Bank statements"}.__getitem__,
    returned={"BLURRY": ("It could not be read.", "A sharp picture of the whole page.")}.__getitem__,
)
CODES: Mapping[Topic, Mapping[str, Any]] = {
    "documents.requested": {"document_kinds": ("identity", "bank_statement")},
    "document.returned": {"document_kinds": ("identity",), "reason": "BLURRY"},
    "case.warning": {"hours": 12},
}


class Missing(Post):
    """No mail is meant to be sent."""

    async def send(self, message: object, to: str) -> None:
        """Nobody gets here."""
        raise AssertionError("no mail is meant to be sent")


def letters(page: str | None = "https://apply.lender.example") -> Letters:
    """Every letter."""
    return Letters.load("Sample Lender", page, WORDING)


def office(
    database: Database, clock: Clock, *, server: MailServer | None = None, url: str | None = None,
    secrets: tuple[Secret, ...] = (NEW,), seconds: float = 5.0, folder: Path | None = None,
) -> PostOffice:  # fmt: skip
    """The senders, with a mail server and a webhook where they are given; time limits are short."""
    settings = NoticeSettings(server=server, sender=SENDER, staff=STAFF, mailbox=folder or Path("unused"))
    post = SmtpPost(server, SENDER, seconds) if server else Missing()
    webhook = Webhook(Hook(url, secrets), seconds) if url else None
    return PostOffice(database, settings, letters(), post, webhook, clock)


def a_notice(approved: Approved, topic: Topic = "approved", version: int = 2, *names: str) -> Notice:
    """A notice of this topic about a case, to its people of these names, or to all of them."""
    to = () if TOPICS[topic].audience == "staff" else tuple(approved.refs[name] for name in names or approved.refs)
    return Notice(
        topic=topic, application_id=approved.case.application_id, case_id=approved.case.id,
        object_id=approved.case.id, version=version, to=to, **CODES.get(topic, {}),
    )  # fmt: skip


def put(database: Database, clock: Clock, *notices: Notice, webhook: bool = False) -> None:
    """Write their messages, as the act that caused them would."""
    with database.transaction() as connection:
        for notice in notices:
            insert_messages(connection, notice_messages(notice, webhook=webhook), clock.now)


def outbox(database: Database) -> list[dict[str, Any]]:
    """The rows of notices, oldest first."""
    with database.transaction(read_only=True) as connection:
        rows = connection.execute(text("SELECT * FROM outbox WHERE topic LIKE 'notice.%' ORDER BY id"))
        return [dict(row) for row in rows.mappings()]


def states(database: Database) -> list[str]:
    """How each stands: sent, dead, or due with so many attempts."""
    return [
        "sent" if row["sent_at"] is not None else "dead" if row["dead_at"] is not None else f"due {row['attempts']}"
        for row in outbox(database)
    ]
