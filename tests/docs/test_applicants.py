"""The page on applicants says the figures that the code holds to."""

import re
from datetime import timedelta
from pathlib import Path

from api.applicants import drafts, entering, limits, uploads, visits
from api.journey.sending import PATIENCE_SECONDS

PAGE = (Path(__file__).parents[2] / "docs" / "applicants.md").read_text(encoding="utf-8")
# The first row of a name counts: "a code" is in two tables.
ROWS = {
    what.strip(): how.strip() for what, how in reversed(re.findall(r"^\| ([^|]+) \| ([^|]+) \|", PAGE, re.MULTILINE))
}


def words(span: timedelta) -> str:
    """A span as the page writes it."""
    hours = span / timedelta(hours=1)
    if span >= timedelta(days=2):
        return f"{span.days} days"
    return f"{hours:.0f} hours" if hours > 1 else f"{span / timedelta(minutes=1):.0f} minutes"


def test_the_page_says_how_long_things_hold() -> None:
    """Each row of the first table begins with the span that the code holds to."""
    assert ROWS["a visit"].startswith(words(visits.LONGEST))
    assert ROWS["a visit of somebody who is signed in"].startswith(words(visits.SIGNED_IN))
    assert ROWS["a draft"].startswith(words(drafts.LASTS))
    assert ROWS["a link to a draft"].startswith(words(drafts.LASTS))
    assert ROWS["a link to confirm, or to sign"].startswith(words(entering.OTHERS_LAST))
    assert ROWS["a code"] == f"{words(entering.CODE_LASTS)}, once, {entering.CODE_TRIES} tries"
    assert ROWS["a file that comes piece by piece"].startswith(words(uploads.LASTS))
    assert f"after {words(visits.IDLE)} without use" in PAGE
    assert f"after {words(visits.SIGNED_IN_IDLE)} without use" in PAGE
    assert f"removed {words(drafts.KEPT_FOR)} after their end" in PAGE
    assert visits.COOKIE in PAGE


def test_the_page_says_how_often_things_may_be_asked() -> None:
    """Each row of the table of limits begins with the number that the code holds to."""
    expected = {
        "drafts begun from one network (each asks the register)": limits.BEGUN.most,
        "codes asked for from one network": limits.CODES_ASKED.most,
        "codes shown from one network": limits.CODES_SHOWN.most,
        "links asked for from one network": limits.LINKS_ASKED.most,
        "codes to one address": entering.CODES_AN_HOUR,
        "links to one mailbox": limits.LETTERS.most,
        "links to one draft": entering.MOST_LINKS,
        "files of one case on their way": uploads.MOST_OPEN,
        "one piece of a file": uploads.MOST_PIECE // 1_000,
    }
    assert {name: int(ROWS[name].split()[0]) for name in expected} == expected
    assert PATIENCE_SECONDS == 2.5
    assert words(limits.WITHIN) == "60 minutes"
