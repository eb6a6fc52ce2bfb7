"""The difference between two policies in words that a credit officer reads: dollars, per cent, months.

It does: compare the terms in force on every day from which either policy changes, value by value. It does not: say what
comes of it (a back-test does). The rule it keeps: every value of a policy has words here, and a value that differs is
never left out.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date

from pydantic import BaseModel

from engine.policy import GradeTerms, Policy, PolicyBook
from engine.values import DIVISIONS
from training.backtest.seen import dollars

Value = object
_TIMES = frozenset({"limits.dscr_least_bps", "grades.turnover_factor_bps", "grades.gmv_factor_bps"})
_BPS = 100

WORDS: Mapping[str, str] = {
    "name": "Name of the policy",
    "screening.least_amount_cents": "Smallest line that may be asked for (below: declined, R28)",
    "screening.most_amount_cents": "Largest line that may be asked for (above: declined, R28)",
    "screening.least_trading_months": "Shortest time of trading and of the ABN (younger: declined, R01)",
    "screening.least_turnover_cents": "Lowest turnover a year, declared or by the statement (below: declined, R02)",
    "screening.least_coverage_days": "Fewest days that a bank statement covers (fewer: referred, R25)",
    "screening.excluded_divisions": "Industries declined (R22)",
    "screening.referred_divisions": "Industries referred (R22)",
    "screening.gst_threshold_cents": "Turnover from which GST registration is expected (without: referred, R21)",
    "screening.most_dishonours": "Most dishonoured payments in 90 days (more: declined, R07)",
    "screening.most_lenders": "Most competing lenders paid (more: declined, R09)",
    "screening.most_gambling_bps": "Largest share of outgoings that goes to gambling (more: declined, R30)",
    "screening.most_unpaid_defaults_cents": "Most in unpaid defaults (more: declined, R11)",
    "screening.most_tax_debt_cents": "Largest tax debt disclosed (more: declined, R10)",
    "screening.refer_overdue_tax_cents": "Most overdue tax without a plan (more: referred, R10)",
    "screening.refer_turnover_gap_bps": "How far declared turnover may exceed the statement's (further: referred, R24)",
    "screening.refer_age_gap_months": "How long declared trading may precede the ABN (longer: referred, R24)",
    "screening.refer_judgment_months": "How long a court judgment refers (R12)",
    "screening.least_name_overlap_bps": "Least share of the name's words on the register (less: referred, R24)",
    "supplier.least_months": "Supplier: shortest time on the marketplace (R19)",
    "supplier.least_orders": "Supplier: fewest orders in twelve months (R19)",
    "supplier.least_value_cents": "Supplier: least value of orders in twelve months (R19)",
    "supplier.most_dispute_bps": "Supplier: largest share of orders disputed (R19)",
    "supplier.least_on_time_bps": "Supplier: least share of orders sent on time (R19)",
    "grades.pd_most_bps": "reaches to a chance of default within a year of",
    "grades.turnover_factor_bps": "carries at most, in months of revenue,",
    "grades.gmv_factor_bps": "carries at most, in cycles of marketplace purchases,",
    "grades.loss_budget_cents": "carries an expected loss of at most",
    "limits.cycle_months": "Months of marketplace purchases that a line finances",
    "limits.dscr_least_bps": "Least cover of debt service by cash flow",
    "limits.repayment_months": "Months in which a line must be repayable from cash flow",
    "limits.stress_bps_month": "Stress put on the monthly rate when repayment is tested",
    "limits.loss_given_default_bps": "Share lost of a line that defaults, in the loss cap",
    "limits.falling_sales_bps": "Fall in sales from which a line is cut (R03)",
    "limits.falling_sales_factor_bps": "What is left of the turnover cap when sales fall",
    "limits.stacking_lenders": "Number of other lenders from which a line is cut (R09)",
    "limits.stacking_factor_bps": "What is left of the turnover cap when lenders stack up",
    "limits.bank_absent_cents": "Largest line without bank data (R25)",
    "limits.bank_declared_cents": "Largest line on statements not yet verified (R26)",
    "limits.bank_connected_cents": "Largest line before tax and financial evidence (R26)",
    "limits.bureau_absent_cents": "Largest line without a bureau report (R15)",
    "limits.marketplace_absent_cents": "Largest line without marketplace history (R18)",
    "limits.most_business_cents": "Most lent to one business (R29)",
    "limits.most_group_cents": "Most lent to one group (R29)",
    "offer.held_days": "Days that an offer is held",
    "offer.worked_draw_bps": "Share drawn in the worked example",
    "offer.worked_months": "Months of the worked example",
    "offer.financials_above_cents": "Line above which financial statements are asked for",
    "offer.statements_above_cents": "Line above which activity statements are asked for",
    "guards.open_applications": "Open applications of one business that refer the next",
    "guards.referred_days": "Days that a referral counts as open",
    "guards.sticky_days": "Days that declared values stand after a result",
    "guards.retype_refer": "Changed versions of declared values that refer",
    "guards.retype_lock": "Changed versions of declared values that lock the caller",
    "guards.person_days": "Days in which the same people elsewhere count",
    "guards.person_entities": "Other businesses of the same people that refer",
    "guards.account_days": "Days in which the same bank account elsewhere counts",
    "guards.account_entities": "Other businesses with the same bank account that refer",
    "guards.device_hours": "Hours in which the same device counts",
    "guards.device_hours_entities": "Other businesses from the same device within hours that refer",
    "guards.device_days": "Days in which the same device counts",
    "guards.device_days_entities": "Other businesses from the same device within days that refer",
    "guards.contact_days": "Days in which the same contact details count",
    "guards.contact_entities": "Other businesses with the same contact details that refer",
    "guards.group_days": "Days that links between businesses are remembered",
    "guards.group_entities": "Most businesses in one linked group (more: referred)",
    "verification.second_approver_above_cents": "Line above which a second approver signs",
    "verification.straight_through_most_cents": "Largest line whose clean evidence verifies itself",
    "verification.sample_bps": "Share of these drawn for people all the same",
    "verification.least_confidence_bps": "Least confidence of a machine check",
    "verification.machine_kinds": "Documents that machines may accept",
    "verification.tax_above_cents": "Line above which tax evidence is asked for",
    "verification.documents_verified_cents": "Largest line once tax and financial documents are verified",
    "verification.most_age_days": "Oldest document accepted, by kind, days",
    "pricing.bands_cents": "Bands of the price grid, up to",
    "pricing.ceiling_bps": "Ceiling of the monthly rate",
    "pricing.fees.establishment_bps": "Establishment fee, of the line",
    "pricing.fees.line_fee_bps_month": "Line fee a month, of the line",
    "pricing.fees.draw_fee_bps": "Fee of a draw",
    "pricing.fees.minimum_monthly_fee_cents": "Least monthly fee",
    "pricing.economics.cost_of_funds_bps": "Cost of funds a year (break-even alone: no decision reads it)",
    "pricing.economics.lgd_bps": "Loss given default (break-even alone)",
    "pricing.economics.ccf_bps": "Share of the undrawn line drawn at default (break-even alone)",
    "pricing.economics.opex_cents": "Running cost of a line a year (break-even alone)",
    "pricing.economics.capital_bps": "Capital held (break-even alone)",
    "pricing.economics.hurdle_bps": "Hurdle for capital (break-even alone)",
    "pricing.economics.tax_bps": "Tax (break-even alone)",
    "pricing.economics.reference_limit_cents": "Reference line (break-even alone)",
    "pricing.economics.reference_drawn_cents": "Drawn of the reference line (break-even alone)",
}
_GRIDS = ("grades", "pricing.rates")  # told apart, row by row


def policy_changes(old: PolicyBook, new: PolicyBook) -> list[str]:
    """Every difference in the terms, a sentence each, with the day from which it holds; none where there is none."""
    lines: list[str] = []
    before: list[str] = []
    for day in sorted({start for book in (old, new) for start, _ in book.versions}):
        if day < old.effective_from or day < new.effective_from:
            continue
        now = list(terms_changes(old.on(day), new.on(day)))
        lines += [f"from {_day(day)}: {sentence}" for sentence in now if sentence not in before]
        lines += [f"from {_day(day)} no longer: {sentence}" for sentence in before if sentence not in now]
        before = now
    if old.effective_from != new.effective_from:
        lines.insert(0, f"the policy begins on {_day(new.effective_from)}, not on {_day(old.effective_from)}")
    known = {(amendment.effective_from, amendment.why) for amendment in old.amendments}
    lines += [
        f"reason given for {_day(amendment.effective_from)}: {amendment.why}"
        for amendment in new.amendments
        if (amendment.effective_from, amendment.why) not in known
    ]
    return lines


def terms_changes(old: Policy, new: Policy) -> Iterator[str]:
    """Every difference between the terms of one day and another's."""
    was, now = dict(_leaves("", old)), dict(_leaves("", new))
    for path, value in now.items():
        if was[path] != value:
            yield _told(path, was[path], value)
    yield from _grade_changes(old, new)
    yield from _price_changes(old, new)


def _leaves(path: str, value: Value) -> Iterator[tuple[str, Value]]:
    if path in _GRIDS:
        return
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _leaves(f"{path}.{name}" if path else name, getattr(value, name))
    else:
        yield path, value


def _told(path: str, was: Value, now: Value) -> str:
    label = WORDS[path]
    if path.endswith("_divisions"):
        return f"{label}: {_listed(was, now, lambda letter: f'{DIVISIONS[letter][0]} ({letter})')}"
    if path == "verification.machine_kinds":
        return f"{label}: {_listed(was, now, str)}"
    if path.startswith("guards.") and (was == 0 or now == 0):
        return f"{label}: " + (
            f"turned off (was {_shown(path, was)})" if now == 0 else f"turned on, {_shown(path, now)}"
        )
    return f"{label}: {_shown(path, was)} -> {_shown(path, now)}"


def _listed(was: Value, now: Value, name: Callable[[str], str]) -> str:
    old, new = ([str(each) for each in value] if isinstance(value, tuple) else [] for value in (was, now))
    parts = [f"added {name(each)}" for each in new if each not in old]
    return ", ".join(parts + [f"removed {name(each)}" for each in old if each not in new]) or "in another order"


def _shown(path: str, value: Value) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {days}" for name, days in sorted(value.items())) or "none"
    if isinstance(value, tuple):
        return ", ".join(dollars(each) if isinstance(each, int) else str(each) for each in value)
    if not isinstance(value, int):
        return str(value)
    if path.endswith("_cents"):
        return dollars(value)
    if path in _TIMES:
        return f"{value / 10_000:.2f} times"
    if "_bps" in path:
        return per_cent(value)
    unit = path.rsplit("_", 1)[-1]
    return f"{value:,} {unit}" if unit in {"months", "days", "hours"} else f"{value:,}"


def per_cent(bps: int) -> str:
    """Basis points in per cent, without idle noughts."""
    return f"{bps / _BPS:.2f}".rstrip("0").rstrip(".") + " %"


def _grade_changes(old: Policy, new: Policy) -> Iterator[str]:
    was, now = ({grade.name: grade for grade in policy.grades} for policy in (old, new))
    for name in now.keys() - was.keys():
        yield f"Grade {name} is added, to a chance of default of {per_cent(now[name].pd_most_bps)}"
    for name in was.keys() - now.keys():
        yield f"Grade {name} is removed (it reached to a chance of default of {per_cent(was[name].pd_most_bps)})"
    for name in (grade.name for grade in new.grades if grade.name in was):
        for value in (each for each in GradeTerms.model_fields if each != "name"):
            before, after = getattr(was[name], value), getattr(now[name], value)
            if before != after:
                path = f"grades.{value}"
                yield f"Grade {name} {WORDS[path]}: {_shown(path, before)} -> {_shown(path, after)}"


def _price_changes(old: Policy, new: Policy) -> Iterator[str]:
    """Cell by cell where the bands are the same, with what it means for a line; else each grade's whole row."""
    was, now = ({row.grade: row.rates_bps for row in policy.pricing.rates} for policy in (old, new))
    same_bands = old.pricing.bands_cents == new.pricing.bands_cents
    for grade, rates in now.items():
        before = was.get(grade)
        if before == rates and same_bands:
            continue
        if before is None or not same_bands:
            yield f"Grade {grade} is priced at {', '.join(per_cent(rate) for rate in rates)} a month, band by band"
            continue
        for place, (one, other) in enumerate(zip(before, rates, strict=True)):
            if one != other:
                yield _cell(new, grade, place, one, other)


def _cell(policy: Policy, grade: str, place: int, was: int, now: int) -> str:
    bands, economics = policy.pricing.bands_cents, policy.pricing.economics
    drawn = bands[place] * economics.reference_drawn_cents // economics.reference_limit_cents
    a_year = 12 * drawn * (now - was) // 10_000
    above = f"above {dollars(bands[place - 1])} " if place else ""
    return (
        f"Price of grade {grade}, lines {above}up to {dollars(bands[place])}: {was / 100:.2f} % -> {now / 100:.2f} % "
        f"a month ({'+' if a_year > 0 else ''}{dollars(a_year)} a year on {dollars(bands[place])}, drawn as usual)"
    )


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
