"""Looking again and asking for a person: what a promise names is asked anew, and a request is one request."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from api.advice.reviewing import answer_by
from api.store import queries as store
from api.store.queries.advice import review_requests_since
from tests.api.advice.conftest import DEFAULTED, MINDFUL, OWING, UNPAID, WITHOUT_GST
from tests.support.businesses import story
from tests.support.deskwork import Office
from tests.support.schema import slug_of
from tests.support.service import RemoteStories, Service, body_of, remote, telling

STATED = {"application": OWING["application"]}


def look(service: Service, application_id: str, **more: Any) -> httpx.Response:
    """Ask us to look again."""
    return service.ask("POST", f"/v1/applications/{application_id}/looks", **more)


def advised(service: Service, told: dict[str, Any] | None = None) -> dict[str, Any]:
    """An application whose advice was read."""
    reply: dict[str, Any] = service.apply(body_of(told)).json()
    service.ask("GET", f"/v1/applications/{reply['application_id']}/advice")
    return reply


def test_only_the_source_that_is_named_is_asked(url: str) -> None:
    """The register is asked once more, and names are searched anew with it; the rest stays as it was, digests too."""
    sources = RemoteStories(story(WITHOUT_GST))
    with remote(url, sources) as service:
        first = advised(service)
        sources.told = story({"bureau": {"score": 100}})
        sources._facts.clear()
        sources.asked.clear()
        told = look(service, first["application_id"]).json()
        assert (told["asked"], told["result"]) == (["registry"], "changed")
        assert {name for _, name in sources.asked} == {"registry"}
        before, after = service.facts_of(first["decision_id"]), service.facts_of(told["decision_id"])
        assert (after.bureau, after.bank, after.marketplace) == (before.bureau, before.bank, before.marketplace)
        reply = service.ask("GET", f"/v1/decisions/{told['decision_id']}").json()
        assert (reply["outcome"], reply["supersedes"]) == ("approve", first["decision_id"])


def test_where_nothing_differs_nothing_changes(url: str) -> None:
    """The decision stands and no row is written but the count."""
    with telling(url, WITHOUT_GST) as service:
        first = advised(service)
        before = (service.count("decision"), service.count("audit"))
        told = look(service, first["application_id"]).json()
        assert (told["result"], told["decision_id"]) == ("unchanged", first["decision_id"])
        assert (service.count("decision"), service.count("audit")) == before


def test_a_source_that_does_not_answer_changes_nothing(sqlite_url: str) -> None:
    """What it said before stands: an outage never makes anything worse."""
    sources = RemoteStories(story(DEFAULTED))
    with remote(sqlite_url, sources) as service:
        first = advised(service)
        sources.failing = {"bureau"}
        told = look(service, first["application_id"]).json()
        assert (told["result"], told["decision_id"]) == ("no_answer", first["decision_id"])


def test_what_is_found_counts_also_where_it_is_worse(sqlite_url: str) -> None:
    """A new insolvency on the file declines what was referred: looking is not a way around the rules."""
    told = {**WITHOUT_GST, "bureau": {"defaults": [{"on": "2025-01-01", "amount_cents": 400_000, "paid": False}]}}
    with telling(sqlite_url, told) as service:
        first = advised(service)
        service.state.shell.sources.told = story({"registry": {"company_status": "EXAD"}})
        service.state.shell.sources._facts.clear()
        assert first["outcome"] == "refer"
        told_back = look(service, first["application_id"]).json()
        assert service.ask("GET", f"/v1/decisions/{told_back['decision_id']}").json()["outcome"] == "decline"


def test_there_is_nothing_to_look_at_where_nothing_was_promised(owing: Office) -> None:
    """Without advice, after it has expired, with documents alone, or once accepted: it cannot be done now."""
    offer = owing.offered(STATED)
    assert slug_of(look(owing.service, offer["application_id"])) == "not-now"
    owing.service.ask("GET", f"/v1/applications/{offer['application_id']}/advice")
    assert slug_of(look(owing.service, offer["application_id"])) == "not-now"
    with owing.service.database.transaction(read_only=True):
        assert slug_of(look(owing.service, "app_" + "0" * 32)) == "not-found"
    assert slug_of(look(owing.service, offer["application_id"], secret=owing.service.key("apply"))) == "not-found"


def test_an_accepted_offer_is_not_superseded_beneath_its_case(sqlite_url: str) -> None:
    """Once accepted, verification alone decides again."""
    with telling(sqlite_url, UNPAID, MINDFUL) as service:
        office = Office.of(service)
        offer = office.offered(STATED)
        told = service.ask("GET", f"/v1/applications/{offer['application_id']}/advice").json()
        assert any(each["how"]["code"] != "documents" for each in told["counterfactuals"])
        office.accept(offer["application_id"], offer["decision_id"])
        assert slug_of(look(service, offer["application_id"])) == "not-now"


def test_looks_are_few(url: str) -> None:
    """Two a day, because a report costs; a day later two more; none once the promise is over."""
    with telling(url, DEFAULTED) as service:
        first = advised(service)
        results = [look(service, first["application_id"]).status_code for _ in range(3)]
        assert results == [200, 200, 429]
        office = Office(service)
        office.clock.advance(86_400)
        assert look(service, first["application_id"]).status_code == 200
        office.clock.advance(timedelta(days=31).total_seconds())
        assert slug_of(look(service, first["application_id"])) == "not-now"


# -- a person ------------------------------------------------------------------------------------------------


def ask(service: Service, application_id: str, **more: Any) -> httpx.Response:
    """Ask for a person."""
    return service.ask("POST", f"/v1/applications/{application_id}/review-requests", **more)


def test_a_person_is_asked_for_once(url: str) -> None:
    """Asked twice it is one request, one notice to staff and one entry; staff find it with the day it is due."""
    with telling(url, DEFAULTED) as service:
        application_id = service.apply(body_of()).json()["application_id"]
        first, second = ask(service, application_id), ask(service, application_id)
        assert (first.status_code, second.status_code, first.content) == (201, 200, second.content)
        assert first.json()["answer_by"] == "2026-08-10T07:00:00Z"
        with service.database.transaction(read_only=True) as connection:
            [found] = review_requests_since(connection, datetime(2026, 8, 1, tzinfo=UTC))
            messages = store.due_messages(connection, datetime(2027, 1, 1, tzinfo=UTC), topic="notice.mail")
            entries = [each for each in store.audit_tail(connection, 20) if '"action":"ask_person"' in each.body]
        assert found.id == first.json()["review_request_id"]
        assert [json.loads(each.body)["to"] for each in messages] == ["staff"]
        assert json.loads(messages[0].body)["notice"]["topic"] == "review.requested"
        assert len(entries) == 1
        told = service.ask("GET", f"/v1/applications/{application_id}/advice").json()
        assert told["person"]["requested"] is True


def test_a_request_is_of_one_decision_and_its_callers_own(url: str) -> None:
    """Somebody else's application is not there; many at once are one request."""
    with telling(url) as service:
        application_id = service.apply(body_of()).json()["application_id"]
        assert slug_of(ask(service, application_id, secret=service.key("apply"))) == "not-found"
        assert slug_of(ask(service, "app_" + "0" * 32)) == "not-found"
        assert service.count("review_request") == 0


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        ("2026-11-23T01:00:00", "2026-11-30T06:00:00"),  # a Monday: the Monday after, at five in Sydney
        ("2026-11-27T20:00:00", "2026-12-04T06:00:00"),  # a Saturday there already
        ("2026-11-29T20:00:00", "2026-12-07T06:00:00"),  # a Monday there already
        ("2026-04-02T12:00:00", "2026-04-09T07:00:00"),  # summer time ends in between
    ],
)
def test_business_days_are_counted_in_sydney(asked: str, due: str) -> None:
    """Five days of Monday to Friday after the day on which it was asked there."""
    at = datetime.fromisoformat(asked).replace(tzinfo=UTC)
    assert answer_by(at) == datetime.fromisoformat(due).replace(tzinfo=UTC)
