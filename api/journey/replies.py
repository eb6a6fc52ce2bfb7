"""What the applicant's routes answer with: a page, or a message in words that says what to do next.

The rule: whoever asks for a page is answered by a page, a script by problem+json as everywhere else.
"""

from collections.abc import Sequence
from typing import Any

from litestar import Response
from litestar.datastructures import Cookie

from api.applicants.visits import no_cookie
from api.errors import SLUGS, as_problem, handle
from api.journey.rendering import render
from api.metrics import PROBLEMS
from api.pages.replies import HEADERS, html
from api.requests import AnyRequest, settings_of
from api.store.queries.applicants import VisitRow

_WORDS: dict[str, tuple[str, str]] = {
    "unauthenticated": (
        "You have been away for a while",
        "To keep your details safe this page was closed. Nothing you sent is lost: come back by the link that we "
        "e-mailed you, or with a one-time code.",
    ),
    "not-found": ("Page not found", "There is nothing here, or it belongs to somebody else."),
    "csrf-failed": (
        "That did not come from our page",
        "Nothing was changed. Go back, reload the page and try again.",
    ),
    "stale-version": ("This has changed", "It was changed somewhere else. Go back, reload the page and try again."),
    "offer-superseded": (
        "Another decision stands now",
        "It was decided again since you saw this offer, on richer information. Nothing was accepted: look at what "
        "stands now.",
    ),
    "no-offer": ("There is nothing to accept", "The decision that stands now offers no line. Nothing was changed."),
    "not-now": ("That cannot be done now", "It has moved on since you saw the page. Go back and reload it."),
    "contract-not-drawn": (
        "A person has to look at who signs",
        "With the people that you named we cannot say who signs the contract. Ask us, and a person will sort it out. "
        "The offer is kept for you meanwhile.",
    ),
    "payload-too-large": ("That is too large", "Nothing was changed. Send less at once."),
    "rate-limited": ("Too many tries", "Wait a few minutes, then try again. Nothing was lost."),
    "offer-expired": ("The offer has expired", "You may apply again, and what you told us can be used again."),
}
_SORRY = ("Something did not work", "Nothing you typed is lost. Try again in a minute, or ask us for help.")


def page(
    request: AnyRequest,
    name: str,
    *,
    status: int = 200,
    visit: VisitRow | None = None,
    cookies: Sequence[Cookie] = (),
    **context: Any,
) -> Response[bytes]:
    """A rendered page of `templates/`; `visit` gives its token, and whether somebody is signed in."""
    settings = settings_of(request)
    body = render(
        name, csrf="" if visit is None else visit.csrf, lender=settings.lender(), demo=settings.development,
        signed_in=visit is not None and visit.applicant_id is not None, **context,
    )  # fmt: skip
    return html(body, status, cookies)


def link_over(request: AnyRequest) -> Response[bytes]:
    """For a link of somebody's own that is unknown or too old."""
    words = "It is older than 7 days. Ask whoever applied to have another one sent."
    return page(request, "message", status=410, title="This link works no longer", words=words, slug="gone")


def refused(request: AnyRequest, error: Exception) -> Response[bytes]:
    """For every route of the applicant's pages."""
    problem = as_problem(error)
    if "text/html" not in request.headers.get("accept", ""):
        reply = handle(request, problem)
        reply.headers.update(HEADERS)
        return reply
    PROBLEMS.labels(problem.slug).inc()
    status = SLUGS[problem.slug][0]
    title, words = _WORDS.get(problem.slug, _SORRY)
    cookies = [no_cookie()] if problem.slug == "unauthenticated" else []
    return page(request, "message", status=status, cookies=cookies, title=title, words=words, slug=problem.slug)


ROUTE: dict[str, Any] = {
    "opt": {"public": True}, "exception_handlers": {Exception: refused}, "include_in_schema": False,
}  # fmt: skip
