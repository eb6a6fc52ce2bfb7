"""From a score and the evidence to a limit: the smallest of several caps, each stated.

It does: compute every cap that its source allows, floor the smallest to 500 dollars and say which one bound.
It does not: price. The rule it keeps: a cap whose source is absent or failed is marked so and never reads a
missing number as 0; absent sources cap by evidence instead; a true zero is a value and caps at zero.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

from engine.application import LARGEST_CENTS, SMALLEST_CENTS, STEP_CENTS
from engine.facts.standing import Exposure
from engine.features.statement import BLOCKS, BankSummary
from engine.policy import GradeTerms, Policy
from engine.pricing import loan_for_payment
from engine.screening import Case
from engine.values import Frozen

BPS = 10_000
_HALF = BLOCKS // 2
_NO_COVER = Decimal(1)  # the cash left was divided by the cover already
_FINANCIAL_EVIDENCE = frozenset({"tax_account", "financial_statements"})  # what lifts the cap on connected data
CapStatus = Literal["computed", "absent", "failed"]


class Cap(Frozen):
    """One cap. `cents` is None where `status` says that its source gave no number."""

    name: str
    status: CapStatus
    cents: int | None
    reason: str | None


class Assignment(NamedTuple):
    """All caps, the limit they leave (0 where below the product's smallest), and the cap that bound."""

    caps: tuple[Cap, ...]
    limit_cents: int
    bound_by: str


def assign(case: Case, grade: str, pd: float) -> Assignment:
    """The limit for a graded case: the minimum of request, policy and every computed cap, floored to 500."""
    terms = case.policy.grade(grade)
    caps = (
        _stated("request", case.application.request.amount_cents, None),
        _stated("policy", min(case.policy.screening.most_amount_cents, LARGEST_CENTS), "R28"),
        _from_bank(case, "turnover", _turnover_reason(case), lambda bank: _turnover_cap(bank, terms, case.policy)),
        _from_orders(case, terms),
        _from_bank(case, "debt_service", "R08", lambda bank: _service_cap(bank, grade, case.policy)),
        _stated("expected_loss", _loss_cap(terms, pd, case.policy), None),
        _evidence_cap(case),
        _exposure_cap(case.facts.exposure.value, case.facts.exposure.status, case.policy),
        *_officer_cap(case),
    )
    cents, name = min((cap.cents, cap.name) for cap in caps if cap.cents is not None)
    # Ties go to the request, so that asking for exactly a cap is not a counter-offer.
    bound_by = "request" if cents == case.application.request.amount_cents else name
    limit = cents // STEP_CENTS * STEP_CENTS
    least = max(SMALLEST_CENTS, case.policy.screening.least_amount_cents)
    return Assignment(caps=caps, limit_cents=limit if limit >= least else 0, bound_by=bound_by)


def _stated(name: str, cents: int, reason: str | None) -> Cap:
    return _cap(name, "computed", cents, reason)


@lru_cache(maxsize=2048)
def _cap(name: str, status: CapStatus, cents: int | None, reason: str | None) -> Cap:
    # Most caps are of few amounts, and of the same ones as often as a case is decided again.
    return Cap(name=name, status=status, cents=cents, reason=reason)


def _from_bank(case: Case, name: str, reason: str, compute: Callable[[BankSummary], int]) -> Cap:
    fact, bank = case.facts.bank, case.evidence.bank
    if fact.status == "failed":
        return _cap(name, "failed", None, reason)
    if bank is None or not bank.revenue:  # no whole month covered: nothing to compute from, not a zero
        return _cap(name, "absent", None, reason)
    return _stated(name, compute(bank), reason)


def _turnover_cap(bank: BankSummary, grade: GradeTerms, policy: Policy) -> int:
    """A grade's share of mean monthly revenue, cut where sales fall or lenders stack up."""
    terms = policy.limits
    cents = sum(bank.revenue) * grade.turnover_factor_bps // (len(bank.revenue) * BPS)
    if _sales_fall(bank, policy):
        cents = cents * terms.falling_sales_factor_bps // BPS
    if bank.lenders >= terms.stacking_lenders:
        cents = cents * terms.stacking_factor_bps // BPS
    return max(cents, 0)


def _sales_fall(bank: BankSummary, policy: Policy) -> bool:
    recent, earlier = sum(bank.revenue[:_HALF]), sum(bank.revenue[_HALF:])
    return len(bank.revenue) == BLOCKS and recent * BPS < earlier * (BPS - policy.limits.falling_sales_bps)


def _turnover_reason(case: Case) -> str:
    """What to say where the turnover cap binds: what cut it, or turnover itself."""
    bank = case.evidence.bank
    if bank is not None and _sales_fall(bank, case.policy):
        return "R03"
    return "R09" if bank is not None and bank.lenders >= case.policy.limits.stacking_lenders else "R02"


def _service_cap(bank: BankSummary, grade: str, policy: Policy) -> int:
    """What the cash left after existing debt service repays at a stressed rate within the repayment term."""
    terms = policy.limits
    debt = sum(bank.debt_service)
    earned = sum(bank.net_flow) + debt
    spare_cents = (earned * BPS - debt * terms.dscr_least_bps) // (len(bank.net_flow) * terms.dscr_least_bps)
    if spare_cents <= 0:
        return 0
    row = next(r for r in policy.pricing.rates if r.grade == grade)
    return loan_for_payment(spare_cents, _NO_COVER, max(row.rates_bps) + terms.stress_bps_month, terms.repayment_months)


def _from_orders(case: Case, grade: GradeTerms) -> Cap:
    """A grade's share of the purchases of one order-to-cash cycle."""
    status, orders = case.facts.marketplace.status, case.evidence.orders
    if orders is None:
        return _cap("marketplace", "failed" if status == "failed" else "absent", None, "R18")
    cycle = case.policy.limits.cycle_months
    return _stated("marketplace", orders.gmv_cents * cycle * grade.gmv_factor_bps // (12 * BPS), "R18")


def _loss_cap(grade: GradeTerms, pd: float, policy: Policy) -> int:
    """The line whose expected loss, fully drawn, uses up the grade's budget."""
    pd_bps = round(round(pd, 4) * BPS)  # the PD as recorded
    # Without any loss given default there would be no bound; one basis point leaves it far above every other cap.
    return grade.loss_budget_cents * BPS * BPS // (pd_bps * max(policy.limits.loss_given_default_bps, 1))


def _evidence_cap(case: Case) -> Cap:
    """What the connected evidence allows: each absent source has a stated cap, declared data a lower one."""
    terms, facts = case.policy.limits, case.facts
    bank = case.evidence.bank
    documents = facts.documents.value if facts.documents else None
    verified = documents is not None and documents.kinds >= _FINANCIAL_EVIDENCE
    most = case.policy.verification.documents_verified_cents if verified else 0
    allowed = [(max(terms.bank_connected_cents, most), "R26")]
    if facts.bank.status == "absent":
        allowed.append((terms.bank_absent_cents, "R25"))
    if bank is not None and bank.evidence == "declared":
        allowed.append((terms.bank_declared_cents, "R26"))
    if facts.bureau.status == "absent":
        allowed.append((terms.bureau_absent_cents, "R15"))
    if facts.marketplace.status == "absent":
        allowed.append((terms.marketplace_absent_cents, "R18"))
    cents, reason = min(allowed)
    return _stated("evidence", cents, reason)


def _officer_cap(case: Case) -> tuple[Cap, ...]:
    """The most that an approver grants, where one said so; without one there is no such cap at all."""
    review = case.facts.review.value if case.facts.review else None
    if review is None or review.most_cents is None:
        return ()
    return (_stated("officer", review.most_cents, review.reason or "R26"),)


def _exposure_cap(held: Exposure | None, status: str, policy: Policy) -> Cap:
    """Room left under the most lent to one business and to its group."""
    if held is None:
        return _cap("exposure", "failed" if status == "failed" else "absent", None, "R29")
    terms = policy.limits
    room = min(terms.most_business_cents - held.business_cents, terms.most_group_cents - held.group_cents)
    return _stated("exposure", max(room, 0), "R29")
