"""What stands before the applicant's routes: which visit this is, and whether its holder meant what was sent.

The rules: origin, visit and token are looked at in this order and before anything else of the body; whoever may not
see an application is told the same as of one that there is not.
"""

import hmac
import re
from collections.abc import Mapping

from api.applicants.visits import COOKIE, Lobby, may_see, visit_of
from api.errors import Problem
from api.pages.files import File, read_files
from api.pages.forms import CSRF_FIELD, CSRF_HEADER, is_form, is_from, read_form
from api.requests import AnyRequest
from api.store.queries.applicants import VisitRow

_APPLICATION = re.compile(r"app_[0-9a-f]{32}")


def lobby_of(request: AnyRequest) -> Lobby:
    """What applicants are served with."""
    lobby: Lobby = request.app.state.lobby
    return lobby


async def visit_here(request: AnyRequest) -> VisitRow | None:
    """The visit of this browser, if it has one that holds."""
    return await visit_of(lobby_of(request), request.cookies.get(COOKIE))


async def require_visit(request: AnyRequest) -> VisitRow:
    """The same; Problem `unauthenticated`, which leads a person to where they can come back."""
    found = await visit_here(request)
    if found is None:
        raise Problem("unauthenticated")
    return found


def require_ours(request: AnyRequest) -> None:
    """Problem `csrf-failed` for a POST that no page of ours sent: all that can be asked before there is a visit."""
    if not is_from(request, lobby_of(request).origins):
        raise Problem("csrf-failed")


async def meant(request: AnyRequest) -> tuple[VisitRow, Mapping[str, str]]:
    """The visit and the form of a POST that its holder meant; Problems `csrf-failed` and `unauthenticated`.

    The visit's token stands in a header where the body is no form.
    """
    require_ours(request)
    visit = await require_visit(request)
    form: Mapping[str, str] = await read_form(request) if is_form(request) else {}
    shown = request.headers.get(CSRF_HEADER) or form.get(CSRF_FIELD, "")
    if not hmac.compare_digest(shown.encode(), visit.csrf.encode()):
        raise Problem("csrf-failed")
    return visit, form


async def meant_with_files(request: AnyRequest, visit: VisitRow) -> tuple[Mapping[str, str], tuple[File, ...]]:
    """The fields and files of a form that the holder of a visit meant; Problem `csrf-failed` as above.

    Origin and visit were looked at before: here the body is read.
    """
    form, files = await read_files(request)
    if not hmac.compare_digest(form.get(CSRF_FIELD, "").encode(), visit.csrf.encode()):
        raise Problem("csrf-failed")
    return form, files


async def require_application(request: AnyRequest, visit: VisitRow, application_id: str) -> None:
    """Problem `not-found` for what is no application of this visit's, whether or not there is one."""
    if not _APPLICATION.fullmatch(application_id):
        raise Problem("not-found")
    seen = await lobby_of(request).database.read(lambda connection: may_see(connection, visit, application_id))
    if not seen:
        raise Problem("not-found")


async def seen(request: AnyRequest, application_id: str) -> VisitRow:
    """The visit, which may see this application; Problems `unauthenticated` and `not-found`."""
    visit = await require_visit(request)
    await require_application(request, visit, application_id)
    return visit
