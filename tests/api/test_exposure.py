"""What the lender has promised already counts, also when many ask at once; and a brake stops the next approval."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from api.store import queries
from tests.support.businesses import AS_OF, TODAY
from tests.support.releases import fake_release
from tests.support.service import Service, body_of, fresh_key

ASKED_CENTS = 4_000_000


def _held(service: Service, decision_id: str) -> int:
    """What the facts of a decision say of earlier offers to the business."""
    exposure = service.facts_of(decision_id).exposure.value
    assert exposure is not None
    assert exposure.group_cents == exposure.business_cents
    return exposure.business_cents


def _set_brake(service: Service, kind: str, **more: Any) -> int:
    with service.database.transaction() as connection:
        return queries.set_brake(connection, kind, AS_OF, "officer", **more)


def _outcome(service: Service, body: object = None) -> str:
    outcome: str = service.apply(body or body_of()).json()["outcome"]
    return outcome


def test_offers_to_one_business_add_up(service: Service) -> None:
    """Each approval sees the sum of the open offers before it; once they have expired, none."""
    ids = [service.apply(body_of()).json()["decision_id"] for _ in range(3)]
    assert [_held(service, each) for each in ids] == [0, ASKED_CENTS, 2 * ASKED_CENTS]
    service.state.shell.clock.now = AS_OF + timedelta(days=31)
    later = service.apply(body_of()).json()["decision_id"]
    assert _held(service, later) == 0


def test_other_businesses_have_their_own_room(service: Service) -> None:
    """An offer to one business takes nothing from another."""
    service.apply(body_of())
    other = body_of({"application": {"business": {"abn": "93900000428", "acn": "900000428"}}})
    decision_id = service.apply(other).json()["decision_id"]
    assert _held(service, decision_id) == 0


def test_twenty_at_once_never_pass_the_most(service: Service) -> None:
    """Twenty applications of one business at the same time, under twenty keys: together within policy's most."""
    most = fake_release().policy.on(TODAY).limits.most_business_cents
    replies = service.settle([(body_of(), fresh_key()) for _ in range(20)])
    assert [reply.status_code for reply in replies] == [201] * 20
    offers = [reply.json()["offer"] for reply in replies]
    promised = sum(offer["limit_cents"] for offer in offers if offer)
    with service.database.transaction(read_only=True) as connection:
        recorded = connection.execute(text("SELECT sum(limit_cents) FROM decision")).scalar_one()
        assert queries.verify_audit(connection) is None
    assert promised == recorded == most, "twenty times the amount asked is more than the most"
    declined = [reply.json() for reply in replies if reply.json()["outcome"] == "decline"]
    assert {reason["code"] for told in declined for reason in told["reasons"]} == {"R29"}
    assert service.count("decision") == 20


def test_a_brake_refers_the_next_application(service: Service) -> None:
    """Refer-all holds from the next application on, until it is lifted; the facts keep what was in force."""
    assert _outcome(service) == "approve"
    brake = _set_brake(service, "refer_all")
    reply = service.apply(body_of()).json()
    assert (reply["outcome"], reply["offer"]) == ("refer", None)
    exposure = service.facts_of(reply["decision_id"]).exposure.value
    assert exposure is not None
    assert [(held.kind, held.segment) for held in exposure.brakes] == [("refer_all", "all")]
    service.state.shell.clock.advance(60)
    with service.database.transaction() as connection:
        queries.lift_brake(connection, brake, service.state.shell.clock(), "officer")
    assert _outcome(service) == "approve"


@pytest.mark.parametrize(
    ("segment", "outcome"),
    [("division:G", "refer"), ("state:VIC", "refer"), ("entity:company", "refer"), ("division:F", "approve"),
     ("state:NSW", "approve"), ("entity:trust", "approve")],
)  # fmt: skip
def test_a_brake_holds_for_its_segment(lone_service: Service, segment: str, outcome: str) -> None:
    """A brake on an industry, a state or a kind of entity refers that segment and no other."""
    _set_brake(lone_service, "refer_all", segment=segment)
    assert _outcome(lone_service) == outcome


def test_a_day_has_so_many_dollars(service: Service) -> None:
    """With 60,000 a day, the first 40,000 are approved and the second referred; tomorrow is another day."""
    _set_brake(service, "daily_dollars", value=6_000_000)
    assert [_outcome(service) for _ in range(2)] == ["approve", "refer"]
    assert _outcome(service, body_of({"application": {"request": {"amount_cents": 2_000_000}}})) == "approve"
    assert _outcome(service, body_of({"application": {"request": {"amount_cents": 500_000}}})) == "refer"
    service.state.shell.clock.now = AS_OF + timedelta(days=1)
    assert _outcome(service) == "approve"


@pytest.mark.parametrize(
    ("brake", "outcomes"),
    [
        ({"kind": "daily_dollars", "value": 4_000_000, "segment": "state:VIC"}, ["approve", "refer"]),
        ({"kind": "daily_dollars", "value": 4_000_000, "segment": "division:F"}, ["approve", "approve"]),
        ({"kind": "concentration", "value": 2_500, "segment": "state:VIC"}, ["refer", "refer"]),
        ({"kind": "concentration", "value": 2_500, "segment": "group"}, ["refer", "refer"]),
        ({"kind": "concentration", "value": 2_500, "segment": "state:NSW"}, ["approve", "approve"]),
    ],
)
def test_limits_are_counted_in_their_segment(lone_service: Service, brake: dict[str, Any], outcomes: list[str]) -> None:
    """Dollars of the day and shares of the book, of an ordinary retailer in Victoria; an empty book refers."""
    _set_brake(lone_service, **brake)
    assert [_outcome(lone_service) for _ in range(2)] == outcomes
