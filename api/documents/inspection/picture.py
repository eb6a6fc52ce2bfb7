"""PNG and JPEG files: parsed whole, bounded in pixels, shown only as a picture of our own making.

It does: refuse what is not exactly one image. It does not: keep metadata; the copy that is shown has none. The rule it
keeps: dimensions are looked at before a pixel is decoded.
"""

import io
import math
from typing import Any, Final

from PIL import Image, ImageDraw, ImageOps

from api.documents.inspection.disguise import disguised_picture

MOST_PIXELS: Final = 50_000_000
MOST_SIDE: Final = 30_000
MOST_HEIGHT: Final = 12_000  # of a picture of ours
_HASH_SIDE = 8
_FORMATS = ("PNG", "JPEG")
_PNG = "image/png"
# PIL calls a photograph with a smaller copy behind it MPO.
_TYPES = {"PNG": _PNG, "JPEG": "image/jpeg", "MPO": "image/jpeg"}
_SIXTEEN_BITS = "I;16"


def inspect(content: bytes) -> dict[str, Any]:
    """The verdict on a file that does not begin as a PDF."""
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
            media_type = _TYPES[str(opened.format)]
            if opened.width * opened.height > MOST_PIXELS or max(opened.size) > MOST_SIDE:
                return rejected("too_many_pixels")
            if media_type == _PNG and getattr(opened, "n_frames", 1) != 1:
                return rejected("moving_picture")
            disguised = disguised_picture(content)
            if disguised:
                return rejected("polyglot")
            upright = _upright(opened, 1)
            if hostile_xml(opened.info.get("xmp", b"")):
                return rejected("hostile_metadata")
    except Image.DecompressionBombError:
        return rejected("too_many_pixels")
    except (OSError, SyntaxError, ValueError):
        return rejected("not_a_document")
    if disguised is None:
        return rejected("not_a_document")
    return {
        "verdict": "clean", "media_type": media_type, "pages": 1, "perceptual": difference_hash(upright),
    }  # fmt: skip


def render(content: bytes, page: int, width: int, boxes: list[tuple[int, ...]]) -> bytes:
    """The picture as a PNG of that width, without metadata, boxes blacked out."""
    with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
        upright = _upright(opened, width)
    return as_png(upright, width, [box for box in boxes if box[0] == page])


def _upright(opened: Image.Image, width: int) -> Image.Image:
    """The picture decoded whole, turned as its camera says, on white, in eight bits; a large JPEG made smaller.

    It stays as large as `width` asks for.
    """
    opened.draft(None, (width, width))
    opened.load()
    turned: Image.Image = ImageOps.exif_transpose(opened, in_place=False)
    if turned.mode == _SIXTEEN_BITS:
        return turned.point(lambda value: value / 256, "L").convert("RGB")
    if not turned.has_transparency_data:
        return turned.convert("RGB")
    clear = turned.convert("RGBA")
    white = Image.new("RGB", clear.size, "white")
    white.paste(clear, mask=clear)
    return white


def as_png(picture: Image.Image, width: int, boxes: list[tuple[int, ...]]) -> bytes:
    """A PNG of that width at most; each box is (page, left, top, right, bottom) in thousandths of the page."""
    scale = min(width / picture.width, MOST_HEIGHT / picture.height)
    if scale < 1:
        size = max(int(picture.width * scale), 1), max(int(picture.height * scale), 1)
        picture = picture.resize(size, reducing_gap=2.0)
    paint = ImageDraw.Draw(picture)
    x, y = picture.width / 1_000, picture.height / 1_000
    for _, left, top, right, bottom in boxes:
        # Outwards to whole pixels: no edge of what is hidden shines through.
        paint.rectangle(
            (math.floor(left * x), math.floor(top * y), math.ceil(right * x), math.ceil(bottom * y)), fill="black"
        )
    out = io.BytesIO()
    Image.frombytes("RGB", picture.size, picture.tobytes()).save(out, "PNG")
    return out.getvalue()


def difference_hash(picture: Image.Image) -> str:
    """Sixteen hexadecimal digits: whether each of 8 x 8 pixels of a small grey copy is darker than its neighbour."""
    small = picture.convert("L").resize((_HASH_SIDE + 1, _HASH_SIDE), Image.Resampling.LANCZOS)
    pixels = small.tobytes()
    bits = 0
    for row in range(_HASH_SIDE):
        for column in range(_HASH_SIDE):
            at = row * (_HASH_SIDE + 1) + column
            bits = bits << 1 | (pixels[at] < pixels[at + 1])
    return f"{bits:016x}"


def hostile_xml(metadata: bytes | str) -> bool:
    """Whether metadata declare entities, of which a few lines can grow without end in whatever reads them."""
    text = metadata if isinstance(metadata, str) else metadata.replace(b"\0", b"").decode("latin-1")
    return "<!DOCTYPE" in text or "<!ENTITY" in text


def rejected(code: str) -> dict[str, Any]:
    """The verdict on a file that is not kept for use, with a code."""
    return {"verdict": "rejected", "code": code}
