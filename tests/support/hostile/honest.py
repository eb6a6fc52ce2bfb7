"""Honest files, as banks, browsers, offices, scanners and telephones write them, which have to pass."""

import io
from collections.abc import Callable, Iterator
from functools import partial

import pikepdf
from fpdf import FPDF
from PIL import Image

from tests.support.hostile import pictures
from tests.support.hostile.files import saved_again
from tests.support.hostile.writing import annotated, linked, packed, pdf, stream, written

_WIDE = "https://bank.example/".encode("utf-16").hex().encode()
PDF, PNG, JPEG = "application/pdf", "image/png", "image/jpeg"
Honest = tuple[str, Callable[[], bytes], str]


def statement(pages: int = 2) -> bytes:
    """A made-up statement with a table, a link and a picture."""
    made = FPDF()
    made.set_title("Statement")
    for page in range(1, pages + 1):
        made.add_page()
        made.set_font("helvetica", size=10)
        made.cell(text=f"Sample Bank, page {page}", link="https://bank.example/")
        made.ln(10)
        made.image(io.BytesIO(pictures.png()), w=20)
        for row in range(30):
            made.cell(text=f"{row + 1} Mar   Payment {row}   {row * 3}.00")
            made.ln(6)
    return bytes(made.output())


def filled_form() -> bytes:
    """A form with one field, filled in, whose value is drawn by an appearance of its own: a black box at the top."""
    field = b"/Subtype /Widget /FT /Tx /T (name) /V (word) /F 4 /P 3 0 R /AP << /N 6 0 R >>"
    look = stream(b"0 g 0 0 595 421 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 595 421]")
    whole = annotated(field, look).replace(b"/Rect [0 0 99 99]", b"/Rect [0 421 595 842]")
    with pikepdf.open(io.BytesIO(whole)) as form:
        form.Root.AcroForm = pikepdf.Dictionary(Fields=[form.pages[0].Annots[0]], DA="/Helv 0 Tf 0 g")
        return _saved(form)


def _saved(whole: pikepdf.Pdf, **how: object) -> bytes:
    out = io.BytesIO()
    whole.save(out, **how)  # type: ignore[arg-type]
    return out.getvalue()


def _resaved(**how: object) -> bytes:
    with pikepdf.open(io.BytesIO(statement())) as whole:
        return _saved(whole, **how)


def _signed() -> bytes:
    """A field with a signature in it, of zeroes: whether it holds is for others to say."""
    field = b"/Subtype /Widget /FT /Sig /T (signature) /F 132 /V 6 0 R"
    reference = b"/Reference [<< /Type /SigRef /TransformMethod /DocMDP /TransformParams << /P 2 /V /1.2 >> >>]"
    signature = b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /ByteRange [0 9 99 9] "
    return annotated(field, signature + reference + b" /Contents <" + b"00" * 500 + b"> >>")


def _archived() -> bytes:
    """PDF/A: metadata, an output intent, nothing from outside."""
    xmp = (
        b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:pdfaid="http://www.aiim.org/'
        b'pdfa/ns/id/" pdfaid:part="2" pdfaid:conformance="B"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    )
    intent = b"/OutputIntents [<< /Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (sRGB) >>]"
    return pdf(
        b"/Metadata 5 0 R /Lang (en-AU) /MarkInfo << /Marked true >> " + intent,
        more=[stream(xmp, b"/Type /Metadata /Subtype /XML")],
    )


def _scanned() -> bytes:
    """A page that is one JPEG, as scanners make it."""
    picture = pictures.saved(pictures.scene((1_240, 1_754)), "JPEG")
    entries = b"/Type /XObject /Subtype /Image /Width 1240 /Height 1754 /ColorSpace /DeviceRGB /BitsPerComponent 8"
    held = stream(picture, entries + b" /Filter /DCTDecode")
    page = b"/Resources << /XObject << /I 5 0 R >> >>"
    return pdf(page=page, content=b"595 0 0 842 0 0 cm /I Do", more=[held])


def _large_scan() -> bytes:
    """Three packed pictures of 25 megapixels: what a scanner makes of three pages in fine grey."""
    entries = b"/Type /XObject /Subtype /Image /Width 5000 /Height 5000 /ColorSpace /DeviceGray /BitsPerComponent 8"
    return pdf(more=[packed(bytes(25_000_000), entries)] * 3)


def _pdfs() -> Iterator[Honest]:
    goto = b"<< /S /GoTo /D [3 0 R /Fit] >>"
    outline = [
        b"<< /Type /Outlines /First 6 0 R /Last 7 0 R /Count 2 >>", b"<< /Title (a) /Parent 5 0 R /Next 7 0 R >>",
        b"<< /Title (b) /Parent 5 0 R /Prev 6 0 R /A " + goto + b" >>",
    ]  # fmt: skip
    yield "a statement", statement, PDF
    yield "a statement of forty pages", partial(statement, 40), PDF
    yield "a filled form", filled_form, PDF
    yield "a signed page", _signed, PDF
    yield "a link to the web", partial(linked, b"/S /URI /URI (https://bank.example/)"), PDF
    yield "a link in wide letters", partial(linked, b"/S /URI /URI <" + _WIDE + b">"), PDF
    yield "a link without a scheme", partial(linked, b"/S /URI /URI (www.bank.example:8443/a)"), PDF
    yield "a link to mail", partial(linked, b"/S /URI /URI (mailto:help@bank.example)"), PDF
    yield "a link to a telephone", partial(linked, b"/S /URI /URI (tel:+61290000000)"), PDF
    yield "a link within", partial(linked, b"/S /GoTo /D [3 0 R /Fit]"), PDF
    yield "opens at a page", partial(pdf, b"/OpenAction [3 0 R /FitH 842]"), PDF
    yield "opens at a page, as typesetters write it", partial(pdf, b"/OpenAction 5 0 R", more=[goto]), PDF
    yield "a page turns softly", partial(pdf, page=b"/Trans << /Type /Trans /S /Dissolve >>"), PDF
    yield "an outline", partial(pdf, b"/Outlines 5 0 R", more=outline), PDF
    yield "a base of the web", partial(pdf, b"/URI << /Base (https://bank.example/) >>"), PDF
    yield "saved again", lambda: saved_again(pdf(), 4, stream(b"0 0 m 9 9 l S")), PDF
    yield "saved four times", _saved_often, PDF
    yield "kept for long", _archived, PDF
    yield "for quick showing", partial(_resaved, linearize=True), PDF
    yield "with packed objects", partial(_resaved, object_stream_mode=pikepdf.ObjectStreamMode.generate), PDF
    yield "unpacked", partial(_resaved, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.all), PDF
    yield "version 1.3", lambda: pdf(header=b"%PDF-1.3\n"), PDF
    yield "version 2.0", lambda: pdf(header=b"%PDF-2.0\n"), PDF
    yield "zeroes behind", lambda: pdf() + bytes(500), PDF
    yield "empty lines behind", lambda: pdf() + b"\r\n" * 20, PDF
    yield "a scan", _scanned, PDF
    yield "large scans", _large_scan, PDF
    yield "a page turned sideways", partial(pdf, page=b"/Rotate 90"), PDF
    yield "a poster", partial(pdf, box=b"0 0 3370 2384"), PDF
    yield "two hundred pages", _two_hundred, PDF
    yield (
        "tagged, with names that look like actions",
        partial(
            pdf,
            b"/StructTreeRoot << /Type /StructTreeRoot /K << /Type /StructElem /S /Link /Alt (Launch JavaScript) >> >>",
        ),
        PDF,
    )


def _saved_often() -> bytes:
    whole = pdf()
    for _ in range(4):
        whole = saved_again(whole, 4, stream(b"0 0 m 9 9 l S"))
    return whole


def _two_hundred() -> bytes:
    kids = b" ".join(b"%d 0 R" % number for number in range(3, 203))
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"
    return written(
        [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [" + kids + b"] /Count 200 >>", *[page] * 200]
    )


def _pictures() -> Iterator[Honest]:
    wide = Image.new("I;16", (120, 80), 60_000)
    clear = pictures.scene(mode="RGBA")
    clear.putalpha(128)
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        yield f"PNG {mode}", lambda mode=mode: pictures.saved(pictures.scene(mode=mode), "PNG"), PNG  # type: ignore[misc]
    yield "PNG of 16 bits", lambda: pictures.saved(wide, "PNG"), PNG
    yield "PNG of 16 bits a colour", _deep, PNG
    yield "PNG half clear", lambda: pictures.saved(clear, "PNG"), PNG
    yield "PNG with one clear colour", lambda: pictures.saved(pictures.scene(mode="P"), "PNG", transparency=0), PNG
    yield "PNG in seven passes", _interlaced, PNG
    yield "PNG with words", lambda: pictures.png_with_xmp(pictures.XMP), PNG
    yield "PNG of the most pixels", lambda: pictures.saved(Image.new("L", (8_000, 6_250), 200), "PNG"), PNG
    yield "JPEG", pictures.jpeg, JPEG
    yield "JPEG in grey", lambda: pictures.saved(pictures.scene(mode="L"), "JPEG"), JPEG
    yield "JPEG for print", lambda: pictures.saved(pictures.scene(mode="CMYK"), "JPEG"), JPEG
    yield "JPEG in passes", partial(pictures.jpeg, progressive=True), JPEG
    yield "JPEG with words", lambda: pictures.jpeg_with_xmp(pictures.XMP), JPEG
    yield "JPEG with a colour profile", lambda: pictures.jpeg_with(0xE2, b"ICC_PROFILE\0\x01\x01" + bytes(500)), JPEG
    yield "JPEG of the most pixels", lambda: pictures.saved(Image.new("RGB", (8_000, 6_250), "white"), "JPEG"), JPEG
    yield "JPEG by a telephone", pictures.photograph, JPEG
    yield "JPEG with a short film behind", lambda: pictures.jpeg() + b"\0\0\0\x18ftypmp42" + bytes(90_000), JPEG
    yield "JPEG with a maker's mark behind", lambda: pictures.jpeg() + b"SEFH" + bytes(200) + b"SEFT", JPEG
    for orientation in range(1, 9):
        yield f"JPEG turned {orientation}", partial(pictures.turned, orientation), JPEG


def _deep() -> bytes:
    rows = b"".join(b"\0" + bytes([row, 0] * 3 * 10) for row in range(10))
    head = pictures.chunk(b"IHDR", (10).to_bytes(4) * 2 + bytes([16, 2, 0, 0, 0]))
    return pictures.assembled(head, rows)


def _interlaced() -> bytes:
    """Adam7 of 8 x 8 grey pixels: the passes' rows in their order."""
    passes = ((1, 1), (1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 4))
    rows = b"".join((b"\0" + bytes([90] * width)) * height for width, height in passes)
    head = pictures.chunk(b"IHDR", (8).to_bytes(4) * 2 + bytes([8, 0, 0, 0, 1]))
    return pictures.assembled(head, rows)


HONEST = (*_pdfs(), *_pictures())
