"""A PDF's own text with places and fonts, its pictures of pages, and the traces that programs left in it.

It does: read through PDFium, page by page. It does not: trust the text: where it is not seen on the page it is marked.
The rule it keeps: nothing here runs for more than MOST_PAGES pages or MOST_CHARACTERS characters of a page.
"""

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from numpy.typing import NDArray
from PIL import Image

from api.checks.reading.lines import Line, Place

MOST_PAGES: Final = 100
MOST_CHARACTERS: Final = 20_000  # of one page
_SCAN_SHARE: Final = 0.5  # of a page under pictures, from which its text is not believed to be its own
_CELL_GAP: Final = 1.2  # of the font's size: a wider gap parts two lines
_WORD_GAP: Final = 0.18
_LOOK_WIDTH: Final = 600  # pixels of the page on which ink is looked for
_LEAST_CONTRAST: Final = 24  # of 255, between the lightest and the darkest point of text that can be seen
_LARGEST_SIDE: Final = 3_000  # pixels of a rendered page
_SUBSET: Final = re.compile(r"^[A-Z]{6}\+")
_STYLE: Final = re.compile(r"(?i)[-, ]*(bold|italic|oblique|regular|roman|medium|light|semibold|black|mt|ps)\b|[-,].*$")


@dataclass(frozen=True, slots=True)
class PageText:
    """One page's own text. `hidden` counts lines without ink, `overlaid` characters over characters."""

    lines: tuple[Line, ...]
    scanned: bool  # pictures cover most of it, or its text is drawn invisibly
    complete: bool  # all its characters were read
    hidden: tuple[Line, ...] = ()
    overlaid: int = 0


@dataclass(frozen=True, slots=True)
class Traces:
    """What programs left in a PDF; dates as they are written in it."""

    producer: str = ""
    creator: str = ""
    created: str = ""
    modified: str = ""
    saves: int = 1


class _Glyph(NamedTuple):
    text: str
    place: Place
    size: float  # in thousandths of the page's height
    font: str
    spaced: bool  # a space stands before it


def traces(pdf: pypdfium2.PdfDocument, document: bytes) -> Traces:
    """Producer, creator, dates, and how often the file was saved; a linearised file ends twice at its first save."""
    told = pdf.get_metadata_dict()
    ends = document.count(b"%%EOF") - (b"/Linearized" in document[:2048])
    words = {name: str(told.get(name, ""))[:200] for name in ("Producer", "Creator", "CreationDate", "ModDate")}
    return Traces(words["Producer"], words["Creator"], words["CreationDate"], words["ModDate"], max(ends, 1))


def picture(page: pypdfium2.PdfPage, width: int) -> Image.Image:
    """The page as a person sees it, grey, `width` pixels wide, less where it is very tall."""
    wide, high = page.get_size()
    scale = min(width / max(wide, 1.0), _LARGEST_SIDE / max(high, 1.0))
    shown: Image.Image = page.render(scale=scale, grayscale=True).to_pil()
    return shown.convert("L")


def page_text(page: pypdfium2.PdfPage, number: int) -> PageText:
    """The text of one page; its number counts from 1."""
    text = page.get_textpage()
    try:
        count = text.count_chars()
        glyphs = list(_glyphs(page, text, min(count, MOST_CHARACTERS)))
    finally:
        text.close()
    lines = tuple(_lines(glyphs, number))
    scanned = _picture_share(page) >= _SCAN_SHARE or _drawn_invisibly(page)
    hidden = () if scanned or not lines else _unseen(page, lines)
    return PageText(lines, scanned, count <= MOST_CHARACTERS, hidden, _overlaid(glyphs))


def _glyphs(page: pypdfium2.PdfPage, text: pypdfium2.PdfTextPage, count: int) -> Iterator[_Glyph]:
    """Characters with their places; spaces tell only that one stood there."""
    turn = _Turn(page)
    box = pdfium.FS_RECTF()
    fonts: dict[bytes, str] = {}
    name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
    spaced = False
    for index in range(count):
        letter = chr(pdfium.FPDFText_GetUnicode(text, index) or 0x20)
        if letter.isspace() or letter == "\x00" or not pdfium.FPDFText_GetLooseCharBox(text, index, box):
            spaced = True
            continue
        length = pdfium.FPDFText_GetFontInfo(text, index, name, 128, flags)
        raw = name.value if 0 < length <= len(name) else b""
        family = fonts.setdefault(raw, _family(raw.decode("utf-8", "replace")))
        place = turn.of(box.left, box.bottom, box.right, box.top)
        yield _Glyph(letter, place, place[3] - place[1], family, spaced)
        spaced = False


class _Turn:
    """Places on the page as shown: from its visible box, turned as the page is turned."""

    def __init__(self, page: pypdfium2.PdfPage) -> None:
        self._left, self._bottom, right, top = page.get_bbox()
        self._wide, self._high = max(right - self._left, 1.0), max(top - self._bottom, 1.0)
        self._quarter = page.get_rotation() // 90

    def of(self, left: float, bottom: float, right: float, top: float) -> Place:
        across = [(x - self._left) / self._wide * 1000 for x in (left, right)]
        down = [1000 - (y - self._bottom) / self._high * 1000 for y in (top, bottom)]
        match self._quarter:
            case 1:
                return 1000 - down[1], across[0], 1000 - down[0], across[1]
            case 2:
                return 1000 - across[1], 1000 - down[1], 1000 - across[0], 1000 - down[0]
            case 3:
                return down[0], 1000 - across[1], down[1], 1000 - across[0]
            case _:
                return across[0], down[0], across[1], down[1]


def _family(name: str) -> str:
    """A font's family: without the prefix of a subset and without weight or slant."""
    return _STYLE.sub("", _SUBSET.sub("", name)).strip().lower()


def _lines(glyphs: list[_Glyph], page: int) -> Iterator[Line]:
    """Characters joined into lines: on one height, without a wide gap, never going back."""
    run: list[_Glyph] = []
    for glyph in glyphs:
        if run and not _follows(run[-1], glyph):
            yield _line(run, page)
            run = []
        run.append(glyph)
    if run:
        yield _line(run, page)


def _follows(before: _Glyph, after: _Glyph) -> bool:
    # Heights are thousandths of the page's height and gaps of its width: 1.41 on an upright A4 page, near enough.
    gap = after.place[0] - before.place[2]
    middle = (after.place[1] + after.place[3]) / 2
    level = before.place[1] <= middle <= before.place[3]
    return level and -0.5 * before.size <= gap <= _CELL_GAP * before.size * 1.41


def _line(run: list[_Glyph], page: int) -> Line:
    text, edges = "", []
    for place, glyph in enumerate(run):
        apart = place > 0 and glyph.place[0] - run[place - 1].place[2] > _WORD_GAP * glyph.size * 1.41
        if place > 0 and (glyph.spaced or apart):
            text += " "
            edges.append(run[place - 1].place[2])
        text += glyph.text
        edges += [glyph.place[0]] * len(glyph.text)
    left, right = run[0].place[0], max(glyph.place[2] for glyph in run)
    box = (left, min(glyph.place[1] for glyph in run), right, max(glyph.place[3] for glyph in run))
    families = {glyph.font for glyph in run}
    return Line(page, box, text, 10_000, (*edges, right), run[0].font, run[0].size, len(families) > 1)


def _picture_share(page: pypdfium2.PdfPage) -> float:
    """The share of the page that pictures cover, each counted by its frame."""
    wide, high = page.get_width(), page.get_height()
    share = 0.0
    for object_ in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3):
        left, bottom, right, top = object_.get_bounds()
        share += max(0.0, right - left) * max(0.0, top - bottom) / max(wide * high, 1.0)
    return share


def _drawn_invisibly(page: pypdfium2.PdfPage) -> bool:
    """Whether any text is drawn in the mode that paints nothing, as programs do that lay text over a scan."""
    invisible = pdfium.FPDF_TEXTRENDERMODE_INVISIBLE
    return any(
        pdfium.FPDFTextObj_GetTextRenderMode(object_) == invisible
        for object_ in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT], max_depth=3)
    )


def _unseen(page: pypdfium2.PdfPage, lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Lines at whose place the rendered page has no ink: white on white, or covered."""
    ink: NDArray[Any] = np.asarray(picture(page, _LOOK_WIDTH))
    high, wide = ink.shape
    unseen = []
    for line in lines:
        left, top, right, bottom = line.box
        patch = ink[
            int(max(top, 0) * high / 1000) : int(min(bottom, 1000) * high / 1000) + 1,
            int(max(left, 0) * wide / 1000) : int(min(right, 1000) * wide / 1000) + 1,
        ]
        if patch.size and int(patch.max()) - int(patch.min()) < _LEAST_CONTRAST:
            unseen.append(line)
    return tuple(unseen)


def _overlaid(glyphs: list[_Glyph]) -> int:
    """How many digits stand on top of another, different one: a figure written over a figure."""
    seen: dict[tuple[int, int], list[_Glyph]] = {}
    count = 0
    for glyph in glyphs:
        if not glyph.text.isdigit():
            continue
        left, top, right, bottom = glyph.place
        across, down = (left + right) / 2, (top + bottom) / 2
        cell = (int(across / 10), int(down / 10))
        near = [g for x in (-1, 0, 1) for y in (-1, 0, 1) for g in seen.get((cell[0] + x, cell[1] + y), ())]
        count += any(
            other.text != glyph.text
            and abs((other.place[0] + other.place[2]) / 2 - across) < (right - left) * 0.45
            and abs((other.place[1] + other.place[3]) / 2 - down) < (bottom - top) * 0.3
            for other in near
        )
        seen.setdefault(cell, []).append(glyph)
    return count
