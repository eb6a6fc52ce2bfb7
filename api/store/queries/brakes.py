"""The lender's brakes: refer everything, stop at so many dollars a day, cap a concentration.

A brake is set by adding a row and lifted by dating it; the two are told apart from editing by a trigger. It
does not decide what a brake does.
The rule: what was in force at any moment can be told afterwards.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from api.store.tables import brake

EVERYWHERE = "*"
_SEGMENT = re.compile(r"\*|(division|state|entity):[A-Za-z_]{1,20}")


@dataclass(frozen=True, slots=True)
class Brake:
    """A brake as kept; `value` is cents or hundredths of a per cent, by its kind, and none for refer_all."""

    id: int
    kind: str
    segment: str
    value: int | None
    set_at: datetime
    set_by: str
    lifted_at: datetime | None
    lifted_by: str | None


_INSERT = insert(brake).returning(brake.c.id)
_IN_FORCE = (
    select(brake)
    .where(
        brake.c.set_at <= bindparam("now"),
        or_(brake.c.lifted_at.is_(None), brake.c.lifted_at > bindparam("now")),
    )
    .order_by(brake.c.id)
)


def set_brake(
    connection: Connection,
    kind: str,
    at: datetime,
    by: str,
    *,
    segment: str = EVERYWHERE,
    value: int | None = None,
) -> int:
    """Set a brake from `at` on; returns its number. ValueError for a segment that no application could meet."""
    if not _SEGMENT.fullmatch(segment):
        raise ValueError("a segment is *, or division:X, state:X or entity:X")
    values = {"kind": kind, "segment": segment, "value": value, "set_at": at, "set_by": by}
    return int(connection.execute(_INSERT, values).scalar_one())


def lift_brake(connection: Connection, brake_id: int, at: datetime, by: str) -> bool:
    """Lift a brake from `at` on; False if there is none or it was lifted before."""
    in_force = (brake.c.id == brake_id) & brake.c.lifted_at.is_(None)
    return connection.execute(update(brake).where(in_force).values(lifted_at=at, lifted_by=by)).rowcount == 1


def brakes_in_force(connection: Connection, now: datetime) -> tuple[Brake, ...]:
    """Every brake that holds at this moment, oldest first."""
    return tuple(Brake(**row) for row in connection.execute(_IN_FORCE, {"now": now}).mappings())
