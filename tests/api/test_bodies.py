"""Bodies that are not JSON, not ours, not acceptable, or only odd: each has one answer, and none holds a value."""

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from api.errors import MOST_FIELD_PROBLEMS
from tests.support.businesses import facts_of, story
from tests.support.schema import slug_of
from tests.support.service import PERSON, Service, body_of, telling

Change = Callable[[dict[str, Any]], object]
WHOLE = json.dumps(body_of()).encode()
MALFORMED = {
    "empty": b"",
    "cut short": WHOLE[:-1],
    "100,000 deep": b"[" * 100_000 + b"]" * 100_000,
    "100,000 deep, never closed": b'{"a":' * 100_000,
    "300 deep": b'{"business":' + b"[" * 300 + b"]" * 300 + b"}",
    "a key twice": WHOLE.replace(b'"request":', b'"request": {}, "request":'),
    "an inner key twice": WHOLE.replace(b'"amount_cents":', b'"amount_cents": 1, "amount_cents":'),
    "NaN": WHOLE.replace(b"4000000", b"NaN"),
    "Infinity": WHOLE.replace(b"4000000", b"Infinity"),
    "-Infinity": WHOLE.replace(b"4000000", b"-Infinity"),
    "1e400": WHOLE.replace(b"4000000", b"1e400"),
    "-1e400": WHOLE.replace(b"4000000", b"-1e400"),
    "5,000 digits": WHOLE.replace(b"4000000", b"4" * 5_000),
    "5,000 decimals": WHOLE.replace(b"4000000", b"4." + b"4" * 5_000),
    "a leading zero": WHOLE.replace(b"4000000", b"04000000"),
    "a lone surrogate": WHOLE.replace(b"BANKSIA", b"\\ud800"),
    "a lone low surrogate": WHOLE.replace(b"BANKSIA", b"\\uDC00x"),
    "a lone surrogate in a key": WHOLE.replace(b'"legal_name"', b'"\\udfff"'),
    "text behind": WHOLE + b" x",
    "another value behind": WHOLE + WHOLE,
    "single quotes": WHOLE.replace(b'"', b"'"),
    "a comment": b"/* */" + WHOLE,
    "a comma at the end": WHOLE[:-1] + b",}",
    "a raw line break in a text": WHOLE.replace(b"BANKSIA", b"BANK\nSIA"),
    "a raw NUL in a text": WHOLE.replace(b"BANKSIA", b"BANK\x00SIA"),
    "a byte order mark": b"\xef\xbb\xbf" + WHOLE,
    "UTF-16": WHOLE.decode().encode("utf-16"),
    "UTF-16 without a mark": WHOLE.decode().encode("utf-16-le"),
    "UTF-32": WHOLE.decode().encode("utf-32"),
    "Latin-1": WHOLE.replace(b"BANKSIA", b"BANKS\xcdA"),
    "overlong UTF-8": WHOLE.replace(b"BANKSIA", b"\xc0\xaf"),
    "a surrogate as bytes": WHOLE.replace(b"BANKSIA", b"\xed\xa0\x80"),
    "a no-break space between": WHOLE.replace(b" ", b"\xc2\xa0"),
}


@pytest.fixture(scope="module")
def refusing(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that is only ever sent what it refuses: in the end it has written nothing."""
    file = shutil.copy(sqlite_template, tmp_path_factory.mktemp("refusing") / "store.sqlite")
    with telling(f"sqlite:///{file}") as service:
        yield service
        assert set(service.counts().values()) == {0}


@pytest.mark.parametrize("shape", MALFORMED)
def test_what_is_not_strict_json_is_malformed(refusing: Service, shape: str) -> None:
    """B25: 400 `malformed-json` for every shape, nothing more is said, and nothing is written."""
    reply = refusing.apply(MALFORMED[shape])
    assert (reply.status_code, slug_of(reply)) == (400, "malformed-json")
    assert "errors" not in reply.json()


@pytest.mark.parametrize("value", [b"[]", b"null", b'"text"', b"1", b"{}", b"[[[]]]"])
def test_json_of_another_shape_is_not_acceptable(refusing: Service, value: bytes) -> None:
    """A JSON value that is no application is 422, with what is missing by path."""
    reply = refusing.apply(value)
    assert (reply.status_code, slug_of(reply)) == (422, "validation-failed")


@pytest.mark.parametrize("spelling", [b"\\ud83c\\udf3f", "🌿".encode(), b"\\u00e9", "é".encode(), b"\\\\ud800"])
def test_any_proper_spelling_of_text_is_read(lone_service: Service, spelling: bytes) -> None:
    """Escaped pairs, raw UTF-8 and an escaped backslash before `ud800` are all fine."""
    assert lone_service.apply(WHOLE.replace(b"BANKSIA", b"BANKSIA " + spelling)).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": "application/problem+json"},
        {"Content-Type": ""},
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "br"},
        {"Content-Encoding": "identity, gzip"},
    ],
)
def test_only_plain_json_is_read(refusing: Service, headers: dict[str, str]) -> None:
    """B26: another type or any encoding is 415, and a gzip bomb is not even unpacked."""
    reply = refusing.apply(gzip.compress(b"0" * 5_000_000), headers=headers)
    assert (reply.status_code, slug_of(reply)) == (415, "unsupported-media-type")


@pytest.mark.parametrize("kind", ["application/json", "APPLICATION/JSON", 'application/json; charset="UTF-8"'])
def test_the_type_is_read_as_http_writes_it(lone_service: Service, kind: str) -> None:
    """Letter case and a stated UTF-8 make no difference."""
    assert lone_service.apply(body_of(), headers={"Content-Type": kind}).status_code == 201


@pytest.mark.parametrize("room", [None, "business", "request", "finances", "people"])
@pytest.mark.parametrize(
    "name", ["approved_limit", "status", "role", "__proto__", "score", "pd", "outcome", "caller_id"]
)
def test_unknown_fields_are_refused(refusing: Service, room: str | None, name: str) -> None:
    """B27: a field that is not ours is 422 with its path, wherever it stands; it is never ignored."""
    body = body_of()
    place = body if room is None else body["people"][0] if room == "people" else body[room]
    place[name] = "canary-value"
    reply = refusing.apply(body)
    assert (reply.status_code, slug_of(reply)) == (422, "validation-failed")
    path = name if room is None else f"people.0.{name}" if room == "people" else f"{room}.{name}"
    assert [(error["path"], error["rule"]) for error in reply.json()["errors"]] == [(path, "extra_forbidden")]
    assert b"canary" not in reply.content


def test_a_field_whose_name_is_no_name_is_not_repeated(refusing: Service) -> None:
    """What stands in place of a field's name is shown only if it looks like one."""
    reply = refusing.apply({**body_of(), "<script>alert(1)</script>": 1, "robin@example.com": 2})
    assert [error["path"] for error in reply.json()["errors"]] == ["?", "?"]
    assert b"script" not in reply.content
    assert b"robin" not in reply.content


WRONG: dict[str, tuple[Change, str]] = {
    "ABN check digit": (lambda b: b["business"].update(abn="37955501006"), "business.abn"),
    "ABN as a number": (lambda b: b["business"].update(abn=37955501005), "business.abn"),
    "ACN of another": (lambda b: b["business"].update(acn="900000003"), "business.acn"),
    "turnover -1": (lambda b: b["finances"].update(turnover_12m_cents=-1), "finances.turnover_12m_cents"),
    "turnover 10^15": (lambda b: b["finances"].update(turnover_12m_cents=10**15), "finances.turnover_12m_cents"),
    "turnover as text": (lambda b: b["finances"].update(turnover_12m_cents="1"), "finances.turnover_12m_cents"),
    "turnover with a fraction": (lambda b: b["finances"].update(turnover_12m_cents=1.5), "finances.turnover_12m_cents"),
    "31 February": (lambda b: b["business"].update(trading_since="2018-02-31"), "business.trading_since"),
    "trading since 2031": (lambda b: b["business"].update(trading_since="2031-01-01"), "business.trading_since"),
    "amount above the cap": (lambda b: b["request"].update(amount_cents=30_050_000), "request.amount_cents"),
    "amount off the steps": (lambda b: b["request"].update(amount_cents=4_000_001), "request.amount_cents"),
    "amount true": (lambda b: b["request"].update(amount_cents=True), "request.amount_cents"),
    "no consent": (lambda b: b["consents"].pop(), "consents"),
    "a minor": (lambda b: b["people"][0].update(date_of_birth="2012-01-01"), "people.0.date_of_birth"),
    "a landline": (lambda b: b["people"][0].update(mobile="02 5550 1234"), "people.0.mobile"),
    "a line break in a name": (lambda b: b["people"][0].update(given_names="Canary\r\nSet"), "people.0.given_names"),
    "nobody": (lambda b: b["people"].clear(), "people"),
    "a name too long": (lambda b: b["business"].update(legal_name="Canary" * 40), "business.legal_name"),
}


@pytest.mark.parametrize("case", WRONG)
def test_unacceptable_values_are_named_by_path(refusing: Service, case: str) -> None:
    """B28: 422 with the path and the rule; the value is not repeated."""
    change, path = WRONG[case]
    body = body_of()
    change(body)
    reply = refusing.apply(body)
    assert (reply.status_code, slug_of(reply)) == (422, "validation-failed")
    assert path in [error["path"] for error in reply.json()["errors"]]
    assert b"anary" not in reply.content


def test_all_problems_are_told_at_once_and_no_value_of_any(refusing: Service) -> None:
    """B28: ten wrong fields in five rooms are ten paths in one reply, which holds none of the values."""
    body = body_of()
    body["business"].update(abn="12 345 678 901", state="CANARYLAND", trading_since="2031-07-19", staff_band="Canary7")
    body["request"].update(amount_cents=987_654_321, purpose="canary-purpose")
    body["finances"].update(turnover_12m_cents=-424_242, overdue_tax_cents=555_777_555_777_555)
    body["people"][0].update(date_of_birth="1973-02-31", mobile="canary-mobile", email="canary at example")
    reply = refusing.apply(body)
    paths = {error["path"] for error in reply.json()["errors"]}
    assert paths >= {
        "business.abn", "business.state", "business.trading_since", "business.staff_band", "request.amount_cents",
        "request.purpose", "finances.turnover_12m_cents", "finances.overdue_tax_cents", "people.0.date_of_birth",
        "people.0.mobile", "people.0.email",
    }  # fmt: skip
    for value in (b"345", b"anary", b"2031", b"07-19", b"987", b"424", b"777", b"1973"):
        assert value not in reply.content, value


def test_a_statement_is_checked_like_everything_else(lone_service: Service) -> None:
    """Wrong bank data is 422 by path under `bank`, whether one field is wrong or two do not fit together."""
    bank: dict[str, Any] = {
        "oldest": "2026-07-01", "newest": "2026-07-30",
        "accounts": [{"accountId": "canary-1", "productCategory": "TRANS_AND_SAVINGS_ACCOUNTS"}],
        "balances": [{"accountId": "canary-1", "currentBalance": "1.00", "availableBalance": "1.00"}],
        "transactions": [
            {"accountId": "canary-1", "type": "PAYMENT", "status": "POSTED", "amount": "10.00", "description": "canary",
             "postingDateTime": "2026-07-02T00:00:00Z"}
        ],
    }  # fmt: skip
    assert lone_service.apply({**body_of(), "bank": bank}).status_code == 201
    row = bank["transactions"][0]
    for change in ({"amount": "canary"}, {"accountId": "canary-2"}, {"postingDateTime": "2026-09-09T00:00:00Z"}):
        reply = lone_service.apply({**body_of(), "bank": {**bank, "transactions": [{**row, **change}]}})
        assert (reply.status_code, slug_of(reply)) == (422, "validation-failed")
        assert {error["path"].partition(".")[0] for error in reply.json()["errors"]} == {"bank"}
        assert b"canary" not in reply.content
    assert lone_service.count("application") == 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({f"a{i}": 1 for i in range(200_000)}, id="200,000 unknown fields"),
        pytest.param({"bank": {"transactions": [{}] * 300_000}}, id="300,000 empty objects"),
        pytest.param({**body_of(), "bank": {"transactions": [{}] * 20_000}}, id="20,000 empty transactions"),
    ],
)
def test_a_flood_of_mistakes_gets_a_short_answer(refusing: Service, body: object) -> None:
    """However much is wrong, the reply lists a hundred problems at most, and no body is worth seconds of work."""
    reply = refusing.apply(body)
    assert (reply.status_code, slug_of(reply)) == (422, "validation-failed")
    assert 1 <= len(reply.json()["errors"]) <= MOST_FIELD_PROBLEMS
    assert len(reply.content) < 20_000


ODD_NAMES = [
    "Robert'); DROP TABLE decision;--",
    "=cmd|'/C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "<script>alert(1)</script>",
    "\u202egnp.exe\u202c",  # right-to-left override
    "zero\u200bwidth\u200djoined\ufeff",
    "%s%n%x {0} {name!r}",
    "O’Brien-Ngũgĩ 李 🦘",
    "..\\..\\etc/passwd",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_text_is_kept_exactly(lone_service: Service, name: str) -> None:
    """B29: text that is a trap for databases, spreadsheets, templates or eyes is accepted and stored as it came."""
    body = body_of(None, {**PERSON, "given_names": name, "family_name": name})
    body["business"]["legal_name"] = f"BANKSIA HOMEWARES {name}"
    reply = lone_service.apply(body)
    assert reply.status_code == 201
    with lone_service.database.transaction(read_only=True) as connection:
        person = json.loads(connection.execute(text("SELECT body FROM person")).scalar_one())
        application = json.loads(connection.execute(text("SELECT body FROM application")).scalar_one())
    assert (person["given_names"], person["family_name"]) == (name, name)
    assert application["business"]["legal_name"] == f"BANKSIA HOMEWARES {name}"
    assert name not in reply.text


def test_the_statement_of_the_request_is_the_one_decided_on(lone_service: Service) -> None:
    """Bank data that comes with the request takes the place of the source's, and counts as the caller's scope says."""
    bank = facts_of(story()).bank.value
    assert bank is not None
    statement = {
        "oldest": bank.oldest_on.isoformat(), "newest": bank.newest_on.isoformat(), "transactions": [],
        "accounts": [{"accountId": "a", "productCategory": "TRANS_AND_SAVINGS_ACCOUNTS"}],
        "balances": [{"accountId": "a", "currentBalance": "5.00", "availableBalance": "5.00"}],
    }  # fmt: skip
    for scopes, evidence in ((("apply", "supply"), "connected"), (("apply",), "declared")):
        reply = lone_service.apply({**body_of(), "bank": statement}, secret=lone_service.key(*scopes))
        facts = lone_service.facts_of(reply.json()["decision_id"])
        assert facts.bank.source.startswith("caller/key_")
        assert facts.bank.value is not None
        assert facts.bank.value.evidence == evidence
        assert facts.bank.value.newest_on == date(2026, 8, 2)
        assert len(facts.bank.value.transactions) == 0
