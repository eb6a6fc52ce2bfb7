"""One's own account: sessions, passkeys, one-time and recovery codes.

The rule: what changes a factor asks for a fresh proof, password and code, unless there was one five minutes ago.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Response, get, post
from sqlalchemy import Connection

from api.bodies import whole_body
from api.errors import Problem
from api.pages.forms import MOST_BYTES, read_form
from api.pages.replies import go_to
from api.requests import AnyRequest
from api.staff import factors, sessions
from api.staff.door import Refused
from api.staff.guarding import door_of, held_of, member_of, sender_of
from api.staff.pages.replies import ACCOUNT, SECOND_FACTOR, json_reply, page, refused
from api.staff.pages.signing_in import STATUS, WORDS
from api.staff.sessions import session_cookie
from api.store import queries as store

_OWN: dict[str, Any] = {
    "opt": {"action": "session.own"}, "exception_handlers": {Exception: refused}, "include_in_schema": False,
}  # fmt: skip
_POST: dict[str, Any] = {**_OWN, "request_max_body_size": MOST_BYTES}
_PROVE = "Show first that it is you: type your password and a code."
_NO_PASSKEY = "That did not work. Load the page again, then try once more."


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as its owner sees it."""

    id: str
    since: datetime
    seen: datetime
    this: bool


@get(ACCOUNT, **_OWN)
async def account_page(request: AnyRequest) -> Response[bytes]:
    """Who one is signed in as, from where, and with what."""
    return await _page(request)


async def _page(request: AnyRequest, status: int = 200, error: str | None = None) -> Response[bytes]:
    door, held, member = door_of(request), held_of(request), member_of(request)

    def look(connection: Connection) -> tuple[tuple[store.Passkey, ...], int]:
        return store.passkeys_of(connection, member.id), store.recovery_codes_left(connection, member.id)

    keys, left = await door.database.read(look)
    return page(
        request,
        "account",
        status=status,
        member=member,
        csrf=member.csrf,
        login=held.member.login,
        roles=sorted(member.roles),
        sessions=[
            SessionView(each.sha256, each.created_at, each.seen_at, each.sha256 == member.session)
            for each in await door.sessions(held)
        ],
        passkeys=keys,
        codes_left=left,
        proved=sessions.is_proved(held.session, door.clock()),
        error=error,
    )


@post(f"{ACCOUNT}/proof", **_POST)
async def prove(request: AnyRequest) -> Response[bytes]:
    """Show again who is there; a new session takes the place of this one, and ends when it would have."""
    door, form = door_of(request), await read_form(request)
    password, code = form.get("password", ""), form.get("code", "")
    outcome = await door.code(held_of(request), code, sender_of(request), password)
    if isinstance(outcome, Refused):
        return await _page(request, STATUS[outcome.why], WORDS[outcome.why])
    return go_to(ACCOUNT, [session_cookie(outcome.token)])


@post(f"{ACCOUNT}/sessions", **_POST)
async def end_sessions(request: AnyRequest) -> Response[bytes]:
    """End one session, or all others (`session` is its id, or `others`)."""
    named = (await read_form(request)).get("session", "")
    if named:
        await door_of(request).end(held_of(request), None if named == "others" else named)
    return go_to(ACCOUNT)


@post(f"{ACCOUNT}/second-factor", **_POST)
async def new_seed(request: AnyRequest) -> Response[bytes]:
    """Begin with another authenticator app; the one in use counts until the new one is confirmed."""
    door, held = door_of(request), held_of(request)
    if not factors.may_change(door, held):
        return await _page(request, 403, _PROVE)
    await factors.begin_seed(door, held)
    return go_to(SECOND_FACTOR)


@post(f"{ACCOUNT}/recovery-codes", **_POST)
async def new_recovery_codes(request: AnyRequest) -> Response[bytes]:
    """Ten new recovery codes, shown in the answer and never again."""
    door, held, member = door_of(request), held_of(request), member_of(request)
    if not factors.may_change(door, held):
        return await _page(request, 403, _PROVE)
    made = await factors.renew_recovery_codes(door, held)
    return page(request, "recovery_codes", member=member, csrf=member.csrf, codes=made)


@post(f"{ACCOUNT}/passkeys/options", status_code=200, **_POST)
async def passkey_options(request: AnyRequest) -> Response[bytes]:
    """What the browser's authenticator is asked in order to make a passkey."""
    door, held = door_of(request), held_of(request)
    if not factors.may_change(door, held):
        return json_reply({"words": _PROVE}, 403)
    options = await factors.passkey_options(door, held)
    return (
        json_reply({"words": "You have as many as there can be."}, 409)
        if options is None
        else json_reply(options.encode())
    )


@post(f"{ACCOUNT}/passkeys", status_code=200, **_POST)
async def add_passkey(request: AnyRequest) -> Response[bytes]:
    """Keep the passkey that the authenticator made: JSON with its `credential` and a `name` of one's own."""
    door, held = door_of(request), held_of(request)
    if not factors.may_change(door, held):
        return json_reply({"words": _PROVE}, 403)
    try:
        told = json.loads(await whole_body(request))
        credential, name = json.dumps(told["credential"]), str(told.get("name", ""))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Problem("malformed-json") from None
    if not (name.isprintable() and await factors.add_passkey(door, held, credential, name)):
        return json_reply({"words": _NO_PASSKEY}, 422)
    return json_reply({"next": ACCOUNT})


@post(f"{ACCOUNT}/passkeys/removal", **_POST)
async def remove_passkey(request: AnyRequest) -> Response[bytes]:
    """Forget a passkey (`passkey` is its id)."""
    door, held = door_of(request), held_of(request)
    if not factors.may_change(door, held):
        return await _page(request, 403, _PROVE)
    await factors.remove_passkey(door, held, (await read_form(request)).get("passkey", ""))
    return go_to(ACCOUNT)


HANDLERS = (
    account_page, prove, end_sessions, new_seed, new_recovery_codes, passkey_options, add_passkey, remove_passkey,
)  # fmt: skip
