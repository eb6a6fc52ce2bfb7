"""The pages as a browser meets them: signing in and out, enrolment by a link, one's own account."""

import re
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from litestar import get

from api.pages.replies import HEADERS
from api.requests import AnyRequest
from api.staff import codes
from api.staff.authority import require_rules
from api.staff.guarding import member_of
from api.staff.pages import HANDLERS
from api.staff.pages.replies import refused
from api.staff.pages.signing_in import WORDS
from api.staff.sessions import SESSION_COOKIE
from tests.support.authenticator import Authenticator
from tests.support.schema import slug_of
from tests.support.staffing import ORIGIN, PASSWORD, Browser, House, Person

CHOSEN = "a kettle of quite another colour"
HOST = "console.lender.example"


@get("/console", opt={"action": "session.own"}, exception_handlers={Exception: refused})
async def console(request: AnyRequest) -> str:
    """Where a sign-in leads."""
    return member_of(request).name


@pytest.fixture
def place(lone: House) -> House:
    """The pages over SQLite."""
    return lone.serve([*HANDLERS, console])


@pytest.fixture
def browser(place: House) -> Browser:
    """A browser with no cookies."""
    return place.browser()


class Inline(HTMLParser):
    """Finds what the content security policy would refuse, and ids that stand twice."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag's faults."""
        told = dict(attrs)
        self.found += [name for name in told if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in told):
            self.found.append(tag)
        self.ids += [value for name, value in attrs if name == "id" and value is not None]


def _check_page(reply: httpx.Response) -> None:
    """Nothing inline, no id twice, and the headers that keep it to itself."""
    parser = Inline()
    parser.feed(reply.text)
    assert parser.found == []
    assert len(parser.ids) == len(set(parser.ids))
    for name, value in HEADERS.items():
        assert reply.headers[name] == value


# -- signing in ----------------------------------------------------------------------------------------------


def test_signing_in_takes_two_pages_and_gives_a_guarded_cookie(place: House, browser: Browser) -> None:
    """Password, code, console; both cookies are the host's alone, by TLS, out of scripts' and other sites' reach."""
    person = place.member()
    browser.sign_in(person)
    assert browser.get("/console").text == "Vera Sample"
    place.clock.advance(60)
    browser = place.browser()
    _check_page(browser.get("/console/sign-in"))
    half = browser.post("/console/sign-in", login="vera", password=PASSWORD)
    assert (half.status_code, half.headers["location"]) == (303, "/console/sign-in/code")
    _check_page(browser.get("/console/sign-in/code"))
    full = browser.post("/console/sign-in/code", code=place.code(person))
    for reply, names in ((half, ["session"]), (full, ["session", "browser"])):
        cookies = reply.headers.get_list("set-cookie")
        assert [each.partition("=")[0] for each in cookies] == [f"__Host-creditline-{name}" for name in names]
        for each in cookies:
            assert {"Path=/", "Secure", "HttpOnly", "SameSite=strict"} <= set(each.split("; "))
            assert "domain" not in each.lower()
    assert browser.get("/console/sign-in").headers["location"] == "/console"


def test_the_session_is_another_at_every_stage(place: House, browser: Browser) -> None:
    """Fixation: a token that was planted before is replaced, and the one of the first stage opens nothing later."""
    person = place.member()
    name, planted = SESSION_COOKIE, "planted-by-somebody-else" * 2
    browser.cookies.set(name, planted, domain=HOST, path="/")
    tokens = [planted]
    browser.get("/console/sign-in")
    browser.post("/console/sign-in", login="vera", password=PASSWORD)
    tokens.append(str(browser.token))
    browser.get("/console/sign-in/code")
    browser.post("/console/sign-in/code", code=place.code(person))
    tokens.append(str(browser.token))
    assert len(set(tokens)) == 3
    for token in tokens[:2]:
        stale = place.browser()
        stale.cookies.set(name, token, domain=HOST, path="/")
        assert stale.get("/console").headers["location"] == "/console/sign-in"


def test_the_answer_never_tells_whether_a_login_is_known(place: House) -> None:
    """Known and unknown logins get the same bytes, status and headers, at the first try and when they have to wait."""
    place.member()

    def answers(login: str) -> list[tuple[int, str, list[tuple[str, str]]]]:
        browser, told = place.browser(address=f"192.0.2.{len(login)}"), []
        for _ in range(7):
            reply = browser.send("POST", "/console/sign-in", data={"login": login, "password": "wrong " * 4})
            told.append((reply.status_code, reply.text.replace(f'value="{login}"', ""), sorted(reply.headers.items())))
        return told

    known, unknown = answers("vera"), answers("omar")
    assert known == unknown
    assert [status for status, _, _ in known] == [403] * 5 + [429] * 2
    assert WORDS["wrong"] in known[0][1]
    assert WORDS["waiting"] in known[6][1]


def test_what_was_typed_is_shown_again_as_text(place: House, browser: Browser) -> None:
    """Markup in a login is escaped, and a password is never repeated."""
    login = '"><script>alert(1)</script>'
    reply = browser.send("POST", "/console/sign-in", data={"login": login, "password": "a secret that stays so"})
    _check_page(reply)
    assert "<script>alert" not in reply.text
    assert "a secret" not in reply.text


@pytest.mark.parametrize("path", ["/console/sign-in", "/console/enrol/a-token"])
def test_a_foreign_page_signs_nobody_in(place: House, browser: Browser, path: str) -> None:
    """Without a session there is no token yet: where the request comes from decides."""
    place.member()
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": None}):
        more = {"Sec-Fetch-Site": None} if headers.get("Origin", "") is None else {}
        sent: dict[str, Any] = {**headers, **more}
        reply = browser.send("POST", path, data={"login": "vera", "password": PASSWORD}, headers=sent)
        assert (reply.status_code, slug_of(reply)) == (403, "csrf-failed")
    assert place.count("sign_in") == 0


def test_the_second_stage_needs_the_first_and_its_token(place: House, browser: Browser) -> None:
    """Without a password one is led back; with one, a POST without the session's token is refused and costs no try."""
    person = place.member()
    assert browser.get("/console/sign-in/code").headers["location"] == "/console/sign-in"
    assert browser.post("/console/sign-in/code", code="123456").headers["location"] == "/console/sign-in"
    browser.post("/console/sign-in", login="vera", password=PASSWORD)
    before = place.count("sign_in")
    reply = browser.send("POST", "/console/sign-in/code", data={"code": place.code(person)})
    assert (reply.status_code, slug_of(reply)) == (403, "csrf-failed")
    assert place.count("sign_in") == before
    assert browser.get("/console").headers["location"] == "/console/sign-in"


def test_signing_in_again_ends_the_session_before(place: House, browser: Browser) -> None:
    """Whoever was signed in at this browser is so no longer, also in copies of the cookie."""
    browser.sign_in(place.member())
    copy = place.browser()
    copy.cookies.set(SESSION_COOKIE, str(browser.token), domain=HOST, path="/")
    assert copy.get("/console").status_code == 200
    place.member(login="omar")
    browser.send("POST", "/console/sign-in", data={"login": "omar", "password": PASSWORD})
    assert copy.get("/console").status_code == 303


def test_signing_out_ends_the_session_and_takes_the_cookie(place: House, browser: Browser) -> None:
    """It needs the token like any POST; afterwards the old cookie opens nothing."""
    browser.sign_in(place.member())
    token = str(browser.token)
    browser.get("/console/me")
    assert browser.send("POST", "/console/sign-out", data={}).status_code == 403
    reply = browser.post("/console/sign-out")
    assert (reply.status_code, reply.headers["location"], browser.token) == (303, "/console/sign-in", None)
    browser.cookies.set(SESSION_COOKIE, token, domain=HOST, path="/")
    assert browser.get("/console").status_code == 303


def test_who_is_not_signed_in_is_led_to_the_door_or_told_so(place: House, browser: Browser) -> None:
    """A page is redirected and its cookie taken away; a script gets a problem."""
    browser.cookies.set(SESSION_COOKIE, "x" * 43, domain=HOST, path="/")
    reply = browser.get("/console")
    assert (reply.status_code, reply.headers["location"], browser.token) == (303, "/console/sign-in", None)
    reply = browser.get("/console", headers={"Accept": "application/json"})
    assert (reply.status_code, slug_of(reply)) == (401, "unauthenticated")


# -- passkeys ------------------------------------------------------------------------------------------------


def _register(browser: Browser) -> Authenticator:
    device = Authenticator(ORIGIN, HOST)
    browser.get("/console/me")
    options = browser.post_json("/console/me/passkeys/options", {}).json()
    made = {"credential": device.create(options), "name": "<b>Desk</b>"}
    assert browser.post_json("/console/me/passkeys", made).json() == {"next": "/console/me"}
    return device


def test_a_passkey_is_added_and_signs_in(place: House, browser: Browser) -> None:
    """As the script does it: options, the authenticator's answer, and on to the console with a new cookie."""
    browser.sign_in(place.member())
    device = _register(browser)
    shown = browser.get("/console/me")
    assert "&lt;b&gt;Desk" in shown.text
    browser.post("/console/sign-out")
    browser.get("/console/sign-in")
    browser.post("/console/sign-in", login="vera", password=PASSWORD)
    browser.get("/console/sign-in/code")
    half = browser.token
    options = browser.post_json("/console/sign-in/passkey/options", {}).json()
    reply = browser.post_json("/console/sign-in/passkey", device.get(options))
    assert (reply.status_code, reply.json()) == (200, {"next": "/console"})
    assert browser.token != half
    assert browser.get("/console").status_code == 200


def test_a_wrong_passkey_is_told_in_words(place: House, browser: Browser) -> None:
    """JSON with a sentence for the status line; without a passkey there are no options."""
    place.member()
    browser.post("/console/sign-in", login="vera", password=PASSWORD)
    browser.get("/console/sign-in/code")
    assert browser.post_json("/console/sign-in/passkey/options", {}).status_code == 404
    reply = browser.post_json("/console/sign-in/passkey", {"id": "x"})
    assert (reply.status_code, reply.json()) == (403, {"words": WORDS["wrong"]})
    reply = browser.send("POST", "/console/sign-in/passkey", json={"id": "x"})
    assert slug_of(reply) == "csrf-failed"


def test_the_script_is_a_file_of_ours(browser: Browser) -> None:
    """It comes from our own path, as a script and as nothing else."""
    reply = browser.get("/console/sign-in/passkey.js")
    assert reply.headers["content-type"].startswith("text/javascript")
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "navigator.credentials" in reply.text


# -- enrolment -----------------------------------------------------------------------------------------------


def _seed(page: str) -> str:
    found = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert found is not None
    return found[1].replace(" ", "")


def test_enrolment_goes_from_the_link_to_the_console(place: House, browser: Browser) -> None:
    """Password, picture and seed, first code, recovery codes shown once; afterwards the link says it is used."""
    person = place.member(enrolled=False)
    link = f"/console/enrol/{place.link(person)}"
    _check_page(browser.get(link))
    reply = browser.post(link, password=CHOSEN, again=CHOSEN)
    assert (reply.status_code, reply.headers["location"]) == (303, "/console/second-factor")
    shown = browser.get("/console/second-factor")
    _check_page(shown)
    picture = browser.get("/console/second-factor.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert b"<svg" in picture.content
    assert b"style" not in picture.content
    seed = _seed(shown.text)
    assert browser.post("/console/second-factor", code="000000").status_code == 422
    done = browser.post("/console/second-factor", code=codes.code_at(seed, place.clock()))
    _check_page(done)
    assert len(re.findall(r"<li><code>[a-z2-7-]{27}</code></li>", done.text)) == codes.RECOVERY_CODES
    assert browser.get("/console").text == "Vera Sample"
    assert browser.get(link).status_code == 404
    assert browser.post(link, password=CHOSEN, again=CHOSEN).status_code == 404
    place.browser().sign_in(Person(person.id, "vera", seed, CHOSEN))


def test_a_password_that_is_not_taken_is_told_why(place: House, browser: Browser) -> None:
    """Too short, on the list, or not the same twice: 422 with the words, and the link still works."""
    link = f"/console/enrol/{place.link(place.member(enrolled=False))}"
    for password, again, words in (
        ("short", "short", "15 to 128"), (CHOSEN, PASSWORD, "not the same"),
        ("correct horse battery staple", None, "tried first"),
    ):  # fmt: skip
        reply = browser.post(link, password=password, again=again or password)
        assert reply.status_code == 422
        assert words in reply.text
        _check_page(reply)
    assert browser.post(link, password=CHOSEN, again=CHOSEN).status_code == 303


def test_the_seed_is_shown_to_nobody_else(place: House, browser: Browser) -> None:
    """Without the enrolment's session, with another's, or once it is confirmed, there is no page and no picture."""
    person = place.member(enrolled=False)
    browser.post(f"/console/enrol/{place.link(person)}", password=CHOSEN, again=CHOSEN)
    stranger = place.browser()
    stranger.sign_in(place.member(login="omar"))
    for other in (stranger, place.browser()):
        assert other.get("/console/second-factor").status_code == 303
        assert other.get("/console/second-factor.svg").status_code == 404
    seed = _seed(browser.get("/console/second-factor").text)
    browser.post("/console/second-factor", code=codes.code_at(seed, place.clock()))
    assert browser.get("/console/second-factor.svg").status_code == 404


def test_a_link_for_an_enrolled_member_leads_to_their_second_factor(place: House, browser: Browser) -> None:
    """A new password is set, and the code is asked for as ever."""
    person = place.member()
    reply = browser.post(f"/console/enrol/{place.link(person)}", password=CHOSEN, again=CHOSEN)
    assert reply.headers["location"] == "/console/sign-in/code"
    assert browser.get("/console/second-factor.svg").status_code == 404
    browser.get("/console/sign-in/code")
    assert browser.post("/console/sign-in/code", code=place.code(person)).headers["location"] == "/console"


# -- one's own account ---------------------------------------------------------------------------------------


def test_my_sessions_are_shown_and_ended(place: House, browser: Browser) -> None:
    """One by its button, or all others; this one stays."""
    person = place.member()
    others = [place.browser() for _ in range(3)]
    for each in (*others, browser):
        each.sign_in(person)
    page = browser.get("/console/me")
    _check_page(page)
    assert "Vera Sample" in page.text
    ids = re.findall(r'name="session" value="([0-9a-f]{64})"', page.text)
    assert len(ids) == 3
    browser.post("/console/me/sessions", session=ids[0])
    assert [each.get("/console").status_code for each in others] == [200, 200, 303]
    browser.get("/console/me")
    browser.post("/console/me/sessions", session="others")
    assert [each.get("/console").status_code for each in (*others, browser)] == [303, 303, 303, 200]


def test_changes_ask_for_a_fresh_proof(place: House, browser: Browser) -> None:
    """Five minutes after signing in every change is refused, until password and code are shown again."""
    person = place.member()
    browser.sign_in(person)
    device = _register(browser)
    place.clock.advance(301)
    page = browser.get("/console/me")
    assert "/console/me/proof" in page.text
    for path in ("second-factor", "recovery-codes", "passkeys/removal"):
        assert browser.post(f"/console/me/{path}").status_code == 403
    for path in ("passkeys/options", "passkeys"):
        assert browser.post_json(f"/console/me/{path}", {"credential": {}}).status_code == 403
    browser.get("/console/me")
    assert browser.post("/console/me/proof", password=PASSWORD, code="000000").status_code == 403
    before = browser.token
    assert browser.post("/console/me/proof", password=PASSWORD, code=place.code(person)).status_code == 303
    assert browser.token != before
    page = browser.get("/console/me")
    assert "/console/me/proof" not in page.text
    [key] = re.findall(r'name="passkey" value="([^"]+)"', page.text)
    assert browser.post("/console/me/passkeys/removal", passkey=key).status_code == 303
    assert device.counter == 1
    assert place.count("passkey") == 0


def test_another_app_and_new_codes_from_the_account_page(place: House, browser: Browser) -> None:
    """The page leads to the picture; its code brings new recovery codes; the new app signs in and the old does not."""
    person = place.member()
    browser.sign_in(person)
    browser.get("/console/me")
    assert browser.post("/console/me/second-factor").headers["location"] == "/console/second-factor"
    seed = _seed(browser.get("/console/second-factor").text)
    place.clock.advance(60)
    shown = browser.post("/console/second-factor", code=codes.code_at(seed, place.clock()))
    assert shown.status_code == 200
    browser.get("/console/me")
    again = browser.post("/console/me/recovery-codes")
    first, second = (set(re.findall(r"<code>([a-z2-7-]{27})</code>", each.text)) for each in (shown, again))
    assert (len(first), len(second), first & second) == (10, 10, set())
    place.browser().sign_in(Person(person.id, "vera", seed))


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"{}", b'{"credential": 1}', b'{"credential": {}, "name": "a\\u0000b"}', b"[" * 30_000],
    ids=["broken", "list", "empty", "number", "name", "deep"],
)
def test_rubbish_in_the_place_of_a_passkey_is_refused(place: House, browser: Browser, body: bytes) -> None:
    """No JSON, the wrong shape, a name that no database takes, endless nesting."""
    browser.sign_in(place.member())
    browser.get("/console/me")
    browser.post_json("/console/me/passkeys/options", {})
    headers = {"X-CSRF-Token": browser.csrf, "Content-Type": "application/json"}
    assert browser.send("POST", "/console/me/passkeys", content=body, headers=headers).status_code in {400, 422}
    assert place.count("passkey") == 0


def test_every_page_says_who_may_call_it(place: House) -> None:
    """The pages start under the rule that every route has one, and those without a session are few and known."""
    assert place.app is not None
    require_rules(place.app)
    public = {
        route.path
        for route in place.app.routes
        for handler in getattr(route, "route_handlers", ())
        if handler.opt.get("public")
    }
    assert public == {
        "/console/sign-in", "/console/sign-in/code", "/console/sign-in/passkey", "/console/sign-in/passkey/options",
        "/console/sign-in/passkey.js", "/console/enrol/{token:str}", "/console/second-factor",
        "/console/second-factor.svg",
    }  # fmt: skip


def test_sessions_of_the_pages_are_idle_after_a_quarter_of_an_hour(place: House, browser: Browser) -> None:
    """B36: the next request after that is led to the door, and the session is ended in the store."""
    browser.sign_in(place.member())
    place.clock.advance(15 * 60)
    assert browser.get("/console/me").headers["location"] == "/console/sign-in"
    rows = place.look(lambda connection: [*connection.exec_driver_sql("SELECT ended_at FROM staff_session")])
    assert all(row[0] is not None for row in rows)
