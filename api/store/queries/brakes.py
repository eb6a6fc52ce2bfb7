"""The lender's brakes: refer everything, stop at so many dollars a day, cap a concentration.

A brake is set by adding a row and lifted by dating it; the two are told apart from editing by a trigger. It counts
what has been used of a brake, and does not decide what the brake does (engine.screening does).
The rule: what was in force at any moment can be told afterwards.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from sqlalchemy import Connection, bindparam, func, insert, or_, select, update

from api.store.prepared import Prepared, Sent
from api.store.queries.exposure import approved_today, hold_brakes, open_book
from api.store.tables import brake
from api.zone import SYDNEY
from engine.application import EntityType
from engine.facts.standing import MOST_BOOK_CENTS
from engine.facts.standing import Brake as BrakeFact
from engine.values import DIVISIONS, State

EVERYWHERE = "*"
GROUP = "group"
MOST_BRAKES = 100  # in force at once; a decision's facts hold no more
WHOLE = 10_000  # hundredths of a per cent
_KNOWN = {
    "division": frozenset(DIVISIONS),
    "state": frozenset(get_args(State)),
    "entity": frozenset(get_args(EntityType)),
}
_SEGMENT = re.compile(r"(division|state|entity):([A-Za-z_]{1,20})")


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
    because: str | None = None
    lifted_because: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an application stands among the segments: what is asked, by whom, and what its group holds."""

    amount_cents: int
    division: str
    state: str
    entity_type: str
    group_cents: int = 0
    application_id: str = ""

    @property
    def segments(self) -> frozenset[str]:
        """The segments that it is in."""
        named = (f"division:{self.division}", f"state:{self.state}", f"entity:{self.entity_type}")
        return frozenset({EVERYWHERE, GROUP, *named})


_INSERT = insert(brake).returning(brake.c.id)
_NOT_LIFTED = or_(brake.c.lifted_at.is_(None), brake.c.lifted_at > bindparam("now"))
_IN_FORCE = select(brake).where(brake.c.set_at <= bindparam("now"), _NOT_LIFTED).order_by(brake.c.id)
_PULLED = Prepared(select(brake).where(_NOT_LIFTED).order_by(brake.c.id).limit(MOST_BRAKES))
_COUNT = select(func.count()).select_from(brake).where(_NOT_LIFTED)


def set_brake(
    connection: Connection,
    kind: str,
    at: datetime,
    by: str,
    *,
    segment: str = EVERYWHERE,
    value: int | None = None,
    because: str | None = None,
) -> int:
    """Set a brake; returns its number. ValueError for one that could brake nothing, and for the 101st in force."""
    if (fault := brake_fault(kind, segment, value)) is not None:
        raise ValueError(fault)
    hold_brakes(connection)
    if connection.execute(_COUNT, {"now": at}).scalar_one() >= MOST_BRAKES:
        raise ValueError(f"{MOST_BRAKES} brakes are in force already")
    values = {"kind": kind, "segment": segment, "value": value, "set_at": at, "set_by": by, "because": because}
    return int(connection.execute(_INSERT, values).scalar_one())


def brake_fault(kind: str, segment: str, value: int | None) -> str | None:
    """What is wrong with a brake, in words; none where it can brake something."""
    match = _SEGMENT.fullmatch(segment)
    if segment not in (EVERYWHERE, GROUP) and (match is None or match[2] not in _KNOWN[match[1]]):
        return "a segment is all, or division:A to division:S, state:NSW, entity:company and their like"
    if segment == GROUP and kind != "concentration":
        return "the segment group is for concentration alone"
    if kind == "daily_dollars" and not 0 <= (-1 if value is None else value) <= MOST_BOOK_CENTS:
        return "a day's dollars are a number that a day could have"
    if kind == "concentration" and segment == EVERYWHERE:
        return "a concentration needs a segment: everything is always the whole of the book"
    if kind == "concentration" and not 0 < (value or 0) < WHOLE:
        return "a concentration is more than nothing and less than the whole"
    return None


def lift_brake(connection: Connection, brake_id: int, at: datetime, by: str, because: str | None = None) -> bool:
    """Lift a brake from `at` on; False if there is none or it was lifted before."""
    in_force = (brake.c.id == brake_id) & brake.c.lifted_at.is_(None)
    # A clock behind the one that set it must not make the lifting impossible.
    since = select(brake.c.set_at).where(brake.c.id == brake_id)
    set_at = connection.execute(since).scalar()
    values = {"lifted_at": max(at, set_at or at), "lifted_by": by, "lifted_because": because}
    return connection.execute(update(brake).where(in_force).values(**values)).rowcount == 1


def brakes_in_force(connection: Connection, now: datetime) -> tuple[Brake, ...]:
    """Every brake that holds at this moment, oldest first."""
    return tuple(Brake(**row) for row in connection.execute(_IN_FORCE, {"now": now}).mappings())


def send_pulled(connection: Connection, now: datetime) -> Sent:
    """Every brake that was not lifted: rows of Brake.

    A brake holds from the moment that it is there, whatever the clock of the one who set it said: a decision that
    can see it obeys it.
    """
    return _PULLED.send(connection, {"now": now})


def brakes_on(connection: Connection, place: Place, now: datetime, pulled: Sent | None = None) -> tuple[BrakeFact, ...]:
    """The brakes that concern an application, with what is used of each; `pulled` where they were asked for before.

    A day is Sydney's. A concentration is a share of the open book with this request in it.
    """
    brakes = [Brake(*row) for row in (pulled or send_pulled(connection, now)).rows()]
    return tuple(_used(connection, each, place, now) for each in brakes if each.segment in place.segments)


def _used(connection: Connection, pulled: Brake, place: Place, now: datetime) -> BrakeFact:
    segment = None if pulled.segment == EVERYWHERE else pulled.segment
    limit, used = pulled.value, 0
    if pulled.kind == "daily_dollars":
        day = now.astimezone(SYDNEY).date()
        used = approved_today(connection, day, segment, place.application_id).limit_cents
    elif pulled.kind == "concentration":
        book = open_book(connection, now, but_not=place.application_id)
        limit = (book + place.amount_cents) * (pulled.value or 0) // WHOLE
        group = segment == GROUP
        used = place.group_cents if group else open_book(connection, now, segment, place.application_id)
    told = {"kind": pulled.kind, "segment": segment or "all", "limit_cents": limit, "used_cents": used}
    return BrakeFact.model_validate(told)
