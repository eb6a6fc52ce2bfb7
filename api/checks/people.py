"""Whether the people that a document lists are those of the application.

It does: hold the two lists against each other. It does not: find the list. The rule it keeps: they match where each of
the application's people is listed and nobody else is; in a scan a name may be misread, so that nothing is said there
but yes.
"""

from collections.abc import Sequence

from api.checks import names
from api.checks.labels import Value
from api.checks.subject import Answer, Subject, failing, unread


def listed(subject: Subject, read: Sequence[Value], one: str, many: str) -> Answer:
    """All of them and no other; found under the name of one, and whether they match under `<many>_match`."""
    people = subject.expectation.people
    if not people or not read:
        return unread(many.capitalize() if people else f"{many.capitalize()} to compare with")
    found = [each.find(one) for each in read]
    there = [max(names.person_near(person, each.text) for each in read) for person in people]
    others = sum(max(names.person_near(person, each.text) for person in people) < names.SAME for each in read)
    missing = sum(likeness < names.SAME for likeness in there)
    match = f"{many}_match"
    if not missing and not others:
        sure = min(subject.reading.confidence_bps, *there)
        says = f"All {many} ({len(read)}) are the application's."
        return Answer("pass", says, [read[0].find(match, "yes"), *found], sure)
    verdict = failing(subject)
    matches = [read[0].find(match, "no")] if verdict == "fail" else []
    says = f"{len(people) - missing} of {len(people)} {many} of the application are there, and {others} others."
    return Answer(verdict, says, [*matches, *found])
