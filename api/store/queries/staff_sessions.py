"""Sessions of the lender's staff, and the attempts to sign in that throttling counts.

A session is found by the digest of its token together with whose it is, so that a disabled member is seen at every
request. It does not judge whether a session still holds, or how long somebody has to wait (api.staff does).
The rule: an attempt is counted before anything is verified, under a lock, so that many at once are not one.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, select, text, update

from api.store.queries.staff import STAFF_COLUMNS, StaffRow, staff_row
from api.store.tables import sign_in, staff, staff_session

_LOCK = text("SELECT pg_advisory_xact_lock(7310005, 0)")


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session to open; `sha256` is of its token."""

    sha256: str
    staff_id: str
    stage: str
    csrf: str
    created_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as kept. `created_at` is when its holder last proved who they are: it is new at every stage."""

    sha256: str
    staff_id: str
    stage: str
    csrf: str
    created_at: datetime
    seen_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    challenge: str | None

    def __repr__(self) -> str:
        return f"SessionRow(staff_id={self.staff_id!r}, stage={self.stage!r})"


@dataclass(frozen=True, slots=True)
class Attempts:
    """What is known of attempts from one place: failures since the last success, and when the last one was."""

    failures: int = 0
    last_at: datetime | None = None


_COLUMNS = tuple(staff_session.c[name] for name in SessionRow.__slots__)
_BY_SHA = (
    select(*_COLUMNS, *STAFF_COLUMNS)
    .join(staff, staff.c.id == staff_session.c.staff_id)
    .where(staff_session.c.sha256 == bindparam("sha"))
)
_OPEN = (
    select(*_COLUMNS)
    .where(staff_session.c.staff_id == bindparam("member"), staff_session.c.ended_at.is_(None))
    .where(staff_session.c.stage == "full", staff_session.c.ends_at > bindparam("now"))
    .order_by(staff_session.c.created_at.desc(), staff_session.c.sha256)
)
_LAST_OF_LOGIN = (
    select(sign_in.c.failures, sign_in.c.at)
    .where(sign_in.c.login == bindparam("sought"))
    .order_by(sign_in.c.id.desc())
    .limit(1)
)
_OF_ADDRESS = select(func.count(), func.max(sign_in.c.at)).where(
    sign_in.c.address == bindparam("sought"), sign_in.c.at > bindparam("since"), sign_in.c.failures > 0
)


# -- sessions ------------------------------------------------------------------------------------------------


def open_session(connection: Connection, session: NewSession) -> None:
    """Keep a new session; raises IntegrityError for a token that was used before."""
    values = {name: getattr(session, name) for name in NewSession.__slots__}
    connection.execute(insert(staff_session), {**values, "seen_at": session.created_at})


def session_by_sha(connection: Connection, sha256: str) -> tuple[SessionRow, StaffRow] | None:
    """The session with this digest and whose it is, ended or not."""
    row = connection.execute(_BY_SHA, {"sha": sha256}).mappings().first()
    if row is None:
        return None
    return SessionRow(**{column.name: row[column] for column in _COLUMNS}), staff_row(row)


def sessions_of(connection: Connection, staff_id: str, now: datetime) -> tuple[SessionRow, ...]:
    """A member's sessions that were not ended and are not over, the newest first; idle ones among them."""
    found = connection.execute(_OPEN, {"member": staff_id, "now": now}).mappings()
    return tuple(SessionRow(**row) for row in found)


def touch_session(connection: Connection, sha256: str, at: datetime) -> None:
    """Note that a session was used; once a minute is enough, since this is a write."""
    connection.execute(update(staff_session).where(staff_session.c.sha256 == sha256).values(seen_at=at))


def end_session(connection: Connection, sha256: str, at: datetime) -> bool:
    """End a session for good; False where it had ended, so that of two who go on from it one does."""
    running = (staff_session.c.sha256 == sha256) & staff_session.c.ended_at.is_(None)
    return connection.execute(update(staff_session).where(running).values(ended_at=at, challenge=None)).rowcount == 1


def end_sessions_of(connection: Connection, staff_id: str, at: datetime, but: str | None = None) -> int:
    """End a member's sessions, all or all but one; how many there were."""
    running = (staff_session.c.staff_id == staff_id) & staff_session.c.ended_at.is_(None)
    if but is not None:
        running &= staff_session.c.sha256 != but
    return connection.execute(update(staff_session).where(running).values(ended_at=at, challenge=None)).rowcount


def set_challenge(connection: Connection, sha256: str, challenge: str) -> None:
    """Begin a passkey ceremony; one that was under way is dropped."""
    connection.execute(update(staff_session).where(staff_session.c.sha256 == sha256).values(challenge=challenge))


def take_challenge(connection: Connection, sha256: str, challenge: str) -> bool:
    """Use up the challenge of a ceremony; False where it was used up, or replaced."""
    same = (staff_session.c.sha256 == sha256) & (staff_session.c.challenge == challenge)
    return connection.execute(update(staff_session).where(same).values(challenge=None)).rowcount == 1


# -- attempts to sign in -------------------------------------------------------------------------------------


def hold_sign_ins(connection: Connection) -> None:
    """Let no other attempt be counted until this transaction ends; on SQLite there is one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)


def attempts_of_login(connection: Connection, login: str) -> Attempts:
    """Failures in a row under a digest of a login."""
    row = connection.execute(_LAST_OF_LOGIN, {"sought": login}).first()
    return Attempts() if row is None else Attempts(row.failures, row.at)


def attempts_of_address(connection: Connection, address: str, since: datetime) -> Attempts:
    """Failures from a digest of an address since a moment, whatever the login."""
    failures, last_at = connection.execute(_OF_ADDRESS, {"sought": address, "since": since}).one()
    return Attempts(failures, last_at)


def add_attempt_to_sign_in(connection: Connection, at: datetime, login: str, address: str, failures: int) -> None:
    """Count an attempt: failures in a row with this one, or 0 for a success."""
    connection.execute(insert(sign_in), {"at": at, "login": login, "address": address, "failures": failures})
