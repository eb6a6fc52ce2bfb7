"""Features of 180 days of bank transactions. All are missing where the bank is absent or failed."""

from operator import mul

from engine.features.catalogue import MISSING, Catalogue, Evidence
from engine.features.statement import BLOCKS, BankSummary

bank = Catalogue(
    "bank",
    missing="bank not present, or below one month",
    personal="bank transactions of a sole trader or partner",
    reason_missing="R25",
)

_UNBURDENED = 20.0  # debt service cover given where there is no debt service
_LONGEST = 1_000.0


def _of(e: Evidence) -> BankSummary | None:
    return e.bank if e.bank is not None and e.bank.revenue else None


@bank.feature("days", 0, 400, -1, "R25", missing="bank not present")
def coverage_days(e: Evidence) -> float:
    """Days covered by the statement."""
    return MISSING if e.bank is None else e.bank.coverage_days


@bank.feature("dollars", 0, 100_000_000, -1, "R02")
def revenue_month_6(e: Evidence) -> float:
    """Mean monthly qualifying credits over up to six months."""
    s = _of(e)
    return MISSING if s is None else s.revenue_month / 100


@bank.feature("dollars", 0, 100_000_000, -1, "R02")
def revenue_month_3(e: Evidence) -> float:
    """Mean monthly qualifying credits over the last three months."""
    s = _of(e)
    return MISSING if s is None else sum(s.revenue[:3]) / len(s.revenue[:3]) / 100


@bank.feature("ratio", -1, 10, -1, "R03", missing="bank not present, or below six months, or no earlier revenue")
def revenue_trend(e: Evidence) -> float:
    """Revenue of the last three months against the three before, minus one."""
    s = _of(e)
    return MISSING if s is None else s.revenue_trend


@bank.feature("ratio", 0, 10, 1, "R04", missing="bank not present, or no revenue")
def revenue_cv(e: Evidence) -> float:
    """Standard deviation of monthly revenue over its mean."""
    s = _of(e)
    return MISSING if s is None else s.revenue_cv


@bank.feature("share", 0, 1, 1, "R05", missing="bank not present, or below one month, or no sales")
def payer_top_share(e: Evidence) -> float:
    """Share of the largest payer in revenue."""
    s = _of(e)
    return MISSING if s is None or not sum(s.payer_totals) else s.payer_totals[0] / sum(s.payer_totals)


@bank.feature("ratio", 0, 1, 1, "R05", missing="bank not present, or below one month, or no sales")
def payer_concentration(e: Evidence) -> float:
    """Sum of squared payer shares (Herfindahl-Hirschman index)."""
    s = _of(e)
    if s is None or not sum(s.payer_totals):
        return MISSING
    squares: int = sum(map(mul, s.payer_totals, s.payer_totals))
    return squares / sum(s.payer_totals) ** 2


@bank.feature("days", 0, 400, 1, "R03")
def days_since_sale(e: Evidence) -> float:
    """Days since the last qualifying credit."""
    s = _of(e)
    return MISSING if s is None else s.days_since_sale


@bank.feature("dollars", -100_000_000, 100_000_000, -1, "R06")
def balance_low(e: Evidence) -> float:
    """Lowest daily closing balance."""
    s = _of(e)
    return MISSING if s is None else s.balance_low / 100


@bank.feature("dollars", -100_000_000, 100_000_000, -1, "R06")
def balance_p10(e: Evidence) -> float:
    """Daily closing balance exceeded on nine days of ten."""
    s = _of(e)
    return MISSING if s is None else s.balance_p10 / 100


@bank.feature("days", -1_000, 1_000, -1, "R06")
def cash_days(e: Evidence) -> float:
    """Days of outgoings that the mean balance would pay for."""
    s = _of(e)
    if s is None:
        return MISSING
    daily = s.outflow / s.coverage_days
    return s.balance_mean / daily if daily else _LONGEST


@bank.feature("days", 0, 90, 1, "R06")
def negative_days_90(e: Evidence) -> float:
    """Days of the last 90 that closed below zero."""
    s = _of(e)
    return MISSING if s is None else s.negative_days


@bank.feature("count", 0, 100, 1, "R07")
def dishonours_90(e: Evidence) -> float:
    """Dishonoured payments in the last 90 days."""
    s = _of(e)
    return MISSING if s is None else s.dishonours


@bank.feature("ratio", -10, 10, -1, "R08", missing="bank not present, or no revenue")
def cash_margin(e: Evidence) -> float:
    """Net cash flow before debt service over revenue."""
    s = _of(e)
    return MISSING if s is None or not sum(s.revenue) else s.cash_before_debt_month / s.revenue_month


@bank.feature("share", 0, 1, -1, "R08")
def positive_month_share(e: Evidence) -> float:
    """Share of months with positive net cash flow."""
    s = _of(e)
    return MISSING if s is None else sum(flow > 0 for flow in s.net_flow) / len(s.net_flow)


@bank.feature("ratio", -20, 20, -1, "R08")
def debt_service_cover(e: Evidence) -> float:
    """Monthly cash before debt service over existing debt service and a twelfth of the line asked for."""
    s = _of(e)
    if s is None:
        return MISSING
    service = s.debt_service_month + e.application.request.amount_cents / 12
    return s.cash_before_debt_month / service if service else _UNBURDENED


@bank.feature("count", 0, 50, 1, "R09")
def lenders_seen(e: Evidence) -> float:
    """Competing lenders paid from the accounts."""
    s = _of(e)
    return MISSING if s is None else s.lenders


@bank.feature("share", 0, 5, 1, "R09", missing="bank not present, or no revenue")
def lender_debit_share(e: Evidence) -> float:
    """Payments to competing lenders over revenue."""
    s = _of(e)
    return MISSING if s is None or not sum(s.revenue) else sum(s.debt_service) / sum(s.revenue)


@bank.feature("count", 0, 50, 1, "R09")
def lenders_undeclared(e: Evidence) -> float:
    """Lenders paid from the accounts beyond those declared."""
    s = _of(e)
    return MISSING if s is None else max(s.lenders - e.application.finances.other_lenders, 0)


@bank.feature("count", 0, 50, 1, "R10")
def tax_plan_debits(e: Evidence) -> float:
    """Equal payments to the tax office, as a payment plan makes."""
    s = _of(e)
    return MISSING if s is None else s.tax_plan_debits


@bank.feature("share", 0, 1, 1, "R30", missing="bank not present, or below one month, or no outgoings")
def gambling_share(e: Evidence) -> float:
    """Share of outgoings spent on gambling."""
    s = _of(e)
    return MISSING if s is None or not s.outflow else s.gambling / s.outflow


@bank.feature(
    "ratio",
    0,
    5,
    1,
    "R09",
    missing="bank not present, or below one month, or no overdraft or card",
    reason_missing="R15",
)
def card_utilisation(e: Evidence) -> float:
    """Overdrafts and cards: owed over limit."""
    s = _of(e)
    return MISSING if s is None or not s.revolving_limit else s.revolving_used / s.revolving_limit


@bank.feature("ratio", -1, 100, 1, "R24", missing="bank not present, or below six months, or no revenue")
def turnover_overstated(e: Evidence) -> float:
    """Declared turnover over twice the six months' revenue, minus one."""
    s = _of(e)
    if s is None or len(s.revenue) < BLOCKS or not sum(s.revenue):
        return MISSING
    return e.application.finances.turnover_12m_cents / (s.revenue_month * 12) - 1
