"""Every hostile file, by class and name, with the code it is refused by."""

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import pikepdf

from tests.support.hostile import pictures
from tests.support.hostile.writing import EMPTY, annotated, linked, packed, pdf, stream, written

SCRIPT = b"/S /JavaScript /JS (app.alert\\(1\\))"
_WIDE = "javascript:app.alert(1)".encode("utf-16").hex().encode()
ACTIVE, NOT = "active_content", "not_a_document"


@dataclass(frozen=True, slots=True)
class Hostile:
    """A file that has to be refused; `code` is one of those it may be refused by."""

    family: str
    name: str
    make: Callable[[], bytes]
    codes: tuple[str, ...]


def zipped() -> bytes:
    """A small ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word.txt", "word")
    return out.getvalue()


def _scripts() -> Iterator[tuple[str, Callable[[], bytes]]]:
    action = b"<< " + SCRIPT + b" >>"
    field = b"/Subtype /Widget /FT /Tx /T (a) "
    yield "when opened", partial(pdf, b"/OpenAction " + action)
    yield "when opened, elsewhere", partial(pdf, b"/OpenAction 5 0 R", more=[action])
    yield "by name", partial(pdf, b"/Names << /JavaScript << /Names [(a) 5 0 R] >> >>", more=[action])
    yield "when closed", partial(pdf, b"/AA << /WC " + action + b" >>")
    yield "when a page is turned", partial(pdf, page=b"/AA << /O " + action + b" >>")
    yield "on a link", partial(linked, SCRIPT)
    yield "on a field", partial(annotated, field + b"/AA << /K " + action + b" >>")
    yield "when a field is entered", partial(annotated, field + b"/AA << /Fo 6 0 R >>", action)
    yield "in a stream", partial(linked, b"/S /JavaScript /JS 6 0 R")
    yield "after another action", partial(linked, b"/S /GoTo /D [3 0 R /Fit] /Next << " + SCRIPT + b" >>")
    yield (
        "opening goes on to a link",
        partial(pdf, b"/OpenAction << /S /GoTo /D [3 0 R /Fit] /Next << /S /URI /URI (https://a.example) >> >>"),
    )
    yield "its name in another object", partial(linked, b"/S 6 0 R /JS (app.alert\\(1\\))", b"/JavaScript")
    yield "its name written in hexadecimal", partial(linked, b"/S /J#61vaScript /#4aS (app.alert\\(1\\))")
    yield "in no place", partial(pdf, more=[action])
    yield "deep inside", partial(pdf, more=[b"[[[[<< /A << /B " + action + b" >> >>]]]]"])
    yield "of a film", partial(linked, b"/S /Rendition /OP 0 /JS (app.alert\\(1\\))")
    yield "in an object stream", _script_in_object_stream
    yield "in a later save", _script_in_later_save


def _script_in_object_stream() -> bytes:
    with pikepdf.open(io.BytesIO(linked(SCRIPT))) as whole:
        out = io.BytesIO()
        whole.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, compress_streams=True)
    assert b"JavaScript" not in out.getvalue()
    return out.getvalue()


def _script_in_later_save() -> bytes:
    return saved_again(pdf(), 1, b"<< /Type /Catalog /Pages 2 0 R /OpenAction << " + SCRIPT + b" >> >>")


def saved_again(whole: bytes, number: int, object_: bytes) -> bytes:
    """A file with one object changed behind its end, as a program saves that does not write it anew."""
    place = len(whole)
    start = whole.rindex(b"startxref\n") + 10
    before = int(whole[start : whole.index(b"\n", start)])
    added = b"%d 0 obj\n%s\nendobj\n" % (number, object_)
    table = b"xref\n%d 1\n%010d 00000 n \n" % (number, place)
    trailer = b"trailer\n<< /Size 5 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (before, place + len(added))
    return whole + added + table + trailer


def _actions() -> Iterator[tuple[str, Callable[[], bytes]]]:
    for name, action in {
        "starts a program": b"/S /Launch /Win << /F (cmd.exe) >>", "opens a file": b"/S /Launch /F (other.pdf)",
        "reads a file in": b"/S /ImportData /F (a.fdf)", "sends a form": b"/S /SubmitForm /F (https://a.example)",
        "empties a form": b"/S /ResetForm", "goes to another file": b"/S /GoToR /F (\\\\\\\\host\\\\share) /D [0 /Fit]",
        "goes into an attachment": b"/S /GoToE /D [0 /Fit]", "prints": b"/S /Named /N /Print",
        "hides": b"/S /Hide /T (a)", "shows layers": b"/S /SetOCGState /State [/ON 3 0 R]",
        "follows a thread": b"/S /Thread /F (b.pdf) /D 0", "plays a film": b"/S /Movie /T (a)",
        "plays a sound": b"/S /Sound /Sound 4 0 R", "runs a command": b"/S /RichMediaExecute",
        "script as an address": b"/S /URI /URI (JavaScript:app.alert\\(1\\))",
        "file as an address": b"/S /URI /URI (file:///etc/passwd)",
        "share as an address": b"/S /URI /URI (\\\\\\\\h\\\\s)",
        "share by two strokes": b"/S /URI /URI (//h/s)",
        "script in wide letters": b"/S /URI /URI <" + _WIDE + b">",
        "settings as an address": b"/S /URI /URI ( ms-settings:a)",
    }.items():  # fmt: skip
        yield name, partial(linked, action)
    yield "opens an address at once", partial(pdf, b"/OpenAction << /S /URI /URI (https://a.example) >>")
    yield "a base of addresses", partial(pdf, b"/URI << /Base (file:///) >>")


def _attachments() -> Iterator[tuple[str, Callable[[], bytes]]]:
    file = b"<< /Type /Filespec /F (a.exe) /EF << /F 6 0 R >> >>"
    held = stream(b"MZ word", b"/Type /EmbeddedFile")
    names = b"/Names << /EmbeddedFiles << /Names [(a) 5 0 R] >> >>"
    yield "by name", partial(pdf, names, more=[file, held])
    yield "on a page", partial(annotated, b"/Subtype /FileAttachment /FS << /F (a.exe) >>")
    yield "beside an object", partial(pdf, b"/AF [5 0 R]", more=[file, held])
    yield "in no place", partial(pdf, more=[EMPTY, held])
    yield "without a type", partial(pdf, more=[b"<< /F (a) /EF << /F 6 0 R >> >>", EMPTY])
    yield "a portfolio", partial(pdf, b"/Collection << /Type /Collection /View /D >>")


def _forms() -> Iterator[tuple[str, Callable[[], bytes]]]:
    xml = stream(b"<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'/>")
    yield "one stream", partial(pdf, b"/AcroForm << /Fields [] /XFA 5 0 R >>", more=[xml])
    yield "parts", partial(pdf, b"/AcroForm << /Fields [] /XFA [(template) 5 0 R] >>", more=[xml])
    yield "kept elsewhere", partial(pdf, b"/AcroForm 6 0 R", more=[xml, b"<< /Fields [] /XFA 5 0 R >>"])


def _elsewhere() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """What a stream holds is in another file, which whoever opens this one would fetch."""
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] "
    share = b"(\\\\\\\\host\\\\share)"
    yield "a stream on a share", partial(pdf, more=[stream(b"", b"/F " + share)])
    yield "a stream on the web", partial(pdf, more=[stream(b"", b"/F << /FS /URL /F (https://a.example) >>")])
    yield "a page of another file", partial(pdf, more=[stream(b"", form + b"/Ref << /F " + share + b" /Page 0 >>")])
    yield "a finer picture", partial(pdf, more=[stream(b"", form + b"/OPI << /1.3 << /F " + share + b" >> >>")])


def _media() -> Iterator[tuple[str, Callable[[], bytes]]]:
    for kind in (b"RichMedia", b"3D", b"Screen", b"Movie", b"Sound"):
        yield kind.decode(), partial(annotated, b"/Subtype /" + kind)
    yield "content without an annotation", partial(pdf, more=[b"<< /RichMediaContent << /Assets 4 0 R >> >>"])


def _encrypted() -> Iterator[tuple[str, Callable[[], bytes]]]:
    def locked(user: str, revision: Literal[2, 3, 4, 6]) -> bytes:
        out = io.BytesIO()
        with pikepdf.open(io.BytesIO(pdf())) as whole:
            aes = revision >= 4
            whole.save(out, encryption=pikepdf.Encryption(user=user, owner="o", R=revision, aes=aes, metadata=aes))
        return out.getvalue()

    revisions: tuple[Literal[2, 3, 4, 6], ...] = (2, 3, 4, 6)
    for revision in revisions:
        yield f"revision {revision}, to open", partial(locked, "secret", revision)
        yield f"revision {revision}, to print", partial(locked, "", revision)


def _polyglots() -> Iterator[tuple[str, Callable[[], bytes]]]:
    archive, page = zipped(), b"<html><script>1</script></html>"
    yield "PDF and ZIP", lambda: pdf() + archive
    yield (
        "PDF with ZIP inside and its end at the end",
        lambda: pdf(header=b"%PDF-1.7\n%" + archive[:40] + b"\n") + archive[archive.index(b"PK\x01") :],
    )
    yield "PDF and a page", lambda: pdf() + page
    yield "PDF in a page", lambda: pdf(header=b"%PDF-1.7\n%" + page + b"\n")
    yield "PDF and a program", lambda: pdf() + b"\x7fELF" + bytes(60)
    yield "PDF and a DOS program", lambda: pdf() + b"\nMZ" + bytes(60)
    yield "PDF and a shell's script", lambda: pdf() + b"#!/bin/sh\nexit"
    yield "PDF and 2 KB of anything", lambda: pdf() + b"%" + b"a" * 2_000
    yield "JPEG and ZIP", lambda: pictures.jpeg() + archive
    yield "PNG and ZIP", lambda: pictures.png() + archive
    yield "PNG with ZIP in a chunk", lambda: pictures.png_with(pictures.chunk(b"prVt", archive))
    yield "JPEG and JPEG and ZIP", lambda: pictures.jpeg() * 2 + archive
    yield "JPEG and ZIP that ends as a JPEG", lambda: pictures.jpeg() + archive + b"a" * 70_000 + b"\xff\xd9"
    yield "JPEG with a PDF in a comment", lambda: pictures.jpeg_with(0xFE, pdf())
    yield "JPEG with a page in a comment", lambda: pictures.jpeg_with(0xFE, page)
    yield "JPEG and a PHP program", lambda: pictures.jpeg() + b"<?php system(1);"
    yield "PNG and 2 KB of anything", lambda: pictures.png() + b"a" * 2_000
    yield "PNG and a whole PDF", lambda: pictures.png() + pdf()


def _bombs() -> Iterator[tuple[str, Callable[[], bytes]]]:
    zeroes = bytes(100_000_000)
    yield "one stream of 100 MB", lambda: pdf(more=[packed(zeroes)])
    yield "packed twice", lambda: pdf(more=[packed(zeroes, times=2)])
    yield "packed five times", lambda: pdf(more=[packed(b"a", times=5)])
    yield "five streams of 50 MB", lambda: pdf(more=[packed(zeroes[:50_000_000])] * 5)
    yield "run lengths", lambda: pdf(more=[stream(b"\x81\0" * 700_000, b"/Filter /RunLengthDecode")])
    yield "an object stream", lambda: _object_stream(zeroes)
    yield "a content stream", lambda: _content(zeroes)


def _object_stream(zeroes: bytes) -> bytes:
    inside = b"10 0 " + zeroes
    entries = [(0, 0, 65_535), (1, 9, 0)]
    objects = {1: b"<< /Type /Catalog /Pages 10 0 R >>", 2: packed(inside, b"/Type /ObjStm /N 1 /First 5")}
    out = bytearray(b"%PDF-1.7\n")
    places = {}
    for number, each in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    start = len(out)
    entries = [(0, 0, 255), (1, places[1], 0), (1, places[2], 0), (1, start, 0), *[(0, 0, 0)] * 6, (2, 2, 0)]
    rows = b"".join(kind.to_bytes(1) + at.to_bytes(4) + last.to_bytes(1) for kind, at, last in entries)
    out += b"3 0 obj\n" + stream(rows, b"/Type /XRef /Size 11 /W [1 4 1] /Root 1 0 R") + b"\nendobj\n"
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % start


def _content(zeroes: bytes) -> bytes:
    whole = [
        b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R >>",
        packed(b" " * len(zeroes)),
    ]  # fmt: skip
    return written(whole)


def _exhausting() -> Iterator[tuple[str, Callable[[], bytes]]]:
    yield "a form that draws itself ten times, eight deep", partial(_nested_forms, 8)
    yield "a page of 50 million strokes", partial(_strokes, 600)


def _nested_forms(depth: int) -> bytes:
    def form(number: int) -> bytes:
        if number == depth:
            return stream(b"0 0 m 500 500 l S " * 10, b"/Type /XObject /Subtype /Form /BBox [0 0 595 842]")
        entries = b"/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /XObject << /F %d 0 R >> >>"
        return stream(b"/F Do " * 10, entries % (6 + number))

    page = b"/Resources << /XObject << /F 5 0 R >> >>"
    return pdf(page=page, content=b"/F Do", more=[form(number) for number in range(depth + 1)])


def _strokes(times: int) -> bytes:
    content = packed(b"0 0 m 595 842 l 0 842 l 595 0 l f\n" * 80_000)
    contents = b"[" + b"5 0 R " * times + b"]"
    whole = [
        b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents " + contents + b" >>", EMPTY, content,
    ]  # fmt: skip
    return written(whole)


def _pixels() -> Iterator[tuple[str, Callable[[], bytes]]]:
    image = b"/Type /XObject /Subtype /Image /ColorSpace /DeviceGray /BitsPerComponent 8 /Width %d /Height %d"
    yield "PNG of 60,000 by 60,000", partial(pictures.png_claiming, 60_000, 60_000)
    yield "PNG of 2 thousand million", partial(pictures.png_claiming, 2**31 - 1, 1)
    yield "PNG just above", partial(pictures.png_claiming, 7_072, 7_072)
    yield "PNG of one long line", partial(pictures.png_claiming, 30_001, 1)
    yield "JPEG of 65,000 by 65,000", partial(pictures.jpeg_claiming, 65_000, 65_000)
    yield "in a PDF", lambda: pdf(more=[packed(bytes(1_000), image % (60_000, 60_000))])


def _broken_pictures() -> Iterator[tuple[str, Callable[[], bytes]]]:
    yield "PNG of no size", partial(pictures.png_claiming, 0, 0)
    yield "PNG with too few pixels", partial(pictures.png_claiming, 100, 100)
    yield "packed text", pictures.text_bomb
    yield "wrong checksum", lambda: pictures.png()[:40] + b"\xff\xff" + pictures.png()[42:]
    yield "JPEG without tables", lambda: b"\xff\xd8\xff\xd9"
    yield "JPEG of other rubbish", lambda: pictures.jpeg()[:20] + b"\x55" * 400


def _cut() -> Iterator[tuple[str, Callable[[], bytes]]]:
    for share in (1, 20, 50, 80, 95):
        yield f"PDF at {share} %", lambda share=share: _part(pdf(content=b"0 0 m" * 100), share)  # type: ignore[misc]
        yield f"PNG at {share} %", lambda share=share: _part(pictures.png(), share)  # type: ignore[misc]
        yield f"JPEG at {share} %", lambda share=share: _part(pictures.jpeg(), share)  # type: ignore[misc]


def _part(whole: bytes, share: int) -> bytes:
    return whole[: len(whole) * share // 100]


def _others() -> Iterator[tuple[str, Callable[[], bytes]]]:
    for name, content in {
        "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
        "SVG with a prologue": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        "a page": b"<!DOCTYPE html><html><body>word</body></html>", "a DOS program": b"MZ\x90\0" + bytes(200),
        "a program": b"\x7fELF\x02\x01\x01" + bytes(200), "a script": b"#!/bin/sh\nexit 0\n",
        "PostScript": b"%!PS-Adobe-3.0\nshowpage\n", "words": b"balance 1000.00\n", "nothing but zeroes": bytes(5_000),
        "one byte": b"%", "a list of values": b"date,amount\n2026-01-01,5\n", "rich text": b"{\\rtf1 word}",
        "an old document": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        "a certificate": b"-----BEGIN CERTIFICATE-----", "only its first and last line": b"%PDF-1.7\n%%EOF\n",
    }.items():  # fmt: skip
        yield name, lambda content=content: content  # type: ignore[misc]
    yield "ZIP", zipped
    yield "2 KB before a PDF", lambda: b"a" * 2_000 + pdf()
    yield "a program before a PDF", lambda: b"MZ" + bytes(60) + pdf()
    for form in ("GIF", "TIFF", "BMP", "WEBP", "ICO"):
        yield form, lambda form=form: pictures.saved(pictures.scene(), form)  # type: ignore[misc]


def _table() -> Iterator[tuple[str, Callable[[], bytes]]]:
    whole = pdf()
    start = whole.index(b"xref\n")
    first = b"<< /Type /Catalog /Pages 2 0 R >>"
    number = b"startxref\n%d" % start
    yield "the table elsewhere", lambda: whole.replace(number, b"startxref\n%d" % (start - 9))
    yield "behind the end", lambda: whole.replace(number, b"startxref\n99999999")
    yield "before the beginning", lambda: whole.replace(number, b"startxref\n-5")
    yield "no table", lambda: whole[:start] + whole[whole.index(b"trailer") :]
    yield "rubbish for a table", lambda: written([first], table=b"xref\n0 2\nzzzzzzzzzz\n")
    yield "places that are wrong", lambda: whole.replace(b"0000000015 00000 n", b"0000000099 00000 n")
    yield "a table before itself", lambda: pdf(trailer=b"/Prev %d" % start)
    yield "no root", lambda: whole.replace(b"/Root 1 0 R", b"/Toor 1 0 R")
    yield "a root that is a number", lambda: whole.replace(b"<< /Type /Catalog /Pages 2 0 R  >>", b"42".ljust(34))
    yield "no pages", lambda: whole.replace(b"/Kids [3 0 R] /Count 1", b"/Kids [     ] /Count 0")


def _loops() -> Iterator[tuple[str, Callable[[], bytes]]]:
    kids = b"<< /Type /Pages /Kids [%s] /Count 1 >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>"
    root = b"<< /Type /Catalog /Pages 2 0 R >>"
    yield "pages that hold themselves", lambda: written([root, kids % b"2 0 R"])
    yield "pages that hold their parent", lambda: written([root, kids % b"3 0 R", kids % b"2 0 R"])
    yield "pages that hold the catalog", lambda: written([root, kids % b"1 0 R"])
    yield "pages that are the catalog", lambda: written([b"<< /Type /Catalog /Pages 1 0 R >>"])
    yield "a page of pages of pages", lambda: written([root, kids % b"3 0 R 4 0 R", page, kids % b"2 0 R"])


def _outlines() -> Iterator[tuple[str, Callable[[], bytes]]]:
    outline = partial(pdf, b"/Outlines 5 0 R")
    head = b"<< /Type /Outlines /First 6 0 R /Last 6 0 R /Count 9 >>"
    yield "next is itself", lambda: outline(more=[head, b"<< /Title (a) /Parent 5 0 R /Next 6 0 R >>"])
    yield "first is its parent", lambda: outline(more=[head, b"<< /Title (a) /Parent 5 0 R /First 5 0 R >>"])
    yield (
        "round three",
        lambda: outline(more=[head, *(b"<< /Title (a) /Next %d 0 R >>" % following for following in (7, 8, 6))]),
    )


def _much() -> Iterator[tuple[str, Callable[[], bytes], str]]:
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>"
    root = b"<< /Type /Catalog /Pages 2 0 R >>"
    many = b" ".join(b"%d 0 R" % number for number in range(3, 204))
    yield (
        "201 pages",
        lambda: written([root, b"<< /Type /Pages /Kids [" + many + b"] /Count 201 >>"] + [page] * 201),
        ("too_many_pages"),
    )
    yield "20,001 objects", lambda: pdf(more=[b"null"] * 19_997), "too_many_objects"
    yield "31 arrays in one another", lambda: pdf(more=[b"[" * 32 + b"]" * 32]), "too_deep"
    yield "31 dictionaries in one another", lambda: pdf(more=[b"<< /A " * 32 + b"1" + b" >>" * 32]), "too_deep"
    yield "two frames", pictures.moving, "moving_picture"


def _metadata() -> Iterator[tuple[str, Callable[[], bytes]]]:
    entries = b"/Type /Metadata /Subtype /XML"
    wide = pictures.ENTITIES.decode().encode("utf-16")
    yield "of a PDF", lambda: pdf(b"/Metadata 5 0 R", more=[stream(pictures.ENTITIES, entries)])
    yield "of a PDF, packed", lambda: pdf(b"/Metadata 5 0 R", more=[packed(pictures.ENTITIES, entries)])
    yield "of a PDF, in wide letters", lambda: pdf(b"/Metadata 5 0 R", more=[packed(wide, entries)])
    yield "of a PNG", lambda: pictures.png_with_xmp(pictures.ENTITIES)
    yield "of a JPEG", lambda: pictures.jpeg_with_xmp(pictures.ENTITIES)


def _doubts() -> Iterator[tuple[str, Callable[[], bytes]]]:
    deep = b"[" * 600 + b"<< " + SCRIPT + b" >>" + b"]" * 600
    twice = b"/OpenAction << " + SCRIPT + b" >> /OpenAction [3 0 R /Fit]"
    yield "a script under the same name as a page", partial(pdf, twice)
    yield "a script deeper than is read", partial(pdf, more=[deep])
    yield "a script after the object's end", partial(pdf, more=[b"<< >> << " + SCRIPT + b" >>"])
    yield "a stream longer than it says", partial(pdf, more=[b"<< /Length 3 >>\nstream\n" + SCRIPT + b"\nendstream"])
    yield "rubbish before a script", partial(pdf, more=[b"<< a b c d e f g h i j k l m n o p " + SCRIPT + b" >>"])


def _places() -> Iterator[tuple[str, Callable[[], bytes]]]:
    for name, box in {
        "a mile wide": b"0 0 9999999 842", "a mile high": b"0 0 5 30000",
    }.items():  # fmt: skip
        yield name, partial(pdf, box=box)
    yield "two readers count other pages", lambda: pdf().replace(b"/Count 1", b"/Count 7")


_FAMILIES: dict[str, tuple[Callable[[], Iterator[tuple[str, Callable[[], bytes]]]], tuple[str, ...]]] = {
    "scripts": (_scripts, (ACTIVE,)), "actions": (_actions, (ACTIVE,)), "attachments": (_attachments, (ACTIVE,)),
    "forms that run": (_forms, (ACTIVE,)), "kept elsewhere": (_elsewhere, (ACTIVE,)),
    "media": (_media, (ACTIVE,)), "encrypted": (_encrypted, ("encrypted",)),
    "polyglots": (_polyglots, ("polyglot",)), "bombs": (_bombs, ("decompression_bomb", NOT)),
    "pixels": (_pixels, ("too_many_pixels",)), "broken pictures": (_broken_pictures, (NOT,)), "cut": (_cut, (NOT,)),
    "other files": (_others, (NOT,)), "tables": (_table, (NOT,)), "loops": (_loops, (NOT,)),
    "outlines": (_outlines, ("endless_outline",)), "metadata": (_metadata, ("hostile_metadata",)),
    "doubts": (_doubts, ("ambiguous",)), "pages of no size": (_places, (NOT,)),
}  # fmt: skip
HOSTILE = (
    *(
        Hostile(family, name, make, codes)
        for family, (list_, codes) in _FAMILIES.items()
        for name, make in list_()
    ),
    *(Hostile("too much", name, make, (code,)) for name, make, code in _much()),
)  # fmt: skip
# These use up all that a process may take: each has one of its own.
EXHAUSTING = tuple(
    Hostile("exhausting", name, make, ("took_too_much", "broke_the_reader")) for name, make in _exhausting()
)
