"""One key, one decision: what is answered when a request comes twice, altered, in parallel or under another name."""

import json
from datetime import timedelta

import pytest

from api.deadline import MOST_MS
from api.store import queries
from tests.support.businesses import AS_OF, story
from tests.support.schema import slug_of
from tests.support.service import Service, body_of, fresh_key

KEY = "first-key:0000000000000001"
ONE_OF_EACH = {
    "application": 1, "audit": 1, "decision": 1, "fact_set": 1, "idempotency": 1, "outbox": 1, "person": 1,
}  # fmt: skip
NOTHING = dict.fromkeys(ONE_OF_EACH, 0)
# A body that another program wrote: keys backwards, wide spacing, an escape, the ABN with its spaces.
REWRITTEN = (
    json.dumps({name: body_of()[name] for name in sorted(body_of(), reverse=True)}, indent=3)
    .replace("BANKSIA", "\\u0042ANKSIA")
    .replace('"37955501005"', '"37 955 501 005"')
    .encode()
)


def test_a_request_without_a_key_is_refused(service: Service) -> None:
    """B01: no Idempotency-Key is 400 `idempotency-key-missing`, and nothing is written."""
    reply = service.apply(body_of(), None)
    assert (reply.status_code, slug_of(reply)) == (400, "idempotency-key-missing")
    assert service.counts() == NOTHING


@pytest.mark.parametrize(
    "key",
    [
        "8letters", "x" * 15, "x" * 256, "x" * 4096, "sixteen letters ", "key-000000000\r\n0001",
        "key-0000000000\x00001",
        "clé-000000000000001", '"key-0000000000000001', 'key-0000000000000001"', "", "a,b,c,d,e,f,g,h,i",
    ],
)  # fmt: skip
def test_a_key_of_another_form_is_refused(lone_service: Service, key: str) -> None:
    """B02: a key is 16 to 255 plain characters, bare or in quotes; any other is 400, and nothing is written."""
    raw = {"Idempotency-Key": key.encode("latin-1")}
    reply = lone_service.apply(body_of(), None, headers=raw)
    assert (reply.status_code, slug_of(reply)) == (400, "idempotency-key-invalid")
    assert lone_service.counts() == NOTHING


@pytest.mark.parametrize("key", ["x" * 16, "x" * 255, "AZaz09._:-AZaz09._:-"])
def test_keys_are_accepted_up_to_their_limits(lone_service: Service, key: str) -> None:
    """The shortest and the longest key work, and quotes around a key do not make it another."""
    first = lone_service.apply(body_of(), key)
    again = lone_service.apply(body_of(), f'"{key}"')
    assert (first.status_code, again.content) == (201, first.content)
    assert lone_service.count("decision") == 1


def test_the_same_request_gets_the_same_bytes(service: Service) -> None:
    """B03: other key order, spacing and dress of the values: same 201, same bytes, marked as replayed, with its age."""
    first = service.apply(body_of(), KEY)
    assert first.status_code == 201
    assert "idempotency-replayed" not in first.headers
    assert "age" not in first.headers
    assert service.clock is not None
    service.clock.advance(90.4)
    again = service.apply(REWRITTEN, KEY)
    assert (again.status_code, again.content) == (201, first.content)
    assert (again.headers["idempotency-replayed"], again.headers["age"]) == ("true", "90")
    assert service.counts() == ONE_OF_EACH


@pytest.mark.parametrize(
    ("room", "name", "value"),
    [("request", "amount_cents", 4_050_000), ("business", "legal_name", "BANKSIA HOMEWARES PTY LTB")],
)
def test_one_character_changed_is_another_request(service: Service, room: str, name: str, value: object) -> None:
    """B04: 422 `idempotency-key-reuse`; the first decision is untouched and nothing of it is told."""
    first = service.apply(body_of(), KEY)
    altered = body_of()
    altered[room][name] = value
    reply = service.apply(altered, KEY)
    assert (reply.status_code, slug_of(reply)) == (422, "idempotency-key-reuse")
    assert set(reply.json()) == {"type", "title", "status", "request_id"}
    assert {"idempotency-replayed", "age"}.isdisjoint(reply.headers)
    assert service.counts() == ONE_OF_EACH
    assert service.apply(body_of(), KEY).content == first.content


def test_a_hundred_at_once_make_one_decision(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """B05: 100 parallel posts with one key: one original, the others replay it or are told to wait."""
    monkeypatch.setattr("api.deadline.DEFAULT_MS", MOST_MS)  # a busy machine takes its time over a hundred
    replies = service.apply_all([(body_of(), KEY)] * 100)
    told = {reply.content for reply in replies if reply.status_code == 201}
    others = {slug_of(reply) for reply in replies if reply.status_code != 201}
    assert len(told) == 1
    assert others <= {"idempotency-in-flight"}
    originals = [r for r in replies if r.status_code == 201 and "idempotency-replayed" not in r.headers]
    assert len(originals) == 1
    assert service.counts() == ONE_OF_EACH
    with service.database.transaction(read_only=True) as connection:
        assert queries.verify_audit(connection) is None


def test_two_businesses_at_once_under_one_key_make_one_decision(service: Service) -> None:
    """One key sent for two businesses in parallel: one of them has it, the other is told that it is taken."""
    other = body_of({"application": {"business": {"abn": "93900000428", "acn": "900000428"}}})
    replies = service.settle([(body, KEY) for _ in range(20) for body in (body_of(), other)])
    assert sorted({reply.status_code for reply in replies}) == [201, 422]
    assert {slug_of(reply) for reply in replies if reply.status_code == 422} == {"idempotency-key-reuse"}
    assert len({reply.content for reply in replies if reply.status_code == 201}) == 1
    assert service.counts() == ONE_OF_EACH


def test_callers_do_not_share_keys(service: Service) -> None:
    """B06: the same key of another caller is another key: two decisions, each replayed to its own caller."""
    another = service.key("apply", "supply")
    mine, theirs = service.apply(body_of(), KEY), service.apply(body_of(), KEY, secret=another)
    assert mine.json()["decision_id"] != theirs.json()["decision_id"]
    assert "idempotency-replayed" not in theirs.headers
    assert service.apply(body_of(), KEY).content == mine.content
    assert service.apply(body_of(), KEY, secret=another).content == theirs.content
    assert service.count("decision") == 2


def test_a_refused_request_leaves_its_key_unused(service: Service) -> None:
    """After 401, 403, 413, 415, malformed and invalid bodies the same key gives a new decision."""
    wrong = body_of()
    wrong["business"]["abn"] = "37955501006"
    window = body_of()
    window["bank"] = {
        "oldest": "2026-06-01", "newest": "2026-06-30", "transactions": [], "balances": [],
        "accounts": [{"accountId": "a", "productCategory": "OVERDRAFTS"}],
    }  # fmt: skip
    refused = [
        service.apply(body_of(), KEY, secret=None),
        service.apply(body_of(), KEY, secret=service.key("audit")),
        service.apply(body_of(), KEY, headers={"Content-Type": "text/json"}),
        service.apply(b" " * 8_000_001, KEY),
        service.apply(b"{", KEY),
        service.apply(wrong, KEY),
        service.apply(window, KEY),
    ]
    assert [reply.status_code for reply in refused] == [401, 403, 415, 413, 400, 422, 422]
    assert service.counts() == NOTHING
    reply = service.apply(body_of(), KEY)
    assert reply.status_code == 201
    assert "idempotency-replayed" not in reply.headers


def test_an_unavailable_store_leaves_the_key_unused(lone_service: Service) -> None:
    """A request that was answered 503 gives a new decision when the store is there again."""
    assert lone_service.apply(body_of()).status_code == 201  # so that the caller is known
    lone_service.database.broken = True
    refused = lone_service.apply(body_of(), KEY)
    assert (refused.status_code, slug_of(refused)) == (503, "dependency-unavailable")
    lone_service.database.broken = False
    assert "idempotency-replayed" not in lone_service.apply(body_of(), KEY).headers
    assert lone_service.count("decision") == 2


@pytest.mark.parametrize("told", [None, {"compliance": {"status": "failed"}}, {"registry": {"company_status": "EXAD"}}])
def test_a_pruned_reply_is_made_again_to_the_byte(service: Service, told: dict[str, object] | None) -> None:
    """A month later the copy of the reply is gone, and the same bytes come from the record, whatever the outcome."""
    service.state.shell.sources.told = story(told)
    first = service.apply(body_of(), KEY)
    with service.database.transaction() as connection:
        assert queries.prune_replies(connection, AS_OF + timedelta(days=31)) == 1
    again = service.apply(body_of(), KEY)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    read = service.ask("GET", f"/v1/decisions/{first.json()['decision_id']}")
    assert read.content == first.content
    assert service.count("decision") == 1


def test_a_business_outcome_is_kept_like_any_other(service: Service) -> None:
    """A decline is a decision: the same key repeats it and does not try again."""
    small = body_of({"application": {"finances": {"turnover_12m_cents": 100_000}}})
    first = service.apply(small, KEY)
    assert first.json()["outcome"] == "decline"
    assert service.apply(small, KEY).content == first.content
    assert service.count("decision") == 1


def test_every_key_has_one_decision_and_every_decision_its_rows(service: Service) -> None:
    """Ten keys, five times each, all at once: ten decisions with an audit entry and a message each."""
    keys = [fresh_key() for _ in range(10)]
    small = body_of({"application": {"request": {"amount_cents": 500_000}}})
    replies = service.settle([(small, key) for _ in range(5) for key in keys])
    assert {reply.status_code for reply in replies} == {201}
    assert len({reply.content for reply in replies}) == 10
    assert service.counts() == dict.fromkeys(ONE_OF_EACH, 10)
