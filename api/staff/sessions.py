"""What a session is: a random token in a cookie, its digest at rest, and when it is over.

It does: make tokens and cookies, judge whether a session still holds. It does not: write (door does). The rules
it keeps: a token that the service did not make is never taken on; each stage has a new one; a session that is once over
stays over, whatever the clock does afterwards.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from litestar.datastructures import Cookie

from api.security import sha256_of
from api.store.queries import NewSession, SessionRow

IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=8)
PASSWORD_STAGE = timedelta(minutes=10)
PROVED = timedelta(minutes=5)  # how long a proof allows changes to passkeys and codes without another
SEEN_EVERY = timedelta(minutes=1)
BROWSER_KNOWN = timedelta(days=180)
_CLOCK_BACK = timedelta(minutes=1)  # by which two machines' clocks may differ
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just opened: `token` goes into the cookie and nowhere else."""

    token: str
    row: NewSession

    def __repr__(self) -> str:
        return f"Opened(stage={self.row.stage!r})"


def open_new(staff_id: str, stage: str, now: datetime, ends_at: datetime | None = None) -> Opened:
    """A session of a stage with a fresh token; `ends_at` of the one before it, where it carries on."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    length = LONGEST if stage == "full" else PASSWORD_STAGE
    csrf = secrets.token_urlsafe(_TOKEN_BYTES)
    return Opened(token, NewSession(sha256_of(token), staff_id, stage, csrf, now, ends_at or now + length))


def is_over(session: SessionRow, now: datetime) -> bool:
    """Whether a session holds no longer: ended, idle, too old, or from a time that the clock has gone back behind."""
    idle = now - session.seen_at >= IDLE
    return session.ended_at is not None or now >= session.ends_at or idle or now < session.seen_at - _CLOCK_BACK


def is_to_be_seen(session: SessionRow, now: datetime) -> bool:
    """Whether it is time to write down that the session is in use."""
    return now - session.seen_at >= SEEN_EVERY


def is_proved(session: SessionRow, now: datetime) -> bool:
    """Whether its holder proved who they are a moment ago: a session is new at every proof."""
    return session.stage == "full" and now - session.created_at < PROVED


# `__Host-`: of this host alone, by TLS alone; browsers take the loopback interface for as good as TLS.
SESSION_COOKIE, BROWSER_COOKIE = "__Host-creditline-session", "__Host-creditline-browser"


def session_cookie(token: str) -> Cookie:
    """Holds the session's token while the browser is open: how long the session holds is decided here, not there."""
    return _cookie(SESSION_COOKIE, token, None)


def no_session_cookie() -> Cookie:
    """Takes the session's cookie away."""
    return _cookie(SESSION_COOKIE, "", 0)


def browser_cookie(sealed: str) -> Cookie:
    """Holds the seal by which a browser is known to be a login's own, for half a year."""
    return _cookie(BROWSER_COOKIE, sealed, int(BROWSER_KNOWN.total_seconds()))


def _cookie(name: str, value: str, max_age: int | None) -> Cookie:
    return Cookie(key=name, value=value, path="/", max_age=max_age, secure=True, httponly=True, samesite="strict")
