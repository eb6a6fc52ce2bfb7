"""A commercial credit report: score with its name and range, defaults, court actions, enquiries, registrations.

It does: hold the report as the bureau gave it. It does not: compare scores of different bureaus; a score
always travels with its range. A missing tax-debt disclosure never means that there is no tax debt.
"""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from engine.values import Cents, Frozen, Token, problem


class Default(Frozen):
    """A payment default on file; it stays five years even when paid."""

    on: date
    amount_cents: Cents
    paid: bool


class CourtAction(Frozen):
    """A court action: writ, summons or judgment."""

    on: date
    amount_cents: Cents
    judgment: bool


class Registration(Frozen):
    """A security interest on the Personal Property Securities Register."""

    on: date
    all_assets: bool


class BureauReport(Frozen):
    """One commercial report."""

    bureau: Token
    score_name: Token
    score: Annotated[int, Field(ge=0, le=2_000)] | None
    score_low: Annotated[int, Field(ge=0, le=2_000)]
    score_high: Annotated[int, Field(ge=1, le=2_000)]
    file_since: date | None = None
    defaults: Annotated[tuple[Default, ...], Field(max_length=500, strict=False)] = ()
    court_actions: Annotated[tuple[CourtAction, ...], Field(max_length=500, strict=False)] = ()
    enquiries: Annotated[tuple[date, ...], Field(max_length=2_000, strict=False)] = ()
    registrations: Annotated[tuple[Registration, ...], Field(max_length=2_000, strict=False)] = ()
    insolvency: Literal["none", "business", "director"] = "none"
    days_beyond_terms: Annotated[int, Field(ge=-60, le=1_000)] | None = None
    tax_debt_disclosed_cents: Cents | None = None

    @model_validator(mode="after")
    def _score_in_range(self) -> Self:
        if self.score_high <= self.score_low:
            raise problem("score_range", "score_high must exceed score_low")
        if self.score is not None and not self.score_low <= self.score <= self.score_high:
            raise problem("score_range", "The score lies outside its own range")
        return self
