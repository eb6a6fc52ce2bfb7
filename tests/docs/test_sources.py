"""The page on sources says what the code does: limits, words, shares."""

import re
from pathlib import Path
from typing import get_args

import pytest

from api.deadline import DEFAULT_MS, SOURCES_SHARE
from api.sources import Why
from api.sources.ladder import FREE_SHARE
from api.sources.settings import SourceSettings
from api.sources.setup import largest_answer

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
LIMITS = re.findall(r"^\| `([A-Z_]+)` \| (\d+) ms \| ([\d,]+) bytes \|$", PAGE, re.MULTILINE)


def test_each_sources_limits_are_on_the_page() -> None:
    """Time and bytes of each source are what it gets where nothing is said."""
    settings = SourceSettings.from_environment({"CREDITLINE_SANDBOX": "http://127.0.0.1:8100"})
    expected = {name: (place.timeout_s * 1000, largest_answer(name)) for name, place in settings.places}
    told = {name.lower(): (float(time), int(size.replace(",", ""))) for name, time, size in LIMITS}
    assert told == expected


def test_every_word_of_failure_is_on_the_page() -> None:
    """The words are those of the code, in its order."""
    words = re.findall(r"^\| `([a-z_]+)` \| [^|]+ \|$", PAGE[PAGE.index("| word |") :].split("\n\n")[0], re.MULTILINE)
    assert tuple(words) == get_args(Why)


@pytest.mark.parametrize(
    "words", [f"{DEFAULT_MS} ms where nobody says", f"at most {FREE_SHARE:.0%}".replace("%", " %")]
)
def test_the_shares_of_time_are_on_the_page(words: str) -> None:
    """The budget and the free sources' share are the code's; the sources have half."""
    assert words in PAGE
    assert (SOURCES_SHARE, "Half of it is for all sources together" in PAGE) == (0.5, True)
