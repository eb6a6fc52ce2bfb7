"""A document of a case as its page shows it: what was read and where, checks, and what may be done with it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Verdict = Literal["pass", "warn", "fail", "unread"]
Box = tuple[int, int, int, int]  # left, top, right, bottom, per mille of the page
_PER_MILLE = 1_000


@dataclass(frozen=True, slots=True)
class CheckView:
    """One machine check of a document."""

    name: str
    verdict: Verdict
    confidence_bps: int
    says: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Where on a page a field was read; ValueError for a box outside its page."""

    field: str
    label: str
    page: int
    box: Box

    def __post_init__(self) -> None:
        left, top, right, bottom = self.box
        if not (0 <= left < right <= _PER_MILLE and 0 <= top < bottom <= _PER_MILLE and self.page >= 1):
            raise ValueError("a mark lies inside its page")


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document of the case; `pages` is 0 while nothing safe can be shown.

    `actions`: accept, return, record, original; what is not in it is not on the page.
    """

    id: str
    title: str
    state: str
    received_at: datetime
    bytes: int
    pages: int
    person: str | None = None
    media_type: str | None = None
    electronic: bool = False
    scanned: str = ""  # what the virus scanner said, in words
    checks: tuple[CheckView, ...] = ()
    marks: tuple[Mark, ...] = ()
    reason: str | None = None  # why it was returned or rejected, in words
    words: str | None = None  # that the applicant was told
    actions: frozenset[str] = frozenset()

    @property
    def settled(self) -> bool:
        """Whether nobody has to look at it any more."""
        return self.state in {"accepted", "returned", "rejected", "replaced"}
