"""The played registers: the client reads back what the facts say, and errors are the real service's."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from api.sandbox import Ask, World, company_register, register
from api.sandbox.stories import book
from api.sandbox.world import MadeUpWorld
from api.sources import Asking, SourceFailed
from api.sources.company_register import Companies
from api.sources.exchange import Exchange, Line
from api.sources.market import MarketFile
from api.sources.register import Register
from engine.application import Application
from engine.facts import RegisterRecord
from tests.support.sandbox import SandboxServer
from tests.support.unplugged import Switchboard, Unplugged, asking, fetched

TODAY = date(2026, 8, 3)
NOW = datetime.combine(TODAY, time(10), UTC)


@pytest.fixture(scope="module")
def world(market: Path) -> Iterator[World]:
    """The book of stories and the sixty businesses of a market, on one day."""
    with MarketFile.open(market) as file:
        yield MadeUpWorld(TODAY, file)


def everyone(market: Path) -> list[Application]:
    """The applications of the market and of the book."""
    with MarketFile.open(market) as file:
        return [*file.sample_applications(60), *(story.application(TODAY) for story in book().values())]


def looked_up(world: World, application: Application) -> RegisterRecord:
    """What the client reads from both played registers."""
    client = Register(register.GUID, Companies(Switchboard(lambda ask: company_register.answer(world, ask))))
    conversation = Unplugged(lambda ask: register.answer(world, ask))
    record: RegisterRecord = fetched(client, asking(application, NOW), conversation).value
    return record


def test_the_registers_say_what_the_facts_say(world: World, market: Path) -> None:
    """Every business of the market and of the book comes back as its record, or as not found."""
    read = 0
    for application in everyone(market):
        facts = world.facts(application.business.abn)
        record = looked_up(world, application)
        if facts is None or facts.registry.value is None:
            assert not record.found
        else:
            assert record == facts.registry.value
            read += 1
    assert read > 60


def details(world: World, **query: str) -> dict[str, object]:
    """The details in a reply of the played ABN Lookup."""
    told = register.answer(world, Ask("GET", "/json/AbnDetails.aspx", {"callback": "cb", **query}))
    assert told.status == 200
    found: dict[str, object] = json.loads(told.body.removeprefix(b"cb(").removesuffix(b")"))
    return found


@pytest.mark.parametrize("query", [{}, {"guid": ""}, {"guid": "another"}])
def test_another_guid_is_not_recognised(world: World, query: dict[str, str]) -> None:
    """As in the real service, a refused credential is HTTP 200 with a message and empty fields."""
    told = details(world, abn="37955501005", **query)
    assert told["Message"] == "The GUID entered is not recognised as a Registered Party"
    assert (told["Abn"], told["BusinessName"]) == ("", [])


@pytest.mark.parametrize("abn", ["", "1", "37955501006", "10000000000"])
def test_what_is_no_abn_is_said_so(world: World, abn: str) -> None:
    """A number whose check digits disagree is answered as the service answers it."""
    assert details(world, abn=abn, guid="sandbox-guid")["Message"] == "Search text is not a valid ABN or ACN"


@pytest.mark.parametrize("abn", ["53004085616", "66999999996"])
def test_real_and_unknown_businesses_are_not_found(world: World, abn: str) -> None:
    """No real ABN is on the played register, and no made-up one that nobody made up."""
    assert details(world, abn=abn, guid="sandbox-guid")["Message"] == "No record found"


def test_what_is_no_request_of_the_service_is_refused(world: World) -> None:
    """Another page is 404, and a callback that is no name is 400: nothing of it is sent back."""
    assert register.answer(world, Ask("GET", "/json/Other.aspx")).status == 404
    told = register.answer(world, Ask("GET", "/json/AbnDetails.aspx", {"callback": "alert(1)//"}))
    assert (told.status, b"alert" in told.body) == (400, False)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 409),
        ({"resource_id": "r"}, 409),
        ({"resource_id": "r", "filters": "{"}, 409),
        ({"resource_id": "r", "filters": "[1]"}, 409),
        ({"resource_id": "r", "filters": '{"ABN": "1"}'}, 409),
        ({"resource_id": "r", "filters": '{"ACN": "not one"}'}, 200),
        ({"resource_id": "r", "filters": '{"ACN": "004085616"}'}, 200),
    ],
)
def test_a_datastore_search_needs_an_acn(world: World, query: dict[str, str], status: int) -> None:
    """What CKAN could not search for is refused; a company that nobody made up has no rows."""
    told = company_register.answer(world, Ask("GET", "/api/3/action/datastore_search", query))
    body = json.loads(told.body)
    assert (told.status, body["success"]) == (status, status == 200)
    assert status != 200 or body["result"]["records"] == []


def over_sockets(url: str, application: Application, guid: str) -> tuple[RegisterRecord, tuple[str | None, ...], bool]:
    """What the client reads over two real connections, the digests of both, and whether both are marked."""

    async def ask() -> tuple[RegisterRecord, tuple[str | None, ...], bool]:
        lines = [Line(name, f"{url}/{name}", {}, timeout_s=20) for name in ("abn-lookup", "company-register")]
        first, second = (Exchange(line) for line in lines)
        try:
            question = Asking(application, NOW)
            async with first.conversation(question.until) as conversation:
                answer = await Register(guid, Companies(second)).fetch(question, conversation)
        finally:
            await first.close()
            await second.close()
        assert answer.value is not None
        both = (conversation, *answer.also)
        return answer.value, tuple(each.digest for each in both), all(each.sandbox for each in both)

    return asyncio.run(ask())


def test_both_registers_over_real_sockets() -> None:
    """The client, the exchange and the sandbox's server fit together, for a sound company and an insolvent one."""
    with SandboxServer(today=lambda: TODAY) as server:
        stories = [story for story in book().values() if story.acn and story.known and not story.fails]
        companies = {str(story.tells["registry"]["company_status"]): story for story in stories}
        assert len(companies) > 1
        for status, story in companies.items():
            record, digests, marked = over_sockets(server.url, story.application(TODAY), "sandbox-guid")
            facts = story.facts(TODAY)
            assert facts is not None
            assert (record, record.company_status) == (facts.registry.value, status)
            assert marked
            assert [len(digest or "") for digest in digests] == [64, 64]
        with pytest.raises(SourceFailed, match="unauthorised"):
            over_sockets(server.url, stories[0].application(TODAY), "another")
