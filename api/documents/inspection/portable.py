"""PDF files: looked through object by object for anything that acts, then opened and drawn once.

It does: refuse encryption, scripts, actions, embedded files, forms that run, streams that grow without end, and files
that are two things at once. It does not: repair. The rule it keeps: a dictionary that can make a viewer do something is
refused, whoever refers to it; a link that a reader has to press is not.
"""

import io
import re
from typing import Any, Final

import pikepdf
import pypdfium2
from PIL import Image

from api.documents.inspection.disguise import disguised_pdf
from api.documents.inspection.picture import MOST_PIXELS, as_png, difference_hash, hostile_xml, rejected

MOST_PAGES: Final = 200
MOST_OBJECTS: Final = 20_000  # 55 pages of a table as a browser prints it; a second of processor time
MOST_DEPTH: Final = 30  # of arrays and dictionaries in one object
MOST_STREAM, MOST_STREAMS = 64_000_000, 200_000_000  # bytes of one unpacked stream, and of all; pictures apart
MOST_FILTERS: Final = 3  # by which one stream is packed
_HASH_WIDTH = 200
_MOST_POINTS = 20_000  # of one side of a page
ACTIVE_KEYS: Final = frozenset(
    {
        "/JavaScript", "/JS", "/Launch", "/EmbeddedFile", "/EmbeddedFiles", "/EF", "/XFA", "/RichMedia",
        "/RichMediaContent", "/RichMediaSettings", "/AA", "/Movie", "/Sound", "/Rendition",
    }
)  # fmt: skip
ACTIVE_ACTIONS: Final = frozenset(  # by /S
    {
        "/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/ResetForm", "/GoToR", "/GoToE", "/GoToDp", "/Thread",
        "/Rendition", "/Movie", "/Sound", "/Hide", "/Named", "/SetOCGState", "/Trans", "/GoTo3DView",
        "/RichMediaExecute",
    }
)  # fmt: skip
OUTSIDE_KEYS: Final = frozenset({"/F", "/Ref", "/OPI"})  # of a stream: what it holds is in another file
ACTIVE_KINDS: Final = frozenset(  # by /Type and /Subtype
    {"/EmbeddedFile", "/Filespec", "/FileAttachment", "/3D", "/RichMedia", "/Screen", "/Movie", "/Sound", "/Collection"}
)
# Warnings of the library that looks for these where another reader may read something else.
DOUBTS: Final = ("duplicated key", "limits error", "too many errors", "expected endobj", "expected endstream")
LINKS: Final = frozenset({"http", "https", "mailto", "tel"})
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+-]*):")


def inspect(content: bytes) -> dict[str, Any]:
    """The verdict on a file that begins as a PDF."""
    if b"%%EOF" not in content:
        return rejected("not_a_document")
    if disguised_pdf(content):
        return rejected("polyglot")
    pikepdf.settings.set_qpdf_limits(
        max_stream_filters=MOST_FILTERS, flate_max_memory=MOST_STREAM, run_length_max_memory=MOST_STREAM,
        png_max_memory=MOST_STREAM, tiff_max_memory=MOST_STREAM,
    )  # fmt: skip
    try:
        with pikepdf.open(io.BytesIO(content), suppress_warnings=True, attempt_recovery=False) as pdf:
            if (fault := _fault(pdf)) is not None:
                return rejected(fault)
            if not (pages := len(pdf.pages)):
                return rejected("not_a_document")
    except pikepdf.PasswordError:
        return rejected("encrypted")
    except (pikepdf.PikepdfError, ValueError, TypeError, RecursionError, OSError):
        return rejected("not_a_document")
    try:
        document = _opened(content)
        if len(document) != pages:  # two readers, two documents
            return rejected("not_a_document")
        first = _picture(document, 0, _HASH_WIDTH)
    except (pypdfium2.PdfiumError, ValueError):
        return rejected("not_a_document")
    return {
        "verdict": "clean", "media_type": "application/pdf", "pages": pages, "perceptual": difference_hash(first),
    }  # fmt: skip


def render(content: bytes, page: int, width: int, boxes: list[tuple[int, ...]]) -> bytes:
    """One page (from 1) as a PNG of that width, boxes blacked out."""
    return as_png(_picture(_opened(content), page - 1, width), width, [box for box in boxes if box[0] == page])


def _opened(content: bytes) -> pypdfium2.PdfDocument:
    """The document with its form, without which what was filled in is not drawn; this library runs no scripts."""
    document = pypdfium2.PdfDocument(content)
    document.init_forms()
    return document


def _picture(document: pypdfium2.PdfDocument, index: int, width: int) -> Image.Image:
    page = document[index]
    across, down = page.get_size()
    if not (0 < across <= _MOST_POINTS and 0 < down <= _MOST_POINTS):
        raise ValueError("a page of no usual size")
    scale = min(width / across, 4 * width / down)
    picture: Image.Image = page.render(scale=scale).to_pil().convert("RGB")
    return picture


def _fault(pdf: pikepdf.Pdf) -> str | None:
    """Why the file is not taken, as a code; every object is looked at, whether anything refers to it or not."""
    if pdf.is_encrypted:
        return "encrypted"
    if len(pdf.objects) > MOST_OBJECTS:
        return "too_many_objects"
    if len(pdf.pages) > MOST_PAGES:
        return "too_many_pages"
    for found in (pdf.trailer, *pdf.objects):
        if (code := _acts(found, 0)) is not None:
            return code
    if any(doubt in warning for warning in pdf.get_warnings() for doubt in DOUBTS):
        return "ambiguous"
    return "endless_outline" if _loops(pdf) else _bomb(pdf)


def _acts(found: Any, depth: int) -> str | None:
    """Direct children are looked into, indirect ones have their own turn."""
    if depth > MOST_DEPTH:
        return "too_deep"
    if isinstance(found, pikepdf.Stream):
        found = found.stream_dict
        if OUTSIDE_KEYS & set(found.keys()):
            return "active_content"
    if isinstance(found, pikepdf.Dictionary):
        if _is_active(found):
            return "active_content"
        children = list(found.values())
    elif isinstance(found, pikepdf.Array):
        children = list(found)
    else:
        return None
    for child in children:
        nested = isinstance(child, pikepdf.Dictionary | pikepdf.Array) and not child.is_indirect
        if nested and (code := _acts(child, depth + 1)) is not None:
            return code
    return None


def _is_active(found: pikepdf.Dictionary) -> bool:
    keys = set(found.keys())
    if keys & ACTIVE_KEYS:
        return True
    if "/S" in keys and str(found["/S"]) in ACTIVE_ACTIONS:
        return True
    if any(str(found[key]) in ACTIVE_KINDS for key in ("/Type", "/Subtype") if key in keys):
        return True
    if "/URI" in keys and not _is_link(found["/URI"]):
        return True
    opening = found.get("/OpenAction")
    # A page to begin with is no action, whichever way it is written.
    return isinstance(opening, pikepdf.Dictionary) and (str(opening.get("/S")) != "/GoTo" or "/Next" in opening)


def _is_link(address: Any) -> bool:
    """Whether an address is one of the web, of mail or of a telephone; a name without a scheme is taken as the web's.

    The catalog's own /URI is a dictionary with a base, whose address is looked at in its turn.
    """
    if isinstance(address, pikepdf.Dictionary):
        return "/Base" not in address or _is_link(address["/Base"])
    text = str(address)
    scheme = _SCHEME.match(text)
    return scheme[1].lower() in LINKS if scheme else not text.lstrip().startswith(("\\\\", "//"))


def _loops(pdf: pikepdf.Pdf) -> bool:
    """Whether the outline comes back to where it was."""
    waiting, seen = [pdf.Root.get("/Outlines")], set()
    while waiting:
        item = waiting.pop()
        if not isinstance(item, pikepdf.Dictionary):
            continue
        if item.is_indirect:
            if item.objgen in seen:
                return True
            seen.add(item.objgen)
        waiting += [item.get("/First"), item.get("/Next")]
    return False


def _bomb(pdf: pikepdf.Pdf) -> str | None:
    """A picture of too many pixels, streams that unpack to too much, or metadata that would."""
    unpacked = 0
    for found in pdf.objects:
        if not isinstance(found, pikepdf.Stream):
            continue
        if str(found.get("/Subtype")) == "/Image":
            if int(found.get("/Width", 0)) * int(found.get("/Height", 0)) > MOST_PIXELS:
                return "too_many_pixels"
            continue
        content = _unpacked(found)
        if content is None or (unpacked := unpacked + len(content)) > MOST_STREAMS:
            return "decompression_bomb"
        if str(found.get("/Type")) == "/Metadata" and hostile_xml(content):
            return "hostile_metadata"
    return None


def _unpacked(stream: pikepdf.Stream) -> bytes | None:
    """What a stream holds, nothing where it cannot be unpacked; None where that is for its size."""
    filters = stream.get("/Filter")
    if isinstance(filters, pikepdf.Array) and len(filters) > MOST_FILTERS:
        return None
    try:
        return bytes(stream.read_bytes(pikepdf.StreamDecodeLevel.specialized))
    except pikepdf.PikepdfError as error:
        return None if "limit exceeded" in str(error) else b""  # the library has no type of its own for it
