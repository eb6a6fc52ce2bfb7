"""The contract: everybody signs for themselves the text that they were shown, once, and then the line is open."""

import re
from datetime import timedelta

import pytest

from tests.support.applying import EMAIL, SECOND, Browser, House, house, text_of

TWO = {
    "you": {"others": "1", "me-share": "half"},
    "others": {**SECOND, "other1-director": "yes", "other1-share": "half"},
}
BEN = "ben@banksia.example"


def ready(place: House, two: bool = False) -> tuple[Browser, str]:
    """Somebody whose line was approved, and the application."""
    browser = place.browser()
    application_id = browser.accept(**(TWO if two else {}))
    place.approved(browser, application_id)
    browser.get(f"/applications/{application_id}/contract")
    return browser, f"/applications/{application_id}/contract"


def signing(browser: Browser, action: str) -> dict[str, str]:
    """What signing as oneself sends."""
    form = browser.form(action)
    [ref] = form.choices["person_ref"]
    return form.filled({"person_ref": ref, "read": "yes"})


def signatures(place: House) -> int:
    """How many there are."""
    return place.service.count("signature")


def test_a_sole_director_signs_and_the_line_opens(either: House) -> None:
    """The text that is shown is the one to keep; one signature is enough, and the second click changes nothing."""
    browser, path = ready(either)
    shown = re.search(r"<pre>(.*?)</pre>", browser.shown, re.DOTALL)
    assert shown is not None
    kept = browser.get(f"{path}.txt")
    assert kept.headers["content-disposition"].startswith("attachment")
    assert text_of(shown[1]) == " ".join(kept.text.split())
    form = signing(browser, path)
    for _ in range(2):
        assert browser.send("POST", path, data=form).headers["location"] == path
    browser.get(path)
    assert "Your line is open" in text_of(browser.shown)
    assert (signatures(either), either.service.count("line")) == (1, 1)


def test_each_of_two_signs_for_themselves(either: House) -> None:
    """Whoever applied signs on their page; the other is sent a link, reads the same text, and opens the line."""
    browser, path = ready(either, two=True)
    form = browser.form(path)
    assert len(form.choices["person_ref"]) == 1, "nobody signs for somebody else"
    browser.send("POST", path, data=signing(browser, path))
    browser.get(path)
    page = text_of(browser.shown)
    assert "Ben Specimen" in page
    assert "Your line is open" not in page
    link = either.link(BEN, "/sign/")
    other = either.browser("198.51.100.77")
    other.get(link)
    assert "Ben Specimen" in text_of(other.shown)
    assert other.get(f"{link}/contract.txt").content == browser.get(f"{path}.txt").content
    other.get(link)
    reply = other.send("POST", "/sign", data=signing(other, "/sign"))
    assert reply.headers["location"] == link
    other.get(link)
    assert "Your line is open" in text_of(other.shown)
    assert signatures(either) == 2
    assert other.token is None


def test_nobody_signs_for_another(lone: House) -> None:
    """The other person's reference in one's own form, by visit or by link, is refused and signs nothing."""
    browser, path = ready(lone, two=True)
    mine = signing(browser, path)
    browser.post(f"{path}/links")
    other = lone.browser()
    other.get(lone.link(BEN, "/sign/"))
    his = signing(other, "/sign")
    assert mine["person_ref"] != his["person_ref"]
    for who, place, form in (
        (browser, path, {**mine, "person_ref": his["person_ref"]}),
        (other, "/sign", {**his, "person_ref": mine["person_ref"]}),
        (browser, path, {**mine, "person_ref": "per_unknown"}),
    ):
        assert who.send("POST", place, data=form).status_code == 409
    assert signatures(lone) == 0


def test_a_link_to_sign_is_sent_once_and_again_when_asked(lone: House) -> None:
    """With the first signature each of the others is written to; the button sends another."""
    browser, path = ready(lone, two=True)
    form = signing(browser, path)
    for _ in range(3):
        browser.send("POST", path, data=form)
    assert len([each for each in lone.letters(BEN) if "signature" in each["subject"]]) == 1
    browser.get(path)
    browser.post(f"{path}/links")
    assert len([each for each in lone.letters(BEN) if "signature" in each["subject"]]) == 2
    assert [each for each in lone.letters(EMAIL) if "signature" in each["subject"]] == []


def test_another_text_is_not_signed(lone: House) -> None:
    """Who saw other words than those that are kept is told to look again."""
    browser, path = ready(lone)
    form = signing(browser, path)
    for sha256 in ("0" * 64, "", "x" * 5_000):
        assert browser.send("POST", path, data={**form, "sha256": sha256}).status_code == 409
    assert signatures(lone) == 0


@pytest.mark.parametrize("without", ["read", "person_ref"])
def test_signing_asks_for_both_words(lone: House, without: str) -> None:
    """That it was read, and that it is oneself: each has words beside its box."""
    browser, path = ready(lone)
    form = {name: value for name, value in signing(browser, path).items() if name != without}
    assert browser.send("POST", path, data=form).status_code == 422
    assert list(browser.faults) == [without]
    assert signatures(lone) == 0


def test_an_offer_that_expired_is_not_signed(lone: House) -> None:
    """After the day until which it was held, the page of the signature says so."""
    browser, path = ready(lone)
    lone.clock.advance(timedelta(days=60).total_seconds())
    browser.sign_in()
    browser.get(path)
    reply = browser.send("POST", path, data=signing(browser, path))
    assert reply.status_code == 409
    assert "The offer has expired" in text_of(browser.shown)
    assert signatures(lone) == 0


@pytest.mark.parametrize("token", ["x", "A" * 43, "A" * 3_000])
def test_a_link_of_nobody_s_making_shows_no_contract(lone: House, token: str) -> None:
    """Neither its page nor its text, and its form signs nothing."""
    ready(lone)
    browser = lone.browser()
    assert browser.get(f"/sign/{token}").status_code == 410
    assert browser.get(f"/sign/{token}/contract.txt").status_code == 410
    data = {"token": token, "person_ref": "x", "read": "yes", "sha256": "x"}
    assert browser.send("POST", "/sign", data=data).status_code == 410
    assert signatures(lone) == 0


def test_a_link_to_confirm_signs_nothing(lone: House) -> None:
    """The mail in which somebody confirmed that they take part is no key to the contract."""
    ready(lone, two=True)
    token = lone.link(BEN, "/confirm/").rpartition("/")[2]
    assert lone.browser().get(f"/sign/{token}").status_code == 410


def test_before_approval_there_is_no_contract(sqlite_url: str) -> None:
    """The page is not found, and neither are its text and its form."""
    with house(sqlite_url) as place:
        browser = place.browser()
        application_id = browser.accept()
        path = f"/applications/{application_id}/contract"
        for each in (path, f"{path}.txt"):
            assert browser.get(each).status_code == 404
        browser.get(f"/applications/{application_id}/documents")
        data = {"csrf": browser.csrf, "person_ref": "x", "read": "yes"}
        assert browser.send("POST", path, data=data).status_code in {404, 409}
