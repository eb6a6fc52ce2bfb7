"""One piece of work on one file, under limits: inspect it, or make a picture of a page.

It does: begin with samples of our own, then set the limits, then take the file. It does not: load anything after that.
The rule it keeps: a form of file that may pass is among the samples, or its reader would be missing once it is locked.
"""

import io
from collections.abc import Iterator
from typing import Any

import pikepdf
from PIL import ExifTags, Image

from api.documents.confinement import serve
from api.documents.inspection import picture, portable


def work(header: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    is_pdf = content.startswith(b"%PDF-")
    if header["do"] == "inspect":
        return (portable.inspect(content) if is_pdf else picture.inspect(content)), b""
    boxes = [tuple(box) for box in header["boxes"]]
    render = portable.render if is_pdf else picture.render
    return {"ok": True}, render(content, int(header["page"]), int(header["width"]), boxes)


def rehearse() -> None:
    """Look at samples: what is loaded on the way is loaded before the process may not open files any more."""
    for sample in _samples():
        if work({"do": "inspect"}, sample)[0]["verdict"] != "clean":
            raise RuntimeError("a sample of our own was refused")
        work({"do": "render", "page": 1, "width": 10, "boxes": [(1, 0, 0, 9, 9)]}, sample)
    if work({"do": "inspect"}, _pdf(pikepdf.Encryption(owner="o", user="")))[0]["code"] != "encrypted":
        raise RuntimeError("an encrypted sample of our own was not told as one")


def _samples() -> Iterator[bytes]:
    """One of each form: plain pictures, a photograph that was turned, one with a smaller copy behind it, a PDF."""
    plain, turned = Image.new("RGB", (20, 20)), Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    forms: tuple[tuple[str, dict[str, Any]], ...] = (
        ("PNG", {}), ("JPEG", {}), ("JPEG", {"exif": turned}), ("MPO", {"save_all": True, "append_images": [plain]}),
    )  # fmt: skip
    for form, how in forms:
        out = io.BytesIO()
        plain.save(out, form, **how)
        yield out.getvalue()
    yield _pdf()


def _pdf(encryption: pikepdf.Encryption | None = None) -> bytes:
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(out, encryption=encryption or False)
    return out.getvalue()


if __name__ == "__main__":
    serve(work, rehearse)
