"""The pages behind an enrolment link: set a password, then a second factor, then keep the recovery codes.

The link's token is a secret in a path: these pages give no referrer and are not stored, and our log names routes by
their template alone. The token is taken when the password is set; what follows rests on the session.
"""

from litestar import Response, get, post
from litestar.params import FromPath

from api.errors import Problem
from api.pages.forms import MOST_BYTES, read_form
from api.pages.replies import HEADERS, go_to
from api.requests import AnyRequest
from api.staff import factors
from api.staff.codes import picture
from api.staff.door import Held
from api.staff.guarding import door_of, is_ours, require_token, sender_of
from api.staff.pages.replies import ACCOUNT, CODE, SECOND_FACTOR, SIGN_IN, page, refused
from api.staff.sessions import SESSION_COOKIE, browser_cookie, session_cookie

_LINK = "/console/enrol/{token:str}"
_DIFFERENT = "The two are not the same. Type the password again in both."
_WRONG_CODE = "That is not the code of this moment. Wait for the next one and type it in."


@get(_LINK, opt={"public": True}, exception_handlers={Exception: refused}, include_in_schema=False)
async def password_page(request: AnyRequest, token: FromPath[str]) -> Response[bytes]:
    """Choose a password, for whom the link is for."""
    member = await factors.enrolee(door_of(request), token)
    if member is None:
        return page(request, "gone", status=404)
    return page(request, "enrol", login=member.login, error=None)


@post(
    _LINK, opt={"public": True}, request_max_body_size=MOST_BYTES,
    exception_handlers={Exception: refused}, include_in_schema=False,
)  # fmt: skip
async def password(request: AnyRequest, token: FromPath[str]) -> Response[bytes]:
    """Take the link and set the password; a second factor is next."""
    if not is_ours(request):
        raise Problem("csrf-failed")
    door, form = door_of(request), await read_form(request)
    member = await factors.enrolee(door, token)
    if member is None:
        return page(request, "gone", status=404)
    if form.get("password", "") != form.get("again", ""):
        return page(request, "enrol", status=422, login=member.login, error=_DIFFERENT)
    outcome = await factors.enrol(door, token, form.get("password", ""), sender_of(request))
    match outcome:
        case None:
            return page(request, "gone", status=404)
        case factors.Fault():
            return page(request, "enrol", status=422, login=member.login, error=outcome.words)
    place = CODE if member.enrolled_at is not None else SECOND_FACTOR
    return go_to(place, [session_cookie(outcome.token)])


@get(SECOND_FACTOR, opt={"public": True}, exception_handlers={Exception: refused}, include_in_schema=False)
async def second_factor_page(request: AnyRequest) -> Response[bytes]:
    """The picture for the authenticator app, its seed in letters, and where to type the first code."""
    held = await _setting_up(request)
    seed = None if held is None else factors.pending_seed(door_of(request), held)
    if held is None or seed is None:
        return go_to(SIGN_IN if held is None or held.session.stage == "password" else ACCOUNT)
    return page(request, "second_factor", csrf=held.session.csrf, seed=_in_groups(seed), error=None)


@get(f"{SECOND_FACTOR}.svg", opt={"public": True}, exception_handlers={Exception: refused}, include_in_schema=False)
async def second_factor_picture(request: AnyRequest) -> Response[bytes]:
    """The picture itself, for its owner alone."""
    held = await _setting_up(request)
    seed = None if held is None else factors.pending_seed(door_of(request), held)
    if held is None or seed is None:
        raise Problem("not-found")
    return Response(picture(seed, held.member.login), media_type="image/svg+xml", headers=HEADERS)


@post(
    SECOND_FACTOR, opt={"public": True}, request_max_body_size=MOST_BYTES,
    exception_handlers={Exception: refused}, include_in_schema=False,
)  # fmt: skip
async def second_factor(request: AnyRequest) -> Response[bytes]:
    """Confirm the app by a code of it; the recovery codes are shown in the answer and never again."""
    if not is_ours(request):
        raise Problem("csrf-failed")
    door, held = door_of(request), await _setting_up(request)
    if held is None:
        raise Problem("unauthenticated")
    await require_token(request, held, "session.own")
    form = await read_form(request)
    done = await factors.confirm_seed(door, held, form.get("code", ""), sender_of(request))
    if done is None:
        seed = factors.pending_seed(door, held)
        if seed is None:
            raise Problem("unauthenticated")
        csrf, shown = held.session.csrf, _in_groups(seed)
        return page(request, "second_factor", status=422, csrf=csrf, seed=shown, error=_WRONG_CODE)
    cookies = [
        session_cookie(done.opened.token),
        browser_cookie(door.seal_browser(held.member.login)),
    ]
    return page(request, "recovery_codes", csrf=done.opened.row.csrf, cookies=cookies, codes=done.recovery_codes)


async def _setting_up(request: AnyRequest) -> Held | None:
    """The session of who may set up a second factor now."""
    door = door_of(request)
    held = await door.held(request.cookies.get(SESSION_COOKIE))
    return held if held is not None and factors.may_change(door, held) else None


def _in_groups(seed: str) -> str:
    return " ".join(seed[start : start + 4] for start in range(0, len(seed), 4))


HANDLERS = (password_page, password, second_factor_page, second_factor_picture, second_factor)
