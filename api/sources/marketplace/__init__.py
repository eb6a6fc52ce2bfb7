"""The marketplace: twelve months of one buyer's orders, and the suppliers they went to.

It does: ask for the buyer, the orders page by page and the suppliers, check that they fit together, and build one
block of orders. It does not: sum up, or judge a supplier. The rule it keeps: an answer that contradicts itself
anywhere is refused whole.

This is the API that a marketplace implements for us; every request carries `Authorization: Bearer <token>`. Fields may
be added; those below are always there. A time is RFC 3339 with its offset, a day `YYYY-MM-DD`, an amount of money a
decimal string with at most two decimals, a rate a decimal share of one as a string ("0.0125").

    GET /v1/buyers/{abn}                      404 {"code": "buyer_unknown"}: nobody of this ABN buys here
        {"abn": "37955501005", "joined_on": "2021-05-10"}

    GET /v1/buyers/{abn}/orders?from=2025-08-03&to=2026-08-03&page=1&page_size=1000
        {"page": 1, "total": 1234, "orders": [
            {"order_id": "o-1", "placed_at": "2026-05-01T03:12:00Z", "supplier_id": "s-1",
             "total": {"amount": "1234.50", "currency": "AUD"},
             "status": "placed" | "completed" | "cancelled",
             "cancelled_by": null | "buyer" | "supplier" | "marketplace",
             "dispute": null | {"opened_at": "2026-05-20T00:00:00Z", "outcome": "open" | "won" | "lost"},
             "chargeback": false, "shipped_at": null | "...", "due_on": null | "...", "paid_on": null | "..."}]}

    GET /v1/buyers/{abn}/suppliers?include={supplier_id}
        {"total": 3, "suppliers": [
            {"supplier_id": "s-1", "active_since": "2019-02-01", "vetted_on": null | "2026-02-01",
             "orders_12m": 410, "value_12m": {"amount": "912000.00", "currency": "AUD"},
             "dispute_rate": "0.0050", "on_time_rate": "0.9700",
             "response_rate": null | "0.9500", "response_time_hours": null | 6.5, "related_to_buyer": false}]}

Orders are those placed from `from` to `to`, both included, as days in Sydney, in any order; every page but the last is
full. `total` counts the orders of all pages. An outcome of a dispute is the buyer's: won means refunded. `cancelled_by`
says who cancelled, null where nobody knows. `vetted_on` is the last six-month vetting. Suppliers are all of the buyer's
and the one of `include`, where there is such a supplier, even if the buyer never bought from it.
"""

import asyncio
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from api.sources import Answer, Asking, Source, SourceFailed
from api.sources.exchange import Conversation, Reply
from api.sources.marketplace.orders import Rows, Window, block_of, rows_of, window_at
from api.sources.marketplace.wire import (
    BUYER,
    MOST_PAGES,
    PAGE,
    PAGE_SIZE,
    REFUSAL,
    SUPPLIERS,
    WirePage,
    WireSupplier,
    WireSuppliers,
)
from api.sources.reading import read
from engine.facts import MarketplaceHistory, Supplier
from engine.facts.statement import cents

_NOT_FOUND = 404
_EARLIEST = date(1990, 1, 1)  # no marketplace is older


class Marketplace:
    """The client of the marketplace's partner API."""

    name: Source = "marketplace"

    async def fetch(self, asking: Asking, conversation: Conversation) -> Answer[MarketplaceHistory]:
        """The buyer's twelve months; nothing where it is not a buyer, or did not allow us to ask.

        Three requests at once, then the further pages at once. Raises SourceFailed, in an exception group where
        requests went out together (a conversation's end takes the group apart).
        """
        application = asking.application
        if not application.consented("marketplace_data"):
            return Answer(None)
        window, named = window_at(asking.as_of), application.request.supplier_id
        buyer = f"/v1/buyers/{application.business.abn}"
        async with asyncio.TaskGroup() as group:
            about = group.create_task(conversation.get(buyer, allow=(_NOT_FOUND,)))
            first = group.create_task(_ask_page(conversation, buyer, window, 1))
            include = {"include": named} if named else None
            seen = group.create_task(conversation.get(f"{buyer}/suppliers", include, allow=(_NOT_FOUND,)))
        if _is_unknown(about.result()):
            return Answer(None)
        if any(asked.result().status == _NOT_FOUND for asked in (about, first, seen)):
            raise SourceFailed("status")
        told = read(BUYER, about.result().body)
        if told["abn"] != application.business.abn:
            raise SourceFailed("schema")
        joined = window.past(told["joined_on"], _EARLIEST)
        try:
            suppliers = _suppliers(read(SUPPLIERS, seen.result().body), window)
            places = {supplier.id: place for place, supplier in enumerate(suppliers)}
            pages = await _all_pages(conversation, buyer, window, places, first.result())
            return Answer(MarketplaceHistory(joined_on=joined, suppliers=suppliers, orders=block_of(pages)))
        except (ValidationError, PydanticCustomError):  # a record's error, or the block's own
            pass
        raise SourceFailed("schema")


async def _ask_page(conversation: Conversation, buyer: str, window: Window, number: int) -> Reply:
    query = {
        "from": window.first.isoformat(), "to": window.last.isoformat(), "page": str(number),
        "page_size": str(PAGE_SIZE),
    }  # fmt: skip
    return await conversation.get(f"{buyer}/orders", query, allow=(_NOT_FOUND,) if number == 1 else ())


def _is_unknown(reply: Reply) -> bool:
    """Whether the marketplace says that it has no such buyer; any other 404 says nothing."""
    if reply.status != _NOT_FOUND:
        return False
    try:
        return read(REFUSAL, reply.body)["code"] == "buyer_unknown"
    except SourceFailed:
        return False


async def _all_pages(
    conversation: Conversation, buyer: str, window: Window, places: dict[str, int], first: Reply
) -> list[Rows]:
    """The orders of all pages; each page has to agree with what the first one said."""
    page = read(PAGE, first.body)
    total = page["total"]
    if total > PAGE_SIZE * MOST_PAGES:
        raise SourceFailed("oversized")
    _check_page(page, 1, total)
    rows = [rows_of(page["orders"], places, window)]
    numbers = range(2, -(-total // PAGE_SIZE) + 1)
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(_ask_page(conversation, buyer, window, number)) for number in numbers]
    for number, reply in zip(numbers, asked, strict=True):
        await asyncio.sleep(0)  # a page takes some milliseconds: others' requests go on in between
        page = read(PAGE, reply.result().body)
        _check_page(page, number, total)
        rows.append(rows_of(page["orders"], places, window))
    return rows


def _check_page(page: WirePage, number: int, total: int) -> None:
    full = min(PAGE_SIZE, total - (number - 1) * PAGE_SIZE)
    if (page["page"], page["total"], len(page["orders"])) != (number, total, full):
        raise SourceFailed("schema")


def _suppliers(told: WireSuppliers, window: Window) -> tuple[Supplier, ...]:
    suppliers = tuple(_supplier(record, window) for record in told["suppliers"])
    if not len({supplier.id for supplier in suppliers}) == len(suppliers) == told["total"]:
        raise SourceFailed("schema")
    return suppliers


def _supplier(told: WireSupplier, window: Window) -> Supplier:
    hours = told["response_time_hours"]
    return Supplier(
        id=told["supplier_id"],
        active_since=window.past(told["active_since"], _EARLIEST),
        orders_12m=told["orders_12m"],
        value_12m_cents=cents(told["value_12m"]["amount"]),
        dispute_bps=_bps(told["dispute_rate"]),
        on_time_bps=_bps(told["on_time_rate"]),
        related_to_buyer=told["related_to_buyer"],
        vetted_on=None if told["vetted_on"] is None else window.past(told["vetted_on"]),
        response_rate_bps=None if told["response_rate"] is None else _bps(told["response_rate"]),
        response_hours=None if hours is None else int(hours + 0.5),
    )


def _bps(share: str) -> int:
    return int((Decimal(share) * 10_000).to_integral_value(ROUND_HALF_UP))
