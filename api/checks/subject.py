"""What every check is handed, and how it answers.

It does: hold the redacted rows beside the expectation. It does not: check. The rule it keeps: a check that could not
read what it needs answers `unread`, and one that read by OCR says how well.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from api.checks.reading import Reading, Row
from api.checks.values import MOST_FINDINGS, CheckResult, Expectation, Finding, Verdict

SURE: Final = 10_000


@dataclass(frozen=True, eq=False)
class Subject:
    """One document under check. Compared by identity, so that what is worked out of it can be remembered."""

    reading: Reading
    rows: tuple[Row, ...]  # redacted
    expectation: Expectation

    @property
    def text(self) -> str:
        return "\n".join(row.text for row in self.rows)


class Answer(NamedTuple):
    """A check's answer before it has its name; without a confidence it has that of the reading."""

    verdict: Verdict
    says: str
    found: Sequence[Finding] = ()
    confidence_bps: int | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table of checks: `reason` is the code with which a failed document is usually returned."""

    name: str
    does: str
    run: Callable[[Subject], Answer]
    reason: str | None = None

    def result(self, subject: Subject) -> CheckResult:
        """The check carried out."""
        answer = self.run(subject)
        sure = subject.reading.confidence_bps if answer.confidence_bps is None else answer.confidence_bps
        return CheckResult(
            name=self.name,
            verdict=answer.verdict,
            confidence_bps=0 if answer.verdict == "unread" else min(sure, SURE),
            says=answer.says,
            found=tuple(answer.found[:MOST_FINDINGS]),
        )


def unread(what: str) -> Answer:
    """The answer of a check that did not find what it needs."""
    return Answer("unread", f"{what} could not be read.")


def failing(subject: Subject) -> Verdict:
    """What a figure that does not add up amounts to: in a scan it may have been misread, so a person looks."""
    return "fail" if subject.reading.electronic else "warn"
