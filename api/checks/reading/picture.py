"""Pictures made ready for OCR: upright, grey, of a bounded size, straightened; and places brought back.

It does: find by how much a scan is askew from the picture alone. It does not: read. The rule it keeps: a place found
on the straightened picture is told as a place on the picture as it came.
"""

import io
import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from api.checks.reading.lines import Place, around

MOST_PIXELS: Final = 50_000_000
WIDTH: Final = 1_300  # pixels across a page given to OCR: 9 point text is still 20 pixels high
_LARGEST_SIDE: Final = 3_000
_SEARCH_WIDTH: Final = 500
_MOST_DEGREES: Final = 6.0
_STEP_DEGREES: Final = 0.25


@dataclass(frozen=True, slots=True)
class Straight:
    """A straightened picture, by how many degrees it was turned, and the size of the one it came from."""

    image: Image.Image
    degrees: float
    size: tuple[int, int]

    def place(self, box: Place) -> Place:
        """Pixels of the straightened picture to thousandths of the one it came from."""
        wide, high = self.size
        turned_wide, turned_high = self.image.size
        angle = math.radians(self.degrees)
        cosine, sine = math.cos(angle), math.sin(angle)
        corners = []
        for x, y in ((box[0], box[1]), (box[2], box[1]), (box[0], box[3]), (box[2], box[3])):
            right, down = x - turned_wide / 2, y - turned_high / 2
            across = (right * cosine - down * sine + wide / 2) / wide * 1000
            below = (right * sine + down * cosine + high / 2) / high * 1000
            corners.append((across, below, across, below))
        return around(corners)


def opened(document: bytes) -> Image.Image:
    """The picture, turned as its camera says; raises OSError or ValueError where it cannot be had."""
    image = Image.open(io.BytesIO(document), formats=("PNG", "JPEG"))
    if image.width * image.height > MOST_PIXELS:
        raise ValueError("too many pixels")
    return ImageOps.exif_transpose(image).convert("L")


def software(document: bytes) -> str:
    """The program that a picture says it was written by, or nothing."""
    try:
        image = Image.open(io.BytesIO(document), formats=("PNG", "JPEG"))
        named = image.getexif().get(0x0131) or image.info.get("Software") or ""
    except (OSError, ValueError, SyntaxError):
        return ""
    return str(named)[:200]


def straightened(image: Image.Image) -> Straight:
    """The picture at OCR's size, turned so that its lines run level."""
    scale = min(WIDTH / image.width, _LARGEST_SIDE / image.height)
    sized = image.resize(
        (max(1, round(image.width * scale)), max(1, round(image.height * scale))), Image.Resampling.LANCZOS
    )
    degrees = _askew(sized)
    turned = sized.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255) if degrees else sized
    return Straight(turned, degrees, sized.size)


def _askew(image: Image.Image) -> float:
    """The turn that makes rows of ink and rows of paper differ most; 0 where no turn does so clearly."""
    share = min(_SEARCH_WIDTH / image.width, _LARGEST_SIDE / image.height)
    size = max(1, round(image.width * share)), max(1, round(image.height * share))
    small = image.resize(size, Image.Resampling.BILINEAR)
    grey: NDArray[Any] = np.asarray(small, dtype=np.float32)
    dark = (grey < grey.mean() - grey.std()).astype(np.uint8) * 255
    ink = Image.fromarray(dark)

    def sharpness(degrees: float) -> float:
        sums = np.asarray(ink.rotate(degrees, Image.Resampling.BILINEAR), dtype=np.float32).sum(axis=1)
        return float(np.square(np.diff(sums)).sum())

    steps = round(_MOST_DEGREES / _STEP_DEGREES)
    best = max((step * _STEP_DEGREES for step in range(-steps, steps + 1)), key=sharpness)
    return best if best and sharpness(best) > 1.1 * sharpness(0.0) else 0.0
