"""Sets of facts, kept once each under the digest of their canonical bytes, compressed.

It does not know what a fact is.
The rule: what is given back has the digest it was asked for under, or is an error.
"""

import hashlib
import zlib
from dataclasses import dataclass
from typing import Self

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from api.store.prepared import Prepared
from api.store.tables import fact_set

_BYTES_MAX = 16_000_000


@dataclass(frozen=True, slots=True)
class FactSet:
    """Facts made ready for keeping; made before the transaction, so that nobody waits for the compression."""

    sha256: str
    encoding: str
    body: bytes
    bytes_raw: int

    @classmethod
    def of(cls, raw: bytes) -> Self:
        """Digest and compress canonical bytes; raises ValueError when there are none or too many."""
        if not 0 < len(raw) <= _BYTES_MAX:
            raise ValueError(f"a fact set has 1 to {_BYTES_MAX} bytes, not {len(raw)}")
        return cls(hashlib.sha256(raw).hexdigest(), "zlib", zlib.compress(raw, 1), len(raw))


_INSERT = Prepared(
    {
        "sqlite": sqlite.insert(fact_set).on_conflict_do_nothing(index_elements=["sha256"]),
        "postgresql": postgresql.insert(fact_set).on_conflict_do_nothing(index_elements=["sha256"]),
    }
)
_BY_SHA = select(fact_set).where(fact_set.c.sha256 == bindparam("sought"))


def insert_facts(connection: Connection, facts: FactSet) -> None:
    """Keep a fact set unless the same bytes are there already."""
    _INSERT.send(
        connection,
        {
            "sha256": facts.sha256,
            "encoding": facts.encoding,
            "body": facts.body,
            "bytes_raw": facts.bytes_raw,
        },
    )


def facts_body(connection: Connection, sha256: str) -> bytes | None:
    """The canonical bytes with this digest; raises ValueError if what is kept there has another."""
    row = connection.execute(_BY_SHA, {"sought": sha256}).first()
    if row is None:
        return None
    raw: bytes = row.body if row.encoding == "raw" else _inflate(row.body, row.bytes_raw)
    if len(raw) != row.bytes_raw or hashlib.sha256(raw).hexdigest() != sha256:
        raise ValueError(f"fact set {sha256} was altered")
    return raw


def _inflate(body: bytes, size: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(body, size + 1)  # never more than it should be
    except zlib.error as error:
        raise ValueError("a fact set cannot be decompressed") from error
