"""What a section is made of: prose, bullets, tables, figures, code. The page draws each kind in one way.

It does: hold. It does not: know what a figure means. The rule it keeps: a figure holds the part of the record that it
is drawn from, so that two reports with the same blocks have the same pictures.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "number", "code", "link", "whole"]


@dataclass(frozen=True, slots=True)
class Prose:
    """Paragraphs."""

    texts: tuple[str, ...]
    kind: Literal["prose"] = "prose"


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    texts: tuple[str, ...]
    kind: Literal["bullets"] = "bullets"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a caption. The first column names the row; a row's `marks` say which need a second look."""

    caption: str
    head: tuple[tuple[str, Kind], ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    marked: frozenset[int] = frozenset()
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture: what it shows, in words for whoever cannot see it, and how it is drawn from a part of the record."""

    title: str
    says: str
    draw: Callable[[Any], Any]
    of: Any
    kind: Literal["figure"] = "figure"


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to be typed as they stand."""

    lines: tuple[str, ...]
    kind: Literal["code"] = "code"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside a section."""

    text: str
    kind: Literal["heading"] = "heading"


@dataclass(frozen=True, slots=True)
class Document:
    """A text in Markdown, shown as it is meant."""

    text: str
    kind: Literal["document"] = "document"


Block = Prose | Bullets | Table | Figure | Code | Heading | Document


@dataclass(frozen=True, slots=True)
class Section:
    """A numbered part of the report, with the id that the contents link to."""

    id: str
    title: str
    blocks: tuple[Block, ...]


def table(
    caption: str, head: str, kinds: str, rows: Sequence[Sequence[str]], note: str = "", marked: Sequence[int] = ()
) -> Table:  # fmt: skip
    """A table; `head` has the names by "|", `kinds` a letter for each.

    t: text, n: number, c: code, w: text on one line, l: the id of a section.
    """
    names = head.split("|")
    letters: dict[str, Kind] = {"t": "text", "n": "number", "c": "code", "l": "link", "w": "whole"}
    return Table(
        caption=caption, head=tuple((name, letters[kind]) for name, kind in zip(names, kinds, strict=True)),
        rows=tuple(tuple(row) for row in rows), note=note, marked=frozenset(marked),
    )  # fmt: skip
