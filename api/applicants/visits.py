"""A browser's visit: a random token in a cookie, its digest at rest, and what it may see.

It does: open visits, find the visit of a request, and say which applications it may see. It does not: read requests.
The rules it keeps: a token that the service did not make is never taken on; a visit is new whenever somebody shows who
they are; one that is over stays over.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from litestar.datastructures import Cookie
from sqlalchemy import Connection

from api.guards import BlindIndex
from api.sealing import Sealer
from api.security import sha256_of
from api.store.database import Database
from api.store.queries import applicants as kept

COOKIE = "__Host-creditline-visit"
LONGEST = timedelta(days=7)  # as long as a draft is kept
SIGNED_IN = timedelta(hours=12)
IDLE = timedelta(hours=24)
SIGNED_IN_IDLE = timedelta(minutes=60)
SEEN_EVERY = timedelta(minutes=1)
_CLOCK_BACK = timedelta(minutes=1)
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Lobby:
    """What applicants are served with; `origins` are the addresses under which browsers know the pages."""

    database: Database
    sealer: Sealer
    index: BlindIndex
    clock: Callable[[], datetime]
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """A visit just opened: `token` goes into the cookie and nowhere else."""

    token: str
    row: kept.VisitRow

    def __repr__(self) -> str:
        return "Opened()"

    def ending(self, at: datetime) -> "Opened":
        """The same, over at this moment: what follows on a visit holds no longer than it would have."""
        return replace(self, row=replace(self.row, ends_at=at))


def new_visit(now: datetime, applicant_id: str | None = None, draft_id: str | None = None) -> Opened:
    """A visit with a fresh token, not kept yet."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    ends_at = now + (SIGNED_IN if applicant_id else LONGEST)
    csrf = secrets.token_urlsafe(_TOKEN_BYTES)
    return Opened(token, kept.VisitRow(sha256_of(token), csrf, applicant_id, draft_id, now, now, ends_at, None))


def is_over(visit: kept.VisitRow, now: datetime) -> bool:
    """Whether a visit holds no longer: ended, idle, too old, or from a time that the clock has gone back behind."""
    idle = SIGNED_IN_IDLE if visit.applicant_id else IDLE
    late = now >= visit.ends_at or now - visit.seen_at >= idle or now < visit.seen_at - _CLOCK_BACK
    return visit.ended_at is not None or late


async def visit_of(lobby: Lobby, token: str | None) -> kept.VisitRow | None:
    """The visit of a token; one that is over is ended for good."""
    if not token:
        return None
    sha256, now = sha256_of(token), lobby.clock()
    found = await lobby.database.read(lambda connection: kept.visit_by_sha(connection, sha256))
    if found is None:
        return None
    if is_over(found, now):
        if found.ended_at is None:
            await lobby.database.write(lambda connection: kept.end_visit(connection, sha256, now))
        return None
    if now - found.seen_at >= SEEN_EVERY:
        await lobby.database.write(lambda connection: kept.touch_visit(connection, sha256, now))
    return found


async def end(lobby: Lobby, visit: kept.VisitRow) -> None:
    """End a visit, here; the browser's cookie opens nothing any more."""
    now = lobby.clock()
    await lobby.database.write(lambda connection: kept.end_visit(connection, visit.sha256, now))


def may_see(connection: Connection, visit: kept.VisitRow, application_id: str) -> bool:
    """Whether an application was sent from this visit, or belongs to whom it was shown to be."""
    if visit.applicant_id and kept.holds_application(connection, visit.applicant_id, application_id):
        return True
    if visit.draft_id is None:
        return False
    draft = kept.get_draft(connection, visit.draft_id)
    return draft is not None and draft.application_id == application_id


def cookie(token: str) -> Cookie:
    """Holds the visit's token while the browser is open: how long it holds is decided here, not there.

    Lax, so that who comes back by a link in a mail is known; nothing is changed by a GET.
    """
    return _cookie(token, None)


def no_cookie() -> Cookie:
    """Takes the cookie away."""
    return _cookie("", 0)


def _cookie(value: str, max_age: int | None) -> Cookie:
    return Cookie(key=COOKIE, value=value, path="/", max_age=max_age, secure=True, httponly=True, samesite="lax")
