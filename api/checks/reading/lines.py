"""Text with its place: lines on pages, rows of lines, words inside them.

It does: say where on the page each part of a text stands. It does not: read files (the modules beside it do) or know
what text means. The rule it keeps: places are thousandths of the page as a person sees it, whatever read them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from api.checks.values import MOST_VALUE, Box, Finding

Place = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, slots=True)
class Line:
    """One run of text without a wide gap. `edges` has the left of each character and the right of the last.

    OCR does not tell where characters stand: then `edges` is empty, and a part of the line stands where its share of
    the characters puts it. OCR reads a straightened picture: `original` is then the line's place on the page as it
    came. `font` is none for OCR.
    """

    page: int
    box: Place
    text: str
    confidence_bps: int
    edges: tuple[float, ...] = ()
    font: str = ""
    size: float = 0.0
    mixed: bool = False  # holds fonts of several families
    original: Place | None = None

    def part(self, start: int, end: int) -> Place:
        """Where characters `start` to `end` stand."""
        left, top, right, bottom = self.box
        if self.edges:
            return self.edges[start], top, self.edges[end], bottom
        width = (right - left) / max(len(self.text), 1)
        return left + width * start, top, left + width * end, bottom

    def shown(self, start: int, end: int) -> Place:
        """Where the part stands on the page as it came: exactly, or somewhere inside the line's whole place."""
        return self.original or self.part(start, end)


@dataclass(frozen=True, slots=True)
class Row:
    """Lines that stand beside each other, left to right. `text` joins them by two spaces."""

    page: int
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        return "  ".join(line.text for line in self.lines)

    @property
    def confidence_bps(self) -> int:
        return min(line.confidence_bps for line in self.lines)

    def place(self, start: int, end: int) -> Place:
        """Where a part of `text` stands; over several lines, the box around it all."""
        return around(line.part(first, last) for line, first, last in self.spans(start, end))

    def shown(self, start: int, end: int) -> Place:
        """The same on the page as it came."""
        return around(line.shown(first, last) for line, first, last in self.spans(start, end))

    def spans(self, start: int, end: int) -> list[tuple[Line, int, int]]:
        """The parts of lines that a part of `text` covers."""
        found, offset = [], 0
        for line in self.lines:
            first, last = max(start - offset, 0), min(end - offset, len(line.text))
            if first < last:
                found.append((line, first, last))
            offset += len(line.text) + 2
        return found

    def find(self, field: str, value: str, start: int = 0, end: int | None = None) -> Finding:
        """A finding at a part of this row, at all of it unless said."""
        place = self.shown(start, len(self.text) if end is None else end)
        return Finding(field=field, value=value[:MOST_VALUE], page=self.page, box=rounded(place))


def around(places: Iterable[Place]) -> Place:
    """The smallest box that holds them all."""
    lefts, tops, rights, bottoms = zip(*places, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def rounded(place: Place, pad: float = 0.0) -> Box:
    """Whole thousandths, outwards, inside the page."""
    left, top, right, bottom = place
    low = [int(max(0.0, min(999.0, edge - pad))) for edge in (left, top)]
    high = [int(max(1.0, min(1000.0, -(-(edge + pad) // 1)))) for edge in (right, bottom)]
    return low[0], low[1], max(high[0], low[0] + 1), max(high[1], low[1] + 1)


def rows_of(lines: Sequence[Line]) -> list[Row]:
    """Lines brought into rows, page by page and from the top: the middle of each is inside the row's first line."""
    rows: list[Row] = []
    for page, group in groupby(sorted(lines, key=lambda line: line.page), key=lambda line: line.page):
        open_rows: list[list[Line]] = []
        for line in sorted(group, key=lambda line: (line.box[1] + line.box[3], line.box[0])):
            middle = (line.box[1] + line.box[3]) / 2
            row = open_rows[-1] if open_rows else None
            if row is not None and row[0].box[1] <= middle <= row[0].box[3] and _beside(row, line):
                row.append(line)
            else:
                open_rows.append([line])
        rows += [Row(page, tuple(sorted(row, key=lambda line: line.box[0]))) for row in open_rows]
    return rows


def _beside(row: list[Line], line: Line) -> bool:
    """Whether the line covers no other of the row by more than a fifth of its own width."""
    width = line.box[2] - line.box[0]
    return all(min(line.box[2], other.box[2]) - max(line.box[0], other.box[0]) <= width / 5 for other in row)


def masked(line: Line, start: int, end: int) -> Line:
    """The line with the digits and letters of a part replaced, so that places stay what they are."""
    hidden = "".join("•" if letter.isalnum() else letter for letter in line.text[start:end])
    return replace(line, text=line.text[:start] + hidden + line.text[end:])
