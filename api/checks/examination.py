"""One document from bytes to all that is kept of it.

It does: read, redact, run the checks, and look once more at every word before it goes. It does not: know any kind. The
rule it keeps: checks see redacted rows alone, and no string leaves without passing the redaction.
"""

from dataclasses import replace

from api.checks.authenticity import judged, score
from api.checks.reading import Reading, Row, read
from api.checks.redaction import Redacted, hide_in, redact
from api.checks.subject import Subject
from api.checks.table import checks_of
from api.checks.values import Checked, CheckResult, Expectation, MediaType


def examined(document: bytes, media_type: MediaType, expectation: Expectation) -> Checked:
    """All that is kept of a document."""
    reading = read(document, media_type, expectation)
    redacted = redact(reading.rows, _own_numbers(expectation))
    subject = Subject(_without(reading, redacted), redacted.rows, expectation)
    results = [each.result(subject) for each in checks_of(expectation.kind, media_type, reading)]
    kept = [_hidden(each, redacted.numbers) for each in [*results, judged(results)]]
    return Checked(
        results=tuple(kept),
        redactions=redacted.places,
        redactions_complete=reading.complete,
        electronic=reading.electronic,
        reader=reading.reader,
        pages=reading.pages,
        pages_read=reading.pages_read,
        authenticity=score(results),
    )


def _own_numbers(expectation: Expectation) -> frozenset[str]:
    """The business's own numbers, which are no secret and are needed to compare."""
    return frozenset(each for each in (expectation.abn, expectation.acn, (expectation.abn or "")[2:]) if each)


def _without(reading: Reading, redacted: Redacted) -> Reading:
    """The reading as checks see it: rows redacted, second readings too, and of hidden lines the places alone."""
    return replace(
        reading,
        rows=redacted.rows,
        hidden=tuple(replace(line, text="") for line in reading.hidden),
        pictures=tuple((page, _again(rows, redacted)) for page, rows in reading.pictures),
    )


def _again(rows: tuple[Row, ...], redacted: Redacted) -> tuple[Row, ...]:
    return redact(rows, gone=redacted.numbers).rows


def _hidden(result: CheckResult, gone: frozenset[str]) -> CheckResult:
    """The result, each of its strings looked at once more."""
    found = tuple(each.model_copy(update={"value": hide_in(each.value, gone)}) for each in result.found)
    return result.model_copy(update={"says": hide_in(result.says, gone), "found": found})
