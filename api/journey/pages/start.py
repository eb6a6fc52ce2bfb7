"""Before the form, help, our own files, and in development the mailbox.

The rule: the mailbox is a page of development alone; elsewhere there is no such page.
"""

from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from litestar import Response, get
from litestar.params import FromPath

from api.errors import Problem
from api.journey.costing import Outcomes, by_people, costs
from api.journey.guarding import visit_here
from api.journey.rendering import ASSETS
from api.journey.replies import ROUTE, page
from api.pages.replies import asset_reply
from api.requests import AnyRequest, advice_of, settings_of, shell_of

_MOST_MAILS = 50


@get("/", **ROUTE)
async def start(request: AnyRequest) -> Response[bytes]:
    """Who lends, what it costs, what is asked of whom, and what to have at hand."""
    shell = shell_of(request)
    outcomes: Outcomes = request.app.state.outcomes
    referred, decided = await outcomes.newest()
    return page(
        request, "start", visit=await visit_here(request), costs=costs(shell.release.policy.on(shell.clock().date())),
        people=by_people(referred, decided), decided=decided,
    )  # fmt: skip


@get("/help", **ROUTE)
async def help_page(request: AnyRequest) -> Response[bytes]:
    """How to reach a person."""
    contacts = advice_of(request).contacts
    return page(request, "help", visit=await visit_here(request), contacts=contacts)


@get("/static/{name:str}", **ROUTE)
async def static(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
    """One of our own files, under an address that names its bytes."""
    asset = ASSETS.get(name)
    if asset is None:
        raise Problem("not-found")
    return asset_reply(asset, request.headers.get("accept-encoding", ""))


@get("/dev/mailbox", **ROUTE)
async def mailbox(request: AnyRequest) -> Response[bytes]:
    """In development, the mails that were sent: the newest first."""
    settings = settings_of(request)
    folder = settings.notices.mailbox
    if not settings.development or settings.notices.server is not None or folder is None:
        raise Problem("not-found")
    return page(request, "mailbox", visit=await visit_here(request), mails=mails_in(folder))


def mails_in(folder: Path) -> list[dict[str, object]]:
    """The newest mails of a folder; links in them can be followed."""
    files = sorted(folder.glob("*.eml"), key=lambda each: each.stat().st_mtime, reverse=True) if folder.is_dir() else []
    return [_mail(file.read_bytes()) for file in files[:_MOST_MAILS]]


def _mail(content: bytes) -> dict[str, object]:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain",))
    text = "" if body is None else body.get_content()
    parts = [{"text": line, "link": line if line.startswith("http") else ""} for line in text.splitlines()]
    return {"to": message["To"], "subject": message["Subject"], "date": message["Date"], "lines": parts}


HANDLERS = (start, help_page, static, mailbox)
