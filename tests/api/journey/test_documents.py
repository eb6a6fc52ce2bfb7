"""After the offer: what is wanted and why, sending files with and without a script, and what became of each."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.applicants.uploads import MOST_PIECE
from api.cases import working
from api.cases.receiving import MOST_A_DAY, MOST_BYTES
from tests.support.applying import Browser, House, text_of
from tests.support.deskwork import PICTURE, VERA


def documents(place: House, application_id: str) -> int:
    """How many documents a case has."""
    return len(place.office.standing(place.case(application_id).id).documents)


def told(reply: httpx.Response) -> dict[str, Any]:
    """The progress that a script is told."""
    found: dict[str, Any] = json.loads(reply.content)
    return found


class Script:
    """What the page's script does: it announces a file and sends it piece by piece."""

    def __init__(self, browser: Browser, application_id: str) -> None:
        self.browser, self.place = browser, f"/applications/{application_id}/uploads"
        browser.get(f"/applications/{application_id}/documents")
        self.headers = {"X-CSRF-Token": browser.csrf, "Accept": "application/json"}

    def announce(self, size: int, **query: str) -> httpx.Response:
        """A file that is going to come."""
        about = {"kind": "bank_account_proof", "person_ref": "", "type": "image/png", "bytes": str(size), **query}
        return self.browser.send("POST", self.place, params=about, headers=self.headers)

    def piece(self, upload_id: str, offset: int | str, content: bytes) -> httpx.Response:
        """One piece."""
        return self.browser.send(
            "PUT", f"{self.place}/{upload_id}", params={"offset": str(offset)}, content=content, headers=self.headers
        )

    def progress(self, upload_id: str) -> httpx.Response:
        """How far it has come."""
        return self.browser.get(f"{self.place}/{upload_id}", headers=self.headers)


def test_the_page_names_what_is_wanted_and_why(lone: House) -> None:
    """Each document with its reason, whose it is, and its state; and what happens with the time."""
    browser = lone.browser()
    application_id = browser.accept()
    page = text_of(browser.shown)
    for wanted in lone.office.standing(lone.case(application_id).id).wanted:
        if wanted.required:
            assert f'value="{wanted.kind}"' in browser.shown
    assert "Ann Sample" in page
    assert "24 hours" in page
    assert "Send your documents" in page


def test_a_file_comes_by_a_plain_form(either: House) -> None:
    """Without a script: it is taken in once, the page leads back to its place, and says that it is looked at."""
    browser = either.browser()
    application_id = browser.accept()
    reply = browser.send_file(application_id, "bank_account_proof")
    assert (reply.status_code, reply.headers["location"]) == (
        303, f"/applications/{application_id}/documents#file-bank_account_proof-",
    )  # fmt: skip
    assert documents(either, application_id) == 1
    browser.follow(reply)
    assert "Being checked" in text_of(browser.shown) or "Received" in text_of(browser.shown)


def test_several_files_come_at_once(lone: House) -> None:
    """Each chosen file is one document."""
    browser = lone.browser()
    application_id = browser.accept()
    files = [("file", (f"{n}.png", PICTURE + str(n).encode(), "image/png")) for n in range(3)]
    data = {"csrf": browser.csrf, "kind": "bank_account_proof", "person_ref": ""}
    reply = browser.send("POST", f"/applications/{application_id}/documents", data=data, files=files)
    assert reply.status_code == 303
    assert documents(lone, application_id) == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"media_type": "application/zip"}, "Send a PDF, PNG or JPEG file"),
        ({"media_type": "text/html"}, "Send a PDF, PNG or JPEG file"),
        ({"content": b" " * (MOST_BYTES + 1)}, "larger than 10 MB"),
        ({"name": "", "content": b"x"}, "Choose a file first"),
    ],
)
def test_a_file_that_cannot_be_taken_is_told_beside_its_box(lone: House, changes: dict[str, Any], words: str) -> None:
    """In the same words at the top; nothing is kept of it."""
    browser = lone.browser()
    application_id = browser.accept()
    reply = browser.send_file(application_id, "bank_account_proof", **changes)
    assert reply.status_code == 422
    assert list(browser.faults) == ["file-bank_account_proof-"]
    assert words in browser.faults["file-bank_account_proof-"]
    assert documents(lone, application_id) == 0


@pytest.mark.parametrize("kind", ["wedding_photo", "", "<b>", "x" * 300])
def test_a_kind_that_nobody_wants_is_refused(lone: House, kind: str) -> None:
    """The page says so, and no name from outside becomes part of it."""
    browser = lone.browser()
    application_id = browser.accept()
    assert browser.send_file(application_id, kind).status_code in {422, 413}
    assert documents(lone, application_id) == 0
    assert "<b>" not in browser.shown


def test_a_day_takes_so_many_files(lone: House) -> None:
    """Beyond them the page says to go on tomorrow; tomorrow it goes on."""
    browser = lone.browser()
    application_id = browser.accept()
    for _ in range(MOST_A_DAY):
        assert browser.send_file(application_id, "bank_account_proof").status_code == 303
    assert browser.send_file(application_id, "bank_account_proof").status_code == 422
    assert "go on tomorrow" in browser.faults["file-bank_account_proof-"]
    lone.clock.advance(timedelta(days=1, seconds=1).total_seconds())
    browser.sign_in()
    assert browser.send_file(application_id, "bank_account_proof").status_code == 303


def test_a_returned_document_says_what_is_wrong_and_comes_again(lone: House) -> None:
    """The reviewer's words and what helps stand beside it, the clock stands, and another can be sent."""
    browser = lone.browser()
    application_id = browser.accept()
    office, case = lone.office, lone.hand_in(browser, application_id)
    case = office.take(case)
    document = office.standing(case.id).documents[-1]
    case = office.do(
        working.return_document(
            office.desk, case.id, case.version, VERA, document.id, "BLURRY", "The second page is <b>missing</b>."
        )
    )
    browser.get(f"/applications/{application_id}/documents")
    page = text_of(browser.shown)
    assert "The second page is <b>missing</b>." in page
    assert "<b>missing" not in browser.shown
    assert "Send it again" in page
    assert browser.send_file(application_id, document.kind, document.person_ref).status_code == 303


# -- by the page's script ------------------------------------------------------------------------------------


def test_a_file_comes_piece_by_piece(either: House) -> None:
    """Announced, sent in three pieces, and taken in with the last; a lost answer is found by asking."""
    browser = either.browser()
    application_id = browser.accept()
    script, content = Script(browser, application_id), PICTURE + bytes(MOST_PIECE * 2)
    reply = script.announce(len(content))
    assert reply.status_code == 201
    now = told(reply)
    upload_id = now["upload_id"]
    assert (now["received"], now["bytes"], now["done"]) == (0, len(content), False)
    while not now["done"]:
        reply = script.piece(upload_id, now["received"], content[now["received"] :][: now["most_piece"]])
        assert reply.status_code == 200
        now = told(reply)
    assert told(script.progress(upload_id))["done"] is True
    again = script.piece(upload_id, len(content) - 10, content[-10:])
    assert told(again)["done"] is True
    assert documents(either, application_id) == 1


def test_a_piece_out_of_place_is_told_where_to_go_on(lone: House) -> None:
    """409, and the progress says how far the file has come."""
    browser = lone.browser()
    script = Script(browser, browser.accept())
    upload_id = told(script.announce(100))["upload_id"]
    assert script.piece(upload_id, 0, b"x" * 40).status_code == 200
    assert script.piece(upload_id, 60, b"x" * 40).status_code == 409
    assert told(script.progress(upload_id))["received"] == 40


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"bytes": "0"}, 422), ({"bytes": str(MOST_BYTES + 1)}, 422), ({"bytes": "-1"}, 422), ({"bytes": "x"}, 422),
        ({"bytes": "1e6"}, 422), ({"bytes": ""}, 422), ({"bytes": "9" * 30}, 422), ({"bytes": "٣"}, 422),
    ],
)  # fmt: skip
def test_a_size_that_no_file_has_is_refused(lone: House, query: dict[str, str], status: int) -> None:
    """Before anything is sent, as problem+json for the script."""
    browser = lone.browser()
    reply = Script(browser, browser.accept()).announce(1, **query)
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("offset", ["", "-1", "x", "9" * 20, "0x10"])
def test_an_offset_that_is_none_is_refused(lone: House, offset: str) -> None:
    """And counts nothing."""
    browser = lone.browser()
    script = Script(browser, browser.accept())
    upload_id = told(script.announce(100))["upload_id"]
    assert script.piece(upload_id, offset, b"x").status_code == 422
    assert told(script.progress(upload_id))["received"] == 0


def test_a_piece_that_is_too_large_is_refused(lone: House) -> None:
    """Above the limit of one piece, and above the size that was announced."""
    browser = lone.browser()
    script = Script(browser, browser.accept())
    upload_id = told(script.announce(MOST_PIECE * 3))["upload_id"]
    assert script.piece(upload_id, 0, bytes(MOST_PIECE + 1)).status_code == 413
    small = told(script.announce(10))["upload_id"]
    assert script.piece(small, 0, bytes(11)).status_code == 413


@pytest.mark.parametrize("query", [{"kind": "wedding_photo"}, {"type": "application/zip"}, {"kind": "x" * 500}])
def test_a_file_that_is_not_wanted_is_told_when_it_is_whole(lone: House, query: dict[str, str]) -> None:
    """The script is told in a problem, and the file is given up."""
    browser = lone.browser()
    application_id = browser.accept()
    script = Script(browser, application_id)
    reply = script.announce(10, **query)
    if reply.status_code == 201:
        upload_id = told(reply)["upload_id"]
        assert script.piece(upload_id, 0, bytes(10)).status_code in {415, 422}
        assert script.progress(upload_id).status_code == 404
    else:
        assert reply.status_code in {415, 422}
    assert documents(lone, application_id) == 0


def test_another_s_upload_is_not_found(lone: House) -> None:
    """Neither seen nor gone on with from another application's pages."""
    one = lone.browser()
    script = Script(one, one.accept())
    upload_id = told(script.announce(10))["upload_id"]
    lone.register.changes = {"acn": None, "entity_type_code": "IND", "entity_name": "OTHER, CARA"}
    other = lone.browser()
    other.fill_in(abn={"abn": "51 824 753 556"}, business={"industry": "household", "staff": "0"})
    other.agree()
    foreign = Script.__new__(Script)
    foreign.browser, foreign.place, foreign.headers = other, script.place, {"X-CSRF-Token": other.csrf}
    assert foreign.progress(upload_id).status_code == 404
    assert foreign.piece(upload_id, 0, b"x").status_code in {403, 404}


def test_a_script_without_the_token_is_refused(lone: House) -> None:
    """Both acts of it, with the cookie and from a page of ours."""
    browser = lone.browser()
    script = Script(browser, browser.accept())
    upload_id = told(script.announce(10))["upload_id"]
    script.headers = {"Accept": "application/json"}
    assert script.announce(10).status_code == 403
    assert script.piece(upload_id, 0, b"x").status_code == 403
