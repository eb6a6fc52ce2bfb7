"""The lines of "check your answers": every question that was asked, its answer in words, and where to change it."""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from api.journey.form import consents, questions
from api.journey.form.fields import Answers, Field, Wrong
from api.pages.wording import money


@dataclass(frozen=True, slots=True)
class Line:
    """One answer; `box` is where a Change link leads on its page."""

    label: str
    words: str
    slug: str
    box: str


@dataclass(frozen=True, slots=True)
class Part:
    """The answers of one step."""

    title: str
    lines: tuple[Line, ...]


def summary(answers: Answers) -> tuple[Part, ...]:
    """Every answer so far but the consents, step by step."""
    parts = []
    for step in questions.path_of(answers):
        if step.slug == "check":
            continue
        lines = [_line(step.slug, field, answers) for field in step.asked(answers)]
        if step.slug == "business" and questions.known(answers):
            lines.insert(0, Line("Name on the register", answers["register-name"], "abn", "abn"))
        parts.append(Part(_TITLES.get(step.slug, step.title), tuple(lines)))
    return tuple(parts)


def digest_of(answers: Answers) -> str:
    """Names everything that the last page shows, answers and words of consents: what is sent is what was seen."""
    asked = consents.asked(questions.entity(answers), answers.get("bank", ""))
    shown = repr((consents.VERSION, summary(answers), tuple((each.kind, each.words, each.more) for each in asked)))
    return sha256(shown.encode()).hexdigest()


_TITLES = {"abn": "Number", "business": "Your business"}


def _line(slug: str, field: Field, answers: Answers) -> Line:
    try:
        value = field.value(answers)
    except Wrong:
        value = None
    return Line(field.label.rstrip("?"), _words(field, value), slug, field.boxes[0])


def _words(field: Field, value: object) -> str:
    if value is None:
        return "Not answered"
    match field.kind, value:
        case "choice", _:
            return next(words for each, words, _ in field.choices if each == value)
        case "money", int():
            return money(value)
        case "month", date():
            return value.strftime("%B %Y")
        case "day", date():
            return value.strftime("%-d %B %Y")
        case "abn", str():
            return f"{value[:2]} {value[2:5]} {value[5:8]} {value[8:]}"
    return str(value)
