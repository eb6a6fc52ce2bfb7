"""Pages as bytes: one template environment, strict, with everything that pages share.

It does: escape every value, make invisible characters visible, and fail on a name that a page was not given. It does
not: send anything. The rule it keeps: no template marks a text as safe, and no page holds an inline script or style
(the console's Content-Security-Policy would refuse it).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from api.console import wording
from api.console.assets import address
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
)

ZONE: Final = ZoneInfo("Australia/Sydney")  # the lender's, unless a page is given another as `zone`
TEMPLATES: Final[Mapping[type, str]] = {
    BoardView: "board.html",
    CaseView: "case.html",
    SearchView: "search.html",
    ComplianceView: "compliance.html",
    AuditView: "audit.html",
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


def show(view: View, *, member: Signed | None, csrf: str, demo: bool, zone: ZoneInfo = ZONE) -> bytes:
    """The page of a view; the view's type chooses the template."""
    context: dict[str, Any] = {"view": view, "member": member, "csrf": csrf, "demo": demo, "zone": zone}
    if isinstance(view, BoardView):
        context["live"] = live_board(view, csrf=csrf, zone=zone).version
    return render(TEMPLATES[type(view)], **context)


def live_board(view: BoardView, *, csrf: str, zone: ZoneInfo = ZONE) -> LiveBoard:
    """The board's moving part alone, for `/console/board/version`; its version is its ETag, without the quotes."""
    body = render("board_live.html", view=view, csrf=csrf, zone=zone)
    return LiveBoard(body, sha256(body).hexdigest()[:16])


def _final(value: Any) -> Any:
    # Exactly str: a macro's result is markup, and its values went through here already.
    if type(value) is str:
        return wording.visible(value)
    return wording.NOTHING if value is None else value


@pass_context
def _local(context: Context, moment: Any) -> str:
    return wording.local(moment, context["zone"])


@pass_context
def _soon(context: Context, moment: Any) -> str:
    return wording.soon(moment, context["zone"])


@pass_context
def _dated(context: Context, moment: Any) -> str:
    return wording.dated(moment, context["zone"])


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_final,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(asset=address, zone=ZONE)
    environment.filters.update(
        abn=wording.abn, day=wording.day, dated=_dated, duration=wording.duration, local=_local,
        machine_time=wording.machine_time, money=wording.money, percent=wording.percent, points=wording.points,
        shown=wording.shown, size=wording.size, soon=_soon, typed=wording.typed, utc=wording.utc,
    )  # fmt: skip
    return environment


_ENVIRONMENT = _environment()
