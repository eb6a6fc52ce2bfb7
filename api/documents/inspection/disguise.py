"""Files that are two things at once: what stands outside the one thing that a file says it is.

It does: find where a picture ends, and look at what is before, behind and between. It does not: decode anything. The
rule it keeps: a file that some other program would open as something else is refused; what telephones append to a
photograph (a smaller picture, a second of film) is not.
"""

import re

_MOST_TAIL = 1_024
_HEAD = 1_024  # what viewers and browsers look through for a beginning
_ZIP_TAIL = 66_000  # a ZIP's last record is within this of the end
_ZIP_END = b"PK\x05\x06"
_BINARY = (b"PK\x03\x04", _ZIP_END, b"%PDF-", b"\x7fELF", b"Rar!\x1a", b"7z\xbc\xaf\x27", b"\xca\xfe\xba\xbe")
_TEXT = (b"<html", b"<script", b"<svg", b"<!doctype html", b"<?php", b"<iframe", b"<body")
_FIRST = (b"MZ", b"#!")
_PNG_HEAD, _JPEG_HEAD = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_MARKER = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")  # in a JPEG's compressed part: neither stuffing nor a restart


def disguised_pdf(content: bytes) -> bool:
    """Whether a PDF, which has an end, is something else besides."""
    tail = content[content.rfind(b"%%EOF") + 5 :]
    return len(tail) > _MOST_TAIL or _shared(content, tail)


def disguised_picture(content: bytes) -> bool | None:
    """Whether a PNG or JPEG is something else besides; None where it has no end of its own."""
    end = _end(content)
    if end is None:
        return None
    tail = content[end:]
    if b"%PDF-" in content or _shared(content, tail):
        return True
    if content.startswith(_JPEG_HEAD):
        while tail.startswith(_JPEG_HEAD):
            end = _end(tail)
            if end is None:
                return True
            tail = tail[end:]
        if tail[4:8] == b"ftyp":
            return False
    return len(tail) > _MOST_TAIL


def _shared(content: bytes, tail: bytes) -> bool:
    """What is looked for in a file of any kind."""
    words = content[:_HEAD].lower() + b" " + tail[:_HEAD].lower()
    return (
        _ZIP_END in content[-_ZIP_TAIL:]
        or any(each in tail for each in _BINARY)
        or any(each in words for each in _TEXT)
        or tail.lstrip().startswith(_FIRST)
    )


def _end(content: bytes) -> int | None:
    return _png_end(content) if content.startswith(_PNG_HEAD) else _jpeg_end(content)


def _png_end(content: bytes) -> int | None:
    at = len(_PNG_HEAD)
    while at + 12 <= len(content):
        size, kind = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        at += 12 + size
        if kind == b"IEND":
            return at
    return None


def _jpeg_end(content: bytes) -> int | None:
    at = 2
    while found := _MARKER.match(content, at):
        at, kind = found.end(), content[found.end() - 1]
        if kind == 0xD9:  # noqa: PLR2004 - end of image
            return at
        size = int.from_bytes(content[at : at + 2])
        at += max(size, 2)
        if kind == 0xDA:  # noqa: PLR2004 - start of a scan: compressed data follow
            scan = _MARKER.search(content, at)
            at = scan.start() if scan else len(content)
    return None
