"""What the console's routes answer with: a view as a page, or a message that says why there is none.

It does: render, and tell a person what a problem means. It does not: act. The rule it keeps: whoever asks for a page is
answered by a page, a script by problem+json as everywhere else.
"""

import re
from typing import Any

from litestar import Response

from api.console.messages import message_for
from api.console.rendering import show
from api.console.views import Choice, View
from api.errors import SLUGS, Problem, as_problem, handle
from api.metrics import PROBLEMS
from api.pages.replies import HEADERS, go_to
from api.requests import AnyRequest
from api.staff.guarding import door_of
from api.staff.pages.replies import SIGN_IN
from api.staff.sessions import no_session_cookie

_ID = re.compile(r"[a-z]{3,8}_[0-9a-f]{32}")


def require_id(text: str) -> None:
    """Problem `not-found` for what is no id of ours: the store is not asked for it."""
    if not _ID.fullmatch(text):
        raise Problem("not-found")


def page(request: AnyRequest, view: View, status: int = 200) -> Response[bytes]:
    """A view for whoever is signed in, or for nobody where that is not known."""
    member = request.scope["state"].get("member")
    csrf = "" if member is None else member.csrf
    body = show(view, member=member, csrf=csrf, demo=door_of(request).development)
    return Response(body, status_code=status, media_type="text/html", headers=HEADERS)


def message(request: AnyRequest, problem: Problem, back: Choice | None = None) -> Response[bytes]:
    """What a problem means to a person; `back` is where it came from."""
    PROBLEMS.labels(problem.slug).inc()
    status = SLUGS[problem.slug][0]
    return page(request, message_for(problem.slug, status, back), status)


def refused(request: AnyRequest, error: Exception) -> Response[bytes]:
    """For every route of the console: the door for who is not signed in, a message for other people."""
    problem = as_problem(error)
    if "text/html" not in request.headers.get("accept", ""):
        return handle(request, problem)
    if problem.slug == "unauthenticated":
        return go_to(SIGN_IN, [no_session_cookie()])
    return message(request, problem)


ROUTE: dict[str, Any] = {"exception_handlers": {Exception: refused}, "include_in_schema": False}
