"""The benchmark service and its client: the same decision from derived facts as from whole ones, over a real socket."""

import asyncio
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

import models
from benchmarks.arrivals import http
from benchmarks.http import capacity
from benchmarks.http.app import application, release_with, routes
from benchmarks.http.derived import Derived, Whole
from benchmarks.http.load import Plan, whole
from benchmarks.http.load import run as load
from benchmarks.scoring.models import Model, shipped
from benchmarks.subject import subject
from engine.canonical import canonical_bytes
from engine.decision import decide, decide_case


@pytest.fixture(scope="module")
def model() -> Model:
    """The champion's own."""
    return shipped()


def given() -> Whole:
    """The business of the measurements."""
    return Whole(subject().application, subject().facts)


def test_both_routes_reply_alike(model: Model) -> None:
    """The reply to derived facts is that to the whole facts, to the byte."""
    answers = routes(release_with(model.text))
    whole_reply = answers["/whole"](given().write())
    assert answers["/derived"](Derived.of(given()).write()) == whole_reply
    assert json.loads(whole_reply)["outcome"] == subject().decision.outcome


def test_a_case_decided_by_itself_is_the_decision() -> None:
    """decide_case on derived evidence gives the bytes of decide on the whole facts, reasons and all."""
    release = models.champion()
    case, row = Derived.read(Derived.of(given()).write()).case(release)
    assert decide_case(case, row, release).canonical() == decide(*vars_of(given()), release).canonical()


def vars_of(whole: Whole) -> tuple[Any, Any]:
    """Both arguments of a decision."""
    return whole.application, whole.facts


def test_scores_are_the_scorers(model: Model) -> None:
    """The score routes reply with the scorer's own numbers."""
    release = release_with(model.text)
    row = [0.0] * len(model.names)
    told = json.loads(routes(release)["/explain"](json.dumps(row).encode()))
    assert told["score"] == release.scorer.raw(row)
    assert told["contributions"] == release.scorer.contributions(row).tolist()


class Asked:
    """One request as granian's interface has it, and what is answered."""

    def __init__(self, path: str, body: bytes) -> None:
        self.path = path
        self.body = body
        self.answered: tuple[int, bytes] | None = None

    async def __call__(self) -> bytes:
        """The whole body."""
        return self.body

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """A reply with a body."""
        self.answered = status, body

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        """A reply without one."""
        self.answered = status, b""


async def told(serve: Any, asked: Asked) -> None:
    """Serve it once."""
    await serve(asked, asked)


def test_a_path_has_its_answer_or_none(model: Model) -> None:
    """A known path answers what its route says of the body, an unknown one that it is not there."""
    serve = application(release_with(model.text))
    for path, expected in (("/nothing", (200, b"{}")), ("/nowhere", (404, b""))):
        asked = Asked(path, b"{}")
        asyncio.run(told(serve, asked))
        assert asked.answered == expected


def test_what_is_read_is_what_was_written() -> None:
    """Structs hold what the engine's records hold, properties and tables too; another type or word is refused."""
    body, kept = given().write(), given()
    read = Whole.read(body)
    assert canonical_bytes(msgspec.to_builtins(read.application)) == kept.application.canonical()
    assert read.application.business.division == kept.application.business.division
    assert read.facts.synthetic == kept.facts.synthetic
    banks = [facts.bank.value for facts in (read.facts, kept.facts)]
    assert len({bank.transactions for bank in banks if bank is not None}) == 1
    for right, wrong in (
        (b'"status":"present"', b'"status":"perhaps"'),
        (b'"business_cents":', b'"business_cents":"x","a":'),
    ):
        with pytest.raises(msgspec.ValidationError):
            Whole.read(body.replace(right, wrong))


def test_services_take_turns(model: Model, tmp_path: Path) -> None:
    """Our two servers start, answer LightGBM's score, and every route of ours is loaded without a fault."""
    found = capacity.measure(model, tmp_path / "http", seconds=0.3, rounds=1, peers=False)
    assert found.failed == {}
    assert set(found.a_second) == {
        capacity.EMPTY, capacity.NOTHING, capacity.DERIVED, capacity.WHOLE, capacity.SCORE, capacity.EXPLAIN,
    }  # fmt: skip
    assert all(rate > 0 for rates in found.a_second.values() for rate in rates)


# -- the client ------------------------------------------------------------------------------------------------


@contextmanager
def listening(status: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A server on a free port that answers everything with one status, and what it was sent."""
    seen: list[bytes] = []

    class Answering(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline():
                seen.append(line)
                if line == b"\r\n":
                    self.wfile.write(b"HTTP/1.1 " + status + b" X\r\ncontent-length: 3\r\n\r\n")
                    self.wfile.write(b"abc")  # a reply in two parts

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1], seen
        server.shutdown()
        thread.join(10)


def plan(port: int) -> Plan:
    """A short run on two connections."""
    return Plan(port, (http("GET", "/a", (("Key", "{key}"),)),), seconds=0.2, warm=0.05, connections=2, run="r")


def test_the_client_counts_replies_and_waits_for_the_last() -> None:
    """Every request sent has its reply counted, each with a key of its own."""
    with listening(b"201") as (port, seen):
        counted = load(plan(port))
    keys = [line for line in seen if line.startswith(b"Key:")]
    assert counted.sent == len(keys) == len(set(keys))
    assert 0 < counted.answered <= counted.sent
    assert counted.others == {}


def test_the_client_counts_other_replies_apart() -> None:
    """A status that is no success is no answer."""
    with listening(b"503") as (port, _):
        counted = load(plan(port))
    assert counted.answered == 0
    assert counted.others == {"503": counted.sent}


def test_a_reply_is_whole_with_its_last_byte() -> None:
    """A reply that lacks a byte is not whole; one that does not say how long it is is a fault."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    assert not whole(head[:-1])
    assert not whole(head + b"a")
    assert whole(head + b"ab")
    with pytest.raises(ConnectionError):
        whole(b"HTTP/1.1 200 OK\r\n\r\nab")
