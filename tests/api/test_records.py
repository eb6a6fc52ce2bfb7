"""Reading the record: the reply that was given, the decision that stands now, and what changed between two."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from api import flow
from tests.support.businesses import story
from tests.support.schema import slug_of
from tests.support.service import RemoteStories, Service, body_of, remote

NOBODYS = "0" * 32


@pytest.fixture
def sources() -> RemoteStories:
    """Sources that take time, of which the bureau fails."""
    return RemoteStories(story(), failing=("bureau",))


@pytest.fixture
def service(url: str, sources: RemoteStories) -> Iterator[Service]:
    """The service with them, on either database."""
    with remote(url, sources) as running:
        yield running


@pytest.fixture
def old(service: Service) -> dict[str, str]:
    """The reply of a referral that lacks its bureau report."""
    told: dict[str, str] = service.apply(body_of()).json()
    return told


def supersede(service: Service, sources: RemoteStories, decision_id: str, *missing: str) -> str:
    """Decide again on what has come; the id of the decision that stands now."""
    sources.failing = set(missing)
    assert service.clock is not None
    service.clock.advance(60)
    assert asyncio.run(flow.decide_again(service.state.shell, decision_id)) == "superseded"
    link = service.ask("GET", f"/v1/decisions/{decision_id}").headers["link"]
    return str(link.partition(">")[0].rpartition("/")[2])


def test_the_decision_of_an_application_is_the_one_that_stands(
    service: Service, sources: RemoteStories, old: dict[str, str]
) -> None:
    """At first the only one, later the one that superseded it, each time with the bytes of that decision."""
    path = f"/v1/applications/{old['application_id']}/decision"
    first = service.ask("GET", path)
    new = supersede(service, sources, old["decision_id"])
    second = service.ask("GET", path)
    assert [reply.json()["decision_id"] for reply in (first, second)] == [old["decision_id"], new]
    assert first.content == service.ask("GET", f"/v1/decisions/{old['decision_id']}").content
    assert second.content == service.ask("GET", f"/v1/decisions/{new}").content


def test_a_chain_of_decisions_is_followed_link_by_link(
    service: Service, sources: RemoteStories, old: dict[str, str]
) -> None:
    """Each superseded decision links to its own successor, and the application gives the last."""
    sources.failing = {"bank", "bureau"}
    first = service.apply(body_of()).json()
    second = supersede(service, sources, first["decision_id"], "bank")
    third = supersede(service, sources, second)
    told = service.ask("GET", f"/v1/applications/{first['application_id']}/decision").json()
    assert (told["decision_id"], told["supersedes"]) == (third, second)
    chain = [service.ask("GET", f"/v1/decisions/{each}") for each in (first["decision_id"], second, third)]
    assert [reply.headers.get("link", "").count("successor-version") for reply in chain] == [1, 1, 0]
    assert f"/v1/decisions/{second}>" in chain[0].headers["link"]


def test_an_application_that_waits_has_no_decision(lone_service: Service) -> None:
    """One that nobody has decided, one that is not there and nonsense: 404 alike."""
    for name in (f"app_{NOBODYS}", "app_1", f"dec_{NOBODYS}", "%00", "..%2f..", f"APP_{NOBODYS}"):
        assert slug_of(lone_service.ask("GET", f"/v1/applications/{name}/decision")) == "not-found"


def test_the_owner_and_an_auditor_read_it_and_nobody_else(service: Service, old: dict[str, str]) -> None:
    """Another caller's application is as good as missing, to the byte; an auditor reads every one."""
    path = f"/v1/applications/{old['application_id']}/decision"
    mine = service.ask("GET", path)
    assert service.ask("GET", path, secret=service.key("audit")).content == mine.content
    stranger = service.key("apply")
    theirs = service.ask("GET", path, secret=stranger)
    nobodys = service.ask("GET", f"/v1/applications/app_{NOBODYS}/decision", secret=stranger)
    bodies = [{**reply.json(), "request_id": ""} for reply in (theirs, nobodys)]
    assert (slug_of(theirs), bodies[0]) == ("not-found", bodies[1])


def test_a_successor_is_as_much_the_owners_as_the_first(service: Service, sources: RemoteStories) -> None:
    """Although the service itself decided again, the caller whose application it is reads the new decision."""
    owner = service.key("apply")
    first = service.apply(body_of(), secret=owner).json()["decision_id"]
    new = supersede(service, sources, first)
    assert service.ask("GET", f"/v1/decisions/{new}", secret=owner).json()["supersedes"] == first


def difference(service: Service, decision_id: str) -> httpx.Response:
    """What a decision changed, as an auditor is told."""
    return service.ask("GET", f"/v1/decisions/{decision_id}/difference", secret=service.key("audit"))


def test_a_difference_tells_the_source_that_came_and_what_followed(
    service: Service, sources: RemoteStories, old: dict[str, str]
) -> None:
    """The bureau came, the finding for want of it went, the outcome is another; no other outside source is named."""
    told = difference(service, supersede(service, sources, old["decision_id"])).json()
    [bureau] = [each for each in told["sources"] if each["source"] != "exposure"]
    assert (bureau["source"], bureau["before"], bureau["after"], bureau["failure_before"]) == (
        "bureau", "failed", "present", "busy",
    )  # fmt: skip
    assert [finding["rule"] for finding in told["findings_gone"]] == ["bureau_failed"]
    [outcome] = [figure for figure in told["figures"] if figure["name"] == "outcome"]
    assert (outcome["before"], outcome["after"]) == ("refer", "approve")
    assert "bureau_score" in {feature["name"] for feature in told["features"]}
    assert told["words"]


def test_a_first_decision_has_no_difference(service: Service, old: dict[str, str]) -> None:
    """One that superseded nothing, one that is not there and nonsense are 404 alike."""
    for name in (old["decision_id"], f"dec_{NOBODYS}", "dec_1"):
        assert slug_of(difference(service, name)) == "not-found"


def test_a_difference_is_for_auditors(service: Service, sources: RemoteStories, old: dict[str, str]) -> None:
    """It names findings and features: the applicant's caller may not read it, even of its own decision."""
    new = supersede(service, sources, old["decision_id"])
    reply = service.ask("GET", f"/v1/decisions/{new}/difference", secret=service.key("apply", "supply", "operate"))
    assert (reply.status_code, slug_of(reply)) == (403, "forbidden")
