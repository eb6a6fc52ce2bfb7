"""The marketplace, played: its partner API for made-up buyers (api.sources.marketplace describes it).

It does: render a history's orders, page by page and newest first, and its suppliers. It does not: keep anything. The
rule it keeps: what the facts say comes back from the client unchanged; what they leave open (shipping, vetting, how
soon a supplier answers) is invented, the same for ever.
"""

import json
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from api.sandbox import Ask, Told, World
from api.sources.marketplace.wire import PAGE_SIZE
from api.zone import SYDNEY
from engine.facts import MarketplaceHistory, Supplier
from engine.facts.marketplace import (
    CANCELLED,
    CHARGEBACK,
    DISPUTE_LOST,
    DISPUTE_WON,
    NOT_PAID_YET,
    NOT_SHIPPED,
)
from engine.facts.statement import amount_string

TOKEN = "sandbox-token"
_PATH = re.compile(r"/v1/buyers/([0-9]{11})(/orders|/suppliers)?")
_EPOCH = date(1970, 1, 1).toordinal()
_TERMS_DAYS = 30
_BETWEEN_S = 4  # between two orders of a day: so many seconds apart the most orders fit into the shortest day
_SHIPPED_S = 22 * 3_600
_VETTING_DAYS = 180


def answer(world: World, ask: Ask) -> Told:
    """The reply to one request."""
    if ask.headers.get("authorization") != f"Bearer {TOKEN}":
        return _told({"code": "unauthorised"}, 401)
    match = _PATH.fullmatch(ask.path)
    if ask.method != "GET" or match is None:
        return _told({"code": "not_found"}, 404)
    facts = world.facts(match[1])
    history = facts.marketplace.value if facts is not None else None
    if history is None:
        return _told({"code": "buyer_unknown"}, 404)
    if match[2] == "/suppliers":
        records = [_supplier(supplier, world.today) for supplier in history.suppliers]
        return _told({"total": len(records), "suppliers": records})
    if match[2] is None:
        return _told({"abn": match[1], "joined_on": history.joined_on.isoformat()})
    try:
        first, last = (date.fromisoformat(ask.query[name]).toordinal() - _EPOCH for name in ("from", "to"))
        page, size = int(ask.query["page"]), int(ask.query["page_size"])
    except (KeyError, ValueError):
        return _told({"code": "query_invalid"}, 400)
    if page < 1 or not 1 <= size <= PAGE_SIZE:
        return _told({"code": "query_invalid"}, 400)
    rows = [row for row in _rows(history) if first <= row[1] <= last][::-1]
    shown = rows[(page - 1) * size : page * size]
    silent = not bool((history.orders["ship_days"] != NOT_SHIPPED).any())
    orders = [_order(history, row, world.today, silent=silent) for row in shown]
    return _told({"page": page, "total": len(rows), "orders": orders})


def _told(content: object, status: int = 200) -> Told:
    return Told(json.dumps(content, separators=(",", ":")).encode(), status)


# -- orders --------------------------------------------------------------------------------------------------

# Place in the block, day, place within the day.
_Row = tuple[int, int, int]


def _rows(history: MarketplaceHistory) -> Iterator[_Row]:
    day, within = -1, 0
    for place, placed in enumerate(history.orders["placed_day"].tolist()):
        day, within = placed, within + 1 if placed == day else 0
        yield place, day, within


def _order(history: MarketplaceHistory, row: _Row, today: date, *, silent: bool) -> dict[str, object]:
    """One order on the wire; `silent`: the facts say nothing of shipping."""
    place, day, within = row
    column = {name: int(history.orders[name][place]) for name in history.orders.columns}
    outcome, paid, due = column["outcome"], None, _date(day + _TERMS_DAYS)
    if column["days_late"] != NOT_PAID_YET:
        late = timedelta(days=column["days_late"])
        due = min(due, today - late)  # what is paid was paid by today
        paid = due + late
    ship_days = column["ship_days"]
    if silent and outcome != CANCELLED:
        ship_days = 1 + place * 7 % 6
    gone = ship_days != NOT_SHIPPED and _date(day + ship_days) <= today
    opened = _moment(day, _SHIPPED_S)
    return {
        "order_id": f"order-{place:05d}",
        "placed_at": _moment(day, within * _BETWEEN_S),
        "supplier_id": history.suppliers[column["supplier"]].id,
        "total": {"amount": amount_string(column["amount_cents"]), "currency": "AUD"},
        "status": "cancelled" if outcome == CANCELLED else "completed",
        "cancelled_by": "buyer" if outcome == CANCELLED else None,
        "dispute": {
            DISPUTE_WON: {"opened_at": opened, "outcome": "won"},
            DISPUTE_LOST: {"opened_at": opened, "outcome": "lost"},
        }.get(outcome),
        "chargeback": outcome == CHARGEBACK,
        "shipped_at": _moment(day + ship_days, _SHIPPED_S) if gone else None,
        "due_on": due.isoformat(),
        "paid_on": paid.isoformat() if paid else None,
    }


def _date(day: int) -> date:
    return date.fromordinal(day + _EPOCH)


def _moment(day: int, seconds: int) -> str:
    """So many seconds after that day began in Sydney, in UTC."""
    begun = datetime.combine(_date(day), time(), SYDNEY).astimezone(UTC)
    return (begun + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


# -- suppliers -----------------------------------------------------------------------------------------------


def _supplier(supplier: Supplier, today: date) -> dict[str, object]:
    luck = zlib.crc32(supplier.id.encode())
    vetted = supplier.vetted_on or max(supplier.active_since, today - timedelta(days=luck % _VETTING_DAYS))
    rate, hours = supplier.response_rate_bps, supplier.response_hours
    return {
        "supplier_id": supplier.id,
        "active_since": supplier.active_since.isoformat(),
        "vetted_on": vetted.isoformat(),
        "orders_12m": supplier.orders_12m,
        "value_12m": {"amount": amount_string(supplier.value_12m_cents), "currency": "AUD"},
        "dispute_rate": _share(supplier.dispute_bps),
        "on_time_rate": _share(supplier.on_time_bps),
        "response_rate": _share(8_000 + luck % 2_000 if rate is None else rate),
        "response_time_hours": 1 + luck % 48 if hours is None else hours,
        "related_to_buyer": supplier.related_to_buyer,
    }


def _share(bps: int) -> str:
    return f"{bps // 10_000}.{bps % 10_000:04d}"
