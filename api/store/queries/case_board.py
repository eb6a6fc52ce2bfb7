"""The board of cases: lists by state, counts and ages, who has how much to do, and finding one.

Only live cases are counted, through indexes that hold no others, so a million closed ones cost nothing. It does not
forecast.
The rule: every list is bounded, and goes on after the last row of the page before.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Integer,
    Select,
    bindparam,
    case,
    func,
    literal,
    select,
    text,
    tuple_,
    type_coerce,
)

from api.store.moment import microseconds
from api.store.queries.case_work import ALERT_HOURS, hours_passed
from api.store.queries.cases import CaseRow, name_key
from api.store.tables import case_event, staff, verification_case
from api.store.tables.verification import APPROVE_STAGE, VERIFY_STAGE

_ABN_DIGITS = 11
_LAST_LETTER = "\U0010ffff"
_case = verification_case.c


@dataclass(frozen=True, slots=True)
class StateCount:
    """The live cases of one state at a moment.

    `passed` counts those whose clock has passed 2, 12, 18, 22 and 24 hours, each within the one before; a paused
    clock is where it was stopped.
    """

    state: str
    cases: int
    limit_cents: int
    snoozed: int
    escalated: int
    earliest_due: datetime | None
    passed: tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Workload:
    """What a member of staff holds now, when the first of it is due, and on how many cases they acted lately."""

    staff_id: str
    held: int
    earliest_due: datetime | None
    acted_on: int


@dataclass(frozen=True, slots=True)
class QualityCount:
    """Cases that verified themselves, those drawn for people instead, and what people made of the drawn ones."""

    machine_verified: int
    sampled: int
    upheld: int
    overturned: int


# -- lists ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Order:
    """A state's list: the condition of its index, what it is sorted by, and whether the newest come first."""

    index: str
    columns: tuple[Column[Any], ...]
    newest: bool = False


_BY_PLACE = (_case.queue_at, _case.rank, _case.id)
_CLOSED = _Order("closed_at IS NOT NULL", (_case.closed_at, _case.id), newest=True)
_ORDERS = {
    "waiting": _Order("state = 'waiting'", (_case.expires_at, _case.id)),
    "open": _Order(VERIFY_STAGE, _BY_PLACE),
    "claimed": _Order("owner IS NOT NULL", _BY_PLACE),
    "verified": _Order(APPROVE_STAGE, _BY_PLACE),
    "approving": _Order("owner IS NOT NULL", _BY_PLACE),
    "approved": _CLOSED,
    "rejected": _CLOSED,
    "expired": _CLOSED,
}


def list_cases(
    connection: Connection, state: str, limit: int = 50, after: CaseRow | None = None
) -> tuple[CaseRow, ...]:
    """The cases of one state: queued ones in the order of the queue, waiting ones by expiry, closed ones newest first.

    `after` is the last row of the page before.
    """
    order = _ORDERS[state]
    found = select(*_case).where(text(order.index), _case.state == state).limit(limit)
    found = found.order_by(*(each.desc() if order.newest else each.asc() for each in order.columns))
    if after is not None:
        place = tuple_(*order.columns)
        last = tuple_(*(literal(getattr(after, each.name), each.type) for each in order.columns))
        found = found.where(place < last if order.newest else place > last)
    return tuple(CaseRow(*row) for row in connection.execute(found))


# -- counts --------------------------------------------------------------------------------------------------

_CLOCK_AT = func.coalesce(type_coerce(_case.paused_at, BigInteger), bindparam("now_us", type_=BigInteger))


def _times(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0), type_=Integer), 0)


_BOARD = (
    select(
        _case.state,
        func.count(),
        func.sum(_case.limit_cents, type_=BigInteger),
        _times(_case.snoozed_until > bindparam("now")),
        _times(_case.escalated),
        func.min(_case.due_at),
        *(_times(hours_passed(hours, _CLOCK_AT)) for hours in ALERT_HOURS),
    )
    .where(_case.closed_at.is_(None))
    .group_by(_case.state)
    .order_by(_case.state)
)
_HELD = select(_case.owner, func.count(), func.min(_case.due_at)).where(_case.owner.is_not(None)).group_by(_case.owner)
_ACTED = (
    select(case_event.c.actor, func.count(case_event.c.case_id.distinct()).label("cases"))
    .join(staff, staff.c.id == case_event.c.actor)
    .where(case_event.c.at > bindparam("since"))
    .group_by(case_event.c.actor)
)


def board_of(connection: Connection, now: datetime) -> tuple[StateCount, ...]:
    """Counts and ages of the live cases, by state; a state without any is left out."""
    rows = connection.execute(_BOARD, {"now": now, "now_us": microseconds(now)})
    return tuple(
        StateCount(state, cases, int(cents), snoozed, escalated, due, (two, twelve, eighteen, late, breached))
        for state, cases, cents, snoozed, escalated, due, two, twelve, eighteen, late, breached in rows
    )


def workload_of(connection: Connection, since: datetime) -> tuple[Workload, ...]:
    """Everybody who holds a case now or acted on one since then, in order of id."""
    held = {owner: (count, due) for owner, count, due in connection.execute(_HELD)}
    acted = {row.actor: int(row.cases) for row in connection.execute(_ACTED, {"since": since})}
    return tuple(
        Workload(staff_id, *held.get(staff_id, (0, None)), acted.get(staff_id, 0))
        for staff_id in sorted(held.keys() | acted.keys())
    )


# -- finding -------------------------------------------------------------------------------------------------


def find_cases(connection: Connection, sought: str, limit: int = 20) -> tuple[CaseRow, ...]:
    """The cases with this id, application id or ABN, or whose legal name begins with these words; newest first.

    Names are found by their beginning alone, in order of name: that is a range of an index, and any other part of
    one would be a scan.
    """
    words = " ".join(sought.split())
    digits = words.replace(" ", "")
    if words.startswith("case_"):
        return _found(connection, _case.id == words, limit)
    if words.startswith("app_"):
        return _found(connection, _case.application_id == words, limit)
    if digits.isascii() and digits.isdigit() and len(digits) == _ABN_DIGITS:
        return _found(connection, _case.abn == digits, limit)
    key = name_key(words)
    if not key:
        return ()
    named = (_case.name_key >= key) & (_case.name_key < key + _LAST_LETTER)
    return _found(connection, named, limit, (_case.name_key, _case.opened_at.desc()))


def _found(
    connection: Connection,
    condition: ColumnElement[bool],
    limit: int,
    order: Sequence[ColumnElement[Any]] = (_case.opened_at.desc(), _case.id),
) -> tuple[CaseRow, ...]:
    found: Select[*tuple[Any, ...]] = select(*_case).where(condition).order_by(*order).limit(limit)
    return tuple(CaseRow(*row) for row in connection.execute(found))


# -- quality control -----------------------------------------------------------------------------------------

_MACHINES = (
    select(case_event.c.event, func.count())
    .where(case_event.c.at > bindparam("since"), case_event.c.event.in_(("machine_verify", "sample")))
    .group_by(case_event.c.event)
)
_PEOPLES = (
    select(case_event.c.body)
    .join(verification_case, _case.id == case_event.c.case_id)
    .where(case_event.c.at > bindparam("since"), case_event.c.event == "verify", _case.sampled)
)


def quality_of(connection: Connection, since: datetime) -> QualityCount:
    """How often machines were right since a moment, by the people who looked again at what was drawn for them."""
    machines = {str(event): int(count) for event, count in connection.execute(_MACHINES, {"since": since})}
    found = [json.loads(body)["details"].get("quality") for body in connection.scalars(_PEOPLES, {"since": since})]
    return QualityCount(
        machine_verified=machines.get("machine_verify", 0), sampled=machines.get("sample", 0),
        upheld=found.count("upheld"), overturned=found.count("overturned"),
    )  # fmt: skip
