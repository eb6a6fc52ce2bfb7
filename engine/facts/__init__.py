"""What sources report about a business, raw and stamped; summaries are derived by engine.features.

It does: hold validated facts with their source, time and status, and one `as_of`, the only clock a decision
knows. It does not: fetch, guess or summarise. The rule it keeps: absent (not connected), failed (could not be
had) and zero (a value) are three different things.
"""

from datetime import timedelta
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

import msgspec
from pydantic import BaseModel, Field, StringConstraints, ValidationError, model_validator

from engine.canonical import canonical_bytes
from engine.facts.bank import Account, BankData, Transactions
from engine.facts.bureau import BureauReport, CourtAction, Default, Registration
from engine.facts.columns import Aside
from engine.facts.documents import Review, VerifiedDocuments
from engine.facts.marketplace import MarketplaceHistory, Orders, Supplier
from engine.facts.register import ComplianceCheck, RegisterRecord
from engine.facts.standing import Brake, Exposure
from engine.values import Frozen, Moment, Token, problem

__all__ = [
    "Account", "BankData", "Brake", "BureauReport", "ComplianceCheck", "CourtAction", "Default", "Exposure",
    "Fact", "Facts", "MarketplaceHistory", "Orders", "RegisterRecord", "Registration", "Review", "Supplier",
    "Transactions", "VerifiedDocuments",
]  # fmt: skip

T = TypeVar("T", bound=BaseModel)
Status = Literal["present", "absent", "failed"]
SOURCES = ("registry", "compliance", "marketplace", "bank", "bureau", "exposure")
LATER = ("documents", "review")  # what there is only once a case was verified
_BLOCKS = {b"transactions": Transactions, b"orders": Orders}  # by their names in JSON
# Facts recorded before there was verification keep their bytes.
_UNSAID = Field(exclude_if=lambda fact: fact is None)


class Fact(Frozen, Generic[T]):
    """What one source said, when, and whether it said anything.

    `absent`: the applicant did not connect it. `failed`: it could not be fetched, and `failure` says why. Only
    `present` has a value. `digest` is the SHA-256 of what came over the wire, where it came over one.
    """

    source: Token
    fetched_at: Moment
    status: Status
    value: T | None = None
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    failure: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")] | None = None

    @model_validator(mode="after")
    def _value_matches_status(self) -> Self:
        if (self.status == "present") != (self.value is not None):
            raise problem("fact_status", "A fact has a value exactly when it is present")
        if self.failure is not None and self.status != "failed":
            raise problem("fact_status", "Only a failed fact says why")
        return self


class Facts(Frozen):
    """Everything known about the business at one moment, one fact a source.

    `documents` and `review` come with verification; before it they are none, and not in the record at all.
    """

    as_of: Moment
    registry: Fact[RegisterRecord]
    compliance: Fact[ComplianceCheck]
    marketplace: Fact[MarketplaceHistory]
    bank: Fact[BankData]
    bureau: Fact[BureauReport]
    exposure: Fact[Exposure]
    documents: Annotated[Fact[VerifiedDocuments] | None, _UNSAID] = None
    review: Annotated[Fact[Review] | None, _UNSAID] = None

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **how: Any) -> Self:
        """As pydantic does it, errors included; a block in bytes without blanks goes straight into its table."""
        cut = Aside.cut(json_data, _BLOCKS) if isinstance(json_data, bytes) and not how else None
        if cut is not None:
            try:
                return super().model_validate_json(cut[0], context=cut[1])
            except ValidationError:
                pass  # what is wrong is said of the whole
        return super().model_validate_json(json_data, **how)

    def canonical(self) -> bytes:
        """The only byte form (see engine.canonical); blocks are written straight from their tables."""
        market, bank = self.marketplace.value, self.bank.value
        blocks = {"marketplace": {"value": {"orders"}}, "bank": {"value": {"transactions"}}}
        told = self.model_dump(mode="json", exclude=blocks)
        if market is not None:
            told["marketplace"]["value"]["orders"] = msgspec.Raw(market.orders.canonical())
        if bank is not None:
            told["bank"]["value"]["transactions"] = msgspec.Raw(bank.transactions.canonical())
        return canonical_bytes(told)

    @model_validator(mode="after")
    def _nothing_from_the_future(self) -> Self:
        for name in (*SOURCES, *LATER):
            fact = getattr(self, name)
            if fact is not None and fact.fetched_at > self.as_of:
                raise problem("fact_from_future", f"{name} was fetched after as_of")
        # A day in Sydney begins ten or eleven hours before the same day in UTC.
        if self.bank.value and self.bank.value.newest_on > self.as_of.date() + timedelta(days=1):
            raise problem("fact_from_future", "bank data ends after as_of")
        return self

    @property
    def synthetic(self) -> bool:
        """Whether any source says that it is made up."""
        return any(getattr(self, name).source.startswith("synthetic") for name in SOURCES)
