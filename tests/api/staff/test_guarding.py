"""What stands before the routes: origin, session, role and token, in this order, and before the body."""

from collections.abc import AsyncIterator, MutableMapping
from itertools import product
from typing import Any

import pytest
import structlog
from litestar import Response, get, post
from structlog.testing import CapturingLogger

from api.errors import Problem
from api.pages.forms import MOST_BYTES, read_form
from api.requests import AnyRequest
from api.security import sha256_of
from api.staff import codes
from api.staff.authority import ROLES, TABLE
from api.staff.counts import DENIED
from api.staff.door import Sender
from api.staff.guarding import member_of
from api.staff.sessions import SESSION_COOKIE
from api.store import queries as store
from tests.support.schema import slug_of
from tests.support.staffing import ADDRESS, ORIGIN, Browser, House, Person, opened, run

READ: list[int] = []  # bytes that the upload's handler got to see


@get("/console/board", opt={"action": "board.read"})
async def board(request: AnyRequest) -> dict[str, Any]:
    """Who looks at it."""
    member = member_of(request)
    return {"id": member.id, "name": member.name, "roles": sorted(member.roles), "csrf": member.csrf}


@post("/console/claim", opt={"action": "case.claim"}, status_code=200)
async def claim(request: AnyRequest) -> dict[str, str]:
    """The form as the handler reads it, after the guard did."""
    return dict(await read_form(request))


@post("/console/upload", opt={"action": "case.record"}, status_code=200)
async def upload(request: AnyRequest) -> dict[str, int]:
    """Reads what is sent."""
    READ.append(len(await request.body()))
    return {"bytes": READ[-1]}


@get("/open", opt={"public": True})
async def public() -> Response[bytes]:
    """For everybody."""
    return Response(b"open", media_type="text/plain")


def _every_action() -> list[Any]:
    def one(action: str) -> Any:
        @get(f"/actions/{action}", opt={"action": action}, name=action)
        async def do() -> None: ...

        return do

    return [one(rule.action) for rule in TABLE]


@pytest.fixture
def place(lone: House) -> House:
    """A door with a few routes behind it."""
    return lone.serve([board, claim, upload, public, *_every_action()])


def _signed_in(place: House, person: Person, address: str = ADDRESS) -> Browser:
    """A browser with a full session, without going through the pages."""
    place.clock.advance(2 * codes.STEP_SECONDS)
    half = run(place.door.held(opened(run(place.door.password(person.login, person.password, Sender(address)))).token))
    assert half is not None
    session = opened(run(place.door.code(half, place.code(person), Sender(address))))
    browser = place.browser(address)
    browser.cookies.set(SESSION_COOKIE, session.token, domain="console.lender.example")
    browser.shown = f'<input name="csrf" value="{session.row.csrf}">'
    return browser


def _slug(reply: Any) -> tuple[int, str]:
    return reply.status_code, slug_of(reply)


def test_who_is_signed_in_is_known_to_the_handler(place: House) -> None:
    """Id, name, roles and token of the member; a public route asks for nobody."""
    person = place.member("verifier", "compliance")
    browser = _signed_in(place, person)
    told = browser.get("/console/board").json()
    assert told == {"id": person.id, "name": "Vera Sample", "roles": ["compliance", "verifier"], "csrf": browser.csrf}
    assert place.browser().get("/open").text == "open"


@pytest.mark.parametrize("role", ROLES)
def test_each_role_reaches_the_actions_of_its_column_alone(place: House, role: str) -> None:
    """Over real requests: 200 where the table says yes, 403 everywhere else."""
    browser = _signed_in(place, place.member(role))
    for rule in TABLE:
        reply = browser.get(f"/actions/{rule.action}")
        assert reply.status_code == (200 if role in rule.roles else 403), rule.action


def test_without_a_session_nothing_is_reached(place: House) -> None:
    """No cookie, a false one, a session half-way, one that is over, a disabled member: 401 each."""
    person = place.member()
    half = opened(run(place.door.password("vera", person.password, Sender(ADDRESS)))).token
    over, gone = _signed_in(place, person), _signed_in(place, other := place.member(login="omar"))
    held = run(place.door.held(over.token))
    assert held is not None
    run(place.door.sign_out(held))
    with place.database.transaction() as connection:
        store.disable_staff(connection, other.id, place.clock())
    for token in (None, "", "x" * 43, half, over.token, gone.token, sha256_of(over.token or "")):
        browser = place.browser()
        if token is not None:
            browser.cookies.set(SESSION_COOKIE, token)
        assert _slug(browser.get("/console/board")) == (401, "unauthenticated"), token


@pytest.mark.parametrize(
    ("site", "origin", "fine"),
    [
        ("same-origin", ORIGIN, True), ("same-origin", None, True), ("same-origin", "null", True), (None, ORIGIN, True),
        ("cross-site", ORIGIN, False), ("same-site", ORIGIN, False), ("none", None, False),
        ("same-origin", "https://evil.example", False), (None, "https://evil.example", False), (None, "null", False),
        (None, None, False), (None, f"{ORIGIN}.evil.example", False), (None, "http://console.lender.example", False),
    ],
)  # fmt: skip
def test_only_pages_of_ours_may_post(place: House, site: str | None, origin: str | None, fine: bool) -> None:
    """With session and token: what comes from elsewhere, or does not say from where, is refused."""
    browser = _signed_in(place, place.member())
    headers = {"Sec-Fetch-Site": site, "Origin": origin}
    reply = browser.send("POST", "/console/claim", data={"csrf": browser.csrf}, headers=headers)
    assert (reply.status_code == 200) is fine
    assert fine or _slug(reply) == (403, "csrf-failed")


def test_a_post_needs_the_sessions_own_token(place: House) -> None:
    """In the form or the header; none, an empty one, another session's and one of the same person do not do."""
    person = place.member()
    browser, earlier = _signed_in(place, person), _signed_in(place, person)
    stranger = _signed_in(place, place.member(login="omar"))
    assert browser.post("/console/claim", case="case_1").json() == {"csrf": browser.csrf, "case": "case_1"}
    assert browser.post_json("/console/claim", {}).status_code == 200
    for token in ("", "x", earlier.csrf, stranger.csrf, browser.csrf[:-1], browser.csrf + "x", "\u00e9"):
        assert _slug(browser.send("POST", "/console/claim", data={"csrf": token})) == (403, "csrf-failed"), token
    assert _slug(browser.send("POST", "/console/claim", data={"case": "1"})) == (403, "csrf-failed")
    assert _slug(browser.send("POST", "/console/claim", json={"csrf": browser.csrf})) == (403, "csrf-failed")


def test_an_upload_without_the_token_is_not_read(place: House) -> None:
    """Not one piece is taken from the sender before the header was compared; with it the body is read."""
    browser = _signed_in(place, place.member())
    taken: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            taken.append(1_000)
            yield b"x" * 1_000

    READ.clear()
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    assert _slug(browser.send("POST", "/console/upload", content=body(), headers=form)) == (403, "csrf-failed")
    assert READ == []
    shown = {**form, "X-CSRF-Token": browser.csrf}
    assert browser.send("POST", "/console/upload", content=body(), headers=shown).json() == {"bytes": 3_000}
    assert len(taken) >= 3


@pytest.mark.parametrize(
    ("content", "slug"),
    [
        (b"csrf=x&" + b"a" * MOST_BYTES, "payload-too-large"), (b"csrf=a&csrf=b", "malformed-request"),
        (b"csrf=%ff", "malformed-request"), ("csrf=é".encode(), "malformed-request"),
        (b"&".join(b"f%d=1" % n for n in range(300)), "malformed-request"),
    ],
    ids=["large", "twice", "not UTF-8", "not encoded", "many"],
)  # fmt: skip
def test_what_is_no_small_form_is_refused(place: House, content: bytes, slug: str) -> None:
    """Too many bytes or fields, one field twice, bytes that are no text."""
    browser = _signed_in(place, place.member())
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert slug_of(browser.send("POST", "/console/claim", content=content, headers=kind)) == slug


def test_a_form_without_a_length_is_refused(place: House) -> None:
    """A body of unknown length is not read in the hope of a token."""
    browser = _signed_in(place, place.member())

    async def body() -> AsyncIterator[bytes]:
        yield f"csrf={browser.csrf}".encode()

    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert slug_of(browser.send("POST", "/console/claim", content=body(), headers=kind)) == "payload-too-large"


def _denied() -> dict[tuple[str, str], float]:
    [family] = DENIED.collect()
    return {
        (each.labels["action"], each.labels["why"]): each.value
        for each in family.samples
        if each.name.endswith("total")
    }


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the guard and the door log from now on."""
    logged: list[dict[str, Any]] = []

    def keep(_: object, __: str, event: MutableMapping[str, Any]) -> str:
        logged.append(dict(event))
        return ""

    for module in ("guarding", "door"):
        monkeypatch.setattr(f"api.staff.{module}.log", structlog.wrap_logger(CapturingLogger(), processors=[keep]))
    return logged


def test_denied_requests_are_counted_and_logged_without_anything_personal(
    place: House, lines: list[dict[str, Any]]
) -> None:
    """Each says the action and why, and by whom as an id: no name, login, address or token."""
    person = place.member()
    browser, before = _signed_in(place, person), _denied()
    assert browser.get("/actions/case.approve").status_code == 403
    assert browser.send("POST", "/console/claim", data={}).status_code == 403
    assert browser.send("POST", "/console/claim", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert place.browser().get("/console/board").status_code == 401
    expected = [
        ("case.approve", "role"),
        ("case.claim", "csrf"),
        ("case.claim", "origin"),
        ("board.read", "signed_out"),
    ]
    denied = [line for line in lines if line["event"] == "staff_denied"]
    assert [(line["action"], line["why"]) for line in denied] == expected
    assert [line["staff_id"] for line in denied] == [person.id, person.id, None, None]
    after = _denied()
    assert [after[each] - before.get(each, 0) for each in expected] == [1, 1, 1, 1]
    told = str(lines)
    secrets = ("Vera", "vera", ADDRESS, browser.token, browser.csrf)
    assert [secret for secret in secrets if secret is not None and secret in told] == []


def test_the_log_of_signing_in_names_nobody_either(lone: House, lines: list[dict[str, Any]]) -> None:
    """Stage, result and id; a login that was tried is in no line."""
    person = lone.member()
    run(lone.door.password("somebody's login", "and their password", Sender(ADDRESS)))
    run(lone.door.password("vera", person.password, Sender(ADDRESS)))
    assert [(line["stage"], line["result"], line.get("staff_id")) for line in lines] == [
        ("password", "wrong", None), ("password", "opened", person.id),
    ]  # fmt: skip
    assert [word for word, line in product(("login", "their", "vera", ADDRESS), map(str, lines)) if word in line] == []


def test_a_handler_without_an_action_has_no_member(place: House) -> None:
    """Asking for one is a bug that shows at once."""

    @get("/forgotten", opt={"public": True})
    async def forgotten(request: AnyRequest) -> str:
        try:
            return member_of(request).name
        except KeyError:
            raise Problem("not-found") from None

    browser = _signed_in(place, place.member())
    place.serve([forgotten])
    assert browser.get("/forgotten").status_code == 404
