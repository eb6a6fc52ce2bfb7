"""The page on automated decisions is what the live release makes today."""

from pathlib import Path

from tests.support.commands import ran

PAGE = Path(__file__).parents[2] / "docs" / "automated-decisions.md"


def test_the_page_is_what_the_live_release_reads() -> None:
    """docs/automated-decisions.md is what `creditline privacy-notice` prints."""
    made = ran(None, "privacy-notice")
    assert PAGE.read_text(encoding="utf-8") == made, "creditline privacy-notice > docs/automated-decisions.md"
