"""What `creditline staff` does: add, list and disable members, make links of enrolment, tell a demo member's code.

It does: write members with an audit entry in the same transaction. It does not: ever see a password; whoever a link is
for sets it. The rules it keeps: a link is printed once and kept as a digest; the code of a real member is never told.
"""

import getpass
import re
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from api.sealing import CannotOpen, Sealer
from api.security import new_id, sha256_of
from api.staff import codes
from api.staff.authority import roles_fault
from api.store import queries as store
from api.store.database import Database

LINK_LASTS = timedelta(hours=24)
MOST_STAFF = 1_000
MOST_NAME = 100
_TOKEN_BYTES = 32
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,99}")


class StaffRefused(Exception):
    """What cannot be done, in words."""


def add(database_url: str, origin: str, login: str, name: str, roles: Iterable[str]) -> str:
    """Add a member and return the link that enrols them; StaffRefused says what is wrong."""
    login, name, held = login.strip().lower(), name.strip(), frozenset(roles)
    if not _LOGIN.fullmatch(login):
        raise StaffRefused("a login is 2 to 100 of a-z, 0-9 and . _ @ + -, with a letter or digit first")
    if not 0 < len(name) <= MOST_NAME or not name.isprintable():
        raise StaffRefused(f"a name is one line of at most {MOST_NAME} characters")
    if (fault := roles_fault(held)) is not None:
        raise StaffRefused(fault)
    staff_id, by, now, token = new_id("stf"), _operator(), datetime.now(UTC), _token()
    with Database.open(database_url) as database, database.transaction() as connection:
        everybody = store.list_staff(connection)
        if any(each.login == login for each in everybody):
            raise StaffRefused("there is a member with that login; a disabled one keeps it")
        if len(everybody) >= MOST_STAFF:
            raise StaffRefused(f"there are {MOST_STAFF} members already")
        store.add_staff(connection, store.NewStaff(staff_id, login, name, held, now, by))
        store.add_enrolment(connection, sha256_of(token), staff_id, now, now + LINK_LASTS)
        _audit(connection, by, "add_staff", staff_id, now, " ".join(sorted(held)))
    return _link(origin, token)


def link(database_url: str, origin: str, login: str, *, new_factor: bool = False) -> str:
    """A new link for a member; with `new_factor` everything they prove themselves with is forgotten first."""
    by, now, token = _operator(), datetime.now(UTC), _token()
    with Database.open(database_url) as database, database.transaction() as connection:
        member = _working(connection, login)
        if new_factor:
            store.forget_factors(connection, member.id)
            store.end_sessions_of(connection, member.id, now)
        store.add_enrolment(connection, sha256_of(token), member.id, now, now + LINK_LASTS)
        _audit(connection, by, "reset_staff" if new_factor else "link_staff", member.id, now)
    return _link(origin, token)


def disable(database_url: str, login: str) -> None:
    """Disable a member for good; their sessions end at once."""
    by, now = _operator(), datetime.now(UTC)
    with Database.open(database_url) as database, database.transaction() as connection:
        member = _working(connection, login)
        store.disable_staff(connection, member.id, now)
        store.end_sessions_of(connection, member.id, now)
        _audit(connection, by, "disable_staff", member.id, now)


def listed(database_url: str) -> Iterator[str]:
    """A line for each member; one that says so where there is none."""
    with Database.open(database_url) as database, database.transaction(read_only=True) as connection:
        everybody = store.list_staff(connection)
    for member in everybody:
        state = "disabled" if member.disabled_at else "enrolled" if member.enrolled_at else "not enrolled"
        demo = "  (demo)" if member.demo else ""
        yield f"{member.login}  {' '.join(sorted(member.roles))}  {state}  {member.id}  {member.name}{demo}"
    if not everybody:
        yield "there are no staff: add one with `creditline staff add`"


def demo_code(database_url: str, sealer: Sealer, login: str, now: datetime) -> str:
    """The one-time code that a demo member's app would show now; StaffRefused for anybody else."""
    with Database.open(database_url) as database, database.transaction(read_only=True) as connection:
        member = _working(connection, login)
    if not member.demo or member.totp_sealed is None:
        raise StaffRefused("only a demo member's code can be told")
    try:
        return codes.code_at(codes.open_seed(sealer, member.id, member.totp_sealed), now)
    except CannotOpen:
        raise StaffRefused("the seed was sealed by a key that is not here: CREDITLINE_SEAL_KEYS") from None


def _working(connection: Connection, login: str) -> store.StaffRow:
    member = store.staff_by_login(connection, login.strip().lower())
    if member is None or member.disabled_at is not None:
        raise StaffRefused("there is no member with that login, or it is disabled")
    return member


def _token() -> str:
    return secrets.token_urlsafe(_TOKEN_BYTES)


def _link(origin: str, token: str) -> str:
    return f"{origin.rstrip('/')}/console/enrol/{token}"


def _operator() -> str:
    return f"operator/{getpass.getuser()}"


def _audit(
    connection: Connection, by: str, action: str, staff_id: str, now: datetime, roles: str | None = None
) -> None:
    details = {} if roles is None else {"roles": roles}
    store.append_audit(connection, store.AuditEvent(by, "operator", action, f"staff/{staff_id}", details), now)
