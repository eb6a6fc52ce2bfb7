"""The page Watching: what the monitor says of the release in service, with small drawings."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Tone = Literal["calm", "bad", "wait"]
WIDTH, HEIGHT = 320, 90  # of a drawing


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure over the periods, as points in a box of WIDTH by HEIGHT; `mark` is the height of its mark."""

    title: str
    newest: str
    line: str
    dots: tuple[tuple[float, float, Tone], ...]
    top: str
    first: str
    last: str
    band: str = ""  # a polygon: intervals, or what chance stays below
    mark: float | None = None
    mark_words: str = ""


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """An alarm in words; one that does not stand any more is steady again."""

    words: str
    standing: bool


@dataclass(frozen=True, slots=True)
class ShiftLine:
    """How far score or a feature lies from its baseline in the newest telling period."""

    name: str
    psi: float
    chance: float
    missing_bps: int
    unseen_bps: int
    reading: str


@dataclass(frozen=True, slots=True)
class SegmentLine:
    """A part of those watched, after the first decisions and among them; shares in basis points."""

    by: str
    value: str
    decisions: int
    share_bps: int
    share_before_bps: int | None
    approved_bps: int | None
    approved_before_bps: int | None
    referred_bps: int | None
    overridden_bps: int | None
    score: ShiftLine | None
    ratio: float | None


@dataclass(frozen=True, slots=True)
class PeriodLine:
    """A week or month; `psi` none where there are too few decisions to tell."""

    name: str
    decisions: int
    psi: float | None
    approved_bps: int | None
    referred_bps: int | None
    overridden_bps: int | None
    limit_cents: int | None
    closed: int
    ratio: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True)
class Watched:
    """A record that could be read."""

    release: str
    serving: str
    made_at: datetime
    age: str
    late: bool
    source: str
    start: date
    end: date
    decisions: int
    against: str
    rates_against: str
    left_out: tuple[tuple[str, int], ...]
    windows: str
    series: int
    newest: str
    alarms: tuple[AlarmLine, ...]
    charts: tuple[Chart, ...]
    shifts: tuple[ShiftLine, ...]
    segments: tuple[SegmentLine, ...]
    periods: tuple[PeriodLine, ...]


@dataclass(frozen=True, slots=True)
class WatchingView:
    """The record, or why there is none."""

    watched: Watched | None
    why: str = ""
