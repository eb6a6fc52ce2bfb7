"""Every source dies at once, in the middle of load, and comes back: both processes are real, and so is the kill."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from api.sandbox.stories import book
from tests.support.laddering import now
from tests.support.postgres import free_port
from tests.support.server import Server, environment, serving
from tests.support.service import market_bodies

STARTED_S, RECOVERED_S, STOP_S = 60.0, 90.0, 20.0  # a follow-up is due after 5 s, a second one 15 s later
CALLERS, BEFORE_THE_KILL = 4, 12
PATIENT = {"Request-Deadline-Ms": "10000"}
PUBLIC = ["bank", "bureau", "marketplace", "registry"]
BREAKERS = {"register", "company-register", "marketplace", "bank", "bureau", "sanctions-list"}


@contextmanager
def sandbox(port: int, folder: Path, market: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """`creditline sandbox` for as long as the block lasts, or until it is killed."""
    command = ("-m", "api.cli", "sandbox", "--port", str(port), "--market", str(market))
    with (folder / f"sandbox-{time.monotonic_ns()}.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, *command], cwd=folder, env=environment(""), stdout=log, stderr=log)
    try:
        until(lambda: httpx.get(f"http://127.0.0.1:{port}/", timeout=5).status_code == 200, STARTED_S)
        yield process
    finally:
        process.terminate()
        process.wait(STOP_S)


def until(true: Callable[[], bool], seconds: float) -> None:
    """Wait until it holds; a connection that is refused meanwhile is no news."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        with suppress(httpx.TransportError):
            if true():
                return
        time.sleep(0.2)
    raise AssertionError("it did not come true in time")


def breakers(server: Server) -> dict[str, float]:
    """The state of each address's breaker."""
    prefix = 'creditline_source_breaker{source="'
    lines = server.ask("GET", "/metrics").text.splitlines()
    told = (line.removeprefix(prefix).split('"} ') for line in lines if line.startswith(prefix))
    return {source: float(state) for source, state in told}


def loaded(server: Server, bodies: list[Any], kill: Callable[[], None]) -> list[httpx.Response]:
    """All replies to these bodies, sent by several callers; `kill` is called once, when some have been answered."""
    answered = count(1)

    def apply(body: Any) -> httpx.Response:
        reply = server.apply(body, headers=PATIENT)
        if next(answered) == BEFORE_THE_KILL:
            kill()
        return reply

    with ThreadPoolExecutor(CALLERS) as callers:
        return list(callers.map(apply, bodies))


def missing(reply: httpx.Response) -> list[str]:
    """The sources that a reply calls unavailable."""
    return sorted(reply.json()["external_data_unavailable"])


def test_the_service_outlives_its_sources(sqlite_url: str, market: Path, tmp_path: Path) -> None:
    """Every request is answered 201 while they die; afterwards referred, named, and superseded once they are back."""
    port = free_port()
    more = {"CREDITLINE_SANDBOX": f"http://127.0.0.1:{port}"}
    with sandbox(port, tmp_path, market) as first, serving(sqlite_url, tmp_path, None, more=more) as server:
        until(lambda: '"sanctions_list"' in server.log, STARTED_S)
        replies = loaded(server, market_bodies(market, now())[:40], first.kill)
        assert {reply.status_code for reply in replies} == {201}
        assert missing(replies[0]) == []
        assert any(missing(reply) for reply in replies)
        assert all(reply.json()["outcome"] != "approve" for reply in replies if missing(reply))

        reply = server.apply(book()["clean"].submission(now().date()), headers=PATIENT)
        told = reply.json()
        assert (reply.status_code, told["outcome"], missing(reply)) == (201, "refer", PUBLIC)
        assert server.ask("GET", "/ready", secret=None).status_code == 200

        with sandbox(port, tmp_path, market):
            place = f"/v1/applications/{told['application_id']}/decision"
            until(lambda: server.ask("GET", place).json()["outcome"] == "approve", RECOVERED_S)
            current = server.ask("GET", place).json()
            assert (current["supersedes"], current["external_data_unavailable"]) == (told["decision_id"], [])
            until(lambda: set(breakers(server).values()) == {0.0}, RECOVERED_S)
            assert breakers(server).keys() >= BREAKERS
            again = server.apply(book()["thin"].submission(now().date()), headers=PATIENT)
            assert (again.json()["outcome"], missing(again)) == ("approve", [])
        log = server.log
    assert [word for word in ("Traceback", "internal_error", "source_error", "worker_error") if word in log] == []
