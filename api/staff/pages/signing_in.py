"""Signing in, step by step, and signing out.

The rules: before there is a session a request must come from a page of ours, after that it carries the session's token;
an answer never tells an unknown login from a wrong password.
"""

from functools import cache
from pathlib import Path

from litestar import Response, get, post

from api.bodies import whole_body
from api.errors import Problem
from api.pages.forms import MOST_BYTES, read_form
from api.pages.replies import HEADERS, go_to
from api.requests import AnyRequest
from api.staff.door import Held, Refused
from api.staff.guarding import door_of, held_of, is_ours, require_token, sender_of
from api.staff.pages.replies import CODE, CONSOLE, SECOND_FACTOR, SIGN_IN, json_reply, page, refused
from api.staff.sessions import SESSION_COOKIE, Opened, browser_cookie, no_session_cookie, session_cookie

_SCRIPT = Path(__file__).with_name("passkey.js")
WORDS = {
    "wrong": "That did not match. Check what you typed and try again.",
    "waiting": "There were too many tries. Wait a few minutes, then try again.",
    "closed": "There were too many tries. Sign in from a browser that you have used before, "
    "or ask an administrator for a new link.",
}
STATUS = {"wrong": 403, "waiting": 429, "closed": 429}


async def half_way(request: AnyRequest) -> Held | None:
    """The session of who has shown a password and no second factor yet."""
    door = door_of(request)
    held = await door.held(request.cookies.get(SESSION_COOKIE))
    return held if held is not None and held.session.stage == "password" else None


async def require_half_way(request: AnyRequest) -> Held:
    """The same for a POST, which has to be meant; Problems `csrf-failed`, `unauthenticated`."""
    if not is_ours(request):
        raise Problem("csrf-failed")
    held = await half_way(request)
    if held is None:
        raise Problem("unauthenticated")
    await require_token(request, held, "session.own")
    return held


@get(SIGN_IN, opt={"public": True}, exception_handlers={Exception: refused}, include_in_schema=False)
async def password_page(request: AnyRequest) -> Response[bytes]:
    """Login and password; who is signed in already goes on to the console."""
    door = door_of(request)
    held = await door.held(request.cookies.get(SESSION_COOKIE))
    if held is not None and held.session.stage == "full":
        return go_to(CONSOLE)
    return page(request, "password", login="", error=None)


@post(
    SIGN_IN, opt={"public": True}, request_max_body_size=MOST_BYTES,
    exception_handlers={Exception: refused}, include_in_schema=False,
)  # fmt: skip
async def password(request: AnyRequest) -> Response[bytes]:
    """Verify login and password; the second factor is next."""
    if not is_ours(request):
        raise Problem("csrf-failed")
    door, form = door_of(request), await read_form(request)
    login = form.get("login", "")
    outcome = await door.password(login, form.get("password", ""), sender_of(request))
    if isinstance(outcome, Refused):
        return page(request, "password", status=STATUS[outcome.why], login=login, error=WORDS[outcome.why])
    before = await door.held(request.cookies.get(SESSION_COOKIE))
    if before is not None:
        await door.sign_out(before)
    return go_to(CODE, [session_cookie(outcome.token)])


@get(CODE, opt={"public": True}, exception_handlers={Exception: refused}, include_in_schema=False)
async def code_page(request: AnyRequest) -> Response[bytes]:
    """The second factor: a code, or a passkey."""
    held = await half_way(request)
    if held is None:
        return go_to(SIGN_IN)
    if held.member.enrolled_at is None:
        return go_to(SECOND_FACTOR)
    return page(request, "code", csrf=held.session.csrf, error=None)


@post(
    CODE, opt={"public": True}, request_max_body_size=MOST_BYTES,
    exception_handlers={Exception: refused}, include_in_schema=False,
)  # fmt: skip
async def code(request: AnyRequest) -> Response[bytes]:
    """Verify a one-time or recovery code; the console is next."""
    held = await require_half_way(request)
    form = await read_form(request)
    outcome = await door_of(request).code(held, form.get("code", ""), sender_of(request))
    if isinstance(outcome, Refused):
        csrf = held.session.csrf
        return page(request, "code", status=STATUS[outcome.why], csrf=csrf, error=WORDS[outcome.why])
    return _in(request, held, outcome)


@post(
    "/console/sign-in/passkey/options", status_code=200, opt={"public": True}, request_max_body_size=MOST_BYTES,
    exception_handlers={Exception: refused}, include_in_schema=False,
)  # fmt: skip
async def passkey_options(request: AnyRequest) -> Response[bytes]:
    """What the browser's authenticator is asked; 404 for who has no passkey."""
    held = await require_half_way(request)
    options = await door_of(request).passkey_options(held)
    if options is None:
        return json_reply({"words": "You have no passkey here. Use a code."}, 404)
    return json_reply(options.encode())


@post(
    "/console/sign-in/passkey", status_code=200, opt={"public": True}, request_max_body_size=MOST_BYTES,
    exception_handlers={Exception: refused}, include_in_schema=False,
)  # fmt: skip
async def passkey(request: AnyRequest) -> Response[bytes]:
    """Verify what the authenticator answered; `next` is where the script goes."""
    held = await require_half_way(request)
    credential = (await whole_body(request)).decode(errors="replace")
    outcome = await door_of(request).passkey(held, credential, sender_of(request))
    if isinstance(outcome, Refused):
        return json_reply({"words": WORDS[outcome.why]}, STATUS[outcome.why])
    return json_reply({"next": CONSOLE}, cookies=_in(request, held, outcome).cookies)


@get("/console/sign-in/passkey.js", opt={"public": True}, include_in_schema=False)
async def passkey_script() -> Response[bytes]:
    """The script of the pages that use passkeys."""
    return Response(_script(), media_type="text/javascript", headers=HEADERS)


@cache
def _script() -> bytes:
    return _SCRIPT.read_bytes()


@post(
    "/console/sign-out", opt={"action": "session.own"}, request_max_body_size=MOST_BYTES,
    exception_handlers={Exception: refused}, include_in_schema=False,
)  # fmt: skip
async def sign_out(request: AnyRequest) -> Response[bytes]:
    """End this session, here and in the browser."""
    door = door_of(request)
    await door.sign_out(held_of(request))
    reply = go_to(SIGN_IN, [no_session_cookie()])
    reply.headers["Clear-Site-Data"] = '"cache", "storage"'
    return reply


def _in(request: AnyRequest, held: Held, opened: Opened) -> Response[bytes]:
    """On to the console with the new session; from now on the browser is known as the login's own."""
    door = door_of(request)
    browser = browser_cookie(door.seal_browser(held.member.login))
    return go_to(CONSOLE, [session_cookie(opened.token), browser])


HANDLERS = (
    password_page, password, code_page, code, passkey_options, passkey, passkey_script, sign_out,
)  # fmt: skip
