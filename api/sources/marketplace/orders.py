"""Orders as the marketplace tells them into the engine's block of orders.

It does: turn pages into columns, times into days in Sydney, and an order's many fields into one outcome. It does not:
ask for pages, or sum up. The rule it keeps: nothing is counted in the buyer's favour that has not happened.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from api.sources import SourceFailed
from api.sources.marketplace.wire import WireOrder
from api.zone import SYDNEY
from engine.facts import Orders
from engine.facts.columns import Ints
from engine.facts.marketplace import (
    CANCELLED,
    CHARGEBACK,
    COMPLETED,
    DISPUTE_LOST,
    DISPUTE_WON,
    NOT_PAID_YET,
    NOT_SHIPPED,
    WINDOW_DAYS,
)
from engine.facts.statement import all_cents

_EPOCH = date(1970, 1, 1).toordinal()
_DAY = timedelta(days=1)
_NOTHING_YET = -1
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The days asked for, in Sydney, both included; times may lie a day beside, since clocks and zones differ.

    `midnights` are the seconds since 1970 at which the days begin, from the day before the first on.
    """

    first: date
    last: date
    midnights: Floats

    def days_of(self, stamps: Floats) -> Ints:
        """Days since 1970 in Sydney of seconds since 1970; one outside the window is refused."""
        places = np.searchsorted(self.midnights, stamps, side="right")
        if bool(((places == 0) | (places == len(self.midnights))).any()):
            raise SourceFailed("schema")
        return places + (self.first.toordinal() - _EPOCH - 2)

    def past(self, day: date, earliest: date = date.min) -> date:
        """The day, unless it is still to come or too early to be true."""
        if not earliest <= day <= self.last + _DAY:
            raise SourceFailed("schema")
        return day


def window_at(as_of: datetime) -> Window:
    """The twelve months up to the day that it is in Sydney."""
    return _window_to(as_of.astimezone(SYDNEY).date())


@lru_cache(4)  # it changes once a day, and 370 midnights take a millisecond
def _window_to(last: date) -> Window:
    first = last - timedelta(days=WINDOW_DAYS)
    days = (first + timedelta(days=n) for n in range(-1, WINDOW_DAYS + 3))
    return Window(first, last, np.array([datetime.combine(day, time(), SYDNEY).timestamp() for day in days]))


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Some orders in columns: when placed (seconds since 1970), their ids, and what the block holds of them."""

    stamps: Floats
    ids: list[str]
    columns: Mapping[str, Ints]


def rows_of(orders: Sequence[WireOrder], places: Mapping[str, int], window: Window) -> Rows:
    """Orders in columns; `places` says where a supplier is listed, and one that is not listed is refused."""
    if any(order["supplier_id"] not in places for order in orders):
        raise SourceFailed("schema")
    stamps = _stamps(order["placed_at"] for order in orders)
    placed = window.days_of(stamps)
    columns = {
        "placed_day": placed,
        "amount_cents": all_cents([order["total"]["amount"] for order in orders]),
        "supplier": _ints(places[order["supplier_id"]] for order in orders),
        "outcome": _ints(_outcome(order) for order in orders),
        "days_late": _ints(_days_late(order, window) for order in orders),
        "ship_days": _ship_days(orders, placed, window),
    }
    return Rows(stamps, [order["order_id"] for order in orders], columns)


def block_of(pages: Sequence[Rows]) -> Orders:
    """All orders that say something, by the moment they were placed; an id that comes twice is refused.

    Raises PydanticCustomError for values that the block does not hold.
    """
    ids = [order_id for rows in pages for order_id in rows.ids]
    if len(set(ids)) < len(ids):
        raise SourceFailed("schema")
    stamps = np.concatenate([rows.stamps for rows in pages])
    columns = {name: np.concatenate([rows.columns[name] for rows in pages]) for name in Orders.columns}
    order = np.lexsort((np.array(ids, dtype=np.str_), stamps))
    told = order[columns["outcome"][order] != _NOTHING_YET]
    return Orders({name: column[told] for name, column in columns.items()})


def _stamps(moments: Iterable[datetime]) -> Floats:
    return np.fromiter((moment.timestamp() for moment in moments), dtype=np.float64)


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, dtype=np.int64)


def _outcome(order: WireOrder) -> int:
    """What became of the order; _NOTHING_YET where it says nothing of the buyer.

    An order still open is no purchase yet, or orders placed to impress would count; one that the supplier cancelled
    is not the buyer's doing. A dispute still open is like one that the buyer won: not bought, and not held against it.
    """
    if order["chargeback"]:
        return CHARGEBACK
    if order["dispute"] is not None:
        return DISPUTE_LOST if order["dispute"]["outcome"] == "lost" else DISPUTE_WON
    if order["status"] == "cancelled":
        return _NOTHING_YET if order["cancelled_by"] == "supplier" else CANCELLED
    return COMPLETED if order["status"] == "completed" else _NOTHING_YET


def _days_late(order: WireOrder, window: Window) -> int:
    if order["paid_on"] is None:
        return NOT_PAID_YET
    paid = window.past(order["paid_on"])
    return 0 if order["due_on"] is None else max((paid - order["due_on"]).days, 0)


def _ship_days(orders: Sequence[WireOrder], placed: Ints, window: Window) -> Ints:
    gone = [(place, moment) for place, order in enumerate(orders) if (moment := order["shipped_at"]) is not None]
    places = _ints(place for place, _ in gone)
    days = window.days_of(_stamps(moment for _, moment in gone)) - placed[places]
    if bool((days < 0).any()):
        raise SourceFailed("schema")  # sent before it was ordered
    ship_days = np.full(len(orders), NOT_SHIPPED, dtype=np.int64)
    ship_days[places] = days
    return ship_days
