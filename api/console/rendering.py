"""The console's pages as bytes, and the files they load. It does not: send anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol

from api.console.views import (
    AuditView,
    BoardView,
    CaseView,
    ComplianceView,
    MessageView,
    ReferralsView,
    ReferralView,
    SearchView,
    View,
    WatchingView,
)
from api.pages import wording
from api.pages.assets import Assets
from api.pages.rendering import environment

PLACE: Final = "/console/static"
ASSETS: Final = Assets(Path(__file__).parent / "static", PLACE)
TEMPLATES: Final[Mapping[type, str]] = {
    BoardView: "board.html",
    CaseView: "case.html",
    SearchView: "search.html",
    ComplianceView: "compliance.html",
    AuditView: "audit.html",
    WatchingView: "watching.html",
    ReferralsView: "referrals.html",
    ReferralView: "referral.html",
    MessageView: "message.html",
}


class Signed(Protocol):
    """What pages ask of the member of staff who looks at them (api.staff.guarding.Member has it)."""

    @property
    def name(self) -> str: ...
    def may(self, action: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class LiveBoard:
    """The part of the board that changes while it is looked at; `version` names exactly these bytes."""

    body: bytes
    version: str


def render(name: str, **context: Any) -> bytes:
    """A template as UTF-8. Every page needs `member` (or None), `csrf` and `demo`; UndefinedError names what lacks."""
    return _ENVIRONMENT.get_template(name).render(context).encode()


def show(view: View, *, member: Signed | None, csrf: str, demo: bool) -> bytes:
    """The page of a view; the view's type chooses the template."""
    context: dict[str, Any] = {"view": view, "member": member, "csrf": csrf, "demo": demo}
    if isinstance(view, BoardView):
        context["live"] = live_board(view, csrf=csrf).version
    return render(TEMPLATES[type(view)], **context)


def live_board(view: BoardView, *, csrf: str) -> LiveBoard:
    """The board's moving part alone, for `/console/board/version`; its version is its ETag, without the quotes."""
    body = render("board_live.html", view=view, csrf=csrf)
    return LiveBoard(body, sha256(body).hexdigest()[:16])


_ENVIRONMENT = environment(Path(__file__).parent / "templates", ASSETS, wording.NOTHING)
_ENVIRONMENT.filters.update(points=wording.points, shown=wording.shown, typed=wording.typed, utc=wording.utc)
