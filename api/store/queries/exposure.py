"""What the lender has promised: lines and open offers to a business and its group, the open book, a day's approvals.

All are counted from the decisions themselves, so there is no counter that could drift from them. A decision counts
once: by its line where one was opened on it, or else as an offer, while it has not expired or its case is being
worked on. An application with a line, or whose case was closed without one, holds no offer. `but_not` leaves out the
application that is being decided again: its earlier offer is what the new decision replaces.
The rule: who goes on to approve on the strength of such a count holds the business, its group and the book first
(`hold`), or two approvals at once could both look allowed.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, or_, select, text, true

from api.store.prepared import DIALECTS, Prepared, among
from api.store.tables import decision, line, verification_case
from api.zone import SYDNEY

SEGMENTS = {"division": decision.c.division, "state": decision.c.state, "entity": decision.c.entity_type}


@dataclass(frozen=True, slots=True)
class Exposure:
    """Lines and open conditional offers: how many, and the sum of their limits."""

    offers: int
    limit_cents: int


_later = decision.alias("later")
STANDS: ColumnElement[bool] = ~select(_later.c.id).where(_later.c.supersedes == decision.c.id).exists()
_COUNT = func.count()
_APPROVED = and_(decision.c.outcome == "approve", decision.c.application_id != bindparam("but_not"))
_IS_LINE = line.c.decision_id == decision.c.id
_UNEXPIRED = decision.c.expires_at > bindparam("now")
_IS_OFFER = and_(
    line.c.id.is_(None),
    STANDS,
    or_(
        and_(_UNEXPIRED, or_(verification_case.c.id.is_(None), verification_case.c.state == "approved")),
        verification_case.c.id.is_not(None) & verification_case.c.closed_at.is_(None),
    ),
)
_OPEN = (
    select(_COUNT, func.coalesce(func.sum(func.coalesce(line.c.limit_cents, decision.c.limit_cents)), 0))
    .select_from(decision)
    .outerjoin(line, line.c.application_id == decision.c.application_id)
    .outerjoin(verification_case, verification_case.c.application_id == decision.c.application_id)
    .where(_APPROVED, or_(_IS_LINE, _IS_OFFER))
)
_OPEN_OF = Prepared(
    {
        name: _OPEN.add_columns(decision.c.abn).where(among(name, decision.c.abn, "its_abns")).group_by(decision.c.abn)
        for name in DIALECTS
    }
)
_BETWEEN = select(_COUNT, func.coalesce(func.sum(decision.c.limit_cents), 0)).where(
    _APPROVED, STANDS, decision.c.decided_at >= bindparam("start"), decision.c.decided_at < bindparam("end")
)
# The whole of it has no segment, which is the name "".
_IN = {name: column == bindparam("its_segment") for name, column in SEGMENTS.items()} | {"": true()}
_OPEN_IN = {name: Prepared(_OPEN.where(within)) for name, within in _IN.items()}
_BETWEEN_IN = {name: Prepared(_BETWEEN.where(within)) for name, within in _IN.items()}

# -- locks, for PostgreSQL; SQLite has one writer ------------------------------------------------------------
#
# Everybody who decides shares the first; who sets or lifts a brake has it alone, and so begins between two decisions.
# Who decides under a counted brake has the second alone. The rest are businesses and signals, in order of number.
_SHARE_BRAKES = Prepared(text("SELECT pg_advisory_xact_lock_shared(7310004, 0)"))
_HOLD_BRAKES = text("SELECT pg_advisory_xact_lock(7310004, 0)")
_HOLD_BOOK = Prepared(text("SELECT pg_advisory_xact_lock(7310005, 0)"))
_HOLD = Prepared(text("SELECT pg_advisory_xact_lock(7310003, each) FROM unnest(CAST(:numbers AS integer[])) AS each"))


def hold(connection: Connection, names: Iterable[str], *, book: bool = False) -> None:
    """Let no other transaction decide about these businesses and signals until this one ends.

    With `book`, about none at all: that is what a limit over the whole book or day costs while it is in force.
    """
    if connection.dialect.name == "postgresql":
        _SHARE_BRAKES.send(connection, {})
        if book:
            _HOLD_BOOK.send(connection, {})
        _HOLD.send(connection, {"numbers": sorted({_lock_number(name) for name in names})})


def hold_business(connection: Connection, abn: str) -> None:
    """Let no other transaction decide about this business until this one ends."""
    hold(connection, (abn,))


def hold_brakes(connection: Connection) -> None:
    """Wait for the decisions that are being written, and let none begin until this transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(_HOLD_BRAKES)


def _lock_number(name: str) -> int:
    """32 bits; two names may share a number: they then wait for each other, which is harmless."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], signed=True)


# -- counts --------------------------------------------------------------------------------------------------


def exposure_of(connection: Connection, abn: str, now: datetime) -> Exposure:
    """The lines of this business and the offers to it that stand at `now`."""
    return offers_of(connection, (abn,), now).get(abn, Exposure(0, 0))


def offers_of(
    connection: Connection, abns: tuple[str, ...], now: datetime, but_not: str = ""
) -> Mapping[str, Exposure]:
    """The same for several businesses; those without any are left out."""
    rows = _OPEN_OF.rows(connection, {"its_abns": abns, "now": now, "but_not": but_not})
    return {abn: Exposure(int(count), int(cents)) for count, cents, abn in rows}


def open_book(connection: Connection, now: datetime, segment: str | None = None, but_not: str = "") -> int:
    """Cents of all lines and of the offers that stand at `now`, in a segment such as `state:NSW` where one is given."""
    kind, _, value = (segment or "").partition(":")
    ((_, cents),) = _OPEN_IN[kind].rows(connection, {"now": now, "its_segment": value, "but_not": but_not})
    return int(cents)


def approved_between(
    connection: Connection, start: datetime, end: datetime, segment: str | None = None, but_not: str = ""
) -> Exposure:
    """What was approved from `start` until before `end` and was not superseded since."""
    kind, _, value = (segment or "").partition(":")
    values = {"start": start, "end": end, "its_segment": value, "but_not": but_not}
    ((count, cents),) = _BETWEEN_IN[kind].rows(connection, values)
    return Exposure(int(count), int(cents))


def approved_today(connection: Connection, day: date, segment: str | None = None, but_not: str = "") -> Exposure:
    """What was approved on this calendar day of the lender's, which has 23 to 25 hours."""
    start = datetime.combine(day, time(), SYDNEY)
    end = datetime.combine(day + timedelta(days=1), time(), SYDNEY)
    return approved_between(connection, start, end, segment, but_not)
