"""Twelve months of marketplace orders as a block, and the suppliers seen.

It does: hold orders with outcome and payment delay. It does not: summarise (engine.features does).
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from engine.facts.columns import Block
from engine.values import Bps, Frozen, Token, problem

WINDOW_DAYS = 365
DAY_RANGE = (0, 60_000)  # days since 1970-01-01, to the year 2134

COMPLETED, CANCELLED, DISPUTE_WON, DISPUTE_LOST, CHARGEBACK = range(5)
NOT_PAID_YET = -1
NOT_SHIPPED = -1


class Orders(Block):
    """One row an order, by the day it was placed.

    supplier: index into `MarketplaceHistory.suppliers`; outcome: COMPLETED .. CHARGEBACK, disputes from the
    buyer's side; days_late: days paid after due, 0 on time or early, NOT_PAID_YET; ship_days: days from order to
    shipment, NOT_SHIPPED where it has not left or nobody says.
    """

    columns: ClassVar[Mapping[str, tuple[int, int]]] = {
        "placed_day": DAY_RANGE,
        "amount_cents": (0, 10_000_000_000),
        "supplier": (0, 4_999),
        "outcome": (COMPLETED, CHARGEBACK),
        "days_late": (NOT_PAID_YET, 3_650),
        "ship_days": (NOT_SHIPPED, 3_650),
    }
    unsaid: ClassVar[Mapping[str, int]] = {"ship_days": NOT_SHIPPED}
    day_column = "placed_day"


class Supplier(Frozen):
    """A supplier's record on the marketplace, over the previous twelve months.

    `vetted_on` is the last six-month vetting; the two about answering say how often and how fast it does.
    """

    id: Token
    active_since: date
    orders_12m: Annotated[int, Field(ge=0, le=10_000_000)]
    value_12m_cents: Annotated[int, Field(ge=0, le=10_000_000_000_000)]
    dispute_bps: Bps
    on_time_bps: Bps
    related_to_buyer: bool = False
    vetted_on: date | None = None
    response_rate_bps: Bps | None = None
    response_hours: Annotated[int, Field(ge=0, le=10_000)] | None = None


class MarketplaceHistory(Frozen):
    """A buyer's twelve months on the marketplace."""

    joined_on: date
    suppliers: Annotated[tuple[Supplier, ...], Field(max_length=5_000, strict=False)]
    orders: Orders

    @model_validator(mode="after")
    def _suppliers_listed(self) -> Self:
        if len(self.orders) and int(self.orders["supplier"].max()) >= len(self.suppliers):
            raise problem("index_range", "A supplier index is out of range")
        return self

    def supplier(self, supplier_id: str) -> Supplier | None:
        """The supplier of this id, None where this buyer has no record of it."""
        return next((s for s in self.suppliers if s.id == supplier_id), None)
