"""Driver licences and passports: the person, the day of expiry, the machine-readable lines.

It does: compare name and day of birth with the person whose paper it is. It does not: show a day of birth or the number
of a paper, or ask its issuer. The rule it keeps: printed lines and machine-readable lines have to say the same, and
what check digits bear out is believed before what is only printed.
"""

import re
from datetime import date
from typing import Final

from api.checks import labels, names
from api.checks.kinds import zone
from api.checks.reading import Row
from api.checks.subject import Answer, Check, Subject, failing, unread
from api.checks.values import Finding

_FAMILY: Final = r"surname|family name|last name"
_GIVEN: Final = r"given names?|first names?"
_BORN: Final = r"date of birth|birth date|born|d\.?o\.?b\.?"
_EXPIRES: Final = r"date of expiry|expiry date|expir(?:y|es)(?: on)?|valid (?:to|until)"
_YES, _NO = "yes", "no"


def name(subject: Subject) -> Answer:
    """The name is that of the person."""
    if not subject.expectation.people:
        return unread("Whose paper it should be")
    labelled = _labelled_name(subject)
    likeness, finding = (_likeness(subject, labelled.value), labelled) if labelled else _nearest_line(subject)
    if finding is None or (labelled is None and likeness < names.LIKE):
        return Answer("warn", "The person's name was not found.")
    sure = min(subject.reading.confidence_bps, likeness)
    if likeness >= names.SAME:
        return Answer("pass", "The name is that of the person.", [finding], sure)
    if likeness >= names.LIKE:
        return Answer("warn", "The name is like that of the person, but not the same.", [finding], sure)
    return Answer(failing(subject), "The name is not that of the person.", [finding])


def _likeness(subject: Subject, read: str) -> int:
    return max(names.person_near(person, read) for person in subject.expectation.people)


def _printed_names(subject: Subject) -> tuple[labels.Value, labels.Value] | None:
    """Family name and given names at their labels; a label whose value was not read may have the next one under it."""
    family, given = (labels.labelled(subject.rows, label) for label in (_FAMILY, _GIVEN))
    if family is None or given is None or re.match(rf"(?i)(?:{_FAMILY}|{_GIVEN})\b", family.text):
        return None
    return family, given


def _labelled_name(subject: Subject) -> Finding | None:
    """The name at its labels, else that of the machine-readable lines."""
    printed, read = _printed_names(subject), zone.read(subject)
    if printed:
        return printed[0].find("name", f"{printed[1].text} {printed[0].text}")
    if read is not None and read.names is not None:
        return read.rows[0].find("name", " ".join(reversed(read.names)))
    return None


def _nearest_line(subject: Subject) -> tuple[int, Finding | None]:
    """The line that comes nearest to the person's name, without any digits: a licence has no label for it."""
    best: tuple[int, Finding | None] = (0, None)
    for row in subject.rows:
        for line in row.lines:
            words = re.search(r"[^\W\d_]\D*", line.text)
            likeness = _likeness(subject, words[0]) if words else 0
            if words and likeness > best[0]:
                best = likeness, Row(row.page, (line,)).find("name", words[0].strip(), *words.span())
    return best


def birth(subject: Subject) -> Answer:
    """The day of birth is that of the person; with the name, whether the paper is theirs."""
    born = {person.born for person in subject.expectation.people if person.born}
    if not born:
        return unread("A day of birth to compare with")
    read = _believed(subject, _BORN, "born")
    if read is None:
        return unread("The day of birth")
    on, row, start, end = read
    if on in born:
        matches = [row.find("matches", _YES, start, end)] if name(subject).verdict == "pass" else []
        return Answer("pass", "The day of birth is that of the person.", matches)
    verdict = failing(subject)
    differs = [row.find("matches", _NO, start, end)] if verdict == "fail" else []
    return Answer(verdict, "The day of birth is not that of the person.", differs)


def expiry(subject: Subject) -> Answer:
    """It has not expired."""
    read = _believed(subject, _EXPIRES, "expires")
    if read is None:
        return unread("The day of expiry")
    on, row, start, end = read
    found = [row.find("expires_on", on.isoformat(), start, end)]
    days = (on - subject.expectation.today).days
    if days <= 0:
        return Answer(failing(subject), f"It expired {-days} days ago." if days else "It expires today.", found)
    return Answer("pass", f"It expires in {days} days.", found)


def _believed(subject: Subject, label: str, which: str) -> tuple[date, Row, int, int] | None:
    """A day of the machine-readable lines where all their check digits agree, else the printed one, else theirs."""
    printed, read = labels.date_at(subject.rows, label), zone.read(subject)
    coded = getattr(read, which) if read is not None else None
    if read is not None and coded is not None and (read.agree == zone.DIGITS or printed is None):
        return coded, read.rows[-1], 0, len(read.rows[-1].text)
    return (printed[0], printed[1].row, printed[1].start, printed[1].end) if printed else None


def machine_lines(subject: Subject) -> Answer:
    """The check digits of a passport's lines agree, and the lines say what is printed."""
    read = zone.read(subject)
    if read is None:
        text = subject.text.lower()
        if "passport" not in text and ("licence" in text or "license" in text):
            return Answer("pass", "A licence has no machine-readable lines.")
        return unread("The machine-readable lines")
    wrong = _differences(subject, read)
    says = f"{read.agree} of {zone.DIGITS} check digits agree"
    found = [row.find("mrz", f"line {place}") for place, row in enumerate(read.rows, 1)]
    if read.agree < zone.DIGITS or wrong:
        return Answer(failing(subject), "; ".join([says, *wrong]) + ".", found)
    return Answer("pass", f"{says}, and the lines say what is printed.", found)


def _differences(subject: Subject, read: zone.Zone) -> list[str]:
    """What the lines say otherwise than the print, in words."""
    wrong = []
    for label, coded, what in ((_BORN, read.born, "day of birth"), (_EXPIRES, read.expires, "day of expiry")):
        printed = labels.date_at(subject.rows, label)
        if printed is not None and coded != printed[0]:
            wrong.append(f"the {what} is printed otherwise")
    printed_names = _printed_names(subject)
    if printed_names and read.names is not None:
        name_in_full = " ".join(each.text for each in printed_names)
        if names.near(name_in_full[: zone.NAME_LETTERS], " ".join(read.names)) < names.LIKE:
            wrong.append("the name is printed otherwise")
    return wrong


CHECKS: Final = (
    Check("name", "The name is that of the person.", name, "NAME_MISMATCH"),
    Check("birth", "The day of birth is that of the person.", birth, "NAME_MISMATCH"),
    Check("expiry", "It has not expired.", expiry, "EXPIRED"),
    Check("mrz", "A passport's check digits agree, and with the print.", machine_lines, "SUSPECTED_ALTERATION"),
)
