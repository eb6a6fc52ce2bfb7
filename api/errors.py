"""Problems: every error reply, one type, after RFC 9457, with stable slugs.

It does: turn our own problems, the framework's exceptions and unforeseen ones into `application/problem+json`.
It does not: ever repeat a value that was sent; field problems give path and rule. The rule it keeps: a slug
never changes its meaning (docs/problems.md lists them).
"""

import random
import re
from collections.abc import Iterable
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from pydantic import ValidationError

from api.metrics import PROBLEMS
from api.store.errors import InFlight, OutcomeUnknown, StorageFull, StoreBusy, StoreError

log = structlog.get_logger()

# slug -> (status, title)
SLUGS: dict[str, tuple[int, str]] = {
    "idempotency-key-missing": (400, "The Idempotency-Key header is missing"),
    "idempotency-key-invalid": (400, "The Idempotency-Key header is not a valid key"),
    "idempotency-key-reuse": (422, "This Idempotency-Key was used with another request"),
    "idempotency-in-flight": (409, "A request with this Idempotency-Key is still running"),
    "idempotency-key-expired": (410, "The reply for this Idempotency-Key is no longer held"),
    "invalid-deadline": (400, "Request-Deadline-Ms is a whole number from 50 to 10000"),
    "duplicate-application": (409, "This business has an open application already"),
    "application-locked": (409, "This business may not apply again yet"),
    "offer-superseded": (409, "Another decision stands now"),
    "offer-expired": (409, "The offer has expired"),
    "no-offer": (409, "The decision offers nothing"),
    "not-now": (409, "That cannot be done as the case stands"),
    "not-held": (409, "The case is not yours at this moment"),
    "stale-version": (409, "It was changed since you saw it"),
    "separation-of-duties": (403, "Another person has to do this"),
    "contract-not-drawn": (409, "The contract cannot be drawn up for this case"),
    "quota-exceeded": (429, "More documents than one application or one day may send"),
    "malformed-json": (400, "The body is not valid JSON"),
    "malformed-request": (400, "The request is malformed"),
    "validation-failed": (422, "Some fields are not acceptable"),
    "payload-too-large": (413, "The body is too large"),
    "unsupported-media-type": (415, "The body is of a type that is not taken here"),
    "unauthenticated": (401, "A valid bearer key is required"),
    "forbidden": (403, "This key may not do that"),
    "csrf-failed": (403, "The request does not come from a page of ours"),
    "not-found": (404, "Not found"),
    "method-not-allowed": (405, "Method not allowed"),
    "request-timeout": (408, "The request took too long to arrive"),
    "gone": (410, "The record was erased"),
    "rate-limited": (429, "Too many requests of this kind from this key"),
    "deadline-exceeded": (504, "There was not enough time; repeat the request with the same key"),
    "not-configured": (503, "This part of the service is not set up"),
    "dependency-unavailable": (503, "The database is not available"),
    "overloaded": (503, "Too much is being asked at once"),
    "storage-full": (503, "Storage is full"),
    "outcome-unknown": (503, "Whether the request took effect is not known; repeat it with the same key"),
    "draining": (503, "The service is stopping"),
    "internal": (500, "An internal error"),
}
RETRY = frozenset(
    {
        "dependency-unavailable", "overloaded", "storage-full", "outcome-unknown", "idempotency-in-flight", "draining",
        "deadline-exceeded", "rate-limited",
    }
)  # fmt: skip
MOST_FIELD_PROBLEMS = 100  # in one reply; a statement with a wrong column would list it 20,000 times
_SAFE_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")


class FieldProblem(msgspec.Struct, frozen=True):
    """A field's path and the rule it breaks; never its value."""

    path: str
    rule: str
    message: str


class Problem(Exception):
    """An error with a slug; raised anywhere in the shell, turned into a reply at the edge."""

    def __init__(
        self,
        slug: str,
        errors: Iterable[FieldProblem] = (),
        earlier: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(slug)
        self.retry_after = retry_after  # seconds, where it is known; a few otherwise
        self.slug = slug
        self.errors = tuple(errors)
        self.earlier = earlier  # the decision that stands, told to its owner alone


def field_problems(error: ValidationError, under: str = "") -> list[FieldProblem]:
    """A validation error's problems, path and rule, with the values left out; the first hundred."""
    items = error.errors(include_url=False, include_context=False, include_input=False)[:MOST_FIELD_PROBLEMS]
    within = {item["loc"][:depth] for item in items for depth in range(len(item["loc"]))}
    return [
        FieldProblem(path=_path(item["loc"], under), rule=item["type"], message=item["msg"])
        for item in items
        # A list whose items are wrong counts as empty: that is no second mistake of the sender's.
        if not (item["type"] == "too_short" and item["loc"] in within)
    ]


def _path(location: tuple[int | str, ...], under: str) -> str:
    # An unknown field's name comes from the sender: it is shown only where it looks like a name.
    parts = [str(part) if isinstance(part, int) or _SAFE_PATH.fullmatch(part) else "?" for part in location]
    return ".".join([under, *parts] if under else parts)


def problem_reply(problem: Problem, request_id: str, problems_url: str) -> Response[bytes]:
    """The reply for a problem; retryable ones say when, with jitter so that clients do not come back as one."""
    status, title = SLUGS[problem.slug]
    body: dict[str, Any] = {
        "type": f"{problems_url}/{problem.slug}", "title": title, "status": status, "request_id": request_id,
    }  # fmt: skip
    if problem.errors:
        body["errors"] = problem.errors
    if problem.earlier is not None:
        body["earlier_decision"] = problem.earlier
    PROBLEMS.labels(problem.slug).inc()
    headers = {"Cache-Control": "no-store"}
    if problem.slug in RETRY:
        headers["Retry-After"] = str(problem.retry_after or random.choice((1, 2, 3)))
    if problem.slug == "request-timeout":
        headers["Connection"] = "close"  # what is left of the body is not waited for
    if problem.slug == "unauthenticated":
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        msgspec.json.encode(body), status_code=status, media_type="application/problem+json", headers=headers
    )


_BY_STATUS = {
    400: "malformed-request", 401: "unauthenticated", 403: "forbidden", 404: "not-found",
    405: "method-not-allowed", 413: "payload-too-large", 415: "unsupported-media-type",
}  # fmt: skip


def as_problem(error: Exception) -> Problem:
    """The problem that an exception amounts to; anything unforeseen is `internal` and logged without values."""
    match error:
        case Problem():
            return error
        case InFlight():
            return Problem("idempotency-in-flight")
        case OutcomeUnknown():
            return Problem("outcome-unknown")
        case StorageFull():
            return Problem("storage-full")
        case StoreBusy():
            return Problem("overloaded")
        case StoreError():
            return Problem("dependency-unavailable")
        case HTTPException() if error.status_code in _BY_STATUS:
            return Problem(_BY_STATUS[error.status_code])
    log.error("internal_error", error_type=type(error).__name__, where=where(error))
    return Problem("internal")


def where(error: Exception) -> str:
    """File and line where an exception was raised: enough to find a bug, free of values."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "unknown"


def handle(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Litestar's exception handler for everything."""
    problem = as_problem(error)
    request.state.problem = problem.slug
    settings = request.app.state.settings
    reply = problem_reply(problem, request.scope["state"].get("request_id", ""), settings.problems_url)
    if problem.slug == "method-not-allowed" and isinstance(error, HTTPException):
        reply.headers["Allow"] = (error.headers or {}).get("allow", "")
    return reply


for _slug in SLUGS:
    PROBLEMS.labels(_slug)  # from nought on: an alert must not miss the first

__all__ = ["SLUGS", "FieldProblem", "Problem", "as_problem", "field_problems", "handle"]
