"""Rules that refer an application: a person looks before anything is decided.

Compliance findings have no public reason. Each rule reads the application and at most one source.
"""

import re

from engine.facts import ComplianceCheck
from engine.screening.rules import Case, revenue_year, rule
from engine.values import months_between


@rule("referral", None, "compliance")
def sanctions_hit(case: Case) -> bool:
    """A name matches a sanctions list; the compliance role decides."""
    check = _unsettled(case)
    return check is not None and check.sanctions_hits > 0


@rule("referral", None, "compliance")
def politically_exposed(case: Case) -> bool:
    """A person is politically exposed; the compliance role decides."""
    check = _unsettled(case)
    return check is not None and check.politically_exposed


@rule("referral", None, "compliance")
def fraud_flagged(case: Case) -> bool:
    """A fraud signal was raised; the compliance role decides."""
    check = _unsettled(case)
    return check is not None and bool(check.fraud_flags)


def _unsettled(case: Case) -> ComplianceCheck | None:
    """What screening said, unless compliance has settled that it is no bar."""
    check = case.facts.compliance.value
    return None if check is None or check.cleared else check


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
    return stated * 10_000 > revenue_year(case) * (10_000 + terms.refer_turnover_gap_bps)


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


# -- the lender's own record: all read one fact, and the public is told of none ------------------------------


@rule("referral", None, "exposure")
def open_applications(case: Case) -> bool:
    """Another application of this business is open."""
    return _reached(case, "open_applications")


@rule("referral", None, "exposure")
def retyped(case: Case) -> bool:
    """Declared values differ from those of the last result."""
    held, most = case.facts.exposure.value, case.policy.guards.retype_refer
    return held is not None and 0 < most <= held.guards.retypes


@rule("referral", None, "exposure")
def person_elsewhere(case: Case) -> bool:
    """The same people lately applied for other entities."""
    return _reached(case, "person_entities")


@rule("referral", None, "exposure")
def account_elsewhere(case: Case) -> bool:
    """Other entities lately applied with the same bank account."""
    return _reached(case, "account_entities")


@rule("referral", None, "exposure")
def device_elsewhere(case: Case) -> bool:
    """Other entities lately applied from the same device."""
    return _reached(case, "device_hours_entities") or _reached(case, "device_days_entities")


@rule("referral", None, "exposure")
def contact_elsewhere(case: Case) -> bool:
    """Other entities lately applied with the same telephone number or e-mail address."""
    return _reached(case, "contact_entities")


@rule("referral", None, "exposure")
def group_too_large(case: Case) -> bool:
    """More entities are linked by people or accounts than a group may have."""
    held, most = case.facts.exposure.value, case.policy.guards.group_entities
    return held is not None and 0 < most < held.guards.group_entities


def _reached(case: Case, count: str) -> bool:
    """Whether a count of the guards is at or above policy's number of the same name; 0 there is off."""
    held, most = case.facts.exposure.value, int(getattr(case.policy.guards, count))
    return held is not None and 0 < most <= getattr(held.guards, count)


_NOT_NAME = re.compile(r"[^A-Z0-9 ]+")
_SUFFIXES = frozenset(["PTY", "LTD", "LIMITED", "PROPRIETARY", "THE", "TRUSTEE", "FOR", "ATF", "AND", "CO", "TRUST"])


def name_overlap_bps(stated: str, registered: str) -> int:
    """Share of the shorter name's words found in the other, basis points; legal suffixes do not count."""
    if stated == registered:  # the usual case, and the dearest rule
        return 10_000
    one, other = (
        set(_NOT_NAME.sub(" ", name.upper().replace("&", " AND ")).split()) - _SUFFIXES for name in (stated, registered)
    )
    if not one or not other:
        return 10_000 if one == other else 0
    return len(one & other) * 10_000 // min(len(one), len(other))
