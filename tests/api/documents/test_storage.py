"""Documents in a folder: sealed, whole or not there, under keys of ours alone."""

import asyncio
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from api.documents.confinement import ROOT
from api.documents.storage import FolderStorage, StorageDown, storage_at
from api.sealing import CannotOpen, Sealer

SEALER = Sealer({"k1": bytes(range(32))})
PLAIN = b"%PDF-1.7 a statement of Jane Sample" * 40
# A process that keeps what is in its folder, then puts a document under the limit or the fault that it is given.
CHILD = """
import asyncio, os, resource, sys
from pathlib import Path
from api.documents.storage import FolderStorage
from api.errors import Problem
from api.sealing import Sealer

folder, what = Path(sys.argv[1]), sys.argv[2]
storage = FolderStorage(folder, Sealer({"k1": bytes(range(32))}))
if what == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))
else:
    sys.addaudithook(lambda event, told: os._exit(9) if event == what else None)
try:
    asyncio.run(storage.put("doc_new", b"plain words " * 1_000))
except Problem as problem:
    print(problem.slug)
"""


def folder(tmp_path: Path, sealer: Sealer = SEALER) -> FolderStorage:
    """A storage in a folder that is not there yet."""
    return FolderStorage(tmp_path / "held" / "documents", sealer)


def files(tmp_path: Path) -> list[str]:
    """Everything below, by name."""
    return sorted(each.name for each in tmp_path.rglob("*") if each.is_file())


def child(tmp_path: Path, what: str) -> "subprocess.CompletedProcess[str]":
    """The process above, to its end."""
    return subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path), what], cwd=ROOT, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip


def test_what_was_put_is_got_and_deleted(tmp_path: Path) -> None:
    """Bytes come back as they were; after a deletion they are gone, and a second one is no error."""

    async def work() -> None:
        storage = folder(tmp_path)
        await storage.put("doc_1", PLAIN)
        await storage.put("part/doc_1", b"other")
        assert (await storage.get("doc_1"), await storage.get("part/doc_1")) == (PLAIN, b"other")
        await storage.delete("doc_1")
        await storage.delete("doc_1")
        with pytest.raises(KeyError):
            await storage.get("doc_1")

    asyncio.run(work())
    assert files(tmp_path) == ["part-doc_1"]


def test_nobody_else_may_read_and_nothing_can_be_read(tmp_path: Path) -> None:
    """Whatever the umask is, files are 0600 in a folder of 0700, and none of the file's words is on disk."""
    before = os.umask(0)
    try:
        asyncio.run(folder(tmp_path).put("doc_1", PLAIN))
    finally:
        os.umask(before)
    held = tmp_path / "held" / "documents"
    assert stat.S_IMODE(held.stat().st_mode) == 0o700
    assert stat.S_IMODE((held / "doc_1").stat().st_mode) == 0o600
    on_disk = b"".join(each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())
    assert on_disk
    assert not any(word in on_disk for word in (b"%PDF", b"statement", b"Sample"))


def test_a_strict_umask_does_not_lock_the_service_out(tmp_path: Path) -> None:
    """A file that was written under the strictest mask can be read again by its owner."""
    asyncio.run(folder(tmp_path).put("doc_1", PLAIN))
    before = os.umask(0o777)
    try:
        asyncio.run(folder(tmp_path).put("doc_2", PLAIN))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "held" / "documents" / "doc_2").stat().st_mode) == 0o600


def test_a_file_opens_only_where_it_was_sealed(tmp_path: Path) -> None:
    """Renamed to another document's key, changed in one bit, or under another key of ours, it does not open."""

    async def work() -> None:
        storage, held = folder(tmp_path), tmp_path / "held" / "documents"
        await storage.put("doc_1", PLAIN)
        sealed = (held / "doc_1").read_bytes()
        (held / "doc_2").write_bytes(sealed)
        (held / "doc_3").write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
        (held / "doc_4").write_bytes(sealed[:10])
        for key in ("doc_2", "doc_3", "doc_4"):
            with pytest.raises(CannotOpen):
                await storage.get(key)
        with pytest.raises(CannotOpen):
            await folder(tmp_path, Sealer({"k1": bytes(32)})).get("doc_1")

    asyncio.run(work())


def test_a_new_key_seals_and_the_old_one_still_opens(tmp_path: Path) -> None:
    """Rotation: with the new key first, documents of before and of after can be read."""

    async def work() -> None:
        await folder(tmp_path).put("doc_1", b"before")
        rotated = folder(tmp_path, Sealer({"k2": bytes(32), "k1": bytes(range(32))}))
        await rotated.put("doc_2", b"after")
        assert (await rotated.get("doc_1"), await rotated.get("doc_2")) == (b"before", b"after")
        with pytest.raises(CannotOpen):
            await folder(tmp_path).get("doc_2")

    asyncio.run(work())


@pytest.mark.parametrize(
    "key", ["", "../doc_1", "/etc/passwd", "a/b/c", "doc-1", "doc.part", "Doc_1", "doc_1\n", "a\0b"]
)
def test_a_key_that_is_not_ours_is_refused(tmp_path: Path, key: str) -> None:
    """What could be a path is no key, whatever is asked of it."""
    storage = folder(tmp_path)
    for asked in (storage.put(key, PLAIN), storage.get(key), storage.delete(key)):
        with pytest.raises(ValueError, match="not a key of ours"):
            asyncio.run(asked)
    assert files(tmp_path) == []


@pytest.mark.parametrize("event", ["os.rename", "os.chmod"])
def test_a_crash_before_the_file_has_its_name_leaves_no_document(tmp_path: Path, event: str) -> None:
    """Killed at that call, nothing is under the key; what is beside it the next process removes, an hour later."""
    assert child(tmp_path, event).returncode == 9
    (left,) = files(tmp_path)
    assert left.startswith("doc_new.")
    assert left.endswith(".part")
    assert b"plain words" not in (tmp_path / left).read_bytes()
    storage = FolderStorage(tmp_path, SEALER)
    with pytest.raises(KeyError):
        asyncio.run(storage.get("doc_new"))
    asyncio.run(storage.put("doc_other", PLAIN))
    assert left in files(tmp_path)  # it could be another process's, at work
    os.utime(tmp_path / left, (0, 0))
    asyncio.run(FolderStorage(tmp_path, SEALER).put("doc_new", PLAIN))
    assert files(tmp_path) == ["doc_new", "doc_other"]


def test_a_full_disk_is_a_problem_that_says_so(tmp_path: Path) -> None:
    """Where the system lets no more be written, the caller is told `storage-full` and nothing is left."""
    ended = child(tmp_path, "full")
    assert (ended.returncode, ended.stdout) == (0, "storage-full\n")
    assert files(tmp_path) == []


def test_another_fault_of_the_disk_leaves_nothing(tmp_path: Path) -> None:
    """Where the key's place is taken by a folder, storage is down whatever it is asked, and no part stays."""
    (tmp_path / "doc_1").mkdir()
    storage = FolderStorage(tmp_path, SEALER)
    for asked in (storage.put("doc_1", PLAIN), storage.get("doc_1"), storage.delete("doc_1")):
        with pytest.raises(StorageDown) as down:
            asyncio.run(asked)
        assert str(tmp_path) not in str(down.value)
    assert files(tmp_path) == []


def test_a_put_that_is_cut_short_leaves_nothing(tmp_path: Path) -> None:
    """A sender who goes away while the file is written leaves no document behind, however far the writing was."""
    held = threading.Event()

    class Slow(Sealer):
        def seal(self, plain: bytes, aad: str) -> bytes:
            held.wait(30)
            return super().seal(plain, aad)

    async def work() -> None:
        putting = asyncio.create_task(FolderStorage(tmp_path, Slow({"k1": bytes(32)})).put("doc_1", PLAIN))
        while not files(tmp_path):
            await asyncio.sleep(0.005)
        putting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await putting
        held.set()

    async def until_empty() -> None:
        await work()
        async with asyncio.timeout(30):
            while files(tmp_path):
                await asyncio.sleep(0.005)

    asyncio.run(until_empty())


def test_a_setting_names_a_folder(tmp_path: Path) -> None:
    """A place without a scheme is a folder."""
    asyncio.run(storage_at(str(tmp_path / "a"), SEALER).put("doc_1", PLAIN))
    assert files(tmp_path) == ["doc_1"]
