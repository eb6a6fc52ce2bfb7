"""What the applicant states: business, request, finances, consents, and people by reference.

It does: build only applications that are well formed and do not contradict themselves, and report every
problem at once. It does not: know whether a statement is true (facts and verification do), nor hold
personal details (engine.people, stored apart). The rule it keeps: an error names a field and a rule,
never a value. Validation may be given {"today": date} as context; then dates are checked against it.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator

from engine.pricing.money import LARGEST_LIMIT_CENTS, LIMIT_STEP_CENTS, SMALLEST_LIMIT_CENTS
from engine.values import Abn, Acn, Cents, Frozen, Moment, Name, Note, State, Token, division_of, problem

STEP_CENTS = LIMIT_STEP_CENTS
SMALLEST_CENTS = SMALLEST_LIMIT_CENTS
LARGEST_CENTS = LARGEST_LIMIT_CENTS

EntityType = Literal["sole_trader", "company", "trust", "partnership", "other"]
StaffBand = Literal["0", "1-4", "5-19", "20-199", "200+"]
Purpose = Literal[
    "stock", "supplier_invoice", "freight_duty", "equipment", "other_business",
    "household", "residential_property", "personal_tax",
]  # fmt: skip
NON_BUSINESS_PURPOSES = frozenset({"household", "residential_property", "personal_tax"})
NATURAL_PERSON_ENTITIES = frozenset({"sole_trader", "partnership"})

ConsentKind = Literal[
    "privacy_notice", "consumer_credit", "commercial_bureau", "bank_data", "marketplace_data",
    "identity_check", "electronic_communications", "business_purpose", "authority", "direct_marketing",
]  # fmt: skip
REQUIRED_CONSENTS = frozenset(
    {"privacy_notice", "commercial_bureau", "marketplace_data", "electronic_communications", "authority"}
)
Role = Literal["owner", "director", "guarantor", "contact"]
BENEFICIAL_OWNER_BPS = 2_500  # a person who owns 25 % or more is a beneficial owner


def _known_industry(code: str) -> str:
    if division_of(code) is None:
        raise problem("anzsic_unknown", "Not an ANZSIC 2006 division letter or four-digit class")
    return code


def _not_after_today(value: date, info: ValidationInfo) -> date:
    today = info.context.get("today") if isinstance(info.context, dict) else None
    if isinstance(today, date) and value > today:
        raise problem("date_in_future", "Must not be in the future")
    return value


def _whole_steps(cents: int) -> int:
    if cents % STEP_CENTS:
        raise problem("amount_step", "Must be a multiple of 50000 cents ($500)")
    return cents


PastDate = Annotated[date, Field(ge=date(1800, 1, 1)), AfterValidator(_not_after_today)]
LineCents = Annotated[int, Field(ge=SMALLEST_CENTS, le=LARGEST_CENTS), AfterValidator(_whole_steps)]


class Business(Frozen):
    """The business as its owner describes it."""

    entity_type: EntityType
    abn: Abn
    acn: Annotated[Acn | None, Field(validate_default=True)] = None
    legal_name: Name
    anzsic: Annotated[str, StringConstraints(max_length=4), AfterValidator(_known_industry)]
    state: State
    trading_since: PastDate
    staff_band: StaffBand
    gst_registered: bool

    @field_validator("acn", mode="after")
    @classmethod
    def _numbers_agree(cls, acn: str | None, info: ValidationInfo) -> str | None:
        # Only a company's ABN carries its ACN; a trust's ABN is not its trustee's ACN.
        if info.data.get("entity_type") == "company":
            if acn is None:
                raise problem("acn_missing", "A company states its ACN")
            if info.data.get("abn", acn)[-9:] != acn:
                raise problem("abn_acn_mismatch", "A company's ABN ends in its ACN")
        return acn

    @property
    def division(self) -> str:
        """ANZSIC division letter."""
        return division_of(self.anzsic) or ""


class Request(Frozen):
    """The line asked for."""

    amount_cents: LineCents
    purpose: Purpose
    purpose_detail: Note | None = None
    supplier_id: Token | None = None


class Finances(Frozen):
    """Money matters as declared: a year's turnover, other lenders, overdue tax."""

    turnover_12m_cents: Cents
    other_lenders: Annotated[int, Field(ge=0, le=50)]
    other_repayments_month_cents: Cents
    overdue_tax_cents: Cents
    tax_plan: Annotated[bool | None, Field(validate_default=True)] = None

    @field_validator("other_repayments_month_cents", mode="after")
    @classmethod
    def _lenders_agree(cls, cents: int, info: ValidationInfo) -> int:
        if cents and info.data.get("other_lenders") == 0:
            raise problem("lenders_contradict", "Repayments to other lenders need at least one lender")
        return cents

    @field_validator("tax_plan", mode="after")
    @classmethod
    def _plan_agrees(cls, plan: bool | None, info: ValidationInfo) -> bool | None:
        overdue = info.data.get("overdue_tax_cents")
        if overdue and plan is None:
            raise problem("tax_plan_missing", "With overdue tax, state whether a payment plan is in place")
        if overdue == 0 and plan:
            raise problem("tax_plan_contradicts", "A tax payment plan needs an overdue amount")
        return plan


class Consent(Frozen):
    """One consent: the version of the words shown, and when it was given or refused."""

    kind: ConsentKind
    version: Token
    given: bool
    at: Moment


class PersonRef(Frozen):
    """A person by reference: who they are is stored apart and never enters a decision."""

    ref: Token
    roles: Annotated[tuple[Role, ...], Field(min_length=1, max_length=4, strict=False)]
    ownership_bps: Annotated[int, Field(ge=0, le=10_000)] = 0


def check_consents(consents: tuple[Consent, ...], entity_type: str) -> None:
    """Refuse repeated kinds and missing required consents; natural persons declare a business purpose."""
    kinds = [c.kind for c in consents]
    if len(set(kinds)) != len(kinds):
        raise problem("consent_repeated", "Each consent is stated once")
    given = {c.kind for c in consents if c.given}
    required = set(REQUIRED_CONSENTS)
    if entity_type in NATURAL_PERSON_ENTITIES:
        required.add("business_purpose")
    if missing := sorted(required - given):
        raise problem("consent_missing", "Required consents not given: " + ", ".join(missing))


def check_people(people: tuple[PersonRef, ...]) -> None:
    """At least one contact, ownership of at most the whole, owners at or above the beneficial share."""
    if not any("contact" in p.roles for p in people):
        raise problem("contact_missing", "One person must be the contact")
    if sum(p.ownership_bps for p in people) > 10_000:  # noqa: PLR2004 - the whole
        raise problem("ownership_over_whole", "Ownership adds up to more than 10000 basis points")
    if any("owner" in p.roles and p.ownership_bps < BENEFICIAL_OWNER_BPS for p in people):
        raise problem("owner_share", "An owner listed here holds 2500 basis points or more")


class Stated(Frozen):
    """What every application states, whether its people come with their details or by reference."""

    business: Business
    request: Request
    finances: Finances
    consents: Annotated[tuple[Consent, ...], Field(max_length=10, strict=False)]
    # Which connection the applicant made with the lender's accredited party; none where statements are uploaded.
    bank_connection: Token | None = None

    @field_validator("consents", mode="after")
    @classmethod
    def _consents_suffice(cls, consents: tuple[Consent, ...], info: ValidationInfo) -> tuple[Consent, ...]:
        business = info.data.get("business")
        check_consents(consents, business.entity_type if isinstance(business, Business) else "company")
        return consents

    def consented(self, kind: ConsentKind) -> bool:
        """Whether this consent was given."""
        return any(c.kind == kind and c.given for c in self.consents)


class Application(Stated):
    """A request for credit, complete and free of contradictions, its people by reference."""

    people: Annotated[tuple[PersonRef, ...], Field(min_length=1, max_length=20, strict=False)]

    @field_validator("people", mode="after")
    @classmethod
    def _people_add_up(cls, people: tuple[PersonRef, ...]) -> tuple[PersonRef, ...]:
        check_people(people)
        return people
