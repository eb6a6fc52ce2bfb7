"""Asking a confined process: what is believed of its answer, what a file is blamed for, how many run, what is shown."""

import asyncio
import io
import json
from typing import Any

import pypdfium2
import pytest
from PIL import Image

from api.documents import inspector as inspecting
from api.documents.confinement import ChildFailed, Limits
from api.documents.inspection.picture import MOST_HEIGHT
from api.documents.inspector import Inspector
from tests.support.hostile import honest, pictures
from tests.support.hostile.files import HOSTILE
from tests.support.hostile.writing import pdf

BADLY = "tests.support.hostile.children"
CLEAN = {"verdict": "clean", "media_type": "image/png", "pages": 1, "perceptual": "00ff00ff00ff00ff"}
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
Box = tuple[int, int, int, int, int]


@pytest.fixture
def badly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The inspector's process is one that answers what the content says."""
    monkeypatch.setattr(inspecting, "MODULE", BADLY)


def inspected(told: dict[str, Any]) -> inspecting.Inspected:
    """What the inspector makes of that answer."""
    return asyncio.run(Inspector().inspect(json.dumps(told).encode()))


def shown(content: bytes, *boxes: Box, page: int = 1, width: int = 200) -> Image.Image:
    """A page as people see it."""
    picture = Image.open(io.BytesIO(asyncio.run(Inspector().render(content, page, boxes, width))))
    assert (picture.format, picture.mode, picture.info) == ("PNG", "RGB", {})
    return picture


def colours(picture: Image.Image, left: int, top: int, right: int, bottom: int) -> set[Any]:
    """Every colour of a part of a picture."""
    counted = picture.crop((left, top, right, bottom)).getcolors(1_000_000)
    assert counted is not None
    return {colour for _, colour in counted}


# -- its answer ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("badly")
def test_a_right_answer_is_believed() -> None:
    """The answer of the tests below, without what is wrong in them."""
    assert inspected(CLEAN).media_type == "image/png"
    assert inspected({"verdict": "rejected", "code": "polyglot"}).code == "polyglot"


@pytest.mark.usefixtures("badly")
@pytest.mark.parametrize(
    "wrong",
    [
        {"verdict": "harmless"}, {"verdict": None}, {"media_type": "text/html"}, {"media_type": "image/svg+xml"},
        {"pages": 0}, {"pages": 201}, {"pages": 1.5}, {"pages": "1"}, {"perceptual": "0" * 17},
        {"perceptual": "<script>"}, {"code": "Ran `rm`"}, {"code": "a" * 41},
    ],
)  # fmt: skip
def test_an_answer_of_another_form_is_none(wrong: dict[str, Any]) -> None:
    """A process that was taken over cannot put words of its own into a verdict: it failed, and nothing is kept."""
    with pytest.raises(ChildFailed) as failed:
        inspected({**CLEAN, **wrong})
    assert failed.value.why == "answer"


@pytest.mark.usefixtures("badly")
@pytest.mark.parametrize(
    ("does", "code"),
    [("take memory", "took_too_much"), ("crash", "broke_the_reader"), ("abort", "broke_the_reader")],
)
def test_a_file_is_blamed_for_what_it_does_to_its_process(does: str, code: str) -> None:
    """Too much of anything, or a fault, is a verdict on the file."""
    found = inspected({"do": does})
    assert (found.verdict, found.code) == ("rejected", code)


@pytest.mark.usefixtures("badly")
@pytest.mark.parametrize(("does", "why"), [("exit", "broken"), ("raise", "error")])
def test_a_file_is_not_blamed_for_what_may_be_ours(does: str, why: str) -> None:
    """A process that ended otherwise says nothing about the file: whoever asked tries again."""
    with pytest.raises(ChildFailed) as failed:
        inspected({"do": does})
    assert failed.value.why == why


@pytest.mark.usefixtures("badly")
def test_what_is_no_picture_is_not_shown() -> None:
    """Bytes that do not begin as a PNG never reach a browser."""
    with pytest.raises(ChildFailed) as failed:
        shown(json.dumps({"verdict": "clean"}).encode())
    assert failed.value.why == "answer"


def test_a_system_that_confines_nothing_is_told_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where neither network nor calls are cut the log says so, and once is enough."""
    answer = {**CLEAN, "network": "host"}

    async def told(*_: object) -> tuple[dict[str, Any], bytes]:
        return answer, b""

    inspector = Inspector()
    monkeypatch.setattr(inspector, "run", told)

    async def twice() -> None:
        assert (await inspector.inspect(b"")).network == "host"
        await inspector.inspect(b"")

    asyncio.run(twice())
    assert capsys.readouterr().out.count("documents_not_confined") == 1


# -- how many ------------------------------------------------------------------------------------------------


def test_so_many_run_at_once_and_no_more() -> None:
    """Of six processes two at most run side by side, by their own clocks."""

    async def sleep(inspector: Inspector) -> dict[str, Any]:
        return (await inspector.run(BADLY, {"do": "sleep", "seconds": 0.3}, b"", Limits(wall_seconds=120)))[0]

    async def six() -> list[dict[str, Any]]:
        inspector = Inspector(at_once=2)
        return await asyncio.gather(*(sleep(inspector) for _ in range(6)))

    ran = asyncio.run(six())
    assert all(sum(each["began"] <= one["began"] < each["ended"] for each in ran) <= 2 for one in ran)


def test_people_who_look_do_not_wait_behind_machines() -> None:
    """A page is shown while a check that takes minutes holds the only place of those that look."""

    async def both() -> bool:
        inspector = Inspector(at_once=1)
        header = {"do": "sleep", "seconds": 600}
        check = asyncio.create_task(inspector.run(BADLY, header, b"", Limits(wall_seconds=600)))
        await inspector.render(pictures.png(), 1)
        waiting = not check.done()
        check.cancel()
        await asyncio.gather(check, return_exceptions=True)
        return waiting

    assert asyncio.run(both())


# -- pages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["PDF", "PNG", "JPEG"])
def test_what_is_under_a_box_is_black(form: str) -> None:
    """Every pixel that a box touches is black, and those next to it are as they were."""
    white = Image.new("RGB", (200, 200), "white")
    content = pdf(box=b"0 0 200 200") if form == "PDF" else pictures.saved(white, form)
    picture = shown(content, (1, 100, 200, 303, 403), (1, 900, 900, 1_000, 1_000))
    assert picture.size == (200, 200)
    assert colours(picture, 20, 40, 61, 81) == {BLACK}
    assert colours(picture, 180, 180, 200, 200) == {BLACK}
    for beside in ((0, 0, 200, 39), (0, 0, 19, 200), (63, 39, 179, 179), (0, 83, 179, 200)):
        assert colours(picture, *beside) == {WHITE}


def test_a_box_hides_the_words_of_a_pdf() -> None:
    """What was drawn there is nowhere in the picture, and a box of another page hides nothing of this one."""
    content = pdf(box=b"0 0 200 200", content=b"1 0 0 rg 50 50 60 60 re f")
    red = (255, 0, 0)
    assert red in colours(shown(content), 0, 0, 200, 200)
    assert red in colours(shown(content, (2, 0, 0, 1_000, 1_000)), 0, 0, 200, 200)
    hidden = colours(shown(content, (1, 250, 450, 550, 750)), 0, 0, 200, 200)
    assert hidden == {BLACK, WHITE}


def test_boxes_are_of_the_page_as_it_is_shown() -> None:
    """A picture that its camera says to turn is turned before the boxes are drawn: nothing slips out from under one."""
    whole = Image.new("RGB", (200, 100), "white")
    whole.paste((255, 0, 0), (0, 0, 50, 100))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter to the right
    picture = shown(pictures.saved(whole, "PNG", exif=exif), (1, 0, 0, 1_000, 250), width=100)
    assert picture.size == (100, 200)
    assert colours(picture, 0, 0, 100, 50) == {BLACK}
    assert colours(picture, 0, 52, 100, 200) == {WHITE}


def test_a_page_is_drawn_at_the_width_asked_for_and_not_endlessly_high() -> None:
    """A page has its width; one that is much higher than wide has a height of its own; a small picture stays so."""
    assert shown(honest.statement(), page=2, width=300).width == 300
    assert shown(pdf(box=b"0 0 20 10000"), width=1_000).height <= MOST_HEIGHT
    assert shown(pictures.png(), width=1_000).size == (120, 80)


def test_a_filled_form_is_shown_as_it_was_filled() -> None:
    """What an applicant typed is drawn, in the upper half; without the form it would be missing."""
    picture = shown(honest.filled_form(), width=100)
    assert BLACK in colours(picture, 0, 0, picture.width, picture.height // 2)
    bare = pypdfium2.PdfDocument(honest.filled_form())[0].render(scale=0.2).to_pil().convert("RGB")
    assert BLACK not in colours(bare, 0, 0, *bare.size)


@pytest.mark.parametrize("page", [0, 3, 10**9])
def test_a_page_that_is_not_there_is_none(page: int) -> None:
    """A number beyond the pages is an error of that process, and no page."""
    with pytest.raises(ChildFailed):
        shown(honest.statement(2), page=page)


@pytest.mark.parametrize("name", ["when opened", "revision 6, to open", "SVG", "PNG of 60,000 by 60,000"])
def test_a_hostile_file_is_shown_as_a_picture_or_not_at_all(name: str) -> None:
    """Even if one were asked for, what comes back is a PNG of ours without a word of the file, or nothing."""
    content = next(each.make() for each in HOSTILE if each.name == name)
    try:
        picture = asyncio.run(Inspector().render(content, 1))
    except ChildFailed:
        return
    assert picture.startswith(b"\x89PNG")
    assert b"JavaScript" not in picture
