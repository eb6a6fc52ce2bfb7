"""The service on a real socket: what HTTP itself can do wrong, who goes away too soon, and what is logged of it."""

import hashlib
import json
import re
import socket
import time
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pytest
from sqlalchemy import text

from api.errors import FieldProblem, Problem
from api.store import queries
from api.store.database import Database
from api.store.tables import metadata
from api.wire import Submission, fingerprint, parse_submission
from engine.canonical import canonical_bytes
from tests.support.schema import misfits, slug_of
from tests.support.server import Server
from tests.support.service import PERSON, Service, body_of, fresh_key, market_bodies

CANARIES = {
    "given_names": "Quokkaline", "family_name": "Bilbymoor", "mobile": "0491 570 157",
    "email": "numbat.canary@example.org", "date_of_birth": "1951-07-13",
}  # fmt: skip
TRACES = ("quokkaline", "bilbymoor", "491 570 157", "491570157", "numbat", "example.org", "1951-07-13", "13/07/1951")


@pytest.fixture(scope="module")
def body(market: Path) -> dict[str, Any]:
    """A request of one business of the market."""
    return market_bodies(market)[0]


def _decisions(server: Server, key: str) -> int:
    """How many decisions were made under a key."""
    with Database.open(server.url) as database, database.transaction(read_only=True) as connection:
        rows = "SELECT count(*) FROM idempotency JOIN decision ON decision.id = decision_id WHERE key = :key"
        return int(connection.execute(text(rows), {"key": key}).scalar_one())


def test_a_decision_over_the_wire(server: Server, body: dict[str, Any]) -> None:
    """Post, repeat and read again: the same bytes, none of them to be cached."""
    key = fresh_key()
    first, again = server.apply(body, key), server.apply(json.dumps(body, indent=2).encode(), key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    assert int(again.headers["age"]) >= 0
    read = server.ask("GET", f"/v1/decisions/{first.json()['decision_id']}")
    assert read.content == first.content
    assert {reply.headers["cache-control"] for reply in (first, again, read)} == {"no-store"}
    assert _decisions(server, key) == 1


@pytest.mark.parametrize("size", ["Content-Length: 11000000", "Transfer-Encoding: chunked"])
def test_a_body_too_large_is_refused(server: Server, size: str) -> None:
    """B24: 11 MB is 413 whether its length is announced or not, and the rest of it is not waited for."""
    part = b" " * 100_000
    chunk = b"186a0\r\n" + part + b"\r\n" if "chunked" in size else part
    status, reply = server.raw(server.head(f"Idempotency-Key: {fresh_key()}", size), *[chunk] * 110)
    assert status == 413
    assert b"payload-too-large" in reply


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: -1",),
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: 5, 6",),
        ("Content-Length: 5x",),
        ("Content-Length: 99999999999999999999999",),
        ("Transfer-Encoding: gzip",),
        ("Transfer-Encoding: chunked, gzip",),
    ],
)
def test_a_length_that_makes_no_sense_is_refused(server: Server, lines: tuple[str, ...]) -> None:
    """B24: a wrong, double or unreadable length is 400 and ends the connection, before any body is read."""
    status, reply = server.raw(server.head(f"Idempotency-Key: {fresh_key()}", *lines) + b"{}{}{}")
    assert status == 400
    assert b"connection: close" in reply.lower()


@pytest.mark.parametrize("order", [1, -1])
def test_two_ways_of_saying_the_length_smuggle_nothing(server: Server, body: dict[str, Any], order: int) -> None:
    """B24: with a length and chunks both, the chunks count alone and the connection ends: no second request hides."""
    key, hidden, whole = fresh_key(), fresh_key(), json.dumps(body).encode()
    lines = ("Content-Length: 5", "Transfer-Encoding: chunked")[::order]
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(whole), whole)
    behind = server.head(f"Idempotency-Key: {hidden}", f"Content-Length: {len(whole)}") + whole
    status, reply = server.raw(server.head(f"Idempotency-Key: {key}", *lines) + chunks + behind)
    assert status in {201, 400}
    assert b"connection: close" in reply.lower()
    assert _decisions(server, hidden) == 0


@pytest.mark.parametrize(
    "line",
    [
        "Idempotency-Key: 8letters",
        "Idempotency-Key: " + "x" * 4096,
        "Idempotency-Key: key-00000000000\x000001",
        "Idempotency-Key: key-00000000000\r\n0001",
        "Idempotency-Key: key-00000000000\r0001",
        "Idempotency-Key: key-00000000000\n0001",
        "Idempotency-Key: key-00000000000\r\n 0000001",
        "Idempotency-Key: key-000000000000001\r\nIdempotency-Key: key-000000000000002",
        "Idempotency-Key:",
        "X-Other: 1",
    ],
)
def test_a_wrong_key_on_the_wire_is_refused(server: Server, body: dict[str, Any], line: str) -> None:
    """B01, B02: too short, too long, with CR, LF or NUL, two at once or none: 400, whichever layer sees it first."""
    whole = json.dumps(body).encode()
    status, _ = server.raw(server.head(line, f"Content-Length: {len(whole)}") + whole)
    assert status == 400


def test_broken_chunks_are_malformed(server: Server) -> None:
    """A body whose chunks make no sense is 400 `malformed-request`, not an error of ours."""
    head = server.head(f"Idempotency-Key: {fresh_key()}", "Transfer-Encoding: chunked")
    status, reply = server.raw(head + b"zz\r\n{}\r\n0\r\n\r\n")
    assert status == 400
    assert b"malformed-request" in reply


def test_who_leaves_after_the_body_has_a_decision(server: Server, body: dict[str, Any]) -> None:
    """B07: the client drops after its body; the decision is made all the same, and the retry replays it."""
    key, whole = fresh_key(), json.dumps(body).encode()
    server.drop(server.head(f"Idempotency-Key: {key}", f"Content-Length: {len(whole)}") + whole)
    give_up = time.monotonic() + 20
    while not _decisions(server, key) and time.monotonic() < give_up:
        time.sleep(0.05)
    reply = server.apply(body, key)
    assert (reply.status_code, reply.headers["idempotency-replayed"]) == (201, "true")
    assert _decisions(server, key) == 1


def test_who_leaves_within_the_body_has_none(server: Server, body: dict[str, Any]) -> None:
    """Half a body decides nothing; the retry is a first request."""
    key, whole = fresh_key(), json.dumps(body).encode()
    server.drop(server.head(f"Idempotency-Key: {key}", f"Content-Length: {len(whole)}") + whole[: len(whole) // 2])
    reply = server.apply(body, key)
    assert reply.status_code == 201
    assert "idempotency-replayed" not in reply.headers


@pytest.mark.parametrize("hostile", [b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe{\x00}\x00", b"9" * 5_000, b"1e400"])
def test_hostile_bodies_are_answered_at_once(server: Server, hostile: bytes) -> None:
    """B25 over the wire: an answer comes, and the next request is served."""
    reply = server.apply(hostile)
    assert slug_of(reply) in {"malformed-json", "validation-failed"}
    assert server.ask("GET", "/health", secret=None).status_code == 200


def test_unknown_paths_and_methods_are_problems(server: Server) -> None:
    """404 and 405 are problems like any other, and 405 says what is allowed."""
    assert slug_of(server.ask("GET", "/nothing/here", secret=None)) == "not-found"
    assert slug_of(server.ask("GET", "/v1/decisions/../../etc/passwd", secret=None)) == "not-found"
    reply = server.ask("DELETE", "/v1/applications", secret=None)
    assert (reply.status_code, slug_of(reply)) == (405, "method-not-allowed")
    assert "POST" in reply.headers["allow"]


def test_personal_details_stay_with_the_person(server: Server, body: dict[str, Any], market: Path) -> None:
    """Names, mobile, e-mail and birth date are in the person's row alone: in no log, metric, reply or other row."""
    person = {**body["people"][0], **CANARIES}
    whole = {**body, "people": [person]}
    key = fresh_key()
    replies = [
        server.apply(whole, key),
        server.apply(whole, key),
        server.apply({**whole, "request": {"amount_cents": 5_000_000, "purpose": "stock"}}, key),  # reuse
        server.apply(whole, secret=None),
        server.apply(whole, None),
        server.apply(whole, headers={"Content-Type": "text/plain"}),
        server.apply(json.dumps(whole).encode() + b"}"),
        server.apply({**whole, "people": [{**person, "mobile": "Quokkaline", "email": "Bilbymoor"}]}),
        server.apply({**whole, "people": [{**person, "date_of_birth": "1951-07-13T00"}, {**PERSON, **CANARIES}]}),
        server.apply({**whole, "business": {**body["business"], "abn": CANARIES["email"]}}),
        server.ask("GET", "/metrics"),
    ]
    assert [reply.status_code for reply in replies] == [201, 201, 422, 401, 400, 415, 400, 422, 422, 422, 200]
    decision_id = replies[0].json()["decision_id"]
    replies += [server.ask("GET", f"/v1/decisions/{decision_id}{more}") for more in ("", "/replay")]
    places = {f"reply {number}": reply.text + str(reply.headers) for number, reply in enumerate(replies)}
    places |= {"log": server.log, **_rows_but_people(server)}
    for trace in TRACES:
        assert [place for place, held in places.items() if trace in held.lower()] == [], trace
    with Database.open(server.url) as database, database.transaction(read_only=True) as connection:
        people = connection.execute(text("SELECT body FROM person")).scalars().all()
    kept = [json.loads(each) for each in people if each and "Quokkaline" in each]
    assert [(each["email"], each["mobile"], each["date_of_birth"]) for each in kept] == [
        (CANARIES["email"], "+61491570157", "1951-07-13")
    ]


def _rows_but_people(server: Server) -> dict[str, str]:
    """Every value of every row of every other table, facts unpacked."""
    told: dict[str, list[str]] = {}
    with Database.open(server.url) as database, database.transaction(read_only=True) as connection:
        for table in metadata.sorted_tables:
            if table.name != "person":
                rows = connection.execute(table.select()).all()
                told[table.name] = [v.decode("latin-1") if isinstance(v, bytes) else str(v) for r in rows for v in r]
        for sha256 in connection.execute(text("SELECT sha256 FROM fact_set")).scalars():
            told["fact_set"].append((queries.facts_body(connection, sha256) or b"").decode())
    return {name: "\n".join(values) for name, values in told.items()}


def test_odd_text_breaks_no_header_and_no_log_line(server: Server, body: dict[str, Any]) -> None:
    """B29: with traps for eyes and terminals in names, every line of the log is one JSON object of known fields."""
    odd = "=cmd|'/C calc'!A0 \u202egnp.exe\u202c zero\u200bwidth {{7*7}} %0d%0aSet-Cookie: a=b"
    before = len(server.log.splitlines())
    reply = server.apply({**body, "people": [{**body["people"][0], "given_names": odd, "family_name": odd}]})
    assert reply.status_code == 201
    assert "set-cookie" not in reply.headers
    requests: list[dict[str, Any]] = []
    give_up = time.monotonic() + 5
    while not requests and time.monotonic() < give_up:  # the line is written after the reply is sent
        lines = [json.loads(line) for line in server.log.splitlines()[before:] if line.startswith("{")]
        requests = [line for line in lines if line.get("request_id") == reply.headers["x-request-id"]]
    assert [(line["method"], line["route"], line["status"]) for line in requests] == [("POST", "/v1/applications", 201)]
    known = {"method", "route", "status", "ms", "request_id", "event", "level", "timestamp"}
    assert all(set(line) == known for line in lines)


def test_the_log_has_one_line_a_request_and_no_address(server: Server) -> None:
    """A request is logged by route template, so no id, path or address of a caller is in the log."""
    probe = server.ask("GET", "/v1/decisions/dec_canary0000")
    server.ask("GET", "/v1/nothing-canary")
    time.sleep(0.1)
    own = [line for line in server.log.splitlines() if line.startswith("{")]
    assert sum(probe.headers["x-request-id"] in line for line in own) == 1
    assert server.secret not in server.log
    assert not any("canary" in line or re.search(r"127\.0\.0\.1", line) for line in own)


# -- uploaded statements ---------------------------------------------------------------------------------------

NOW = date(2026, 8, 3)
MARCH = """Date,Description,Debit,Credit,Balance
02/03/2026,OPENING BALANCE,,,1000.00
03/03/2026,DIRECT CREDIT WATTLE,,500.00,1500.00
04/03/2026,HAKEA WHOLESALE,200.50,,1299.50
"""


def uploading(*files: str, **changes: Any) -> dict[str, Any]:
    """A request with these files, each of an account of its own."""
    statements = [{"account_name": f"Account {n}", "csv": content} for n, content in enumerate(files)]
    return {**body_of(), "statements": statements, **changes}


def parsed(body: dict[str, Any]) -> Submission:
    """What the wire makes of a request."""
    return parse_submission(json.dumps(body).encode(), NOW)


def refusals(body: dict[str, Any]) -> list[tuple[str, str]]:
    """Path and rule of what is wrong with a request."""
    with pytest.raises(Problem) as caught:
        parsed(body)
    assert caught.value.slug == "validation-failed"
    return [(error.path, error.rule) for error in caught.value.errors]


@pytest.mark.parametrize("evidence", ["connected", "declared"])
def test_uploads_are_declared_whoever_sends_them(evidence: Literal["connected", "declared"]) -> None:
    """A file that anybody can write is never taken for a bank's own word."""
    bank = parsed(uploading(MARCH)).bank_fact(evidence)
    assert bank is not None
    assert (bank.evidence, len(bank.transactions)) == ("declared", 2)


def test_an_upload_fits_the_description_and_is_decided_on(lone_service: Service) -> None:
    """The published schema has the field, and the facts of the decision hold what was uploaded."""
    body = uploading(MARCH, device="dev-1")
    assert misfits(body, {"$ref": "#/components/schemas/Submission"}) == []
    reply = lone_service.apply(body)
    assert reply.status_code == 201
    bank = lone_service.facts_of(reply.json()["decision_id"]).bank.value
    assert bank is not None
    assert (bank.evidence, bank.texts) == ("declared", ("DIRECT CREDIT WATTLE", "HAKEA WHOLESALE"))


def test_a_row_that_does_not_add_up_is_named() -> None:
    """Path and rule say which file, which row and what is wrong; the reply repeats nothing of it."""
    wrong = MARCH.replace("1299.50", "1299.51").replace("HAKEA", "CANARY7f3a")
    assert refusals(uploading(MARCH, wrong.replace("500.00", "50.00"))) == [
        ("statements.1.rows.3", "balance_mismatch"),
        ("statements.1.rows.4", "balance_mismatch"),
    ]
    with pytest.raises(Problem) as caught:
        parsed(uploading(wrong))
    assert caught.value.errors == (
        FieldProblem("statements.0.rows.4", "balance_mismatch", "The balance is not the one before it plus the amount"),
    )


def test_files_and_their_whole_are_named() -> None:
    """A problem of a file has no row, and one of all files together no number."""
    assert refusals(uploading(MARCH, "nothing")) == [("statements.1", "columns_unknown")]
    years = MARCH.replace("02/03/2026", "02/03/2024")
    assert refusals(uploading(years)) == [("statements", "too_long")]
    late = MARCH.replace("04/03/2026", "05/08/2026")
    assert refusals(uploading(late)) == [("statements.0.rows.4", "date_in_future")]


def test_bank_data_comes_one_way() -> None:
    """Uploads beside the standards' JSON, or beside a connection, are refused; without consent, too."""
    body = uploading(MARCH)
    statement = {
        "oldest": "2026-03-01", "newest": "2026-03-04", "transactions": [],
        "accounts": [{"accountId": "a", "productCategory": "TRANS_AND_SAVINGS_ACCOUNTS"}],
        "balances": [{"accountId": "a", "currentBalance": "5.00", "availableBalance": "5.00"}],
    }  # fmt: skip
    assert refusals({**body, "bank": statement}) == [("statements", "bank_twice")]
    assert refusals({**body, "bank_connection": "arr-1"}) == [("statements", "bank_twice")]
    consents = [consent for consent in body["consents"] if consent["kind"] != "bank_data"]
    assert refusals({**body, "consents": consents}) == [("statements", "bank_consent_missing")]


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ({"account_name": "x" * 81, "csv": MARCH}, "statements.0.account_name"),
        ({"account_name": "a\nb", "csv": MARCH}, "statements.0.account_name"),
        ({"account_name": "a", "csv": ""}, "statements.0.csv"),
        ({"account_name": "a", "csv": "x" * 2_000_001}, "statements.0.csv"),
        ({"account_name": "a", "csv": MARCH, "product_category": "PIGGY_BANK"}, "statements.0.product_category"),
        ({"account_name": "a", "csv": MARCH, "url": "x"}, "statements.0.url"),
    ],
)
def test_a_file_s_fields_are_checked(file: dict[str, str], path: str) -> None:
    """Names, sizes and categories outside their limits are refused by path."""
    assert [where for where, _ in refusals({**body_of(), "statements": [file]})] == [path]


def test_at_most_ten_files() -> None:
    """An eleventh file is refused before any is read."""
    assert [path for path, _ in refusals(uploading(*["x"] * 11))] == ["statements"]


def test_the_connection_reaches_the_application_and_the_device_does_not() -> None:
    """A source client reads `bank_connection` from the application; a device is for guards alone."""
    application = parsed({**body_of(), "bank_connection": "arr-1", "device": "dev-1"}).application(("per_1",))
    assert application.bank_connection == "arr-1"
    assert b"dev-1" not in application.canonical()


def test_the_fingerprint_covers_everything() -> None:
    """Files, device and connection each change it; said nothing, they leave it as it was before they were known."""
    bodies = (
        body_of(),
        uploading(MARCH),
        uploading(MARCH + "\n"),
        {**body_of(), "device": "dev-1"},
        {**body_of(), "bank_connection": "arr-1"},
    )
    prints = [fingerprint("/v1/applications", parsed(body)) for body in bodies]
    assert len(set(prints)) == len(prints)
    unsaid = {**body_of(), "device": None, "bank_connection": None, "statements": []}
    assert fingerprint("/v1/applications", parsed(unsaid)) == prints[0]
    assert prints[0] == old_fingerprint(parsed(body_of()))


def old_fingerprint(submission: Submission) -> str:
    """The fingerprint as it was before those fields: keys of then are still replayed."""
    names = ("business", "request", "finances", "consents", "people")
    body = {**submission.model_dump(mode="json", include=set(names)), "bank": None}
    return hashlib.sha256(b"POST /v1/applications v1\n" + canonical_bytes(body)).hexdigest()


def test_a_body_that_does_not_come_is_given_up(server: Server, body: dict[str, Any]) -> None:
    """B23: a body that stops arriving is 408 after ten seconds, and others are served meanwhile."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(server.head(f"Idempotency-Key: {fresh_key()}", "Content-Length: 500") + b'{"bus')
        began = time.monotonic()
        assert server.apply(body).status_code == 201
        reply = b""
        while b"\r\n\r\n" not in reply and (more := connection.recv(65_536)):
            reply += more
    assert reply.startswith(b"HTTP/1.1 408")
    assert b"connection: close" in reply.lower()
    assert 9 < time.monotonic() - began < 20
