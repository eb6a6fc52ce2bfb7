"""Where facts come from: one client a source, behind one interface.

It does: say what a client is asked, what it may answer, and the words for why it could not. It does not: decide
what a missing fact means (policy does), nor ask anybody (api.sources.ladder does). The rule it keeps: a source
that cannot be had gives a `failed` fact with its reason; it never raises further, never invents, and an outage
never reads as "not found".
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel

from engine.application import Application, Business
from engine.facts import BankData, BureauReport, ComplianceCheck, Fact, MarketplaceHistory, RegisterRecord

if TYPE_CHECKING:
    from api.sources.exchange import Conversation

M = TypeVar("M", bound=BaseModel)

Source = Literal["registry", "compliance", "marketplace", "bank", "bureau"]
OUTSIDE: tuple[Source, ...] = ("registry", "compliance", "marketplace", "bank", "bureau")

NOT_ASKED = "ladder/not-asked"  # the source of a fact for which nobody was asked

# Why a fact is failed: kept with the fact, counted in the metrics, never shown to the public.
Why = Literal[
    "not_configured",  # the operator has not set this source up
    "refused",  # no connection: refused, unreachable, no such name
    "reset",  # the connection ended before the answer did
    "timeout",  # nothing, or not everything, in the time it had
    "tls",  # the certificate or the handshake
    "unauthorised",  # our credentials are not accepted: an alarm for the operator
    "busy",  # 429 or 503: it asks for patience
    "status",  # any other status than the ones the source documents
    "redirect",  # it points elsewhere: never followed
    "oversized",  # more bytes than such an answer can have
    "encoding",  # compressed, or not UTF-8
    "malformed",  # not JSON (or what the source speaks)
    "schema",  # well formed, but not what the source publishes, or out of range
    "breaker_open",  # it failed so often lately that it is not asked at the moment
    "pretended",  # it says that it is a sandbox, and this is not development
    "stale",  # a list that has not been renewed for too long
    "internal",  # a mistake of ours in a client, logged with its place
]


class SourceFailed(Exception):
    """A source could not be had; `why` is one of the words above and never holds what it said."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why: Why = why


class FailedElsewhere(SourceFailed):
    """The same, of another source that an answer rests on: the one that was being asked is not to blame."""


@dataclass(frozen=True, slots=True)
class ScreenedName:
    """A name to be looked for on compliance lists; it lives in this process only, never in facts or logs."""

    name: str
    born: date | None = None  # people only
    person: bool = False


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the outside sources said; exposure is the lender's own and comes from the store."""

    registry: Fact[RegisterRecord]
    compliance: Fact[ComplianceCheck]
    marketplace: Fact[MarketplaceHistory]
    bank: Fact[BankData]
    bureau: Fact[BureauReport]

    @property
    def failed(self) -> tuple[Source, ...]:
        """The sources that could not be had, in the order of OUTSIDE."""
        return tuple(name for name in OUTSIDE if self.of(name).status == "failed")

    def of(self, name: Source) -> Fact[Any]:
        """One source's fact."""
        fact: Fact[Any] = getattr(self, name)
        return fact


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked of the sources: about whom, with which consents, until when.

    `until` is a moment of time.monotonic(): whatever has not come by then is failed. `reference` names the
    application towards paid sources, so that a repeated question is charged once. `earlier` holds facts already
    had: only its failed ones are asked again. `settled` says of the free facts whether they already decide, in
    which case no paid source is asked.
    """

    application: Application
    as_of: datetime
    reference: str = "app_unsaved"
    names: tuple[ScreenedName, ...] = ()
    until: float = math.inf
    earlier: Gathered | None = None
    settled: Callable[[Gathered], bool] = lambda _: False


@dataclass(frozen=True, slots=True)
class Answer(Generic[M]):
    """What a client found: a value, or None where there is nothing to be had (the fact is then absent).

    `also` are further conversations that the value rests on: their digests and marks count as the first's do.
    """

    value: M | None
    also: tuple["Conversation", ...] = ()


class Client(Protocol[M]):
    """One source's client. It holds no state of a request; conversations carry time, size and digest."""

    name: Source

    async def fetch(self, asking: Asking, conversation: "Conversation") -> Answer[M]:
        """Ask about the application; raises SourceFailed. Everything received is treated as hostile."""
        ...


class Sources(Protocol):
    """All outside sources together.

    `synthetic`: they are made up as a whole. `remote`: asking them takes time in which a process may die, so that
    the application is kept first.
    """

    synthetic: bool
    remote: bool

    async def gather(self, asking: Asking) -> Gathered:
        """Ask every source; never raises for a source's sake."""
        ...


class NoSources:
    """No source is set up: every fact is failed, so every application is referred to a person."""

    synthetic = False
    remote = False

    async def gather(self, asking: Asking) -> Gathered:
        """Give failed facts only."""
        return Gathered(
            **{field.name: failed(field.name, "not_configured", asking.as_of) for field in fields(Gathered)}
        )


def about(abn: str, as_of: datetime, until: float) -> Asking:
    """A question to the register alone, of which nothing but the number is known yet."""
    business = Business.model_construct(abn=abn, acn=None)  # type: ignore[call-arg]
    application = Application.model_construct(business=business)  # type: ignore[call-arg]
    return Asking(application, as_of, until=until)


def failed(source: str, why: Why, at: datetime) -> Fact[Any]:
    """A failed fact of this source."""
    return Fact[Any](source=source, fetched_at=at, status="failed", failure=why)


def absent(source: str, at: datetime) -> Fact[Any]:
    """An absent fact of this source: there was nothing to be had, or nobody allowed it."""
    return Fact[Any](source=source, fetched_at=at, status="absent")
