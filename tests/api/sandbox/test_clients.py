"""Every story through the real clients: sandbox, sockets, ladder and list together end as the book says."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import models
from api.sandbox.sanctions import published
from api.sandbox.stories import Story, book
from api.sources import Asking, Gathered, ScreenedName
from api.sources.sanctions.compliance import Compliance
from api.sources.settings import SourceSettings
from api.sources.setup import ladder
from engine.decision import Decision, decide
from engine.facts import BankData, Exposure, Fact, Facts
from engine.release import Release
from tests.support.sandbox import SandboxServer

SYDNEY = ZoneInfo("Australia/Sydney")
BUDGET_S = 4.0  # for all sources; a busy machine may need most of it, a black hole always takes its share


@pytest.fixture(scope="module")
def champion() -> Release:
    """The shipped champion; the list is read here too, outside every loop."""
    compliance()
    return models.champion()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    """A sandbox that knows the stories alone."""
    with SandboxServer() as running:
        yield running


def now() -> datetime:
    """The moment, UTC."""
    return datetime.now(UTC)


@cache
def compliance() -> Compliance:
    """The compliance client with the made-up list in force."""

    async def origin() -> bytes:
        return published()

    client = Compliance(origin)
    assert asyncio.run(client.load())
    return client


async def screened(story: Story, asking: Asking) -> Any:
    """What the made-up sanctions list says of the people of a story."""
    people = story.submission(asking.as_of.date())["people"]
    names = tuple(
        ScreenedName(f"{each['given_names']} {each['family_name']}", date.fromisoformat(each["date_of_birth"]), True)
        for each in people
    )
    return (await compliance().fetch(replace(asking, names=names))).value


async def decided(story: Story, url: str, release: Release, clock: Callable[[], datetime] = now) -> Decision:
    """The decision on a story whose facts came over the sockets, the bureau asked only where it matters."""
    settings = SourceSettings.from_environment({"CREDITLINE_SANDBOX": url})
    rungs, as_of = ladder(settings, clock, development=True), clock()
    application = story.application(as_of.date())
    check = await screened(story, Asking(application, as_of))

    def conclude(gathered: Gathered) -> Decision:
        return decide(application, joined(story, gathered, check, clock()), release)

    def settled(gathered: Gathered) -> bool:
        return any(found.kind == "knock_out" for found in conclude(gathered).findings)

    reference = f"app_{story.name}_{as_of.timestamp()}"
    async with rungs.opened():
        asking = Asking(application, as_of, reference, until=monotonic() + BUDGET_S, settled=settled)
        return conclude(await rungs.gather(asking))


def joined(story: Story, gathered: Gathered, check: Any, at: datetime) -> Facts:
    """Facts as the service joins them: uploads in the bank's place, and the lender's own position."""

    def ours(value: Any) -> Fact[Any]:
        return Fact[Any](source="test", fetched_at=at, status="present", value=value)

    statement: BankData | None = story.statement(at.date())
    return Facts(
        as_of=at, registry=gathered.registry, compliance=ours(check), marketplace=gathered.marketplace,
        bank=gathered.bank if statement is None else ours(statement), bureau=gathered.bureau,
        exposure=ours(Exposure()),
    )  # fmt: skip


@pytest.mark.parametrize("name", book())
def test_a_story_ends_as_it_says_over_the_wire(name: str, sandbox: SandboxServer, champion: Release) -> None:
    """Outcome, deciding findings and reasons are the book's, with every fact rendered, sent, read and checked."""
    story = book()[name]
    decision = asyncio.run(decided(story, sandbox.url, champion))
    deciding = {"decline": "knock_out", "refer": "referral"}.get(decision.outcome)
    assert decision.outcome == story.expects.outcome
    assert tuple(found.rule for found in decision.findings if found.kind == deciding) == story.expects.findings
    assert tuple(reason.code for reason in decision.reasons) == story.expects.reasons


@pytest.mark.parametrize("hour", [2, 12, 15, 22])
@pytest.mark.parametrize("day", [5, 28, 31])
def test_a_story_ends_the_same_at_any_hour(day: int, hour: int, champion: Release) -> None:
    """What a bank's last days decide does not hang on whether it is tomorrow in Sydney already."""
    at = datetime(2026, 12, day, hour, 30, tzinfo=UTC)
    story = book()["over_indebted"]
    with SandboxServer(today=lambda: at.astimezone(SYDNEY).date()) as server:
        decision = asyncio.run(decided(story, server.url, champion, lambda: at))
    assert tuple(reason.code for reason in decision.reasons) == story.expects.reasons


def test_the_late_bureau_comes_the_second_time(champion: Release) -> None:
    """The story of the late bureau is referred, and approved when it is decided again."""
    with SandboxServer() as server:
        story = book()["late_bureau"]
        outcomes = [asyncio.run(decided(story, server.url, champion)).outcome for _ in range(2)]
    assert outcomes == ["refer", "approve"]


def test_the_paid_source_is_not_asked_where_free_facts_decide(champion: Release) -> None:
    """For a cancelled ABN the bureau is not asked, for a healthy business once."""
    with SandboxServer() as server:
        asyncio.run(decided(book()["cancelled_abn"], server.url, champion))
        assert server.requests["bureau"] == 0
        asyncio.run(decided(book()["clean"], server.url, champion))
        assert server.requests["bureau"] == 1
