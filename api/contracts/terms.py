"""The terms of a contract as values, and each of them in the words in which it stands in the text.

It does: gather an offer, its borrower and its people into checked terms, and name every placeholder that a template
may use. It does not: read templates or fetch anything. The rule it keeps: every figure is the offer's own or follows
from it by engine.pricing's formulae, and is rounded once, for showing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints

from api.contracts.signatories import Mandate
from engine.application import Application, EntityType, LineCents
from engine.decision import Offer
from engine.pricing import LOWEST_RATE_BPS, CostDisclosure, Fees, effective_annual, nominal_annual
from engine.values import Abn, Acn, Frozen, Name, State, Token

MOST_PEOPLE = 20
_STATES: Mapping[State, str] = {
    "NSW": "New South Wales", "VIC": "Victoria", "QLD": "Queensland", "WA": "Western Australia",
    "SA": "South Australia", "TAS": "Tasmania", "NT": "the Northern Territory",
    "ACT": "the Australian Capital Territory",
}  # fmt: skip
_ZONES: Mapping[State, str] = {
    "NSW": "Australia/Sydney", "VIC": "Australia/Melbourne", "QLD": "Australia/Brisbane", "WA": "Australia/Perth",
    "SA": "Australia/Adelaide", "TAS": "Australia/Hobart", "NT": "Australia/Darwin", "ACT": "Australia/Sydney",
}  # fmt: skip
_ENTITIES: Mapping[EntityType, str] = {
    "company": "company", "sole_trader": "sole trader", "partnership": "partnership", "trust": "trust",
    "other": "other entity",
}  # fmt: skip


class Signatory(Frozen):
    """A person who may sign, by name, and in which capacity."""

    name: Name
    authority: Name


class ContractTerms(Frozen):
    """Everything a contract says of one line. `dated` and `sign_by` are days in the governing state."""

    contract_id: Token
    dated: date
    sign_by: date
    lender_name: Name
    borrower_name: Name
    entity_type: EntityType
    abn: Abn
    acn: Acn | None
    governing_state: State
    limit_cents: LineCents
    monthly_rate_bps: Annotated[int, Field(ge=LOWEST_RATE_BPS)]
    fees: Fees
    worked_draw: CostDisclosure
    execution: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    signatories: Annotated[tuple[Signatory, ...], Field(min_length=1, max_length=MOST_PEOPLE)]
    guarantors: Annotated[tuple[Name, ...], Field(max_length=MOST_PEOPLE)]


@dataclass(frozen=True, slots=True)
class Placeholder:
    """What may stand in a template: `lines` is a list of lines; a `required` one has to be shown by every template."""

    means: str
    required: bool = True
    lines: bool = False


PLACEHOLDERS: Mapping[str, Placeholder] = {
    "contract_id": Placeholder("the contract's reference", required=False),
    "dated": Placeholder("the day on which the text was made"),
    "sign_by": Placeholder("the last whole day on which it can be signed: the one before the offer expires"),
    "lender_name": Placeholder("the lender's legal name, from settings"),
    "borrower_name": Placeholder("the borrower's legal name"),
    "entity": Placeholder("company, sole trader, partnership or trust", required=False),
    "abn": Placeholder("the borrower's ABN"),
    "acn": Placeholder("its ACN; empty where it has none"),
    "governing_state": Placeholder("the state or territory whose law governs: the business's own"),
    "limit": Placeholder("the credit limit"),
    "monthly_rate": Placeholder("the interest rate a month"),
    "nominal_annual_rate": Placeholder("twelve times that, a year"),
    "effective_annual_rate": Placeholder("the same compounded over a year"),
    "fees": Placeholder("each fee, or that there are none", lines=True),
    "draw": Placeholder("the amount of the worked draw"),
    "draw_months": Placeholder("over how many months it is repaid"),
    "draw_total_cost": Placeholder("what it costs in all"),
    "draw_total_repayment": Placeholder("what is repaid in all, line fees included"),
    "draw_average_payment": Placeholder("the average of a month's payment", required=False),
    "draw_apr": Placeholder("its annual percentage rate"),
    "draw_schedule": Placeholder("its payments, summed up", lines=True),
    "draw_assumptions": Placeholder("what these figures take for granted", lines=True),
    "guarantors": Placeholder("each guarantor by name; empty where no guarantee is asked", lines=True),
    "execution": Placeholder("how the borrower signs, as stated by the applicant"),
    "signatories": Placeholder("each person who may sign, and in which capacity", lines=True),
    "complaints": Placeholder("the lender's text on complaints, from complaints.txt"),
}


@dataclass(frozen=True, slots=True)
class Unnamed:
    """A person who has to stand in the contract was erased: it cannot be drawn up."""

    ref: str


def terms_of(
    application: Application, offer: Offer, mandate: Mandate, names: Mapping[str, str],
    *, lender_name: str, contract_id: str, made_at: datetime,
) -> ContractTerms | Unnamed:  # fmt: skip
    """The terms of an application's line; `names` are people's full names by reference.

    Days are the governing state's: the last one to sign on is the one before the day on which the offer expires.
    """
    missing = next((ref for ref, _ in mandate.capacities if ref not in names), None)
    if missing is not None:
        return Unnamed(missing)
    business, zone = application.business, ZoneInfo(_ZONES[application.business.state])
    return ContractTerms(
        contract_id=contract_id,
        dated=made_at.astimezone(zone).date(),
        sign_by=offer.expires_at.astimezone(zone).date() - timedelta(days=1),
        lender_name=lender_name,
        borrower_name=business.legal_name,
        entity_type=business.entity_type,
        abn=business.abn,
        acn=business.acn,
        governing_state=business.state,
        limit_cents=offer.limit_cents,
        monthly_rate_bps=offer.monthly_rate_bps,
        fees=offer.fees,
        worked_draw=offer.worked_draw,
        execution=mandate.execution,
        signatories=tuple(
            Signatory(name=names[ref], authority=" and ".join(capacities)) for ref, capacities in mandate.capacities
        ),
        guarantors=tuple(names[ref] for ref, capacities in mandate.capacities if "guarantor" in capacities),
    )


def values_of(terms: ContractTerms, complaints: str) -> dict[str, str | tuple[str, ...]]:
    """Every placeholder with its words."""
    draw = terms.worked_draw
    return {
        "contract_id": terms.contract_id,
        "dated": day(terms.dated),
        "sign_by": day(terms.sign_by),
        "lender_name": terms.lender_name,
        "borrower_name": terms.borrower_name,
        "entity": _ENTITIES[terms.entity_type],
        "abn": f"{terms.abn[:2]} {terms.abn[2:5]} {terms.abn[5:8]} {terms.abn[8:]}",
        "acn": f"{terms.acn[:3]} {terms.acn[3:6]} {terms.acn[6:]}" if terms.acn else "",
        "governing_state": _STATES[terms.governing_state],
        "limit": dollars(terms.limit_cents),
        "monthly_rate": percent(Decimal(terms.monthly_rate_bps) / 100),
        "nominal_annual_rate": percent(100 * nominal_annual(terms.monthly_rate_bps)),
        "effective_annual_rate": percent(100 * effective_annual(terms.monthly_rate_bps)),
        "fees": _fees(terms),
        "draw": dollars(draw.draw_cents),
        "draw_months": f"{draw.months} month{'' if draw.months == 1 else 's'}",
        "draw_total_cost": dollars(draw.total_cost_cents),
        "draw_total_repayment": dollars(draw.total_repayment_cents),
        "draw_average_payment": dollars(draw.average_monthly_payment_cents),
        "draw_apr": percent(draw.apr_pct),
        "draw_schedule": _schedule(draw),
        "draw_assumptions": draw.assumptions,
        "guarantors": terms.guarantors,
        "execution": terms.execution,
        "signatories": tuple(f"{each.name}, {each.authority}" for each in terms.signatories),
        "complaints": complaints.rstrip("\n"),
    }


def dollars(cents: int) -> str:
    """Cents as people write dollars: $58,000.00."""
    return f"${cents // 100:,}.{cents % 100:02d}"


def percent(figure: Decimal) -> str:
    """A percentage at two places, half up."""
    return f"{figure.quantize(Decimal('0.01'), rounding=ROUND_HALF_UP)} %"


def day(on: date) -> str:
    """A day as people write it: 3 August 2026."""
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"


# Not from the machine's language settings: the same terms give the same bytes everywhere.
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def _fees(terms: ContractTerms) -> tuple[str, ...]:
    """The fees of this line in dollars; the draw fee, which depends on the draw, as its share."""
    fees, limit_cents = terms.fees, terms.limit_cents
    lines = []
    if establishment_cents := fees.establishment_cents(limit_cents):
        lines.append(f"Establishment fee: {dollars(establishment_cents)}, once, taken out of the first draw")
    if fees.draw_fee_bps:
        lines.append(f"Draw fee: {percent(Decimal(fees.draw_fee_bps) / 100)} of each draw, taken out of it")
    if monthly_cents := fees.monthly_cents(limit_cents):
        lines.append(f"Line fee: {dollars(monthly_cents)} each month, whether or not anything is drawn")
    return tuple(lines) or ("There are no fees.",)


def _schedule(draw: CostDisclosure) -> tuple[str, ...]:
    """Equal payments summed up, and the last one where its rounding makes it another."""
    first, last = draw.schedule[0].payment_cents, draw.schedule[-1].payment_cents
    lines = [f"{_payments(draw.months)} of {dollars(first)}"]
    if first != last:
        lines = [f"{_payments(draw.months - 1)} of {dollars(first)}", f"then {_payments(1)} of {dollars(last)}"]
    if fee_cents := draw.monthly_line_fee_cents:
        lines.append(f"besides these the line fee of {dollars(fee_cents)} each month")
    return tuple(lines)


def _payments(number: int) -> str:
    return f"{number} monthly payment{'' if number == 1 else 's'}"
