"""Referrals: which rules make them, alone or together, how many a day, and how often people set them aside.

It does: count both sides' referrals by rule and day, and follow a recorded referral to the decision that settled it.
It does not: count a settlement that the record does not hold. The rule it keeps: a referral is overturned where an
officer left its rule aside and the line was approved.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta

from engine.facts import Facts
from training.backtest.seen import Seen

Settlement = tuple[str, tuple[str, ...], bool, bool]  # application, rules, whether it settles, whether it approves


@dataclass(slots=True)
class Desk:
    """One side's referrals."""

    by_rule: Counter[str] = field(default_factory=Counter)
    alone: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_day: Counter[str] = field(default_factory=Counter)

    def add(self, seen: Seen, day: str) -> None:
        """Take in a decision."""
        if seen.outcome != "refer":
            return
        rules = tuple(dict.fromkeys(seen.findings))
        self.by_day[day] += 1
        self.by_rule.update(rules)
        if len(rules) == 1:
            self.alone.update(rules)
        self.pairs.update((one, other) for one in rules for other in rules if one < other)


@dataclass(slots=True)
class Referrals:
    """Both sides' referrals, the days they fall on, and what became of the recorded ones."""

    before: Desk = field(default_factory=Desk)
    after: Desk = field(default_factory=Desk)
    days: Counter[str] = field(default_factory=Counter)  # every decision's, referred or not
    trail: list[Settlement] = field(default_factory=list)

    def add(self, application_id: str, facts: Facts, day: str, recorded: Seen | None) -> None:
        """Keep what the record says of a referral or of its settlement."""
        self.days[day] += 1
        if recorded is None:
            return
        review = facts.review.value if facts.review else None
        if review is not None and (review.set_aside or review.declined):
            self.trail.append((application_id, review.set_aside, True, recorded.outcome == "approve"))
        elif recorded.outcome == "refer":
            self.trail.append((application_id, recorded.findings, False, False))


@dataclass(frozen=True, slots=True)
class Settled:
    """How many recorded referrals by a rule people have settled, and how many of these they overturned."""

    settled: int
    overturned: int


def settled(trail: list[Settlement]) -> dict[str, Settled]:
    """By rule, from the trail in the order of the record."""
    open_: dict[str, tuple[str, ...]] = {}
    seen: Counter[str] = Counter()
    overturned: Counter[str] = Counter()
    for application, rules, settles, approves in trail:
        if not settles:
            open_[application] = rules
            continue
        referred = open_.pop(application, ())
        seen.update(referred)
        overturned.update(rule for rule in referred if approves and rule in rules)
    return {rule: Settled(count, overturned[rule]) for rule, count in sorted(seen.items())}


@dataclass(frozen=True, slots=True)
class Load:
    """Referrals a day over the days of the span, each calendar day counted."""

    days: int
    mean: float
    busiest: int
    above: int  # days on which there are more than the budget


def load(desk: Desk, days: Counter[str], budget: int | None) -> Load:
    """How many referrals a day a side makes, and on how many days more than the budget."""
    if not days:
        return Load(0, 0.0, 0, 0)
    first, last = date.fromisoformat(min(days)), date.fromisoformat(max(days))
    count = (last - first) // timedelta(days=1) + 1
    above = sum(n > budget for n in desk.by_day.values()) if budget is not None else 0
    return Load(count, sum(desk.by_day.values()) / count, max(desk.by_day.values(), default=0), above)
