"""The sandbox's world: stories before the market, dated today, and nothing about anybody real."""

import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.sandbox.stories import book
from api.sandbox.world import MadeUpWorld
from api.sources.market import MarketFile
from engine.facts import SOURCES
from engine.values import is_synthetic_abn

TODAY = date(2026, 11, 24)
REAL_ABN = "51824753556"  # published by the tax office as an example, and its own


@pytest.fixture
def file(market: Path) -> Iterator[MarketFile]:
    """The opened market."""
    with MarketFile.open(market) as opened:
        yield opened


def abns(file: MarketFile) -> list[str]:
    """A dozen ABNs of the market."""
    return [application.business.abn for application in file.sample_applications(12)]


def undated(value: Any) -> Any:
    """A record without its dates and day numbers."""
    if isinstance(value, dict):
        return {key: undated(item) for key, item in value.items() if key not in {"placed_day", "posted_day"}}
    if isinstance(value, list | tuple):
        return [undated(item) for item in value]
    return None if isinstance(value, date) else value


def test_a_market_business_is_the_same_on_every_day_but_for_its_dates(file: MarketFile) -> None:
    """Values never move; every fact is as of the day."""
    for abn in abns(file):
        first, later = (MadeUpWorld(day, file).facts(abn) for day in (TODAY, TODAY + timedelta(days=400)))
        assert first is not None
        assert later is not None
        assert (first.as_of.date(), later.as_of.date()) == (TODAY, TODAY + timedelta(days=400))
        assert undated(first.model_dump()) == undated(later.model_dump())


def test_a_market_business_applies_today(file: MarketFile) -> None:
    """Its application is the market's, with consents given today."""
    world = MadeUpWorld(TODAY, file)
    for abn in abns(file):
        stored, application = file.application_of(abn), world.application(abn)
        assert stored is not None
        assert application is not None
        assert application.request == stored.request
        assert {consent.at.date() for consent in application.consents} <= {TODAY, TODAY - timedelta(days=1)}


def test_companies_are_found_by_their_number(file: MarketFile) -> None:
    """Every company of market and book is found by its ACN; sole traders have none to be found by."""
    world = MadeUpWorld(TODAY, file)
    companies = 0
    for abn in [*abns(file), *(story.abn for story in book().values())]:
        facts = world.facts(abn)
        record = facts.registry.value if facts else None
        if record is not None and record.acn is not None and abn.endswith(record.acn):
            assert world.abn_of_company(record.acn) == abn
            companies += 1
    assert companies > 30


@pytest.mark.parametrize("acn", ["", "x", "999999999", "004085616", "9990000100"])
def test_other_numbers_are_nobodys(acn: str) -> None:
    """Text that is no ACN, and an ACN that the world does not hold, name no company."""
    assert MadeUpWorld(TODAY).abn_of_company(acn) is None


@pytest.mark.parametrize("abn", ["", "1", "x" * 11, "²" * 11, "11999999999", REAL_ABN])
def test_nobody_knows_other_numbers(abn: str, file: MarketFile) -> None:
    """Text that is no ABN, an unused one and a real one have neither facts nor application."""
    world = MadeUpWorld(TODAY, file)
    assert world.facts(abn) is None
    assert world.application(abn) is None


def test_a_real_abn_in_a_market_file_stays_unknown(market: Path, tmp_path: Path) -> None:
    """Only synthetic ABNs have facts, whatever a file holds."""
    path = tmp_path / "market.sqlite"
    path.write_bytes(market.read_bytes())
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE business SET abn = ? WHERE idx = 0", (REAL_ABN,))
    connection.close()
    with MarketFile.open(path) as file:
        assert file.facts_for(REAL_ABN) is not None
        world = MadeUpWorld(TODAY, file)
        assert world.facts(REAL_ABN) is None
        assert world.application(REAL_ABN) is None


def test_the_book_goes_before_the_market(market: Path, tmp_path: Path) -> None:
    """A market that holds a story's ABN does not change the story."""
    clean = book()["clean"]
    path = tmp_path / "market.sqlite"
    path.write_bytes(market.read_bytes())
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE business SET abn = ? WHERE idx = 0", (clean.abn,))
    connection.close()
    with MarketFile.open(path) as file:
        world = MadeUpWorld(TODAY, file)
        assert world.facts(clean.abn) == MadeUpWorld(TODAY).facts(clean.abn)
        assert world.application(clean.abn) == clean.application(TODAY)


def test_everything_says_that_it_is_made_up(file: MarketFile) -> None:
    """Every fact of every business names a synthetic source, and every ABN is synthetic."""
    world = MadeUpWorld(TODAY, file)
    for abn in [*abns(file), *(story.abn for story in book().values() if story.known)]:
        facts = world.facts(abn)
        assert facts is not None
        assert is_synthetic_abn(abn)
        assert all(getattr(facts, name).source.startswith("synthetic") for name in SOURCES)
