"""The lender's staff: who they are, the links that enrol them, and what they prove themselves with.

It does not judge a password, a code or a passkey (api.staff does), or keep sessions (staff_sessions.py beside it).
The rules: a member is disabled, never deleted; what works once (a link, a recovery code, a step of a one-time code) is
taken by an UPDATE that succeeds for one of two who race.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, or_, select, update

from api.store.tables import enrolment, passkey, recovery_code, staff


@dataclass(frozen=True, slots=True)
class NewStaff:
    """A member to add; enrolled already only where `password_hash` and a sealed seed are given (demo staff)."""

    id: str
    login: str  # lower case
    name: str
    roles: frozenset[str]
    created_at: datetime
    created_by: str
    password_hash: str | None = None
    totp_sealed: bytes | None = None
    enrolled_at: datetime | None = None
    demo: bool = False


@dataclass(frozen=True, slots=True)
class StaffRow:
    """A member as kept; hashes and sealed seeds are no secrets, but no repr needs them."""

    id: str
    login: str
    name: str
    roles: frozenset[str]
    password_hash: str | None
    totp_sealed: bytes | None
    totp_last_step: int | None
    totp_pending: bytes | None
    created_at: datetime
    created_by: str
    enrolled_at: datetime | None
    disabled_at: datetime | None
    demo: bool

    def __repr__(self) -> str:
        return f"StaffRow(id={self.id!r}, roles={sorted(self.roles)!r})"


@dataclass(frozen=True, slots=True)
class Passkey:
    """A credential; `id` is the authenticator's own, base64url."""

    id: str
    staff_id: str
    public_key: bytes
    sign_count: int
    name: str
    created_at: datetime
    last_used_at: datetime | None = None


STAFF_COLUMNS = tuple(staff.c[name] for name in StaffRow.__slots__)
_BY_LOGIN = select(*STAFF_COLUMNS).where(staff.c.login == bindparam("sought"))
_BY_ID = select(*STAFF_COLUMNS).where(staff.c.id == bindparam("sought"))
_EVERYBODY = select(*STAFF_COLUMNS).order_by(staff.c.login)
_LINK = (
    select(*STAFF_COLUMNS)
    .join(enrolment, enrolment.c.staff_id == staff.c.id)
    .where(enrolment.c.sha256 == bindparam("sha"), enrolment.c.used_at.is_(None))
    .where(enrolment.c.expires_at > bindparam("now"), staff.c.disabled_at.is_(None))
)
_PASSKEYS = (
    select(passkey).where(passkey.c.staff_id == bindparam("member")).order_by(passkey.c.created_at, passkey.c.id)
)
_CODES_LEFT = select(recovery_code.c.sha256).where(
    recovery_code.c.staff_id == bindparam("member"), recovery_code.c.used_at.is_(None)
)


# -- members -------------------------------------------------------------------------------------------------


def add_staff(connection: Connection, member: NewStaff) -> None:
    """Keep a new member; raises IntegrityError where the login is taken, for good."""
    values = {name: getattr(member, name) for name in NewStaff.__slots__}
    connection.execute(insert(staff), {**values, "roles": " ".join(sorted(member.roles))})


def staff_by_login(connection: Connection, login: str) -> StaffRow | None:
    """The member with this login, disabled or not."""
    row = connection.execute(_BY_LOGIN, {"sought": login}).mappings().first()
    return None if row is None else staff_row(row)


def staff_by_id(connection: Connection, staff_id: str) -> StaffRow | None:
    """The member with this id, disabled or not."""
    row = connection.execute(_BY_ID, {"sought": staff_id}).mappings().first()
    return None if row is None else staff_row(row)


def list_staff(connection: Connection) -> tuple[StaffRow, ...]:
    """Everybody, by login."""
    return tuple(staff_row(row) for row in connection.execute(_EVERYBODY).mappings())


def disable_staff(connection: Connection, staff_id: str, at: datetime) -> bool:
    """Disable a member for good; False if there is none or it happened before. Their sessions end by being theirs."""
    working = (staff.c.id == staff_id) & staff.c.disabled_at.is_(None)
    return connection.execute(update(staff).where(working).values(disabled_at=at)).rowcount == 1


def staff_row(row: RowMapping) -> StaffRow:
    """A member from a row that holds STAFF_COLUMNS among others."""
    values = {column.name: row[column] for column in STAFF_COLUMNS}
    return StaffRow(**{**values, "roles": frozenset(values["roles"].split())})


# -- links of enrolment --------------------------------------------------------------------------------------


def add_enrolment(connection: Connection, sha256: str, staff_id: str, at: datetime, expires_at: datetime) -> None:
    """Keep the digest of a new link; earlier ones of the same member stop working."""
    unused = (enrolment.c.staff_id == staff_id) & enrolment.c.used_at.is_(None)
    connection.execute(update(enrolment).where(unused).values(used_at=at))
    values = {"sha256": sha256, "staff_id": staff_id, "created_at": at, "expires_at": expires_at, "used_at": None}
    connection.execute(insert(enrolment), values)


def enrolment_of(connection: Connection, sha256: str, now: datetime) -> StaffRow | None:
    """Whom a link that still works is for."""
    row = connection.execute(_LINK, {"sha": sha256, "now": now}).mappings().first()
    return None if row is None else staff_row(row)


def use_enrolment(connection: Connection, sha256: str, now: datetime) -> bool:
    """Take a link; False where it was taken before, or is over."""
    works = (enrolment.c.sha256 == sha256) & enrolment.c.used_at.is_(None) & (enrolment.c.expires_at > now)
    return connection.execute(update(enrolment).where(works).values(used_at=now)).rowcount == 1


# -- passwords and one-time codes ----------------------------------------------------------------------------


def set_password(connection: Connection, staff_id: str, password_hash: str) -> None:
    """Replace the hash of a member's password."""
    connection.execute(update(staff).where(staff.c.id == staff_id).values(password_hash=password_hash))


def set_pending_seed(connection: Connection, staff_id: str, sealed: bytes) -> None:
    """Keep a seed that was shown; it counts for nothing until it is confirmed."""
    connection.execute(update(staff).where(staff.c.id == staff_id).values(totp_pending=sealed))


def confirm_seed(connection: Connection, staff_id: str, pending: bytes, sealed: bytes, step: int, at: datetime) -> bool:
    """Make the pending seed the one that counts, its first step used; False where another is pending by now."""
    same = (staff.c.id == staff_id) & (staff.c.totp_pending == pending)
    values = {"totp_sealed": sealed, "totp_pending": None, "totp_last_step": step}
    if connection.execute(update(staff).where(same).values(**values)).rowcount != 1:
        return False
    new = (staff.c.id == staff_id) & staff.c.enrolled_at.is_(None)
    connection.execute(update(staff).where(new).values(enrolled_at=at))
    return True


def take_totp_step(connection: Connection, staff_id: str, step: int) -> bool:
    """Use up a step of the one-time code and all before it; False where it was used up already."""
    unused = or_(staff.c.totp_last_step.is_(None), staff.c.totp_last_step < step)
    taking = update(staff).where(staff.c.id == staff_id, unused).values(totp_last_step=step)
    return connection.execute(taking).rowcount == 1


def forget_factors(connection: Connection, staff_id: str) -> None:
    """Undo an enrolment: password, seed, passkeys and recovery codes go, and only a new link leads back."""
    values = {"password_hash": None, "totp_sealed": None, "totp_pending": None, "enrolled_at": None}
    connection.execute(update(staff).where(staff.c.id == staff_id).values(**values))
    connection.execute(delete(passkey).where(passkey.c.staff_id == staff_id))
    connection.execute(delete(recovery_code).where(recovery_code.c.staff_id == staff_id))


def set_recovery_codes(connection: Connection, staff_id: str, sha256s: Iterable[str]) -> None:
    """Replace a member's recovery codes; the earlier ones, used or not, work no longer."""
    connection.execute(delete(recovery_code).where(recovery_code.c.staff_id == staff_id))
    connection.execute(insert(recovery_code), [{"sha256": sha, "staff_id": staff_id} for sha in sha256s])


def use_recovery_code(connection: Connection, staff_id: str, sha256: str, at: datetime) -> bool:
    """Take a recovery code; False where it is nobody's, another's, or used."""
    mine = (recovery_code.c.sha256 == sha256) & (recovery_code.c.staff_id == staff_id)
    taking = update(recovery_code).where(mine, recovery_code.c.used_at.is_(None)).values(used_at=at)
    return connection.execute(taking).rowcount == 1


def recovery_codes_left(connection: Connection, staff_id: str) -> int:
    """How many recovery codes a member has not used."""
    return len(connection.execute(_CODES_LEFT, {"member": staff_id}).all())


# -- passkeys ------------------------------------------------------------------------------------------------


def add_passkey(connection: Connection, added: Passkey) -> None:
    """Keep a new credential; raises IntegrityError where it is registered already."""
    connection.execute(insert(passkey), {name: getattr(added, name) for name in Passkey.__slots__})


def passkeys_of(connection: Connection, staff_id: str) -> tuple[Passkey, ...]:
    """A member's credentials, oldest first."""
    return tuple(Passkey(**row) for row in connection.execute(_PASSKEYS, {"member": staff_id}).mappings())


def use_passkey(connection: Connection, used: Passkey, sign_count: int, at: datetime) -> bool:
    """Note the counter that an authenticator showed; False where the credential moved on or went away meanwhile."""
    same = (passkey.c.id == used.id) & (passkey.c.sign_count == used.sign_count)
    noting = update(passkey).where(same).values(sign_count=sign_count, last_used_at=at)
    return connection.execute(noting).rowcount == 1


def remove_passkey(connection: Connection, staff_id: str, passkey_id: str) -> bool:
    """Forget a credential; False where the member has no such."""
    mine = (passkey.c.id == passkey_id) & (passkey.c.staff_id == staff_id)
    return connection.execute(delete(passkey).where(mine)).rowcount == 1
