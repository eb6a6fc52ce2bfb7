"""Working on cases: who takes which one next, under a lease that ends by itself; what the clock makes due.

A case is taken by one statement: PostgreSQL skips the rows that others are taking at this moment, SQLite has one
writer. The earliest deadline goes first; a lease that has lapsed makes a case free again, at its old place. It does
not know shifts or skills.
The rule: two people never hold one case, and nobody approves what they verified or have approved.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.sql.dml import UpdateBase

from api.store.moment import Moment, microseconds
from api.store.queries.cases import CaseChange, CaseRow, NewCaseEvent, Stale, Step, append_steps, change_case
from api.store.tables import approval, verification_case
from api.store.tables.verification import APPROVE_STAGE, VERIFY_STAGE

ALERT_HOURS = (2, 12, 18, 22, 24)  # of the clock; the first only until somebody has touched the case
BREACH_HOURS = 24
_HOUR_US = 3_600_000_000

StageName = Literal["verify", "approve"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the two stages of the queue: its states, who works in it, and the words of its events."""

    free: str
    worked: str
    role: str
    claim: str
    release: str


STAGES: Mapping[StageName, Stage] = {
    "verify": Stage("open", "claimed", "verifier", "claim", "release"),
    "approve": Stage("verified", "approving", "approver", "claim_approval", "release_approval"),
}

_case = verification_case.c
_Wanted = Select[*tuple[Any, ...]]
_ONE: ColumnElement[int] = literal_column("1")  # a parameter would be planned for a tenth of the table
_NOW = bindparam("now", type_=Moment())
_ME: BindParameter[Any] = bindparam("me")
_SOUGHT: BindParameter[Any] = bindparam("sought")
_UNHELD = or_(_case.owner.is_(None), _case.lease_until <= _NOW)
_AWAKE = or_(_case.snoozed_until.is_(None), _case.snoozed_until <= _NOW)
# An approval of content that has changed since counts no more; where no content is known, any does.
_HAVE_APPROVED = (
    select(approval.c.id)
    .where(
        approval.c.case_id == _case.id,
        approval.c.content_sha256 == func.coalesce(_case.content_sha256, approval.c.content_sha256),
        approval.c.staff_id == _ME,
    )
    .exists()
)
_MAY: Mapping[StageName, ColumnElement[bool]] = {
    "verify": and_(text(VERIFY_STAGE), _UNHELD),
    "approve": and_(text(APPROVE_STAGE), _UNHELD, _case.verified_by != _ME, ~_HAVE_APPROVED),
}


def _one(conditions: ColumnElement[bool]) -> _Wanted:
    """The first case in the order of the queue that nobody else is taking at this moment."""
    found = select(*_case).where(conditions).order_by(_case.queue_at, _case.rank, _case.id)
    return found.limit(_ONE).with_for_update(skip_locked=True)


_NEXT = {stage: _one(and_(may, _AWAKE)) for stage, may in _MAY.items()}
_THIS = {stage: _one(and_(may, _case.id == _SOUGHT)) for stage, may in _MAY.items()}
_CHANGE = (
    update(verification_case)
    .values(
        state=bindparam("worked"),
        owner=_ME,
        lease_until=bindparam("until"),
        touched_at=func.coalesce(_case.touched_at, _NOW),
        snoozed_until=None,
        version=_case.version + case((_case.owner.is_(None), 1), else_=2),  # a lease that lapsed is an event too
    )
    .returning(*_case)
)
_CHANGE_FOUND = _CHANGE.where(_case.id == bindparam("found"))


def _taking(wanted: _Wanted) -> UpdateBase:
    """PostgreSQL's one statement; materialized, so that no plan can ever look for the next case twice."""
    found = wanted.cte("found").prefix_with("MATERIALIZED", dialect="postgresql")
    return _CHANGE.where(_case.id == found.c.id).returning(*found.c)


_TAKE_NEXT = {stage: _taking(wanted) for stage, wanted in _NEXT.items()}
_TAKE_THIS = {stage: _taking(wanted) for stage, wanted in _THIS.items()}


def claim_next(
    connection: Connection, stage: StageName, staff_id: str, now: datetime, lease: timedelta
) -> CaseRow | None:
    """Take the next case of a stage for a member of staff; none where there is nothing for them to do."""
    return _claimed(connection, stage, take(connection, stage, staff_id, now, lease), now)


def claim_case(
    connection: Connection, case_id: str, stage: StageName, staff_id: str, now: datetime, lease: timedelta
) -> CaseRow | None:
    """Take one given case, snoozed or not; none where it is not theirs to take, or somebody works on it."""
    return _claimed(connection, stage, take(connection, stage, staff_id, now, lease, case_id), now)


def take(
    connection: Connection, stage: StageName, staff_id: str, now: datetime, lease: timedelta, case_id: str | None = None
) -> tuple[CaseRow, CaseRow] | None:
    """The case before and after it was taken; a part of claiming, which alone would keep no event."""
    words = STAGES[stage]
    values = {"me": staff_id, "now": now, "until": now + lease, "worked": words.worked}
    if case_id is not None:
        values["sought"] = case_id
    if connection.dialect.name == "postgresql":
        row = connection.execute((_TAKE_THIS if case_id else _TAKE_NEXT)[stage], values).first()
        return None if row is None else (CaseRow(*row[len(_case) :]), CaseRow(*row[: len(_case)]))
    # SQLite's RETURNING knows only the new row. Nobody else writes between the two statements.
    row = connection.execute((_THIS if case_id else _NEXT)[stage], values).first()
    if row is None:
        return None
    before = CaseRow(*row)
    return before, CaseRow(*connection.execute(_CHANGE_FOUND, {**values, "found": before.id}).one())


def _claimed(
    connection: Connection, stage: StageName, taken: tuple[CaseRow, CaseRow] | None, now: datetime
) -> CaseRow | None:
    if taken is None:
        return None
    (before, after), words = taken, STAGES[stage]
    steps = []
    if before.owner is not None:
        freed = replace(before, state=words.free, version=before.version + 1, owner=None, lease_until=None)
        steps.append(_lapse(before, freed, now))
        before = freed
    event = NewCaseEvent(words.claim, str(after.owner), words.role, now)
    append_steps(connection, (*steps, Step(before, after, event)))
    return after


# -- leases --------------------------------------------------------------------------------------------------

_RENEW = (
    update(verification_case)
    .where(_case.id == _SOUGHT, _case.owner == _ME, _case.lease_until > _NOW)
    .values(lease_until=bindparam("until"))
    .returning(_case.lease_until)
)
_HELD = select(*_case).where(_case.id == _SOUGHT, _case.owner == _ME).with_for_update()
_LAPSED = (
    select(*_case)
    .where(_case.owner.is_not(None), _case.lease_until <= _NOW)
    .order_by(_case.lease_until)
    .limit(bindparam("page"))
    .with_for_update(skip_locked=True)
)
_FREE = (
    update(verification_case)
    .where(_case.id.in_(bindparam("lapsed", expanding=True)))
    .values(
        state=case({each.worked: each.free for each in STAGES.values()}, value=_case.state),
        owner=None,
        lease_until=None,
        version=_case.version + 1,
    )
    .returning(*_case)
)


def renew_lease(
    connection: Connection, case_id: str, staff_id: str, now: datetime, lease: timedelta
) -> datetime | None:
    """The new end of a lease that still runs; none where it is not theirs or has lapsed.

    This alone is no event: a page left open renews every few minutes, and the case stays as it was seen.
    """
    values = {"sought": case_id, "me": staff_id, "now": now, "until": now + lease}
    until: datetime | None = connection.execute(_RENEW, values).scalar()
    return until


def release_case(connection: Connection, case_id: str, staff_id: str, now: datetime) -> CaseRow | None:
    """Give a case back to its place in the queue; none where they do not hold it."""
    row = connection.execute(_HELD, {"sought": case_id, "me": staff_id}).first()
    if row is None:
        return None
    held = CaseRow(*row)
    words = next(each for each in STAGES.values() if each.worked == held.state)
    event = NewCaseEvent(words.release, staff_id, words.role, now)
    change: CaseChange = {"state": words.free, "owner": None, "lease_until": None}
    freed = change_case(connection, case_id, None, change, event)
    return None if isinstance(freed, Stale) else freed


def lapse_leases(connection: Connection, now: datetime, limit: int = 50) -> tuple[CaseRow, ...]:
    """Free the cases whose leases have lapsed, longest ago first, up to `limit`; returns them as they are then.

    Claiming takes lapsed cases too; this is so that the board shows them as free.
    """
    lapsed = [CaseRow(*row) for row in connection.execute(_LAPSED, {"now": now, "page": limit})]
    if not lapsed:
        return ()
    rows = connection.execute(_FREE, {"lapsed": [each.id for each in lapsed]})
    freed = {row.id: CaseRow(*row) for row in rows}
    append_steps(connection, tuple(_lapse(each, freed[each.id], now) for each in lapsed))
    return tuple(freed[each.id] for each in lapsed)


def _lapse(before: CaseRow, freed: CaseRow, now: datetime) -> Step:
    return Step(before, freed, NewCaseEvent("lapse", "clock", "system", now, {"owner": before.owner}))


# -- what the clock makes due --------------------------------------------------------------------------------


def hours_passed(hours: int, at: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a case's clock had passed that many hours at a moment in microseconds."""
    return type_coerce(_case.due_at, BigInteger) <= at + (BREACH_HOURS - hours) * _HOUR_US


_NOW_US = bindparam("now_us", type_=BigInteger)
_RUNS = and_(_case.closed_at.is_(None), _case.paused_at.is_(None))
# One range of the index for each alert that was the last; the first is of cases that nobody has touched.
_ALERT = or_(
    and_(_case.alerted_hours == 0, _case.touched_at.is_(None), hours_passed(ALERT_HOURS[0], _NOW_US)),
    *(
        and_(_case.alerted_hours == last, hours_passed(then, _NOW_US))
        for last, then in ((0, ALERT_HOURS[1]), *pairwise(ALERT_HOURS))
    ),
)
_ALERTS = select(*_case).where(_RUNS, _ALERT).order_by(_case.due_at, _case.id).limit(bindparam("page"))
_EXPIRED = (
    select(*_case)
    .where(text("state = 'waiting'"), _case.expires_at <= _NOW)
    .order_by(_case.expires_at, _case.id)
    .limit(bindparam("page"))
)


def due_alerts(connection: Connection, now: datetime, limit: int = 100) -> tuple[tuple[CaseRow, int], ...]:
    """The cases whose clock has passed an alert not yet raised, most urgent first, with the highest it has passed.

    Who raises it sets `alerted_hours` with `change_case` at the version found here, so it is raised once.
    """
    rows = connection.execute(_ALERTS, {"now_us": microseconds(now), "page": limit})
    return tuple((found, _passed(found, now)) for found in (CaseRow(*row) for row in rows))


def _passed(found: CaseRow, now: datetime) -> int:
    if found.due_at is None:
        raise ValueError("a case with an alert has a deadline")
    left = found.due_at - now
    return max(hours for hours in ALERT_HOURS if left <= timedelta(hours=BREACH_HOURS - hours))


def expired_waiting(connection: Connection, now: datetime, limit: int = 100) -> tuple[CaseRow, ...]:
    """The cases whose offer has expired while the applicant was waited for, longest ago first."""
    return tuple(CaseRow(*row) for row in connection.execute(_EXPIRED, {"now": now, "page": limit}))
