"""One document read whole, inside bounds.

It does: read each page from its own text, or by OCR where it has none of its own. It does not: judge. The rule it
keeps: `electronic` is true only where every page was read from its own visible text.
"""

import io
import math
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import pypdfium2
from PIL import Image

from api.checks.reading import ocr, pdf, picture
from api.checks.reading.lines import Line, Row, rows_of
from api.checks.values import Expectation, MediaType, Reader

MOST_OCR_PAGES: Final = 20
PAGE_CPU_SECONDS: Final = 15  # kept for the page that was begun last
MOST_LINES: Final = 40_000


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read, and what the file tells about itself.

    `pictures` holds second readings by OCR of the pages that were asked to be compared, by page number.
    """

    rows: tuple[Row, ...]
    pages: int
    pages_read: int
    reader: Reader  # of the pages; "text" where none needed OCR
    electronic: bool
    traces: pdf.Traces
    software: str = ""  # that a picture says it was written by
    hidden: tuple[Line, ...] = ()
    overlaid: int = 0
    pictures: tuple[tuple[int, tuple[Row, ...]], ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every page was read whole."""
        return 0 < self.pages == self.pages_read

    @property
    def confidence_bps(self) -> int:
        """The mean confidence of all that was read; 0 where nothing was."""
        lines = [line.confidence_bps for row in self.rows for line in row.lines]
        return sum(lines) // len(lines) if lines else 0


NOTHING: Final = Reading((), 0, 0, "none", False, pdf.Traces())


def read(document: bytes, media_type: MediaType, expectation: Expectation) -> Reading:
    """The document read; one that cannot be opened reads as nothing at all."""
    late = _deadline(expectation.seconds)
    if media_type != "application/pdf":
        return _read_image(document)
    try:
        with _opened(document) as file:
            return _read_pdf(file, document, expectation.compare_pictures, late)
    except pypdfium2.PdfiumError:
        return NOTHING


def _deadline(seconds: int) -> Callable[[], bool]:
    """Whether no further page is begun: the time is over, or most of what processor time the process may take."""
    end, (soft, _) = time.monotonic() + seconds, resource.getrlimit(resource.RLIMIT_CPU)
    most = math.inf if soft == resource.RLIM_INFINITY else soft - PAGE_CPU_SECONDS
    return lambda: time.monotonic() > end or time.process_time() > most


@contextmanager
def _opened(document: bytes) -> Iterator[pypdfium2.PdfDocument]:
    file = pypdfium2.PdfDocument(io.BytesIO(document))
    try:
        yield file
    finally:
        file.close()


def _read_image(document: bytes) -> Reading:
    try:
        image = picture.opened(document)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return NOTHING
    lines = ocr.read_picture(image, 1)
    read_by = ocr.reader()
    told = picture.software(document)
    return Reading(tuple(rows_of(lines)), 1, int(read_by != "none"), read_by, False, pdf.Traces(), software=told)


def _read_pdf(file: pypdfium2.PdfDocument, document: bytes, compared: int, late: Callable[[], bool]) -> Reading:
    lines: list[Line] = []
    hidden: list[Line] = []
    pictures: list[tuple[int, tuple[Row, ...]]] = []
    done = overlaid = scans = 0
    by: Reader = "text"
    for number in range(1, min(len(file), pdf.MOST_PAGES) + 1):
        if late() or len(lines) > MOST_LINES:
            break
        page = file[number - 1]
        own = pdf.page_text(page, number)
        if own.lines and not own.scanned:
            lines += own.lines
            hidden += own.hidden
            overlaid += own.overlaid
            done += own.complete
            if number <= compared and ocr.reader() != "none":
                seen = ocr.read_picture(pdf.picture(page, picture.WIDTH), number)
                pictures.append((number, tuple(rows_of(seen))))
        else:
            by = ocr.reader()
            scans += 1
            if by != "none" and scans <= MOST_OCR_PAGES:
                lines += ocr.read_picture(pdf.picture(page, picture.WIDTH), number)
                done += 1
        page.close()
    return Reading(
        rows=tuple(rows_of(lines)),
        pages=len(file),
        pages_read=done,
        reader=by,
        electronic=not scans and 0 < done == len(file),
        traces=pdf.traces(file, document),
        hidden=tuple(hidden),
        overlaid=overlaid,
        pictures=tuple(pictures),
    )
