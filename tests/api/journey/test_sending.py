"""One draft is one application: however often it is sent, whatever is lost on the way, whoever looks afterwards."""

import asyncio
import json
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from api import flow
from api.journey.form import consents
from api.journey.sending import Desk
from api.store import queries as store
from api.store.queries import applicants as kept
from tests.support.applying import EMAIL, ORIGIN, SECOND, Browser, House, house, remote_house, text_of
from tests.support.businesses import story
from tests.support.releases import fake_release
from tests.support.service import RemoteStories

TWO = {
    "you": {"others": "1", "me-share": "half"},
    "others": {**SECOND, "other1-director": "yes", "other1-share": "half"},
}
TICKS = {f"consent-{name}": "yes" for name in (
    "privacy-notice", "commercial-bureau", "marketplace-data", "electronic-communications", "authority",
)}  # fmt: skip


def count(place: House, table: str) -> int:
    """How many rows a table has."""
    return place.look(lambda connection: int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()))


def filled(place: House) -> Browser:
    """Somebody on the last page, with everything ticked on it and not sent."""
    browser = place.browser()
    browser.fill_in()
    assert browser.slug == "check", browser.shown
    return browser


def payload(browser: Browser, **ticks: str) -> dict[str, str]:
    """What sending the last page would send."""
    return browser.form("/apply/check").filled({**TICKS, **ticks})


def test_an_application_is_what_was_typed(either: House) -> None:
    """It is kept under the pages' caller and channel, with people apart, and consents as of the moment of sending."""
    application_id = either.browser().apply(**TWO)
    row = either.look(lambda connection: store.get_application(connection, application_id))
    assert row is not None
    assert (row.caller_id, row.channel) == ("web", "web")
    stated = json.loads(row.body)
    assert stated["business"]["legal_name"] == "BANKSIA HOMEWARES PTY LTD"
    assert stated["request"]["amount_cents"] == 4_000_000
    assert {each["version"] for each in stated["consents"]} == {consents.VERSION}
    assert {each["at"][:19] for each in stated["consents"]} == {either.clock().isoformat()[:19]}
    assert EMAIL not in row.body.decode()
    people = either.look(lambda connection: store.people_of(connection, application_id))
    assert {json.loads(each.body or "{}")["email"] for each in people} == {EMAIL, "ben@banksia.example"}
    assert count(either, "draft") == 1
    assert either.look(lambda connection: connection.execute(text("SELECT sealed FROM draft")).scalar()) is None


def test_a_double_click_is_one_application(either: House) -> None:
    """Four clicks at one moment and two afterwards lead to the same application, which is there once."""
    browser = filled(either)
    form = payload(browser)

    async def clicks() -> list[str]:
        transport = httpx.ASGITransport(app=either.service.app)  # type: ignore[arg-type]
        headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, cookies=browser.cookies) as client:
            sent = [client.post("/apply/check", data=form, headers=headers) for _ in range(4)]
            return [reply.headers["location"] for reply in await asyncio.gather(*sent)]

    places = set(either.run(clicks()))
    assert places <= {"/apply/deciding", "/apply/check"} | {
        each for each in places if each.startswith("/applications/")
    }
    for _ in range(2):
        reply = browser.follow(browser.send("POST", "/apply/check", data=form))
        assert reply.status_code == 200
    assert count(either, "application") == 1
    assert browser.application_id


@pytest.mark.parametrize("path", ["/apply", "/apply/need", "/apply/check", "/apply/deciding", "/apply/others"])
def test_going_back_changes_nothing(lone: House, path: str) -> None:
    """Every page of a form that was sent leads to its decision; a page that was kept open changes nothing."""
    browser = filled(lone)
    browser.get("/apply/need")
    stale = browser.form("/apply/need").filled({"amount": "300,000"})
    browser.get("/apply/check")
    browser.agree()
    application_id = browser.application_id
    reply = browser.get(path)
    if path == "/apply":  # the way to another application
        assert browser.form("/apply").values["abn"] == ""
    else:
        assert browser.follow(reply).status_code == 200
        assert browser.application_id == application_id
    reply = browser.send("POST", "/apply/need", data=stale)
    assert reply.headers["location"] == f"/applications/{application_id}"
    assert count(lone, "application") == 1


def test_an_answer_that_was_lost_is_found_again(lone: House) -> None:
    """The reply to sending never came: reloading the last page, or sending it once more, leads to the decision."""
    browser = filled(lone)
    form = payload(browser)
    lost = browser.send("POST", "/apply/check", data=form)
    again = browser.send("POST", "/apply/check", data=form)
    assert again.headers["location"] == lost.headers["location"]
    assert browser.get("/apply/check").headers["location"] == lost.headers["location"]


def test_what_is_sent_is_what_was_seen(lone: House) -> None:
    """Another tab changed the amount: the last page asks to look again, unticked, and nothing is sent."""
    one, other = filled(lone), lone.browser()
    form = payload(one)
    other.cookies = one.cookies
    other.get("/apply/need")
    other.post("/apply/need", amount="80,000")
    reply = one.send("POST", "/apply/check", data=form)
    assert reply.status_code == 422
    assert "Something has changed since this page was shown" in text_of(one.shown)
    assert "$80,000" in text_of(one.shown)
    assert "checked" not in one.shown
    assert count(lone, "application") == 0
    one.agree()
    row = lone.look(lambda connection: store.get_application(connection, one.application_id))
    assert row is not None
    assert json.loads(row.body)["request"]["amount_cents"] == 8_000_000


def test_ticks_of_other_words_agree_to_nothing(lone: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lender's words changed while the page was open: they are shown, and have to be ticked again."""
    browser = filled(lone)
    form = payload(browser)
    monkeypatch.setattr(consents, "VERSION", "web-2027-01")
    assert browser.send("POST", "/apply/check", data=form).status_code == 422
    assert count(lone, "application") == 0
    browser.agree()
    row = lone.look(lambda connection: store.get_application(connection, browser.application_id))
    assert row is not None
    assert {each["version"] for each in json.loads(row.body)["consents"]} == {"web-2027-01"}


def test_consents_are_never_ticked_beforehand(lone: House) -> None:
    """The last page is shown without a tick, and stays with what was ticked where one is missing."""
    browser = filled(lone)
    form = browser.form("/apply/check")
    boxes = [name for name in form.choices if name.startswith("consent-")]
    assert len(boxes) == 8
    assert not any(name in form.values for name in boxes)
    browser.agree("direct-marketing", without=("authority",))
    assert list(browser.faults) == ["consent-authority"]
    assert browser.form("/apply/check").values["consent-direct-marketing"] == "yes"
    assert count(lone, "application") == 0


# -- refused, changed, sent again ----------------------------------------------------------------------------


def test_a_business_that_applied_is_told_nothing_of_it(url: str) -> None:
    """The same words whatever the reason, no decision named, and every answer kept to be changed and sent again."""
    with house(url, release=fake_release(guarded=True)) as place:
        first = place.browser().apply()
        browser = place.browser()
        browser.fill_in(you={"me-email": "cara@other.example", "me-family": "Other", "me-mobile": "0491 570 157"})
        reply = browser.agree()
        assert reply.status_code == 409
        told = text_of(browser.shown)
        assert "We cannot take this application now" in told
        for word in (first, "duplicate", "already", "open application", "locked"):
            assert word not in told
        assert count(place, "application") == 1
        browser.get("/apply")
        assert browser.form("/apply").values["abn"].replace(" ", "") == "37955501005"
        place.register.changes = {"acn": None, "entity_type_code": "IND", "entity_name": "OTHER, CARA"}
        browser.answer("abn", abn="51 824 753 556")
        browser.answer("business", **{"industry": "household", "staff": "0"})
        browser.follow(browser.get("/apply/check"))
        assert browser.slug == "check"
        browser.agree()
        assert browser.application_id != first
        assert count(place, "application") == 2


def test_sending_again_after_a_refusal_is_refused_the_same(sqlite_url: str) -> None:
    """The same answers once more: the same words, and still one application."""
    with house(sqlite_url, release=fake_release(guarded=True)) as place:
        place.browser().apply()
        browser = place.browser()
        browser.fill_in(you={"me-email": "cara@other.example"})
        for _ in range(2):
            browser.get("/apply/check")
            assert browser.agree().status_code == 409
        assert count(place, "application") == 1


# -- crashes -------------------------------------------------------------------------------------------------


class Crashing(Desk):
    """The same desk, which is cut off once between deciding and joining."""

    cut = True

    async def _join(self, draft_id: str, application_id: str, *, unseen: bool = False) -> None:
        if self.cut:
            self.cut = False
            raise RuntimeError("cut off")
        await super()._join(draft_id, application_id, unseen=unseen)


def cut_off(place: House) -> Browser:
    """Somebody whose application was decided and not joined, as after a crash."""
    place.service.state.sending = Crashing(place.lobby, place.service.state.shell, ORIGIN)
    browser = place.browser()
    browser.fill_in(**TWO)
    assert browser.agree().status_code == 500
    assert count(place, "application") == 1
    assert count(place, "holding") == 0
    return browser


def test_a_crash_before_joining_is_mended_by_the_next_look(either: House) -> None:
    """Whoever looks again is led to the decision that was made, and it is theirs from then on."""
    browser = cut_off(either)
    assert browser.follow(browser.get("/apply/check")).status_code == 200
    assert browser.application_id
    assert (count(either, "application"), count(either, "holding")) == (1, 1)
    assert len(either.letters("ben@banksia.example")) == 1


def test_a_crash_before_joining_is_mended_without_a_look(either: House) -> None:
    """Nobody came back: the service joins it by itself, asks the other person to confirm, and a code lets in."""
    cut_off(either)
    assert either.run(either.desk.join_left()) == 1
    assert either.run(either.desk.join_left()) == 0
    assert (count(either, "holding"), len(either.letters("ben@banksia.example"))) == (1, 1)
    told = [each for each in either.letters(EMAIL) if each["subject"] == "Your application is decided"]
    assert len(told) == 1
    assert f"{ORIGIN}/sign-in" in told[0]["text"]
    browser = either.browser()
    browser.sign_in()
    assert "BANKSIA HOMEWARES" in text_of(browser.shown)


def test_joining_twice_is_joining_once(either: House) -> None:
    """A look and the service at one moment: one letter to each, one holder."""
    browser = cut_off(either)

    async def both() -> None:
        transport = httpx.ASGITransport(app=either.service.app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, cookies=browser.cookies) as client:
            await asyncio.gather(client.get("/apply/deciding"), either.desk.join_left(), either.desk.join_left())

    either.run(both())
    browser.follow(browser.get("/apply/deciding"))
    assert (count(either, "holding"), len(either.letters("ben@banksia.example"))) == (1, 1)


# -- slow sources --------------------------------------------------------------------------------------------


def slow(place: House, sources: RemoteStories) -> Browser:
    """Somebody whose decision did not come in time; the application is kept all the same."""
    sources.overrun_s = 2.2
    browser = place.browser()
    browser.fill_in()
    reply = browser.agree()
    assert (reply.status_code, browser.place) == (200, "/apply/deciding")
    assert "Making the decision" in text_of(browser.shown)
    assert 'role="status"' in browser.shown
    sources.overrun_s = 0.0
    return browser


async def looks_ended(place: House) -> None:
    """Until the page's own look has given up: with the lease lapsed it would decide, as soon as the worker does."""
    while place.desk._running:
        await asyncio.sleep(0.01)


def decided(browser: Browser) -> str:
    """Look until the decision is there, as the page does by itself; the application's id."""
    for _ in range(100):
        assert browser.follow(browser.get("/apply/deciding")).status_code == 200
        if "/applications/" in browser.place:
            return browser.application_id
    raise AssertionError("it did not come")


def test_a_decision_that_was_late_is_made_by_the_worker_and_found(url: str) -> None:
    """The page waits a moment and shows progress; the worker decides, and the next look leads to the decision."""
    sources = RemoteStories(story())
    with remote_house(url, sources) as place:
        browser = slow(place, sources)
        assert count(place, "application") == 1
        place.run(looks_ended(place))
        place.clock.advance(60)
        assert place.run(flow.complete(place.service.state.shell, timedelta(0))) is True
        assert decided(browser)
        assert "conditional offer" in text_of(browser.shown)
        assert (count(place, "application"), count(place, "holding")) == (1, 1)


def test_a_late_decision_is_joined_though_nobody_looks(sqlite_url: str) -> None:
    """The browser was closed: the mailed link and a code still lead to the decision."""
    sources = RemoteStories(story())
    with remote_house(sqlite_url, sources) as place:
        slow(place, sources)
        link = place.link(EMAIL, "/apply/resume/")
        place.clock.advance(60)
        other = place.browser()
        other.get(link)
        other.post("/apply/resume")
        assert decided(other)
        assert (count(place, "application"), count(place, "holding")) == (1, 1)


def test_a_look_in_between_decides_it_itself(sqlite_url: str) -> None:
    """Whoever looks again before the worker came makes the decision under the same key."""
    sources = RemoteStories(story())
    with remote_house(sqlite_url, sources) as place:
        browser = slow(place, sources)
        place.clock.advance(60)
        assert decided(browser)
        assert count(place, "application") == 1


def test_answers_cannot_be_changed_while_they_are_decided(sqlite_url: str) -> None:
    """Every page of the form leads to the progress of the decision meanwhile, and a page kept open changes nothing."""
    sources = RemoteStories(story())
    with remote_house(sqlite_url, sources) as place:
        browser = slow(place, sources)
        sources.gate = asyncio.Event()
        for path in ("/apply/need", "/apply/check", "/apply/statements", "/apply/connect"):
            reply = browser.get(path)
            assert reply.headers["location"] in {"/apply/deciding", "/apply/check"}, path
        form = {"csrf": browser.visit.csrf, "amount": "300,000"}
        assert browser.send("POST", "/apply/need", data=form).headers["location"] == "/apply/deciding"
        draft = place.look(lambda connection: connection.execute(text("SELECT id, version FROM draft")).one())
        row = place.look(lambda connection: kept.get_draft(connection, draft.id))
        assert row is not None
        assert row.sent_key is not None
        sources.gate.set()


def test_a_page_of_progress_says_where_news_go(sqlite_url: str) -> None:
    """After twenty seconds it says that one may leave, and where the answer goes."""
    sources = RemoteStories(story())
    with remote_house(sqlite_url, sources) as place:
        browser = slow(place, sources)
        place.clock.advance(45)
        sources.overrun_s = 2.2
        browser.get("/apply/deciding")
        assert EMAIL in text_of(browser.shown)
