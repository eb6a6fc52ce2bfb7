"""What connecting the bank usually gives: comparable businesses from a file, and the decisions over them.

It does: read the file that the risk team made, pick the businesses most like an application, and decide it over what
their sources said. It does not: ask any source, or know anything of the applicant's own. The rule it keeps: the file
is read whole, within limits, or not at all; whatever is told of a range comes from at least LEAST_TRIED decisions.
"""

import hashlib
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ValidationError

from engine.application import (
    NATURAL_PERSON_ENTITIES,
    REQUIRED_CONSENTS,
    Application,
    Business,
    Consent,
    Finances,
    PersonRef,
    Request,
)
from engine.comparable import LEAST_RATIO, MOST_RATIO, Comparable, Heading, fitted, group_of
from engine.decision import DecidingRelease
from engine.facts import (
    BankData,
    ComplianceCheck,
    Exposure,
    Fact,
    Facts,
    RegisterRecord,
)
from engine.values import Frozen
from engine.whatif import Range, usual_line

MOST_FILE_BYTES = 4_000_000
MOST_INFLATED_BYTES = 80_000_000
LEAST_TRIED = 10  # fewer businesses are anecdotes
USUAL_COUNT = 40
_OTHER_DIVISION, _OTHER_GROUP = 0.5, 2.0  # as far as this many doublings of turnover
# What the register is taken to say of each legal form; of any other a person looks at it.
_ENTITY_CODES = {"company": "PRV", "sole_trader": "IND", "trust": "DTT", "partnership": "FPT", "other": "OIE"}

# Who asks does not enter: each question is that of one made-up business.
_ABN, _ACN, _NAME = "37955501005", "955501005", "ANY BUSINESS PTY LTD"

Evidence = Literal["connected", "declared"]


class ComparablesError(Exception):
    """The file is absent, damaged, too large, or holds something else; the message names the file alone."""


@dataclass(frozen=True, slots=True)
class Comparables:
    """The businesses of one file; `digest` is the SHA-256 of its bytes."""

    businesses: tuple[Comparable, ...]
    synthetic: bool
    digest: str

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read and check a file; raises ComparablesError."""
        try:
            with path.open("rb") as file:
                packed = file.read(MOST_FILE_BYTES + 1)
        except OSError:
            raise ComparablesError(f"{path} cannot be read") from None
        if len(packed) > MOST_FILE_BYTES:
            raise ComparablesError(f"{path} is larger than {MOST_FILE_BYTES} bytes")
        head, *lines = _inflated(packed, path).splitlines() or [b""]
        try:
            heading = Heading.model_validate_json(head)
            businesses = tuple(Comparable.model_validate_json(line) for line in lines[: heading.count])
        except ValidationError:
            raise ComparablesError(f"{path} is not a file of comparables") from None
        if not len(lines) == heading.count >= LEAST_TRIED:
            raise ComparablesError(f"{path} does not hold as many businesses as it says, or fewer than {LEAST_TRIED}")
        return cls(businesses, heading.synthetic, hashlib.sha256(packed).hexdigest())

    def like(self, application: Application, today: date, count: int = USUAL_COUNT) -> tuple[Comparable, ...]:
        """The `count` businesses nearest in division and log turnover, dated today and scaled to the stated turnover.

        A business more than twice or less than half as large is a last resort, scaled by two or a half only.
        """
        stated, division = application.finances.turnover_12m_cents, application.business.division

        def distance(comparable: Comparable) -> tuple[bool, float]:
            ratio = max(stated, 1) / comparable.revenue_12m_cents
            doublings = abs(math.log2(ratio))
            if comparable.division != division:
                doublings += _OTHER_DIVISION if comparable.division in group_of(division) else _OTHER_GROUP
            return not LEAST_RATIO <= ratio <= MOST_RATIO, doublings

        return tuple(fitted(near, today, stated) for near in sorted(self.businesses, key=distance)[:count])


def _inflated(packed: bytes, path: Path) -> bytes:
    stream = zlib.decompressobj()
    try:
        data = stream.decompress(packed, MOST_INFLATED_BYTES)
    except zlib.error:
        raise ComparablesError(f"{path} is not a file of comparables") from None
    if not stream.eof or stream.unused_data:
        raise ComparablesError(f"{path} is cut short, too large inside, or followed by something else")
    return data


# -- what is asked -------------------------------------------------------------------------------------------


class Question(Frozen):
    """What may be asked before any consent: the business, its request and finances, nobody's details."""

    business: Business
    request: Request
    finances: Finances

    def general(self) -> "Question":
        """The same question without who asks, amounts of money stated to two figures: what the answer rests on.

        The supplier named is left out too, since comparable businesses buy elsewhere. The line asked for stays exact.
        """
        business, money = self.business, self.finances.model_dump()
        for name, cents in money.items():
            if name.endswith("_cents"):
                money[name] = _two_figures(cents)
        return Question(
            business=Business(
                entity_type=business.entity_type, abn=_ABN, acn=_ACN if business.entity_type == "company" else None,
                legal_name=_NAME, anzsic=business.division, state=business.state,
                trading_since=business.trading_since, staff_band=business.staff_band,
                gst_registered=business.gst_registered,
            ),
            request=Request(amount_cents=self.request.amount_cents, purpose=self.request.purpose),
            finances=Finances.model_validate(money),
        )  # fmt: skip

    def application(self, today: date) -> Application:
        """The application that it would be, every consent given; it is decided over and never kept."""
        kinds = sorted({*REQUIRED_CONSENTS, "bank_data"})
        if self.business.entity_type in NATURAL_PERSON_ENTITIES:
            kinds.append("business_purpose")
        at = datetime.combine(today, time(), UTC)
        given = [Consent.model_validate({"kind": kind, "version": "none", "given": True, "at": at}) for kind in kinds]
        return Application(
            business=self.business, request=self.request, finances=self.finances, consents=tuple(given),
            people=(PersonRef(ref="per_anybody", roles=("owner", "contact"), ownership_bps=10_000),),
        )  # fmt: skip


def _two_figures(cents: int) -> int:
    step: int = 10 ** max(len(str(cents)) - 2, 0)
    return (cents + step // 2) // step * step


# -- the value of connecting ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BankValue:
    """The usual line with statements straight from the bank, with uploaded ones, and without any."""

    connected: Range
    uploaded: Range
    without: Range
    synthetic: bool


def value_of_connecting(
    comparables: Comparables, application: Application, release: DecidingRelease, today: date
) -> BankValue:
    """Decide the application over its comparables' sources, three times each.

    Everything but the bank is as usual for such a business: credit file and orders are the comparable's, the register
    agrees with what is stated, no list has a hit, and nothing is held yet. No brake of the lender's enters.
    """
    near = comparables.like(application, today)
    source = "synthetic/comparable" if comparables.synthetic else "comparable"

    def usual(facts_of: Callable[[Comparable], Facts]) -> Range:
        return usual_line("bank", application, map(facts_of, near), release)

    def with_bank(evidence: Evidence) -> Callable[[Comparable], Facts]:
        return lambda c: _facts(application, c, c.bank.model_copy(update={"evidence": evidence}), today, source)

    return BankValue(
        connected=usual(with_bank("connected")),
        uploaded=usual(with_bank("declared")),
        without=usual(lambda c: _facts(application, c, None, today, source)),
        synthetic=comparables.synthetic,
    )


def _facts(application: Application, like: Comparable, bank: BankData | None, today: date, source: str) -> Facts:
    as_of = datetime.combine(today, time(), UTC)

    def fact(value: BaseModel | None) -> Fact[Any]:
        return Fact[Any](source=source, fetched_at=as_of, status="absent" if value is None else "present", value=value)

    return Facts(
        as_of=as_of,
        registry=fact(_agreeing(application, today)),
        compliance=fact(ComplianceCheck()),
        marketplace=fact(like.marketplace),
        bank=fact(bank),
        bureau=fact(like.bureau),
        exposure=fact(Exposure()),
    )


def _agreeing(application: Application, today: date) -> RegisterRecord:
    """A register record that agrees with what is stated."""
    stated = application.business
    return RegisterRecord(
        abn=stated.abn, abn_active=True, abn_active_from=stated.trading_since, acn=stated.acn,
        entity_name=stated.legal_name, entity_type_code=_ENTITY_CODES[stated.entity_type],
        gst_from=stated.trading_since if stated.gst_registered else None, state=stated.state,
        company_status="REGD" if stated.entity_type == "company" else None,
    )  # fmt: skip
