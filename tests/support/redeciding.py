"""What-if as blind re-decision: one whole decide() for every candidate, nothing shared and nothing skipped.

It does: answer every question of engine.whatif the slow and plain way, for comparison. It does not: know how a
decision is made, nor save any work. The rule it keeps: each function has the arguments and the result of the one
it stands beside.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import combinations

from engine.application import Application
from engine.decision import DecidingRelease, Decision, decide
from engine.facts import Facts
from engine.pricing import disclose
from engine.verified import restated
from engine.whatif import (
    BAND_FIELDS,
    BAND_STEPS,
    CHANGES,
    EVIDENCE,
    MOST_CHANGES,
    MOST_STEPS,
    MOST_SUGGESTIONS,
    Band,
    Point,
    Promise,
    Shown,
    ShownBy,
    Suggestion,
    asking,
)
from engine.whatif.changed import with_finances
from engine.whatif.counterfactual import Change

_RANK = {"decline": 0, "refer": 1, "approve": 2}
_DAYS_AFTER = 7
_MOST_PROVED = 6
_THOUSAND_CENTS = 100_000
Seen = tuple[str, int | None, int | None]


def seen(decision: Decision) -> Seen:
    """Outcome, limit and rate of a decision."""
    offer = decision.offer
    return decision.outcome, offer.limit_cents if offer else None, offer.monthly_rate_bps if offer else None


def explore(
    application: Application,
    facts: Facts,
    release: DecidingRelease,
    amounts_cents: Sequence[int],
    terms_months: Sequence[int],
    draw_cents: int | None = None,
) -> tuple[Point, ...]:
    """Every amount decided anew, with the cost of its draw over every term."""
    points = []
    for cents in amounts_cents:
        decision = decide(asking(application, cents), facts, release)
        outcome, limit, rate = decision.outcome, *seen(decision)[1:]
        for months in terms_months:
            cost = None
            if decision.offer is not None and limit is not None and rate is not None:
                cost = disclose(min(draw_cents or limit, limit), limit, rate, months, decision.offer.fees)
            points.append(
                Point(
                    amount_cents=cents, months=months, outcome=outcome,
                    limit_cents=limit, monthly_rate_bps=rate, cost=cost,
                )
            )  # fmt: skip
    return tuple(points)


def _worth(decision: Decision) -> tuple[int, int]:
    return _RANK[decision.outcome], decision.offer.limit_cents if decision.offer else 0


def _improvements(
    application: Application, facts: Facts, release: DecidingRelease, tried: Sequence[Change]
) -> list[tuple[tuple[Change, ...], Decision]]:
    now = _worth(decide(application, facts, release))
    worth: dict[tuple[str, ...], tuple[int, int]] = {}
    found: list[tuple[tuple[str, ...], tuple[Change, ...], Decision]] = []
    for size in range(1, MOST_CHANGES + 1):
        for changes in combinations(tried, size):
            pair: tuple[Application, Facts] | None = (application, facts)
            for change in changes:
                pair = change.apply(*pair) if pair else None
            if pair is None:
                continue
            decision = decide(*pair, release)
            names = tuple(change.name for change in changes)
            worth[names] = _worth(decision)
            floor = max((worth[(name,)] for name in names if (name,) in worth), default=now) if size > 1 else now
            if worth[names] > max(floor, now):
                found.append((names, changes, decision))
    found.sort(key=lambda item: (len(item[0]), tuple(-v for v in worth[item[0]]), item[0]))
    return [(changes, decision) for _, changes, decision in found]


def suggest(application: Application, facts: Facts, release: DecidingRelease) -> tuple[Suggestion, ...]:
    """Every change and pair of changes decided anew; the best three."""
    made = []
    for changes, decision in _improvements(*restated(application, facts), release, CHANGES)[:MOST_SUGGESTIONS]:
        _, limit, rate = seen(decision)
        made.append(
            Suggestion(
                changes=tuple(change.name for change in changes), words=tuple(change.words for change in changes),
                outcome=decision.outcome, limit_cents=limit, monthly_rate_bps=rate,
            )
        )  # fmt: skip
    return tuple(made)


def promises(
    application: Application,
    facts: Facts,
    release: DecidingRelease,
    held_until: datetime,
    shown_by: Iterable[ShownBy],
) -> tuple[Promise, ...]:
    """Every evidence and pair of evidences decided anew, the best of them on every day."""
    offer, ways = decide(application, facts, release).offer, frozenset(shown_by)
    kinds = {each.kind: each for each in EVIDENCE if each.shown_by in ways}

    def change(kind: str) -> Change:
        evidence = next(each for each in EVIDENCE if each.kind == kind)

        def apply(application: Application, facts: Facts) -> tuple[Application, Facts] | None:
            named = evidence.name(application, facts)
            return None if named is None else (application, evidence.apply(named, facts))

        return Change(kind, "", apply)

    found: list[Promise] = []
    better = _improvements(application, facts, release, [change(kind) for kind in kinds])
    tried = [changes for changes, decision in better if decision.offer is not None]
    for changes in tried[:_MOST_PROVED]:
        names = {each.name for each in changes}
        promise = _proved(application, facts, release, held_until, [kind for kind in kinds if kind in names])
        if promise is not None and promise.limit_cents > (offer.limit_cents if offer else 0):
            found.append(promise)
        if len(found) == MOST_SUGGESTIONS:
            break
    return tuple(found)


def _proved(
    application: Application, facts: Facts, release: DecidingRelease, held_until: datetime, kinds: Sequence[str]
) -> Promise | None:
    evidence = [next(each for each in EVIDENCE if each.kind == kind) for kind in kinds]
    shown: list[Shown] = []
    limits, rates = [], []
    for day in range((held_until.date() - facts.as_of.date()).days + 1 + _DAYS_AFTER):
        later = facts.model_copy(update={"as_of": facts.as_of + timedelta(days=day)})
        for place, each in enumerate(evidence):
            if day == 0:
                named = each.name(application, later)
                if named is None:
                    return None
                shown.append(named)
            later = each.apply(shown[place], later)
        offer = decide(application, later, release).offer
        if offer is None:
            return None
        limits.append(offer.limit_cents)
        rates.append(offer.monthly_rate_bps)
    return Promise(evidence=tuple(shown), limit_cents=min(limits), monthly_rate_bps=max(rates), held_until=held_until)


def bands(application: Application, facts: Facts, release: DecidingRelease) -> tuple[Band, ...]:
    """The band of every field, step by step."""
    stated, bare = restated(application, facts)
    found = []
    for field in BAND_FIELDS:
        step = max(int(getattr(stated.finances, field)) // BAND_STEPS // _THOUSAND_CENTS, 1) * _THOUSAND_CENTS
        found.append(band(stated, bare, release, field, step, BAND_STEPS))
    return tuple(found)


def band(
    application: Application,
    facts: Facts,
    release: DecidingRelease,
    field: str,
    step: int,
    most_steps: int = MOST_STEPS,
) -> Band:
    """The lattice walked both ways, every point decided anew."""
    application, facts = restated(application, facts)
    declared = int(getattr(application.finances, field))
    here = seen(decide(application, facts, release))

    def differing(value: int) -> Application:
        if field != "overdue_tax_cents":
            return with_finances(application, **{field: value})
        plan = bool(application.finances.tax_plan) if value else None
        return with_finances(application, overdue_tax_cents=value, tax_plan=plan)

    def walk(sign: int) -> tuple[int, bool]:
        reached = declared
        for k in range(1, most_steps + 1):
            try:
                changed = differing(declared + sign * k * step)
            except ValueError:
                return reached, True
            if seen(decide(changed, facts, release)) != here:
                return reached, False
            reached = declared + sign * k * step
        return reached, True

    (low, low_open), (high, high_open) = walk(-1), walk(1)
    return Band(field=field, declared=declared, step=step, low=low, high=high, low_open=low_open, high_open=high_open)
