"""Which documents a case needs, from policy, entity type, limit and what is known already.

It does: list them with the reason, and those that are not needed but would lift a cap. It does not: know what was sent.
The rule it keeps: what a source has shown under consent is not asked for again on paper.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from engine.application import BENEFICIAL_OWNER_BPS, Application, PersonRef
from engine.facts import Facts
from engine.policy import Policy, VerificationTerms
from engine.verification.documents import DocumentKind

QUARTERS = 4


@dataclass(frozen=True, slots=True)
class Requirement:
    """`count` documents of a kind, of the person whom `person_ref` names; `adds` is what an optional one would lift."""

    kind: DocumentKind
    why: str
    person_ref: str | None = None
    count: int = 1
    required: bool = True
    adds: str = ""


def required(application: Application, limit_cents: int, facts: Facts, policy: Policy) -> tuple[Requirement, ...]:
    """Every document wanted for a line of this size, required ones first.

    What is not required is named with what it would add, where the evidence is what keeps the line below the request.
    """
    found = [
        Requirement("identity", "We identify every owner, director and guarantor", person.ref)
        for person in application.people
        if _is_identified(person)
    ]
    found += _entity(application, facts)
    if facts.bank.value is None or facts.bank.value.evidence != "connected":
        found.append(Requirement("bank_statement", "No bank account is connected"))
    found += _tax(application, limit_cents, facts, policy)
    found.append(Requirement("bank_account_proof", "Repayments are taken from this account"))
    return (*(each for each in found if each.required), *(each for each in found if not each.required))


def age_ok(kind: str, dated: date, today: date, terms: VerificationTerms) -> bool:
    """Whether the newest document of a kind, dated so, is recent enough on a day; one from the future is not."""
    most = terms.most_age_days.get(kind)
    return dated <= today and (most is None or today - dated <= timedelta(days=most))


def _is_identified(person: PersonRef) -> bool:
    named = {"director", "guarantor", "owner"} & set(person.roles)
    return bool(named) or person.ownership_bps >= BENEFICIAL_OWNER_BPS


def _entity(application: Application, facts: Facts) -> list[Requirement]:
    register = facts.registry.value
    match application.business.entity_type:
        case "company" if register is None or register.company_status != "REGD":
            return [Requirement("company_extract", "The company register did not confirm the company")]
        case "trust":
            return [Requirement("trust_deed", "The trustee signs under the deed")]
        case "partnership":
            return [Requirement("partnership_agreement", "Every partner is bound by the agreement")]
    return []


def _tax(application: Application, limit_cents: int, facts: Facts, policy: Policy) -> list[Requirement]:
    """Tax and financial evidence by size of line, and what of it would lift the cap on evidence."""
    found, terms = [], policy.verification
    most_cents = min(terms.documents_verified_cents, application.request.amount_cents)
    if limit_cents > policy.offer.statements_above_cents:
        found.append(Requirement("activity_statement", "The line is above the amount for which we ask", count=QUARTERS))
    report = facts.bureau.value
    flagged = application.finances.overdue_tax_cents > 0 or bool(report and report.tax_debt_disclosed_cents)
    if limit_cents > terms.tax_above_cents or flagged:
        found.append(
            Requirement(
                "tax_account", "Tax is overdue or a tax debt is reported" if flagged else "The size of the line"
            )
        )
    if limit_cents > policy.offer.financials_above_cents:
        found.append(Requirement("financial_statements", "The size of the line"))
    elif most_cents > limit_cents >= _evidence_cents(facts, policy):
        lifts = f"With activity statements, tax account and financial statements: up to ${most_cents // 100:,}"
        have = {each.kind for each in found}
        kinds: tuple[DocumentKind, ...] = ("activity_statement", "tax_account", "financial_statements")
        found += [
            Requirement(kind, "Not needed for this line", count=QUARTERS if kind == "activity_statement" else 1,
                        required=False, adds=lifts)
            for kind in kinds
            if kind not in have
        ]  # fmt: skip
    return found


def _evidence_cents(facts: Facts, policy: Policy) -> int:
    """What the evidence at hand allows: a line that reaches it is kept down by nothing else."""
    is_declared = facts.bank.value is not None and facts.bank.value.evidence == "declared"
    return policy.limits.bank_declared_cents if is_declared else policy.limits.bank_connected_cents
