"""`python -m benchmarks.chaining`: what the audit chain costs on PostgreSQL with fsync on, and how fast it is verified.

It does: write for a few seconds from 1, 8 and 32 writers, each transaction a row and its audit entry, with the chain
and the lock that it needs against the same rows without; then verify and export a million entries. It does not: decide
anything. The rule it keeps: every writer is in a closed loop, so a rate is what could be had, and every wait is in it.
"""

import argparse
import asyncio
import os
import pwd
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from api.audit import standalone
from api.audit.checkpoints import Folder, Keyring, Signer, next_checkpoint
from api.audit.export import export
from api.audit.verification import verify
from api.store.database import Database, Limits
from api.store.migrations import upgrade
from api.store.moment import microseconds
from api.store.queries import AuditEvent, append_audit
from api.store.queries.audit import GENESIS
from benchmarks.machine import Machine, file_system
from benchmarks.samples import Timing
from engine.canonical import canonical_bytes
from tests.support import postgres

WRITERS = (1, 8, 32)
_SIGNER = Signer(sha256(b"a key of this benchmark").digest())
_EVERY = 1_000  # entries between checkpoints
_START_SECONDS = 30.0
_DIGEST = sha256(b"made up").hexdigest()
_DETAILS = {
    "application": "app_" + _DIGEST[:32], "application_sha256": _DIGEST, "decision_sha256": _DIGEST,
    "engine_digest": _DIGEST, "facts_sha256": _DIGEST, "fingerprint": _DIGEST, "release_digest": _DIGEST,
    "request_id": _DIGEST[:32], "supersedes": None,
}  # fmt: skip
_EVENT = AuditEvent("key_" + _DIGEST[:32], "caller", "decide", "dec_" + _DIGEST[:32], _DETAILS)
_WORK = text("INSERT INTO worked (body) VALUES (:body)")
_UNCHAINED = text(
    "INSERT INTO unchained (seq, at, body, sha256, prev) VALUES (nextval('unchained_seq'), :at, :body, :sha256, :prev)"
)
_ENTRY = text("INSERT INTO audit (seq, at, body, sha256, prev) VALUES (:seq, :at, :body, :sha256, :prev)")
Writing = Callable[[Connection], object]


@dataclass(slots=True)
class Run:
    """What so many writers got done in so many seconds."""

    what: str
    writers: int
    seconds: float
    times_ms: list[float] = field(default_factory=list)


def main() -> int:
    """Measure and print."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.chaining", description="About five minutes.")
    arguments.add_argument("--quick", action="store_true", help="a short run, to see that it works")
    quick: bool = arguments.parse_args().quick
    machine, folder = Machine.here(), Path(tempfile.mkdtemp(prefix="creditline-chaining-"))
    try:
        with syncing_server(folder / "server") as server:
            with create_engine(_driven(server.admin_url), poolclass=NullPool).connect() as connection:
                asked = ("server_version", "fsync", "synchronous_commit")
                told = ", ".join(f"{name} {connection.execute(text(f'SHOW {name}')).scalar_one()}" for name in asked)
            sys.stdout.write(
                f"{machine.processor}, {machine.cores} cores shared, load {machine.load}, {file_system(folder)}; "
                f"PostgreSQL: {told}; {machine.python}\n\n"
            )
            sys.stdout.write(table(chained_and_not(server.create_database(), 0.5 if quick else 6.0)) + "\n")
            for url in (server.create_database(), f"sqlite:///{folder / 'store.sqlite'}"):
                sys.stdout.write(verified(url, folder, 20_000 if quick else 1_000_000) + "\n")
                sys.stdout.flush()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def table(runs: list[Run]) -> str:
    """The figures of writing, as a table of Markdown."""
    rows = ["| transactions | writers | a second | p50 ms | p99 ms | most ms |", "|---|---|---|---|---|---|"]
    for run in runs:
        times = Timing.of(run.times_ms)
        rows.append(
            f"| {run.what} | {run.writers} | {times.count / run.seconds:,.0f} | {times.p50_ms:.1f} "
            f"| {times.p99_ms:.1f} | {times.most_ms:.1f} |"
        )
    return "\n".join(rows) + "\n"


# -- writing -------------------------------------------------------------------------------------------------


def chained_and_not(url: str, seconds: float) -> list[Run]:
    """Every run, with the chain and without in turn."""
    upgrade(url)
    with Database.open(url) as database, database.transaction() as connection:
        connection.execute(text("CREATE TABLE worked (id bigserial PRIMARY KEY, body text NOT NULL)"))
        connection.execute(text("CREATE SEQUENCE unchained_seq"))
        connection.execute(text("CREATE TABLE unchained (LIKE audit INCLUDING ALL)"))
    runs = []
    for writers in WRITERS:
        for what, write in (("without the chain", _unchained), ("with the chain", _chained)):
            run = Run(what, writers, seconds)
            asyncio.run(_write(url, run, write))
            runs.append(run)
    return runs


async def _write(url: str, run: Run, write: Writing) -> None:
    with Database.open(url, Limits(connections=run.writers, lock_ms=5_000)) as database:
        await asyncio.gather(*(database.write(write) for _ in range(run.writers)))  # opens the connections
        ends = time.perf_counter() + run.seconds

        async def writer() -> None:
            while (began := time.perf_counter()) < ends:
                await database.write(write)
                run.times_ms.append((time.perf_counter() - began) * 1_000)

        await asyncio.gather(*(writer() for _ in range(run.writers)))


def _chained(connection: Connection) -> None:
    connection.execute(_WORK, {"body": _DIGEST * 10})
    append_audit(connection, _EVENT, datetime.now(UTC))


def _unchained(connection: Connection) -> None:
    connection.execute(_WORK, {"body": _DIGEST * 10})
    at = microseconds(datetime.now(UTC))
    body = _body(0, at, GENESIS)
    digest = sha256(body).hexdigest()
    connection.execute(_UNCHAINED, {"at": at, "body": body.decode(), "sha256": digest, "prev": GENESIS})


def _body(seq: int, at: int, prev: str) -> bytes:
    """The same words that `append_audit` writes."""
    return canonical_bytes(
        {
            "v": 1, "seq": seq, "at": at, "actor": _EVENT.actor, "actor_role": _EVENT.actor_role,
            "action": _EVENT.action, "object": _EVENT.object_id, "details": _DETAILS, "prev": prev,
        }
    )  # fmt: skip


# -- verifying -----------------------------------------------------------------------------------------------


def verified(url: str, folder: Path, entries: int) -> str:
    """Fill a chain, and tell how long verification, the export and the auditor's program take over all of it."""
    kept = Folder(folder / f"kept-{url.partition(':')[0]}")
    file, keyring, lines = folder / "export", Keyring(_SIGNER.public), []
    upgrade(url)
    with Database.open(url) as database:
        fill(database, kept, entries)
        with database.transaction(read_only=True) as connection:
            began = time.perf_counter()
            found = verify(connection, (kept,), keyring, datetime.now(UTC), rows=False)
            lines.append(("verified", time.perf_counter() - began))
            if found.findings or found.entries != entries:
                raise RuntimeError(f"the chain should hold: {found}")
            began = time.perf_counter()
            with file.open("wb") as out:
                export(connection, kept, keyring, out)
            lines.append(("exported", time.perf_counter() - began))
    began = time.perf_counter()
    command: list[str | Path] = [sys.executable, "-I", standalone.__file__, file, "--key", _SIGNER.public.hex()]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=600)
    lines.append(("verified by the auditor's program", time.perf_counter() - began))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    told = ", ".join(f"{what} in {seconds:.1f} s" for what, seconds in lines)
    size = file.stat().st_size / 1e6
    return f"{url.partition(':')[0]}: {entries:,} entries ({size:,.0f} MB) {told}; peak memory {peak:.0f} MB"


def fill(database: Database, kept: Folder, entries: int) -> None:
    """Make an empty chain so many entries long, with a checkpoint after every thousand and after the last."""
    prev, chain, newest, at = GENESIS, "", None, microseconds(datetime.now(UTC)) - entries
    for after in range(0, entries, _EVERY):
        rows = []
        for seq in range(after + 1, min(after + _EVERY, entries) + 1):
            body = _body(seq, at + seq, prev)
            digest = sha256(body).hexdigest()
            rows.append({"seq": seq, "at": at + seq, "body": body.decode(), "sha256": digest, "prev": prev})
            prev, chain = digest, chain or digest
        with database.transaction() as connection:
            connection.execute(_ENTRY, rows)
        told = next_checkpoint(newest, seq, prev, chain=chain, at=at + seq, key=_SIGNER.key_id)
        newest = _SIGNER.sign(told)
        kept.append(newest)


# -- the server ----------------------------------------------------------------------------------------------


@contextmanager
def syncing_server(folder: Path) -> Iterator[postgres.Server]:
    """A PostgreSQL like that of the tests, but one that waits for the disk."""
    folder.parent.chmod(0o755)
    folder.mkdir()
    identity: dict[str, Any] = {}
    for name in postgres._identity():
        user = pwd.getpwnam(name)
        os.chown(folder, user.pw_uid, user.pw_gid)
        identity = {"user": name, "group": user.pw_gid, "extra_groups": []}
    binaries, port, data = postgres._binaries(folder), postgres.free_port(), str(folder / "data")
    made = ["-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8"]
    serve = ["-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", "", "-c", "max_connections=60"]
    with (folder / "log").open("wb") as log:
        told: dict[str, Any] = {"cwd": folder, "stdout": log, "stderr": log, **identity}
        subprocess.run([binaries / "initdb", *made], check=True, **told)
        process = subprocess.Popen([binaries / "postgres", *serve], **told)
    try:
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        _wait_for(create_engine(_driven(url), poolclass=NullPool))
        yield postgres.Server(url)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def _driven(url: str) -> str:
    return url.replace("://", "+psycopg://", 1)


def _wait_for(engine: Engine) -> None:
    ends = time.monotonic() + _START_SECONDS
    while True:
        try:
            engine.connect().close()
            return
        except OperationalError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
