"""Whoever is signed in has to have meant it: no page of another site can act for them, on any route that acts."""

import re
from collections.abc import Iterator
from pathlib import Path
from shutil import copy

import httpx
import pytest

from api.pages.forms import CSRF_HEADER
from api.staff.authority import TABLE
from tests.support.accessing import UNKNOWN, Somebody, World, told, world
from tests.support.routes import Route, routes_of

MAY = {rule.action: rule.roles for rule in TABLE}
BEFORE_A_SESSION = {"/console/sign-in", "/console/enrol/{token}"}
# What a browser would say of a request that no page of ours sent; None leaves the header out.
FOREIGN: dict[str, dict[str, str | None]] = {
    "neither says where from": {"Origin": None, "Sec-Fetch-Site": None},
    "another origin": {"Origin": "https://evil.example", "Sec-Fetch-Site": None},
    "an origin like ours": {"Origin": "{origin}.evil.example", "Sec-Fetch-Site": None},
    "another port": {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": None},
    "no origin of its own": {"Origin": "null", "Sec-Fetch-Site": None},
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "another host of ours": {"Sec-Fetch-Site": "same-site"},
    "typed in": {"Sec-Fetch-Site": "none"},
    "two words that differ": {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
}
TOKENLESS: dict[str, dict[str, str | None]] = {
    "no token": {CSRF_HEADER: None},
    "an empty one": {CSRF_HEADER: ""},
    "a made-up one": {CSRF_HEADER: "A" * 43},
}


@pytest.fixture(scope="module")
def made(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The service with everybody in it."""
    place = copy(sqlite_template, tmp_path_factory.mktemp("meant") / "store.sqlite")
    with world(f"sqlite:///{place}") as found:
        yield found


def actor_of(made: World, route: Route) -> Somebody | None:
    """Somebody at the stage, and in a role, that the route asks for; None for a page before any session."""
    if route.path in BEFORE_A_SESSION:
        return None
    if route.rule == "public":
        stage = "full" if route.path == "/console/second-factor" else "password"
        return next(each for each in made.people if each.stage == stage)
    return next(each for each in made.people if each.stage == "full" and each.roles & MAY[route.value])


def send(made: World, route: Route, headers: dict[str, str], form: dict[str, str] | None = None) -> httpx.Response:
    """An empty form to a route, about a thing that does not exist."""
    path = re.sub(r"{(\w+)_id}", rf"\1_{UNKNOWN}", route.path).replace("document_", "doc_")
    return made.ask("POST", path.replace("{token}", "x"), headers, data=form or {"words": ""})


def changed(made: World, who: Somebody | None, changes: dict[str, str | None]) -> dict[str, str]:
    """The headers of somebody's browser with these changes; None leaves one out."""
    headers = {"Origin": made.origin, **(who.headers if who else {})}
    for name, value in changes.items():
        if value is None:
            headers.pop(name, None)
        else:
            headers[name] = value.replace("{origin}", made.origin)
    return headers


def acting_routes(made: World) -> list[Route]:
    """Every route of the console that may change something."""
    return [each for each in routes_of(made.app) if each.method != "GET" and each.path.startswith("/console")]


def test_no_foreign_page_acts_for_a_member(made: World) -> None:
    """Each acting route x each thing that a browser says of foreign requests, with cookie and token: refused."""
    let_in = []
    for route in acting_routes(made):
        who = actor_of(made, route)
        for name, changes in FOREIGN.items():
            headers = changed(made, who, changes)
            if told(send(made, route, headers)) != "csrf-failed":
                let_in.append(f"{route.name}: {name}")
    assert let_in == []
    assert len(acting_routes(made)) > 30


def test_no_foreign_page_acts_for_an_applicant(made: World) -> None:
    """The pages of applicants believe no more: each of their forms, from anywhere but a page of ours, is refused."""
    forms = [each for each in routes_of(made.app) if each.method == "POST" and not each.path.startswith("/console")]
    let_in = []
    for route in [each for each in forms if each.rule == "public"]:
        for name, changes in FOREIGN.items():
            reply = send(made, route, changed(made, None, changes))
            if reply.status_code != 403:
                let_in.append(f"{route.name}: {name}: {reply.status_code}")
    assert let_in == []


def test_a_cookie_alone_does_nothing(made: World) -> None:
    """Each acting route behind a session, from a page of ours, without its token or with one that is not its own."""
    let_in = []
    for route in acting_routes(made):
        if (who := actor_of(made, route)) is None:
            continue
        others = made.headers_of(made.session(who.staff_id, who.stage))[CSRF_HEADER]
        tokens: dict[str, dict[str, str | None]] = {**TOKENLESS, "another session's": {CSRF_HEADER: others}}
        for name, changes in tokens.items():
            headers = changed(made, who, changes)
            if told(send(made, route, headers)) != "csrf-failed":
                let_in.append(f"{route.name}: {name}")
        in_address = {key: value for key, value in who.headers.items() if key != CSRF_HEADER}
        if told(send(made, _with(route, f"?csrf={who.headers[CSRF_HEADER]}"), in_address)) != "csrf-failed":
            let_in.append(f"{route.name}: in the address")
    assert let_in == []


def test_the_token_of_the_page_is_taken(made: World) -> None:
    """The same requests with the token in the form, as pages send it, go on: to the act, which finds nothing to do."""
    stopped = []
    for route in acting_routes(made):
        who = actor_of(made, route)
        if who is None or route.value == "session.own" or route.rule == "public":
            continue  # these would end the session or change it
        headers = {key: value for key, value in who.headers.items() if key != CSRF_HEADER}
        answer = told(send(made, route, headers, {"csrf": who.headers[CSRF_HEADER]}))
        if answer in {"csrf-failed", "unauthenticated", "forbidden"}:
            stopped.append(f"{route.name}: {answer}")
    assert stopped == []


def _with(route: Route, query: str) -> Route:
    return Route(route.method, route.path + query, route.rule, route.value)
