"""What the lender has promised: the open offers to one business, and what was approved on a day.

Both are counted from the decisions themselves, so there is no counter that could drift from them.
The rule: who goes on to approve on the strength of such a count has held the business first, or two approvals
at once could both look allowed.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, func, select, text

from api.store.tables import decision

SYDNEY = ZoneInfo("Australia/Sydney")


@dataclass(frozen=True, slots=True)
class Exposure:
    """Open conditional offers: how many, and the sum of their limits."""

    offers: int
    limit_cents: int


_later = decision.alias("later")
_OFFERS = select(func.count(), func.coalesce(func.sum(decision.c.limit_cents), 0)).where(
    decision.c.outcome == "approve",
    ~select(_later.c.id).where(_later.c.supersedes == decision.c.id).exists(),
)
_OPEN = _OFFERS.where(decision.c.abn == bindparam("its_abn"), decision.c.expires_at > bindparam("now"))
_BETWEEN = _OFFERS.where(decision.c.decided_at >= bindparam("start"), decision.c.decided_at < bindparam("end"))
# hashtext may give two businesses one number: they then wait for each other, which is harmless.
_HOLD = text("SELECT pg_advisory_xact_lock(7310003, hashtext(:abn))")


def hold_business(connection: Connection, abn: str) -> None:
    """Let no other transaction approve for this business until this one ends; SQLite has one writer."""
    if connection.dialect.name == "postgresql":
        connection.execute(_HOLD, {"abn": abn})


def exposure_of(connection: Connection, abn: str, now: datetime) -> Exposure:
    """The offers to this business that stand at `now`: approved, not superseded, not expired."""
    count, cents = connection.execute(_OPEN, {"its_abn": abn, "now": now}).one()
    return Exposure(int(count), int(cents))


def approved_between(connection: Connection, start: datetime, end: datetime) -> Exposure:
    """What was approved from `start` until before `end` and was not superseded since."""
    count, cents = connection.execute(_BETWEEN, {"start": start, "end": end}).one()
    return Exposure(int(count), int(cents))


def approved_today(connection: Connection, day: date, zone: ZoneInfo = SYDNEY) -> Exposure:
    """What was approved on this calendar day of the lender's, which has 23 to 25 hours."""
    start = datetime.combine(day, time(), zone)
    end = datetime.combine(day + timedelta(days=1), time(), zone)
    return approved_between(connection, start, end)
