"""The page on contracts says what templates may hold, who signs, and what the API tells of a drawdown."""

import re
from pathlib import Path
from typing import get_args

from api.contracts.signing import MayDraw
from api.contracts.terms import PLACEHOLDERS
from engine.application import EntityType

PAGE = (Path(__file__).parents[2] / "docs" / "contracts.md").read_text(encoding="utf-8")


def test_every_placeholder_is_on_the_page() -> None:
    """Name, whether it is a list, whether it is required, and what it says: the table is the code's."""
    rows = re.findall(r"^\| `(\w+)`( \(lines\))? \| (yes)? ?\| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == [
        (name, " (lines)" if each.lines else "", "yes" if each.required else "", each.means)
        for name, each in PLACEHOLDERS.items()
    ]


def test_every_entity_and_every_obstacle_is_on_the_page() -> None:
    """Nothing that an application can state, and nothing that the API can answer, is left out."""
    entities = re.findall(r"^\| `(\w+)` \| [^|]+ \|$", PAGE, re.MULTILINE)
    assert sorted(entities) == sorted(get_args(EntityType))
    obstacles = re.findall(r"^\| `false` \| `(\w+)` \|", PAGE, re.MULTILINE)
    assert {*obstacles, "yes"} == set(get_args(MayDraw))
