"""Counterfactuals that were shown, requests for a person, and how often an application was asked about in a day.

It does not work counterfactuals out, nor judge whether one was met.
The rule: a decision's counterfactuals are written once, all of them together; whoever comes second reads the first's.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from api.store.tables import advice_read, counterfactual, review_request


@dataclass(frozen=True, slots=True)
class CounterfactualRow:
    """One counterfactual as kept; `evidence` is the canonical JSON of what a source has to show."""

    id: str
    application_id: str
    decision_id: str
    place: int
    release_name: str
    release_digest: str
    engine_digest: str
    evidence: str
    limit_cents: int
    monthly_rate_bps: int
    held_until: datetime
    made_at: datetime


@dataclass(frozen=True, slots=True)
class ReviewRequestRow:
    """A request for a person to look again at one decision."""

    id: str
    application_id: str
    decision_id: str
    requested_at: datetime
    requested_by: str
    answer_by: datetime


_COUNTERFACTUAL = {
    "sqlite": sqlite.insert(counterfactual)
    .on_conflict_do_nothing(index_elements=["decision_id", "place"])
    .execution_options(preserve_rowcount=True),
    "postgresql": postgresql.insert(counterfactual)
    .on_conflict_do_nothing(index_elements=["decision_id", "place"])
    .execution_options(preserve_rowcount=True),
}
_OF_DECISION = (
    select(counterfactual).where(counterfactual.c.decision_id == bindparam("sought")).order_by(counterfactual.c.place)
)
_HELD = (
    select(counterfactual)
    .where(counterfactual.c.application_id == bindparam("sought"), counterfactual.c.held_until >= bindparam("now"))
    .order_by(counterfactual.c.made_at, counterfactual.c.place)
)
_REQUEST = insert(review_request)
_REQUEST_OF = select(review_request).where(review_request.c.decision_id == bindparam("sought"))
_REQUESTS = (
    select(review_request)
    .where(review_request.c.requested_at >= bindparam("since"))
    .order_by(review_request.c.answer_by, review_request.c.id)
    .limit(bindparam("page"))
)
_DAY = ("application_id", "kind", "day")
_READ = {
    dialect: made.insert(advice_read)
    .on_conflict_do_update(index_elements=list(_DAY), set_={"reads": advice_read.c.reads + 1})
    .returning(advice_read.c.reads)
    for dialect, made in (("sqlite", sqlite), ("postgresql", postgresql))
}
_READS = select(advice_read.c.reads).where(*(advice_read.c[name] == bindparam(f"its_{name}") for name in _DAY))


def keep_counterfactuals(connection: Connection, rows: Sequence[CounterfactualRow]) -> bool:
    """Keep a decision's counterfactuals; False, and nothing written, where somebody else was quicker."""
    # Whoever loses, loses at the first: on PostgreSQL it waits there for the other's transaction to end.
    keep = _COUNTERFACTUAL[connection.dialect.name]
    return all(connection.execute(keep, asdict(row)).rowcount == 1 for row in rows)


def counterfactuals_of(connection: Connection, decision_id: str) -> tuple[CounterfactualRow, ...]:
    """The counterfactuals of a decision, the first one to try first."""
    return tuple(CounterfactualRow(*row) for row in connection.execute(_OF_DECISION, {"sought": decision_id}))


def held_counterfactuals(connection: Connection, application_id: str, now: datetime) -> tuple[CounterfactualRow, ...]:
    """Every counterfactual of an application that is held at this moment, the oldest first."""
    values = {"sought": application_id, "now": now}
    return tuple(CounterfactualRow(*row) for row in connection.execute(_HELD, values))


def keep_review_request(connection: Connection, row: ReviewRequestRow) -> None:
    """Keep a request for a person; raises IntegrityError where the decision has one."""
    connection.execute(_REQUEST, asdict(row))


def review_request_of(connection: Connection, decision_id: str) -> ReviewRequestRow | None:
    """The request for a person to look again at a decision, if there is one."""
    row = connection.execute(_REQUEST_OF, {"sought": decision_id}).first()
    return None if row is None else ReviewRequestRow(*row)


def review_requests_since(connection: Connection, since: datetime, limit: int = 100) -> tuple[ReviewRequestRow, ...]:
    """Requests for a person since then, the first to be answered first: for staff."""
    rows = connection.execute(_REQUESTS, {"since": since, "page": limit})
    return tuple(ReviewRequestRow(*row) for row in rows)


def count_read(connection: Connection, application_id: str, kind: str, day: str) -> int:
    """Count one read of an application, and say how many that makes on this day."""
    values = {"application_id": application_id, "kind": kind, "day": day, "reads": 1}
    return int(connection.execute(_READ[connection.dialect.name], values).scalar_one())


def reads_of(connection: Connection, application_id: str, kind: str, day: str) -> int:
    """How many reads of an application were counted on this day."""
    values = {"its_application_id": application_id, "its_kind": kind, "its_day": day}
    return int(connection.execute(_READS, values).scalar() or 0)
