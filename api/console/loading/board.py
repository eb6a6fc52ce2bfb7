"""The board: what waits, in the order in which it is worked on, who holds how much, and whether it will be in time."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from api.console.loading.lines import case_line
from api.console.loading.names import business_name, staff_names
from api.console.views import (
    AgeBand,
    BoardView,
    CaseLine,
    Choice,
    Forecast,
    Notice,
    Quality,
    SearchView,
    StateCount,
    Workload,
)
from api.referrals.reading import count_late
from api.staff.guarding import Member
from api.store import queries as store
from api.store.queries.case_board import StateCount as Counted
from api.store.queries.referrals import count_reviews, count_waiting
from engine.verification.queue import forecast

_SHOWN = 50
_STATES = ("open", "claimed", "verified", "approving", "waiting")
_MINUTES_A_CASE = 25.0  # until the lender's own figures say otherwise
_DAY, _MONTH = timedelta(days=1), timedelta(days=30)
_STAGES = (("verify", "verifier", "Next to verify"), ("approve", "approver", "Next to approve"))
_BANDS = (
    ("under 2 h", 0), ("2 to 12 h", 2), ("12 to 18 h", 12), ("18 to 22 h", 18), ("22 to 24 h", 22), ("over 24 h", 24),
)  # fmt: skip


def board_view(
    connection: Connection, member: Member, now: datetime, state: str | None, notice: Notice | None = None
) -> BoardView:
    """The board at this moment, of all states or of one."""
    names = staff_names(connection)
    counted = {each.state: each for each in store.board_of(connection, now)}
    rows = [row for each in ((state,) if state else _STATES[:4]) for row in store.list_cases(connection, each, _SHOWN)]
    if state is None:
        rows.sort(key=lambda row: (row.queue_at or row.opened_at, row.rank, row.id))
    agreed = {(each.case_id, each.content_sha256) for each in store.approvals_by(connection, member.id)}
    lines = [
        case_line(
            row, _with_business(connection, row, names), member, now, agreed=(row.id, row.content_sha256) in agreed
        )
        for row in rows
    ]
    queued = sum(counted[each].cases for each in ((state,) if state else _STATES[:4]) if each in counted)
    work = store.workload_of(connection, now - _DAY)
    return BoardView(
        at=now,
        counts=tuple(
            StateCount(each, counted[each].cases, counted[each].limit_cents)
            if each in counted
            else StateCount(each, 0, 0)
            for each in _STATES
        ),
        ages=_ages(counted),
        mine=tuple(line for line in lines if line.mine),
        lines=tuple(line for line in lines if not line.mine)[:_SHOWN],
        workload=tuple(
            Workload(
                names.get(each.staff_id, "somebody"), each.held, each.acted_on, each.earliest_due,
                me=each.staff_id == member.id,
            )
            for each in work
        ),
        forecast=_forecast(rows, len(work), now) if state is None else None,
        stages=tuple(
            Choice(stage, words)
            for stage, role, words in _STAGES
            if role in member.roles
        )
        if {role for _, role, _ in _STAGES} <= member.roles
        else (),
        quality=_quality(store.quality_of(connection, now - _MONTH)),
        more=max(queued - len(rows), 0),
        state=state,
        referrals=count_waiting(connection) + count_reviews(connection),
        referrals_late=count_late(connection, now),
        notice=notice,
    )  # fmt: skip


def search_view(connection: Connection, member: Member, now: datetime, query: str | None) -> SearchView:
    """The cases with this ABN, id, or beginning of a name."""
    if not query or not query.strip():
        return SearchView()
    names = staff_names(connection)
    found = _found(connection, " ".join(query.split()))
    lines: tuple[CaseLine, ...] = tuple(
        case_line(row, _with_business(connection, row, names), member, now) for row in found[:_SHOWN]
    )
    return SearchView(query, lines, cut=len(found) > _SHOWN)


def _found(connection: Connection, words: str) -> tuple[store.CaseRow, ...]:
    """By what a decision or a document belongs to, or else as the store finds cases."""
    if words.startswith("doc_"):
        document = store.get_document(connection, words)
        case = store.get_case(connection, document.case_id) if document else None
    elif words.startswith("dec_"):
        decision = store.get_decision(connection, words)
        case = store.case_of_application(connection, decision.application_id) if decision else None
    else:
        return store.find_cases(connection, words, _SHOWN + 1)
    return () if case is None else (case,)


def _with_business(connection: Connection, case: store.CaseRow, names: dict[str, str]) -> dict[str, str]:
    return {**names, case.id: business_name(connection, case.application_id)}


def _ages(counted: dict[str, Counted]) -> tuple[AgeBand, ...]:
    """How many cases lie between two marks, over all states in the queue."""
    live = [counted[each] for each in _STATES[:4] if each in counted]
    passed = [sum(each.cases for each in live), *(sum(each.passed[n] for each in live) for n in range(5))]
    return tuple(
        AgeBand(words, hours, passed[n] - (passed[n + 1] if n + 1 < len(passed) else 0))
        for n, (words, hours) in enumerate(_BANDS)
    )


def _quality(counted: store.QualityCount) -> Quality | None:
    """What became of cases that machines could have concluded alone; None where there were none."""
    clean = counted.machine_verified + counted.sampled
    if not clean:
        return None
    looked = counted.upheld + counted.overturned
    share_bps = round(counted.sampled * 10_000 / clean)
    return Quality(
        counted.machine_verified, counted.sampled, max(counted.sampled - looked, 0), counted.overturned, share_bps,
        "The last 30 days.",
    )  # fmt: skip


def _forecast(rows: list[store.CaseRow], people: int, now: datetime) -> Forecast | None:
    waiting = [row for row in rows if row.due_at is not None and row.paused_at is None]
    if not waiting or not people:
        return None
    ahead = tuple(
        (n * _MINUTES_A_CASE, (row.due_at - now).total_seconds() / 60)
        for n, row in enumerate(waiting, 1)
        if row.due_at is not None
    )
    chance = forecast(ahead, people)
    basis = (
        f"{_counted(len(waiting), 'case', 'cases')} ahead, {_counted(people, 'person', 'people')} at work in the last "
        f"day, {_MINUTES_A_CASE:.0f} minutes a case."
    )
    return Forecast(round(chance * 10_000), basis)


def _counted(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"
