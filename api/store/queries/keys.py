"""Callers' bearer keys: only their digest is kept, so that a copy of the database opens nothing.

It does not make secrets or judge scopes; security does.
The rule: a key is revoked, never deleted, because applications name the caller who sent them.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from api.store.tables import caller_key


@dataclass(frozen=True, slots=True)
class CallerKey:
    """One key; `prefix` is what people recognise it by, `development` keys are refused in production."""

    id: str
    name: str
    scopes: frozenset[str]
    secret_sha256: str
    prefix: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    development: bool = False

    def is_valid(self, now: datetime) -> bool:
        """Whether this key opens anything at this moment."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


_INSERT = insert(caller_key)
_BY_SHA = select(caller_key).where(caller_key.c.secret_sha256 == bindparam("sha256"))
_ALL = select(caller_key).order_by(caller_key.c.created_at, caller_key.c.id)


def add_key(connection: Connection, key: CallerKey) -> None:
    """Keep a new key; raises IntegrityError if its id or secret is there already."""
    connection.execute(
        _INSERT,
        {
            "id": key.id,
            "name": key.name,
            "scopes": " ".join(sorted(key.scopes)),
            "secret_sha256": key.secret_sha256,
            "prefix": key.prefix,
            "created_at": key.created_at,
            "expires_at": key.expires_at,
            "revoked_at": key.revoked_at,
            "last_used_at": key.last_used_at,
            "development": key.development,
        },
    )


def find_key_by_sha(connection: Connection, secret_sha256: str) -> CallerKey | None:
    """The key with this digest, valid or not."""
    row = connection.execute(_BY_SHA, {"sha256": secret_sha256}).mappings().first()
    return None if row is None else _key(row)


def list_keys(connection: Connection) -> tuple[CallerKey, ...]:
    """Every key, oldest first."""
    return tuple(_key(row) for row in connection.execute(_ALL).mappings())


def revoke_key(connection: Connection, key_id: str, at: datetime) -> bool:
    """Revoke a key for good; False if there is none or it was revoked before."""
    open_key = (caller_key.c.id == key_id) & caller_key.c.revoked_at.is_(None)
    return connection.execute(update(caller_key).where(open_key).values(revoked_at=at)).rowcount == 1


def touch_key(connection: Connection, key_id: str, at: datetime) -> None:
    """Note when a key was last used; once a minute is enough, since this is a write."""
    connection.execute(update(caller_key).where(caller_key.c.id == key_id).values(last_used_at=at))


def _key(row: RowMapping) -> CallerKey:
    return CallerKey(**{**row, "scopes": frozenset(row["scopes"].split())})
