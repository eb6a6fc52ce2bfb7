"""Pictures written chunk by chunk, and photographs as cameras write them."""

import io
import struct
import zlib
from typing import Any

from PIL import Image, PngImagePlugin

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'
ENTITIES = b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;&b;">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&c;'


def scene(size: tuple[int, int] = (120, 80), mode: str = "RGB") -> Image.Image:
    """A picture with something in it: dark on the left, light on the right."""
    return Image.linear_gradient("L").rotate(90).resize(size).convert(mode)


def saved(picture: Image.Image, form: str, **how: Any) -> bytes:
    """The picture as a file."""
    out = io.BytesIO()
    picture.save(out, form, **how)
    return out.getvalue()


def png(**how: Any) -> bytes:
    """A small PNG."""
    return saved(scene(), "PNG", **how)


def jpeg(**how: Any) -> bytes:
    """A small JPEG."""
    return saved(scene(), "JPEG", **how)


def chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk of a PNG with its right checksum."""
    return struct.pack("!I", len(content)) + kind + content + struct.pack("!I", zlib.crc32(kind + content))


def png_claiming(width: int, height: int) -> bytes:
    """A PNG that says it is so large, with a handful of pixels in it."""
    head = chunk(b"IHDR", struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1_000)) + chunk(b"IEND", b"")


def png_with(*chunks: bytes) -> bytes:
    """A right PNG with these chunks after its header."""
    whole = png()
    return whole[:33] + b"".join(chunks) + whole[33:]


def jpeg_with(marker: int, content: bytes) -> bytes:
    """A right JPEG with one more segment at its beginning."""
    return jpeg()[:2] + segment(marker, content) + jpeg()[2:]


def segment(marker: int, content: bytes) -> bytes:
    """One segment of a JPEG."""
    return bytes([0xFF, marker]) + struct.pack("!H", len(content) + 2) + content


def jpeg_claiming(width: int, height: int) -> bytes:
    """A JPEG that says it is so large."""
    whole = bytearray(jpeg())
    at = whole.index(b"\xff\xc0") + 5
    whole[at : at + 4] = struct.pack("!HH", height, width)
    return bytes(whole)


def text_bomb() -> bytes:
    """A PNG whose packed text grows to 100 MB."""
    return png_with(chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"\0" * 100_000_000, 9)))


def profile_bomb() -> bytes:
    """A PNG whose packed colour profile grows to 100 MB."""
    return png_with(chunk(b"iCCP", b"p\0\0" + zlib.compress(b"\0" * 100_000_000, 9)))


def png_with_xmp(xmp: bytes) -> bytes:
    """A PNG with these XMP metadata."""
    told = PngImagePlugin.PngInfo()
    told.add_itxt("XML:com.adobe.xmp", xmp.decode())
    return png(pnginfo=told)


def jpeg_with_xmp(xmp: bytes) -> bytes:
    """A JPEG with these XMP metadata."""
    return jpeg_with(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp)


def turned(orientation: int) -> bytes:
    """A JPEG that says how its camera was held."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Sample Camera"
    return jpeg(exif=exif)


def photograph() -> bytes:
    """A JPEG as telephones write it: a smaller copy behind the picture."""
    return saved(scene((400, 300)), "MPO", save_all=True, append_images=[scene((40, 30))])


def moving() -> bytes:
    """A PNG of two frames."""
    return saved(scene(), "PNG", save_all=True, append_images=[scene().rotate(180)])


def assembled(head: bytes, rows: bytes) -> bytes:
    """A PNG of this header and these rows."""
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
