"""What the public is never told: no score or finding in any reply, and a compliance hit reads like any referral."""

import json
import re
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from api.store import queries
from engine.decision import Decision
from engine.features import FEATURE_NAMES
from tests.support.businesses import story
from tests.support.service import Service, body_of, market_bodies

TOLD = {  # every name that a reply may use
    "decision_id", "application_id", "decided_at", "outcome", "message", "requested_cents", "offer", "reasons",
    "external_data_unavailable", "supersedes", "audit_seq", "receipt_hash", "synthetic", "code", "text", "help",
    "limit_cents", "monthly_rate_bps", "monthly_rate_percent", "fees", "held_until", "conditions", "worked_draw",
    "establishment_bps", "line_fee_bps_month", "draw_fee_bps", "minimum_monthly_fee_cents",
}  # fmt: skip
SECRET_WORDS = re.compile(
    r"\b(scores?|scored|pd|grades?|graded|probability|findings?|contributions?|caps?|capped|knock.?out|sanctions?|"
    r"sanctioned|pep|politically|fraud|compliance|brakes?|features?|raw|points|engine|policy|release)\b"
)


def _names(value: Any) -> set[str]:
    """Every name in a JSON value."""
    if isinstance(value, dict):
        return set(value).union(*map(_names, value.values()))
    return set().union(*map(_names, value)) if isinstance(value, list) else set()


def _check_silence(reply: httpx.Response, decision: Decision) -> None:
    """Assert that a reply holds nothing of a decision's inside."""
    told = reply.json()
    draw = set() if told["offer"] is None else _names(told["offer"]["worked_draw"])
    assert _names(told) - draw <= TOLD
    words = reply.text.lower()
    assert SECRET_WORDS.findall(words) == []
    assert [name for name in FEATURE_NAMES if "_" in name and name in words] == []
    for finding in decision.findings:
        assert finding.rule not in words
        assert finding.what.lower() not in words
    if decision.score is not None:
        assert not re.search(rf"(?<![0-9.]){re.escape(str(decision.score.pd))}(?![0-9])", words)
        assert not re.search(rf"(?<![0-9.]){re.escape(str(decision.score.points))}(?![0-9])", words)
        assert f'"{decision.score.grade}"' not in reply.text


def _decided(service: Service, body: object) -> tuple[httpx.Response, Decision]:
    """A reply, and the decision behind it."""
    reply = service.apply(body)
    assert reply.status_code == 201
    with service.database.transaction(read_only=True) as connection:
        row = queries.get_decision(connection, reply.json()["decision_id"])
    assert row is not None
    return reply, Decision.model_validate_json(row.body)


def test_no_reply_over_a_market_tells_the_inside(market_service: Service, market: Any) -> None:
    """Sixty businesses under the champion: every reply, first and read again, holds public fields and words alone."""
    outcomes = set()
    for body in market_bodies(market):
        reply, decision = _decided(market_service, body)
        _check_silence(reply, decision)
        read = market_service.ask("GET", f"/v1/decisions/{reply.json()['decision_id']}")
        assert read.content == reply.content
        outcomes.add(decision.outcome)
    assert len(outcomes) >= 2, "a market in which nothing differs proves little"


STORIES: dict[str, tuple[str, dict[str, Any]]] = {
    "approved": ("approve", {}),
    "less than asked": ("approve", {"application": {"request": {"amount_cents": 30_000_000}}}),
    "insolvent": ("decline", {"registry": {"company_status": "EXAD"}}),
    "dishonours": ("decline", {"bank": {"dishonours": 12}}),
    "bank failed": ("refer", {"bank": {"status": "failed"}}),
    "everything failed": (
        "refer",
        {name: {"status": "failed"} for name in ("registry", "compliance", "marketplace", "bank", "bureau")},
    ),
    "name differs": ("refer", {"registry": {"entity_name": "SOMETHING ELSE ENTIRELY PTY LTD"}}),
    "sanctions": ("refer", {"compliance": {"sanctions_hits": 3}}),
    "sanctions and insolvent": (
        "decline",
        {"compliance": {"sanctions_hits": 3}, "registry": {"company_status": "EXAD"}},
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_no_outcome_tells_the_inside(lone_service: Service, name: str) -> None:
    """Each outcome for each kind of cause, told from the record as well."""
    outcome, told = STORIES[name]
    lone_service.state.shell.sources.told = story(told)
    reply, decision = _decided(lone_service, body_of({"application": told.get("application", {})}))
    assert decision.outcome == outcome
    _check_silence(reply, decision)
    shown = reply.json()["external_data_unavailable"]
    failed = [source for source, table in told.items() if table.get("status") == "failed"]
    assert set(shown) == {source for source in failed if source != "compliance"}


def _blanked(reply: httpx.Response) -> tuple[bytes, dict[str, str]]:
    """A reply without its ids, times and hashes, and its headers without the request's id."""
    body = re.sub(rb"(app|dec)_[0-9a-f]{32}", rb"\1_", reply.content)
    body = re.sub(rb'"(receipt_hash|decided_at)":"[^"]+"', rb'"\1":""', body)
    body = re.sub(rb'"audit_seq":[0-9]+', b'"audit_seq":0', body)
    return body, {**reply.headers, "x-request-id": ""}


def _plain_referral(service: Service) -> httpx.Response:
    """An ordinary business that a brake refers, and then not any more."""
    with service.database.transaction() as connection:
        brake = queries.set_brake(connection, "refer_all", service.state.shell.clock(), "officer")
    reply = service.apply(body_of())
    with service.database.transaction() as connection:
        queries.lift_brake(connection, brake, service.state.shell.clock(), "officer")
    assert reply.json()["outcome"] == "refer"
    return reply


@pytest.mark.parametrize(
    "compliance",
    [
        {"sanctions_hits": 1},
        {"politically_exposed": True},
        {"fraud_flags": ["document_altered"]},
        {"sanctions_hits": 1_000, "politically_exposed": True, "fraud_flags": ["a", "b"]},
        {"status": "failed"},
        {"status": "absent"},
    ],
)
def test_a_compliance_hit_reads_like_any_referral(lone_service: Service, compliance: dict[str, Any]) -> None:
    """Byte for byte, headers too, apart from ids, times and hashes: at once, replayed, and read again."""
    plain = _plain_referral(lone_service)
    lone_service.state.shell.clock.advance(1)
    lone_service.state.shell.sources.told = story({"compliance": compliance})
    key = "compliance-000000001"
    hit = lone_service.apply(body_of(), key)
    assert _blanked(hit) == _blanked(plain)
    again = lone_service.apply(body_of(), key)
    assert again.content == hit.content
    reads = [lone_service.ask("GET", f"/v1/decisions/{reply.json()['decision_id']}") for reply in (plain, hit)]
    assert _blanked(reads[0]) == _blanked(reads[1])


def test_a_compliance_hit_leaves_the_same_rows(lone_service: Service) -> None:
    """The message to be sent and the audit entry are alike in form too, so no length or topic tells them apart."""
    _plain_referral(lone_service)
    lone_service.state.shell.clock.advance(1)
    lone_service.state.shell.sources.told = story({"compliance": {"sanctions_hits": 1}})
    assert lone_service.apply(body_of()).json()["outcome"] == "refer"
    with lone_service.database.transaction(read_only=True) as connection:
        messages = connection.execute(text("SELECT topic, length(body), length(dedupe) FROM outbox")).all()
        entries = [set(json.loads(entry.body)["details"]) for entry in queries.audit_tail(connection)]
    assert len(messages) == 2
    assert messages[0] == messages[1]
    assert entries[0] == entries[1]
