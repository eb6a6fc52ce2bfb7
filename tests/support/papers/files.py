"""From a drawn sheet to the bytes of a file: saved again by an editor, or scanned.

It does: append an incremental save as the format describes it, and photograph pages. It does not: change what is
drawn. The rule it keeps: noise comes from the paper's own random source, so the same seed gives the same bytes.
"""

import io
import re
from datetime import datetime
from random import Random

import numpy as np
import pypdfium2
from fpdf import FPDF
from PIL import Image, ImageFilter

_EDITORS = ("Sejda 5.4", "iLovePDF", "Adobe Photoshop 25.0", "PDFescape Desktop", "Canva")
_A4_INCHES = 8.27


def resaved(pdf: bytes, rng: Random, changed: datetime) -> bytes:
    """The PDF with an editor's incremental save after it: another producer, and a later day of change."""
    size, root, info = (
        int(found[1]) for name in (b"Size", b"Root", b"Info") if (found := re.search(rb"/%s (\d+)" % name, pdf[-600:]))
    )
    start = int(pdf[pdf.rindex(b"startxref") :].split()[1])
    stamp = f"D:{changed:%Y%m%d%H%M%S}Z".encode()
    created = re.findall(rb"/CreationDate \((.*?)\)", pdf)[-1]
    place = len(pdf)
    body = b"%d 0 obj\n<< /Producer (%s) /CreationDate (%s) /ModDate (%s) >>\nendobj\n" % (
        info, rng.choice(_EDITORS).encode(), created, stamp,
    )  # fmt: skip
    table = b"xref\n%d 1\n%010d 00000 n \n" % (info, place)
    trailer = b"trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R /Prev %d >>\n" % (size, root, info, start)
    return pdf + body + table + trailer + b"startxref\n%d\n%%%%EOF\n" % (place + len(body))


def scanned(pdf: bytes, rng: Random, *, dots: int, quality: int, noise: float) -> list[bytes]:
    """Each page as a JPEG: `dots` an inch, askew by up to two degrees and a half, blurred, grainy, on greyish paper."""
    grain = np.random.default_rng(rng.randrange(2**32))
    degrees = rng.uniform(0.4, 2.5) * rng.choice((-1, 1))
    pages = []
    with pypdfium2.PdfDocument(pdf) as file:
        for page in file:
            image = page.render(scale=dots / 72, grayscale=True).to_pil().convert("L")
            image = image.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=252).filter(ImageFilter.GaussianBlur(0.5))
            grey = (
                np.asarray(image, dtype=np.float32) * 0.93 + 6 + grain.normal(0.0, noise, (image.height, image.width))
            )
            kept = io.BytesIO()
            Image.fromarray(grey.clip(0, 255).astype(np.uint8)).save(kept, "JPEG", quality=quality, dpi=(dots, dots))
            pages.append(kept.getvalue())
    return pages


def bound(pages: list[bytes], made: datetime) -> bytes:
    """Pictures of pages as one PDF, as a scanner makes it."""
    pdf = FPDF(format="A4")
    pdf.set_auto_page_break(False)
    pdf.set_creation_date(made)
    pdf.set_producer("Office Scanner 2.1")
    for page in pages:
        pdf.add_page()
        pdf.image(io.BytesIO(page), x=0, y=0, w=_A4_INCHES * 25.4)
    return bytes(pdf.output())
