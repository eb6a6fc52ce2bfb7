"""Which answers are none, and what a failure says about the source: is it ill, and may it pass by itself?

It does: judge status and declared encoding before a body is read. It does not: read bodies, or know the HTTP
library. The rule it keeps: only documented statuses and plain UTF-8 are answers.
"""

import re
from collections.abc import Mapping

from api.sources import FailedElsewhere, SourceFailed, Why

_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s;\"]*)", re.IGNORECASE)

# A source with one of these is ill. Not so one that refuses our credentials or points elsewhere: that is a matter of
# set-up, answered at once, and an open breaker would hide the reason from the operator who is to mend it.
_SICK: frozenset[Why] = frozenset(
    ("refused", "reset", "timeout", "tls", "oversized", "encoding", "malformed", "schema", "status")
)
_PASSING: frozenset[Why] = frozenset(("refused", "reset"))


class Refused(SourceFailed):
    """A status that is not an answer; `ill` if the fault is on the source's side."""

    def __init__(self, why: Why, *, ill: bool = False, waits: bool = False) -> None:
        super().__init__(why)
        self.ill = ill
        self.waits = waits  # it said how long to wait: longer than any conversation


def is_sick(failure: SourceFailed) -> bool:
    """Whether the failure counts against the source."""
    if isinstance(failure, FailedElsewhere):
        return False
    return failure.ill if isinstance(failure, Refused) else failure.why in _SICK


def is_passing(failure: SourceFailed) -> bool:
    """Whether the same request may well succeed a moment later; a timeout has used up that moment."""
    if isinstance(failure, Refused):
        return not failure.waits and (failure.ill or failure.why == "busy")
    return failure.why in _PASSING


def check_status(status: int, headers: Mapping[str, str], good: tuple[int, ...]) -> None:
    """Raise Refused for a status that is not among the good ones."""
    if status in good:
        return
    match status:
        case 401 | 403:
            raise Refused("unauthorised")
        case 429 | 503:
            raise Refused("busy", waits="Retry-After" in headers)
        case _ if 300 <= status < 400:  # noqa: PLR2004
            raise Refused("redirect")
        case _:
            raise Refused("status", ill=status >= 500)  # noqa: PLR2004


def check_encoding(headers: Mapping[str, str], text: bool) -> None:
    """Raise SourceFailed for a body that is compressed, or for a text that says it is not UTF-8."""
    if headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise SourceFailed("encoding")
    charset = _CHARSET.search(headers.get("Content-Type", "")) if text else None
    if charset is not None and charset[1].lower() not in ("utf-8", "utf8"):
        raise SourceFailed("encoding")
