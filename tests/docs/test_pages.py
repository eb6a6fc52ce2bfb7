"""The pages say what the code does: features, problems, words."""

import re
from pathlib import Path

from api.errors import SLUGS
from training.catalogue import page

ROOT = Path(__file__).parents[2]


def test_the_feature_page_is_the_catalogue() -> None:
    """docs/features.md is what `creditline-train features` prints."""
    assert (ROOT / "docs" / "features.md").read_text() == page()


def test_the_problem_page_lists_every_slug_with_its_status() -> None:
    """docs/problems.md and api.errors name the same slugs and statuses."""
    rows = re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \|", (ROOT / "docs" / "problems.md").read_text(), re.MULTILINE)
    assert {slug: int(status) for slug, status in rows} == {slug: status for slug, (status, _) in SLUGS.items()}


def test_the_words_of_the_readme_are_the_words_of_the_code() -> None:
    """Every word of the glossary stands in the engine's or the shell's code as it is written there."""
    text = (ROOT / "README.md").read_text()
    glossary = text[text.index("\n## Words") :]
    words = [w.strip() for row in re.findall(r"^\| ([a-zA-Z, ]+) \|", glossary, re.MULTILINE) for w in row.split(",")]
    code = "\n".join(
        path.read_text() for house in ("engine", "models", "training", "api") for path in (ROOT / house).rglob("*.py")
    ).lower()
    unknown = [word for word in words if word != "word" and word.lower() not in code]
    assert len(words) > 20
    assert unknown == []
