"""What is known of a release in service: the one record that the desk writes and the service reads.

It does: hold and check the numbers of periods, segments and alarms, read the file, and name its figures for Prometheus.
It does not: compute them (training.monitor does) or draw. The rules it keeps: numbers and plain words, no markup; a
file that is missing, damaged or too long is a value that says so, never an exception.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, ValidationError

from engine.values import Frozen, Moment

FILE: Final = "monitor.json"
MOST_BYTES: Final = 16_000_000
_FEWEST_BADS: Final = 5.0
KINDS: Final = ("score", "feature", "unseen", "mix", "approval", "referral", "override", "limit", "calibration")
Kind = Literal["score", "feature", "unseen", "mix", "approval", "referral", "override", "limit", "calibration"]
Reading = Literal["steady", "moved", "too few"]
Name = Annotated[str, Field(max_length=400)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Shift(Frozen):
    """How far one column lies from its baseline; `noise` is the PSI that no change stays below 99 times in 100."""

    name: Name
    psi: Number
    noise: Number
    missing: Number
    unseen: Number
    reading: Reading


class Rate(Frozen):
    """A share of `of`, with its 95 % interval."""

    share: Number
    low: Number
    high: Number
    of: int


class Calibration(Frozen):
    """Outcomes that are known beside what the PDs said; the interval is of the ratio, 95 %."""

    closed: int
    bads: int
    observed: Number
    expected: Number
    ratio: Number
    low: Number
    high: Number

    @property
    def telling(self) -> bool:
        """Whether so many bads were expected that their ratio is more than chance."""
        return self.closed * self.expected >= _FEWEST_BADS


class Outcomes(Frozen):
    """What was decided, at first; overrides are what people decided afterwards, of all decisions."""

    approved: Rate
    referred: Rate | None = None
    overridden: Rate | None = None
    limit_mean_cents: int | None = None


class Period(Frozen):
    """A month (2026-11) or a week (its Monday)."""

    name: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}(-[0-9]{2})?$")]
    start: date
    decisions: int
    score: Shift
    features: Annotated[tuple[Shift, ...], Field(max_length=512)]
    outcomes: Outcomes | None
    calibration: Calibration | None


class Segment(Frozen):
    """A part of those watched, in the newest telling stretch and before; score PSI against its own past."""

    by: Name
    value: Name
    decisions: int
    share: Number
    share_before: Number | None
    score: Shift | None
    outcomes: Outcomes | None
    approved_before: Rate | None
    calibration: Calibration | None


class Alarm(Frozen):
    """Something moved: by `moved` since the day `since`, more than `mark`; `fired` is the day that showed it.

    `odds` is the decimal logarithm of the evidence left after every look was paid for. `before` and `now` are rates,
    dollars or ratios where there are any. It stands until a later period that has enough rows is steady again.
    """

    kind: Kind
    name: Name
    since: date
    fired: date
    rows: int
    moved: Number
    mark: Number
    odds: Number
    before: Number | None
    now: Number | None
    standing: bool

    @property
    def sentence(self) -> str:
        """The alarm in words."""
        says = _SENTENCES[self.kind].format(
            name=self.name, moved=self.moved, mark=self.mark, before=self.before or 0, now=self.now or 0
        )
        over = "" if self.standing else " It is steady again."
        return f"{says} Seen on {self.fired} in {self.rows:,} decisions since {self.since}.{over}"


_SENTENCES: Final[dict[str, str]] = {
    "score": "The score moved: PSI {moved:.2f}, more than {mark:.2f}.",
    "feature": "{name} moved: PSI {moved:.2f}, more than {mark:.2f}.",
    "unseen": "{name} holds values that training never saw: {now:.1%} of decisions.",
    "mix": "The mix by {name} moved: PSI {moved:.2f}, more than {mark:.2f}.",
    "approval": "Approvals ({name}) went from {before:.1%} to {now:.1%}.",
    "referral": "Referrals went from {before:.1%} to {now:.1%}.",
    "override": "Decisions that people overrode went from {before:.1%} to {now:.1%}.",
    "limit": "The average limit went from ${before:,.0f} to ${now:,.0f}.",
    "calibration": "{now:.2f} times as many went bad as the PDs said.",
}


class Reference(Frozen):
    """The first decisions watched, against which rates and mixes are held."""

    start: date
    end: date
    decisions: int


class Watch(Frozen):
    """A release watched over a span; `baseline` says what score and features are held against."""

    schema_version: Literal[1] = 1
    release: Name  # or a draft
    made_at: Moment
    source: Name
    by: Literal["month", "week"]
    start: date
    end: date
    decisions: int
    left_out: dict[Name, int]
    baseline: Literal["training", "first decisions"]
    baseline_rows: int
    reference: Reference | None
    windows: Name  # what counts as bad and within which time, in words; empty where no performance was given
    series: int  # how many were tested
    periods: Annotated[tuple[Period, ...], Field(max_length=1_000)]
    segments: Annotated[tuple[Segment, ...], Field(max_length=1_000)]
    alarms: Annotated[tuple[Alarm, ...], Field(max_length=2_000)]

    @property
    def standing(self) -> tuple[Alarm, ...]:
        """The alarms that stand."""
        return tuple(alarm for alarm in self.alarms if alarm.standing)

    @property
    def newest(self) -> Period:
        """The newest period that has enough decisions to tell anything; the newest where none has."""
        telling = (each for each in reversed(self.periods) if each.score.reading != "too few")
        return next(telling, self.periods[-1])

    @property
    def calibration(self) -> Calibration | None:
        """The newest period with outcomes enough to tell anything."""
        known = (each.calibration for each in reversed(self.periods) if each.calibration)
        return next((each for each in known if each.telling), None)

    def to_bytes(self) -> bytes:
        """The file's bytes."""
        return self.model_dump_json(indent=1).encode() + b"\n"

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the file's bytes; ValueError where they are no such record."""
        return cls.model_validate_json(data)


@dataclass(frozen=True, slots=True)
class Damaged:
    """There is no record to be had, and why, in plain words."""

    missing: bool
    why: str


def read(folder: Path) -> Watch | Damaged:
    """The record in a folder."""
    path = folder / FILE
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return Damaged(True, f"There is no {FILE} yet: `creditline-train monitor --out` writes it.")
    except OSError as error:
        return Damaged(False, f"{FILE} cannot be read: {error.strerror}.")
    if len(data) > MOST_BYTES:
        return Damaged(False, f"{FILE} is longer than {MOST_BYTES:,} bytes.")
    try:
        watch = Watch.parse(data)
    except ValidationError:
        return Damaged(False, f"{FILE} is damaged or of another version: run `creditline-train monitor` again.")
    return watch if watch.periods else Damaged(False, f"{FILE} holds no period.")


Sample = tuple[str, dict[str, str], float]


def samples(watch: Watch) -> Iterator[Sample]:
    """The newest telling period's figures as Prometheus names them: name, labels, value."""
    newest = watch.newest
    yield "creditline_monitor_timestamp_seconds", {}, watch.made_at.timestamp()
    yield "creditline_monitor_decisions", {}, newest.decisions
    for shift in (newest.score, *newest.features):
        yield "creditline_monitor_psi", {"of": shift.name}, shift.psi
    if told := newest.outcomes:
        rates = {"approved": told.approved, "referred": told.referred, "overridden": told.overridden}
        for name, rate in rates.items():
            if rate:
                yield "creditline_monitor_rate", {"of": name}, rate.share
        if told.limit_mean_cents is not None:
            yield "creditline_monitor_limit_dollars", {}, told.limit_mean_cents / 100
    if calibration := watch.calibration:
        yield "creditline_monitor_calibration_ratio", {}, calibration.ratio
    for kind in KINDS:
        yield "creditline_monitor_alarms", {"kind": kind}, sum(alarm.kind == kind for alarm in watch.standing)
