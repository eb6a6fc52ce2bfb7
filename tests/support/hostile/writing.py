"""A PDF written byte by byte, so that anything in it can be wrong on purpose.

It does: number objects, write them, and their cross-reference table. It does not: check anything.
"""

import zlib
from collections.abc import Iterable

EMPTY = b"<< /Length 0 >>\nstream\n\nendstream"


def pdf(
    catalog: bytes = b"",
    page: bytes = b"",
    more: Iterable[bytes] = (),
    *,
    box: bytes = b"0 0 595 842",
    content: bytes = b"",
    trailer: bytes = b"",
    header: bytes = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
) -> bytes:
    """One page; `catalog`, `page` and `trailer` are put into those dictionaries. `more` are objects from number 5."""
    first = [
        b"<< /Type /Catalog /Pages 2 0 R " + catalog + b" >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [" + box + b"] /Contents 4 0 R " + page + b" >>",
        stream(content),
    ]
    return written([*first, *more], trailer=trailer, header=header)


def written(objects: list[bytes], *, trailer: bytes = b"", header: bytes = b"%PDF-1.7\n", table: bytes = b"") -> bytes:
    """These objects from number 1, the first as the root; `table` in place of the right cross-reference table."""
    out, places = bytearray(header), []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    start = len(out)
    right = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    right += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += table or right
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)
    return bytes(out)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """A stream object as it is."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), entries, content)


def packed(content: bytes, entries: bytes = b"", times: int = 1) -> bytes:
    """A stream object, packed so many times."""
    for _ in range(times):
        content = zlib.compress(content, 9)
    return stream(content, b"/Filter [" + b"/FlateDecode " * times + b"] " + entries)


def annotated(annotation: bytes, *more: bytes) -> bytes:
    """A page with one annotation, object 5."""
    first = b"<< /Type /Annot /Rect [0 0 99 99] " + annotation + b" >>"
    return pdf(page=b"/Annots [5 0 R]", more=[first, *more])


def linked(action: bytes, *more: bytes) -> bytes:
    """A page with a link that does this; `more` are objects from number 6."""
    return annotated(b"/Subtype /Link /A << " + action + b" >>", *more)
