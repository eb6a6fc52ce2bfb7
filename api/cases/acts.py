"""One event on a case: allowed by the table of states, told by who did it, with the clock kept right.

It does: find the next state, work out what the event means for clock, lease and place in the queue, and write it. It
does not: know what the event is for. The rule it keeps: a case changes through `act` alone, on the version seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from api.errors import Problem
from api.store import queries as store
from engine.verification.clock import PROMISE
from engine.verification.queue import queue_at
from engine.verification.states import CASE, CLOSED, CaseEvent, CaseState, next_state

HELD = frozenset({"claimed", "approving"})
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and in which role: a member of staff, a caller, `machine`, `clock`."""

    id: str
    role: str


MACHINE = Actor("machine", "system")
CLOCK = Actor("clock", "system")


def act(
    connection: Connection,
    case: store.CaseRow,
    event: CaseEvent,
    actor: Actor,
    at: datetime,
    *,
    change: store.CaseChange | None = None,
    details: Mapping[str, object] | None = None,
    document_id: str | None = None,
) -> store.CaseRow:
    """Do it, or raise Problem `not-now` where the state does not allow it, `stale-version` where the case moved on.

    It takes the lock of the audit chain, so it comes last in a transaction.
    """
    state = next_state(CASE, case.state, event)
    if state is None:
        raise Problem("not-now")
    told = store.NewCaseEvent(event, actor.id, actor.role, at, dict(details or {}), document_id)
    whole: store.CaseChange = {**_consequences(case, state, at), **(change or {})}
    changed = store.change_case(connection, case.id, case.version, whole, told)
    if isinstance(changed, store.Stale):
        raise Problem("stale-version")
    return changed


def _consequences(case: store.CaseRow, state: CaseState, at: datetime) -> store.CaseChange:
    """What a change of state means for lease, clock and closing."""
    change: store.CaseChange = {"state": state}
    if case.owner is not None and state not in HELD:
        change |= {"owner": None, "lease_until": None}
    if state in CLOSED and case.closed_at is None:
        change["closed_at"] = at
    if case.complete_at is None:
        return change
    if state == "waiting" and case.paused_at is None:
        change["paused_at"] = at
    if state != "waiting" and case.paused_at is not None:
        paused_us = case.paused_us + max((at - case.paused_at) // _MICROSECOND, 0)  # a clock set back adds nothing
        due_at = case.complete_at + PROMISE + timedelta(microseconds=paused_us)
        change |= {"paused_at": None, "paused_us": paused_us, "due_at": due_at, "queue_at": queue_at(due_at)}
    return change


def started(at: datetime) -> store.CaseChange:
    """The clock begins to run: the last required document has come."""
    due_at = at.astimezone(UTC) + PROMISE  # a local day may have 23 hours
    return {"complete_at": at, "due_at": due_at, "queue_at": queue_at(due_at)}


def held_by(connection: Connection, case_id: str, actor: Actor, version: int, at: datetime) -> store.CaseRow:
    """The case, which the actor holds and has seen in this version; Problem `not-held` or `stale-version` otherwise."""
    case = store.get_case(connection, case_id)
    if case is None:
        raise Problem("not-found")
    if case.owner != actor.id or case.lease_until is None or case.lease_until <= at:
        raise Problem("not-held")
    if case.version != version:
        raise Problem("stale-version")
    return case
