"""The bank's half of the sandbox: the standards' envelopes and errors, and facts that survive the round trip."""

import asyncio
import json
import math
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.sandbox import Ask, Told
from api.sandbox.bank import answer
from api.sandbox.stories import book
from api.sandbox.world import MadeUpWorld
from api.sources import Asking
from api.sources.bank import ACCOUNTS, Bank
from api.sources.exchange import Exchange, Line
from api.sources.market import MarketFile
from engine.application import Application
from engine.facts import BankData
from engine.features.statement import summarise
from tests.support.businesses import business
from tests.support.sandbox import SandboxServer
from tests.support.unplugged import Unplugged, fetched, why_not

TODAY = date(2026, 11, 24)
AS_OF = datetime(2026, 11, 24, 1, tzinfo=UTC)  # noon in Sydney
BEARER = {"authorization": "Bearer sandbox-token"}
CLEAN = book()["clean"].abn


@pytest.fixture(scope="module")
def world(market: Path) -> Iterator[MadeUpWorld]:
    """The world of a market, today."""
    with MarketFile.open(market) as file:
        yield MadeUpWorld(TODAY, file)


def ask(path: str = ACCOUNTS, headers: dict[str, str] | None = None, **query: str) -> Ask:
    """A good request for a story's accounts, with headers replaced; an empty one is left out."""
    usual = {**BEARER, "x-v": "3", "x-min-v": "1", "x-cdr-arrangement-id": f"sandbox-{CLEAN}", **(headers or {})}
    there = {name: value for name, value in usual.items() if value}
    return Ask("GET", path, {name.replace("_", "-"): value for name, value in query.items()}, there)


def told(world: MadeUpWorld, question: Ask) -> dict[str, Any]:
    """A good answer's body."""
    reply = answer(world, question)
    assert reply.status == 200, reply.body
    body: dict[str, Any] = json.loads(reply.body)
    return body


def rows_of(world: MadeUpWorld, **query: str) -> dict[str, Any]:
    """A page of the everyday account's transactions."""
    return told(world, ask(f"{ACCOUNTS}/sandbox-{CLEAN}-everyday/transactions", {"x-v": "2"}, **query))


def about(abn: str, as_of: datetime = AS_OF) -> Asking:
    """A question about a business whose bank is connected."""
    application: Application = business()[0]
    application = application.model_copy(update={"bank_connection": f"sandbox-{abn}"})
    return Asking(application, as_of, until=math.inf)


def had(world: MadeUpWorld, abn: str) -> BankData | None:
    """What the client has of the sandbox."""
    found = fetched(Bank(), about(abn), Unplugged(lambda asked: answer(world, asked), BEARER)).value
    assert found is None or isinstance(found, BankData)
    return found


def as_bag(bank: BankData) -> Counter[tuple[object, ...]]:
    """Rows by account id and text: a bank's order within a day means nothing."""
    columns: dict[str, list[Any]] = dict(bank.transactions.as_json())
    columns["text"] = [bank.texts[place] for place in columns["text"]]
    columns["account"] = [bank.accounts[place].account_id for place in columns["account"]]
    return Counter(zip(*columns.values(), strict=True))


# -- the round trip --------------------------------------------------------------------------------------------


def test_the_market_survives_the_round_trip(world: MadeUpWorld, market: Path) -> None:
    """Of every business, what the client fetches is what the facts say: rows, window, balances, summary."""
    with MarketFile.open(market) as file:
        abns = [application.business.abn for application in file.sample_applications(60)]
    connected = 0
    for abn in abns:
        facts = world.facts(abn)
        assert facts is not None
        bank, again = facts.bank.value, had(world, abn)
        if bank is None:
            assert again is None
            continue
        assert again is not None
        connected += 1
        same(again, bank)
    assert connected > 40


@pytest.mark.parametrize("name", sorted(book()))
def test_a_story_survives_the_round_trip(world: MadeUpWorld, name: str) -> None:
    """Stories whose bank is down fail, those without a connection are absent, and the others are told whole."""
    facts = world.facts(book()[name].abn)
    if facts is None or facts.bank.status == "failed":
        talk = Unplugged(lambda asked: answer(world, asked), BEARER)
        assert why_not(Bank(), about(book()[name].abn), talk) == ("status" if facts is None else "busy")
    elif facts.bank.value is None:
        assert had(world, book()[name].abn) is None
    else:
        again = had(world, book()[name].abn)
        assert again is not None
        same(again, facts.bank.value)


def same(again: BankData, bank: BankData) -> None:
    """All that the standards can carry is alike; they carry neither evidence nor a window but by opening days."""
    assert as_bag(again) == as_bag(bank)
    assert (again.oldest_on, again.newest_on) == (bank.oldest_on, bank.newest_on)
    unsaid = {"opened_on"}
    assert [a.model_dump(exclude=unsaid) for a in again.accounts] == [
        a.model_dump(exclude=unsaid) for a in bank.accounts
    ]
    assert asdict(summarise(again)) == asdict(replace(summarise(bank), evidence="connected"))


def test_over_a_socket(world: MadeUpWorld) -> None:
    """The real client, the real server: a story's accounts in three round trips."""

    async def fetch(url: str) -> Any:
        exchange = Exchange(Line("bank", url + "/cdr", {"Authorization": "Bearer sandbox-token"}, timeout_s=20))
        try:
            async with exchange.conversation(time.monotonic() + 20) as talk:
                return (await Bank().fetch(about(CLEAN), talk)).value
        finally:
            await exchange.close()

    facts = world.facts(CLEAN)
    assert facts is not None
    assert facts.bank.value is not None
    with SandboxServer(today=lambda: TODAY) as running:
        same(asyncio.run(fetch(running.url)), facts.bank.value)


# -- as the standards have it ----------------------------------------------------------------------------------


def test_pages_are_pages(world: MadeUpWorld) -> None:
    """Pages of any size together hold every row once, latest first, with links to their neighbours."""
    window = {"oldest_time": (AS_OF - timedelta(days=180)).isoformat()}
    whole = rows_of(world, page_size="1000", **window)
    parts = [rows_of(world, page=str(page), page_size="100", **window) for page in range(1, 20)
             if page <= rows_of(world, page_size="100", **window)["meta"]["totalPages"]]  # fmt: skip
    assert [row for part in parts for row in part["data"]["transactions"]] == whole["data"]["transactions"]
    days = [row["postingDateTime"] for row in whole["data"]["transactions"] if row["status"] == "POSTED"]
    assert days == sorted(days, reverse=True)
    assert len(parts) > 2
    assert [set(part["links"]) for part in (parts[0], parts[1], parts[-1])] == [
        {"self", "first", "last", "next"},
        {"self", "first", "last", "next", "prev"},
        {"self", "first", "last", "prev"},
    ]
    assert {part["meta"]["totalRecords"] for part in parts} == {len(whole["data"]["transactions"])}


def test_a_page_has_25_rows_where_nobody_says(world: MadeUpWorld) -> None:
    """The standards' default size."""
    assert len(rows_of(world)["data"]["transactions"]) == 25


def test_who_forgets_the_window_gets_ninety_days(world: MadeUpWorld) -> None:
    """Without `oldest-time` nothing older than 90 days is told."""
    first = min(
        row["postingDateTime"]
        for row in rows_of(world, page_size="1000")["data"]["transactions"]
        if row["status"] == "POSTED"
    )
    assert date.fromisoformat(first[:10]) >= TODAY - timedelta(days=90)


def test_some_rows_are_pending(world: MadeUpWorld) -> None:
    """The latest rows have no posting time yet, and the client leaves them out."""
    rows = rows_of(world)["data"]["transactions"]
    assert [row["status"] for row in rows[:3]] == ["PENDING", "PENDING", "POSTED"]
    assert "postingDateTime" not in rows[0]


@pytest.mark.parametrize(
    ("question", "status", "code"),
    [
        (ask(headers={"x-v": ""}), 400, "Header/Missing"),
        (ask(headers={"x-v": "three"}), 400, "Header/InvalidVersion"),
        (ask(headers={"x-v": "0"}), 400, "Header/InvalidVersion"),
        (ask(headers={"x-v": "2"}), 406, "Header/UnsupportedVersion"),
        (ask(headers={"x-min-v": "4", "x-v": "5"}), 406, "Header/UnsupportedVersion"),
        (ask(headers={"x-cdr-arrangement-id": "sandbox-11111111111"}), 422, "Authorisation/InvalidArrangement"),
        (ask(headers={"x-cdr-arrangement-id": ""}), 422, "Authorisation/InvalidArrangement"),
        (ask(page_size="1001"), 400, "Field/InvalidPageSize"),
        (ask(page_size="0"), 400, "Field/InvalidPageSize"),
        (ask(page="2"), 422, "Field/InvalidPage"),
        (ask(f"{ACCOUNTS}/other/transactions"), 404, "Resource/NotFound"),
        (ask("/cds-au/v1/banking/payees"), 404, "Resource/NotFound"),
        (
            ask(f"{ACCOUNTS}/sandbox-{CLEAN}-everyday/transactions", oldest_time="2026-02-30"),
            400,
            "Field/InvalidDateTime",
        ),
        (
            ask(f"{ACCOUNTS}/sandbox-{CLEAN}-everyday/transactions", newest_time="2026-02-03T00:00"),
            400,
            "Field/InvalidDateTime",
        ),
    ],
)
def test_errors_are_the_standards_(world: MadeUpWorld, question: Ask, status: int, code: str) -> None:
    """Status, and one error object with code, title, detail and meta."""
    reply = answer(world, question)
    [error] = json.loads(reply.body)["errors"]
    assert (reply.status, error["code"]) == (status, f"urn:au-cds:error:cds-all:{code}")
    assert set(error) == {"code", "title", "detail", "meta"}


@pytest.mark.parametrize("bearer", ["", "Bearer another"])
def test_a_wrong_token_is_refused(world: MadeUpWorld, bearer: str) -> None:
    """Only the sandbox's own token opens it."""
    reply: Told = answer(world, ask(headers={"authorization": bearer}))
    assert (reply.status, reply.headers["WWW-Authenticate"]) == (401, "Bearer")
