"""Decide a whole market under a release and sum up what comes out: outcomes, limits, rules, bad rates.

It does: call the engine's `decide` on every business, in parallel. It does not: change policy or model (compare two
releases by running it twice). The rule it keeps: the very function that serves is the one that is tested.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

import models
from engine.decision import decide
from engine.release import Release
from training.backtest.records import Market, Part
from training.backtest.running import Spread, in_turn


@dataclass(slots=True)
class Outcomes:
    """What a release makes of a market."""

    businesses: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    grades: Counter[str] = field(default_factory=Counter)
    bound_by: Counter[str] = field(default_factory=Counter)
    limits_cents: list[int] = field(default_factory=list)
    counter_offers: int = 0
    closed: Counter[str] = field(default_factory=Counter)  # outcome -> closed windows
    bads: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Outcomes") -> None:
        """Take in the counts of another part of the market."""
        self.businesses += other.businesses
        self.counter_offers += other.counter_offers
        self.limits_cents += other.limits_cents
        for name in ("outcomes", "rules", "reasons", "grades", "bound_by", "closed", "bads"):
            getattr(self, name).update(getattr(other, name))


def decide_market(
    path: Path,
    release: str | None,
    root: Path,
    jobs: int = 2,
    progress: Callable[[int], None] = lambda done: None,
    spread: Spread[Outcomes] | None = None,
) -> Outcomes:
    """Decide every business of a market under a release (None: the champion); `spread` does it elsewhere."""
    total = Outcomes()
    market = Market(path)
    decided = partial(decide_part, market=market, release=release, root=root)
    for part in (spread or partial(in_turn, jobs=jobs))(decided, [(part,) for part in market.parts()]):
        total.add(part)
        progress(part.businesses)
    return total


def summary(found: Outcomes) -> list[tuple[str, list[tuple[str, str]]]]:
    """Titled tables of what a release makes of a market, for the screen."""
    n, approved, outcomes = found.businesses, len(found.limits_cents), ("approve", "decline", "refer")
    limits = sorted(found.limits_cents)
    totals = [(name, _share(found.outcomes[name], n)) for name in outcomes]
    totals.append(("decided without a person", _share(n - found.outcomes["refer"], n)))
    totals.append(("offered less than asked", _share(found.counter_offers, approved)))
    later = [(name, _share(found.bads[name], found.closed[name])) for name in outcomes]
    later.append(("all", _share(sum(found.bads.values()), sum(found.closed.values()))))
    spread = [(f"{q} %", f"${limits[min(q * approved // 100, approved - 1)] / 100:,.0f}") for q in _QUANTILES if limits]
    return [
        (f"{n:,} businesses", totals),
        ("later bad, of closed windows", later),
        ("limits of the approved, quantiles", spread),
        ("bound by", _ranked(found.bound_by, approved)),
        ("grades", sorted(_ranked(found.grades, sum(found.grades.values())))),
        ("rules that fired", _ranked(found.rules, n)),
        ("reasons given for a decline", _ranked(found.reasons, found.outcomes["decline"])),
    ]


def _share(count: int, of: int) -> str:
    return f"{count:,} ({count / of:.1%})" if of else f"{count:,}"


def _ranked(counts: Counter[str], of: int) -> list[tuple[str, str]]:
    return [(name, _share(count, of)) for name, count in counts.most_common()]


_QUANTILES = (1, 5, 10, 25, 50, 75, 90, 95, 99)


@cache
def _release(name: str | None, root: Path) -> Release:
    return models.champion(root) if name is None else models.load(name, root)


def decide_part(part: Part, market: Market, release: str | None, root: Path) -> Outcomes:
    """What a release makes of a part of a market."""
    out, loaded, entries = Outcomes(), _release(release, root), market.index(part)
    for entry, record in zip(entries, market.read(part, b"\1" * len(entries)), strict=True):
        decision = decide(record.application, record.facts, loaded)
        out.businesses += 1
        out.outcomes[decision.outcome] += 1
        out.rules.update(finding.rule for finding in decision.findings)
        out.reasons.update(reason.code for reason in decision.reasons if decision.outcome == "decline")
        if decision.score:
            out.grades[decision.score.grade or "no grade"] += 1
        if decision.offer:
            out.limits_cents.append(decision.offer.limit_cents)
            out.bound_by[decision.bound_by or ""] += 1
            out.counter_offers += decision.offer.limit_cents < decision.requested_cents
        if entry.bad is not None:
            out.closed[decision.outcome] += 1
            out.bads[decision.outcome] += entry.bad
    return out
