"""Demo staff: one member a role (two approvers, since large lines need two), with a password that everybody knows.

It does: make them where they are missing. It does not: touch a member that is there. The rule it keeps: they are marked
`demo`, and outside development the door lets nobody of that mark in.
"""

import base64
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Connection

from api.sealing import Sealer
from api.security import new_id
from api.staff import codes
from api.staff.authority import Role
from api.staff.passwords import Passwords
from api.store import queries as store
from api.store.database import Database

DEMO_PASSWORD = "only for looking around"
DEMO_STAFF: dict[str, Role] = {
    "demo-verifier": "verifier",
    "demo-approver": "approver",
    "demo-approver-2": "approver",
    "demo-compliance": "compliance",
    "demo-risk": "risk",
    "demo-admin": "admin",
    "demo-auditor": "auditor",
}
_SEED_BYTES = 20


def demo_seed(login: str) -> str:
    """The seed of a demo member's codes, the same on every machine: no secret, and not meant to be one."""
    digest = hashlib.sha256(f"creditline demo staff {login}".encode()).digest()
    return base64.b32encode(digest[:_SEED_BYTES]).decode()


def demo_staff(
    database: Database,
    sealer: Sealer,
    passwords: Passwords | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Add the demo staff that are missing, enrolled and ready to sign in; how many were added."""
    with database.transaction(read_only=True) as connection:
        there = {member.login for member in store.list_staff(connection)}
    missing = [login for login in DEMO_STAFF if login not in there]
    if not missing:
        return 0
    hasher = passwords or Passwords()
    kept = hasher.hash_now(DEMO_PASSWORD)  # one hash for all: it hides nothing
    if passwords is None:
        hasher.close()
    now = clock()
    with database.transaction() as connection:
        for login in missing:
            _add(connection, sealer, login, kept, now)
    return len(missing)


def _add(connection: Connection, sealer: Sealer, login: str, password_hash: str, now: datetime) -> None:
    staff_id = new_id("stf")
    member = store.NewStaff(
        id=staff_id,
        login=login,
        name=login.replace("-", " ").capitalize(),
        roles=frozenset({DEMO_STAFF[login]}),
        created_at=now,
        created_by="development",
        password_hash=password_hash,
        totp_sealed=codes.seal_seed(sealer, staff_id, demo_seed(login)),
        enrolled_at=now,
        demo=True,
    )
    store.add_staff(connection, member)
