"""Receipts made from the record: what they say and bind, the same bytes every time, and nothing of the inside."""

import hashlib
import json
import re
from typing import Any

import pytest
from sqlalchemy import Connection

from api.receipts.making import TOLD, RecordAltered, content_of, receipt_of
from api.receipts.signing import Signer, is_signed
from api.receipts.standalone import verify
from api.receipts.view import receipt_view
from api.store import queries as store
from engine.canonical import canonical_bytes, digest
from tests.support.businesses import story
from tests.support.receipting import SIGNER, decided, receipt
from tests.support.service import Service

MORE = {"application": {"request": {"amount_cents": 30_000_000}}}


def _told(file: bytes) -> dict[str, Any]:
    return verify(file, [SIGNER.public], is_signed)


def _row(service: Service, decision_id: str) -> store.DecisionRow:
    with service.database.transaction(read_only=True) as connection:
        row = store.get_decision(connection, decision_id)
    assert row is not None
    return row


def test_it_tells_what_the_reply_told_and_the_digests_of_the_rest(service: Service) -> None:
    """Every field that it takes from the reply is the reply's; the digests are those of the bytes in the record."""
    reply = decided(service, MORE)
    told, row = _told(receipt(service, reply["decision_id"])), _row(service, reply["decision_id"])
    assert {name: told[name] for name in TOLD} == {name: reply[name] for name in TOLD}
    assert set(reply) - set(TOLD) == {"message"}
    assert told["offer"]["limit_cents"] < told["requested_cents"], "the business is offered less than it asked for"
    with service.database.transaction(read_only=True) as connection:
        application = store.get_application(connection, row.application_id)
        facts = store.facts_body(connection, row.facts_sha256)
        entry = store.audit_entry(connection, told["audit_seq"])
    assert application is not None
    assert facts is not None
    assert entry is not None
    assert told["application_sha256"] == digest(application.body)
    assert told["facts_sha256"] == digest(facts)
    assert (told["release"], told["release_digest"]) == (row.release_name, row.release_digest)
    assert told["engine_digest"] == row.engine_digest
    assert told["receipt_hash"] == hashlib.sha256(entry.body.encode()).hexdigest()


def test_the_audit_entry_swears_what_the_receipt_says(service: Service) -> None:
    """The entry behind `receipt_hash` holds the same digests and ids: one hash binds them all."""
    reply = decided(service)
    told = _told(receipt(service, reply["decision_id"]))
    with service.database.transaction(read_only=True) as connection:
        entry = store.audit_entry(connection, told["audit_seq"])
    assert entry is not None
    sworn = json.loads(entry.body)
    names = ("application_sha256", "facts_sha256", "release_digest", "engine_digest", "supersedes")
    assert {name: sworn["details"][name] for name in names} == {name: told[name] for name in names}
    assert (sworn["object"], sworn["details"]["application"]) == (told["decision_id"], told["application_id"])


def test_the_record_makes_the_same_bytes_again(service: Service) -> None:
    """Made twice, and once more after other decisions, it is the same file; another key makes another."""
    first = decided(service)["decision_id"]
    made = receipt(service, first)
    decided(service)
    assert receipt(service, first) == made
    assert receipt(service, first, Signer(b"o" * 32)) != made
    file = json.loads(made)
    assert canonical_bytes(file) == made, "the file itself is canonical"
    assert canonical_bytes(file["receipt"]) in made


def test_there_is_none_of_a_decision_that_is_not_there(lone_service: Service) -> None:
    """No decision, no receipt."""
    with lone_service.database.transaction(read_only=True) as connection:
        assert receipt_of(connection, "dec_nowhere", SIGNER) is None


OUTCOMES = {
    "approve": {},
    "refer": {"bank": {"status": "failed"}},
    "decline": {"registry": {"company_status": "EXAD"}},
}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_has_one(lone_service: Service, outcome: str) -> None:
    """Offer, referral and decline have receipts of the same names, an offer exactly where there is one."""
    lone_service.state.shell.sources.told = story(OUTCOMES[outcome])
    told = _told(receipt(lone_service, decided(lone_service)["decision_id"]))
    assert told["outcome"] == outcome
    assert (told["offer"] is not None) == (outcome == "approve")
    assert set(told) == {
        *TOLD, "kind", "v", "key", "abn", "received_at", "application_sha256", "facts_sha256", "release",
        "release_digest", "engine_digest",
    }  # fmt: skip


# -- a referral for compliance ---------------------------------------------------------------------------------


def _blanked(file: bytes) -> bytes:
    """A receipt without its ids, times, numbers in the chain, digests and signature; every length stays."""
    body = re.sub(rb"[0-9a-f]{128}|[0-9a-f]{64}", lambda found: b"#" * len(found[0]), file)
    body = re.sub(rb"(app|dec)_[0-9a-f]{32}", rb"\1_", body)
    body = re.sub(rb'"(decided_at|received_at)":"[^"]+"', rb'"\1":""', body)
    return re.sub(rb'"audit_seq":[0-9]+', b'"audit_seq":0', body)


@pytest.mark.parametrize(
    "compliance",
    [
        {"sanctions_hits": 1},
        {"politically_exposed": True},
        {"fraud_flags": ["document_altered"]},
        {"status": "failed"},
        {"status": "absent"},
    ],
)
def test_a_referral_for_compliance_has_an_ordinary_receipt(lone_service: Service, compliance: dict[str, Any]) -> None:
    """Byte for byte but for ids, times and digests, it is the receipt of a business that a brake refers."""
    now = lone_service.state.shell.clock()
    with lone_service.database.transaction() as connection:
        brake = store.set_brake(connection, "refer_all", now, "officer")
    plain = decided(lone_service)
    with lone_service.database.transaction() as connection:
        store.lift_brake(connection, brake, now, "officer")
    lone_service.state.shell.clock.advance(1)
    lone_service.state.shell.sources.told = story({"compliance": compliance})
    hit = decided(lone_service)
    assert (plain["outcome"], hit["outcome"]) == ("refer", "refer")
    files = [receipt(lone_service, reply["decision_id"]) for reply in (plain, hit)]
    assert _blanked(files[0]) == _blanked(files[1])
    printed = [receipt_view(file, "Sample Lender Pty Ltd") for file in files]
    labels = [[line.label for line in (*each.application, *each.proof)] for each in printed]
    assert labels[0] == labels[1]
    assert (printed[0].outcome, printed[0].notes) == (printed[1].outcome, printed[1].notes)


SECRET = re.compile(
    r"\b(scores?|pd|grades?|findings?|contributions?|caps?|knock.?out|sanctions?|politically|fraud|compliance|brakes?|"
    r"features?|points)\b"
)


@pytest.mark.parametrize("told", [{}, MORE, *({name: {"status": "failed"}} for name in ("bank", "compliance"))])
def test_nothing_of_the_inside_is_in_it(lone_service: Service, told: dict[str, Any]) -> None:
    """Neither the file nor the printed page holds a score, a finding or a cap, and no digest is of the decision's."""
    lone_service.state.shell.sources.told = story(told)
    reply = decided(lone_service, told)
    file = receipt(lone_service, reply["decision_id"])
    page = repr(receipt_view(file, "Sample Lender Pty Ltd"))
    assert SECRET.findall(file.decode().lower()) == []
    assert SECRET.findall(page.lower()) == []
    assert _row(lone_service, reply["decision_id"]).body_sha256 not in file.decode()


# -- an altered record -----------------------------------------------------------------------------------------

OTHER = "0" * 64
ALTERED = [
    ("decision", "UPDATE decision SET limit_cents = 30000000", "offer"),
    ("decision", f"UPDATE decision SET release_digest = '{OTHER}'", "release_digest"),
    ("decision", f"UPDATE decision SET engine_digest = '{OTHER}'", "engine_digest"),
    ("decision", "UPDATE decision SET monthly_rate_bps = 290", "offer"),
    ("audit", "UPDATE audit SET body = replace(body, 'decide', 'undone')", "was altered"),
    ("audit", "UPDATE audit SET sha256 = prev", "was altered"),
]


@pytest.mark.parametrize(("table", "statement", "named"), ALTERED, ids=[each[1][7:40] for each in ALTERED])
def test_an_altered_record_is_not_signed_for(service: Service, table: str, statement: str, named: str) -> None:
    """Where row and audit entry differ there is no receipt, and the words name the place."""
    decision_id = decided(service)["decision_id"]
    service.tamper(table, statement)
    with service.database.transaction(read_only=True) as connection, pytest.raises(RecordAltered, match=named):
        receipt_of(connection, decision_id, SIGNER)


def test_a_decision_in_the_middle_of_the_chain_is_held_too(service: Service) -> None:
    """With entries before and after it a decision has a receipt; without the entry before it none."""
    for _ in range(3):
        decided(service)
    with service.database.transaction(read_only=True) as connection:
        rows = list(store.decisions_since(connection))
        assert [_content(connection, row.id)["audit_seq"] for row in rows] == [row.audit_seq for row in rows]
        middle = rows[1]
    service.tamper("audit", f"UPDATE audit SET sha256 = '{OTHER}' WHERE seq = {middle.audit_seq - 1}")
    with service.database.transaction(read_only=True) as connection, pytest.raises(RecordAltered, match="follow"):
        receipt_of(connection, middle.id, SIGNER)


def _content(connection: Connection, decision_id: str) -> dict[str, Any]:
    content = content_of(connection, decision_id)
    assert content is not None
    return content
