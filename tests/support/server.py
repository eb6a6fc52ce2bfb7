"""The service as it is run: `creditline serve` in a process of its own, on a free port of the loopback interface.

It does: start it, wait until it is ready, send requests or raw bytes, and stop it. It does not: touch anything
outside its own temporary folder. The rule it keeps: every wait is bounded, and only its own process is ended.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from api.commands import add_key
from tests.support.postgres import free_port
from tests.support.schema import check_reply
from tests.support.service import APPLICATIONS, EVERY_SCOPE, apply_arguments

ROOT = Path(__file__).resolve().parents[2]
SERVE = ("-m", "api.cli", "serve", "--development")
_START_S = 60.0
_STOP_S = 20.0


@dataclass(frozen=True)
class Server:
    """A running server and the number of its process; `secret` is a key with every scope."""

    port: int
    url: str
    folder: Path
    secret: str
    pid: int = 0

    @property
    def log(self) -> str:
        """All that it has written so far."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def ask(self, method: str, path: str, *, secret: str | None = "", **more: Any) -> httpx.Response:
        """One request over a new connection, its reply checked against the API's description."""
        headers = dict(more.pop("headers", {}))
        secret = self.secret if secret == "" else secret
        if secret is not None:
            headers.setdefault("Authorization", f"Bearer {secret}")
        address = f"http://127.0.0.1:{self.port}{path}"
        reply = httpx.request(method, address, headers=headers, timeout=60, **more)
        check_reply(method, httpx.URL(path).path, reply)
        return reply

    def apply(self, body: object, key: str | None = "", **more: Any) -> httpx.Response:
        """Send an application."""
        return self.ask("POST", APPLICATIONS, **apply_arguments(body, key, **more))

    def head(self, *lines: str) -> bytes:
        """The head of a raw POST of an application, with these lines added."""
        known = (f"POST {APPLICATIONS} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {self.secret}")
        return "\r\n".join((*known, "Content-Type: application/json", *lines, "", "")).encode("latin-1")

    def raw(self, *parts: bytes) -> tuple[int, bytes]:
        """Send bytes as they are; the status and the rest of what comes back, or 0 if the connection was cut."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            with suppress(ConnectionError):  # a refusal may come before all is sent
                for part in parts:
                    connection.sendall(part)
            reply = b""
            with suppress(ConnectionError, TimeoutError):
                while b"\r\n\r\n" not in reply and (more := connection.recv(65_536)):
                    reply += more
        status = reply.split(b" ", 2)[1] if reply.startswith(b"HTTP/1.1 ") else b"0"
        return int(status), reply

    def drop(self, *parts: bytes) -> None:
        """Send bytes, and go away without waiting for an answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            for part in parts:
                connection.sendall(part)


def environment(url: str, **more: str) -> dict[str, str]:
    """The environment of a command, without what this process was told."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CREDITLINE_")}
    return {**kept, "PYTHONPATH": str(ROOT), "CREDITLINE_DATABASE_URL": url, **more}


@contextmanager
def serving(
    url: str, folder: Path, market: Path | None, command: Sequence[str] = SERVE, more: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A server on this database for as long as the block lasts; without a market, `more` says where facts come from."""
    port = free_port()
    told = {"CREDITLINE_PORT": str(port), "CREDITLINE_DEVELOPMENT": "1"}
    if market is not None:
        told["CREDITLINE_MARKET"] = str(market)
    secret = add_key(url, "tests", EVERY_SCOPE)
    variables = environment(url, **(told | dict(more or {})))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=folder, env=variables, stdout=log, stderr=log, start_new_session=True
        )
    server = Server(port, url, folder, secret, process.pid)
    try:
        _wait_until_ready(server, process)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # its workers too: the group is its own
            process.wait()


def _wait_until_ready(server: Server, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + _START_S
    while time.monotonic() < ends and process.poll() is None:
        with suppress(httpx.TransportError):
            if httpx.get(f"http://127.0.0.1:{server.port}/ready", timeout=10).status_code == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the server did not get ready:\n{server.log}")
