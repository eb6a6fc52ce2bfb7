"""Whose document it is: the business's name at a label, or anywhere on it.

It does: compare with the names of the application. It does not: know people. The rule it keeps: what stands at the
label is what the document says; elsewhere only the very name counts.
"""

from collections.abc import Callable

from api.checks import labels, names
from api.checks.reading import Row
from api.checks.subject import Answer, Subject, failing, unread


def business_name(label: str, field: str = "legal_name") -> Callable[[Subject], Answer]:
    """A check that the business is named: at a label, or anywhere where there is no such label."""

    def run(subject: Subject) -> Answer:
        return named(subject, label, field)

    return run


def named(subject: Subject, label: str, field: str) -> Answer:
    expected = (subject.expectation.legal_name, *subject.expectation.other_names)
    at_label = labels.labelled(subject.rows, label)
    best, finding = 0, None
    if at_label is not None:
        best, finding = names.nearest(expected, at_label.text), at_label.find(field)
    if best < names.SAME:
        for row in subject.rows:
            for line in row.lines:
                like = names.nearest(expected, line.text)
                # Elsewhere on the page only the very name counts: what the label says is what the document says.
                if like > best and (at_label is None or like >= names.SAME):
                    start = line.text.find(": ") + 1  # some other label's
                    best, finding = like, Row(row.page, (line,)).find(field, line.text[start:].strip(), start)
    if finding is None:
        return unread("A name")
    if at_label is not None and best >= names.SAME > names.nearest(expected, at_label.text):
        return Answer("warn", "The name is in the document, but not where its own name stands.", [finding], best)
    if best >= names.SAME:
        return Answer("pass", "The name is the application's.", [finding], _lower(subject, best))
    if best >= names.LIKE:
        return Answer("warn", "The name is like the application's, but not the same.", [finding], _lower(subject, best))
    if at_label is None:
        return Answer("warn", "The application's name was not found in the document.")
    return Answer(failing(subject), "The name is not the application's.", [finding])


def _lower(subject: Subject, likeness: int) -> int:
    return min(subject.reading.confidence_bps, likeness)
