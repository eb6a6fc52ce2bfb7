"""Approvals: who approved or declined exactly which content of a case.

It does not count them against the authority that a case needs; engine.verification says how many that is.
The rule: one person gives one verdict on one content, and never on their own verification (the table's CHECK).
"""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from api.store.tables import approval


@dataclass(frozen=True, slots=True)
class NewApproval:
    """A verdict to be kept; `content_sha256` is of exactly what was looked at, `words` are for the lender's own use."""

    id: str
    case_id: str
    content_sha256: str
    staff_id: str
    verified_by: str
    verdict: str
    limit_cents: int | None
    overrides: bool = False
    reason: str | None = None
    words: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """A verdict as kept."""

    id: str
    case_id: str
    content_sha256: str
    staff_id: str
    verified_by: str
    verdict: str
    limit_cents: int | None
    overrides: bool
    reason: str | None
    words: str | None = field(repr=False)
    at: datetime


_ONCE = ["case_id", "content_sha256", "staff_id"]
_INSERT = {
    "sqlite": sqlite.insert(approval).on_conflict_do_nothing(index_elements=_ONCE).returning(*approval.c),
    "postgresql": postgresql.insert(approval).on_conflict_do_nothing(index_elements=_ONCE).returning(*approval.c),
}
_OF_CASE = select(approval).where(approval.c.case_id == bindparam("sought")).order_by(approval.c.at, approval.c.id)
_BY = (
    select(approval)
    .where(approval.c.staff_id == bindparam("sought"))
    .order_by(approval.c.at.desc(), approval.c.id)
    .limit(bindparam("page"))
)


def insert_approval(connection: Connection, new: NewApproval, at: datetime) -> ApprovalRow | None:
    """Keep a verdict; none where this person has given one on this content.

    Raises IntegrityError for a verdict on one's own verification.
    """
    values = {name: getattr(new, name) for name in NewApproval.__dataclass_fields__}
    row = connection.execute(_INSERT[connection.dialect.name], {**values, "at": at}).first()
    return None if row is None else ApprovalRow(*row)


def approvals_of(connection: Connection, case_id: str, content_sha256: str | None = None) -> tuple[ApprovalRow, ...]:
    """The verdicts on a case, or on one content of it alone, in order."""
    found = _OF_CASE if content_sha256 is None else _OF_CASE.where(approval.c.content_sha256 == content_sha256)
    return tuple(ApprovalRow(*row) for row in connection.execute(found, {"sought": case_id}))


def approvals_by(connection: Connection, staff_id: str, limit: int = 50) -> tuple[ApprovalRow, ...]:
    """The verdicts of a member of staff, newest first."""
    return tuple(ApprovalRow(*row) for row in connection.execute(_BY, {"sought": staff_id, "page": limit}))
