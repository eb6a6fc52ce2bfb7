"""How an applicant comes back: by a link to a draft, by a one-time code to an address, or to confirm what was stated.

It does: send links and codes, and let in who shows one. It does not: make pages. The rules it keeps: the answer to an
address is the same whether or not it is known; a code counts once, five tries at most, a quarter of an hour at most; a
link is followed by a POST before it does anything, since mail programs open links by themselves; a newer link to a
draft ends the ones before it, which may have gone to a mistyped address.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import Connection

from api.applicants.drafts import LASTS
from api.applicants.letters import write_letter
from api.applicants.limits import CODES_ASKED, CODES_SHOWN, LETTERS, LINKS_ASKED, allows, allows_mailbox
from api.applicants.visits import Lobby, Opened, new_visit
from api.security import new_id, sha256_of
from api.store.queries import applicants as kept

CODE_LASTS = timedelta(minutes=15)
CODE_TRIES = 5
CODE_DIGITS = 6
CODES_AN_HOUR = 5  # to one address
OTHERS_LAST = timedelta(days=7)  # links to who confirms or signs
MOST_LINKS = 5  # to one draft
_TOKEN_BYTES = 32
Refused = Literal["wrong", "waiting"]


@dataclass(frozen=True, slots=True)
class Words:
    """What a letter says; `{link}` or `{code}` stands where the secret goes."""

    subject: str
    text: str


def email_key(lobby: Lobby, email: str) -> str:
    """The digest by which an address is found; case and spaces around it do not matter."""
    return lobby.index.of("applicant email", email.strip().casefold())


# -- a link to a draft ---------------------------------------------------------------------------------------


async def send_resume_link(lobby: Lobby, draft_id: str, email: str, page: str, words: Words, address: str) -> None:
    """Send a link that leads back to a draft, good for a week and for as often as it is needed.

    The links before it work no longer. Where too many were asked for, none is sent, and nobody is told.
    """
    token, now = secrets.token_urlsafe(_TOKEN_BYTES), lobby.clock()
    row = kept.LinkRow(sha256_of(token), "resume", draft_id, None, None, now, now + LASTS, None)

    def work(connection: Connection) -> None:
        if kept.end_links(connection, draft_id, now) >= MOST_LINKS:
            return
        if allows(lobby.index, connection, LINKS_ASKED, address, now):
            _write_to(lobby, connection, row, email, page, token, words)

    await lobby.database.write(work)


def _write_to(
    lobby: Lobby, connection: Connection, row: kept.LinkRow, email: str, page: str, token: str, words: Words
) -> None:
    """Keep a link and write to a mailbox, unless it was written to often in this hour."""
    if not allows_mailbox(lobby.index, connection, LETTERS, email_key(lobby, email), row.created_at):
        return
    kept.add_link(connection, row)
    text = words.text.format(link=f"{page}/{token}")
    write_letter(lobby, connection, email, words.subject, text, row.created_at, row.expires_at - row.created_at)


async def resume(lobby: Lobby, token: str, visit: kept.VisitRow | None) -> Opened | None:
    """A visit to the draft of a link, in the place of the one that there was.

    None where the link is unknown, too old or followed by a newer one, or the draft is over.
    """
    now = lobby.clock()

    def work(connection: Connection) -> Opened | None:
        link = kept.link_by_sha(connection, sha256_of(token))
        if link is None or link.purpose != "resume" or link.expires_at <= now or link.draft_id is None:
            return None
        draft = kept.get_draft(connection, link.draft_id)
        if draft is None or draft.sealed is None:  # over, or sent: then a code lets in
            return None
        opened = new_visit(now, None, draft.id)
        kept.open_visit(connection, opened.row)
        if visit is not None:
            kept.end_visit(connection, visit.sha256, now)
        return opened

    return await lobby.database.write(work)


# -- another person confirms, or signs -----------------------------------------------------------------------


def send_personal_link(
    lobby: Lobby,
    connection: Connection,
    purpose: kept.Purpose,
    application_id: str,
    person_ref: str,
    email: str,
    page: str,
    words: Words,
) -> None:
    """Send somebody who was named in an application a link of their own."""
    token, now = secrets.token_urlsafe(_TOKEN_BYTES), lobby.clock()
    row = kept.LinkRow(sha256_of(token), purpose, None, application_id, person_ref, now, now + OTHERS_LAST, None)
    _write_to(lobby, connection, row, email, page, token, words)


async def personal_link(lobby: Lobby, purpose: kept.Purpose, token: str) -> kept.LinkRow | None:
    """The link that somebody was sent for this; None where it is unknown or too old."""
    sha256, now = sha256_of(token), lobby.clock()
    link = await lobby.database.read(lambda connection: kept.link_by_sha(connection, sha256))
    return link if link is not None and link.purpose == purpose and link.expires_at > now else None


async def confirm(lobby: Lobby, link: kept.LinkRow) -> bool:
    """Note that the person confirmed; False where they had."""
    now = lobby.clock()
    return await lobby.database.write(lambda connection: kept.use_link(connection, link.sha256, now))


# -- a one-time code -----------------------------------------------------------------------------------------


async def send_code(lobby: Lobby, email: str, address: str, words: Words) -> Refused | None:
    """Send a code to an address where it is an applicant's; whether it is cannot be told from the answer.

    `address` is the sender's network address: who asks often has to wait.
    """
    now, key = lobby.clock(), email_key(lobby, email)
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"

    def work(connection: Connection) -> Refused | None:
        if not allows(lobby.index, connection, CODES_ASKED, address, now):
            return "waiting"
        if kept.codes_since(connection, key, now - timedelta(hours=1)) >= CODES_AN_HOUR:
            return None  # as if it were sent: the ones that were still count
        known = kept.known_applicant(connection, key) is not None
        kept.add_code(connection, key, _digest(lobby, key, code), now, now + CODE_LASTS)
        text = words.text.format(code=code)
        subject = words.subject.format(code=code)
        write_letter(lobby, connection, email if known else None, subject, text, now, CODE_LASTS)
        return None

    return await lobby.database.write(work)


async def enter(lobby: Lobby, email: str, code: str, address: str, visit: kept.VisitRow | None) -> Opened | Refused:
    """A visit of the applicant whose address this is, for who shows the newest code that it was sent.

    What the browser had typed before stays at hand.
    """
    now, key = lobby.clock(), email_key(lobby, email)
    shown = "".join(code.split())

    def work(connection: Connection) -> Opened | Refused:
        if not allows(lobby.index, connection, CODES_SHOWN, address, now):
            return "waiting"
        newest = kept.newest_code(connection, key)
        if newest is None or newest.expires_at <= now or not kept.try_code(connection, newest.id, CODE_TRIES):
            return "wrong"
        if not hmac.compare_digest(newest.code, _digest(lobby, key, shown)):
            return "wrong"
        applicant_id = kept.known_applicant(connection, key)
        if applicant_id is None or not kept.use_code(connection, newest.id, now):
            return "wrong"
        opened = new_visit(now, applicant_id, visit.draft_id if visit else None)
        kept.open_visit(connection, opened.row)
        if visit is not None:
            kept.end_visit(connection, visit.sha256, now)
        return opened

    return await lobby.database.write(work)


def let_in(lobby: Lobby, connection: Connection, email: str, application_id: str) -> str:
    """From now on the holder of this address may see the application, by a code; the applicant's id."""
    now = lobby.clock()
    applicant_id = kept.applicant_of(connection, new_id("apl"), email_key(lobby, email), now)
    kept.hold_application(connection, applicant_id, application_id, now)
    return applicant_id


def _digest(lobby: Lobby, key: str, code: str) -> str:
    return lobby.index.of("applicant code", f"{key}\0{code}")
