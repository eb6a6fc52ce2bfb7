"""Files sent by the page's script: in pieces, over a line that is cut, and refused at once where they cannot be."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from random import Random
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Locator, Request, Route, expect

from api.sandbox.stories import book
from tests.support.journeying.filling import apply
from tests.support.journeying.gallery import at
from tests.support.journeying.hand import Hand
from tests.support.journeying.staging import Stage


def picture(seed: int) -> bytes:
    """A picture of some 700 kB, three pieces, that nothing can press smaller."""
    made = BytesIO()
    Image.frombytes("RGB", (480, 480), Random(seed).randbytes(480 * 480 * 3)).save(made, "PNG")
    return made.getvalue()


@dataclass(frozen=True)
class Wanted:
    """The page of an application that waits for documents, and the cookies of who applied."""

    address: str
    cookies: Sequence[Any]


@pytest.fixture(scope="module")
def wanted(stage: Stage, browser: Browser) -> Wanted:
    """An offer that was accepted."""
    with at(stage, browser, "/apply") as hand:
        apply(hand, book()["clean"])
        hand.press("Accept and go on")
        return Wanted(hand.page.url, hand.page.context.cookies())


def offsets(requests: list[Request]) -> list[str]:
    """Where each piece that was sent began."""
    return [each.url.rpartition("offset=")[2] for each in requests if each.method == "PUT"]


def back(hand: Hand, wanted: Wanted) -> list[Request]:
    """The page of documents with the cookies of who applied; every request from here on."""
    hand.page.context.add_cookies(wanted.cookies)
    hand.page.goto(wanted.address)
    requests: list[Request] = []
    hand.page.on("request", lambda request: requests.append(request))  # noqa: PLW0108 - a built-in cannot be watched by
    return requests


def box(hand: Hand, kind: str = "identity") -> Locator:
    """The box for files of a kind, opened where it is folded away."""
    found = hand.page.locator(f"form.send:has(input[value={kind}]) input[type=file]")
    found.evaluate("(each) => { const fold = each.closest('details'); if (fold) fold.open = true; }")
    return found


def choose(hand: Hand, *files: tuple[str, str, bytes], kind: str = "identity") -> None:
    """Choose files for a kind of document."""
    box(hand, kind).set_input_files(
        [FilePayload(name=name, mimeType=media, buffer=what) for name, media, what in files]
    )


def test_a_line_that_is_cut_costs_a_piece(stage: Stage, browser: Browser, wanted: Wanted) -> None:
    """The piece that was lost is sent again and none before it; the file that arrives is the one that was chosen."""
    content, cut = picture(1), list[str]()

    def once(route: Route) -> None:
        if "offset=262144" in route.request.url and not cut:
            cut.append(route.request.url)
            return route.abort("connectionreset")
        return route.continue_()

    with at(stage, browser, "/help") as hand:
        requests = back(hand, wanted)
        hand.page.route("**/uploads/**", once)
        choose(hand, ("licence.png", "image/png", content))
        expect(hand.page.locator("progress")).to_be_visible()
        expect(hand.page.locator(".sending > *")).to_have_count(0, timeout=30_000)
        assert len(cut) == 1
        assert offsets(requests) == ["0", "262144", "262144", "524288"]
    documents = stage.office.standing(stage.case(wanted.address.split("/")[-2]).id).documents
    assert [each.bytes for each in documents] == [len(content)]


def test_a_file_chosen_again_goes_on_where_it_was(stage: Stage, browser: Browser, wanted: Wanted) -> None:
    """After the page was left half-way the same file is not sent from its beginning."""
    content = picture(2)
    with at(stage, browser, "/help") as hand:
        requests = back(hand, wanted)
        hand.page.route("**/uploads/**offset=524288*", lambda route: route.abort())
        with hand.page.expect_request("**/uploads/**offset=524288*"):
            path = stage.server.folder / "second.png"
            path.write_bytes(content)
            box(hand).set_input_files(path)
        hand.page.reload()
        hand.page.unroute_all()
        requests.clear()
        with hand.page.expect_response(lambda reply: reply.request.method == "PUT" and reply.json()["done"]):
            box(hand).set_input_files(path)
        expect(hand.page.locator(".sending > *")).to_have_count(0)
        assert offsets(requests) == ["524288"]


def test_what_cannot_be_sent_is_told_at_once(stage: Stage, browser: Browser, wanted: Wanted) -> None:
    """A wrong type and a file too large are refused beside their names, and nothing of them is sent."""
    with at(stage, browser, "/help") as hand:
        requests = back(hand, wanted)
        wrong = ("a.docx", "application/msword", b"no"), ("b.pdf", "application/pdf", b"%PDF-1.7" + b"0" * 10_000_000)
        choose(hand, *wrong, kind="bank_account_proof")
        rows = hand.page.locator(".sending > *")
        expect(rows).to_have_text(["a.docx: send a PDF, PNG or JPEG file.", "b.pdf: larger than 10 MB."])
        assert [each.method for each in requests if "/uploads" in each.url] == []
