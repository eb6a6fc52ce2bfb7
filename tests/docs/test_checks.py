"""The page on machine checks says what the tables of the code say."""

import re
from pathlib import Path

from api.checks.authenticity import COMPARED_SIGNS, FILE_SIGNS, MINOR, PICTURE_SIGNS, TEXT_SIGNS, WEIGHTS
from api.checks.names import LIKE, SAME
from api.checks.reading.document import MOST_LINES, MOST_OCR_PAGES
from api.checks.reading.pdf import MOST_PAGES
from api.checks.table import FIRST, OF_KIND
from api.checks.values import Expectation
from benchmarks.papers.__main__ import BEGIN, END

PAGE = (Path(__file__).parents[2] / "docs" / "checks.md").read_text(encoding="utf-8")


def test_every_check_is_listed_with_what_it_looks_at() -> None:
    """The table of the page is the code's own, row by row."""
    groups = {
        "every kind": FIRST,
        **{f"`{kind}`": checks for kind, checks in OF_KIND.items()},
        "a PDF": FILE_SIGNS,
        "a PDF with text": TEXT_SIGNS,
        "a page read twice": COMPARED_SIGNS,
        "a picture": PICTURE_SIGNS,
    }
    wanted = [
        (of, each.name, each.does, f"`{each.reason}`" if each.reason else "")
        for of, checks in groups.items()
        for each in checks
    ]
    part = PAGE.split("\n## The checks\n", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| ([^|]+) \| `([a-z_]+)` \| ([^|]+) \| ([^|]*?) ?\|$", part, re.MULTILINE)
    assert rows == wanted


def test_weights_and_bounds_are_the_code_s() -> None:
    """Each number that the page tells stands in the code with that value."""
    part = PAGE.split("\n## Signs of tampering\n", 1)[1].split("\n## ", 1)[0]
    assert {name: int(weight) for name, weight in re.findall(r"`([a-z_]+)`\s(\d+)", part)} == dict(WEIGHTS)
    seconds = Expectation.model_fields["seconds"].default
    for words in (
        f"{MOST_PAGES} pages, of them {MOST_OCR_PAGES} by OCR", f"{MOST_LINES:,} lines",
        f"when {seconds} seconds are over", f"from {SAME // 100} of 100", f"from {LIKE // 100} alike",
        f"warns below {MINOR}",
    ):  # fmt: skip
        assert words in PAGE.replace("\n", " "), words


def test_the_page_says_how_well_on_documents_that_are_made_up() -> None:
    """Measured tables stand between the marks, say that the documents are synthetic, and keep no tax file number."""
    measured = PAGE[PAGE.index(BEGIN) + len(BEGIN) : PAGE.index(END)]
    assert "The documents are synthetic" in measured
    electronic, scans = map(int, re.findall(r"(\d+) electronic ones and (\d+) scans", measured)[0])
    assert electronic + scans >= 200
    [told] = re.findall(r"(\d+) planted, (\d+) kept in what the checks return, (\d+) ", measured)
    assert int(told[0]) > 0
    assert told[1:] == ("0", "0")
    assert "verification.md" in PAGE
