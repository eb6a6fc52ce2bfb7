"""One case on one screen. Bands are worked out only once somebody recorded a value, and kept while it is looked at.

The rule: nobody waits for a band. It takes a hundred decisions; a page that cannot have it at once says that it is
being worked out, and the next one has it.
"""

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from litestar import Response, get
from litestar.params import FromPath
from sqlalchemy import Connection

from api.console.loading.case import Loaded, case_view, load
from api.console.pages.replies import ROUTE, page, require_id
from api.console.views import NO_FORM, FormState
from api.errors import Problem
from api.requests import AnyRequest, desk_of
from api.rollout.choosing import choosing_again
from api.staff.guarding import member_of
from api.store import queries as store
from engine.canonical import digest
from engine.release import Release
from engine.whatif import Band, bands

_MOST_KEPT = 256
_PATIENCE_SECONDS = 0.05
_WORKER: Final = ThreadPoolExecutor(1, "bands")  # one at a time: decisions for applicants go before
_KEPT: dict[tuple[str, str, str], Future[tuple[Band, ...]]] = {}


@get("/console/cases/{case_id:str}", opt={"action": "case.read"}, **ROUTE)
async def case(request: AnyRequest, case_id: FromPath[str]) -> Response[bytes]:
    """One case on one screen."""
    return await case_page(request, case_id)


async def case_page(request: AnyRequest, case_id: str, form: FormState = NO_FORM, status: int = 200) -> Response[bytes]:
    """The page of a case, with a form that was refused where there was one; Problem `not-found`."""
    require_id(case_id)
    desk, member = desk_of(request), member_of(request)

    def look(connection: Connection) -> Loaded | None:
        row = store.get_case(connection, case_id)
        return None if row is None else load(connection, row)

    found = await desk.shell.database.read(look)
    if found is None:
        raise Problem("not-found")
    drawn: tuple[Band, ...] | None = ()
    if any(each.recorded_by != "machine" for each in found.values.values()):  # recorded first, the band afterwards
        drawn = await _bands_of(found, (await choosing_again(desk.shell, found.standing.case.decision_id)).release)
    return page(request, case_view(found, member, desk.policy(), desk.shell.clock(), drawn, form), status)


async def _bands_of(found: Loaded, release: Release) -> tuple[Band, ...] | None:
    """The bands of a case, worked out once in another thread; None while they are."""
    key = (digest(found.application.canonical()), digest(found.facts.canonical()), release.digest)
    running = _KEPT.get(key)
    if running is None or (running.done() and running.exception() is not None):
        if len(_KEPT) >= _MOST_KEPT:
            _KEPT.clear()
        running = _KEPT[key] = _WORKER.submit(bands, found.application, found.facts, release)
    with suppress(TimeoutError):
        return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(running)), _PATIENCE_SECONDS)
    return None


HANDLERS = (case,)
