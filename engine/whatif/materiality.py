"""Materiality bands: how far one figure may differ before the decision does.

It does: decide again on a lattice of values around the figure. It does not: vary two figures at once, nor decide
anything by itself: verified facts are always decided again. The rule it keeps: nothing between two points is promised.
"""

from collections.abc import Iterable, Iterator

from engine.application import Application
from engine.decision import DecidingRelease
from engine.facts import Facts
from engine.values import Frozen
from engine.verified import restated
from engine.whatif.changed import with_finances
from engine.whatif.outlook import Outlooks

BAND_FIELDS = ("turnover_12m_cents", "other_repayments_month_cents", "overdue_tax_cents")
BAND_STEPS = 20  # each way, where all bands are wanted at once: a case page waits for them
MOST_STEPS = 200
_FIRST_BLOCK = 8  # steps decided at once; many a walk ends soon
_THOUSAND_CENTS = 100_000


class Band(Frozen):
    """How far one value may move, in whole steps, before outcome, limit or rate changes.

    `low` and `high` are the last values on the lattice `declared + k * step` that leave the decision as it is;
    an end is open where the lattice was left or as many steps as were asked for were tried.
    """

    field: str
    declared: int
    step: int
    low: int
    high: int
    low_open: bool
    high_open: bool


def bands(application: Application, facts: Facts, release: DecidingRelease) -> tuple[Band, ...]:
    """The band of every field as it stands: what a document said where one did, and what was declared otherwise.

    A step is a twentieth of the value in whole thousands of dollars, 20 steps each way at most; one value at a time.
    """
    stated, bare = restated(application, facts)
    outlooks, found = Outlooks(release), []
    for field in BAND_FIELDS:
        value = int(getattr(stated.finances, field))
        step = max(value // BAND_STEPS // _THOUSAND_CENTS, 1) * _THOUSAND_CENTS
        found.append(_band(stated, bare, outlooks, field, step, BAND_STEPS))
    return tuple(found)


def band(
    application: Application,
    facts: Facts,
    release: DecidingRelease,
    field: str,
    step: int,
    most_steps: int = MOST_STEPS,
) -> Band:
    """How far one figure may differ before outcome, limit or rate moves, step by step both ways.

    The figure is the verified one where a document gave it, else the declared one. Every lattice point inside was
    re-decided; nothing is assumed monotone. ValueError for another field or a step below 1.
    """
    if field not in BAND_FIELDS or step < 1:
        raise ValueError(f"a band takes one of {', '.join(BAND_FIELDS)} and a step of 1 or more")
    return _band(*restated(application, facts), Outlooks(release), field, step, most_steps)


def _band(application: Application, facts: Facts, outlooks: Outlooks, field: str, step: int, most_steps: int) -> Band:
    declared = int(getattr(application.finances, field))
    (here,) = outlooks.of([(application, facts)])

    def walk(sign: int) -> tuple[int, bool]:
        reached, block = declared, _FIRST_BLOCK
        while (ahead := min(block, most_steps - abs(reached - declared) // step)) > 0:
            changed = list(_differing(application, field, (reached + sign * k * step for k in range(1, ahead + 1))))
            for outlook in outlooks.of((each, facts) for each in changed):
                if outlook != here:
                    return reached, False
                reached += sign * step
            if len(changed) < ahead:
                break
            block *= 2
        return reached, True

    (low, low_open), (high, high_open) = walk(-1), walk(1)
    return Band(field=field, declared=declared, step=step, low=low, high=high, low_open=low_open, high_open=high_open)


def _differing(application: Application, field: str, values: Iterable[int]) -> Iterator[Application]:
    """The application with other figures, up to the first that is below zero or contradicts another.

    Tax that turns out to be overdue has no plan unless one was stated.
    """
    for value in values:
        plan = {"tax_plan": bool(application.finances.tax_plan) if value else None}
        try:
            yield with_finances(application, **{field: value}, **(plan if field == "overdue_tax_cents" else {}))
        except ValueError:
            return
