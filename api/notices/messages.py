"""From an act to the messages that tell of it: one a person by mail, and one to the webhook.

It does: say which notices there are, whom each is for, and write them as rows of the outbox. It does not: look up
people or addresses, or send. The rules it keeps: a message holds ids and codes, so that nothing in the outbox has to
be erased; its `dedupe` names the act, so that one act is never told as two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from api.store.queries import NewMessage
from engine.application import Application
from engine.canonical import canonical_bytes
from engine.values import Frozen, Token, problem

MAIL = "notice.mail"
WEBHOOK = "notice.webhook"
MOST_RECIPIENTS = 20
STAFF = "staff"  # stands for the mailbox of the lender's staff, where a person's reference would

Topic = Literal[
    "offer.accepted", "documents.requested", "document.returned", "documents.complete", "case.warning", "approved",
    "declined", "contract.ready", "line.opened", "review.requested", "review.answered", "referral.decided",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Telling:
    """Whom a notice is for, when it is sent, and which codes it has to hold."""

    audience: Literal["applicant", "signatories", "staff"]
    when: str
    needs: frozenset[str] = frozenset()


TOPICS: Mapping[Topic, Telling] = {
    "offer.accepted": Telling("applicant", "the conditional offer was accepted and the case opened"),
    "documents.requested": Telling("applicant", "documents are asked for", frozenset({"document_kinds"})),
    "document.returned": Telling(
        "applicant", "a document was returned with a reason", frozenset({"document_kinds", "reason"})
    ),
    "documents.complete": Telling("applicant", "the last required document came in and the clock runs"),
    "case.warning": Telling("staff", "a case has waited so many hours", frozenset({"hours"})),
    "approved": Telling("applicant", "the line was fully approved"),
    "declined": Telling("applicant", "the application was declined after verification"),
    "contract.ready": Telling("signatories", "the contract can be read and signed"),
    "line.opened": Telling("applicant", "everybody has signed and the line is open"),
    "review.requested": Telling("staff", "an applicant asked for a person to look at a decision again"),
    "review.answered": Telling("applicant", "a person answered that request, in words"),
    "referral.decided": Telling("applicant", "what had been referred to a person was decided"),
}  # fmt: skip
_CASELESS = frozenset({"review.requested", "review.answered", "referral.decided"})  # of applications that need no case
_CODES = ("document_kinds", "reason", "hours")


class Notice(Frozen):
    """One thing to be told. `object_id` is what it is about; `version`, of the case after the act, tells acts apart.

    `to` are references of people; a notice to staff has none.
    """

    topic: Topic
    application_id: Token
    case_id: Token | None = None  # none where an application has no case
    object_id: Token
    version: Annotated[int, Field(ge=1)]
    to: Annotated[tuple[Token, ...], Field(max_length=MOST_RECIPIENTS, strict=False)] = ()
    document_kinds: Annotated[tuple[Token, ...], Field(max_length=20, strict=False)] = ()
    reason: Token | None = None
    hours: Annotated[int, Field(ge=0, le=1_000)] | None = None

    @model_validator(mode="after")
    def _says_what_it_has_to(self) -> Self:
        telling = TOPICS[self.topic]
        if (telling.audience == "staff") == bool(self.to):
            raise problem("notice_audience", "A notice to staff names nobody, any other names somebody")
        if self.case_id is None and self.topic not in _CASELESS:
            raise problem("notice_case", "A notice about a case names it")
        if {name for name in _CODES if getattr(self, name) not in (None, ())} != telling.needs:
            raise problem("notice_codes", "A notice holds the codes of its topic, and no other")
        return self


class Posted(Frozen):
    """The body of a message in the outbox: a notice, and for mail the one person, or the staff, it goes to."""

    notice: Notice
    to: Token | None = None


def notice_messages(notice: Notice, *, webhook: bool) -> tuple[NewMessage, ...]:
    """The rows to be written with the act: a mail for each recipient, and one for the webhook where there is one."""
    act = f"{notice.topic}:{notice.object_id}:{notice.version}"
    mails = tuple(_message(MAIL, f"{MAIL}:{act}:{to}", Posted(notice=notice, to=to)) for to in notice.to or (STAFF,))
    return (*mails, _message(WEBHOOK, f"{WEBHOOK}:{act}", Posted(notice=notice))) if webhook else mails


def contacts_of(application: Application) -> tuple[str, ...]:
    """Who is told about an application: its contacts, by reference."""
    return tuple(person.ref for person in application.people if "contact" in person.roles)


def _message(channel: str, dedupe: str, posted: Posted) -> NewMessage:
    body = canonical_bytes(posted.model_dump(mode="json", exclude_defaults=True)).decode()
    return NewMessage(channel, posted.notice.object_id, dedupe, body)
