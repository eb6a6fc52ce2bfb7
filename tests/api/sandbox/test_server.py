"""The sandbox over real sockets: sources behind their prefixes, switches that break them, an orderly end."""

import hashlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.sandbox import PREFIXES
from api.sandbox.server import MOST_BODY_BYTES, OVERSIZED_BYTES
from api.sandbox.stories import book
from api.sources.market import MarketFile
from tests.support.postgres import free_port
from tests.support.sandbox import SandboxServer

ROOT = Path(__file__).parents[3]
DAY = date(2026, 11, 24)
REGISTER = "/abn-lookup/json/AbnDetails.aspx"
BEARER = {"Authorization": "Bearer sandbox-token"}
START_S, STOP_S = 60.0, 5.0


@pytest.fixture(scope="module")
def shared() -> Iterator[SandboxServer]:
    """A sandbox without a market; a test leaves its switches as it found them."""
    with SandboxServer(today=lambda: DAY) as running:
        yield running


@pytest.fixture
def sandbox(shared: SandboxServer) -> Iterator[SandboxServer]:
    """The shared sandbox with every switch at rest afterwards."""
    yield shared
    for source in PREFIXES:
        shared.switch(source)


def lookup(server: SandboxServer, abn: str = book()["clean"].abn, timeout: float = 20) -> httpx.Response:
    """Ask the register about an ABN, over a connection of its own."""
    return httpx.get(server.url + REGISTER, params={"guid": "sandbox-guid", "abn": abn}, timeout=timeout)


def answers(url: str, abns: list[str]) -> str:
    """SHA-256 over what every source with an ABN says of these."""
    told = hashlib.sha256()
    with httpx.Client(base_url=url, headers=BEARER, timeout=30) as client:
        for abn in abns:
            pull = {"abn": abn, "purpose": "commercial_credit"}
            consent = {"kind": "commercial_bureau", "version": "1", "given_at": "2026-11-24T00:00:00Z"}
            bank = {"X-CDR-Arrangement-Id": f"sandbox-{abn}", "x-v": "2"}
            for reply in (
                client.get(REGISTER, params={"guid": "sandbox-guid", "abn": abn}),
                client.get(f"/marketplace/v1/buyers/{abn}/suppliers"),
                client.get("/cdr/cds-au/v1/banking/accounts", headers=bank | {"x-v": "3"}),
                client.get(f"/cdr/cds-au/v1/banking/accounts/sandbox-{abn}-everyday/transactions", headers=bank),
                client.post(
                    "/bureau/v1/commercial-reports", json=pull | {"consent": consent}, headers={"Idempotency-Key": abn}
                ),
            ):
                assert reply.status_code == 200 or abn != book()["clean"].abn
                told.update(b"%d " % reply.status_code + reply.content)
    return told.hexdigest()


# -- sources -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", PREFIXES)
def test_every_source_is_wired(source: str, sandbox: SandboxServer) -> None:
    """Each prefix leads to a source that answers, even what it does not understand, and is counted."""
    before = sandbox.requests[source]
    for path in ("", "/", "/no/such/path"):
        reply = httpx.get(sandbox.url + PREFIXES[source] + path)
        assert reply.status_code in {400, 401, 403, 404, 405, 406, 409, 422}
        assert reply.headers["X-Sandbox"] == "synthetic"
    assert sandbox.requests[source] == before + 3


@pytest.mark.parametrize("path", ["/nowhere", "/abn-lookupx", "/cdrx/y", "/switch/nobody", "/%2e%2e/x"])
def test_an_unknown_source_is_not_found(path: str, sandbox: SandboxServer) -> None:
    """What is below no prefix is a marked 404 and counted nowhere."""
    before = dict(sandbox.requests)
    reply = httpx.get(sandbox.url + path) if "switch" not in path else httpx.put(sandbox.url + path, content=b"{}")
    assert (reply.status_code, reply.headers["X-Sandbox"]) == (404, "synthetic")
    assert dict(sandbox.requests) == before


def test_a_body_is_limited(sandbox: SandboxServer) -> None:
    """A request of more than 1 MB is refused with a marked 413."""
    reply = httpx.post(sandbox.url + "/bureau/v1/commercial-reports", content=b"x" * (MOST_BODY_BYTES + 1))
    assert (reply.status_code, reply.headers["X-Sandbox"]) == (413, "synthetic")


def test_a_mistake_in_a_source_is_a_marked_error(market: Path, tmp_path: Path) -> None:
    """A source that raises gives a marked 500 that says nothing of the request, and the sandbox goes on."""
    path = tmp_path / "market.sqlite"
    path.write_bytes(market.read_bytes())
    with MarketFile.open(path) as file:
        [application] = file.sample_applications(1)
    with SandboxServer(path) as server:
        path.write_bytes(b"no market any more" * 1_000)
        reply = lookup(server, application.business.abn)
        assert (reply.status_code, reply.headers["X-Sandbox"]) == (500, "synthetic")
        assert application.business.abn not in reply.text
        assert lookup(server).status_code == 200


def test_the_front_page_lists_sources_stories_and_switches(sandbox: SandboxServer) -> None:
    """The page at / names every source with its prefix and switch, and every story with its ABN."""
    sandbox.switch("bank", fault="busy", share=0.5)
    reply = httpx.get(sandbox.url)
    assert reply.headers["X-Sandbox"] == "synthetic"
    for wanted in (*PREFIXES, *PREFIXES.values(), *book(), *(story.abn for story in book().values())):
        assert wanted in reply.text
    assert '{"fault":"busy","share":0.5}' in reply.text


# -- stories -------------------------------------------------------------------------------------------------


def test_a_story_concerns_its_own_abn_alone(sandbox: SandboxServer) -> None:
    """Where the register is down for one story, it answers about the others."""
    assert lookup(sandbox, book()["down_register"].abn).status_code == 500
    assert lookup(sandbox, book()["down_bank"].abn).status_code == 200


def test_a_lying_register_answers_about_another(sandbox: SandboxServer) -> None:
    """The record of another story comes back, true to form."""
    clean, liar = book()["clean"].abn, book()["lying_register"].abn
    assert lookup(sandbox, liar).content == lookup(sandbox, clean).content
    assert clean in lookup(sandbox, liar).text


def test_the_late_bureau_answers_the_second_request() -> None:
    """The count of its requests is kept by the process and starts anew with it."""
    path = "/bureau/v1/commercial-reports"
    for _ in range(2):
        with SandboxServer() as server:
            body = {"abn": book()["late_bureau"].abn}
            statuses = [httpx.post(server.url + path, json=body).status_code for _ in range(3)]
            assert statuses == [503, 401, 401]  # the source itself misses its token


def test_two_instances_say_the_same(market: Path) -> None:
    """Another process with other hash seeds gives the same bytes about stories and market on the same day."""
    stories = [story.abn for story in book().values() if not story.conduct]
    with MarketFile.open(market) as file:
        abns = [*stories, *(application.business.abn for application in file.sample_applications(5))]
    with SandboxServer(market) as server:
        here = answers(server.url, abns)
        assert here != answers(server.url, abns[:-1])
    with process("--market", str(market), hash_seed="4711") as (_, url):
        assert answers(url, abns) == here


# -- switches ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "status"), [("error", 500), ("busy", 503), ("unauthorised", 401), ("redirect", 302)])
def test_a_status_fault(fault: str, status: int, sandbox: SandboxServer) -> None:
    """The source answers with this status, marked, and the others are untouched."""
    sandbox.switch("register", fault=fault)
    reply = lookup(sandbox)
    assert (reply.status_code, reply.headers["X-Sandbox"]) == (status, "synthetic")
    assert httpx.get(sandbox.url + "/bureau").status_code == 401
    sandbox.switch("register")
    assert lookup(sandbox).status_code == 200


@pytest.mark.parametrize("fault", ["garbage", "truncated"])
def test_a_fault_of_the_bytes(fault: str, sandbox: SandboxServer) -> None:
    """The answer is 200, marked, and not what it was."""
    good = lookup(sandbox).content
    sandbox.switch("register", fault=fault)
    reply = lookup(sandbox)
    assert (reply.status_code, reply.headers["X-Sandbox"]) == (200, "synthetic")
    assert len(reply.content) == (len(good) if fault == "garbage" else len(good) // 2)
    assert reply.content != good


def test_a_compressed_answer_nobody_asked_for(sandbox: SandboxServer) -> None:
    """Gzip comes although the request accepts none."""
    sandbox.switch("register", fault="compressed")
    reply = httpx.get(sandbox.url + REGISTER, headers={"Accept-Encoding": "identity"})
    assert reply.headers["Content-Encoding"] == "gzip"


def test_a_reset(sandbox: SandboxServer) -> None:
    """The connection ends with a reset and no byte of an answer."""
    sandbox.switch("register", fault="reset")
    with raw(sandbox, f"GET {REGISTER} HTTP/1.1\r\nHost: x\r\n\r\n") as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)


def test_a_black_hole(sandbox: SandboxServer) -> None:
    """Nothing comes while the caller waits."""
    sandbox.switch("register", fault="black_hole")
    with raw(sandbox, f"GET {REGISTER} HTTP/1.1\r\nHost: x\r\n\r\n") as connection:
        assert select.select([connection], [], [], 0.5)[0] == []


def test_a_trickle(sandbox: SandboxServer) -> None:
    """The answer comes whole and right, a byte at a time: it takes many reads and at least its pauses."""
    good = lookup(sandbox, "x").content
    sandbox.switch("register", fault="trickle")
    started, pieces = time.monotonic(), 0
    with httpx.stream("GET", sandbox.url + REGISTER, timeout=20, params={"abn": "x", "guid": "sandbox-guid"}) as reply:
        assert reply.headers["X-Sandbox"] == "synthetic"
        found = b""
        for piece in reply.iter_raw():
            found, pieces = found + piece, pieces + 1
            if pieces == 40:
                break
    assert good.startswith(found)
    assert len(found) < len(good)
    assert time.monotonic() - started > 1


def test_latency_is_added(sandbox: SandboxServer) -> None:
    """An answer takes at least its latency, and is right."""
    good = lookup(sandbox).content
    sandbox.switch("register", latency_ms=300)
    started = time.monotonic()
    assert lookup(sandbox).content == good
    assert time.monotonic() - started >= 0.3


def test_a_share_is_counted_from_the_switch(sandbox: SandboxServer) -> None:
    """Every other request fails, beginning anew each time that the switch is set."""
    for _ in range(2):
        sandbox.switch("register", fault="busy", share=0.5)
        assert [lookup(sandbox).status_code for _ in range(4)] == [200, 503, 200, 503]


def test_switches_are_set_over_http(sandbox: SandboxServer) -> None:
    """PUT sets a switch as a whole, GET shows it, `{}` takes it back."""
    told = {"latency_ms": 1, "jitter_ms": 2, "fault": "busy", "share": 1.0}
    reply = httpx.put(sandbox.url + "/switch/register", json=told)
    assert (reply.status_code, reply.json(), reply.headers["X-Sandbox"]) == (200, told, "synthetic")
    assert httpx.get(sandbox.url + "/switch").json()["register"] == told
    assert lookup(sandbox).status_code == 503
    assert httpx.put(sandbox.url + "/switch/register", content=b"{}").json()["fault"] is None
    assert lookup(sandbox).status_code == 200


@pytest.mark.parametrize("body", [b"", b"[]", b'{"fault":"gone"}', b'{"share":2}', b'{"latency_ms":-1}', b'{"x":1}'])
def test_a_switch_that_makes_no_sense_is_refused(body: bytes, sandbox: SandboxServer) -> None:
    """A body that is no switch is a marked 422, and the switch stays as it was."""
    before = httpx.get(sandbox.url + "/switch").json()
    reply = httpx.put(sandbox.url + "/switch/bank", content=body)
    assert (reply.status_code, reply.headers["X-Sandbox"]) == (422, "synthetic")
    assert httpx.get(sandbox.url + "/switch").json() == before


def test_a_caller_that_goes_away_is_no_news(sandbox: SandboxServer, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is logged where the caller hangs up on 50 MB, and the sandbox goes on."""
    sandbox.switch("register", fault="oversized")
    with httpx.stream("GET", sandbox.url + REGISTER, timeout=20) as reply:
        next(reply.iter_raw())
    sandbox.switch("register")
    assert lookup(sandbox).status_code == 200
    assert caplog.records == [record for record in caplog.records if record.name.startswith("http")]


# -- the process ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_told(name: signal.Signals) -> None:
    """A signal ends it in time and in order, with a request waiting in a black hole."""
    with process("--fault", "register=black_hole") as (running, url):
        where = httpx.URL(url)
        with socket.create_connection((where.host, where.port or 0), timeout=20) as connection:
            connection.sendall(f"GET {REGISTER} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            waits(url, "register          /abn-lookup        1 request")
            running.send_signal(name)
            assert running.wait(STOP_S) == 0


def test_options_of_the_command_are_switches() -> None:
    """Latency and fault given at the start are in force; a wrong one is one line."""
    with process("--latency", "bank=7", "--fault", "bank=busy:0.5") as (_, url):
        assert httpx.get(url + "/switch").json()["bank"] == {
            "latency_ms": 7, "jitter_ms": 0, "fault": "busy", "share": 0.5,
        }  # fmt: skip
    refused = subprocess.run(
        [sys.executable, "-m", "api.cli", "sandbox", "--fault", "bank=gone"],
        cwd=ROOT, capture_output=True, text=True, timeout=START_S, check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: ")
    assert refused.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
def test_fifty_megabytes_are_never_held() -> None:
    """Sending 50 MB raises the peak of the process's memory by far less than that."""
    with process("--fault", "register=oversized") as (running, url):
        with suppress(httpx.HTTPError):
            httpx.get(url + "/switch")
        before = peak(running.pid)
        with httpx.stream("GET", url + REGISTER, timeout=60) as reply:
            sent = sum(len(piece) for piece in reply.iter_raw())
        assert sent > OVERSIZED_BYTES
        assert peak(running.pid) - before < 10_000_000


def peak(pid: int) -> int:
    """The most memory that a process ever held, bytes."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1_024 for line in lines if line.startswith("VmHWM"))


@contextmanager
def raw(server: SandboxServer, request: str) -> Iterator[socket.socket]:
    """A connection over which a request was sent."""
    where = httpx.URL(server.url)
    with socket.create_connection((where.host, where.port or 0), timeout=20) as connection:
        connection.sendall(request.encode())
        yield connection


@contextmanager
def process(*options: str, hash_seed: str = "1") -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """`creditline sandbox` in a process of its own, and its URL."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "api.cli", "sandbox", "--port", str(port), *options]
    environment: Mapping[str, Any] = {**os.environ, "PYTHONHASHSEED": hash_seed}
    running = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        waits(url, "The creditline sandbox")
        yield running, url
    finally:
        running.kill()
        running.wait()


def waits(url: str, words: str) -> None:
    """Wait until the front page holds these words."""
    ends = time.monotonic() + START_S
    while time.monotonic() < ends:
        with suppress(httpx.TransportError):
            if words in httpx.get(url, timeout=10).text:
                return
        time.sleep(0.05)
    raise AssertionError(f"{url} does not say so in time: {words}")
