"""Re-decisions: offer explorer, counterfactuals, value of a missing fact, materiality bands.

It does: ask `decide` again with one thing changed, and nothing else; no formula here knows how a decision is
made. It does not: suggest what a source cannot verify. The rules it keeps: at most two changes at a time and
three suggestions a decision; a band speaks of one value at a time and of the lattice it was proved on.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from engine.application import STEP_CENTS, Application, Finances, Request
from engine.decision import DecidingRelease, Decision, decide
from engine.facts import BankData, BureauReport, Default, Fact, Facts, RegisterRecord
from engine.pricing import CostDisclosure, disclose
from engine.values import Frozen

MOST_SUGGESTIONS = 3
MOST_CHANGES = 2
MOST_STEPS = 200
MOST_POINTS = 500

Pair = tuple[Application, Facts]
_RANK = {"decline": 0, "refer": 1, "approve": 2}


class Point(Frozen):
    """One point of the explorer: what would be offered, and the cost of a draw over the term."""

    amount_cents: int
    months: int
    outcome: Literal["approve", "refer", "decline"]
    limit_cents: int | None
    monthly_rate_bps: int | None
    cost: CostDisclosure | None


class Suggestion(Frozen):
    """Changes that lead to a better decision, re-decided by the same release."""

    changes: tuple[str, ...]
    words: tuple[str, ...]
    outcome: Literal["approve", "refer", "decline"]
    limit_cents: int | None
    monthly_rate_bps: int | None


class Band(Frozen):
    """How far one declared value may move, in whole steps, before outcome, limit or rate changes.

    `low` and `high` are the last values on the lattice `declared + k * step` that leave the decision as it is;
    an end is open where the lattice was left or MOST_STEPS were tried.
    """

    field: str
    declared: int
    step: int
    low: int
    high: int
    low_open: bool
    high_open: bool


class Range(Frozen):
    """What connecting a source usually gives: limits over plausible facts, None where none is approved."""

    source: str
    tried: int
    approved: int
    low_cents: int | None
    median_cents: int | None
    high_cents: int | None


# -- offer explorer ------------------------------------------------------------------------------------------


def explore(
    application: Application,
    facts: Facts,
    release: DecidingRelease,
    amounts_cents: Sequence[int],
    terms_months: Sequence[int],
    draw_cents: int | None = None,
) -> tuple[Point, ...]:
    """Every amount (at or below the one asked for) decided again, each with its cost over every term.

    The draw is the whole limit unless stated, and never above it. ValueError for an amount above the request,
    or more than 500 points.
    """
    if len(amounts_cents) * len(terms_months) > MOST_POINTS:
        raise ValueError(f"at most {MOST_POINTS} points")
    if any(cents > application.request.amount_cents for cents in amounts_cents):
        raise ValueError("the explorer goes down from the amount asked for, never up")
    points: list[Point] = []
    for cents in amounts_cents:
        decision = decide(asking(application, cents), facts, release)
        points += [_point(decision, cents, months, draw_cents) for months in terms_months]
    return tuple(points)


def _point(decision: Decision, amount_cents: int, months: int, draw_cents: int | None) -> Point:
    offer, cost = decision.offer, None
    if offer:
        draw = min(draw_cents or offer.limit_cents, offer.limit_cents)
        cost = disclose(draw, offer.limit_cents, offer.monthly_rate_bps, months, offer.fees)
    return Point(
        amount_cents=amount_cents,
        months=months,
        outcome=decision.outcome,
        limit_cents=offer.limit_cents if offer else None,
        monthly_rate_bps=offer.monthly_rate_bps if offer else None,
        cost=cost,
    )


def asking(application: Application, amount_cents: int) -> Application:
    """The same application for another amount."""
    request = Request.model_validate({**application.request.model_dump(), "amount_cents": amount_cents})
    return application.model_copy(update={"request": request})


# -- counterfactuals -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """One thing the applicant can bring about and a source can verify."""

    name: str
    words: str
    apply: Callable[[Application, Facts], Pair | None]


def suggest(application: Application, facts: Facts, release: DecidingRelease) -> tuple[Suggestion, ...]:
    """At most three ways to a better decision, each of at most two changes, fewest changes and best offer first.

    A pair is suggested only where it beats both of its single changes.
    """
    now = _worth(decide(application, facts, release))
    worth: dict[tuple[str, ...], tuple[int, int]] = {}
    found: list[tuple[tuple[str, ...], Suggestion]] = []
    for size in range(1, MOST_CHANGES + 1):
        for changes in combinations(CHANGES, size):
            pair: Pair | None = (application, facts)
            for change in changes:
                pair = change.apply(*pair) if pair else None
            if pair is None:
                continue
            decision = decide(*pair, release)
            names = tuple(change.name for change in changes)
            worth[names] = _worth(decision)
            floor = max((worth[(name,)] for name in names if (name,) in worth), default=now) if size > 1 else now
            if worth[names] > max(floor, now):
                found.append((names, _suggestion(changes, decision)))
    found.sort(key=lambda item: (len(item[0]), tuple(-v for v in worth[item[0]]), item[0]))
    return tuple(suggestion for _, suggestion in found[:MOST_SUGGESTIONS])


def _worth(decision: Decision) -> tuple[int, int]:
    return _RANK[decision.outcome], decision.offer.limit_cents if decision.offer else 0


def _suggestion(changes: tuple[Change, ...], decision: Decision) -> Suggestion:
    return Suggestion(
        changes=tuple(change.name for change in changes),
        words=tuple(change.words for change in changes),
        outcome=decision.outcome,
        limit_cents=decision.offer.limit_cents if decision.offer else None,
        monthly_rate_bps=decision.offer.monthly_rate_bps if decision.offer else None,
    )


def _finances(application: Application, **values: object) -> Application:
    finances = Finances.model_validate({**application.finances.model_dump(), **values})
    return application.model_copy(update={"finances": finances})


def _pay_tax(application: Application, facts: Facts) -> Pair | None:
    if not application.finances.overdue_tax_cents:
        return None
    return _finances(application, overdue_tax_cents=0, tax_plan=None), facts


def _plan_tax(application: Application, facts: Facts) -> Pair | None:
    finances = application.finances
    if not finances.overdue_tax_cents or finances.tax_plan:
        return None
    return _finances(application, tax_plan=True), facts


def _clear_disclosure(application: Application, facts: Facts) -> Pair | None:
    report = facts.bureau.value
    if report is None or not report.tax_debt_disclosed_cents:
        return None
    return application, _with_bureau(facts, report.model_copy(update={"tax_debt_disclosed_cents": None}))


def _pay_defaults(application: Application, facts: Facts) -> Pair | None:
    report = facts.bureau.value
    if report is None or all(default.paid for default in report.defaults):
        return None
    paid = tuple(Default(on=d.on, amount_cents=d.amount_cents, paid=True) for d in report.defaults)
    return application, _with_bureau(facts, report.model_copy(update={"defaults": paid}))


def _register_gst(application: Application, facts: Facts) -> Pair | None:
    record = facts.registry.value
    if record is None or record.gst_from is not None:
        return None
    return application, _with_registry(facts, record.model_copy(update={"gst_from": facts.as_of.date()}))


def _ask_less(application: Application, facts: Facts) -> Pair | None:
    half = application.request.amount_cents // 2 // STEP_CENTS * STEP_CENTS
    try:
        return asking(application, half), facts
    except ValueError:  # half of it is below the product's smallest line
        return None


def _with_bureau(facts: Facts, report: BureauReport) -> Facts:
    return facts.model_copy(update={"bureau": facts.bureau.model_copy(update={"value": report})})


def _with_registry(facts: Facts, record: RegisterRecord) -> Facts:
    return facts.model_copy(update={"registry": facts.registry.model_copy(update={"value": record})})


# Each names evidence: a tax office letter, the credit file, the register, or the request itself.
CHANGES = (
    Change("tax_paid", "Pay the overdue tax", _pay_tax),
    Change("tax_plan", "Agree a payment plan with the tax office", _plan_tax),
    Change("disclosure_cleared", "Clear the tax debt that is reported", _clear_disclosure),
    Change("defaults_paid", "Pay the defaults on the credit file", _pay_defaults),
    Change("gst_registered", "Register for GST", _register_gst),
    Change("amount_halved", "Ask for half of the amount", _ask_less),
)


# -- value of a missing fact ---------------------------------------------------------------------------------


def value_of_bank(
    application: Application, facts: Facts, release: DecidingRelease, plausible: Iterable[Fact[BankData]]
) -> Range:
    """What connecting the bank usually gives: the decision over statements that such a business could have.

    `plausible` are statements of comparable businesses; the caller chooses them.
    """
    return usual_line("bank", application, (facts.model_copy(update={"bank": fact}) for fact in plausible), release)


def usual_line(source: str, application: Application, possible: Iterable[Facts], release: DecidingRelease) -> Range:
    """The lines over everything that could turn out, once a source has spoken.

    Quantiles are the tenth, fiftieth and ninetieth of the approved limits, nearest rank.
    """
    limits, tried = [], 0
    for facts in possible:
        tried += 1
        offer = decide(application, facts, release).offer
        if offer:
            limits.append(offer.limit_cents)
    limits.sort()

    def rank(percent: int) -> int | None:
        return limits[-(-percent * len(limits) // 100) - 1] if limits else None

    return Range(source=source, tried=tried, approved=len(limits), low_cents=rank(10),
                 median_cents=rank(50), high_cents=rank(90))  # fmt: skip


# -- materiality bands ---------------------------------------------------------------------------------------

Outlook = tuple[str, int | None, int | None]
BAND_FIELDS = ("turnover_12m_cents", "other_repayments_month_cents", "overdue_tax_cents")


def band(application: Application, facts: Facts, release: DecidingRelease, field: str, step: int) -> Band:
    """How far one declared finance may differ before outcome, limit or rate moves, step by step both ways.

    Every lattice point inside was re-decided; nothing is assumed monotone. ValueError for another field or a
    step below 1.
    """
    if field not in BAND_FIELDS or step < 1:
        raise ValueError(f"a band takes one of {', '.join(BAND_FIELDS)} and a step of 1 or more")
    declared = int(getattr(application.finances, field))
    here = _outlook(application, facts, release)

    def walk(sign: int) -> tuple[int, bool]:
        reached = declared
        for k in range(1, MOST_STEPS + 1):
            try:
                changed = _finances(application, **{field: declared + sign * k * step})
            except ValueError:  # below zero, or a value that contradicts another
                return reached, True
            if _outlook(changed, facts, release) != here:
                return reached, False
            reached = declared + sign * k * step
        return reached, True

    (low, low_open), (high, high_open) = walk(-1), walk(1)
    return Band(field=field, declared=declared, step=step, low=low, high=high, low_open=low_open, high_open=high_open)


def _outlook(application: Application, facts: Facts, release: DecidingRelease) -> Outlook:
    decision = decide(application, facts, release)
    offer = decision.offer
    return decision.outcome, offer.limit_cents if offer else None, offer.monthly_rate_bps if offer else None
