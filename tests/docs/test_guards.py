"""The page on guards and brakes says what policy says, and its commands are commands."""

import re
import shlex
from datetime import date
from pathlib import Path

from click.testing import CliRunner

from api.cli import brake
from engine.policy import PolicyBook
from tests.support.releases import policy_text

PAGE = (Path(__file__).parents[2] / "docs" / "guards.md").read_text(encoding="utf-8")


def test_the_table_is_the_draft_policy() -> None:
    """Every number of policy's guards stands in the table under its name, and no other."""
    told = {name: int(number) for name, number in re.findall(r"`([a-z_]+)` = ([0-9]+)", PAGE)}
    assert told == PolicyBook.parse(policy_text()).on(date(2026, 12, 1)).guards.model_dump()


def test_the_commands_are_ones_that_there_are() -> None:
    """Each line of the example names a command and options that it has."""
    lines = [shlex.split(line) for line in re.findall(r"^creditline brake (.+)$", PAGE, re.MULTILINE)]
    assert len(lines) == 8
    for name, *words in lines:
        shown = CliRunner().invoke(brake, [name, "--help"]).output
        assert [word for word in words if word.startswith("--") and word not in shown] == []
    assert {words[1] for words in lines if words[0] == "pull"} == {"refer-all", "daily-dollars", "concentration"}


def test_the_page_was_measured() -> None:
    """The figures are there: a prober that gained nothing, and of those who apply for themselves at most 0.5 % hit."""
    measured = PAGE[PAGE.index("<!-- measured: begin -->") : PAGE.index("<!-- measured: end -->")]
    gained = re.search(r"gained by all the others \| \$([0-9,]+) \| \$([0-9,]+)", measured)
    hit = re.search(r"these together \| [0-9,]+ \| [0-9,]+ \| ([0-9.]+)%", measured)
    assert gained is not None
    assert hit is not None
    assert (gained[1], gained[2] != "0", float(hit[1]) <= 0.5) == ("0", True, True)
