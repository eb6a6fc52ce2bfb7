"""Who calls: bearer keys, scopes, and what each scope may do.

It does: make keys, store their hash only, and find the caller of a request. It does not: know people (staff
sign-in is another room). The rule it keeps: a key is shown once; 256 random bits, so a plain SHA-256 is enough.
"""

import hashlib
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from api.errors import Problem
from api.store.database import Database
from api.store.queries import CallerKey, find_key_by_sha

SCOPES = ("apply", "supply", "audit", "operate")  # apply; bank data as from the bank; replay; metrics
WEB = "web"  # the caller of all that applicants send from pages; no key has such an id
_LIVE_SECONDS = 2.0  # a revoked key stops working within this time


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of a key."""

    id: str
    name: str
    scopes: frozenset[str]

    def require(self, scope: str) -> None:
        """Raise the problem `forbidden` unless the key has the scope."""
        if scope not in self.scopes:
            raise Problem("forbidden")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A fresh key: `secret` is shown to its holder once, the rest is stored."""

    id: str
    secret: str
    sha256: str
    prefix: str


def new_key(development: bool = False) -> NewKey:
    """Make a key: `cl_live_` or `cl_dev_`, and 32 random bytes."""
    secret = ("cl_dev_" if development else "cl_live_") + secrets.token_urlsafe(32)
    return NewKey(id=new_id("key"), secret=secret, sha256=sha256_of(secret), prefix=secret[:12])


def new_id(prefix: str) -> str:
    """An unguessable id: prefix, underscore, 128 random bits."""
    return f"{prefix}_{secrets.token_hex(16)}"


def sha256_of(secret: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Keyring:
    """Finds callers by their bearer key, remembering answers for two seconds.

    A key that is revoked or expired opens nothing; a development key only where `development` is served.
    """

    def __init__(self, database: Database, development: bool = False) -> None:
        self._database = database
        self._development = development
        self._known: dict[str, tuple[float, Caller | None]] = {}

    async def caller(self, authorization: str | None) -> Caller:
        """The caller of an Authorization header; Problem `unauthenticated` where there is none."""
        kind, _, secret = (authorization or "").partition(" ")
        if kind.lower() != "bearer" or not secret:
            raise Problem("unauthenticated")
        sha256 = sha256_of(secret.strip())
        now = time.monotonic()
        until, caller = self._known.get(sha256, (0.0, None))
        if until < now:
            found = await self._database.read(lambda connection: find_key_by_sha(connection, sha256))
            caller = self._caller(found)
            if len(self._known) > 1_000:  # noqa: PLR2004 - bounds what guesses can make us hold
                self._known.clear()
            self._known[sha256] = (now + _LIVE_SECONDS, caller)
        if caller is None:
            raise Problem("unauthenticated")
        return caller

    def _caller(self, key: CallerKey | None) -> Caller | None:
        if key is None or not key.is_valid(datetime.now(UTC)) or (key.development and not self._development):
            return None
        return Caller(id=key.id, name=key.name, scopes=frozenset(key.scopes))
