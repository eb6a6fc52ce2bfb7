"""The bank account in the form, and what of the pages is of development alone or names no host."""

from dataclasses import replace
from datetime import date, timedelta
from html import unescape

import httpx
import pytest

from tests.api.journey.test_form import BIDI, typed
from tests.support.applying import ABN, EMAIL, ORIGIN, Browser, House, text_of


def csv_of(rows: int = 120, first: int = 0, words: str = "MADE UP") -> bytes:
    """A made-up statement that adds up, or the part of it from one row on."""
    lines, balance = ["Date,Description,Amount,Balance"], 1_000_000
    for number in range(first + rows):
        cents = 250_000 if number % 2 else -200_000
        balance += cents
        day = date(2026, 2, 1) + timedelta(days=number * 150 // max(rows, 120))
        if number >= first:
            lines.append(f"{day:%d/%m/%Y},{words} {number},{cents / 100:.2f},{balance / 100:.2f}")
    return "\n".join(lines).encode()


def upload(browser: Browser, name: str, content: bytes) -> httpx.Response:
    """Send one statement by the page's form."""
    data = browser.form("/apply/statements").filled({})
    return browser.send("POST", "/apply/statements", data=data, files={"file": (name, content, "text/csv")})


def at_statements(place: House) -> Browser:
    """Somebody who is asked for a file."""
    browser = place.browser()
    browser.fill_in(bank={"bank": "upload"})
    assert "/apply/statements" in browser.place
    return browser


def test_a_statement_is_read_at_once_and_sent_along(lone: House) -> None:
    """A file that adds up is kept, named, and part of the application as declared bank data."""
    browser = at_statements(lone)
    reply = browser.follow(upload(browser, f"se{BIDI}pt.csv", csv_of()))
    assert (reply.status_code, browser.slug) == (200, "check")
    browser.get("/apply/statements")
    assert "sept.csv" in text_of(browser.shown).replace("Ltd", "")
    browser.get("/apply/check")
    browser.agree()
    assert browser.application_id


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Choose a CSV file"), (b"\xff\xfe\x00", "This is not a CSV file as text"),
        (b"x" * 1_000_001, "larger than 1 MB"), (b"hello", ""),
        (csv_of().replace(b"MADE UP 60,-2000", b"MADE UP 60,-2001"), "Row "),
    ],
    ids=["nothing", "not text", "large", "no table", "does not add up"],
)  # fmt: skip
def test_a_statement_that_cannot_be_used_is_told_beside_its_box(lone: House, content: bytes, words: str) -> None:
    """In words that name the row where there is one; what was kept before stays."""
    browser = at_statements(lone)
    reply = upload(browser, "a.csv", content)
    assert reply.status_code == 422
    assert list(browser.faults) == ["file"]
    assert words in browser.faults["file"]


def test_a_statement_as_large_as_it_may_be_is_kept(lone: House) -> None:
    """A file full of what takes most room is kept with the draft; one too large is refused in words, and it stays."""
    browser = at_statements(lone)
    words = '"' + 'é""' * 80
    quoted = csv_of(2_600, words=words + '"').replace(b'" ', b" ").replace(b",-2000.00,", b'",-2000.00,')
    quoted = quoted.replace(b",2500.00,", b'",2500.00,')
    assert 900_000 < len(quoted) < 1_000_000
    assert browser.follow(upload(browser, "one.csv", quoted)).status_code == 200
    browser.get("/apply/statements")
    assert len(typed(lone, browser)["statements"]) > 900_000
    assert upload(browser, "x.csv", b"x" * 1_000_001).status_code == 422
    assert len(typed(lone, browser)["statements"]) > 900_000


@pytest.mark.parametrize("more", [{}, {"content": b"--x\r\n", "headers": {"Content-Type": "multipart/form-data"}}])
def test_files_without_a_token_are_refused(lone: House, more: dict[str, object]) -> None:
    """A form with files needs the token inside; a body that is no such form is none."""
    browser = at_statements(lone)
    if not more:
        reply = browser.send("POST", "/apply/statements", files={"file": ("a.csv", csv_of(), "text/csv")})
        assert reply.status_code == 403
    else:
        assert browser.send("POST", "/apply/statements", **more).status_code == 400


def test_connecting_is_of_development_alone(lone: House) -> None:
    """Outside it there is no pretended bank: the page leads back, and its form is refused."""
    browser = lone.browser()
    browser.fill_in(bank={"bank": "later"})
    browser.get("/apply/connect")
    form = browser.form("/apply/connect").filled({})
    lone.service.state.settings = _production(lone)
    assert browser.get("/apply/connect").headers["location"] == "/apply/bank"
    assert browser.send("POST", "/apply/connect", data=form).status_code == 503


def _production(place: House) -> object:
    return replace(place.service.state.settings, development=False, lender_name="Sample Lender Pty Ltd")


def test_the_mailbox_is_of_development_alone(lone: House) -> None:
    """In development mails can be read there; elsewhere there is no such page."""
    browser = lone.browser()
    assert browser.get("/dev/mailbox").status_code == 200
    lone.service.state.settings = _production(lone)
    assert browser.get("/dev/mailbox").status_code == 404
    assert "/dev/mailbox" not in browser.get("/").text


@pytest.mark.parametrize("host", ["evil.example", "apply.lender.example:81", "127.0.0.1", "[::1]", "a" * 300])
def test_a_host_that_somebody_names_is_in_no_letter_and_no_page(lone: House, host: str) -> None:
    """Links are made of the address that is set: what a request calls its host changes nothing and is not repeated."""
    browser = lone.browser()
    browser.get("/apply", headers={"Host": host})
    browser.send("POST", "/apply", data={"abn": ABN}, headers={"Host": host})
    browser.get("/apply")
    browser.fill_in()
    assert ORIGIN + lone.link(EMAIL, "/apply/resume/")
    assert all(host not in unescape(reply.text) for reply in lone.replies)
