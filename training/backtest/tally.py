"""What came of a back-test, counted: by side, by segment, by cause.

It does: take in one decision after another, and the counts of other parts. It does not: hold decisions, but for a few
examples. The rule it keeps: parts put together in order give the counts of the whole, however many processes counted.
"""

from bisect import bisect
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal, get_args

from engine.application import Application, StaffBand
from engine.values import DIVISIONS, division_of
from training.backtest.causes import Cause
from training.backtest.money import Worth
from training.backtest.referrals import Referrals
from training.backtest.seen import Seen, told

Status = Literal["", "good", "bad"]
MOST_EXAMPLES = 20
_TURNOVER_CENTS = (20_000_000, 50_000_000, 200_000_000, 1_000_000_000)
_TURNOVER_BANDS = ("1: under $200k", "2: $200k to $500k", "3: $500k to $2m", "4: $2m to $10m", "5: $10m and more")
_STAFF_BANDS = {band: f"{place}: {band}" for place, band in enumerate(get_args(StaffBand), 1)}  # sorted by size
_SCORE_STEP = 40
_SCORE_FROM = 480


@dataclass(slots=True)
class Side:
    """What one side decides of applications, by the last decision on each; cents of a year."""

    outcomes: Counter[str] = field(default_factory=Counter)
    approved_cents: int = 0
    expected_cents: int = 0  # by the old PD
    expected_by_new_cents: int = 0  # by the new one
    known: int = 0  # approved, and what became of them is known
    realised_cents: int = 0  # of these
    unknown_if_good_cents: int = 0  # of the others, if all are paid
    unknown_if_bad_cents: int = 0  # if none is

    def add(self, seen: Seen, pds: tuple[float, float], status: Status, worth: Worth) -> None:
        """Take in one application."""
        self.outcomes[seen.outcome] += 1
        if seen.limit_cents is None or seen.rate_bps is None:
            return
        good, bad = worth.of(seen.limit_cents, seen.rate_bps)
        self.approved_cents += seen.limit_cents
        self.expected_cents += round((1 - pds[0]) * good + pds[0] * bad)
        self.expected_by_new_cents += round((1 - pds[1]) * good + pds[1] * bad)
        if status:
            self.known += 1
            self.realised_cents += bad if status == "bad" else good
        else:
            self.unknown_if_good_cents += good
            self.unknown_if_bad_cents += bad


@dataclass(slots=True)
class Group:
    """Some applications on both sides."""

    applications: int = 0
    changed: int = 0
    before: Side = field(default_factory=Side)
    after: Side = field(default_factory=Side)


@dataclass(slots=True)
class Shift:
    """Lines or rates that went up and down, where both sides offer one."""

    up: int = 0
    down: int = 0
    by: int = 0


@dataclass(slots=True)
class Change:
    """One decision that moved."""

    decision_id: str
    told: str
    causes: tuple[Cause, ...]


@dataclass(slots=True)
class Tally:
    """The whole back-test."""

    decisions: int = 0
    synthetic: int = 0  # decisions of made-up businesses
    changed: int = 0
    moved: Counter[str] = field(default_factory=Counter)
    turned: Counter[str] = field(default_factory=Counter)
    limits: Shift = field(default_factory=Shift)
    rates: Shift = field(default_factory=Shift)
    causes: Counter[Cause] = field(default_factory=Counter)
    alone: Counter[Cause] = field(default_factory=Counter)
    not_attributed: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    whole: Group = field(default_factory=Group)
    segments: dict[str, dict[str, Group]] = field(default_factory=dict)
    referrals: Referrals = field(default_factory=Referrals)
    examples: list[Change] = field(default_factory=list)

    def change(
        self, decision_id: str, before: Seen, after: Seen, what: Iterable[str], causes: frozenset[Cause] | None
    ) -> None:
        """Take in a decision that moved; no causes: they could not be looked for."""
        self.changed += 1
        self.moved.update(what)
        if before.outcome != after.outcome:
            self.turned[f"{before.outcome} -> {after.outcome}"] += 1
        shift(self.limits, before.limit_cents, after.limit_cents)
        shift(self.rates, before.rate_bps, after.rate_bps)
        self.causes.update(causes or ())
        if causes is None:
            self.not_attributed += 1
        elif len(causes) == 1:
            self.alone.update(causes)
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(Change(decision_id, told(before, after), tuple(sorted(causes or ()))))

    def application(
        self, application: Application, before: Seen, after: Seen, changed: bool, status: Status, worth: Worth
    ) -> None:
        """Take in the last decision on an application, in the whole and in each of its segments."""
        old_pd = before.pd if before.pd is not None else after.pd
        new_pd = after.pd if after.pd is not None else before.pd
        pds = (old_pd or 0.0, new_pd or 0.0)
        groups = [self.whole]
        for by, value in segments_of(application, before, after).items():
            groups.append(self.segments.setdefault(by, {}).setdefault(value, Group()))
        for group in groups:
            group.applications += 1
            group.changed += changed
            group.before.add(before, pds, status, worth)
            group.after.add(after, pds, status, worth)


def shift(into: Shift, before: int | None, after: int | None) -> None:
    """Count a line or a rate that both sides have and that moved."""
    if before is None or after is None or before == after:
        return
    into.up += after > before
    into.down += after < before
    into.by += after - before


def segments_of(application: Application, before: Seen, after: Seen) -> dict[str, str]:
    """For whom: region, industry, size by turnover and by staff, and the band of the old score, else of the new."""
    business, turnover = application.business, application.finances.turnover_12m_cents
    points = before.points if before.points is not None else after.points
    return {
        "region": business.state,
        "industry": _industry(business.anzsic),
        "turnover": _TURNOVER_BANDS[bisect(_TURNOVER_CENTS, turnover)],
        "staff": _STAFF_BANDS[business.staff_band],
        "score": "no score" if points is None else score_band(points),
    }


def _industry(anzsic: str) -> str:
    letter = division_of(anzsic)
    return f"{letter}: {DIVISIONS[letter][0].lower()}" if letter else "not known"


def score_band(points: float) -> str:
    """Forty points at a time: two doublings of the odds."""
    low = max(int(points // _SCORE_STEP) * _SCORE_STEP, _SCORE_FROM - _SCORE_STEP)
    return f"under {_SCORE_FROM}" if low < _SCORE_FROM else f"{low} to {low + _SCORE_STEP - 1}"


def merge(into: Any, part: Any) -> None:
    """Add a part's counts to those of the parts before it, field by field."""
    for each in fields(into):
        mine, other = getattr(into, each.name), getattr(part, each.name)
        if isinstance(mine, Counter):
            mine.update(other)
        elif isinstance(mine, dict):
            _merge_dict(mine, other)
        elif isinstance(mine, list):
            mine.extend(other)
        elif is_dataclass(mine):
            merge(mine, other)
        else:
            setattr(into, each.name, mine + other)


def _merge_dict(mine: dict[str, Any], other: dict[str, Any]) -> None:
    for name, value in other.items():
        if name not in mine:
            mine[name] = value
        elif isinstance(value, dict):
            _merge_dict(mine[name], value)
        else:
            merge(mine[name], value)
