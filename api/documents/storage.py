"""Where sealed documents are kept: a folder, or an S3-compatible store, behind one interface.

It does: put, get and delete sealed bytes under keys that the service makes. It does not: know what they are. The rules
it keeps: what is on disk or in a bucket is sealed to its own key; a file that was put is there after a power cut.
"""

import asyncio
import errno
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from api.errors import Problem
from api.sealing import CannotOpen, Sealer

_KEY = re.compile(r"[a-z0-9_]{1,60}(/[a-z0-9_]{1,60})?")
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_PART, _PART_SECONDS = ".part", 3_600
_MOST_SEALED = 11_000_000  # a document and what sealing adds
_REQUEST, _CONNECT, _RETRIES = timedelta(seconds=30), timedelta(seconds=5), timedelta(seconds=20)


class StorageDown(Exception):
    """The store of documents did not do what it was asked; the word says what kind of error it was."""


class Storage(Protocol):
    """Sealed bytes by key; KeyError for a key that holds nothing, StorageDown where the store itself fails."""

    async def put(self, key: str, plain: bytes) -> None:
        """Keep the bytes, sealed to their key; Problem `storage-full` where there is no room."""
        ...

    async def get(self, key: str) -> bytes:
        """The bytes again; raises sealing.CannotOpen where they were changed or moved."""
        ...

    async def delete(self, key: str) -> None:
        """Forget them; a key that holds nothing is no error."""
        ...


def checked(key: str) -> str:
    """A key of our own form; ValueError for any other, which could be a path."""
    if not _KEY.fullmatch(key):
        raise ValueError("not a key of ours")
    return key


class FolderStorage:
    """Files of mode 0600 in a folder of mode 0700: written beside, synced, then renamed."""

    def __init__(self, folder: Path, sealer: Sealer) -> None:
        self._folder, self._sealer = folder, sealer
        self._swept = False

    async def put(self, key: str, plain: bytes) -> None:
        """See Storage; one that is cut short leaves nothing."""
        path = self._path(checked(key))
        putting = asyncio.ensure_future(asyncio.to_thread(self._put, path, key, plain))
        try:
            await asyncio.shield(putting)
        except asyncio.CancelledError:
            # A thread cannot be stopped: what it still does is undone behind it.
            putting.add_done_callback(lambda done: None if done.exception() else path.unlink(missing_ok=True))
            raise

    async def get(self, key: str) -> bytes:
        """See Storage."""
        return await asyncio.to_thread(self._get, checked(key))

    async def delete(self, key: str) -> None:
        """See Storage."""
        try:
            await asyncio.to_thread(self._path(checked(key)).unlink, missing_ok=True)
        except OSError as error:
            raise StorageDown(type(error).__name__) from None

    def _path(self, key: str) -> Path:
        return self._folder / key.replace("/", "-")

    def _put(self, path: Path, key: str, plain: bytes) -> None:
        beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}{_PART}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._sweep()
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, 0o600)  # whatever the umask is
                file.write(self._sealer.seal(plain, key))
                file.flush()
                os.fsync(descriptor)
            beside.rename(path)
            _sync_folder(self._folder)
        except OSError as error:
            with suppress(OSError):
                beside.unlink()
            if error.errno in _NO_SPACE:
                raise Problem("storage-full") from None
            raise StorageDown(type(error).__name__) from None

    def _sweep(self) -> None:
        """Once in a process: remove what another one was writing when it was killed, an hour ago or more."""
        if self._swept:
            return
        self._swept = True
        for part in self._folder.glob(f"*{_PART}"):
            with suppress(OSError):
                if part.stat().st_mtime < time.time() - _PART_SECONDS:
                    part.unlink()

    def _get(self, key: str) -> bytes:
        try:
            return self._sealer.open(self._path(key).read_bytes(), key)
        except FileNotFoundError:
            raise KeyError(key) from None
        except OSError as error:
            raise StorageDown(type(error).__name__) from None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class ObjectStorage:
    """The same in an S3-compatible store, through obstore: credentials as the store's own environment gives them."""

    def __init__(self, url: str, sealer: Sealer, **options: Any) -> None:
        """`options` are obstore's own of the store; ValueError for an address that is not `s3://bucket/prefix`."""
        if not url.startswith("s3://"):
            raise ValueError("documents are kept in a folder, or at s3://bucket/prefix")
        import obstore  # noqa: PLC0415 - an extra: only who keeps documents there installs it
        from obstore.store import S3Store  # noqa: PLC0415

        self._obstore, self._sealer = obstore, sealer
        patience: dict[str, Any] = {"timeout": _REQUEST, "connect_timeout": _CONNECT}
        patience |= options.pop("client_options", {})
        retries: Any = {"max_retries": 2, "retry_timeout": _RETRIES}
        self._store = S3Store.from_url(url, client_options=patience, retry_config=retries, **options)  # type: ignore[arg-type]

    async def put(self, key: str, plain: bytes) -> None:
        """See Storage."""
        sealed = await asyncio.to_thread(self._sealer.seal, plain, checked(key))
        with self._known():
            await self._obstore.put_async(self._store, key, sealed, use_multipart=False)

    async def get(self, key: str) -> bytes:
        """See Storage."""
        with self._known():
            try:
                found = await self._obstore.get_async(self._store, checked(key))
            except (self._obstore.exceptions.NotFoundError, FileNotFoundError):
                raise KeyError(key) from None
            if found.meta["size"] > _MOST_SEALED:
                raise CannotOpen("larger than anything that was sealed")
            sealed = bytes(await found.bytes_async())
        return await asyncio.to_thread(self._sealer.open, sealed, key)

    async def delete(self, key: str) -> None:
        """See Storage; a store says of a key that holds nothing that it was deleted."""
        with self._known():
            await self._obstore.delete_async(self._store, checked(key))

    @contextmanager
    def _known(self) -> Iterator[None]:
        """The library's errors as ours: their words hold addresses and answers of the other side."""
        try:
            yield
        except (self._obstore.exceptions.BaseError, OSError) as error:  # a bucket that is missing is the system's error
            raise StorageDown(type(error).__name__) from None


def storage_at(place: str, sealer: Sealer) -> Storage:
    """The storage that a setting names: `s3://bucket/prefix`, or a folder."""
    return ObjectStorage(place, sealer) if "://" in place else FolderStorage(Path(place), sealer)
