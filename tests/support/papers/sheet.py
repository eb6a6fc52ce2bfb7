"""Pages on which a paper is drawn: recorded first, made a PDF at the end.

It does: place text by millimetres of an A4 page and number the pages. It does not: know what it draws. The rule it
keeps: the same drawing gives the same bytes, so dates are fixed and only the fonts that every reader has are used.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from fpdf import FPDF

from tests.support.papers.paper import MARK

Font = Literal["helvetica", "times", "courier"]
LEFT, RIGHT, BOTTOM = 18.0, 192.0, 268.0


@dataclass(frozen=True, slots=True)
class _Mark:
    """One thing drawn: a text at its baseline, or a white patch of `size` millimetres high where `text` is empty."""

    x: float
    y: float
    text: str
    size: float
    bold: bool
    right: bool
    font: Font


@dataclass(slots=True)
class Sheet:
    """A paper's pages. `y` is the baseline of the next line; `numbered` puts "Page 1 of 3" on every page."""

    font: Font = "helvetica"
    size: float = 9.0
    step: float = 5.2
    numbered: str = ""
    producer: str = "Statement Composer 7.2"
    pages: list[list[_Mark]] = field(default_factory=list)
    y: float = 20.0

    def page(self) -> None:
        """Begin a page."""
        self.pages.append([])
        self.y = 20.0

    def text(
        self, x: float, text: str, *, size: float = 0, bold: bool = False, right: bool = False, font: Font | None = None
    ) -> None:
        """A text at the current line, from `x` on or up to it."""
        mark = _Mark(x, self.y, text, size or self.size, bold, right, font or self.font)
        self.pages[-1].append(mark)

    def line(self, text: str, *, x: float = LEFT, size: float = 0, bold: bool = False) -> None:
        """A text alone on its line, and on to the next."""
        self.text(x, text, size=size, bold=bold)
        self.down()

    def pair(self, label: str, value: str, *, x: float = LEFT, gap: float = 42, bold: bool = False) -> None:
        """A label, and its value to the right."""
        self.text(x, label, bold=bold)
        self.text(x + gap, value)
        self.down()

    def amount(self, label: str, value: str, *, x: float = LEFT, to: float = 150, bold: bool = False) -> None:
        """A label, and an amount that ends at `to`."""
        self.text(x, label, bold=bold)
        self.text(to, value, right=True, bold=bold)
        self.down()

    def patch(self, x: float, text: str, *, width: float, font: Font) -> None:
        """A white patch that ends at `x`, and another text on it: how a figure is painted over."""
        self.pages[-1].append(_Mark(x - width, self.y, "", width, False, False, font))
        self.text(x, text, right=True, font=font)

    def down(self, lines: float = 1.0) -> None:
        """Lower by so many lines."""
        self.y += self.step * lines

    def says(self, left_out: frozenset[int] = frozenset()) -> str:
        """All that is drawn on the pages that stay."""
        kept = [marks for number, marks in enumerate(self.pages, 1) if number not in left_out]
        return "\n".join(mark.text for marks in kept for mark in marks)

    def pdf(self, made: datetime, left_out: frozenset[int] = frozenset()) -> bytes:
        """The PDF, without some of its pages; the numbers of those that stay count all of them."""
        pdf = FPDF(format="A4")
        pdf.set_auto_page_break(False)
        pdf.set_creation_date(made)
        pdf.set_producer(self.producer)
        for number, marks in enumerate(self.pages, 1):
            if number in left_out:
                continue
            pdf.add_page()
            for mark in marks:
                _draw(pdf, mark)
            if self.numbered:
                pdf.set_font(self.font, size=7)
                pdf.text(LEFT, 281, self.numbered.format(page=number, pages=len(self.pages)))
            pdf.set_font("helvetica", size=6)
            pdf.text(LEFT, 287, MARK)
        return bytes(pdf.output())


def _draw(pdf: FPDF, mark: _Mark) -> None:
    if not mark.text:
        pdf.set_fill_color(255, 255, 255)
        pdf.rect(mark.x, mark.y - 3.2, mark.size + 0.6, 4.2, style="F")
        return
    pdf.set_font(mark.font, style="B" if mark.bold else "", size=mark.size)
    pdf.text(mark.x - (pdf.get_string_width(mark.text) if mark.right else 0), mark.y, mark.text)
