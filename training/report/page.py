"""The record as one HTML file that needs nothing else.

It does: lay out the sections, put every picture and the style inside. It does not: read anything but the record. The
rules it keeps: every text is escaped; the page names no address, and tells a browser to fetch none.
"""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from training.report.blocks import Figure, Section
from training.report.content import Report
from training.report.drawing import styled
from training.report.sections import sections
from training.report.sections.opening import tiles

# Of a card only its shape is shown: nothing in it may link, load, or be markup.
_NO_REACH = ("link", "image", "autolink", "html_inline", "html_block", "reference", "linkify")


def render(report: Report) -> str:
    """The page."""
    parts = sections(report)
    numbers = {part.id: f"{i}. {part.title}" for i, part in enumerate(parts, 1)}
    return _environment().get_template("page.html").render(
        report=report, sections=parts, numbers=numbers, tiles=tiles(report), pictures=_pictures(parts),
        counted=_counted(parts), markdown=_markdown,
    )  # fmt: skip


def _pictures(parts: tuple[Section, ...]) -> dict[int, tuple[int, Markup]]:
    """Every figure's number and markup, by the identity of its block."""
    drawn = [block for part in parts for block in part.blocks if isinstance(block, Figure)]
    return {id(block): (i, Markup(styled(block.draw, block.of, f"f{i}"))) for i, block in enumerate(drawn, 1)}


def _counted(parts: tuple[Section, ...]) -> dict[int, int]:
    """The number of every table, by the identity of its block."""
    tables = [block for part in parts for block in part.blocks if block.kind == "table"]
    return {id(block): i for i, block in enumerate(tables, 1)}


def _markdown(text: str) -> Markup:
    """A card's Markdown, its headings below the section's own."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable(_NO_REACH, ignoreInvalid=True)
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 3, 6)}"
    return Markup(parser.renderer.render(tokens, parser.options, {}))


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("training.report", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.globals |= {"place": _place}
    return made


def _place(block: Any) -> int:
    return id(block)
