"""A market file read as if it were every source: for the command line, and for measuring all but the sources.

It does: give a made-up business's facts, moved in time so that they are as fresh today as they were on the day
it applied. It does not: leave the process or pretend to be real: every fact's source says `synthetic`. The rule it
keeps: an ABN that is not in the market is not on the register; a file that cannot be read is a failed source.
"""

from collections import OrderedDict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from api.sources import Asking, Gathered, NoSources, failed
from api.sources.market import MarketFile, MarketFileError
from engine.application import Application
from engine.canonical import canonical_bytes
from engine.facts import (
    BankData,
    BureauReport,
    ComplianceCheck,
    Fact,
    Facts,
    MarketplaceHistory,
    RegisterRecord,
)
from engine.values import is_synthetic_abn

M = TypeVar("M", bound=BaseModel)
_MOST_HELD = 512
_DAY_COLUMNS = {"placed_day", "posted_day"}


class MarketSources:
    """Every outside source, played from a market file."""

    synthetic = True
    remote = False

    def __init__(self, path: Path) -> None:
        self._file = MarketFile.open(path)
        self._held: OrderedDict[tuple[str, date], Facts | None] = OrderedDict()

    async def gather(self, asking: Asking) -> Gathered:
        """The facts of the application's ABN, dated today."""
        application, as_of = asking.application, asking.as_of
        abn = application.business.abn
        try:
            facts = self._facts(abn, as_of.date()) if is_synthetic_abn(abn) else None
        except MarketFileError:
            return await NoSources().gather(asking)
        if facts is None:
            return _unknown(application, as_of)
        return Gathered(
            registry=_stamped(facts.registry, as_of),
            compliance=_stamped(facts.compliance, as_of),
            marketplace=_stamped(facts.marketplace, as_of),
            bank=_stamped(facts.bank, as_of) if application.consented("bank_data") else _no_bank(as_of),
            bureau=_stamped(facts.bureau, as_of),
        )

    async def look_up(self, abn: str, as_of: datetime, until: float) -> Fact[RegisterRecord]:
        """What the register says of an ABN before anybody applies."""
        try:
            facts = self._facts(abn, as_of.date()) if is_synthetic_abn(abn) else None
        except MarketFileError:
            return failed("registry", "not_configured", as_of)
        return _not_found(abn, as_of) if facts is None else _stamped(facts.registry, as_of)

    def _facts(self, abn: str, today: date) -> Facts | None:
        key = (abn, today)
        if key not in self._held:
            facts = self._file.facts_for(abn)
            self._held[key] = None if facts is None else moved(facts, (today - facts.as_of.date()).days)
            if len(self._held) > _MOST_HELD:
                self._held.popitem(last=False)
        return self._held[key]


def _stamped(fact: Fact[M], as_of: datetime) -> Fact[M]:
    return fact.model_copy(update={"fetched_at": as_of})


def _no_bank(as_of: datetime) -> Fact[BankData]:
    return Fact[BankData](source="synthetic/bank", fetched_at=as_of, status="absent")


def _unknown(application: Application, as_of: datetime) -> Gathered:
    """What sources say of an ABN that nobody has heard of: not registered, and nothing connected."""

    def absent(source: str) -> dict[str, object]:
        return {"source": f"synthetic/{source}", "fetched_at": as_of, "status": "absent"}

    return Gathered(
        registry=_not_found(application.business.abn, as_of),
        compliance=Fact[ComplianceCheck].model_validate(absent("compliance")),
        marketplace=Fact[MarketplaceHistory].model_validate(absent("marketplace")),
        bank=_no_bank(as_of),
        bureau=Fact[BureauReport].model_validate(absent("bureau")),
    )


def _not_found(abn: str, as_of: datetime) -> Fact[RegisterRecord]:
    record = RegisterRecord(
        abn=abn, found=False, abn_active=False, abn_active_from=as_of.date(), entity_name="NOT FOUND",
        entity_type_code="OIE",
    )  # fmt: skip
    return Fact[RegisterRecord](source="synthetic/registry", fetched_at=as_of, status="present", value=record)


def moved(record: M, days: int) -> M:
    """The same record with every date and day number that many days later; ages stay what they were.

    Month lengths differ, so an age in whole months may differ by one.
    """
    shift = timedelta(days=days)

    def move(value: object, name: str = "") -> object:
        if isinstance(value, dict):
            return {key: move(item, key) for key, item in value.items()}
        if isinstance(value, list | tuple):
            if name in _DAY_COLUMNS:
                return [day + days for day in value]
            return [move(item) for item in value]
        if isinstance(value, datetime):
            return (value + shift).isoformat()
        if isinstance(value, date):
            return (value + shift).isoformat()
        return value

    return type(record).model_validate_json(canonical_bytes(move(record.model_dump())))
