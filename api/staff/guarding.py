"""What stands before the routes of staff: who is signed in, whether they may do this, and whether they meant to.

It does: enforce the action that a route declares, refuse foreign pages and requests without the session's token, read
forms. It does not: know cases; whose case it is, is the case service's to hold. The rules it keeps: origin, session,
role and token are looked at in this order and before the body (a small form's apart, which may hold the token); a
denied request is logged by member and action, and counted.
"""

import hmac
from dataclasses import dataclass
from typing import Any

import structlog
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from api.errors import Problem
from api.pages.forms import CSRF_FIELD, CSRF_HEADER, is_form, is_from, read_form
from api.requests import AnyRequest, address_of
from api.staff.authority import may
from api.staff.counts import DENIED
from api.staff.door import Door, Held, Sender
from api.staff.sessions import BROWSER_COOKIE, SESSION_COOKIE

log = structlog.get_logger()

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Member:
    """A member of staff who is signed in, for the length of one request; `session` is the digest of its token."""

    id: str
    name: str
    roles: frozenset[str]
    session: str
    csrf: str
    demo: bool = False

    def may(self, action: str) -> bool:
        """Whether one of the roles allows an action of the table."""
        return may(self.roles, action)


async def enforce(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Litestar's guard of the whole application: nobody reaches a route with an action but who may do it."""
    action = handler.opt.get("action")
    if action is not None:
        assert isinstance(connection, Request)
        await signed_in(connection, action)


enforce.enforces_actions = True  # type: ignore[attr-defined]  # what authority.require_rules looks for


async def signed_in(request: AnyRequest, action: str) -> Member:
    """Who is signed in and may do this; Problems `csrf-failed`, `unauthenticated`, `forbidden`.

    KeyError for an action that is not in the table.
    """
    door = door_of(request)
    unsafe = request.method not in _SAFE
    if unsafe and not is_ours(request):
        raise _denied("csrf-failed", action, "origin")
    token = request.cookies.get(SESSION_COOKIE)
    held = await door.held(token)
    if held is None or held.session.stage != "full" or held.member.enrolled_at is None:
        raise _denied("unauthenticated", action, "over" if token else "signed_out")
    if not may(held.member.roles, action):
        raise _denied("forbidden", action, "role", held)
    if unsafe:
        await require_token(request, held, action)
    member = _member(held)
    request.scope["state"]["held"], request.scope["state"]["member"] = held, member
    return member


def member_of(request: AnyRequest) -> Member:
    """Whom the guard let in; KeyError on a route without an action."""
    member: Member = request.scope["state"]["member"]
    return member


def held_of(request: AnyRequest) -> Held:
    """The session that the guard let in; KeyError on a route without an action."""
    held: Held = request.scope["state"]["held"]
    return held


def door_of(request: AnyRequest) -> Door:
    """The people's entrance of this application."""
    door: Door = request.app.state.staff
    return door


def sender_of(request: AnyRequest) -> Sender:
    """Who sends a request: its address, and the browser where it signed in before."""
    return Sender(address_of(request), request.cookies.get(BROWSER_COOKIE))


# -- whether the sender meant it -----------------------------------------------------------------------------


def is_ours(request: AnyRequest) -> bool:
    """Whether a page of the console sent this."""
    return is_from(request, door_of(request).origins)


async def require_token(request: AnyRequest, held: Held, action: str) -> None:
    """Problem `csrf-failed` without the session's token: in the header, or a field of a small form."""
    shown = request.headers.get(CSRF_HEADER)
    if shown is None and is_form(request):
        shown = (await read_form(request)).get(CSRF_FIELD)
    if shown is None or not hmac.compare_digest(shown.encode(), held.session.csrf.encode()):
        raise _denied("csrf-failed", action, "csrf", held)


def _member(held: Held) -> Member:
    row = held.member
    return Member(row.id, row.name, row.roles, held.session.sha256, held.session.csrf, row.demo)


def _denied(slug: str, action: str, why: str, held: Held | None = None) -> Problem:
    DENIED.labels(action, why).inc()
    log.warning("staff_denied", action=action, why=why, staff_id=held.member.id if held else None)
    return Problem(slug)
