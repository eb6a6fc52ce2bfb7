"""The decision's pages: exactly what the public reply says, for whoever may see it, and what can be done there."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from api import records
from api.advice.exploring import MOST_A_DAY
from api.store import queries as store
from api.store.queries.advice import count_read
from api.store.queries.applicants import confirmed_people
from tests.support.applying import SECOND, Browser, Fields, House, house, text_of
from tests.support.businesses import story
from tests.support.releases import fake_release
from tests.support.service import body_of

STORIES: dict[str, tuple[dict[str, Any], dict[str, Fields], str]] = {
    "approve": ({}, {}, "You have a conditional offer"),
    "counter-offer": ({}, {"need": {"amount": "300,000"}}, "You have a conditional offer"),
    "refer": ({"registry": {"entity_name": "SOMETHING ELSE PTY LTD"}}, {}, "A person will look at your application"),
    "a source away": ({"bureau": {"status": "failed"}}, {}, "A person will look at your application"),
    "everything away": (
        {name: {"status": "failed"} for name in ("compliance", "marketplace", "bureau")}, {},
        "A person will look at your application",
    ),
    "decline": ({"registry": {"company_status": "EXAD"}}, {}, "We cannot offer a line now"),
}  # fmt: skip
INSIDE = re.compile(
    r"\b(scored?|pd|grades?|probability|findings?|knock.?out|sanctions?|politically|fraud|compliance|brakes?)\b", re.I
)


def reply_of(place: House, application_id: str) -> dict[str, Any]:
    """The public reply that stands."""
    body = place.run(records.current_reply(place.service.database, application_id, "web"))
    found: dict[str, Any] = json.loads(body or b"{}")
    return found


@pytest.mark.parametrize("name", STORIES)
def test_the_page_says_what_the_public_reply_says(url: str, name: str) -> None:
    """Outcome, limit, reasons with what helps, conditions and sources that were away; nothing of the inside."""
    told, changes, heading = STORIES[name]
    with house(url, told) as place:
        place.register.told = story()
        browser = place.browser()
        reply = reply_of(place, browser.apply(**changes))
        page = text_of(browser.shown)
        assert heading in page
        for reason in reply["reasons"]:
            assert reason["text"] in page
            assert reason["help"] in page
        assert len(reply["reasons"]) <= 4
        if (offer := reply["offer"]) is not None:
            assert f"${offer['limit_cents'] // 100:,}" in page
            assert all(each["text"] in page for each in offer["conditions"])
            assert f"{offer['monthly_rate_bps'] / 100:.2f} % a month" in page
        assert (reply["offer"] is not None) == ("Accept and go on" in page)
        if name == "a source away":
            assert "the credit reporting body" in page
        main = re.sub(r"<footer.*", "", browser.shown, flags=re.DOTALL)
        assert not INSIDE.search(text_of(main)), INSIDE.search(text_of(main))


def test_less_than_was_asked_says_why(lone: House) -> None:
    """A counter-offer shows what was asked for and the reasons for less."""
    browser = lone.browser()
    reply = reply_of(lone, browser.apply(need={"amount": "300,000"}))
    assert reply["offer"]["limit_cents"] < 30_000_000
    page = text_of(browser.shown)
    assert "You asked for $300,000" in page
    assert reply["reasons"]


def blanked(reply: Any) -> tuple[bytes, dict[str, str]]:
    """A page and its headers without ids and tokens."""
    body = re.sub(rb"(app|dec)_[0-9a-f]{32}", rb"\1_", reply.content)
    body = re.sub(rb'name="csrf" value="[^"]*"', b'name="csrf"', body)
    kept = {name: value for name, value in reply.headers.items() if name not in {"x-request-id", "set-cookie"}}
    headers = {name: re.sub(r"app_[0-9a-f]{32}", "app_", value) for name, value in kept.items()}
    return body, {**headers, "content-length": ""}


@pytest.mark.parametrize(
    "compliance",
    [
        {"sanctions_hits": 1}, {"politically_exposed": True}, {"fraud_flags": ["document_altered"]},
        {"status": "failed"}, {"status": "absent"},
    ],
    ids=["sanctions", "politically exposed", "fraud", "failed", "absent"],
)  # fmt: skip
def test_a_referral_for_compliance_is_the_page_of_any_referral(sqlite_url: str, compliance: dict[str, Any]) -> None:
    """Byte for byte, headers too, apart from ids: the decision, its receipt's page, the list, and asking for a person.

    The times are the same because the clock stands still: nothing but what was decided can differ.
    """
    with house(sqlite_url, {"registry": {}}) as place:
        pages: list[list[tuple[bytes, dict[str, str]]]] = []
        for brake in (True, False):
            if brake:
                with place.service.database.transaction() as connection:
                    number = store.set_brake(connection, "refer_all", place.clock(), "officer")
            else:
                with place.service.database.transaction() as connection:
                    store.lift_brake(connection, number, place.clock(), "officer")
                place.service.state.shell.sources.told = story({"compliance": compliance})
                place.service.state.shell.sources._facts.clear()
            browser = place.browser()
            application_id = browser.apply()
            assert reply_of(place, application_id)["outcome"] == "refer"
            seen = [browser.get(f"/applications/{application_id}"), browser.get("/my")]
            browser.get(f"/applications/{application_id}")
            seen.append(browser.post(f"/applications/{application_id}/second-look"))
            seen.append(browser.get(f"/applications/{application_id}/explore"))
            seen.append(browser.get(f"/applications/{application_id}/documents"))
            pages.append([blanked(each) for each in seen])
        assert pages[0] == pages[1]


# -- whose it is ---------------------------------------------------------------------------------------------


def paths_of(application_id: str) -> list[tuple[str, str]]:
    """Every address about one application."""
    under = f"/applications/{application_id}"
    return [
        *(("GET", under + path) for path in (
            "", "/explore", "/documents", "/contract", "/contract.txt", "/receipt", "/receipt.json",
            "/uploads/upl_00000000000000000000000000000000",
        )),
        *(("POST", under + path) for path in ("/second-look", "/accept", "/documents", "/contract", "/uploads")),
        ("PUT", f"{under}/uploads/upl_00000000000000000000000000000000"),
    ]  # fmt: skip


def sent(browser: Browser, method: str, path: str, csrf: str) -> Any:
    """A request with everything right but whose it is."""
    more: dict[str, Any] = {"data": {"csrf": csrf}} if method == "POST" else {}
    if path.endswith("/documents") and method == "POST":
        more = {"data": {"csrf": csrf}, "files": {"file": ("a.png", b"x", "image/png")}}
    if "/uploads" in path:
        more = {"headers": {"X-CSRF-Token": csrf, "Accept": "text/html"}, "params": {"offset": "0", "bytes": "1"}}
    return browser.send(method, path, **more)


def test_another_s_application_is_like_one_that_there_is_not(lone: House) -> None:
    """By every address and method: the same status, page and headers for both, to whoever is signed in as well."""
    owner, other = lone.browser(), lone.browser()
    application_id = owner.accept()
    lone.register.changes = {"acn": None, "entity_type_code": "IND", "entity_name": "OTHER, CARA"}
    other.fill_in(abn={"abn": "51 824 753 556"}, business={"industry": "household", "staff": "0"},
                  you={"me-email": "cara@other.example", "me-family": "Other"})  # fmt: skip
    other.agree()
    for signed_in in (False, True):
        if signed_in:
            other.sign_in("cara@other.example")
        csrf = other.visit.csrf
        for (method, path), (_, unknown) in zip(paths_of(application_id), paths_of(f"app_{'0' * 32}"), strict=True):
            replies = [sent(other, method, each, csrf) for each in (path, unknown)]
            assert [each.status_code for each in replies] == [404, 404], (method, path)
            assert len({re.sub(rb'"request_id":"[0-9a-f]+"', b"", each.content) for each in replies}) == 1, path


@pytest.mark.parametrize("application_id", ["x", "app_", "app_" + "G" * 32, "app_" + "0" * 31, "dec_" + "0" * 32])
def test_what_is_no_id_is_not_found(lone: House, application_id: str) -> None:
    """A word that no id can be is the same page."""
    browser = lone.browser()
    browser.apply()
    assert browser.get(f"/applications/{application_id}").status_code == 404


def test_nobody_without_a_visit_sees_anything(lone: House) -> None:
    """Without a cookie, or with one that is over, every address leads to where one comes back."""
    application_id = lone.browser().accept()
    stranger = lone.browser()
    for method, path in paths_of(application_id):
        assert sent(stranger, method, path, "x").status_code == 401, (method, path)


def test_callers_and_applicants_are_strangers_to_each_other(lone: House) -> None:
    """A key cannot see or change what came over the pages, and the pages cannot see what came over a key."""
    browser = lone.browser()
    web = browser.accept()
    apply_key = lone.service.key("apply")
    reply = lone.service.apply(body_of({"application": {"business": {"abn": "53004085616", "acn": "004085616"}}}))
    assert reply.status_code == 201, reply.text
    api = reply.json()["application_id"]
    for path in ("", "/case", "/advice", "/offer-options", "/contract"):
        assert lone.service.ask("GET", f"/v1/applications/{web}{path}", secret=apply_key).status_code == 404, path
    decision_id = reply_of(lone, web)["decision_id"]
    assert lone.service.ask("GET", f"/v1/decisions/{decision_id}", secret=apply_key).status_code == 404
    taken = lone.service.ask(
        "POST", f"/v1/applications/{web}/acceptance", secret=apply_key, json={"decision_id": decision_id}
    )
    assert taken.status_code == 404
    csrf = browser.visit.csrf
    for method, path in paths_of(api):
        assert sent(browser, method, path, csrf).status_code == 404, path


# -- accepting -----------------------------------------------------------------------------------------------


def test_accepting_twice_is_accepting_once(either: House) -> None:
    """A double click, or a page kept open, leads to the one case; the page then leads to the documents."""
    browser = either.browser()
    application_id = browser.apply()
    form = browser.form(f"/applications/{application_id}/accept").filled({})
    for _ in range(2):
        reply = browser.send("POST", f"/applications/{application_id}/accept", data=form)
        assert reply.headers["location"] == f"/applications/{application_id}/documents"
    assert either.service.count("verification_case") == 1
    browser.get(f"/applications/{application_id}")
    assert "Documents and progress" in text_of(browser.shown)
    assert "Accept and go on" not in text_of(browser.shown)


def test_an_offer_that_expired_is_told_so(lone: House) -> None:
    """The page says since when, has no button, and a page that was kept open is told in words."""
    browser = lone.browser()
    application_id = browser.apply()
    form = browser.form(f"/applications/{application_id}/accept").filled({})
    lone.clock.advance(timedelta(days=40).total_seconds())
    browser = lone.browser()
    browser.sign_in()
    browser.get(f"/applications/{application_id}")
    assert "This offer has expired" in text_of(browser.shown)
    form["csrf"] = browser.csrf
    reply = browser.send("POST", f"/applications/{application_id}/accept", data=form)
    assert reply.status_code == 409
    assert "The offer has expired" in text_of(browser.shown)


@pytest.mark.parametrize("decision_id", ["", "dec_" + "0" * 32, "x" * 5_000])
def test_an_offer_that_does_not_stand_is_not_accepted(lone: House, decision_id: str) -> None:
    """Another decision's id, or none, opens no case."""
    browser = lone.browser()
    application_id = browser.apply()
    data = {"csrf": browser.csrf, "decision_id": decision_id}
    assert browser.send("POST", f"/applications/{application_id}/accept", data=data).status_code == 409
    assert "Another decision stands now" in text_of(browser.shown)


@pytest.mark.parametrize("told", [{"registry": {"company_status": "EXAD"}}, {"bureau": {"status": "failed"}}])
def test_nothing_that_was_not_offered_is_accepted(sqlite_url: str, told: dict[str, Any]) -> None:
    """A referral and a decline have no button, and no request opens a case on them."""
    with house(sqlite_url, told) as place:
        browser = place.browser()
        application_id = browser.apply()
        data = {"csrf": browser.csrf, "decision_id": reply_of(place, application_id)["decision_id"]}
        assert browser.send("POST", f"/applications/{application_id}/accept", data=data).status_code == 409


# -- asking for a person -------------------------------------------------------------------------------------


def test_asking_for_a_person_twice_is_asking_once(either: House) -> None:
    """The page says that one has asked and when an answer comes; the second click changes nothing."""
    browser = either.browser()
    application_id = browser.apply()
    form = browser.form(f"/applications/{application_id}/second-look").filled({})
    for _ in range(2):
        reply = browser.send("POST", f"/applications/{application_id}/second-look", data=form)
        assert reply.headers["location"] == f"/applications/{application_id}#person"
    browser.get(f"/applications/{application_id}")
    assert "You have asked" in text_of(browser.shown)
    assert either.service.count("review_request") == 1


# -- the explorer --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "box"),
    [
        ({"amount": "40,500", "months": "6"}, "amount"), ({"amount": "4,500", "months": "6"}, "amount"),
        ({"amount": "20,250", "months": "6"}, "amount"), ({"amount": "lots", "months": "6"}, "amount"),
        ({"amount": "0", "months": "6"}, "amount"), ({"amount": "-20000"}, "amount"),
        ({"amount": "20,000", "months": "0"}, "months"), ({"amount": "20,000", "months": "13"}, "months"),
        ({"amount": "20,000", "months": "999"}, "months"), ({"amount": "20,000", "months": "x"}, "amount"),
        ({"amount": "20,000", "draw": "5"}, "draw"), ({"amount": "20,000", "draw": "<script>"}, "amount"),
        ({"amount": "9" * 300}, "amount"),
    ],
)  # fmt: skip
def test_the_explorer_keeps_to_its_bounds(lone: House, query: dict[str, str], box: str) -> None:
    """Outside them the page says what may be asked, beside a box that is on the page."""
    browser = lone.browser()
    application_id = browser.apply()
    reply = browser.get(f"/applications/{application_id}/explore", params=query)
    assert reply.status_code == 422
    assert list(browser.faults) == [box] or set(browser.faults) <= {"amount", "months", "draw"}
    assert "<script>" not in browser.shown


def test_every_point_is_decided_by_the_same_release(lone: House) -> None:
    """A smaller line over another term, at my draw, shows its own rate and cost; a draw above the line is the line."""
    browser = lone.browser()
    application_id = browser.apply()
    browser.get(f"/applications/{application_id}/explore", params={"amount": "20,000", "months": "6", "draw": "10,000"})
    page = text_of(browser.shown)
    assert "$20,000 at" in page
    assert "$10,000" in page
    assert browser.get(f"/applications/{application_id}/explore").status_code == 200
    told = {"amount": "20,000", "months": "6", "draw": "90,000"}
    assert browser.get(f"/applications/{application_id}/explore", params=told).status_code == 200


def test_exploring_has_a_day_s_budget(lone: House) -> None:
    """Beyond it the page says to come back, and what was worked out before is still shown."""
    browser = lone.browser()
    application_id = browser.apply()

    def use_up(connection: Any) -> None:
        for _ in range(MOST_A_DAY):
            count_read(connection, application_id, "explore", lone.clock().date().isoformat())

    with lone.service.database.transaction() as connection:
        use_up(connection)
    reply = browser.get(f"/applications/{application_id}/explore", params={"amount": "15,000", "months": "3"})
    assert reply.status_code == 429
    assert "Too many tries" in text_of(browser.shown)


def test_without_an_offer_there_is_nothing_to_explore(sqlite_url: str) -> None:
    """The page leads back to the decision."""
    with house(sqlite_url, {"bureau": {"status": "failed"}}) as place:
        browser = place.browser()
        application_id = browser.apply()
        assert browser.get(f"/applications/{application_id}/explore").headers["location"].endswith(application_id)


# -- another person confirms ---------------------------------------------------------------------------------


def test_a_second_director_confirms_by_a_link_of_their_own(either: House) -> None:
    """They see what was said of them and nothing else, on a device without a visit; twice is once."""
    browser = either.browser()
    application_id = browser.apply(
        you={"others": "1", "me-share": "half"},
        others={**SECOND, "other1-director": "yes", "other1-share": "half"},
    )
    link = either.link("ben@banksia.example", "/confirm/")
    second = either.browser()
    second.get(link)
    page = text_of(second.shown)
    for words in ("BANKSIA HOMEWARES PTY LTD", "37 955 501 005", "director", "owner", "50"):
        assert words in page
    for words in ("Sample", "Ann", "$40,000", "0491", "offer"):
        assert words not in page, words
    assert either.look(lambda connection: confirmed_people(connection, application_id)) == frozenset()
    for _ in range(2):
        second.get(link)
        if "Yes, that is right" in second.shown:
            second.post("/confirm")
        assert "you have confirmed" in text_of(second.shown)
    assert len(either.look(lambda connection: confirmed_people(connection, application_id))) == 1
    assert second.token is None
    assert second.get(f"/applications/{application_id}").status_code == 401


def test_a_confirmation_that_comes_too_late_is_told(lone: House) -> None:
    """After a week the link says so and confirms nothing."""
    browser = lone.browser()
    application_id = browser.apply(
        you={"others": "1", "me-share": "half"},
        others={**SECOND, "other1-director": "yes", "other1-share": "half"},
    )
    link = lone.link("ben@banksia.example", "/confirm/")
    lone.clock.advance(timedelta(days=7).total_seconds())
    second = lone.browser()
    assert second.get(link).status_code == 410
    data = {"token": link.rpartition("/")[2]}
    assert second.send("POST", "/confirm", data=data).status_code == 404
    assert lone.look(lambda connection: confirmed_people(connection, application_id)) == frozenset()


def test_the_list_has_what_its_holder_holds(sqlite_url: str) -> None:
    """Every application of the address, newest first, in words of where it stands; nobody else's."""
    with house(sqlite_url, release=fake_release()) as place:
        mine = [place.browser().apply()]
        place.clock.advance(86_400)
        place.register.changes = {"acn": None, "entity_type_code": "IND", "entity_name": "SAMPLE, ANN"}
        browser = place.browser()
        browser.fill_in(abn={"abn": "51 824 753 556"}, business={"industry": "household", "staff": "0"})
        browser.agree()
        mine.insert(0, browser.application_id)
        other = place.browser()
        other.fill_in(abn={"abn": "53 004 085 616"}, business={"industry": "cafe", "staff": "0"},
                      you={"me-email": "cara@other.example"})  # fmt: skip
        other.agree()
        signed_in = place.browser()
        signed_in.sign_in()
        assert re.findall(r'href="/applications/(app_[0-9a-f]{32})"', signed_in.shown) == mine
