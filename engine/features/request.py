"""Features of the request and of the finances as declared. Never missing: an application states them."""

from engine.features.catalogue import Catalogue, Evidence

request = Catalogue("request", missing="never", personal="finances declared by a sole trader or partner")

_NO_TURNOVER = 1_000.0  # ratio given where the declared turnover is zero


def _share(part_cents: float, e: Evidence) -> float:
    turnover = e.application.finances.turnover_12m_cents
    return part_cents / turnover if turnover else (_NO_TURNOVER if part_cents else 0.0)


@request.feature("dollars", 5_000, 300_000, 1, "R02")
def amount_requested(e: Evidence) -> float:
    """Line asked for."""
    return e.application.request.amount_cents / 100


@request.feature("ratio", 0, 1_000, 1, "R02")
def amount_to_turnover(e: Evidence) -> float:
    """Line asked for over a year's declared turnover."""
    return _share(e.application.request.amount_cents, e)


@request.feature("dollars", 0, 1_000_000_000, -1, "R02")
def turnover_declared(e: Evidence) -> float:
    """Declared turnover of twelve months."""
    return e.application.finances.turnover_12m_cents / 100


@request.feature("count", 0, 50, 1, "R09")
def lenders_declared(e: Evidence) -> float:
    """Other business lenders declared."""
    return e.application.finances.other_lenders


@request.feature("ratio", 0, 1_000, 1, "R09")
def repayments_to_turnover(e: Evidence) -> float:
    """A year of declared repayments over declared turnover."""
    return _share(12 * e.application.finances.other_repayments_month_cents, e)


@request.feature("ratio", 0, 1_000, 1, "R10")
def overdue_tax_to_turnover(e: Evidence) -> float:
    """Declared overdue tax over declared turnover."""
    return _share(e.application.finances.overdue_tax_cents, e)


@request.feature("flag", 0, 1, 1, "R10")
def overdue_tax_without_plan(e: Evidence) -> float:
    """1 where tax is overdue and no payment plan is in place."""
    finances = e.application.finances
    return float(finances.overdue_tax_cents > 0 and not finances.tax_plan)
