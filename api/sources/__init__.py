"""Where facts come from: one client a source, behind one interface.

It does: say what a set of sources must give. It does not: decide what a missing fact means (policy does). The
rule it keeps: a source that cannot be had gives a `failed` fact; it never raises and never invents.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.application import Application
from engine.facts import BankData, BureauReport, ComplianceCheck, Fact, MarketplaceHistory, RegisterRecord


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the outside sources said; exposure is the lender's own and comes from the store."""

    registry: Fact[RegisterRecord]
    compliance: Fact[ComplianceCheck]
    marketplace: Fact[MarketplaceHistory]
    bank: Fact[BankData]
    bureau: Fact[BureauReport]


class Sources(Protocol):
    """All outside sources together."""

    synthetic: bool

    async def gather(self, application: Application, as_of: datetime) -> Gathered:
        """Ask every source about the business, at `as_of`."""
        ...


class NoSources:
    """No source is set up: every fact is failed, so every application is referred to a person."""

    synthetic = False

    async def gather(self, application: Application, as_of: datetime) -> Gathered:
        """Give failed facts only."""
        stamp = {"source": "none", "fetched_at": as_of, "status": "failed"}
        return Gathered(
            registry=Fact[RegisterRecord].model_validate(stamp),
            compliance=Fact[ComplianceCheck].model_validate(stamp),
            marketplace=Fact[MarketplaceHistory].model_validate(stamp),
            bank=Fact[BankData].model_validate(stamp),
            bureau=Fact[BureauReport].model_validate(stamp),
        )
