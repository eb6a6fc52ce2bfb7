"""The played marketplace: the client reads back what the facts say, page by page, and strangers are refused."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.sandbox import Ask, World, marketplace
from api.sandbox.stories import book
from api.sandbox.world import MadeUpWorld
from api.sources import Asking, SourceFailed
from api.sources.exchange import Exchange, Line
from api.sources.market import MarketFile
from api.sources.marketplace import Marketplace
from engine.application import Application
from engine.facts import Facts, MarketplaceHistory, Orders, Supplier
from engine.facts.bank import day_number
from engine.facts.marketplace import NOT_SHIPPED
from tests.support.businesses import TODAY, business
from tests.support.sandbox import SandboxServer
from tests.support.unplugged import Unplugged, asking, fetched

NOW = datetime.combine(TODAY, time(10), UTC)
BEARER = {"Authorization": "Bearer sandbox-token"}
APPLICATION, FACTS = business()
ABN = APPLICATION.business.abn
BUYER = f"/v1/buyers/{ABN}"


@dataclass
class Village:
    """A world of one business."""

    facts_of_all: Facts
    today: date = TODAY

    def facts(self, abn: str) -> Facts | None:
        """Its facts."""
        return self.facts_of_all if abn == ABN else None

    def application(self, abn: str) -> Application | None:
        """Unknown."""
        return None

    def abn_of_company(self, acn: str) -> str | None:
        """Unknown."""
        return None


def village(history: MarketplaceHistory) -> Village:
    """A world in which the ordinary business has this history."""
    fact = FACTS.marketplace.model_copy(update={"value": history})
    return Village(FACTS.model_copy(update={"marketplace": fact}))


def read_back(world: World, application: Application = APPLICATION) -> MarketplaceHistory | None:
    """What the client reads from the played marketplace."""
    conversation = Unplugged(lambda ask: marketplace.answer(world, ask), BEARER)
    history: MarketplaceHistory | None = fetched(Marketplace(), asking(application, NOW), conversation).value
    return history


def said(history: MarketplaceHistory, told: MarketplaceHistory) -> MarketplaceHistory:
    """What was told, without what the sandbox invented because the facts say nothing of it."""
    unsaid = ("vetted_on", "response_rate_bps", "response_hours")
    suppliers = tuple(
        other.model_copy(update={name: None for name in unsaid if getattr(supplier, name) is None})
        for supplier, other in zip(history.suppliers, told.suppliers, strict=True)
    )
    columns = told.orders.as_json()
    if bool((history.orders["ship_days"] == NOT_SHIPPED).all()):
        del columns["ship_days"]
    return told.model_copy(update={"suppliers": suppliers, "orders": Orders(columns)})


@pytest.fixture(scope="module")
def world(market: Path) -> Iterator[World]:
    """The book of stories and the sixty businesses of a market, on one day."""
    with MarketFile.open(market) as file:
        yield MadeUpWorld(TODAY, file)


def test_the_marketplace_says_what_the_facts_say(world: World, market: Path) -> None:
    """Every business of the market and of the book comes back as its history, or as no buyer."""
    with MarketFile.open(market) as file:
        everyone = [*file.sample_applications(60), *(story.application(TODAY) for story in book().values())]
    read = 0
    for application in everyone:
        facts, told = world.facts(application.business.abn), read_back(world, application)
        history = facts.marketplace.value if facts else None
        assert (told is None) == (history is None)
        if told is not None and history is not None:
            assert said(history, told) == history
            read += 1
    assert read > 60


# -- any history ---------------------------------------------------------------------------------------------

LAST = day_number(TODAY)
SUPPLIERS = st.builds(
    Supplier,
    id=st.from_regex(r"[A-Za-z0-9._:/-]{1,80}", fullmatch=True),
    active_since=st.dates(date(1990, 1, 1), TODAY),
    orders_12m=st.integers(0, 10_000_000),
    value_12m_cents=st.integers(0, 10_000_000_000_000),
    dispute_bps=st.integers(0, 10_000),
    on_time_bps=st.integers(0, 10_000),
    related_to_buyer=st.booleans(),
    vetted_on=st.none() | st.dates(date(2020, 1, 1), TODAY),
    response_rate_bps=st.none() | st.integers(0, 10_000),
    response_hours=st.none() | st.integers(0, 10_000),
)


@st.composite
def histories(draw: st.DrawFn) -> MarketplaceHistory:
    """A history of the last year; what was shipped was shipped by today."""
    suppliers = draw(st.lists(SUPPLIERS, min_size=1, max_size=4, unique_by=lambda supplier: supplier.id))
    count = draw(st.integers(0, 30))

    def column(low: int, high: int) -> list[int]:
        return draw(st.lists(st.integers(low, high), min_size=count, max_size=count))

    placed = sorted(column(LAST - 365, LAST))
    ship_days = [min(days, LAST - day) for days, day in zip(column(NOT_SHIPPED, 400), placed, strict=True)]
    orders = {
        "placed_day": placed, "amount_cents": column(0, 10_000_000_000), "supplier": column(0, len(suppliers) - 1),
        "outcome": column(0, 4), "days_late": column(-1, 3_650), "ship_days": ship_days,
    }  # fmt: skip
    joined = draw(st.dates(date(1990, 1, 1), TODAY))
    return MarketplaceHistory(joined_on=joined, suppliers=tuple(suppliers), orders=Orders(orders))


@given(histories())
@settings(max_examples=60)
def test_any_history_survives_the_wire(history: MarketplaceHistory) -> None:
    """What a marketplace could know comes back unchanged, whatever it is."""
    told = read_back(village(history))
    assert told is not None
    assert said(history, told) == history


def busy(count: int) -> MarketplaceHistory:
    """A history of so many orders, most of them on the last day."""
    days = np.minimum(LAST - 365 + np.arange(count), LAST)
    columns = {"placed_day": days, "amount_cents": np.arange(count) * 100, "ship_days": np.zeros(count, dtype=np.int64)}
    nothing = dict.fromkeys(("supplier", "outcome", "days_late"), np.zeros(count, dtype=np.int64))
    assert FACTS.marketplace.value is not None
    return FACTS.marketplace.value.model_copy(update={"orders": Orders({**columns, **nothing})})


@pytest.mark.parametrize("count", [999, 1_000, 1_001, 20_000])
def test_pages_hold_all_orders_in_order(count: int) -> None:
    """Up to the most that facts hold: no order is lost, doubled or moved, however many fall on one day."""
    told = read_back(village(busy(count)))
    assert told is not None
    assert told.orders == busy(count).orders


# -- the wire ------------------------------------------------------------------------------------------------


def answered(path: str, query: dict[str, str] | None = None, **headers: str) -> tuple[int, dict[str, object]]:
    """Status and content of one reply."""
    given = headers or {"authorization": "Bearer sandbox-token"}
    told = marketplace.answer(Village(FACTS), Ask("GET", path, query or {}, given))
    return told.status, json.loads(told.body)


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer another", "sandbox-token", "bearer sandbox-token"])
def test_a_stranger_is_refused(authorization: str) -> None:
    """Without the token nothing is told, not even whether there is such a buyer."""
    assert answered(BUYER, authorization=authorization) == (401, {"code": "unauthorised"})


def test_an_unknown_buyer_is_said_so() -> None:
    """The documented refusal; another address is another 404."""
    assert answered("/v1/buyers/66999999996") == (404, {"code": "buyer_unknown"})
    assert answered("/v1/buyers/66999999996/orders") == (404, {"code": "buyer_unknown"})
    assert answered("/v1/buyer/37955501005") == (404, {"code": "not_found"})


@pytest.mark.parametrize(
    "query",
    [
        {}, {"from": "2025-08-03"}, {"page": "0"}, {"page": "x"}, {"page_size": "1001"}, {"page_size": "0"},
        {"from": "yesterday"},
    ],
)  # fmt: skip
def test_a_page_has_to_be_asked_for_rightly(query: dict[str, str]) -> None:
    """Days and page are required, and a page holds at most a thousand orders."""
    good = {"from": "2025-08-03", "to": "2026-08-03", "page": "1", "page_size": "1000"}
    assert answered(f"{BUYER}/orders", good)[0] == 200
    asked = {**good, **query} if query and len(query) == 1 and "from" not in query else query
    assert answered(f"{BUYER}/orders", asked) == (400, {"code": "query_invalid"})


def test_only_the_days_asked_for_are_told() -> None:
    """Both days are included."""
    asked = {"from": "2026-07-01", "to": "2026-07-31", "page": "1", "page_size": "1000"}
    _, told = answered(f"{BUYER}/orders", asked)
    assert FACTS.marketplace.value is not None
    days = FACTS.marketplace.value.orders["placed_day"]
    first, last = day_number(date(2026, 7, 1)), day_number(date(2026, 7, 31))
    assert told["total"] == int(((days >= first) & (days <= last)).sum())
    assert 0 < int(str(told["total"])) < len(days)


def test_the_marketplace_over_real_sockets(market: Path) -> None:
    """The client, the exchange and the sandbox's server fit together; a wrong token is an alarm."""
    with MarketFile.open(market) as file:
        applications = file.sample_applications(3)
        facts = [MadeUpWorld(TODAY, file).facts(application.business.abn) for application in applications]

    async def ask(url: str, application: Application, token: str) -> MarketplaceHistory | None:
        exchange = Exchange(
            Line("marketplace", f"{url}/marketplace", {"Authorization": f"Bearer {token}"}, timeout_s=20)
        )
        try:
            question = Asking(application, NOW)
            async with exchange.conversation(question.until) as conversation:
                answer = await Marketplace().fetch(question, conversation)
            assert conversation.sandbox
            return answer.value
        finally:
            await exchange.close()

    with SandboxServer(market, today=lambda: TODAY) as server:
        for application, fact in zip(applications, facts, strict=True):
            told = asyncio.run(ask(server.url, application, "sandbox-token"))
            assert fact is not None
            assert told is not None
            assert fact.marketplace.value is not None
            assert said(fact.marketplace.value, told) == fact.marketplace.value
        assert asyncio.run(ask(server.url, APPLICATION, "sandbox-token")) is None
        with pytest.raises(SourceFailed, match="unauthorised"):
            asyncio.run(ask(server.url, applications[0], "another"))
