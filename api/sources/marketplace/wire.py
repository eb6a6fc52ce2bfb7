"""The marketplace's answers as they come over the wire (api.sources.marketplace describes them).

It does: name the fields that are read, with their types and limits. It does not: hold fields that nobody reads. The
rule it keeps: a field that is named here is required, and further fields are no fault.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints, TypeAdapter
from typing_extensions import TypedDict

from api.sources.reading import Day
from engine.values import Token

PAGE_SIZE = 1_000
MOST_PAGES = 20
MOST_SUPPLIERS = 5_000

_Amount = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,2})?$")]
_Share = Annotated[str, StringConstraints(pattern=r"^(0(\.[0-9]{1,8})?|1(\.0{1,8})?)$")]
_Hours = Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]


class WireRefusal(TypedDict):
    """Why a request is refused."""

    code: str


class WireBuyer(TypedDict):
    """Since when the buyer has been one."""

    abn: str
    joined_on: Day


class _Money(TypedDict):
    amount: _Amount
    currency: Literal["AUD"]


class _Dispute(TypedDict):
    outcome: Literal["open", "won", "lost"]


class WireOrder(TypedDict):
    """One order."""

    order_id: Token
    placed_at: AwareDatetime
    total: _Money
    supplier_id: Token
    status: Literal["placed", "completed", "cancelled"]
    cancelled_by: Literal["buyer", "supplier", "marketplace"] | None
    dispute: _Dispute | None
    chargeback: bool
    shipped_at: AwareDatetime | None
    due_on: Day | None
    paid_on: Day | None


class WirePage(TypedDict):
    """One page of orders; `total` counts those of all pages."""

    page: int
    total: Annotated[int, Field(ge=0)]
    orders: Annotated[list[WireOrder], Field(max_length=PAGE_SIZE, fail_fast=True)]


class WireSupplier(TypedDict):
    """One supplier's record."""

    supplier_id: Token
    active_since: Day
    vetted_on: Day | None
    orders_12m: int
    value_12m: _Money
    dispute_rate: _Share
    on_time_rate: _Share
    response_rate: _Share | None
    response_time_hours: _Hours | None
    related_to_buyer: bool


class WireSuppliers(TypedDict):
    """All suppliers' records."""

    total: int
    suppliers: Annotated[list[WireSupplier], Field(max_length=MOST_SUPPLIERS, fail_fast=True)]


REFUSAL = TypeAdapter(WireRefusal)
BUYER = TypeAdapter(WireBuyer)
PAGE = TypeAdapter(WirePage)
SUPPLIERS = TypeAdapter(WireSuppliers)
