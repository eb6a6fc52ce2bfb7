"""Every what-if of one decision, and beside it one decision made again: what a blind grid pays a point.

It does: time the offer explorer over its whole grid, the counterfactuals, the materiality bands, and the promises. It
does not: prove them right (the tests do, against brute force). The rule it keeps: the grid is that of the API.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from api.advice.exploring import _TERMS, _amounts
from benchmarks.samples import Task, Timing, interleave
from benchmarks.subject import Subject, subject
from engine.decision import decide
from engine.whatif import BAND_FIELDS, BAND_STEPS, CHANGES, ShownBy, bands, explore, promises, suggest

ALL, EXPLORER, SUGGESTIONS, BANDS = "all three", "offer explorer", "counterfactuals", "materiality bands"
PROMISES, AGAIN = "promises, proved for every day", "decide() once more"
_HELD = timedelta(days=30)
_SHOWN_BY: tuple[ShownBy, ...] = ("documents", "registry", "bureau")


@dataclass(frozen=True, slots=True)
class Advising:
    """What each took, and how many points, changes and steps they are made of."""

    timings: Mapping[str, Timing]
    points: int
    changes: int
    steps: int


def measure(rounds: int) -> Advising:
    """Time them in turn."""
    chosen = subject()
    what, points = tasks(chosen)
    return Advising(interleave(what, rounds), points, len(CHANGES), len(BAND_FIELDS) * 2 * BAND_STEPS)


def tasks(chosen: Subject) -> tuple[dict[str, Task], int]:
    """What is timed, and how many points the explorer's grid has."""
    application, facts, release, offer = chosen.application, chosen.facts, chosen.release, chosen.decision.offer
    if offer is None:
        raise LookupError("the subject has an offer")
    policy = release.policy.on(facts.as_of.date())
    amounts = _amounts(offer.limit_cents, policy.screening.least_amount_cents)
    terms = [months for months in _TERMS if months <= policy.limits.repayment_months]

    def explorer() -> object:
        return explore(application, facts, release, amounts, terms)

    def suggestions() -> object:
        return suggest(application, facts, release)

    def materiality() -> object:
        return bands(application, facts, release)

    timed: dict[str, Task] = {
        ALL: lambda: (explorer(), suggestions(), materiality()),
        EXPLORER: explorer,
        SUGGESTIONS: suggestions,
        BANDS: materiality,
        PROMISES: lambda: promises(application, facts, release, facts.as_of + _HELD, _SHOWN_BY),
        AGAIN: lambda: decide(application, facts, release),
    }
    return timed, len(amounts) * len(terms)
