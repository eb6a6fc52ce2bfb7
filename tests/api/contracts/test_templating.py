"""A template places words and does nothing else; what could run, reach out or grow without end is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from api.contracts.templating import (
    MOST_LINES,
    MOST_TEMPLATE_BYTES,
    MOST_TEXT_CHARACTERS,
    TemplateRefused,
    TextTemplate,
    read_template,
    visible,
)

WORDS, LISTS = frozenset({"a", "b"}), frozenset({"many", "more"})


def read(text: str | bytes) -> TextTemplate:
    """A template of two words and two lists."""
    return read_template("t.txt", text if isinstance(text, bytes) else text.encode(), WORDS, LISTS)


@pytest.mark.parametrize(
    "text",
    [
        "{{ c }}", "{{ a.upper() }}", "{{ a.__class__ }}", "{{ a|upper }}", "{{ a * 9 }}", "{{ a ~ b }}", "{{ 'x' }}",
        "{{ a[0] }}", "{{ a if b }}", "{{ range(9) }}", "{{ many }}", "{{ self }}", "{% set a = b %}",
        "{% include 'x' %}", "{% import 'x' as y %}", "{% extends 'x' %}", "{% macro m() %}{% endmacro %}",
        "{% block x %}{% endblock %}", "{% filter upper %}{% endfilter %}", "{% for x in a %}{{ x }}{% endfor %}",
        "{% for x in range(9) %}{% endfor %}", "{% for x in many %}{{ a }}{% endfor %}",
        "{% for x in many %}{% for y in more %}{% endfor %}{% endfor %}", "{% for a in many %}{{ a }}{% endfor %}",
        "{% for x in many recursive %}{{ x }}{% endfor %}", "{% for x in many if x %}{{ x }}{% endfor %}",
        "{% for x in many %}{{ loop.index }}{% endfor %}", "{% for x in many %}{% else %}{{ a }}{% endfor %}",
        "{% if not a %}{% endif %}", "{% if a == b %}{% endif %}", "{% if a %}{% elif b %}{% endif %}",
        "{% if a %}{% if b %}{% endif %}{% endif %}", "{{ a", "{% if a %}", "{% frobnicate %}",
    ],
)  # fmt: skip
def test_what_is_more_than_placing_words_is_refused(text: str) -> None:
    """Calls, attributes, filters, sums, other loops and conditions, unknown names and broken syntax are refused."""
    with pytest.raises(TemplateRefused, match=r"^t\.txt, line 1: "):
        read(text)


@pytest.mark.parametrize(
    "content", [b"\xff", b"\xef\xbb\xbfx", b"a\r\nb", b"a\tb", "a\u202eb".encode(), b" " * (MOST_TEMPLATE_BYTES + 1)]
)
def test_a_template_is_plain_visible_text_of_a_bounded_size(content: bytes) -> None:
    """Bytes that are not UTF-8, byte-order marks, control characters and oversize are refused."""
    with pytest.raises(TemplateRefused):
        read(content)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{ a }} {{ b }}", {"a", "b"}),
        ("{% if a %}{{ a }}{% endif %}", {"a"}),
        ("{% if a %}{{ b }}{% endif %}", set()),
        ("{% if a %}x{% else %}{{ b }}{% endif %}", set()),
        ("{% for x in many %}{{ x }}{% endfor %}", {"many"}),
        ("{% for x in many %}-{% endfor %}", set()),
        ("{% if many %}{% for x in many %}{{ x }}{% endfor %}{% endif %}", {"many"}),
        ("{% if a %}{% for x in many %}{{ x }}{% endfor %}{% endif %}", set()),
        ("{# {{ a }} #}", set()),
        ("{% raw %}{{ a }}{% endraw %}", set()),
    ],
)
def test_it_is_known_beforehand_what_a_template_is_sure_to_show(text: str, shown: set[str]) -> None:
    """A value counts as shown where no other value's absence can hide it; comments and quoted marks show nothing."""
    assert read(text).shown == shown


def test_a_filled_template_is_the_same_text_each_time() -> None:
    """Words and lines stand where the template places them; the text ends in one line feed."""
    template = read("A {{ a }}\n{% if b %}\nB {{ b }}\n{% endif %}\n{% for x in many %}\n- {{ x }}\n{% endfor %}\n\n")
    values: dict[str, str | tuple[str, ...]] = {"a": "1", "b": "", "many": ("x", "y")}
    assert template.fill(values) == template.fill(values) == "A 1\n- x\n- y\n"
    assert template.fill({**values, "b": "2", "many": ()}) == "A 1\nB 2\n"


def test_a_value_that_is_missing_is_an_error() -> None:
    """Nothing is silently left empty."""
    with pytest.raises(UndefinedError):
        read("{{ a }}{{ b }}").fill({"a": "1"})


@given(st.text())
def test_a_value_is_never_read_as_a_template(text: str) -> None:
    """Whatever a value holds stands in the text as it is seen, and nothing in it runs."""
    shown = "\n".join(visible(line) for line in text.split("\n"))
    assert read("[{{ a }}]").fill({"a": text}) == f"[{shown}]\n"
    assert read("[{{ a }}]").fill({"a": "{{ b }}{% raw %}"}) == "[{{ b }}{% raw %}]\n"


def test_characters_that_are_not_seen_as_themselves_are_written_out() -> None:
    """A name that turns the direction of the text, hides in it or breaks a line is told for what it is."""
    assert visible("PTY\u202eDTL\u200b\x00") == "PTY[U+202E]DTL[U+200B][U+0000]"
    assert visible("Größe, café, 漢字 — ok") == "Größe, café, 漢字 — ok"


def test_lists_and_texts_have_an_end() -> None:
    """A list of more than a hundred lines and a text of more than a million characters are refused."""
    lines = read("{% for x in many %}{{ x }}{% endfor %}")
    assert len(lines.fill({"many": ("x",) * MOST_LINES})) == MOST_LINES + 1
    with pytest.raises(ValueError, match="lines"):
        lines.fill({"many": ("x",) * (MOST_LINES + 1)})
    with pytest.raises(ValueError, match="characters"):
        lines.fill({"many": ("x" * (MOST_TEXT_CHARACTERS // 2),) * 3})
