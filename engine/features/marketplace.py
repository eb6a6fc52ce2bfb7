"""Features of the buyer's last twelve months on the marketplace."""

from engine.features.catalogue import MISSING, Catalogue, Evidence
from engine.values import months_between

marketplace = Catalogue(
    "marketplace",
    missing="marketplace not present",
    personal="orders of a sole trader or partner",
    reason_missing="R18",
)

_LONG_TERM = 1_000.0


@marketplace.feature("months", 0, 300, -1, "R18")
def marketplace_tenure_months(e: Evidence) -> float:
    """Months since joining the marketplace."""
    return MISSING if e.marketplace is None else months_between(e.marketplace.joined_on, e.as_of)


@marketplace.feature("dollars", 0, 1_000_000_000, -1, "R18")
def gmv_12m(e: Evidence) -> float:
    """Value of completed orders in twelve months."""
    return MISSING if e.orders is None else e.orders.gmv_cents / 100


@marketplace.feature("count", 0, 20_000, -1, "R18")
def orders_12m(e: Evidence) -> float:
    """Orders placed in twelve months."""
    return MISSING if e.orders is None else e.orders.orders


@marketplace.feature("count", 0, 12, -1, "R18")
def active_months_12(e: Evidence) -> float:
    """Months of the last twelve with a completed order."""
    return MISSING if e.orders is None else e.orders.active_months


@marketplace.feature("dollars", 0, 100_000_000, 0, "R18", missing="marketplace not present, or no completed order")
def order_value_mean(e: Evidence) -> float:
    """Mean value of a completed order."""
    if e.orders is None or not e.orders.completed:
        return MISSING
    return e.orders.gmv_cents / e.orders.completed / 100


@marketplace.feature("ratio", -1, 10, -1, "R03", missing="marketplace not present, or no orders in the earlier quarter")
def gmv_trend(e: Evidence) -> float:
    """Order value of the last quarter against the one before, minus one."""
    if e.orders is None or not e.orders.gmv_previous_quarter_cents:
        return MISSING
    return e.orders.gmv_last_quarter_cents / e.orders.gmv_previous_quarter_cents - 1


@marketplace.feature("share", 0, 1, 0, "R18", missing="marketplace not present, or no completed order")
def repeat_supplier_share(e: Evidence) -> float:
    """Share of completed orders from suppliers ordered from more than once."""
    return MISSING if e.orders is None else e.orders.repeat_share


@marketplace.feature("share", 0, 1, 0, "R18", missing="marketplace not present, or no completed order")
def top_supplier_share(e: Evidence) -> float:
    """Share of the largest supplier in completed value."""
    return MISSING if e.orders is None else e.orders.top_supplier_share


def _rate(e: Evidence, count: int) -> float:
    return MISSING if e.orders is None or not e.orders.orders else count / e.orders.orders


@marketplace.feature("share", 0, 1, 1, "R17", missing="marketplace not present, or no order")
def cancel_rate(e: Evidence) -> float:
    """Share of orders cancelled by the buyer."""
    return _rate(e, e.orders.cancelled if e.orders else 0)


@marketplace.feature("share", 0, 1, 1, "R17", missing="marketplace not present, or no order")
def dispute_loss_rate(e: Evidence) -> float:
    """Share of orders with a dispute lost by the buyer."""
    return _rate(e, e.orders.disputes_lost if e.orders else 0)


@marketplace.feature("count", 0, 500, 1, "R17")
def chargebacks(e: Evidence) -> float:
    """Chargebacks in twelve months."""
    return MISSING if e.orders is None else e.orders.chargebacks


@marketplace.feature("days", 0, 365, 1, "R16", missing="marketplace not present, or no paid order")
def days_late_mean(e: Evidence) -> float:
    """Mean days paid after due."""
    return MISSING if e.orders is None else e.orders.days_late_mean


@marketplace.feature("share", 0, 1, 1, "R16", missing="marketplace not present, or no paid order")
def late_share(e: Evidence) -> float:
    """Share of orders paid more than seven days late."""
    return MISSING if e.orders is None else e.orders.late_share


@marketplace.feature("days", 0, 365, 1, "R18")
def days_since_order(e: Evidence) -> float:
    """Days since the last order."""
    return MISSING if e.orders is None else e.orders.days_since_last


@marketplace.feature("ratio", 0, 1_000, 1, "R02")
def amount_to_gmv_month(e: Evidence) -> float:
    """Line asked for over a month's mean order value."""
    if e.orders is None:
        return MISSING
    monthly = e.orders.gmv_cents / 12
    return e.application.request.amount_cents / monthly if monthly else _LONG_TERM
