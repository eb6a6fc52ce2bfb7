"""The SQLite file and the connections to it, each set up as the store needs it before anyone uses it.

It does not run transactions; sqlite.py does.
The rule: no connection is ever made with fewer guards than these.
"""

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event

from api.store.database import Limits
from api.store.errors import StoreUnavailable
from api.store.prepared import driver_of

_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "cell_size_check=ON",
    "recursive_triggers=ON",  # or INSERT OR REPLACE deletes rows without asking the triggers that forbid it
)
# Each connection keeps pages of its own: 512 KiB instead of two megabytes, since the system keeps them too.
_READING = ("query_only=ON", "cache_size=-512")
_NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "glusterfs", "fuse.sshfs", "afs"}


def engine_of(path: Path, limits: Limits, *, begin: str, read_only: bool = False) -> Engine:
    """A SQLAlchemy engine that begins every transaction with `begin`.

    Python's driver would begin them by itself, late and deferred: two tasks that both read and then write
    then lose updates without an error.
    """
    engine = create_engine(
        "sqlite+pysqlite://",
        creator=_connector(path, limits, read_only=read_only),
        poolclass=QueuePool,
        pool_size=max(limits.readers, 2),
        max_overflow=0,
        pool_timeout=limits.busy_ms / 1000,
        pool_reset_on_return="rollback",
    )

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        with driver_of(connection, begin) as driver:
            driver.execute(begin)

    return engine


def _set(connection: sqlite3.Connection, pragma: str, limits: Limits) -> None:
    """Set a pragma; while another process turns a new file into WAL, SQLite does not wait by itself but is busy."""
    until = time.monotonic() + limits.busy_ms / 1000
    while True:
        try:
            connection.execute(f"PRAGMA {pragma}")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
            time.sleep(0.01)


def _connector(path: Path, limits: Limits, *, read_only: bool) -> Callable[[], sqlite3.Connection]:
    uri = f"{path.as_uri()}?mode={'ro' if read_only else 'rw'}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri, uri=True, isolation_level=None, check_same_thread=False, timeout=limits.busy_ms / 1000
        )
        for pragma in (*_PRAGMAS, *_READING) if read_only else _PRAGMAS:
            _set(connection, pragma, limits)
        return connection

    return connect


def secure_file(name: str) -> Path:
    """The file, made if absent, readable by its owner alone; raises StoreUnavailable on a network mount.

    SQLite gives its log files the same mode. Its locks and shared memory do not work between machines.
    """
    path = Path(name).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    if (kind := _file_system(path.parent)) in _NETWORK_FILE_SYSTEMS:
        raise StoreUnavailable(f"SQLite needs a local file system, and this one is {kind}")
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)
    return path


def _file_system(folder: Path) -> str:
    """The kind of the mount that holds this folder, where the system tells (Linux); else nothing."""
    try:
        lines = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return ""
    real, best, kind = folder.resolve(), -1, ""
    for line in lines:
        _, mount, found, *_ = line.split(" ")
        mount = mount.replace("\\040", " ")
        if real.is_relative_to(mount) and len(mount) >= best:
            best, kind = len(mount), found
    return kind
