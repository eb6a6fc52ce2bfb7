"""Replies of the sign-in pages: rendered pages, redirections, JSON for passkeys; all with the same headers.

The rule: nothing of these pages is kept by a browser or a proxy, framed, or told to another site; nothing inline runs.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Response
from litestar.datastructures import Cookie

from api.console.rendering import render
from api.errors import as_problem, handle
from api.pages.replies import HEADERS, go_to, html
from api.requests import AnyRequest
from api.staff.guarding import Member, door_of
from api.staff.sessions import no_session_cookie

SIGN_IN, CODE, SECOND_FACTOR, ACCOUNT, CONSOLE = (
    "/console/sign-in", "/console/sign-in/code", "/console/second-factor", "/console/me", "/console",
)  # fmt: skip


def page(
    request: AnyRequest,
    name: str,
    *,
    status: int = 200,
    member: Member | None = None,
    csrf: str = "",
    cookies: Sequence[Cookie] = (),
    **context: Any,
) -> Response[bytes]:
    """A rendered page of `templates/sign_in/`; `csrf` is the session's token where there is a session."""
    demo = door_of(request).development
    body = render(f"sign_in/{name}.html", member=member, csrf=csrf, demo=demo, **context)
    return html(body, status, cookies)


def json_reply(body: bytes | dict[str, Any], status: int = 200, cookies: Sequence[Cookie] = ()) -> Response[bytes]:
    """JSON for the script of the passkey pages."""
    encoded = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return Response(encoded, status_code=status, media_type="application/json", headers=HEADERS, cookies=list(cookies))


def refused(request: AnyRequest, error: Exception) -> Response[bytes]:
    """For routes of the console: who is not signed in and looks at a page is led to the door; a problem otherwise."""
    problem = as_problem(error)
    if problem.slug == "unauthenticated" and "text/html" in request.headers.get("accept", ""):
        return go_to(SIGN_IN, [no_session_cookie()])
    return handle(request, problem)
