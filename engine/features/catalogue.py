"""How a model input is declared: once, with everything that anyone needs to know of it.

It does: hold the declarations and refuse forbidden ones. It does not: compute (the group modules do). The
rule it keeps: a feature's value is rounded to four decimals before anything reads it, so that a stored row
scores exactly as the live one did; missing is NaN and never a number.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from engine.application import Application
from engine.facts import BureauReport, Facts, MarketplaceHistory, RegisterRecord
from engine.features.once import Once
from engine.features.statement import BankSummary, summarise
from engine.features.trade import OrderSummary, summarise_orders

_SUMMARISED, _SUMMARISED_ORDERS = Once(summarise), Once(summarise_orders)
Group = Literal["business", "request", "marketplace", "bank", "bureau"]
Unit = Literal["months", "days", "dollars", "ratio", "share", "count", "flag", "rank"]
MISSING = float("nan")

# Attributes that must not drive a decision (Racial, Sex, Disability and Age Discrimination Acts and their state
# mirrors), and their proxies. A name that holds one of these words cannot be declared.
FORBIDDEN = (
    "race", "colour", "descent", "ethnic", "national_origin", "nationality", "citizen", "immigra", "visa", "sex",
    "gender", "orientation", "intersex", "marital", "relationship_status", "spouse", "pregnan", "breastfeed",
    "disab", "birth", "dob", "religio", "politic", "union", "industrial_activ", "carer", "parent", "dependant",
    "dependent", "physical_feature", "occupation", "profession", "title", "honorific", "given_name", "first_name",
    "family_name", "last_name", "surname", "photo", "language", "medical", "criminal", "person_age", "applicant_age",
    "contact_age", "director_age", "guarantor_age", "owner_age", "age_of_",
)  # fmt: skip
PROXIES = ("postcode", "suburb", "email", "device", "browser", "ip_address", "phone", "name_")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What features read: the application, the facts that are present, and their summaries."""

    application: Application
    as_of: date
    register: RegisterRecord | None
    marketplace: MarketplaceHistory | None
    orders: OrderSummary | None
    bank: BankSummary | None
    bureau: BureauReport | None

    @classmethod
    def of(cls, application: Application, facts: Facts) -> "Evidence":
        """Summarise each block once, however often it is decided on; a fact that is absent or failed stays None."""
        as_of = facts.as_of.date()
        market, bank = facts.marketplace.value, facts.bank.value
        return cls(
            application=application,
            as_of=as_of,
            register=facts.registry.value,
            marketplace=market,
            orders=None if market is None else _SUMMARISED_ORDERS(market, as_of),
            bank=None if bank is None else _SUMMARISED(bank),
            bureau=facts.bureau.value,
        )


@dataclass(frozen=True, slots=True)
class Feature:
    """One model input.

    direction: +1 where a higher value may only raise the PD, -1 only lower it, 0 free. missing: when the value
    is NaN, and reason_missing the code given for that. personal: the kind of personal information read where the
    applicant is a natural person, or None.
    """

    name: str
    group: Group
    unit: Unit
    low: float
    high: float
    direction: Literal[-1, 0, 1]
    reason: str
    missing: str
    personal: str | None
    meaning: str
    compute: Callable[[Evidence], float] = field(compare=False)
    reason_missing: str = "R15"  # a missing value never gives a reason that speaks of its value

    def __post_init__(self) -> None:
        if word := forbidden_word(self.name):
            raise ValueError(f"feature {self.name} names a forbidden or proxy attribute: {word}")
        if not self.low < self.high:
            raise ValueError(f"feature {self.name} has an empty range")

    def value(self, evidence: Evidence) -> float:
        """The value, clipped to its range and rounded to four decimals; NaN where missing."""
        raw = self.compute(evidence)  # NaN is neither below nor above anything, and stays what it is
        return round(self.low if raw < self.low else self.high if raw > self.high else raw, 4)


def forbidden_word(name: str) -> str | None:
    """The forbidden or proxy word inside a feature name, None where there is none."""
    if name == "age":  # a person's; the age of a business, a file or a line says whose it is
        return name
    return next((word for word in FORBIDDEN + PROXIES if word in name), None)


Compute = Callable[[Evidence], float]


class Catalogue:
    """An ordered list of features, filled by decorated functions at import."""

    def __init__(self, group: Group, missing: str, personal: str | None, reason_missing: str = "R15") -> None:
        self.group: Group = group
        self.missing = missing
        self.reason_missing = reason_missing
        self.personal = personal
        self.features: list[Feature] = []

    def feature(
        self,
        unit: Unit,
        low: float,
        high: float,
        direction: Literal[-1, 0, 1],
        reason: str,
        missing: str = "",
        reason_missing: str = "",
    ) -> Callable[[Compute], Compute]:
        """Declare the decorated function as a feature; its name and docstring are the feature's."""

        def declare(function: Compute) -> Compute:
            self.features.append(
                Feature(
                    name=function.__name__,
                    group=self.group,
                    unit=unit,
                    low=low,
                    high=high,
                    direction=direction,
                    reason=reason,
                    missing=missing or self.missing,
                    personal=self.personal,
                    meaning=(function.__doc__ or "").strip(),
                    compute=function,
                    reason_missing=reason_missing or self.reason_missing,
                )
            )
            return function

        return declare
