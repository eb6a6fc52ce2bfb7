"""The bureau's half of the sandbox: refusals of a real bureau, and reports that survive the round trip."""

import asyncio
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.sandbox import Ask
from api.sandbox.bureau import PATH, answer, rendered
from api.sandbox.stories import book
from api.sandbox.world import MadeUpWorld
from api.sources import Asking
from api.sources.bureau import Bureau
from api.sources.exchange import Exchange, Headers, Line, Reply
from api.sources.market import MarketFile
from engine.canonical import canonical_bytes
from engine.facts import BureauReport, CourtAction, Default, Registration
from tests.support.businesses import business
from tests.support.sandbox import SandboxServer
from tests.support.unplugged import Unplugged, asking, fetched

TODAY = date(2026, 11, 24)
AS_OF = datetime(2026, 11, 24, 1, tzinfo=UTC)
ASKED = {
    "abn": book()["clean"].abn, "purpose": "commercial_credit",
    "consent": {"kind": "commercial_bureau", "version": "2026-11", "given_at": "2026-11-24T00:00:00Z"},
}  # fmt: skip
HEADERS = {"authorization": "Bearer sandbox-token", "idempotency-key": "app_1"}


class World(Unplugged):
    """A conversation with the sandbox's bureau in a world."""

    def __init__(self, world: MadeUpWorld) -> None:
        super().__init__(lambda ask: answer(world, ask), HEADERS)
        self._world = world

    async def post(
        self, path: str, body: object, *, headers: Headers | None = None, allow: tuple[int, ...] = ()
    ) -> Reply:
        """Ask the sandbox."""
        told = answer(self._world, Ask("POST", path, {}, HEADERS, canonical_bytes(body)))
        assert told.status in (200, *allow)
        return Reply(told.status, told.body)


@pytest.fixture(scope="module")
def world(market: Path) -> Iterator[MadeUpWorld]:
    """The world of a market, today."""
    with MarketFile.open(market) as file:
        yield MadeUpWorld(TODAY, file)


def pull(headers: dict[str, str] | None = None, **fields: object) -> Ask:
    """A pull of the clean story's report."""
    sent = json.dumps({**ASKED, **fields}).encode()
    return Ask("POST", PATH, headers=HEADERS if headers is None else headers, body=sent)


def test_every_report_of_the_market_survives_the_round_trip(world: MadeUpWorld, market: Path) -> None:
    """What the client reads from the sandbox is what the world holds, for sixty businesses."""
    scores = set()
    with MarketFile.open(market) as file:
        sample = file.sample_applications(60)
    for application in sample:
        facts = world.facts(application.business.abn)
        assert facts is not None
        moved = world.application(application.business.abn)
        assert moved is not None
        found = fetched(Bureau(), Asking(moved, AS_OF, until=math.inf), World(world)).value
        assert found == facts.bureau.value
        scores.add(found.score)
    assert None in scores
    assert len(scores) > 20


days = st.dates(date(1990, 1, 1), date(2026, 8, 3))
cents = st.integers(0, 100_000_000_000)


@given(
    st.builds(
        BureauReport,
        bureau=st.just("made-up"), score_name=st.just("made-up"), score=st.none() | st.integers(0, 850),
        score_low=st.just(0), score_high=st.just(850), file_since=st.none() | days,
        defaults=st.lists(st.builds(Default, on=days, amount_cents=cents, paid=st.booleans()), max_size=3),
        court_actions=st.lists(st.builds(CourtAction, on=days, amount_cents=cents, judgment=st.booleans()), max_size=3),
        enquiries=st.lists(days, max_size=3),
        registrations=st.lists(st.builds(Registration, on=days, all_assets=st.booleans()), max_size=3),
        insolvency=st.sampled_from(["none", "business", "director"]),
        days_beyond_terms=st.none() | st.integers(-60, 1_000),
        tax_debt_disclosed_cents=st.none() | st.integers(1, 100_000_000_000),
    )
)  # fmt: skip
def test_any_report_survives_the_round_trip(report: BureauReport) -> None:
    """Rendering and reading are each other's inverse, to the cent and the day."""

    class Told(Unplugged):
        async def post(
            self, path: str, body: object, *, headers: Headers | None = None, allow: tuple[int, ...] = ()
        ) -> Reply:
            return Reply(200, canonical_bytes(rendered(business()[0].business.abn, report)))

    assert fetched(Bureau(), asking(), Told(lambda _: pytest.fail("never a GET"))).value == report


def test_the_same_pull_gives_the_same_bytes(world: MadeUpWorld) -> None:
    """Repeating a pull under its key changes nothing."""
    assert answer(world, pull()) == answer(world, pull())
    assert answer(world, pull()).status == 200


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        (pull(headers={**HEADERS, "authorization": "Bearer sandbox-tokem"}), 401),
        (pull(headers={"idempotency-key": "app_1"}), 401),
        (pull(headers={"authorization": "Bearer sandbox-token"}), 400),
        (replace(pull(), method="GET"), 405),
        (replace(pull(), path="/v1/reports"), 404),
        (replace(pull(), body=b"{"), 422),
        (pull(abn="123"), 422),
        (pull(purpose="consumer_credit"), 403),
        (pull(consent={"kind": "privacy_notice", "version": "1", "given_at": "now"}), 403),
    ],
)
def test_it_refuses_what_a_bureau_refuses(world: MadeUpWorld, ask: Ask, status: int) -> None:
    """A wrong token, no key, another purpose and no consent are refused, each with its status."""
    assert answer(world, ask).status == status


def test_a_business_nobody_has_heard_of_has_no_file(world: MadeUpWorld) -> None:
    """The bureau says so in words, and the client reads a thin file."""
    told = answer(world, pull(abn="51824753556"))
    assert (told.status, json.loads(told.body)["code"]) == (404, "no_file")


def test_a_report_comes_over_a_socket() -> None:
    """Exchange, sandbox server and client together give the story's report, marked as pretended."""

    today = datetime.now(UTC)

    async def ask(url: str) -> tuple[object, bool]:
        line = Line("bureau", f"{url}/bureau", {"Authorization": "Bearer sandbox-token"}, timeout_s=20)
        exchange = Exchange(line)
        try:
            async with exchange.conversation(monotonic() + 20) as conversation:
                application = book()["clean"].application(today.date())
                answered = await Bureau().fetch(Asking(application, today, reference="app_1"), conversation)
                return answered.value, conversation.sandbox
        finally:
            await exchange.close()

    with SandboxServer(today=today.date) as sandbox:
        value, pretended = asyncio.run(ask(sandbox.url))
    expected = book()["clean"].facts(today.date())
    assert expected is not None
    assert value == expected.bureau.value
    assert pretended
