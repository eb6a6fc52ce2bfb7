"""The bank account in the form: connected, or shown by uploaded statements.

The rules: what is uploaded is read at once and refused in words; a connection is made with the lender's accredited
party, and in development with the sandbox, whose connections are named after the business.
"""

import json

from litestar import Response, get, post

from api.applicants import drafts
from api.applicants.drafts import Answers, Draft
from api.errors import Problem
from api.journey.guarding import lobby_of, meant, meant_with_files, require_ours, require_visit
from api.journey.replies import ROUTE, page
from api.pages.forms import MOST_BYTES
from api.pages.replies import go_to
from api.requests import AnyRequest, settings_of
from api.sources.csv_rows import RULES, StatementRefused
from api.sources.csv_statement import MOST_FILES, Upload, read_statements
from api.store.queries.applicants import VisitRow

MOST_UPLOAD = 1_100_000
_FORM = "/apply/check"  # which leads on to where the form has come
_MOST_CSV, _MOST_ALL = 1_000_000, 2_000_000


def kept_statements(answers: Answers) -> tuple[dict[str, str], ...]:
    """The files that were uploaded with these answers."""
    return tuple(json.loads(answers.get("statements") or "[]"))


async def _draft(request: AnyRequest, visit: VisitRow) -> Draft | None:
    """What is being filled in; None where nothing is any more, and then the form knows where to go."""
    draft = await drafts.load(lobby_of(request), visit.draft_id)
    return None if draft is None or draft.sent else draft


@get("/apply/connect", **ROUTE)
async def connect_page(request: AnyRequest) -> Response[bytes]:
    """What connecting means; where nothing can be connected, back to the choice."""
    visit = await require_visit(request)
    if await _draft(request, visit) is None:
        return go_to(_FORM)
    if not settings_of(request).development:
        return go_to("/apply/bank")
    return page(request, "form/connect", visit=visit)


@post("/apply/connect", **ROUTE, request_max_body_size=MOST_BYTES)
async def connect(request: AnyRequest) -> Response[bytes]:
    """Keep the sandbox's connection for this business."""
    visit, _ = await meant(request)
    draft = await _draft(request, visit)
    if draft is None:
        return go_to(_FORM)
    if not settings_of(request).development:
        raise Problem("not-configured")
    changes = {"bank": "connect", "bank-connection": f"sandbox-{draft.answers['abn']}"}
    await drafts.amend(lobby_of(request), draft, changes)
    return go_to("/apply/check")


@get("/apply/statements", **ROUTE)
async def statements_page(request: AnyRequest) -> Response[bytes]:
    """Where statements are uploaded, with those that are kept."""
    visit = await require_visit(request)
    draft = await _draft(request, visit)
    return go_to(_FORM) if draft is None else _page(request, visit, draft, {})


@post("/apply/statements", **ROUTE, request_max_body_size=MOST_UPLOAD)
async def statements(request: AnyRequest) -> Response[bytes]:
    """Read one file and keep it, or say what is wrong with it."""
    require_ours(request)
    visit = await require_visit(request)
    draft = await _draft(request, visit)
    if draft is None:
        return go_to(_FORM)
    _, files = await meant_with_files(request, visit)
    content, name = (files[0].content, files[0].name[:80]) if files else (b"", "")
    kept = kept_statements(draft.answers)
    fault = _fault(request, content, kept)
    if fault:
        return _page(request, visit, draft, {"file": fault})
    told = [*kept, {"account_name": "Business account", "csv": content.decode("utf-8-sig")}]
    names = _names(draft, name or "statement")
    changes = {"bank": "upload", "statements": json.dumps(told, ensure_ascii=False), "statement-names": names}
    await drafts.amend(lobby_of(request), draft, changes)
    return go_to("/apply/check")


def _names(draft: Draft, name: str) -> str:
    printable = "".join(letter for letter in name if letter.isprintable())
    return "\n".join([*filter(None, draft.answers.get("statement-names", "").split("\n")), printable])


def _fault(request: AnyRequest, content: bytes, kept: tuple[dict[str, str], ...]) -> str | None:
    """What is wrong with a file together with those before it, in words."""
    if not content:
        return "Choose a CSV file"
    if len(content) > _MOST_CSV or sum(len(each["csv"]) for each in kept) + len(content) > _MOST_ALL:
        return "The file is larger than 1 MB: choose a shorter period"
    if len(kept) >= MOST_FILES:
        return "No more files can be kept"
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "This is not a CSV file as text: download it again as CSV"
    uploads = [Upload(each["account_name"], "TRANS_AND_SAVINGS_ACCOUNTS", each["csv"].encode()) for each in kept]
    uploads.append(Upload("Business account", "TRANS_AND_SAVINGS_ACCOUNTS", text.encode()))
    try:
        read_statements(uploads, lobby_of(request).clock().date())
    except StatementRefused as refused:
        first = refused.problems[0]
        where = "" if first.row is None else f"Row {first.row}: "
        return f"{where}{RULES[first.rule]}"
    return None


def _page(request: AnyRequest, visit: VisitRow, draft: Draft, faults: dict[str, str]) -> Response[bytes]:
    names = tuple(filter(None, draft.answers.get("statement-names", "").split("\n")))
    return page(request, "form/statements", status=422 if faults else 200, visit=visit, faults=faults, names=names)


HANDLERS = (connect_page, connect, statements_page, statements)
