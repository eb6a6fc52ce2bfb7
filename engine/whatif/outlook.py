"""What decisions would say, many at once: outcome, limit and rate, without the decisions themselves.

It does: run the rules, features, caps and prices that `decide` runs, sharing whatever the cases have in common, and
score all rows in one call. It does not: know a rule, give reasons, or record anything. The rule it keeps: an outlook
is what `decide` says of the same application, facts and release.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Final, NamedTuple

import numpy as np

from engine.application import Application
from engine.decision import DecidingRelease, Outcome, not_set_aside, settled
from engine.facts import Facts
from engine.features import FEATURES, Evidence, Feature
from engine.limits import assign
from engine.policy import Policy
from engine.pricing import price
from engine.scoring.scale import graded
from engine.screening import RULES, Case, Finding, Rule, brakes, failed_sources
from engine.verified import as_verified
from engine.whatif.sharing import Sight, Together

Pair = tuple[Application, Facts]


class Outlook(NamedTuple):
    """What a decision comes to; limit and rate where it offers a line."""

    outcome: Outcome
    limit_cents: int | None = None
    monthly_rate_bps: int | None = None


class Outlooks:
    """The outlooks of one question under one release: what its cases have in common is worked out once.

    Whatever was asked about is kept, so that an instance lives no longer than its question.
    """

    def __init__(self, release: DecidingRelease) -> None:
        self._release: Final = release
        self._kept: Final[list[object]] = []
        self._policies: Final[dict[date, Policy]] = {}
        self._verified: Final[dict[tuple[int, int], Application]] = {}
        self._summed: Final[dict[tuple[int, int, date], Evidence]] = {}
        self._screen: Together[Sequence[Finding]] | None = None
        self._row: Together[float] | None = None

    def of(self, pairs: Iterable[Pair]) -> list[Outlook]:
        """The outlook of each application on its facts."""
        found: list[Outlook] = []
        scored: list[tuple[int, Sight]] = []
        for application, facts in pairs:
            sight = Sight(self._case(application, facts))
            self._kept.append((application, sight))
            ended = settled(not_set_aside(self._findings(sight), facts), facts)
            if ended is None:
                scored.append((len(found), sight))
            found.append(Outlook(ended[0] if ended else "decline"))
        for (place, sight), raw in zip(scored, self._raws([sight for _, sight in scored]), strict=True):
            found[place] = self._line(sight, raw)
        return found

    def _case(self, application: Application, facts: Facts) -> Case:
        """The case as `decide` makes it."""
        day = facts.as_of.date()
        if (policy := self._policies.get(day)) is None:
            policy = self._policies[day] = self._release.policy.on(day)
        stated = id(application), id(facts.documents)
        if (verified := self._verified.get(stated)) is None:
            verified = self._verified[stated] = as_verified(application, facts)
        blocks = id(facts.bank.value), id(facts.marketplace.value), day
        if (summed := self._summed.get(blocks)) is None:
            evidence = self._summed[blocks] = Evidence.of(verified, facts)
        else:
            register, bureau = facts.registry.value, facts.bureau.value
            evidence = replace(summed, application=verified, register=register, bureau=bureau)
        return Case(verified, facts, evidence, policy)

    def _findings(self, sight: Sight) -> tuple[Finding, ...]:
        if self._screen is None:
            self._screen = Together([*map(_check, RULES), failed_sources, brakes], sight)
        return tuple(finding for found in self._screen.of(sight) for finding in found)

    def _raws(self, sights: Sequence[Sight]) -> list[float]:
        """The raw scores, all in one call."""
        if not sights:
            return []
        if self._row is None:
            self._row = Together([*map(_value, FEATURES)], sights[0])
        rows = np.empty((len(sights), len(FEATURES)))
        rows[:, self._row.order] = [self._row.of(sight) for sight in sights]
        raws: list[float] = self._release.scorer.raw_many(rows).tolist()
        return raws

    def _line(self, sight: Sight, raw: float) -> Outlook:
        """What is offered on a score, where nothing was found."""
        policy = sight.case.policy
        pd, grade = graded(raw, self._release.calibration, policy.grade_table)
        limit = assign(sight.case, grade, pd).limit_cents if grade else 0
        if not grade or not limit:
            return Outlook("decline")
        return Outlook("approve", limit, price(policy.pricing, grade, limit))


def _check(rule: Rule) -> Callable[[Case], Sequence[Finding]]:
    fires, finding = rule
    return lambda case: (finding,) if fires(case) else ()


def _value(feature: Feature) -> Callable[[Case], float]:
    return lambda case: feature.value(case.evidence)
