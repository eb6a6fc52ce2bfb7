"""Templates of plain text that cannot do anything but place words: for contracts and for notices.

It does: read a template in a small part of Jinja's language, know beforehand which placeholders it uses and which it
is sure to show, and fill it. It does not: know what a contract is, or make HTML. The rule it keeps: a template holds
names, `{% if name %}` and `{% for line in name %}` over bounded lists, and nothing else; it can be refused, never run
away.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment

MOST_TEMPLATE_BYTES = 256_000
MOST_TEXT_CHARACTERS = 1_000_000
MOST_LINES = 100  # of one list
_DRAWN_OTHERWISE = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}  # categories of characters that are not seen as themselves

Values = Mapping[str, str | tuple[str, ...]]


class TemplateRefused(ValueError):
    """A template that cannot be used; the words name the place and the rule."""


@dataclass(frozen=True, slots=True)
class TextTemplate:
    """A template that was read; `shown` are the placeholders whose value stands in every text made from it."""

    shown: frozenset[str]
    _template: Template

    def fill(self, values: Values) -> str:
        """The text, ending in a line feed; the same values give the same text.

        ValueError for a list of more than 100 lines and for a text of more than a million characters.
        """
        if any(not isinstance(value, str) and len(value) > MOST_LINES for value in values.values()):
            raise ValueError(f"a list in a text has at most {MOST_LINES} lines")
        text = ""
        for part in self._template.generate({name: _seen(value) for name, value in values.items()}):
            text += part
            if len(text) > MOST_TEXT_CHARACTERS:
                raise ValueError(f"a text has at most {MOST_TEXT_CHARACTERS} characters")
        return text.rstrip("\n") + "\n"


def read_template(name: str, content: bytes, words: frozenset[str], lists: frozenset[str]) -> TextTemplate:
    """A template that uses no placeholder but these; TemplateRefused says what is wrong with it.

    `words` are single pieces of text, `lists` are several lines.
    """
    text = _decoded(name, content)
    try:
        tree = _ENVIRONMENT.parse(text)
        shown = frozenset(_shown(name, tree, words, lists))
        return TextTemplate(shown, _ENVIRONMENT.from_string(tree))
    except TemplateSyntaxError as error:
        raise TemplateRefused(f"{name}, line {error.lineno}: not a template: {error.message}") from None


def visible(text: str) -> str:
    """The text with every character that would not be seen as itself written out, as in `[U+202E]`.

    Such characters can make a signed text look like another one: they turn its direction or hide in it.
    """
    return "".join(f"[U+{ord(c):04X}]" if unicodedata.category(c) in _DRAWN_OTHERWISE else c for c in text)


def _seen(value: str | tuple[str, ...]) -> str | tuple[str, ...]:
    if isinstance(value, tuple):
        return tuple(visible(line) for line in value)
    return "\n".join(visible(line) for line in value.split("\n"))


def _environment() -> SandboxedEnvironment:
    made = SandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
        newline_sequence="\n",
    )  # fmt: skip
    made.globals.clear()
    made.filters.clear()
    made.tests.clear()
    return made


_ENVIRONMENT = _environment()


def _decoded(name: str, content: bytes) -> str:
    if len(content) > MOST_TEMPLATE_BYTES:
        raise TemplateRefused(f"{name}: a template has at most {MOST_TEMPLATE_BYTES} bytes")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise TemplateRefused(f"{name}: a template is UTF-8") from None
    for number, line in enumerate(text.split("\n"), 1):
        if visible(line) != line:
            raise TemplateRefused(
                f"{name}, line {number}: only visible characters, spaces and line feeds stand in a template"
            )
    return text


def _shown(
    name: str, node: nodes.Node, words: frozenset[str], lists: frozenset[str], within: str | None = None
) -> Iterator[str]:
    """Check a node and what is in it; yields what it is sure to show. `within` is the condition it stands under."""
    for each in node.iter_child_nodes():
        match each:
            case nodes.TemplateData():
                pass
            case nodes.Output():
                yield from _shown(name, each, words, lists, within)
            case nodes.Name(name=used) if used in words:
                if within in (None, used):
                    yield used
            case nodes.If(test=nodes.Name(name=used), elif_=[]) if within is None and used in words | lists:
                yield from _shown(name, nodes.Template(each.body), words, lists, used)
                # What stands under `else` is allowed there, and sure to be shown by nothing.
                list(_shown(name, nodes.Template(each.else_), words, lists, ""))
            case nodes.For(target=nodes.Name(name=line), iter=nodes.Name(name=used), else_=[], test=None) if (
                used in lists and line not in words | lists and not each.recursive
            ):
                if _places(name, each, line) and within in (None, used):
                    yield used
            case _:
                raise TemplateRefused(f"{name}, line {each.lineno}: {_told(each)} is not allowed here")


def _places(name: str, loop: nodes.For, line: str) -> bool:
    """Whether a loop places its line; TemplateRefused if its body holds anything but that and plain text."""
    placed = False
    for output in loop.body:
        for each in output.iter_child_nodes() if isinstance(output, nodes.Output) else [output]:
            is_line = isinstance(each, nodes.Name) and each.name == line
            if not is_line and not isinstance(each, nodes.TemplateData):
                raise TemplateRefused(f"{name}, line {each.lineno}: {_told(each)} is not allowed in a list")
            placed = placed or is_line
    return placed


def _told(node: nodes.Node) -> str:
    return f"the placeholder {node.name!r}" if isinstance(node, nodes.Name) else type(node).__name__.lower()
