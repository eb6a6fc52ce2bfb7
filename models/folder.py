"""Release folders and small files on disk: read once without following links, written whole or not at all.

It does: the file handling of models/, and nothing but that. It does not: know what the bytes mean. The
rule it keeps: what was acknowledged survives a power cut, so every write is flushed to disk, and so is
the folder that names it.
"""

import errno
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from engine.release import FILE_NAMES, MANIFEST_NAME
from models.rejection import ReleaseRejected
from models.signing import ENVELOPE_NAME, MAX_ENVELOPE_BYTES

ALL_NAMES: Final = frozenset((MANIFEST_NAME, *FILE_NAMES))
MAX_BYTES: Final[Mapping[str, int]] = {
    MANIFEST_NAME: 1024 * 1024,
    "model.txt": 64 * 1024 * 1024,
    "policy.toml": 1024 * 1024,
    "golden.jsonl": 64 * 1024 * 1024,
    "card.md": 1024 * 1024,
    ENVELOPE_NAME: MAX_ENVELOPE_BYTES,
}
_NAME: Final = re.compile(r"(?=.{1,64}\Z)[a-z0-9]+(?:[._-][a-z0-9]+)*")


def folder_names(root: Path) -> list[str]:
    """Names of the release folders under root: no links, a name a release may have, a manifest inside."""
    with os.scandir(root) as entries:
        folders = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    return sorted(name for name in folders if _NAME.fullmatch(name) and (root / name / MANIFEST_NAME).exists())


def read_folder(name: str, root: Path) -> dict[str, bytes]:
    """The bytes of every file of root/name, read once; raises ReleaseRejected (name, size or digest).

    The folder must hold exactly the five files of a release and, where it is signed, the envelope of its signatures;
    none of them a link, none longer than its cap.
    """
    if not _NAME.fullmatch(name):
        raise ReleaseRejected("name", "a release's name is lower-case letters and digits, parted by . _ or -")
    folder = root / name
    if folder.is_symlink() or not folder.is_dir():
        raise ReleaseRejected("name", f"{name}: no such release folder")
    with os.scandir(folder) as entries:
        found = {entry.name: entry.is_file(follow_symlinks=False) for entry in entries}
    check_names(found)
    if not all(found.values()):
        raise ReleaseRejected("digest", f"{name} holds a link or something else that is no plain file")
    try:
        return {file: _read(folder / file, MAX_BYTES[file]) for file in sorted(found)}
    except OSError as error:
        raise ReleaseRejected("digest", f"{name} cannot be read: {error.strerror}") from error


def read_manifest(name: str, root: Path) -> bytes:
    """The bytes of one manifest alone, for lists; raises ReleaseRejected."""
    try:
        return _read(root / name / MANIFEST_NAME, MAX_BYTES[MANIFEST_NAME])
    except OSError as error:
        raise ReleaseRejected("manifest", f"{name}: {error.strerror}") from error


def check_names(found: Mapping[str, object]) -> None:
    """Exactly the files of a release; raises ReleaseRejected naming the stranger or the missing one."""
    for file in sorted(ALL_NAMES ^ (set(found) - {ENVELOPE_NAME})):
        raise ReleaseRejected("digest", f"{file} is missing" if file in ALL_NAMES else f"{file!r} does not belong")


def check_sizes(files: Mapping[str, bytes]) -> None:
    """No file is longer than its cap."""
    for file, data in files.items():
        if len(data) > MAX_BYTES[file]:
            raise ReleaseRejected("size", f"{file} is longer than {MAX_BYTES[file]} bytes")


def write_folder(files: Mapping[str, bytes], folder: Path) -> None:
    """Make a new folder appear at once, whole and on disk; raises FileExistsError where the name is taken."""
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder.parent))
    try:
        for file, data in files.items():
            _write(draft / file, data)
        draft.chmod(0o755)
        _sync(draft)
        if folder.exists():  # a rename would take the place of an empty folder
            raise FileExistsError(errno.EEXIST, "the name is taken", str(folder))
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    _sync(folder.parent)


def replace_file(path: Path, data: bytes) -> None:
    """Replace one file by a rename: a reader, also one after a power cut, sees the old bytes or the new."""
    draft = path.with_name(f".draft-{path.name}")  # the caller holds the lock, so one draft at a time
    draft.unlink(missing_ok=True)
    _write(draft, data)
    draft.replace(path)
    _sync(path.parent)


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """One writer at a time on this machine; the kernel lets go when the process ends, however it ends."""
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _read(path: Path, cap: int) -> bytes:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        data = file.read(cap + 1)
    if len(data) > cap:
        raise ReleaseRejected("size", f"{path.name} is longer than {cap} bytes")
    return data


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Flush a folder, so that the names in it are on disk too."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
