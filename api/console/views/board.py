"""The board: what waits, how old it is, who works on it, and whether all of it will be done in time."""

from dataclasses import dataclass
from datetime import datetime

from api.console.views.shared import CaseLine, Choice, Notice


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many cases are in a state, and the lines they stand for."""

    state: str
    cases: int
    limit_cents: int


@dataclass(frozen=True, slots=True)
class AgeBand:
    """Cases whose clock lies between two marks; `from_hours` is the mark that was passed."""

    words: str
    from_hours: int
    cases: int


@dataclass(frozen=True, slots=True)
class Workload:
    """What one person holds now, when the first of it is due, and on how many cases they acted today."""

    name: str
    held: int
    acted_on: int
    earliest_due: datetime | None = None
    me: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """The chance that every queued case meets its 24 hours, and what it rests on, in words."""

    chance_bps: int
    basis: str


@dataclass(frozen=True, slots=True)
class Quality:
    """Cases that verified themselves, how many of them are drawn for people to look at, and what those found."""

    machine_verified: int
    sampled: int
    waiting: int
    disagreed: int
    share_bps: int
    period: str


@dataclass(frozen=True, slots=True)
class BoardView:
    """The board at a moment: my cases, then all in the order in which they are worked on.

    `stages` are those for which this member may take the next case, where there are several; `more` counts cases
    beyond `lines`. Referrals have no case, and a page of their own.
    """

    at: datetime
    counts: tuple[StateCount, ...]
    ages: tuple[AgeBand, ...]
    mine: tuple[CaseLine, ...]
    lines: tuple[CaseLine, ...]
    workload: tuple[Workload, ...]
    forecast: Forecast | None = None
    quality: Quality | None = None
    stages: tuple[Choice, ...] = ()
    more: int = 0
    state: str | None = None  # the list shows this state alone
    referrals: int = 0  # that wait for a person, with requests for one
    referrals_late: int = 0  # past what was promised
    notice: Notice | None = None
