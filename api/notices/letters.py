"""The words of each notice's mail: one template a topic, checked when they are loaded.

It does: read the templates, and fill one for one person. It does not: know addresses, or send. The rule it keeps: a
template uses only what is known of its notice, and a letter to a person never holds a figure of the decision.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from api.contracts.templating import TemplateRefused, TextTemplate, read_template
from api.notices.messages import TOPICS, Notice, Topic

FOLDER = Path(__file__).parent / "templates"
_SUBJECT = "Subject: "
_WORDS = frozenset(
    {"given_names", "lender_name", "reference", "case", "page", "hours", "what_was_wrong", "what_to_send", "words"}
)
_LISTS = frozenset({"document_kinds"})
_NO_PAGE = "Please go to the page where you applied."


@dataclass(frozen=True, slots=True)
class Wording:
    """The words for codes, as full approval defines them.

    `kind` gives a kind of document's title; `returned` what was wrong with a returned one, and what to send instead.
    """

    kind: Callable[[str], str]
    returned: Callable[[str], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Letters:
    """Every notice's template, and what they say of the lender; `page` is where applicants see their application."""

    lender_name: str
    page: str | None
    wording: Wording
    _subjects: Mapping[Topic, TextTemplate]
    _texts: Mapping[Topic, TextTemplate]

    @classmethod
    def load(cls, lender_name: str, page: str | None, wording: Wording, folder: Path = FOLDER) -> Self:
        """Read every topic's template: a line `Subject: ...`, an empty one, the text. TemplateRefused says why not."""
        subjects, texts = {}, {}
        for topic in TOPICS:
            name = f"{topic}.txt"
            first, _, rest = (folder / name).read_bytes().partition(b"\n\n")
            if not first.startswith(_SUBJECT.encode()) or b"\n" in first or not rest.strip():
                raise TemplateRefused(f"{name}: begins with one line 'Subject: ...' and an empty one, before its text")
            subjects[topic] = read_template(name, first.removeprefix(_SUBJECT.encode()), _WORDS, frozenset())
            texts[topic] = read_template(name, rest, _WORDS, _LISTS)
        return cls(lender_name, page, wording, subjects, texts)

    def write(self, notice: Notice, given_names: str, words: str = "") -> tuple[str, str]:
        """Subject and text of a notice to one person; staff are not named, `words` are theirs where they wrote any."""
        wrong, instead = self.wording.returned(notice.reason) if notice.reason else ("", "")
        values: dict[str, str | tuple[str, ...]] = {
            "given_names": given_names,
            "lender_name": self.lender_name,
            "reference": notice.application_id,
            "case": notice.case_id or "",
            "page": self.page or _NO_PAGE,
            "hours": str(notice.hours),
            "what_was_wrong": wrong,
            "what_to_send": instead,
            "words": words,
            "document_kinds": tuple(self.wording.kind(kind) for kind in notice.document_kinds),
        }
        return self._subjects[notice.topic].fill(values).strip(), self._texts[notice.topic].fill(values)
