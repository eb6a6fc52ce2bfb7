"""A case as one line of a list, with its clock."""

from collections.abc import Mapping
from datetime import datetime

from api.cases.replies import clock_of
from api.console.views import CaseLine, ClockView
from api.staff.guarding import Member
from api.store import queries as store
from engine.verification.clock import PROMISE
from engine.verification.queue import order_reason

_STAGES = {
    "waiting": "waits for the applicant", "open": "to verify", "claimed": "to verify", "verified": "to approve",
    "approving": "to approve", "approved": "done", "rejected": "done", "expired": "done",
}  # fmt: skip


def clock_view(case: store.CaseRow, now: datetime) -> ClockView:
    """The clock of a case at this moment; a closed case's stands where it was closed."""
    clock, at = clock_of(case), case.closed_at or now
    state = "none" if clock.complete_at is None else "stopped" if case.closed_at else "running"
    if state == "running" and clock.paused_at is not None:
        state = "paused"
    elapsed = clock.elapsed(at)
    due_at = None if state in {"paused", "none"} else clock.due_at
    return ClockView(
        state=state,  # type: ignore[arg-type]
        elapsed=elapsed, paused=clock.paused_for(at), due_at=due_at,
        left=None if state == "none" else PROMISE - elapsed,
        alert_hours=0 if case.closed_at else clock.alert(at, touched=case.touched_at is not None),
    )  # fmt: skip


def case_line(
    case: store.CaseRow, names: Mapping[str, str], member: Member, now: datetime, *, agreed: bool = False
) -> CaseLine:
    """The line of a case; `names` are those of staff by id, and the business's under the case's id.

    `agreed`: this member approved what it stands on already, so that it waits for somebody else.
    """
    held = case.owner is not None and case.lease_until is not None and case.lease_until > now
    stage = _STAGES[case.state]
    role = {"to verify": "verifier", "to approve": "approver"}.get(stage)
    mine = held and case.owner == member.id
    return CaseLine(
        id=case.id,
        business=names.get(case.id, case.name_key),
        abn=case.abn,
        limit_cents=case.limit_cents,
        state=case.state,
        stage=stage,
        clock=clock_view(case, now),
        order_reason=order_reason(case.due_at, case.rank, now) if case.due_at and not case.closed_at else "",
        owner=names.get(case.owner or "", "somebody") if held else None,
        mine=mine,
        claimable=not held
        and role in member.roles
        and not (role == "approver" and (agreed or case.verified_by == member.id)),
        lease_until=case.lease_until if held else None,
        snoozed_until=case.snoozed_until if case.snoozed_until and case.snoozed_until > now else None,
        escalated=case.escalated,
        sampled=case.sampled,
    )
