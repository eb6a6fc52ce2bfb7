"""The lender's policy as dated data: every threshold a decision uses, read from a release's policy.toml.

It does: check the whole book at once, and give the terms in force on a day. It does not: hold rules (screening
and limits do). The rule it keeps: a number lives in the policy file with the date from which it counts, never in
code; an amendment replaces single values from its date on.
"""

import copy
import tomllib
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, model_validator

from engine.application import LARGEST_CENTS, SMALLEST_CENTS, LineCents
from engine.pricing import PricingPolicy
from engine.values import Bps, Cents, Frozen, problem

Months = Annotated[int, Field(ge=0, le=600)]
Count = Annotated[int, Field(ge=0, le=10_000)]
Days = Annotated[int, Field(ge=0, le=3_650)]
DocumentWord = Annotated[str, Field(pattern="^[a-z_]{1,40}$")]
MOST_GROUP = 50  # entities that a linked group is followed to
Divisions = Annotated[tuple[Annotated[str, Field(pattern="^[A-S]$")], ...], Field(strict=False)]
Ratio = Annotated[int, Field(ge=0, le=100_000)]  # basis points of a ratio: 10000 is 1.0

Table = dict[str, JsonValue]


class ScreeningTerms(Frozen):
    """Thresholds of the hard rules; a value beyond `most_` or below `least_` is a finding."""

    least_amount_cents: LineCents
    most_amount_cents: LineCents
    least_trading_months: Months
    least_turnover_cents: Cents
    least_coverage_days: Count
    excluded_divisions: Divisions
    referred_divisions: Divisions
    gst_threshold_cents: Cents
    most_dishonours: Count
    most_lenders: Count
    most_gambling_bps: Bps
    most_unpaid_defaults_cents: Cents
    most_tax_debt_cents: Cents
    refer_overdue_tax_cents: Cents
    refer_turnover_gap_bps: Ratio
    refer_age_gap_months: Months
    refer_judgment_months: Months
    least_name_overlap_bps: Bps


class SupplierTerms(Frozen):
    """The gate a named supplier passes (basis: Alibaba Trade Assurance's published eligibility)."""

    least_months: Months
    least_orders: Count
    least_value_cents: Cents
    most_dispute_bps: Bps
    least_on_time_bps: Bps


class GradeTerms(Frozen):
    """One grade: the PDs it covers, up to and including `pd_most_bps`, and what it may carry."""

    name: Annotated[str, Field(pattern="^[A-Z]$")]
    pd_most_bps: Annotated[int, Field(ge=1, le=10_000)]
    turnover_factor_bps: Ratio
    gmv_factor_bps: Ratio
    loss_budget_cents: Cents


class LimitTerms(Frozen):
    """How a limit is found. Evidence caps are what an absent source allows; they are stated to the applicant."""

    cycle_months: Annotated[int, Field(ge=1, le=12)]
    dscr_least_bps: Annotated[int, Field(ge=10_000, le=50_000)]
    repayment_months: Annotated[int, Field(ge=1, le=60)]
    stress_bps_month: Bps
    loss_given_default_bps: Bps
    falling_sales_bps: Bps
    falling_sales_factor_bps: Bps
    stacking_lenders: Count
    stacking_factor_bps: Bps
    bank_absent_cents: Cents
    bank_declared_cents: Cents
    bank_connected_cents: Cents
    bureau_absent_cents: Cents
    marketplace_absent_cents: Cents
    most_business_cents: Cents
    most_group_cents: Cents


class OfferTerms(Frozen):
    """What an offer states beside limit and rate."""

    held_days: Annotated[int, Field(ge=1, le=365)]
    worked_draw_bps: Annotated[int, Field(ge=1, le=10_000)]
    worked_months: Annotated[int, Field(ge=1, le=60)]
    financials_above_cents: Cents
    statements_above_cents: Cents


class GuardTerms(Frozen):
    """What the lender's own record may hold against an application: windows, and the counts that act; 0 is off.

    `open_applications` of one business refuse its caller the next, and refer anybody else's; a referral counts as
    open for `referred_days`. After a result the declared values stand for `sticky_days`: from `retype_refer` other
    versions on they refer, from `retype_lock` versions of one caller on that caller is refused. An `_entities`
    count is of other entities seen in the window that come with the same people, account, device or contact details,
    and refers from that number on. `group_entities` is the most in one linked group, this one included, links being
    remembered for `group_days`; more refer.
    """

    open_applications: Count = 0
    referred_days: Days = 0
    sticky_days: Days = 0
    retype_refer: Count = 0
    retype_lock: Count = 0
    person_days: Days = 0
    person_entities: Count = 0
    account_days: Days = 0
    account_entities: Count = 0
    device_hours: Annotated[int, Field(ge=0, le=720)] = 0
    device_hours_entities: Count = 0
    device_days: Days = 0
    device_days_entities: Count = 0
    contact_days: Days = 0
    contact_entities: Count = 0
    group_days: Days = 0
    group_entities: Annotated[int, Field(ge=0, le=MOST_GROUP)] = 0

    @model_validator(mode="after")
    def _windows(self) -> Self:
        windows = {
            "open_applications": self.referred_days, "retype_refer": self.sticky_days, "retype_lock": self.sticky_days,
            "person_entities": self.person_days, "account_entities": self.account_days,
            "device_hours_entities": self.device_hours, "device_days_entities": self.device_days,
            "contact_entities": self.contact_days, "group_entities": self.group_days,
        }  # fmt: skip
        if any(getattr(self, count) and not window for count, window in windows.items()):
            raise problem("guard_window", "A guard's count needs its window, or it would be off without saying so")
        if 0 < self.retype_lock < self.retype_refer:
            raise problem("guard_retypes", "Changed values are referred before they lock")
        return self


class VerificationTerms(Frozen):
    """What full approval takes. The defaults leave everything to people: a policy from before says nothing of it.

    A line up to `straight_through_most_cents` whose evidence is of `machine_kinds` alone, electronic and clean, with
    every check at `least_confidence_bps` or more, verifies itself; of these, `sample_bps` are drawn at random for
    people. `most_age_days` is by kind of document. `documents_verified_cents` is what the evidence allows once tax
    and financial documents were verified.
    """

    second_approver_above_cents: Cents = 0
    straight_through_most_cents: Cents = 0
    sample_bps: Bps = 10_000
    least_confidence_bps: Bps = 10_000
    machine_kinds: Annotated[tuple[DocumentWord, ...], Field(max_length=20, strict=False)] = ()
    tax_above_cents: Cents = 0
    documents_verified_cents: Cents = 0
    most_age_days: Annotated[dict[DocumentWord, Days], Field(max_length=20)] = Field(default_factory=dict)


class Policy(Frozen):
    """The terms in force on one day; a policy published before there were guards, or verification, has none."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9.-]{1,60}$")]
    screening: ScreeningTerms
    supplier: SupplierTerms
    grades: Annotated[tuple[GradeTerms, ...], Field(min_length=1, max_length=12, strict=False)]
    limits: LimitTerms
    offer: OfferTerms
    pricing: PricingPolicy
    guards: GuardTerms = GuardTerms()
    verification: VerificationTerms = Field(default_factory=VerificationTerms)

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if any(b.pd_most_bps <= a.pd_most_bps for a, b in pairwise(self.grades)):
            raise problem("grades_order", "Each grade's pd_most_bps must exceed the one before")
        if tuple(g.name for g in self.grades) != self.pricing.grades:
            raise problem("grades_priced", "The price grid must price exactly the policy's grades, in order")
        if not SMALLEST_CENTS <= self.screening.least_amount_cents <= self.screening.most_amount_cents <= LARGEST_CENTS:
            raise problem("amount_range", "The policy's amounts must lie inside the product's range")
        return self

    def grade(self, name: str) -> GradeTerms:
        """The terms of a grade; KeyError where there is none."""
        for terms in self.grades:
            if terms.name == name:
                return terms
        raise KeyError(name)

    @property
    def grade_table(self) -> tuple[tuple[str, float], ...]:
        """Each grade's highest PD, best first; a PD above the last has no grade and gets no offer."""
        return tuple((g.name, g.pd_most_bps / 10_000) for g in self.grades)


class Amendment(Frozen):
    """Values replaced from a day on: dotted path -> new value."""

    effective_from: date
    why: str
    set: Table


class PolicyBook(Frozen):
    """A policy file: base terms and amendments, each checked as the whole policy it makes."""

    schema_version: Literal[1]
    effective_from: date
    base: Table
    amendments: Annotated[tuple[Amendment, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _every_version(self) -> Self:
        starts = [self.effective_from, *(a.effective_from for a in self.amendments)]
        if any(later <= earlier for earlier, later in pairwise(starts)):
            raise problem("amendments_order", "Amendments must be in order of effective_from")
        self.on(self.effective_from)  # builds them all, so that a wrong amendment fails today and not on its day
        return self

    @cached_property
    def versions(self) -> tuple[tuple[date, Policy], ...]:
        """The terms from each day on, newest first; read at every decision."""
        starts = [self.effective_from, *(a.effective_from for a in self.amendments)]
        terms = (_terms(self.base, self.amendments[:n]) for n in range(len(starts)))
        return tuple(zip(starts, terms, strict=True))[::-1]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read policy.toml; ValueError (pydantic's, or TOML's) names every fault."""
        return cls.model_validate(tomllib.loads(text))

    def on(self, day: date) -> Policy:
        """The terms in force on a day; ValueError before the book begins."""
        for begins, policy in self.versions:
            if begins <= day:
                return policy
        raise ValueError(f"no policy in force on {day}: the book begins on {self.effective_from}")


def _terms(base: Table, amendments: tuple[Amendment, ...]) -> Policy:
    merged = copy.deepcopy(base)
    for amendment in amendments:
        for path, value in amendment.set.items():
            *parents, leaf = path.split(".")
            place: JsonValue = merged
            for parent in parents:
                place = place.get(parent) if isinstance(place, dict) else None
            if not isinstance(place, dict) or leaf not in place:
                raise problem("amendment_path", "An amendment sets a value that the policy does not have")
            place[leaf] = value
    return Policy.model_validate(merged)
