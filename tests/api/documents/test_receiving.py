"""A file on its way in: how much of it is taken, when it is refused, and what is left of one that is."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.documents.receiving import MOST_AT_ONCE, MOST_BYTES, Door, quarantine
from api.documents.storage import FolderStorage, StorageDown
from api.errors import Problem
from api.sealing import Sealer

SEALER = Sealer({"k1": bytes(range(32))})
PIECE = 65_536


def files(folder: Path) -> list[str]:
    """Everything in a folder, by name."""
    return sorted(each.name for each in folder.rglob("*") if each.is_file())


class Sender:
    """Sends pieces, and knows how many were taken."""

    def __init__(self, *pieces: bytes, fails: BaseException | None = None) -> None:
        self.pieces, self.fails, self.taken = pieces, fails, 0

    async def send(self) -> AsyncIterator[bytes]:
        """The pieces, then the failure."""
        for piece in self.pieces:
            self.taken += 1
            yield piece
        if self.fails is not None:
            raise self.fails


def slug(sender: Sender, folder: Path) -> str:
    """The problem that a sender is told."""
    with pytest.raises(Problem) as refused:
        asyncio.run(quarantine(sender.send(), FolderStorage(folder, SEALER), "doc_1"))
    return refused.value.slug


def test_a_file_is_kept_whole_with_its_digest(tmp_path: Path) -> None:
    """The largest there may be, in pieces of any size: all of it is there, and its hash is that of the bytes."""
    storage = FolderStorage(tmp_path, SEALER)
    content = bytes(MOST_BYTES)
    sender = Sender(b"", content[:7], content[7:PIECE], content[PIECE:])
    kept = asyncio.run(quarantine(sender.send(), storage, "doc_1"))
    assert (kept.bytes, kept.sha256) == (MOST_BYTES, hashlib.sha256(content).hexdigest())
    assert asyncio.run(storage.get(kept.key)) == content


def test_one_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """The first byte too many ends it: of a thousand pieces the rest is not taken, and nothing is kept."""
    sender = Sender(*[bytes(PIECE)] * 1_000)
    assert slug(sender, tmp_path) == "payload-too-large"
    assert sender.taken == MOST_BYTES // PIECE + 1
    assert files(tmp_path) == []


@pytest.mark.parametrize("pieces", [(), (b"",), (b"", b"")])
def test_an_empty_one_is_no_file(tmp_path: Path, pieces: tuple[bytes, ...]) -> None:
    """Nothing at all is refused, and nothing is kept."""
    assert slug(Sender(*pieces), tmp_path) == "validation-failed"
    assert files(tmp_path) == []


def test_one_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    """A sender that goes away in the middle leaves no part of its file."""
    sender = Sender(bytes(PIECE), fails=Problem("malformed-request"))
    assert slug(sender, tmp_path) == "malformed-request"
    assert files(tmp_path) == []


def test_a_store_that_is_down_is_told_as_ours(tmp_path: Path) -> None:
    """Where the folder cannot be made the sender is asked to come again, without a word of where it is."""
    (tmp_path / "file").touch()
    assert slug(Sender(b"word"), tmp_path / "file") == "dependency-unavailable"


def test_the_door_lets_so_many_in_and_no_more() -> None:
    """One above is told that too much is asked at once; a place is free again however its holder left."""
    door = Door(2)
    with door.entered():
        with pytest.raises(StorageDown), door.entered():
            raise StorageDown("gone")
        with door.entered():
            with pytest.raises(Problem) as refused, door.entered():
                raise AssertionError("it was let in")
            assert refused.value.slug == "overloaded"
        with door.entered():
            pass
    assert MOST_AT_ONCE * MOST_BYTES <= 100_000_000
