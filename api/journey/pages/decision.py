"""The decision: what is offered, what it costs, what would change it, and asking for a person.

The rules: everything shown comes from the public reply and the advice, which are the same for a JSON caller; a referral
for compliance is the page of any referral.
"""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from sqlalchemy import Connection

from api import records
from api.advice.exploring import Choice
from api.advice.reviewing import ask_for_a_person
from api.cases import accepting
from api.errors import Problem
from api.journey.chart import repayments
from api.journey.form.fields import cents_of, clean
from api.journey.guarding import meant, require_application, seen
from api.journey.replies import ROUTE, page
from api.journey.sending import CALLER
from api.pages.forms import MOST_BYTES
from api.pages.replies import go_to
from api.requests import AnyRequest, advice_of, desk_of, shell_of
from api.store import queries as store
from api.store.queries.applicants import VisitRow
from engine.pricing import effective_annual, nominal_annual

_POST = {**ROUTE, "request_max_body_size": MOST_BYTES}
_MOST_TYPED = 20
Told = dict[str, Any]


async def _told(request: AnyRequest, application_id: str) -> Told:
    """The public reply of the decision that stands."""
    body = await records.current_reply(shell_of(request).database, application_id, CALLER.id)
    if body is None:
        raise Problem("not-found")
    told: Told = json.loads(body)
    return told


@get("/applications/{application_id:str}", **ROUTE)
async def decision(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """The decision that stands; what follows on it where there is a case."""
    visit = await seen(request, application_id)
    return await _page(request, visit, application_id)


async def _page(request: AnyRequest, visit: VisitRow, application_id: str) -> Response[bytes]:
    shell, told = shell_of(request), await _told(request, application_id)

    def look(connection: Connection) -> tuple[datetime, store.CaseRow | None, str]:
        row = store.get_application(connection, application_id)
        assert row is not None, "it was seen a moment ago"
        name = json.loads(row.body)["business"]["legal_name"]
        return row.received_at, store.case_of_application(connection, application_id), name

    received_at, case, name = await shell.database.read(look)
    advice = json.loads(await advice_of(request).adviser.answer(shell, CALLER.id, application_id))
    decided_at = datetime.fromisoformat(told["decided_at"])
    offer = told["offer"]
    held_until = datetime.fromisoformat(offer["held_until"]) if offer else None
    return page(
        request, f"decision/{told['outcome']}", visit=visit, business=name, told=told, offer=offer, advice=advice,
        case=case,
        seconds=max((decided_at - received_at).total_seconds(), 0.0), decided_at=decided_at, held_until=held_until,
        expired=held_until is not None and held_until <= shell.clock(), rates=rates(offer),
        chart=repayments(offer["worked_draw"]["schedule"]) if offer else None,
    )  # fmt: skip


def rates(offer: Told | None) -> Told:
    """The monthly rate with its annual equivalents, in per cent."""
    if offer is None:
        return {}
    bps: int = offer["monthly_rate_bps"]
    monthly, nominal, effective = Decimal(bps) / 100, 100 * nominal_annual(bps), 100 * effective_annual(bps)
    return {"monthly": f"{monthly:.2f}", "nominal": f"{nominal:.2f}", "effective": f"{effective:.2f}"}


@post("/applications/{application_id:str}/second-look", **_POST)
async def person(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """Ask for a person to look again; asking twice is asking once."""
    visit, _ = await meant(request)
    await require_application(request, visit, application_id)
    await ask_for_a_person(shell_of(request), CALLER, application_id, webhook=desk_of(request).webhook)
    return go_to(f"/applications/{application_id}#person")


@post("/applications/{application_id:str}/accept", **_POST)
async def accept(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """Take up the offer that was shown, and go on to the documents."""
    visit, form = await meant(request)
    await require_application(request, visit, application_id)
    await accepting.accept(desk_of(request), CALLER, application_id, form.get("decision_id", ""))
    return go_to(f"/applications/{application_id}/documents")


# -- the explorer --------------------------------------------------------------------------------------------


@get("/applications/{application_id:str}/explore", **ROUTE)
async def explore(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    """A smaller line, another term, another draw: each a decision of its own, with what it costs."""
    visit = await seen(request, application_id)
    told = await _told(request, application_id)
    if told["offer"] is None:
        return go_to(f"/applications/{application_id}")
    limit, worked = told["offer"]["limit_cents"], told["offer"]["worked_draw"]
    typed = {name: clean(request.query_params.get(name, ""))[:_MOST_TYPED] for name in ("amount", "months", "draw")}
    amount = limit if not typed["amount"] else cents_of(typed["amount"])
    months = worked["months"] if not typed["months"] else _whole(typed["months"])
    draw = min(worked["draw_cents"], amount or limit) if not typed["draw"] else cents_of(typed["draw"])
    faults, found = {}, None
    if amount is None or months is None or draw is None:
        faults["amount"] = "Write dollars in figures, such as 20,000"
    else:
        try:
            choice = Choice(amount, months, min(draw, amount))
            body = await advice_of(request).explorer.answer(shell_of(request), CALLER.id, application_id, choice)
            found = json.loads(body)
        except Problem as problem:
            if problem.slug != "validation-failed":
                raise
            names = {"amount_cents": "amount", "draw_cents": "draw", "months": "months"}
            faults = {names.get(each.path, "amount"): each.message for each in problem.errors}
    option = found["options"][0] if found else None
    return page(
        request, "decision/explore", status=422 if faults else 200, visit=visit, id=application_id, limit=limit,
        amount=amount or limit, months=months or worked["months"], draw=draw or 0, typed=typed, faults=faults,
        option=option, schedule=found["schedule"] if found else [], assumptions=found["assumptions"] if found else [],
        rates=rates(option) if option and option["cost"] else {}, terms=(1, 2, 3, 6, 9, 12),
        chart=repayments(found["schedule"]) if found and found["schedule"] else None,
    )  # fmt: skip


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else None  # noqa: PLR2004 - months


HANDLERS = (decision, person, accept, explore)
