"""The command line: decide, replay, export, keys, migration; and every failure in one line."""

import json
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from api.store import queries
from api.store.database import Database
from api.store.migrations import is_current
from engine.application import Application
from engine.decision import Decision
from engine.facts import Facts
from tests.support.commands import failed, ran, run
from tests.support.postgres import Server as PostgresServer
from tests.support.postgres import free_port
from tests.support.service import PERSON, Service, body_of, market_bodies, opened

DECISIONS = 12


@dataclass(frozen=True)
class Record:
    """A database in which the champion decided on a dozen businesses of the market."""

    url: str
    ids: tuple[str, ...]


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, market: Path) -> Record:
    """Made once; whoever changes it takes a copy."""
    url = f"sqlite:///{shutil.copy(sqlite_template, tmp_path_factory.mktemp('record') / 'store.sqlite')}"
    with opened(url, market=market) as service:
        replies = [service.apply(body) for body in market_bodies(market)[:DECISIONS]]
    return Record(url, tuple(reply.json()["decision_id"] for reply in replies))


@pytest.fixture
def copied(record: Record, tmp_path: Path) -> Record:
    """A copy to change."""
    file = shutil.copy(record.url.removeprefix("sqlite:///"), tmp_path / "store.sqlite")
    return Record(f"sqlite:///{file}", record.ids)


# -- replay and export ---------------------------------------------------------------------------------------


def test_replay_of_one_and_of_all(record: Record) -> None:
    """Each decision, and all of them, are made again from the record with the shipped release: equal to the byte."""
    assert ran(record.url, "replay", record.ids[3]) == "1 replayed, 1 equal to the byte, 0 different\n"
    assert (
        ran(record.url, "replay", "--since", 0) == f"{DECISIONS} replayed, {DECISIONS} equal to the byte, 0 different\n"
    )
    assert ran(record.url, "replay", "--since", DECISIONS - 2).startswith("2 replayed, 2 equal")
    assert ran(record.url, "replay", "--since", DECISIONS).startswith("0 replayed, 0 equal")


def test_replay_names_what_was_altered(copied: Record) -> None:
    """An altered decision is named with what is wrong, the others are not, and the exit code says so."""
    with Database.open(copied.url) as database, database.transaction() as connection:
        connection.execute(text("DROP TRIGGER decision_no_update"))
        connection.execute(text("UPDATE decision SET body = body || ' ' WHERE id = :id"), {"id": copied.ids[5]})
    result = run(copied.url, "replay", "--since", 0)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{copied.ids[5]}  differs: record altered",
        f"{DECISIONS} replayed, {DECISIONS - 1} equal to the byte, 1 different",
    ]
    assert run(copied.url, "replay", copied.ids[5]).exit_code == 1
    assert run(copied.url, "replay", copied.ids[4]).exit_code == 0


def test_replay_wants_one_way_to_choose(record: Record) -> None:
    """A decision or a beginning, not both and not neither."""
    assert run(record.url, "replay").exit_code == 2
    assert run(record.url, "replay", record.ids[0], "--since", 0).exit_code == 2


def test_an_export_is_the_record_and_nothing_personal(record: Record, tmp_path: Path) -> None:
    """One line a decision, oldest first; application, facts and decision parse back to their exact bytes."""
    file = tmp_path / "export.jsonl"
    ran(record.url, "export", "--out", file)
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [line["decision_id"] for line in lines] == list(record.ids)
    assert [line["audit_seq"] for line in lines] == list(range(1, DECISIONS + 1))
    with Database.open(record.url) as database, database.transaction(read_only=True) as connection:
        for line in lines:
            row = queries.get_decision(connection, line["decision_id"])
            assert row is not None
            application = queries.get_application(connection, row.application_id)
            assert application is not None
            as_json = {name: json.dumps(line[name]) for name in ("application", "facts", "decision")}
            assert Application.model_validate_json(as_json["application"]).canonical() == application.body
            assert Facts.model_validate_json(as_json["facts"]).canonical() == queries.facts_body(
                connection, row.facts_sha256
            )
            assert Decision.model_validate_json(as_json["decision"]).canonical() == row.body
            assert (line["release_digest"], line["engine_digest"]) == (row.release_digest, row.engine_digest)
    told = file.read_text(encoding="utf-8")
    for detail in ("family_name", "email", "mobile", "date_of_birth"):
        assert str(PERSON[detail]) not in told
    assert ran(record.url, "export", "--since", DECISIONS - 1).count("\n") == 1


# -- decide --------------------------------------------------------------------------------------------------


def test_an_exported_line_is_decided_to_the_same_bytes(record: Record, tmp_path: Path) -> None:
    """`decide` on an exported application with its facts gives the recorded decision, to the byte."""
    for number, line in enumerate(ran(record.url, "export").splitlines()[::2]):
        whole, file = json.loads(line), tmp_path / f"{number}.json"
        file.write_text(json.dumps({name: whole[name] for name in ("application", "facts")}))
        told = ran(None, "decide", file, "--json").rstrip("\n").encode()
        assert told == Decision.model_validate_json(json.dumps(whole["decision"])).canonical()
        if number < 2:
            assert whole["decision"]["outcome"].upper() in ran(None, "decide", file)


@pytest.mark.parametrize("place", [0, 1])
def test_a_request_body_is_decided_with_a_market(market: Path, tmp_path: Path, place: int) -> None:
    """`decide` on a request body takes the facts from a market, and the statement from the body if it has one."""
    body = market_bodies(market)[place]
    file = tmp_path / "body.json"
    file.write_text(json.dumps(body))
    decision = Decision.model_validate_json(ran(None, "decide", file, "--market", market, "--json"))
    assert decision.requested_cents == body["request"]["amount_cents"]
    assert decision.synthetic
    assert decision.outcome.upper() in ran(None, "decide", file, "--market", market)


def test_an_example_is_a_body_that_is_accepted(market: Path, market_service: Service, tmp_path: Path) -> None:
    """`example` writes a request body with its bank connection, which the service decides."""
    file = tmp_path / "example.json"
    ran(None, "example", "--market", market, "--out", file)
    body = json.loads(file.read_text())
    assert body["bank_connection"] == f"sandbox-{body['business']['abn']}"
    assert market_service.apply(body).status_code == 201


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "malformed-json"),
        (b'{"a": 1, "a": 2}', "malformed-json"),
        (b"[]", "Input should be an object"),
        (b'{"facts": 1, "application": {}}', "facts"),
        (b"{}", "business: Field required"),
        (json.dumps({**body_of(), "people": []}).encode(), "people"),
        (json.dumps(body_of()).encode(), "give --market"),
    ],
)
def test_a_file_that_cannot_be_decided_is_told_in_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    """What is wrong with a file is said by path and rule, without its values."""
    file = tmp_path / "file.json"
    file.write_bytes(content)
    told = failed(None, "decide", file)
    assert words in told
    assert "BANKSIA" not in told


# -- keys ----------------------------------------------------------------------------------------------------


def test_a_key_is_made_listed_and_revoked(lone_service: Service) -> None:
    """The secret is shown once and works; the list shows its beginning alone; revoked, it is so for good."""
    secret = ran(lone_service.url, "key", "add", "shop", "--scope", "apply", "--scope", "audit").rstrip("\n")
    assert secret.startswith("cl_live_")
    assert lone_service.apply(body_of(), secret=secret).status_code == 201
    row = next(line for line in ran(lone_service.url, "key", "list").splitlines() if line.endswith("shop"))
    key_id, prefix, *scopes, state, _ = row.split()
    assert (prefix, scopes, state) == (f"{secret[:12]}...", ["apply", "audit"], "live")
    assert secret not in row
    assert ran(lone_service.url, "key", "revoke", key_id) == ""
    assert f"{key_id}  " in (listed := ran(lone_service.url, "key", "list"))
    assert "revoked" in listed
    assert failed(lone_service.url, "key", "revoke", key_id) == "there is no live key with that id"


# -- database and failures -----------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'store.sqlite'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.create_database()
    yield url
    server.drop_database(url)


def test_a_database_is_brought_up_to_date(empty_url: str) -> None:
    """Before `db upgrade` the other commands say that it is needed; after it, and after another, they work."""
    for words in (("key", "list"), ("export",), ("replay", "--since", "0"), ("replay", "dec_1"), ("key", "add", "x")):
        assert failed(empty_url, *words) == "the database is not up to date: run `creditline db upgrade` first"
    assert not is_current(empty_url)
    for _ in range(2):
        assert ran(empty_url, "db", "upgrade") == "the database is up to date\n"
    assert is_current(empty_url)
    assert ran(empty_url, "key", "list") == ""
    assert ran(empty_url, "replay", "--since", 0).startswith("0 replayed")


DATABASE_COMMANDS = [
    ("key", "list"), ("key", "add", "x"), ("key", "revoke", "key_1"), ("export",), ("replay", "dec_1"),
    ("replay", "--since", "0"), ("db", "upgrade"), ("serve", "--development"),
]  # fmt: skip


@pytest.mark.parametrize("words", DATABASE_COMMANDS)
def test_a_database_that_cannot_be_used_is_told_in_one_line(tmp_path: Path, words: tuple[str, ...]) -> None:
    """A server that is away, an address that is none, another kind of database, a file that is no database."""
    no_database = tmp_path / "text.sqlite"
    no_database.write_text("this is no database\n" * 400)
    away = f"postgresql://robin:canary@127.0.0.1:{free_port()}/canary"
    for url in (away, "canary", "mysql://robin:canary@localhost/x", "sqlite://", f"sqlite:///{no_database}"):
        assert "canary" not in failed(url, *words)


@pytest.mark.parametrize(
    ("words", "more", "told"),
    [
        (("decide", "{file}", "--release", "nothing"), {}, "no such release"),
        (("decide", "{file}", "--release", "../models"), {}, "name"),
        (("decide", "{file}", "--market", "{file}"), {}, "is not a synthetic market file"),
        (("decide", "{file}", "--market", "/nowhere"), {}, "cannot be opened"),
        (("example", "--market", "{file}"), {}, "is not a synthetic market file"),
        (("export", "--out", "/nowhere/export"), {}, "/nowhere/export"),
        (("replay", "dec_none"), {}, "there is no decision with that id"),
        (("serve",), {"CREDITLINE_PORT": "many"}, "CREDITLINE_PORT must be a number"),
        (("serve", "--development", "--workers", "2"), {}, "more than one worker needs PostgreSQL"),
        (("serve",), {"CREDITLINE_RELEASE": "nothing"}, "there is no release 'nothing' that can be read"),
    ],
)
def test_a_failure_is_one_line(
    record: Record, tmp_path: Path, words: tuple[str, ...], more: dict[str, str], told: str
) -> None:
    """A release, file, decision or setting that is not there is named in one line."""
    file = tmp_path / "body.json"
    file.write_text(json.dumps(body_of()))
    assert told in failed(record.url, *(word.replace("{file}", str(file)) for word in words), more=more)


def test_a_port_in_use_is_told(record: Record) -> None:
    """In development a second service on one port is refused: each request would meet either of the two."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        told = failed(record.url, "serve", "--development", "--port", str(port))
    assert f"something serves 127.0.0.1 port {port} already" in told
