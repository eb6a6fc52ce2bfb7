"""A file on its way in: bounded, hashed while it streams, sealed into storage before anybody looks at it.

It does: refuse what is too large as soon as it is, and more files at once than memory is meant for. It does not:
believe a name or a type. The rule it keeps: nothing is left behind of a file that did not arrive whole.
"""

import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from api.documents.storage import Storage, StorageDown
from api.errors import FieldProblem, Problem

MOST_BYTES: Final = 10_000_000  # of one file
MOST_AT_ONCE: Final = 8  # on their way in, of one process: each is in memory two or three times over


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A file that arrived whole: how many bytes, their SHA-256, and where they are."""

    bytes: int
    sha256: str
    key: str


class Door:
    """Lets so many files in at once; whoever finds it full is told to come again."""

    def __init__(self, places: int = MOST_AT_ONCE) -> None:
        self._free = places

    @contextmanager
    def entered(self) -> Iterator[None]:
        """A place for as long as the block lasts; Problem `overloaded` where none is free."""
        if not self._free:
            raise Problem("overloaded")
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


async def quarantine(stream: AsyncIterator[bytes], storage: Storage, document_id: str) -> Quarantined:
    """Take a whole file in. Problem `payload-too-large` above 10 MB, `validation-failed` for an empty one,
    `storage-full` where there is no room, `dependency-unavailable` where storage does not answer.
    """
    digest, parts, size = hashlib.sha256(), [], 0
    async for part in stream:
        size += len(part)
        if size > MOST_BYTES:
            raise Problem("payload-too-large")
        digest.update(part)
        parts.append(part)
    if not size:
        raise Problem("validation-failed", [FieldProblem("", "empty", "The file is empty")])
    try:
        await storage.put(document_id, b"".join(parts))
    except StorageDown:
        raise Problem("dependency-unavailable") from None
    return Quarantined(size, digest.hexdigest(), document_id)
