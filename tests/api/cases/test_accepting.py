"""Taking up an offer: once, by its owner, while it stands; and what the case then asks for."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.support.deskwork import DIRECTOR, Office
from tests.support.schema import slug_of
from tests.support.service import PERSON

LARGE = {"application": {"request": {"amount_cents": 20_000_000}}}


def test_an_offer_is_taken_up_once(office: Office) -> None:
    """The first acceptance opens the case with its documents, later ones answer with it and open none."""
    offered = office.offered()
    first = office.accept(offered["application_id"], offered["decision_id"])
    again = office.accept(offered["application_id"], offered["decision_id"])
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    told = first.json()
    assert (told["state"], told["limit_cents"], told["clock"]["started_at"]) == ("documents_wanted", None, None)
    assert [(each["kind"], each["state"], each["required"]) for each in told["wanted"]] == [
        ("identity", "wanted", True), ("bank_account_proof", "wanted", True),
    ]  # fmt: skip
    assert office.service.count("verification_case") == 1


def test_of_many_at_once_one_opens_it(office: Office) -> None:
    """Ten acceptances at the same moment make one case, and all ten are told the same."""
    offered = office.offered()
    path, body = f"/v1/applications/{offered['application_id']}/acceptance", {"decision_id": offered["decision_id"]}

    async def ten() -> list[Any]:
        return await asyncio.gather(*(office.service.send("POST", path, json=body) for _ in range(10)))

    replies = asyncio.run(ten())
    assert sorted(reply.status_code for reply in replies) == [200] * 9 + [201]
    assert len({reply.json()["case_id"] for reply in replies}) == 1
    assert office.service.count("verification_case") == 1


def test_an_offer_that_does_not_stand_is_not_taken_up(lone_office: Office) -> None:
    """Expired, superseded, another caller's, none at all: each is told, and no case opens."""
    offered = lone_office.offered()
    application_id, decision_id = offered["application_id"], offered["decision_id"]
    other = lone_office.service.key("apply")
    assert slug_of(lone_office.accept(application_id, decision_id, secret=other)) == "not-found"
    assert slug_of(lone_office.accept("app_" + "0" * 32, decision_id)) == "not-found"
    assert slug_of(lone_office.accept(application_id, "dec_" + "0" * 32)) == "offer-superseded"
    lone_office.clock.advance(timedelta(days=31).total_seconds())
    assert slug_of(lone_office.accept(application_id, decision_id)) == "offer-expired"
    assert lone_office.service.count("verification_case") == 0


def test_who_cannot_sign_is_told_at_once(lone_office: Office) -> None:
    """A company that states no director hears so when it accepts, and not after its documents were verified."""
    offered = lone_office.offered(None, PERSON)
    reply = lone_office.accept(offered["application_id"], offered["decision_id"])
    assert slug_of(reply) == "contract-not-drawn"
    assert [(each["path"], each["rule"]) for each in reply.json()["errors"]] == [("people", "no_director")]


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"decision_id": 5}', b'{"decision_id": "dec_1"}', b'{"decision_id":"x","more":1}'],
)  # fmt: skip
def test_a_body_that_says_nothing_is_refused(lone_office: Office, body: bytes) -> None:
    """Anything but one decision's id is a problem, and opens nothing."""
    offered = lone_office.offered()
    path = f"/v1/applications/{offered['application_id']}/acceptance"
    reply = lone_office.service.ask("POST", path, content=body, headers={"Content-Type": "application/json"})
    assert reply.status_code in {400, 422}
    assert lone_office.service.count("verification_case") == 0


def test_a_larger_line_asks_for_more(lone_office: Office) -> None:
    """Four activity statements above $50,000; each document says why it is wanted; every director is identified."""
    second = {**DIRECTOR, "roles": ["director"], "ownership_bps": 0, "family_name": "Other", "email": "o@example.com"}
    case = lone_office.accepted(LARGE, {**DIRECTOR, "ownership_bps": 10_000}, second)
    assert case.limit_cents > 5_000_000
    standing = lone_office.standing(case.id)
    wanted = {(each.kind, each.count) for each in standing.wanted if each.required}
    assert {("identity", 1), ("activity_statement", 4), ("bank_account_proof", 1)} <= wanted
    assert sum(each.kind == "identity" for each in standing.wanted) == 2
    assert all(each.why for each in standing.wanted)
