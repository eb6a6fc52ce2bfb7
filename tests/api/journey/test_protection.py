"""What every route of the applicant's pages keeps to: meant by its holder, with the same headers, and never a trace."""

import re
from typing import Any

import pytest
from litestar import Litestar

from api.applicants.visits import COOKIE
from api.pages.replies import HEADERS
from tests.support.applying import ABN, Browser, House
from tests.support.routes import Route, routes_of

MODULES = ("api.journey",)
# Before there is a visit nothing but where a request comes from can be asked: none of these acts on a visit's own data
# without a secret of its own in the form (a code, a link's token), or begins something new.
TOKENLESS = {"/apply", "/apply/resume", "/sign-in", "/sign-in/code", "/confirm", "/sign"}
FOREIGN: dict[str, dict[str, str | None]] = {
    "says nothing": {"Origin": None, "Sec-Fetch-Site": None},
    "another origin": {"Origin": "https://evil.example", "Sec-Fetch-Site": None},
    "an origin like ours": {"Origin": "https://apply.lender.example.evil.example", "Sec-Fetch-Site": None},
    "another scheme": {"Origin": "http://apply.lender.example", "Sec-Fetch-Site": None},
    "no origin of its own": {"Origin": "null", "Sec-Fetch-Site": None},
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "another host of ours": {"Sec-Fetch-Site": "same-site"},
    "typed in": {"Sec-Fetch-Site": "none"},
    "two words that differ": {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
}


def routes(place: House) -> list[Route]:
    """The applicant's routes."""
    app = place.service.app.app
    assert isinstance(app, Litestar)
    found = [each for each in routes_of(app) if each.rule == "public" and not each.path.startswith(("/console", "/v1"))]
    handlers = {
        (method, route.path_format)
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        for method in handler.http_methods
        if handler.fn.__module__.startswith(MODULES)
    }
    return [each for each in found if (each.method, each.path) in handlers]


def holder(place: House) -> tuple[Browser, str, str]:
    """Somebody with an accepted offer, their application, and their visit's other token."""
    browser = place.browser()
    application_id = browser.accept()
    csrf = browser.visit.csrf
    return browser, application_id, csrf


def path_of(route: Route, application_id: str) -> str:
    """An address of a route."""
    names = {"application_id": application_id, "upload_id": f"upl_{'0' * 32}", "slug": "need", "name": "journey.css"}
    return re.sub(r"{(\w+)(?::\w+)?}", lambda found: names.get(found[1], "x" * 43), route.path)


def acting(place: House) -> list[Route]:
    """Those that change something."""
    return [each for each in routes(place) if each.method not in {"GET", "HEAD"}]


def test_the_list_is_whole(lone: House) -> None:
    """These tests ask every route there is, more than thirty, of which half act."""
    assert len(routes(lone)) > 30
    assert len(acting(lone)) >= 17
    assert {each.path for each in acting(lone)} >= TOKENLESS


def test_no_foreign_page_acts(lone: House) -> None:
    """Each acting route x each thing that browsers say of foreign requests, with cookie and token: refused."""
    browser, application_id, csrf = holder(lone)
    let_in = []
    for route in acting(lone):
        for name, changes in FOREIGN.items():
            headers = {"X-CSRF-Token": csrf, **changes}
            reply = browser.send(route.method, path_of(route, application_id), data={"csrf": csrf}, headers=headers)
            if reply.status_code != 403:
                let_in.append(f"{route.name}: {name}: {reply.status_code}")
    assert let_in == []


@pytest.mark.parametrize("shown", [None, "", "A" * 43, "another's", "é"])
def test_a_cookie_alone_does_nothing(lone: House, shown: str | None) -> None:
    """Each acting route, from a page of ours, without the visit's token or with one that is not its own: refused."""
    browser, application_id, csrf = holder(lone)
    other = lone.browser()
    other.send("POST", "/apply", data={"abn": ABN})
    token = other.visit.csrf if shown == "another's" else shown
    let_in = []
    for route in acting(lone):
        if route.path in TOKENLESS:
            continue
        data = {} if token is None else {"csrf": token}
        path = path_of(route, application_id)
        files = {"file": ("a.png", b"x", "image/png")} if route.path.endswith(("/documents", "/statements")) else None
        reply = browser.send(route.method, path, data={"x": "y", **data}, files=files, params={"csrf": csrf})
        if reply.status_code != 403 and not (route.path == "/apply/statements" and reply.status_code == 303):
            let_in.append(f"{route.name}: {reply.status_code}")
    assert let_in == []


def test_the_token_may_stand_in_a_header(lone: House) -> None:
    """A script sends it there; a visit's token of the cookie is no token of the form."""
    browser, application_id, csrf = holder(lone)
    path = f"/applications/{application_id}/second-look"
    for told, status in ((csrf, 303), (browser.token or "", 403)):
        assert browser.send("POST", path, headers={"X-CSRF-Token": told}).status_code == status


def test_every_reply_has_the_same_headers(lone: House) -> None:
    """Pages, steps on, files and errors of every route, asked rightly, wrongly and by nobody."""
    browser, application_id, csrf = holder(lone)
    stranger = lone.browser()
    lone.replies.clear()
    for route in routes(lone):
        path = path_of(route, application_id)
        for who in (browser, stranger):
            for accept in ("text/html", "application/json"):
                more: dict[str, Any] = {"headers": {"Accept": accept}}
                if route.method == "POST" and route.path != "/sign-out":
                    more["data"] = {"csrf": csrf}
                who.send(route.method, path, **more)
    lacking = []
    for reply in lone.replies:
        if reply.request.url.path.startswith("/static/") and reply.status_code == 200:
            assert reply.headers["x-content-type-options"] == "nosniff"
            continue
        missing = {name for name, value in HEADERS.items() if reply.headers.get(name) != value}
        if missing:
            lacking.append(f"{reply.request.method} {reply.request.url.path} {reply.status_code}: {sorted(missing)}")
    assert lacking == []


def test_the_policy_lets_nothing_in(lone: House) -> None:
    """No inline script or style, no other host: neither allowed by the header nor there on any page."""
    browser, application_id, _ = holder(lone)
    for path in ("/", "/apply", "/help", "/sign-in", "/automated-decisions", f"/applications/{application_id}",
                 f"/applications/{application_id}/documents", f"/applications/{application_id}/explore"):  # fmt: skip
        page = browser.get(path).text
        assert "unsafe" not in HEADERS["Content-Security-Policy"]
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", page), path
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page), path


def test_pages_without_a_route_are_pages(lone: House) -> None:
    """A person who mistypes an address sees words, with the same headers; a machine gets a problem."""
    for path in ("/nothing", "/apply/a/b/c", "/applications", "/static/../secret"):
        reply = lone.browser().get(path)
        assert (reply.status_code, reply.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert {name: reply.headers.get(name) for name in HEADERS} == HEADERS
    machine = lone.browser().get("/nothing", headers={"Accept": "*/*"})
    assert machine.headers["content-type"] == "application/problem+json"
    for method in ("DELETE", "PATCH", "PUT"):
        assert lone.browser().send(method, "/apply").status_code == 405


@pytest.mark.parametrize(
    "name", ["", "..%2f..%2fetc%2fpasswd", "%2e%2e/app.py", "journey.css.map", "journey.py", "x" * 999]
)
def test_no_other_file_is_served(lone: House, name: str) -> None:
    """A name is looked up among our own files and never joined to a path."""
    assert lone.browser().get(f"/static/{name}").status_code in {404, 405}


def test_a_cookie_that_is_no_cookie_is_nobody(lone: House) -> None:
    """Huge, broken and foreign values are like none at all."""
    for value in ("x" * 8_000, "a b", "%00", "__Host-", "0"):
        browser = lone.browser()
        browser.cookies.set(COOKIE, value, domain="apply.lender.example", path="/")
        assert browser.get("/my").headers["location"] == "/sign-in"
