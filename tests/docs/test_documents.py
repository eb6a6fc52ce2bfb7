"""The page on documents: its limits, codes, problems and types are those of the code."""

import re
from pathlib import Path

from api.cases import receiving as of_cases
from api.documents import inspector, receiving
from api.documents.inspection import picture, portable
from api.documents.inspector import BLAMED
from api.errors import SLUGS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "documents.md").read_text(encoding="utf-8")
HOUSES = (receiving, of_cases, portable, picture, inspector)


def section(title: str) -> str:
    """The part of the page under a heading."""
    return PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def words_of(title: str) -> list[str]:
    """The first column of a section's table."""
    return re.findall(r"^\| `([a-z_-]+)` \|", section(title), re.MULTILINE)


def test_every_limit_is_the_codes() -> None:
    """Each number of the table is the constant of its name, and no limit of those modules is missing."""
    told = {name: int(number.replace(",", "")) for name, number in re.findall(r"`(\w+)` = ([0-9,]+)", PAGE)}
    known = {name: value for house in HOUSES for name, value in vars(house).items() if name.startswith("MOST_")}
    look = inspector.LIMITS
    known |= {
        "RECEIVE_SECONDS": of_cases.RECEIVE_SECONDS, "PAGE_WIDTH": inspector.PAGE_WIDTH,
        "cpu_seconds": look.cpu_seconds, "wall_seconds": look.wall_seconds, "memory_mb": look.memory_mb,
        "files": look.files,
    }  # fmt: skip
    assert told == known


def test_every_code_of_a_look_is_listed() -> None:
    """The codes are those that inspection and the loop around it give, found in their source."""
    inspection = "\n".join(each.read_text() for each in (ROOT / "api" / "documents" / "inspection").glob("*.py"))
    reading = (ROOT / "api" / "cases" / "reading.py").read_text()
    given = set(re.findall(r'(?:rejected\(|return )"([a-z_]+)"', inspection)) | set(BLAMED.values())
    given |= {"infected"} & set(re.findall(r'"([a-z_]+)"', reading))
    given |= set(re.findall(r'_reject\(desk, \w+, "([a-z_]+)"', reading))
    assert set(words_of("What is refused after a look")) == given


def test_every_problem_at_the_door_is_one() -> None:
    """The problems are slugs that the service has."""
    told = words_of("What is refused at the door")
    assert len(told) == 9
    assert set(told) <= set(SLUGS)


def test_the_types_that_are_taken_are_named() -> None:
    """The types of the page are those of the code."""
    assert set(re.findall(r"`((?:application|image)/\w+)`", section("What is refused at the door"))) == of_cases._TYPES
