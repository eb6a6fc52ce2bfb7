"""Signs that somebody worked on a document after it was made: programs, saves, days, covered and mixed text.

It does: name each sign and weigh all of them in one score from 0 to 100. It does not: say that anybody forged
anything, nor decline: a sign is a reason for people to look. The rule it keeps: what a file says about itself is never
repeated, only which of the known programs it names.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from api.checks.money import money_in
from api.checks.reading import Line, Reading, Row, rounded
from api.checks.subject import SURE, Answer, Check, Subject
from api.checks.values import CheckResult, Finding, Kind, MediaType

# Programs that people change documents with; the service that made a statement is none of them.
EDITORS: Final = (
    "Sejda", "iLovePDF", "Smallpdf", "PDFescape", "PDFfiller", "pdfFiller", "PDFelement", "Wondershare", "Soda PDF",
    "DocHub", "PDF24", "PDF Candy", "PDF Expert", "PDF-XChange Editor", "Master PDF Editor", "Foxit PhantomPDF",
    "Foxit PDF Editor", "Nitro", "Xodo", "Photoshop", "Illustrator", "Affinity", "Canva", "Figma", "GIMP", "Inkscape",
    "CorelDRAW", "Pixelmator", "Snapseed", "PicsArt", "Paint.NET", "Acrobat Pro", "Adobe Acrobat",
)  # fmt: skip
# Programs that people write with: usual for agreements and invoices, not for what banks, offices and registers issue.
WRITERS: Final = ("Microsoft Word", "Microsoft® Word", "Microsoft Excel", "Microsoft® Excel", "LibreOffice",
                  "OpenOffice", "Google Docs", "Pages", "WPS Writer")  # fmt: skip
_ISSUED: Final[frozenset[Kind]] = frozenset(
    {"bank_statement", "activity_statement", "tax_account", "company_extract", "rates_notice", "bank_account_proof"}
)
# What each check that did not pass takes from 100; half where it only warns of what it could have failed.
WEIGHTS: Final[Mapping[str, int]] = {
    "running_balance": 40, "overlaid_digits": 40, "text_and_picture": 40, "mrz": 40, "totals": 30, "net": 30,
    "producer": 25, "software": 25, "hidden_text": 25, "future_rows": 20, "also_seen": 20, "saves": 15, "fonts": 15,
    "gst": 15, "dates": 10,
}  # fmt: skip
MINOR: Final = 90  # from which the signs are too small to speak of
_SLACK: Final = timedelta(minutes=1)  # between making and the last change: programs write the two one after the other
_STAMP: Final = re.compile(r"^D:(\d{14})(?:(Z)|([+-])(\d{2})'?(\d{2})?'?)?")
_COLUMN: Final = 4.0  # thousandths of the page's width between right edges of one column
_LEAST_COLUMN: Final = 4  # amounts, below which nothing is usual in a column
_SEEN_WELL: Final = 9_000  # basis points of a line read by OCR, from which it counts against the text


def score(results: Iterable[CheckResult]) -> int:
    """100 less what the signs among these results weigh, not below 0."""
    return max(0, 100 - sum(_weight(each) for each in results))


def _weight(result: CheckResult) -> int:
    whole = WEIGHTS.get(result.name, 0)
    match result.verdict:
        case "fail":
            return whole
        case "warn":
            return whole if result.name in _SIGN_NAMES else whole // 2
        case _:
            return 0


def judged(results: Iterable[CheckResult]) -> CheckResult:
    """The score as a result of its own, so that it is kept with the others."""
    points = score(results)
    if points >= MINOR:
        says = f"Signs of tampering weigh {100 - points} of 100: nothing to speak of."
    else:
        says = f"Signs of tampering weigh {100 - points} of 100: look at the checks that warn."
    return CheckResult(
        name="authenticity", verdict="pass" if points >= MINOR else "warn", confidence_bps=SURE, says=says
    )


def signs_of(media_type: MediaType, reading: Reading) -> tuple[Check, ...]:
    """The signs that can be looked for in such a file."""
    if media_type != "application/pdf":
        return PICTURE_SIGNS
    text = TEXT_SIGNS if any(line.font for row in reading.rows for line in row.lines) else ()
    return FILE_SIGNS + text + (COMPARED_SIGNS if reading.pictures else ())


# -- the file ------------------------------------------------------------------------------------------------


def _producer(subject: Subject) -> Answer:
    told = f"{subject.reading.traces.producer}\n{subject.reading.traces.creator}"
    return _program(told, subject.expectation.kind, "The file")


def _software(subject: Subject) -> Answer:
    return _program(subject.reading.software, subject.expectation.kind, "The picture")


def _program(told: str, kind: Kind, what: str) -> Answer:
    editor = _named(EDITORS, told)
    if editor:
        return Answer("warn", f"{what} says that it was saved by {editor}, a program to change documents.", (), SURE)
    writer = _named(WRITERS, told) if kind in _ISSUED else None
    if writer:
        return Answer("warn", f"{what} says that it was written by {writer}, unusual for such a document.", (), SURE)
    return Answer("pass", f"{what} names no program that people change documents with.", (), SURE)


def _named(programs: Iterable[str], told: str) -> str | None:
    return next((each for each in programs if re.search(rf"(?i)(?<!\w){re.escape(each)}(?!\w)", told)), None)


def _saves(subject: Subject) -> Answer:
    times = subject.reading.traces.saves
    if times > 1:
        return Answer("warn", f"The file was saved {times} times: something was added after it was made.", (), SURE)
    return Answer("pass", "The file was saved once.", (), SURE)


def _dates(subject: Subject) -> Answer:
    traces = subject.reading.traces
    made, changed = moment(traces.created), moment(traces.modified)
    tomorrow = datetime.combine(subject.expectation.today, datetime.min.time(), UTC) + timedelta(days=2)
    if any(each is not None and each > tomorrow for each in (made, changed)):
        return Answer("warn", "The file says that it was made or changed in the future.", (), SURE)
    if made and changed and changed - made > _SLACK:
        hours = (changed - made) // timedelta(hours=1)
        return Answer("warn", f"The file was changed {hours} hours after it was made.", (), SURE)
    return Answer("pass", "The file does not say that it was changed after it was made.", (), SURE)


def moment(stamp: str) -> datetime | None:
    """A PDF's date, such as D:20260801093000+10'00'; one without an offset counts as UTC."""
    found = _STAMP.match(stamp)
    if not found:
        return None
    try:
        local = datetime.strptime(found[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        offset = timedelta(hours=int(found[4] or 0), minutes=int(found[5] or 0))
    except ValueError:
        return None
    return local + offset if found[3] == "-" else local - offset


# -- the text ------------------------------------------------------------------------------------------------


def _hidden_text(subject: Subject) -> Answer:
    lines = subject.reading.hidden
    if lines:
        return Answer("warn", f"{len(lines)} lines are in the file, but not seen on the page.", _at(lines), SURE)
    return Answer("pass", "All the text is seen on the page.", (), SURE)


def _overlaid_digits(subject: Subject) -> Answer:
    count = subject.reading.overlaid
    if count:
        return Answer("warn", f"{count} digits stand on top of other digits: a figure over a figure.", (), SURE)
    return Answer("pass", "No digit stands on top of another.", (), SURE)


def _fonts(subject: Subject) -> Answer:
    amounts = list(_amounts(subject.rows))
    odd = [line for line in amounts if line.mixed]
    for column in _columns(amounts):
        usual, times = Counter(line.font for line in column).most_common(1)[0]
        if len(column) >= _LEAST_COLUMN and times * 4 >= len(column) * 3:
            odd += [line for line in column if line.font != usual]
    if odd:
        says = f"{len(odd)} amounts are set in another font than the rest of them."
        return Answer("warn", says, _at(odd), SURE)
    return Answer("pass", "Amounts that stand under each other are set in one font.", (), SURE)


def _amounts(rows: Iterable[Row]) -> Iterator[Line]:
    """Lines that are an amount and nothing else but its sign or mark."""
    for row in rows:
        for line in row.lines:
            found = list(money_in(line.text))
            if len(found) == 1 and found[0].full and found[0].end - found[0].start >= len(line.text.strip()) - 1:
                yield line


def _columns(amounts: Iterable[Line]) -> Iterator[list[Line]]:
    """Amounts that end at one place of one page."""
    column: list[Line] = []
    for line in sorted(amounts, key=lambda each: (each.page, each.box[2])):
        if column and (line.page != column[-1].page or line.box[2] - column[-1].box[2] > _COLUMN):
            yield column
            column = []
        column.append(line)
    if column:
        yield column


def _at(lines: Iterable[Line]) -> list[Finding]:
    """Their places; their words are not repeated."""
    return [Finding(field="place", value="here", page=line.page, box=rounded(line.box)) for line in lines]


def _text_and_picture(subject: Subject) -> Answer:
    """Amounts as the text has them against what is seen at the same place."""
    compared, other = 0, list[Line]()
    pages = dict(subject.reading.pictures)
    for line in _amounts(subject.rows):
        if line.page not in pages:
            continue
        seen = [each for row in pages[line.page] for each in row.lines if _over(line, each)]
        if not seen or min(each.confidence_bps for each in seen) < _SEEN_WELL:
            continue
        compared += 1
        wanted = _digits(line.text)
        if wanted not in "".join(_digits(each.text) for each in seen):
            other.append(line)
    if not compared:
        return Answer("unread", "No amount could be compared with the picture of its page.")
    if other:
        says = f"{len(other)} of {compared} amounts in the file's text are not what is seen on the page."
        return Answer("warn", says, _at(other), SURE)
    return Answer("pass", f"The text of {compared} amounts is what is seen on the page.", (), SURE)


def _over(line: Line, seen: Line) -> bool:
    across = min(line.box[2], seen.box[2]) - max(line.box[0], seen.box[0])
    down = min(line.box[3], seen.box[3]) - max(line.box[1], seen.box[1])
    return across > (line.box[2] - line.box[0]) / 2 and down > (line.box[3] - line.box[1]) / 2


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


_ALTERED: Final = "SUSPECTED_ALTERATION"
FILE_SIGNS: Final = (
    Check("producer", "Whether the file names a program that people change documents with.", _producer, _ALTERED),
    Check("saves", "How often the file was saved.", _saves, _ALTERED),
    Check("dates", "Whether it was changed after it was made, or in the future.", _dates, _ALTERED),
)
TEXT_SIGNS: Final = (
    Check("hidden_text", "Text in the file that is not seen on the page.", _hidden_text, _ALTERED),
    Check("overlaid_digits", "Digits on top of other digits.", _overlaid_digits, _ALTERED),
    Check("fonts", "Amounts in another font than those above and below.", _fonts, _ALTERED),
)
COMPARED_SIGNS: Final = (
    Check("text_and_picture", "Amounts in the text against the picture of the page.", _text_and_picture, _ALTERED),
)
PICTURE_SIGNS: Final = (
    Check("software", "Whether the picture names a program that people change it with.", _software, _ALTERED),
)
SIGNS: Final = FILE_SIGNS + TEXT_SIGNS + COMPARED_SIGNS + PICTURE_SIGNS
_SIGN_NAMES: Final = frozenset(each.name for each in SIGNS) | {"also_seen"}
