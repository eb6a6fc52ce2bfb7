"""What an applicant keeps: the receipt as a page and as a signed file, and the notice on automated decisions."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from api.disclosure.notice import notice_of
from tests.support.applying import House, house, text_of
from tests.support.service import champion_once

ROOT = Path(__file__).resolve().parents[3]


def verified(file: Path) -> subprocess.CompletedProcess[str]:
    """What the command says of a file."""
    return subprocess.run(
        [sys.executable, "-m", "api.cli", "verify-receipt", str(file)], cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=60, env={"PATH": "/usr/bin", "CREDITLINE_DEVELOPMENT": "1"},
    )  # fmt: skip


def test_the_file_verifies_and_a_changed_one_does_not(lone: House, tmp_path: Path) -> None:
    """The command accepts the very bytes that the page hands out, and refuses them with one figure changed."""
    browser = lone.browser()
    application_id = browser.apply()
    reply = browser.get(f"/applications/{application_id}/receipt.json")
    assert reply.headers["content-disposition"] == 'attachment; filename="receipt.json"'
    assert reply.headers["cache-control"] == "no-store"
    file = tmp_path / "receipt.json"
    file.write_bytes(reply.content)
    assert verified(file).returncode == 0, verified(file).stderr
    changed = reply.content.replace(b"4000000", b"9000000")
    assert changed != reply.content
    file.write_bytes(changed)
    assert verified(file).returncode != 0


def test_the_file_names_nobody(lone: House) -> None:
    """Digests, ids, figures and public words: neither a person nor what the model thought is in it."""
    browser = lone.browser()
    application_id = browser.apply()
    told = browser.get(f"/applications/{application_id}/receipt.json").text
    for private in ("Ann", "Sample", "0491", "banksia.example", "grade", 'pd"', "score"):
        assert private not in told, private
    assert application_id in told


def test_the_page_prints_the_file(lone: House) -> None:
    """Outcome, reference and figures of the page are those of the file."""
    browser = lone.browser()
    application_id = browser.apply()
    file = json.loads(browser.get(f"/applications/{application_id}/receipt.json").content)
    browser.get(f"/applications/{application_id}/receipt")
    page = text_of(browser.shown)
    assert application_id in page
    assert "$40,000" in page
    assert file


@pytest.mark.parametrize("path", ["receipt", "receipt.json"])
def test_another_s_receipt_is_not_found(lone: House, path: str) -> None:
    """By page and by file, to who has a visit and to who has none."""
    application_id = lone.browser().apply()
    stranger = lone.browser()
    assert stranger.get(f"/applications/{application_id}/{path}").status_code == 401
    stranger.send("POST", "/apply", data={"abn": "53 004 085 616"})
    assert stranger.get(f"/applications/{application_id}/{path}").status_code == 404


def test_the_notice_is_of_the_release_that_is_live(sqlite_url: str) -> None:
    """Everybody can read it without a visit; its words are those of the notice that the release itself makes."""
    with house(sqlite_url, release=champion_once()) as place:
        browser = place.browser()
        assert browser.get("/automated-decisions").status_code == 200
        page = text_of(browser.shown)
        words = [each for each in repr(notice_of(champion_once())).split("'") if len(each) > 60]
        assert len(words) > 3
        assert sum(each in page for each in words) >= len(words) // 2
