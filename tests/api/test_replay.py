"""Any decision can be made again from the record alone, and whatever was altered in it is told."""

import sqlite3
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import make_url, text

from api.store import queries
from engine.canonical import canonical_bytes, digest
from tests.support.businesses import story
from tests.support.releases import fake_release
from tests.support.schema import slug_of
from tests.support.service import Clock, Service, StorySources, body_of, opened, telling


def _replayed(service: Service, decision_id: str) -> dict[str, Any]:
    reply = service.ask("GET", f"/v1/decisions/{decision_id}/replay")
    assert reply.status_code == 200
    told: dict[str, Any] = reply.json()
    assert told["decision_id"] == decision_id
    assert told["match"] is (told["difference"] is None)
    return told


def _decided(service: Service, told: dict[str, Any] | None = None) -> str:
    service.state.shell.sources.told = story(told)
    service.state.shell.clock.advance(1)
    decision_id: str = service.apply(body_of()).json()["decision_id"]
    return decision_id


def test_every_outcome_replays_after_a_restart(url: str) -> None:
    """Recorded by one process's worth of service and replayed by the next: every byte agrees."""
    stories: list[dict[str, Any]] = [
        {}, {"bank": {"status": "failed"}}, {"bank": {"status": "absent"}}, {"registry": {"company_status": "EXAD"}},
        {"compliance": {"sanctions_hits": 1}}, {"bank": {"dishonours": 7}},
    ]  # fmt: skip
    with telling(url) as service:
        ids = [_decided(service, told) for told in stories]
    with telling(url, {"bureau": {"status": "failed"}}) as service:  # today's sources do not matter
        for decision_id in ids:
            told = _replayed(service, decision_id)
            assert (told["match"], told["release"]) == (True, "test-linear")
            assert told["engine_recorded"] == told["engine_now"] == service.state.shell.engine_digest


def test_an_altered_decision_is_told(service: Service) -> None:
    """A changed body is reported; with its digest made to fit, the field that differs is named."""
    ids = [_decided(service) for _ in range(3)]
    with service.database.transaction(read_only=True) as connection:
        row = queries.get_decision(connection, ids[1])
    assert row is not None
    forged = row.body.replace(b'"policy":"', b'"policy":"another-')
    assert forged != row.body
    service.tamper("decision", "UPDATE decision SET body = :body WHERE id = :id", body=forged, id=ids[1])
    assert _replayed(service, ids[1])["difference"] == "record altered"
    fit = "UPDATE decision SET body_sha256 = :sha256 WHERE id = :id"
    service.tamper("decision", fit, sha256=digest(forged), id=ids[1])
    assert _replayed(service, ids[1])["difference"] == "policy"
    assert [_replayed(service, each)["match"] for each in ids] == [True, False, True]


def test_a_body_that_is_no_decision_is_told(service: Service) -> None:
    """Rubbish under a digest that fits is an altered record, not an error of ours."""
    decision_id = _decided(service)
    rubbish = canonical_bytes({"outcome": "approve"})
    change = "UPDATE decision SET body = :body, body_sha256 = :sha256 WHERE id = :id"
    service.tamper("decision", change, body=rubbish, sha256=digest(rubbish), id=decision_id)
    assert _replayed(service, decision_id)["difference"] == "record altered"


@pytest.mark.parametrize("body", [b"", b"rubbish", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_altered_facts_are_told(service: Service, body: bytes) -> None:
    """Facts that no longer have their digest, or cannot be unpacked, are an altered record."""
    decision_id = _decided(service)
    service.tamper("fact_set", "UPDATE fact_set SET body = :body", body=body)
    assert _replayed(service, decision_id)["difference"] == "record altered"


def test_an_altered_application_is_told(service: Service) -> None:
    """What was applied for belongs to the record."""
    decision_id = _decided(service)
    with service.database.transaction(read_only=True) as connection:
        body = connection.execute(text("SELECT body FROM application")).scalar_one()
    service.tamper("application", "UPDATE application SET body = :body", body=body.replace(b"stock", b"other"))
    assert _replayed(service, decision_id)["difference"] == "record altered"
    change = "UPDATE application SET body = :body, body_sha256 = :sha256"
    service.tamper("application", change, body=b"{}", sha256=digest(b"{}"))
    assert _replayed(service, decision_id)["difference"] == "record not readable"


def test_a_whole_forgery_is_told(service: Service) -> None:
    """Another application under a decision that fits it agrees with itself, and not with its audit entry."""
    first, second = _decided(service), _decided(service)
    copied = (
        "UPDATE decision SET application_id = (SELECT application_id FROM decision WHERE id = :from), "
        "facts_sha256 = (SELECT facts_sha256 FROM decision WHERE id = :from), "
        "body = (SELECT body FROM decision WHERE id = :from), "
        "body_sha256 = (SELECT body_sha256 FROM decision WHERE id = :from) WHERE id = :id"
    )
    service.tamper("decision", copied, **{"from": second, "id": first})
    assert _replayed(service, first)["difference"] == "record differs from its audit entry"


def test_another_release_or_none_is_told(sqlite_url: str) -> None:
    """A release of that name with other content, or none of that name, is told and not replayed under."""
    with telling(sqlite_url) as service:
        decision_id = _decided(service)
    with telling(sqlite_url, release=fake_release(base=-1.0)) as service:
        assert _replayed(service, decision_id)["difference"] == "release differs from the one recorded"
    with opened(sqlite_url, sources=StorySources(story()), clock=Clock()) as service:
        assert _replayed(service, decision_id)["difference"] == "release not held"


def test_another_engine_is_named_beside_the_one_recorded(lone_service: Service) -> None:
    """Under another engine a match is still a match, and both engines are named."""
    decision_id, recorded = _decided(lone_service), lone_service.state.shell.engine_digest
    lone_service.state.shell = replace(lone_service.state.shell, engine_digest="f" * 64)
    told = _replayed(lone_service, decision_id)
    assert (told["match"], told["engine_recorded"], told["engine_now"]) == (True, recorded, "f" * 64)


def test_erasing_people_does_not_touch_the_decision(service: Service) -> None:
    """A person's details may be erased; the decision still replays, and its reply is still given."""
    decision_id = _decided(service)
    first = service.ask("GET", f"/v1/decisions/{decision_id}")
    with service.database.transaction() as connection:
        ref = connection.execute(text("SELECT ref FROM person")).scalar_one()
        assert queries.erase_person(connection, ref, service.state.shell.clock())
    assert _replayed(service, decision_id)["match"] is True
    assert service.ask("GET", f"/v1/decisions/{decision_id}").content == first.content


def test_a_record_without_its_facts_is_gone(sqlite_url: str) -> None:
    """Where the facts were erased by whoever owns the database, a replay says so: 410 `gone`."""
    with telling(sqlite_url) as service:
        decision_id = _decided(service)
    file = sqlite3.connect(str(make_url(sqlite_url).database))
    file.executescript("DROP TRIGGER fact_set_no_delete; DELETE FROM fact_set;")
    file.close()
    with telling(sqlite_url) as service:
        reply = service.ask("GET", f"/v1/decisions/{decision_id}/replay")
        assert (reply.status_code, slug_of(reply)) == (410, "gone")
