"""Documents as checks are handed them: from a made-up paper, or typed as text.

It does: read and redact a paper, or place typed text as on a page of fixed pitch. It does not: judge what checks
answer. The rule it keeps: two spaces or more part two columns, and a column stands where it was typed.
"""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from api.checks.reading import Line, Reading, Row, read
from api.checks.reading.pdf import Traces
from api.checks.redaction import redact
from api.checks.subject import Check, Subject
from api.checks.values import CheckResult, Expectation, Kind
from tests.support.papers import Paper

TODAY = date(2026, 10, 12)
ABN, ACN = "98900000008", "900000008"  # numbers that pass their check digits and are nobody's
_WIDE, _HIGH = 8.0, 12.0  # of a letter and a line, in thousandths of the page


def of_paper(paper: Paper) -> Subject:
    """A paper, read and redacted."""
    reading = read(paper.data, paper.media_type, paper.subject)
    keep = frozenset(each for each in (paper.subject.abn, paper.subject.acn) if each)
    return Subject(reading, redact(reading.rows, keep=keep).rows, paper.subject)


def typed(kind: Kind, text: str, *, scanned: bool = False, **expected: Any) -> Subject:
    """Typed text; a form feed begins a page, and `scanned` text is what a reader of pictures read."""
    pages = [page.strip("\n").splitlines() for page in text.split("\f")]
    rows = tuple(
        _row(number, place, line)
        for number, page in enumerate(pages, 1)
        for place, line in enumerate(page)
        if line.strip()
    )
    reader = "tesseract" if scanned else "text"
    reading = Reading(rows, len(pages), len(pages), reader, not scanned, Traces())  # type: ignore[arg-type]
    told: dict[str, Any] = {"legal_name": "Hakea Joinery Pty Ltd", "abn": ABN, "acn": ACN, "today": TODAY, **expected}
    return Subject(reading, rows, Expectation(kind=kind, **told))


def _row(page: int, place: int, text: str) -> Row:
    top = _HIGH * 1.5 * place
    return Row(
        page,
        tuple(
            Line(page, (_WIDE * found.start(), top, _WIDE * found.end(), top + _HIGH), found[0], 10_000,
                 tuple(_WIDE * edge for edge in range(found.start(), found.end() + 1)))
            for found in re.finditer(r"\S+(?: \S+)*", text)
        ),
    )  # fmt: skip


def results(subject: Subject, checks: Iterable[Check]) -> dict[str, CheckResult]:
    """What each check answers, by its name."""
    return {check.name: check.result(subject) for check in checks}


def verdicts(subject: Subject, checks: Iterable[Check]) -> dict[str, str]:
    """Each check's verdict."""
    return {name: result.verdict for name, result in results(subject, checks).items()}


def values(found: Iterable[CheckResult]) -> dict[str, str]:
    """The first value read under each field's name, as a case takes them."""
    read: dict[str, str] = {}
    for result in found:
        for finding in result.found:
            read.setdefault(finding.field, finding.value)
    return read
