"""Made-up papers through the checks, and what came of each check, field and variant.

It does: compare every verdict with what ought to be and every value read with the truth. It does not: count a paper of
another kind than was asked for in anything but the check of kind. The rule it keeps: a check that read nothing is
counted by itself, since it never passes a document and never stops one.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pypdfium2

from api.checks.values import Checked, CheckResult, Expectation, MediaType
from engine.verification.documents import KINDS, Value, parse_value
from tests.support.papers import Paper

Checker = Callable[[bytes, MediaType, Expectation], Checked]
_NEAR = 4  # thousandths of a page that a redaction may miss of a digit's box, which is wider than its ink


@dataclass(slots=True)
class Tally:
    """One check's verdicts on documents that are wrong in it, and on those that are right."""

    caught: int = 0
    missed: int = 0
    wrong_unread: int = 0
    passed: int = 0
    alarms: int = 0
    right_unread: int = 0

    @property
    def precision(self) -> float | None:
        """Of its warnings and failures, how many were right."""
        flagged = self.caught + self.alarms
        return self.caught / flagged if flagged else None

    @property
    def recall(self) -> float | None:
        """Of the documents wrong in it, how many it warned of; one that it could not read counts as not."""
        wrong = self.caught + self.missed + self.wrong_unread
        return self.caught / wrong if wrong else None


@dataclass(slots=True)
class Fields:
    """Values that a kind of document says: read right, read wrong, not read."""

    right: int = 0
    wrong: int = 0
    unread: int = 0


@dataclass(slots=True)
class Standing:
    """Papers of one variant: how many had each thing wrong with them flagged, and how many had something else."""

    papers: int = 0
    flagged: int = 0  # every check that ought not to pass did not
    missed: int = 0  # at least one of them passed
    alarms: int = 0  # at least one check that ought to pass warned or failed
    straight: int = 0  # every check passed


@dataclass(slots=True)
class Measured:
    """Everything counted; `leaks` are canaries kept, `bare` canaries whose place is not painted over."""

    checks: dict[tuple[str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))
    fields: dict[tuple[str, bool], Fields] = field(default_factory=lambda: defaultdict(Fields))
    variants: dict[str, Standing] = field(default_factory=lambda: defaultdict(Standing))
    canaries: int = 0
    leaks: int = 0
    bare: int = 0
    unasked: set[str] = field(default_factory=set)
    readings: list[str] = field(default_factory=list)  # wrong ones, in words


def measure(papers: Iterable[Paper], check: Checker, report: Callable[[str], None]) -> Measured:
    """Check every paper; each wrong verdict or value is reported as it comes."""
    measured = Measured()
    for paper in papers:
        checked = check(paper.data, paper.media_type, paper.subject)
        before = len(measured.readings)
        _count_checks(measured, paper, checked)
        if paper.variant != "other_kind":
            _count_fields(measured, paper, checked)
        _count_canaries(measured, paper, checked)
        for words in measured.readings[before:]:
            report(words)
    return measured


def _count_checks(measured: Measured, paper: Paper, checked: Checked) -> None:
    # The score sums the other checks up, so it is right or wrong with them.
    results = [each for each in checked.results if each.name != "authenticity"]
    if paper.variant == "other_kind":
        results = [each for each in results if each.name == "kind"]
    names = {each.name for each in results}
    measured.unasked |= {f"{paper.subject.kind}: {name}" for name in paper.wrong - names}
    standing = measured.variants[paper.variant]
    standing.papers += 1
    standing.straight += all(each.verdict == "pass" for each in checked.results)
    verdicts = [(each, each.name in paper.wrong) for each in results]
    standing.flagged += paper.wrong <= names and all(each.verdict != "pass" for each, wrong in verdicts if wrong)
    standing.missed += any(each.verdict == "pass" for each, wrong in verdicts if wrong)
    standing.alarms += any(_flags(each) for each, wrong in verdicts if not wrong)
    for each, wrong in verdicts:
        _count(measured.checks[paper.subject.kind, each.name], each, wrong)
        if (each.verdict == "pass") == wrong and (wrong or each.verdict != "unread"):
            ought = "ought not to pass" if wrong else "ought to pass"
            measured.readings.append(f"{paper.title}: {each.name} {ought}, got {each.verdict}: {each.says}")


def _count(tally: Tally, result: CheckResult, wrong: bool) -> None:
    match wrong, result.verdict:
        case True, "pass":
            tally.missed += 1
        case True, "unread":
            tally.wrong_unread += 1
        case True, _:
            tally.caught += 1
        case False, "pass":
            tally.passed += 1
        case False, "unread":
            tally.right_unread += 1
        case _:
            tally.alarms += 1


def _flags(result: CheckResult) -> bool:
    return result.verdict in {"warn", "fail"}


def _count_fields(measured: Measured, paper: Paper, checked: Checked) -> None:
    """As a case takes them: the first value that any check found under a field's name."""
    read: dict[str, str] = {}
    for result in checked.results:
        for finding in result.found:
            read.setdefault(finding.field, finding.value)
    counted = measured.fields[paper.kind, checked.electronic]
    for name in (each.name for each in KINDS[paper.kind].fields):
        if name not in paper.truth:
            continue
        if name not in read:
            counted.unread += 1
        elif same(paper.kind, name, read[name], paper.truth[name]):
            counted.right += 1
        else:
            counted.wrong += 1
            measured.readings.append(f"{paper.title}: {name} is {paper.truth[name]!r}, read {read[name]!r}")


def same(kind: str, name: str, read: str, truth: Value) -> bool:
    """Whether a value as read is the true one; names without regard to case and spacing."""
    try:
        if isinstance(truth, int) and not isinstance(truth, bool):
            return int(read) == truth
        value = parse_value(kind, name, read)
    except ValueError:
        return False
    if isinstance(value, str) and isinstance(truth, str):
        return value.split() == truth.split() or _letters(value) == _letters(truth)
    return value == truth


def _letters(name: str) -> str:
    return re.sub(r"\W", "", name).casefold()


def _count_canaries(measured: Measured, paper: Paper, checked: Checked) -> None:
    kept = re.sub(r"\s", "", checked.model_dump_json())
    for canary in paper.canaries:
        measured.canaries += 1
        if canary in kept:
            measured.leaks += 1
            measured.readings.append(f"{paper.title}: a planted tax file number is kept")
        if not _painted(paper, checked, canary):
            measured.bare += 1
            measured.readings.append(f"{paper.title}: a planted tax file number is not painted over")


def _painted(paper: Paper, checked: Checked, canary: str) -> bool:
    """Whether a redaction covers the number: by its place in the text, or in a scan by there being one."""
    places = [each for each in checked.redactions if each.what == "tax file number"]
    if not checked.electronic:
        return bool(places)
    written = f"{canary[:3]} {canary[3:6]} {canary[6:]}"
    with pypdfium2.PdfDocument(paper.data) as file:
        for number, page in enumerate(file, 1):
            text = page.get_textpage()
            found = text.search(written).get_next()
            if found is None:
                continue
            wide, high = page.get_size()
            boxes = [text.get_charbox(index) for index in range(found[0], found[0] + found[1])]
            shown = [(l / wide, 1 - t / high, r / wide, 1 - b / high) for l, b, r, t in boxes]  # noqa: E741
            return all(
                any(_covers(each.box, place) for each in places if each.page == number)
                for place in shown
                if place[2] > place[0]
            )
    return False


def _covers(box: tuple[int, int, int, int], place: tuple[float, float, float, float]) -> bool:
    left, top, right, bottom = (value * 1000 for value in place)
    return box[0] - _NEAR <= left and box[1] - _NEAR <= top and box[2] + _NEAR >= right and box[3] + _NEAR >= bottom
