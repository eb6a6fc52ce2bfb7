"""How a source is reached, and the addresses built from that.

It does: refuse what no request may hold, and percent-encode the rest. It does not: send anything. The rule it
keeps: neither an applicant's text nor a source's own can change where a request goes or which headers it has.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit

from api.sources import SourceFailed

Headers = Mapping[str, str]

_LONGEST_SEGMENT = 200
_PLACE = re.compile(r"(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-F]{2})+)*/?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Line:
    """How a source is reached; credentials come from settings alone and are never shown."""

    name: str
    base_url: str  # http or https, without user, query and fragment
    headers: Headers = field(repr=False)  # sent with every request: authorisation, x-v and the like
    timeout_s: float = 3.0  # of one whole conversation, whatever the request would allow
    fair_s: float = 0.25  # a conversation that had less says nothing about the source when its time runs out
    most_bytes: int = 4_000_000  # of one answer's body
    ca_file: str | None = None  # the only certificates to trust, instead of the system's
    most_connections: int = 32

    def __post_init__(self) -> None:
        """Refuse an address or a header that no request could be built from; the message never holds it."""
        parts = urlsplit(self.base_url)
        good = parts.scheme in ("http", "https") and _PLACE.fullmatch(parts.netloc) and _PATH.fullmatch(parts.path)
        if not good or parts.query or parts.fragment:
            raise ValueError(f"the address of {self.name} is not a plain http(s) address")
        check_headers(self.name, self.headers)

    def address(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """The whole address of a path below this line's, the query percent-encoded.

        Raises ValueError for a path that is not made of percent-encoded segments: a mistake of ours.
        """
        if not _PATH.fullmatch(path):
            raise ValueError(f"a path for {self.name} is not made of percent-encoded segments")
        asked = "?" + urlencode(query, quote_via=quote, safe="", errors="replace") if query else ""
        return self.base_url.rstrip("/") + path + asked


def segment(text: str) -> str:
    """One segment of a path, percent-encoded; SourceFailed("schema") for what could not be one."""
    if text in ("", ".", "..") or len(text) > _LONGEST_SEGMENT:
        raise SourceFailed("schema")
    return quote(text, safe="", errors="replace")


def check_headers(name: str, headers: Headers) -> None:
    """Refuse headers that would smuggle further ones in; the ValueError does not show them."""
    if any(_CONTROL.search(text) for item in headers.items() for text in item):
        raise ValueError(f"a header for {name} holds control characters")
