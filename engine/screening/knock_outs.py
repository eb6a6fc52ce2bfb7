"""Rules that knock an application out: never lend, whatever the score.

Most adverse first: the order is that of the reasons. Each reads the application and at most one source.
"""

from engine.application import NON_BUSINESS_PURPOSES
from engine.screening.rules import Case, revenue_year, rule
from engine.values import months_between


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


# -- conduct -------------------------------------------------------------------------------------


@rule("knock_out", "R02", "bank")
def revenue_too_low(case: Case) -> bool:
    """A year at the statement's revenue is below the minimum turnover."""
    bank = case.evidence.bank
    return bool(bank and bank.revenue) and revenue_year(case) < case.policy.screening.least_turnover_cents


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
