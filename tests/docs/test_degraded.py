"""The page on degraded outcomes is what deciding gives today, and it could not hide a broken promise."""

from itertools import combinations
from pathlib import Path

import pytest

from api.degraded import Business, Mix, PromiseBroken, businesses, hold, mix_of
from api.sources import OUTSIDE
from engine.decision import Decision
from engine.facts import SOURCES
from tests.support.commands import ran
from tests.support.service import champion_once

PAGE = Path(__file__).parents[2] / "docs" / "degraded.md"
WHOLE = mix_of()


@pytest.fixture(scope="module")
def known() -> dict[str, Business]:
    """The page's businesses by title."""
    return {business.title: business for business in businesses(champion_once())}


def test_the_page_is_what_is_decided_today() -> None:
    """docs/degraded.md is what `creditline degraded` prints; a policy that changes an outcome changes the page."""
    assert PAGE.read_text(encoding="utf-8") == ran(None, "degraded"), "creditline degraded > docs/degraded.md"


def test_the_page_has_a_row_for_every_set_of_failed_sources() -> None:
    """Each of the 32 sets of the five outside sources has exactly one row."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = lines.index("| failed | healthy shop | ABN cancelled | dishonours | unpaid default | told |") + 2
    rows = [line.split(" | ")[0].removeprefix("| ") for line in lines[start : lines.index("", start)]]
    sets = [set_ for size in range(len(OUTSIDE) + 1) for set_ in combinations(OUTSIDE, size)]
    assert rows == [", ".join(set_) or "none" for set_ in sets]
    assert len(rows) == 32


def test_each_business_shows_what_its_column_says(known: dict[str, Business]) -> None:
    """With everything known the two shops are approved, and each other is declined by one source, each by another."""
    decisions = {title: business.decided(WHOLE) for title, business in known.items()}
    outcomes = {title: decision.outcome for title, decision in decisions.items()}
    declined = [title for title, outcome in outcomes.items() if outcome == "decline"]
    assert {title for title, outcome in outcomes.items() if outcome == "approve"} == {"healthy shop", "weak shop"}
    assert [{f.source for f in decisions[title].findings} for title in declined] == [{"registry"}, {"bank"}, {"bureau"}]


@pytest.mark.parametrize("source", SOURCES)
def test_a_failed_source_is_asked_about_and_named(known: dict[str, Business], source: str) -> None:
    """The healthy shop without any one source is referred, and the finding names that source."""
    decision = known["healthy shop"].decided(mix_of([source]))
    assert (decision.outcome, [f.source for f in decision.findings]) == ("refer", [source])


def _decisions(known: dict[str, Business], with_it: str, without_it: str) -> dict[Mix, Decision]:
    """One decision for everything known and one for a failed bank, each of the business with this column."""
    return {WHOLE: known[with_it].decided(WHOLE), mix_of(["bank"]): known[without_it].decided(WHOLE)}


@pytest.mark.parametrize(
    ("with_it", "without_it"),
    [("healthy shop", "ABN cancelled"), ("healthy shop", "healthy shop"), ("ABN cancelled", "healthy shop")],
    ids=["declined for want of a fact", "approved all the same", "approved for want of a fact"],
)
def test_a_broken_promise_makes_no_page(known: dict[str, Business], with_it: str, without_it: str) -> None:
    """A decline that only a failed source brings, and any approval without it, are errors that name the mixture."""
    with pytest.raises(PromiseBroken, match="'bank': 'failed'"):
        hold(_decisions(known, with_it, without_it))


def test_a_kept_promise_is_counted(known: dict[str, Business]) -> None:
    """A decline that the failed source has nothing to do with is fine, and so is one compared with itself."""
    assert hold(_decisions(known, "ABN cancelled", "ABN cancelled")) == 1
