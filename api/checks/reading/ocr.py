"""Reading pictures, offline: tesseract where it is installed, else rapidocr where its package is, else not at all.

It does: one page at a time on one thread. It does not: correct what was read. The rule it keeps: which reader there
is, or that there is none, is said and never hidden.
"""

import csv
import io
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from itertools import groupby
from typing import Any, Final

import numpy as np
from PIL import Image

from api.checks.reading.lines import Line, Place
from api.checks.reading.picture import straightened
from api.checks.values import Reader

MOST_LINES: Final = 2_000  # of one page
PAGE_SECONDS: Final = 30  # of a tesseract process
_LEAST_BPS: Final = 3_000  # below which a line is noise
_GAP: Final = 1.2  # of a word's height: a wider one parts two lines

Found = tuple[Place, str, int]  # pixels, text, confidence in basis points


def reader() -> Reader:
    """Which reader of pictures there is on this machine."""
    if shutil.which("tesseract"):
        return "tesseract"
    return "rapidocr" if find_spec("rapidocr") and find_spec("onnxruntime") else "none"


def read_picture(image: Image.Image, page: int) -> list[Line]:
    """The lines of a picture; none where there is no reader."""
    ways: dict[Reader, Callable[[Image.Image], Iterator[Found]]] = {"tesseract": _tesseract, "rapidocr": _rapidocr}
    way = ways.get(reader())
    if way is None:
        return []
    straight = straightened(image)
    # Rows are told by the straightened places; what is painted over needs the places on the page as it came.
    return [
        Line(page, _shares(box, straight.image.size), text, confidence, original=straight.place(box))
        for box, text, confidence in way(straight.image)
        if confidence >= _LEAST_BPS and text.strip()
    ][:MOST_LINES]


def _shares(box: Place, size: tuple[int, int]) -> Place:
    wide, high = size
    return box[0] / wide * 1000, box[1] / high * 1000, box[2] / wide * 1000, box[3] / high * 1000


def _tesseract(image: Image.Image) -> Iterator[Found]:
    """Words by the tesseract program, joined where they stand close; a page it cannot finish has none."""
    file = io.BytesIO()
    image.save(file, "PNG", dpi=(150, 150))
    environment = {"PATH": os.environ.get("PATH", ""), "OMP_THREAD_LIMIT": "1"}
    command = ["tesseract", "stdin", "stdout", "-l", "eng", "--psm", "6", "tsv"]
    try:
        done = subprocess.run(
            command, input=file.getvalue(), capture_output=True, timeout=PAGE_SECONDS, check=True, env=environment
        )
    except (OSError, subprocess.SubprocessError):
        return
    yield from joined_words(done.stdout.decode("utf-8", "replace"))


def joined_words(table: str) -> Iterator[Found]:
    """Lines out of tesseract's table of words: a new one at its own line's end, and at every wide gap."""
    rows = csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE)
    words = [row for row in rows if row.get("level") == "5" and (row.get("text") or "").strip()]
    for _, group in groupby(words, key=lambda row: [row[name] for name in ("block_num", "par_num", "line_num")]):
        run: list[Found] = []
        for row in group:
            left, top, wide, high = (float(row[name]) for name in ("left", "top", "width", "height"))
            word = (left, top, left + wide, top + high), row["text"].strip(), round(float(row["conf"]) * 100)
            if run and left - run[-1][0][2] > _GAP * high:
                yield _joined(run)
                run = []
            run.append(word)
        yield _joined(run)


def _joined(run: list[Found]) -> Found:
    lefts, tops, rights, bottoms = zip(*(place for place, _, _ in run), strict=True)
    place = min(lefts), min(tops), max(rights), max(bottoms)
    return place, " ".join(text for _, text, _ in run), max(0, min(10_000, *(bps for _, _, bps in run), 10_000))


@cache
def _engine() -> Any:
    """The rapidocr engine with the models inside its package, loaded once a process."""
    from rapidocr import RapidOCR  # noqa: PLC0415 - 800 MB that only scans need

    return RapidOCR(
        params={
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Global.use_cls": False,
            "Global.log_level": "critical",
            "Rec.rec_batch_num": 1,  # batches are padded to the longest: slower here, and a third more memory
        }
    )


def _rapidocr(image: Image.Image) -> Iterator[Found]:
    read = _engine()(np.asarray(image.convert("RGB")))
    if read.boxes is None:
        return
    for corners, text, score in zip(read.boxes, read.txts, read.scores, strict=True):
        left, top = (float(value) for value in corners.min(axis=0))
        right, bottom = (float(value) for value in corners.max(axis=0))
        yield (left, top, right, bottom), str(text), max(0, min(10_000, round(float(score) * 10_000)))
