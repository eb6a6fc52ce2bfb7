"""The hard rules of policy: a list of small functions, each giving a finding or nothing.

It does: knock out (never lend) or refer (a person looks), by dated thresholds. It does not: price, score or
fetch. The rules it keeps: each rule reads the application and at most one source, so that losing a source can
remove a finding but never add a knock-out; a failed source always refers; compliance findings have no reason.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from engine.application import NON_BUSINESS_PURPOSES, Application
from engine.facts import SOURCES, Brake, Facts
from engine.features.catalogue import Evidence
from engine.policy import Policy
from engine.values import Frozen, months_between


class Finding(Frozen):
    """What a rule found. `reason` is the public code, None where the public is told nothing of it."""

    rule: str
    kind: Literal["knock_out", "referral"]
    reason: str | None
    source: str
    what: str


@dataclass(frozen=True, slots=True)
class Case:
    """What rules read."""

    application: Application
    facts: Facts
    evidence: Evidence
    policy: Policy


Rule = Callable[[Case], Finding | None]
RULES: list[Rule] = []


def rule(
    kind: Literal["knock_out", "referral"], reason: str | None, source: str
) -> Callable[[Callable[[Case], bool]], Callable[[Case], bool]]:
    """Add a rule: the decorated function says whether it fires, its docstring says what was found."""

    def add(fires: Callable[[Case], bool]) -> Callable[[Case], bool]:
        finding = Finding(
            rule=fires.__name__, kind=kind, reason=reason, source=source, what=(fires.__doc__ or "").strip()
        )
        RULES.append(lambda case: finding if fires(case) else None)
        return fires

    return add


def screen(case: Case) -> tuple[Finding, ...]:
    """Every finding, in the order of the rules: most adverse first."""
    found = [finding for check in RULES if (finding := check(case)) is not None]
    return (*found, *_failed_sources(case), *_brakes(case))


# -- knock-outs: register ------------------------------------------------------------------------------------


@rule("knock_out", "R13", "registry")
def company_insolvent(case: Case) -> bool:
    """The company register shows external administration or deregistration."""
    record = case.evidence.register
    return record is not None and record.company_status in {"EXAD", "DRGD"}


@rule("knock_out", "R13", "bureau")
def insolvency_on_file(case: Case) -> bool:
    """The bureau reports an insolvency of the business or a director."""
    return case.evidence.bureau is not None and case.evidence.bureau.insolvency != "none"


@rule("knock_out", "R20", "registry")
def abn_not_active(case: Case) -> bool:
    """The ABN is not on the register, or not active."""
    record = case.evidence.register
    return record is not None and not (record.found and record.abn_active)


@rule("knock_out", "R20", "registry")
def entity_not_eligible(case: Case) -> bool:
    """The register's entity type is outside policy (super fund, government, estate)."""
    record = case.evidence.register
    return record is not None and record.entity_class == "excluded"


@rule("knock_out", "R27", "application")
def purpose_not_business(case: Case) -> bool:
    """The stated purpose is personal, household or residential property."""
    return case.application.request.purpose in NON_BUSINESS_PURPOSES


@rule("knock_out", "R22", "application")
def industry_excluded(case: Case) -> bool:
    """The industry is excluded by policy."""
    return case.application.business.division in case.policy.screening.excluded_divisions


@rule("knock_out", "R28", "application")
def amount_outside_policy(case: Case) -> bool:
    """The amount asked for is outside the policy's range."""
    terms = case.policy.screening
    return not terms.least_amount_cents <= case.application.request.amount_cents <= terms.most_amount_cents


@rule("knock_out", "R01", "application")
def trading_too_short(case: Case) -> bool:
    """Declared trading is shorter than the minimum."""
    age = months_between(case.application.business.trading_since, case.facts.as_of.date())
    return age < case.policy.screening.least_trading_months


@rule("knock_out", "R01", "registry")
def abn_too_young(case: Case) -> bool:
    """The ABN has been active for less than the minimum."""
    record = case.evidence.register
    if record is None:
        return False
    age = months_between(record.abn_active_from, case.facts.as_of.date())
    return age < case.policy.screening.least_trading_months


@rule("knock_out", "R02", "application")
def turnover_too_low(case: Case) -> bool:
    """Declared turnover is below the minimum."""
    return case.application.finances.turnover_12m_cents < case.policy.screening.least_turnover_cents


# -- knock-outs: conduct -------------------------------------------------------------------------------------


@rule("knock_out", "R02", "bank")
def revenue_too_low(case: Case) -> bool:
    """A year at the statement's revenue is below the minimum turnover."""
    bank = case.evidence.bank
    return bool(bank and bank.revenue) and _revenue_year(case) < case.policy.screening.least_turnover_cents


@rule("knock_out", "R07", "bank")
def too_many_dishonours(case: Case) -> bool:
    """More dishonoured payments in 90 days than policy allows."""
    bank = case.evidence.bank
    return bank is not None and bank.dishonours > case.policy.screening.most_dishonours


@rule("knock_out", "R09", "bank")
def too_many_lenders(case: Case) -> bool:
    """More competing lenders paid from the accounts than policy allows."""
    bank = case.evidence.bank
    return bank is not None and bank.lenders > case.policy.screening.most_lenders


@rule("knock_out", "R30", "bank")
def gambling(case: Case) -> bool:
    """Gambling takes more of the outgoings than policy allows."""
    bank = case.evidence.bank
    return bank is not None and bank.gambling * 10_000 > bank.outflow * case.policy.screening.most_gambling_bps


@rule("knock_out", "R11", "bureau")
def unpaid_defaults(case: Case) -> bool:
    """Unpaid defaults exceed what policy allows."""
    report = case.evidence.bureau
    if report is None:
        return False
    unpaid = sum(d.amount_cents for d in report.defaults if not d.paid)
    return unpaid > case.policy.screening.most_unpaid_defaults_cents


@rule("knock_out", "R10", "bureau")
def tax_debt_disclosed(case: Case) -> bool:
    """The tax office has disclosed a debt above what policy allows."""
    report = case.evidence.bureau
    return report is not None and (report.tax_debt_disclosed_cents or 0) > case.policy.screening.most_tax_debt_cents


@rule("knock_out", "R29", "exposure")
def exposure_reached(case: Case) -> bool:
    """The most lent to one business or group is reached."""
    held, terms = case.facts.exposure.value, case.policy.limits
    if held is None:
        return False
    room = min(terms.most_business_cents - held.business_cents, terms.most_group_cents - held.group_cents)
    return room < case.policy.screening.least_amount_cents


# -- referrals -----------------------------------------------------------------------------------------------


@rule("referral", None, "compliance")
def sanctions_hit(case: Case) -> bool:
    """A name matches a sanctions list; the compliance role decides."""
    check = case.facts.compliance.value
    return check is not None and check.sanctions_hits > 0


@rule("referral", None, "compliance")
def politically_exposed(case: Case) -> bool:
    """A person is politically exposed; the compliance role decides."""
    check = case.facts.compliance.value
    return check is not None and check.politically_exposed


@rule("referral", None, "compliance")
def fraud_flagged(case: Case) -> bool:
    """A fraud signal was raised; the compliance role decides."""
    check = case.facts.compliance.value
    return check is not None and bool(check.fraud_flags)


@rule("referral", None, "marketplace")
def supplier_related(case: Case) -> bool:
    """The named supplier is related to the buyer."""
    market, wanted = case.evidence.marketplace, case.application.request.supplier_id
    supplier = market.supplier(wanted) if market and wanted else None
    return supplier is not None and supplier.related_to_buyer


@rule("referral", "R19", "marketplace")
def supplier_below_gate(case: Case) -> bool:
    """The named supplier does not pass the supplier gate."""
    market, wanted, gate = (
        case.evidence.marketplace,
        case.application.request.supplier_id,
        case.policy.supplier,
    )
    supplier = market.supplier(wanted) if market and wanted else None
    return supplier is not None and (
        months_between(supplier.active_since, case.facts.as_of.date()) < gate.least_months
        or supplier.orders_12m < gate.least_orders
        or supplier.value_12m_cents < gate.least_value_cents
        or supplier.dispute_bps > gate.most_dispute_bps
        or supplier.on_time_bps < gate.least_on_time_bps
    )


@rule("referral", "R13", "registry")
def strike_off_in_progress(case: Case) -> bool:
    """The company register shows a strike-off in progress."""
    return case.evidence.register is not None and case.evidence.register.company_status == "SOFF"


@rule("referral", None, "registry")
def entity_needs_a_person(case: Case) -> bool:
    """The register's entity type is one that a person looks at."""
    return case.evidence.register is not None and case.evidence.register.entity_class == "manual"


@rule("referral", "R24", "registry")
def entity_differs(case: Case) -> bool:
    """The stated entity type, ACN or name differs from the register's."""
    record, stated = case.evidence.register, case.application.business
    if record is None or not record.found:
        return False
    known = record.entity_class in {"sole_trader", "company", "partnership", "trust"}
    overlap = name_overlap_bps(stated.legal_name, record.entity_name)
    return (
        (known and stated.entity_type != record.entity_class)
        or (stated.entity_type == "company" and stated.acn != record.acn)
        or overlap < case.policy.screening.least_name_overlap_bps
    )


@rule("referral", "R24", "registry")
def age_overstated(case: Case) -> bool:
    """Declared trading began long before the ABN."""
    record = case.evidence.register
    if record is None:
        return False
    gap = months_between(case.application.business.trading_since, record.abn_active_from)
    return gap > case.policy.screening.refer_age_gap_months


@rule("referral", "R21", "registry")
def gst_expected(case: Case) -> bool:
    """Declared turnover is above the GST threshold and the register shows no registration."""
    record = case.evidence.register
    above = case.application.finances.turnover_12m_cents >= case.policy.screening.gst_threshold_cents
    return record is not None and above and record.gst_from is None


@rule("referral", "R22", "application")
def industry_referred(case: Case) -> bool:
    """The industry is one that a person looks at."""
    return case.application.business.division in case.policy.screening.referred_divisions


@rule("referral", "R10", "application")
def overdue_tax(case: Case) -> bool:
    """Declared overdue tax without a payment plan is above what policy accepts."""
    finances = case.application.finances
    return not finances.tax_plan and finances.overdue_tax_cents > case.policy.screening.refer_overdue_tax_cents


@rule("referral", "R25", "bank")
def coverage_too_short(case: Case) -> bool:
    """The statement covers fewer days than a score may rest on."""
    bank = case.evidence.bank
    return bank is not None and bank.coverage_days < case.policy.screening.least_coverage_days


@rule("referral", "R24", "bank")
def turnover_overstated(case: Case) -> bool:
    """Declared turnover is far above what the statement shows."""
    bank, terms = case.evidence.bank, case.policy.screening
    if bank is None or not bank.revenue:
        return False
    stated = case.application.finances.turnover_12m_cents
    return stated * 10_000 > _revenue_year(case) * (10_000 + terms.refer_turnover_gap_bps)


@rule("referral", "R12", "bureau")
def recent_judgment(case: Case) -> bool:
    """A judgment was entered recently."""
    report, today = case.evidence.bureau, case.facts.as_of.date()
    recent = case.policy.screening.refer_judgment_months
    return report is not None and any(
        action.judgment and months_between(action.on, today) < recent for action in report.court_actions
    )


@rule("referral", "R25", "bank")
def nothing_to_go_by(case: Case) -> bool:
    """Neither bank nor marketplace is connected."""
    return case.facts.bank.status == "absent" and case.facts.marketplace.status == "absent"


@rule("referral", None, "registry")
def registry_absent(case: Case) -> bool:
    """The register was not asked."""
    return case.facts.registry.status == "absent"


@rule("referral", None, "compliance")
def compliance_absent(case: Case) -> bool:
    """Compliance lists were not asked."""
    return case.facts.compliance.status == "absent"


@rule("referral", None, "exposure")
def exposure_absent(case: Case) -> bool:
    """Existing exposure is not known."""
    return case.facts.exposure.status == "absent"


def _revenue_year(case: Case) -> int:
    """A year at the statement's monthly revenue, in whole cents."""
    revenue = case.evidence.bank.revenue if case.evidence.bank else ()
    return 12 * sum(revenue) // len(revenue) if revenue else 0


def _failed_sources(case: Case) -> list[Finding]:
    """A referral that names each source which could not be had."""
    return [
        Finding(
            rule=f"{name}_failed", kind="referral", reason=None, source=name,
            what=f"The {name} source could not be reached.",
        )
        for name in SOURCES
        if getattr(case.facts, name).status == "failed"
    ]  # fmt: skip


def _brakes(case: Case) -> list[Finding]:
    """A referral for each of the lender's brakes that this application meets."""
    held = case.facts.exposure.value
    return [
        Finding(
            rule=f"brake_{brake.kind}", kind="referral", reason=None, source="exposure",
            what=f"The lender's brake on {brake.segment} is pulled or reached.",
        )
        for brake in (held.brakes if held else ())
        if _meets(case, brake)
    ]  # fmt: skip


def _meets(case: Case, brake: Brake) -> bool:
    business = case.application.business
    here = {
        "all", f"division:{business.division}", f"state:{business.state}", f"entity:{business.entity_type}",
    }  # fmt: skip
    if brake.segment not in here:
        return False
    if brake.kind == "refer_all" or brake.limit_cents is None:
        return True
    return brake.used_cents + case.application.request.amount_cents > brake.limit_cents


_NOT_NAME = re.compile(r"[^A-Z0-9 ]+")
_SUFFIXES = frozenset(["PTY", "LTD", "LIMITED", "PROPRIETARY", "THE", "TRUSTEE", "FOR", "ATF", "AND", "CO", "TRUST"])


def name_overlap_bps(stated: str, registered: str) -> int:
    """Share of the shorter name's words found in the other, basis points; legal suffixes do not count."""
    one, other = (
        set(_NOT_NAME.sub(" ", name.upper().replace("&", " AND ")).split()) - _SUFFIXES for name in (stated, registered)
    )
    if not one or not other:
        return 10_000 if one == other else 0
    return len(one & other) * 10_000 // min(len(one), len(other))
