"""What tests of the audit share: a true key, a made-up record put into a database and a folder, what is then found.

The key is everybody's: it signs nothing but made-up chains.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, text

from api.audit.checkpoints import Finding, Folder, Keyring, Signer
from api.audit.verification import verify
from api.store.database import Database
from tests.support.tampering import Record

SIGNER = Signer(b"k" * 32)
KEYRING = Keyring(SIGNER.public)
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
FILE = "0000000001.jsonl"
_INSERT = text("INSERT INTO audit (seq, at, body, sha256, prev) VALUES (:seq, :at, :body, :sha256, :prev)")


def disarm(database: Database, *tables: str) -> None:
    """What only the owner of a database can do: drop the triggers that keep these tables as they are."""
    with database.transaction() as connection:
        for table in tables:
            on = "" if connection.dialect.name == "sqlite" else f" ON {table}"
            for act in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_{act}{on}"))


def put_entries(connection: Connection, record: Record) -> None:
    """Make the chain of a database this one; the triggers of `audit` must be gone unless it is empty."""
    connection.execute(text("DELETE FROM audit"))
    for seq, at, *words in record.entries:
        body, sha256, prev = (word.decode() for word in words)
        connection.execute(_INSERT, {"seq": seq, "at": at, "body": body, "sha256": sha256, "prev": prev})


def put_lines(folder: Path, lines: Iterable[bytes]) -> Folder:
    """Make these the checkpoints of a folder."""
    folder.mkdir(exist_ok=True)
    (folder / FILE).write_bytes(b"".join(line + b"\n" for line in lines))
    return Folder(folder)


def findings(connection: Connection, *folders: Folder, now: datetime = NOW) -> tuple[Finding, ...]:
    """What verification says of a database."""
    return verify(connection, folders, KEYRING, now).findings


def words_of(found: Iterable[Finding]) -> str:
    """The findings as one text."""
    return "\n".join(f"{each.seq}: {each.what}" for each in found)
