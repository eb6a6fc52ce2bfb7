"""How much the form asks of a person, counted where they do it."""

from playwright.sync_api import Browser

from api.sandbox.stories import book
from benchmarks.journey import KEY, POINT, THINK, counted, seconds_of
from tests.support.journeying.filling import told_of
from tests.support.journeying.hand import Act
from tests.support.journeying.staging import Stage

MOST_TYPED, MOST_PAGES, MOST_SECONDS = 12, 8, 180


def test_the_common_way_is_short(stage: Stage, browser: Browser) -> None:
    """A company with one director: at most 12 typed fields, 8 pages (the bank's own among them), 180 s by the model."""
    found = counted("common", stage, browser, "clean", told_of(book()["clean"]))
    assert 0 < found.typed <= MOST_TYPED
    assert 0 < found.pages <= MOST_PAGES
    assert 0 < found.seconds < MOST_SECONDS


def test_the_model_counts_every_stroke() -> None:
    """A longer answer takes longer, by a key each; a choice is a thought and a reach."""
    short, long = (seconds_of(Act("apply/you", "type", "me-given", keys)) for keys in (5, 6))
    assert round(long - short, 6) == KEY
    assert seconds_of(Act("apply/need", "choose", "purpose")) > THINK + POINT
