"""Applicants on the web in the store: visits, drafts, links and codes by which they come in, and letters to them.

It does not seal or open anything, nor judge whether a visit or a code still holds (api.applicants does).
The rules: a draft is changed only in the version that was seen; a link or a code is used up once; a letter that was
sent is forgotten.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from api.store.tables import (
    applicant,
    decision,
    draft,
    entry_code,
    entry_link,
    holding,
    idempotency,
    letter,
    visit,
)

Purpose = Literal["resume", "confirm", "sign"]


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One browser's visit; `applicant_id` is set once an address was shown to be theirs."""

    sha256: str
    csrf: str
    applicant_id: str | None
    draft_id: str | None
    created_at: datetime
    seen_at: datetime
    ends_at: datetime
    ended_at: datetime | None

    def __repr__(self) -> str:
        return f"VisitRow(applicant_id={self.applicant_id!r}, draft_id={self.draft_id!r})"


@dataclass(frozen=True, slots=True)
class DraftRow:
    """What somebody has typed so far, sealed; `sent_key` is the key under which it was sent, at `changed_at`."""

    id: str
    sealed: bytes | None = field(repr=False)
    version: int
    created_at: datetime
    changed_at: datetime
    expires_at: datetime
    sent_key: str | None
    application_id: str | None


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link that was sent to somebody."""

    sha256: str = field(repr=False)
    purpose: Purpose
    draft_id: str | None
    application_id: str | None
    person_ref: str | None
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class CodeRow:
    """The newest code of an address."""

    id: int
    code: str = field(repr=False)
    created_at: datetime
    expires_at: datetime
    tries: int
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class LetterRow:
    """A letter to be sent, sealed; nothing is left of one that was."""

    id: str
    sealed: bytes | None = field(repr=False)
    created_at: datetime
    expires_at: datetime


_VISIT = select(visit).where(visit.c.sha256 == bindparam("sha"))
_DRAFT = select(draft).where(draft.c.id == bindparam("sought"))
_LINK = select(entry_link).where(entry_link.c.sha256 == bindparam("sha"))
_CODE = (
    select(*(entry_code.c[name] for name in CodeRow.__slots__))
    .where(entry_code.c.email == bindparam("address"))
    .order_by(entry_code.c.id.desc())
    .limit(1)
)
_CODES_SINCE = select(func.count()).where(
    entry_code.c.email == bindparam("address"), entry_code.c.created_at > bindparam("since")
)
_HOLDINGS = (
    select(holding.c.application_id)
    .where(holding.c.applicant_id == bindparam("whose"))
    .order_by(holding.c.at.desc(), holding.c.application_id)
    .limit(bindparam("most"))
)
_HOLDS = select(holding.c.at).where(
    holding.c.applicant_id == bindparam("whose"), holding.c.application_id == bindparam("what")
)
_LETTER = select(letter).where(letter.c.id == bindparam("sought"))
_APPLICANT = {
    "sqlite": sqlite.insert(applicant).on_conflict_do_nothing(index_elements=["email"]),
    "postgresql": postgresql.insert(applicant).on_conflict_do_nothing(index_elements=["email"]),
}
_HOLDING = {
    "sqlite": sqlite.insert(holding).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(holding).on_conflict_do_nothing(),
}


# -- visits --------------------------------------------------------------------------------------------------


def open_visit(connection: Connection, row: VisitRow) -> None:
    """Keep a new visit; raises IntegrityError for a token that was used before."""
    connection.execute(insert(visit), {name: getattr(row, name) for name in VisitRow.__slots__})


def visit_by_sha(connection: Connection, sha256: str) -> VisitRow | None:
    """The visit with this digest, ended or not."""
    row = connection.execute(_VISIT, {"sha": sha256}).mappings().first()
    return None if row is None else VisitRow(**row)


def touch_visit(connection: Connection, sha256: str, at: datetime) -> None:
    """Note that a visit goes on."""
    connection.execute(update(visit).where(visit.c.sha256 == sha256).values(seen_at=at))


def end_visit(connection: Connection, sha256: str, at: datetime) -> None:
    """End a visit for good."""
    running = (visit.c.sha256 == sha256) & visit.c.ended_at.is_(None)
    connection.execute(update(visit).where(running).values(ended_at=at))


# -- who an address belongs to -------------------------------------------------------------------------------


def applicant_of(connection: Connection, new_id: str, email: str, at: datetime) -> str:
    """The applicant with this digest of an address, made now where there is none."""
    connection.execute(_APPLICANT[connection.dialect.name], {"id": new_id, "email": email, "created_at": at})
    return str(connection.execute(select(applicant.c.id).where(applicant.c.email == email)).scalar_one())


def known_applicant(connection: Connection, email: str) -> str | None:
    """The applicant with this digest of an address, if there is one."""
    found = connection.execute(select(applicant.c.id).where(applicant.c.email == email)).scalar()
    return None if found is None else str(found)


def hold_application(connection: Connection, applicant_id: str, application_id: str, at: datetime) -> None:
    """An applicant may see this application from now on; again is no harm."""
    values = {"applicant_id": applicant_id, "application_id": application_id, "at": at}
    connection.execute(_HOLDING[connection.dialect.name], values)


def holds_application(connection: Connection, applicant_id: str, application_id: str) -> bool:
    """Whether an applicant may see this application."""
    return connection.execute(_HOLDS, {"whose": applicant_id, "what": application_id}).first() is not None


def applications_held(connection: Connection, applicant_id: str, most: int = 50) -> tuple[str, ...]:
    """The applications that an applicant may see, the latest first."""
    return tuple(connection.execute(_HOLDINGS, {"whose": applicant_id, "most": most}).scalars())


# -- drafts --------------------------------------------------------------------------------------------------


def insert_draft(connection: Connection, draft_id: str, sealed: bytes, at: datetime, expires_at: datetime) -> DraftRow:
    """Keep a new draft."""
    row = DraftRow(draft_id, sealed, 1, at, at, expires_at, None, None)
    connection.execute(insert(draft), {name: getattr(row, name) for name in DraftRow.__slots__})
    return row


def get_draft(connection: Connection, draft_id: str) -> DraftRow | None:
    """One draft by its id."""
    row = connection.execute(_DRAFT, {"sought": draft_id}).mappings().first()
    return None if row is None else DraftRow(**row)


def change_draft(
    connection: Connection, draft_id: str, version: int, sealed: bytes, at: datetime, expires_at: datetime
) -> bool:
    """Put other answers in the place of those seen in this version; False once they moved on, were sent or over."""
    values = {"sealed": sealed, "version": version + 1, "changed_at": at, "expires_at": expires_at}
    return connection.execute(update(draft).where(_unsent(draft_id, version)).values(**values)).rowcount == 1


def send_draft(connection: Connection, draft_id: str, version: int, key: str, at: datetime) -> bool:
    """Send the answers seen in this version under a key: they are not changed any more. False as above."""
    values = {"sent_key": key, "changed_at": at}
    return connection.execute(update(draft).where(_unsent(draft_id, version)).values(**values)).rowcount == 1


def recall_draft(connection: Connection, draft_id: str, key: str) -> bool:
    """Nothing was kept of what was sent under this key, so it can be changed again; False where that is not so."""
    sent = (draft.c.id == draft_id) & (draft.c.sent_key == key) & draft.c.application_id.is_(None)
    values = {"sent_key": None, "version": draft.c.version + 1}  # its next key is another one
    return connection.execute(update(draft).where(sent).values(**values)).rowcount == 1


def finish_draft(connection: Connection, draft_id: str, application_id: str, at: datetime) -> bool:
    """A draft became an application: what was typed is kept there, and forgotten here. False where it had."""
    open_yet = (draft.c.id == draft_id) & draft.c.application_id.is_(None)
    values = {"application_id": application_id, "sealed": None, "changed_at": at}
    return connection.execute(update(draft).where(open_yet).values(**values)).rowcount == 1


def answered_drafts(connection: Connection, caller_id: str, route: str, most: int = 20) -> tuple[tuple[str, str], ...]:
    """Drafts that were sent and decided and not joined to their application, with its id."""
    answer = (idempotency.c.key == draft.c.sent_key) & (idempotency.c.caller_id == caller_id)
    answer &= idempotency.c.route == route
    found = (
        select(draft.c.id, decision.c.application_id)
        .join(idempotency, answer)
        .join(decision, decision.c.id == idempotency.c.decision_id)
        .where(draft.c.sent_key.is_not(None), draft.c.application_id.is_(None), draft.c.sealed.is_not(None))
        .limit(most)
    )
    return tuple((str(draft_id), str(application_id)) for draft_id, application_id in connection.execute(found))


def _unsent(draft_id: str, version: int) -> ColumnElement[bool]:
    seen = (draft.c.id == draft_id) & (draft.c.version == version) & draft.c.application_id.is_(None)
    return seen & draft.c.sent_key.is_(None) & draft.c.sealed.is_not(None)


def forget_drafts(connection: Connection, now: datetime, most: int = 100) -> int:
    """Forget what is in drafts that are over; how many there were, at most a page."""
    over = select(draft.c.id).where(draft.c.expires_at <= now, draft.c.sealed.is_not(None)).limit(most)
    return connection.execute(update(draft).where(draft.c.id.in_(over.scalar_subquery())).values(sealed=None)).rowcount


# -- links and codes -----------------------------------------------------------------------------------------


def add_link(connection: Connection, row: LinkRow) -> None:
    """Keep a link."""
    connection.execute(insert(entry_link), {name: getattr(row, name) for name in LinkRow.__slots__})


def link_by_sha(connection: Connection, sha256: str) -> LinkRow | None:
    """The link with this digest, used or not."""
    row = connection.execute(_LINK, {"sha": sha256}).mappings().first()
    return None if row is None else LinkRow(**row)


def end_links(connection: Connection, draft_id: str, at: datetime) -> int:
    """Links to a draft that were sent so far lead nowhere any more; how many there were, ended ones included."""
    ours = entry_link.c.draft_id == draft_id
    connection.execute(update(entry_link).where(ours, entry_link.c.expires_at > at).values(expires_at=at))
    return int(connection.execute(select(func.count()).where(ours)).scalar_one())


def use_link(connection: Connection, sha256: str, at: datetime) -> bool:
    """Use a link up; False where it was."""
    fresh = (entry_link.c.sha256 == sha256) & entry_link.c.used_at.is_(None)
    return connection.execute(update(entry_link).where(fresh).values(used_at=at)).rowcount == 1


def confirmed_people(connection: Connection, application_id: str) -> frozenset[str]:
    """References of those who confirmed by a link of their own."""
    ours = (entry_link.c.application_id == application_id) & (entry_link.c.purpose == "confirm")
    used = select(entry_link.c.person_ref).where(ours, entry_link.c.used_at.is_not(None))
    return frozenset(str(ref) for ref in connection.execute(used).scalars())


def links_of(connection: Connection, application_id: str) -> tuple[LinkRow, ...]:
    """The links that were sent about an application, the oldest first."""
    sent = select(entry_link).where(entry_link.c.application_id == application_id).order_by(entry_link.c.created_at)
    return tuple(LinkRow(**row) for row in connection.execute(sent).mappings())


def add_code(connection: Connection, email: str, code: str, at: datetime, expires_at: datetime) -> None:
    """Keep a code for an address; the ones before it work no longer."""
    values = {"email": email, "code": code, "created_at": at, "expires_at": expires_at, "tries": 0}
    connection.execute(insert(entry_code), values)


def newest_code(connection: Connection, email: str) -> CodeRow | None:
    """The code that an address was sent last."""
    row = connection.execute(_CODE, {"address": email}).mappings().first()
    return None if row is None else CodeRow(**row)


def codes_since(connection: Connection, email: str, since: datetime) -> int:
    """How many codes an address was sent since a moment."""
    return int(connection.execute(_CODES_SINCE, {"address": email, "since": since}).scalar_one())


def try_code(connection: Connection, code_id: int, most: int) -> bool:
    """Count a try of a code before it is compared; False where it has had all its tries, or was used."""
    left = (entry_code.c.id == code_id) & (entry_code.c.tries < most) & entry_code.c.used_at.is_(None)
    return connection.execute(update(entry_code).where(left).values(tries=entry_code.c.tries + 1)).rowcount == 1


def use_code(connection: Connection, code_id: int, at: datetime) -> bool:
    """Use a code up; False where it was."""
    fresh = (entry_code.c.id == code_id) & entry_code.c.used_at.is_(None)
    return connection.execute(update(entry_code).where(fresh).values(used_at=at)).rowcount == 1


# -- letters -------------------------------------------------------------------------------------------------


def add_letter(connection: Connection, letter_id: str, sealed: bytes, at: datetime, expires_at: datetime) -> None:
    """Keep a letter that a message of the outbox names."""
    connection.execute(insert(letter), {"id": letter_id, "sealed": sealed, "created_at": at, "expires_at": expires_at})


def get_letter(connection: Connection, letter_id: str) -> LetterRow | None:
    """A letter by its id."""
    row = connection.execute(_LETTER, {"sought": letter_id}).mappings().first()
    return None if row is None else LetterRow(**row)


def forget_letters(connection: Connection, letter_id: str, now: datetime) -> None:
    """Forget a letter that was sent, and all that came too late."""
    gone = or_(letter.c.id == letter_id, letter.c.expires_at <= now) & letter.c.sealed.is_not(None)
    connection.execute(update(letter).where(gone).values(sealed=None))


def forget_past(connection: Connection, now: datetime, kept_for: timedelta) -> None:
    """Forget letters that came too late; remove visits, links and codes so long after their end."""
    forget_letters(connection, "", now)
    before = now - kept_for
    connection.execute(delete(visit).where(visit.c.ends_at < before))
    connection.execute(delete(entry_code).where(entry_code.c.expires_at < before))
    unused = entry_link.c.used_at.is_(None) | (entry_link.c.purpose == "resume")  # who confirmed or signed stays known
    connection.execute(delete(entry_link).where(entry_link.c.expires_at < before, unused))
