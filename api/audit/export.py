"""The file that an outside auditor takes away: every entry up to the newest checkpoint, and every checkpoint.

It does: write lines as they are kept, each checkpoint after the entry that it covers. It does not: verify, so that a
record that does not hold can be taken away as evidence too; nor write personal data, of which the chain has none. The
rule it keeps: the last line says how many came before it, so a copy that was cut off is known.

    creditline-audit-export 1
    E <seq> <microseconds> <sha256> <prev> <body>      with tabs between
    C <canonical JSON> <signature>                     the same
    end <entries> <checkpoints>
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from sqlalchemy import Connection

from api.audit.checkpoints import Folder, Keyring, Signed, covered_by
from api.store.queries.audit import audit_entries

HEADER = b"creditline-audit-export 1\n"


class NothingSigned(Exception):
    """There is no checkpoint to export up to; the message says why."""


@dataclass(frozen=True, slots=True)
class Exported:
    """How much was written."""

    entries: int
    checkpoints: int


def export(connection: Connection, folder: Folder, keyring: Keyring, out: IO[bytes]) -> Exported:
    """Write the file; raises NothingSigned where the folder has no checkpoint, or its newest does not hold."""
    newest = folder.newest(keyring)
    if not isinstance(newest, Signed):
        raise NothingSigned("there is no checkpoint yet" if newest is None else newest.what)
    signed, entries, checkpoints = _Lines(folder, newest.line), 0, 0
    out.write(HEADER)
    for seq, at, body, sha256, prev in audit_entries(connection, until=newest.told.seq):
        out.write(b"E\t%d\t%d\t%s\t%s\t%s\n" % (seq, at, sha256, prev, body))
        entries += 1
        for line in signed.up_to(seq):
            out.write(b"C\t" + line + b"\n")
            checkpoints += 1
    for line in signed.up_to(newest.told.seq):  # of entries that are missing
        out.write(b"C\t" + line + b"\n")
        checkpoints += 1
    out.write(b"end %d %d\n" % (entries, checkpoints))
    return Exported(entries, checkpoints)


class _Lines:
    """The lines of a folder up to its newest one, handed out by the entries that they say they cover."""

    def __init__(self, folder: Folder, newest: bytes) -> None:
        self._lines, self._newest = folder.lines(), newest
        self._next = next(self._lines, None)

    def up_to(self, seq: int) -> Iterator[bytes]:
        """The next lines that say to cover an entry up to this one, or nothing that can be read."""
        while (line := self._next) is not None and covered_by(line) <= seq:
            self._next = None if line == self._newest else next(self._lines, None)
            yield line
