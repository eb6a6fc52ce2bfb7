"""The audit chain: numbered entries without a gap, each holding the digest of the one before it.

An entry is canonical JSON without personal data, written in the same transaction as what it tells of. Whoever
changes, drops or swaps an entry breaks the chain, and `Chain` names the place. It does not detect a chain rebuilt
from some point on, or a cut tail: only a copy of a digest kept elsewhere does (api/audit/).
The rule: the entry is written as late in a transaction as can be, because on PostgreSQL the next writer waits
for it.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import BigInteger, Connection, LargeBinary, bindparam, cast, insert, select, text, type_coerce

from api.store.moment import microseconds
from api.store.prepared import Prepared
from api.store.tables import audit
from engine.canonical import canonical_bytes

GENESIS = "0" * 64
_VERSION = 1
_PAGE = 2_000
_WITHOUT_END = 2**62
# Two numbers, so that no single-number lock is the same.
_LOCK = Prepared(text("SELECT pg_advisory_xact_lock(7310002, 0)"))

Detail = str | int | bool | None


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Who did what to which object; `details` hold ids and digests, never personal data."""

    actor: str
    actor_role: str
    action: str
    object_id: str
    details: Mapping[str, Detail] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where an entry stands in the chain."""

    seq: int
    sha256: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An entry as kept."""

    seq: int
    at: datetime
    body: str
    sha256: str
    prev: str


# seq, at in microseconds, body, sha256, prev: as raw as can be, because millions of them are read.
RawEntry = tuple[int, int, bytes, bytes, bytes]


class Told(msgspec.Struct):
    """What an entry's body says."""

    v: int
    seq: int
    at: int
    actor: str
    actor_role: str
    action: str
    object: str
    details: dict[str, Detail]
    prev: str


_INSERT = Prepared(insert(audit))
_LAST = Prepared(select(audit.c.seq, audit.c.at, audit.c.sha256).order_by(audit.c.seq.desc()).limit(1))
_BY_SEQ = select(audit).where(audit.c.seq == bindparam("sought"))
_BETWEEN = (
    select(audit.c.seq, type_coerce(audit.c.at, BigInteger))
    .where(audit.c.seq > bindparam("after"), audit.c.seq <= bindparam("until"))
    .order_by(audit.c.seq)
    .limit(bindparam("page"))
)
_TEXTS = (audit.c.body, audit.c.sha256, audit.c.prev)
# SQLite keeps any bytes in a column of text: whoever put some there is to be found, not to stop the reading.
_RAW = {
    "sqlite": _BETWEEN.add_columns(*(cast(column, LargeBinary) for column in _TEXTS)),
    "postgresql": _BETWEEN.add_columns(*_TEXTS),
}
_TAIL = select(audit).order_by(audit.c.seq.desc()).limit(bindparam("page"))


def append_audit(connection: Connection, happened: AuditEvent, at: datetime) -> Receipt:
    """Add the next entry; its time is `at`, or a microsecond after the last one's if the clock went back."""
    if connection.dialect.name == "postgresql":
        _LOCK.send(connection, {})
    seq, prev = 1, GENESIS
    if (last := _LAST.first(connection, {})) is not None:
        seq, prev = last[0] + 1, last[2]
        at = max(at, last[1] + timedelta(microseconds=1))
    body = canonical_bytes(
        {
            "v": _VERSION,
            "seq": seq,
            "at": microseconds(at),
            "actor": happened.actor,
            "actor_role": happened.actor_role,
            "action": happened.action,
            "object": happened.object_id,
            "details": dict(happened.details),
            "prev": prev,
        }
    )
    sha256 = hashlib.sha256(body).hexdigest()
    _INSERT.send(connection, {"seq": seq, "at": at, "body": body.decode(), "sha256": sha256, "prev": prev})
    return Receipt(seq, sha256)


def audit_entry(connection: Connection, seq: int) -> AuditEntry | None:
    """One entry by its number."""
    row = connection.execute(_BY_SEQ, {"sought": seq}).mappings().first()
    return None if row is None else AuditEntry(**row)


def audit_tail(connection: Connection, limit: int = 20) -> tuple[AuditEntry, ...]:
    """The last entries, newest first."""
    return tuple(AuditEntry(**row) for row in connection.execute(_TAIL, {"page": limit}).mappings())


def audit_entries(
    connection: Connection, after: int = 0, until: int | None = None, page: int = _PAGE
) -> Iterator[RawEntry]:
    """Entries after one number and up to another (none: the last), in order; one page is held in memory."""
    dialect, until = connection.dialect.name, _WITHOUT_END if until is None else until
    while True:
        rows = connection.execute(_RAW[dialect], {"after": after, "until": until, "page": page}).all()
        if dialect == "sqlite":
            yield from (tuple(row) for row in rows)
        else:
            for seq, at, body, sha256, prev in rows:
                yield seq, at, body.encode(), sha256.encode(), prev.encode()
        if len(rows) < page:
            return
        after = rows[-1][0]


class Chain:
    """Follows the chain from a place that is known to hold, entry by entry; `seq` is the last one that holds."""

    __slots__ = ("at", "seq", "sha256")

    def __init__(self, seq: int = 0, sha256: str = GENESIS) -> None:
        self.seq, self.sha256, self.at = seq, sha256, -1

    def follow(self, entry: RawEntry) -> Told | str:
        """What the next entry says, or words for why it is not the next one; then the chain stays where it was."""
        seq, at, body, sha256, prev = entry
        if seq != self.seq + 1:
            return f"entry {self.seq + 1} is missing"
        found = hashlib.sha256(body).hexdigest()
        if found.encode() != sha256:
            return f"entry {seq} was altered"
        if prev != self.sha256.encode():
            return f"entry {seq} does not follow the entry before it"
        try:
            told = _TOLD.decode(body)
        except msgspec.DecodeError:
            return f"entry {seq} cannot be read"
        if (told.seq, told.at, told.prev, told.v) != (seq, at, self.sha256, _VERSION):
            return f"entry {seq} says something else than its columns"
        if at <= self.at:
            return f"entry {seq} is dated before the entry before it"
        self.seq, self.sha256, self.at = seq, found, at
        return told


_TOLD = msgspec.json.Decoder(Told)


def verify_audit(connection: Connection) -> int | None:
    """The number of the first entry that is missing or altered, or none if the chain holds."""
    chain = Chain()
    for entry in audit_entries(connection):
        if isinstance(chain.follow(entry), str):
            return chain.seq + 1
    return None
