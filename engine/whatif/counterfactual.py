"""What would change this: the few things an applicant can bring about that lead to a better decision.

It does: try each change and each pair of changes. It does not: suggest what no source can verify, nor retyping. The
rule it keeps: at most two changes at a time and three suggestions, and a pair only where it beats both of its parts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from engine.application import STEP_CENTS, Application
from engine.decision import DecidingRelease, Decision, decide
from engine.facts import BureauReport, Default, Facts, RegisterRecord
from engine.values import Frozen
from engine.verified import restated
from engine.whatif.changed import asking, with_finances

MOST_SUGGESTIONS = 3
MOST_CHANGES = 2

Pair = tuple[Application, Facts]
_RANK = {"decline": 0, "refer": 1, "approve": 2}


class Suggestion(Frozen):
    """Changes that lead to a better decision, re-decided by the same release."""

    changes: tuple[str, ...]
    words: tuple[str, ...]
    outcome: Literal["approve", "refer", "decline"]
    limit_cents: int | None
    monthly_rate_bps: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """One thing the applicant can bring about and a source can verify."""

    name: str
    words: str
    apply: Callable[[Application, Facts], Pair | None]


def suggest(application: Application, facts: Facts, release: DecidingRelease) -> tuple[Suggestion, ...]:
    """At most three ways to a better decision, each of at most two changes, fewest changes and best offer first.

    A pair is suggested only where it beats both of its single changes. Verified figures are what is changed.
    """
    found = improvements(*restated(application, facts), release, CHANGES)
    return tuple(_suggestion(changes, decision) for changes, decision in found[:MOST_SUGGESTIONS])


def improvements(
    application: Application, facts: Facts, release: DecidingRelease, tried: Sequence[Change]
) -> list[tuple[tuple[Change, ...], Decision]]:
    """Every change and pair of changes that leads to a better decision, fewest changes and best offer first.

    A pair counts only where it beats both of its parts.
    """
    now = _worth(decide(application, facts, release))
    worth: dict[tuple[str, ...], tuple[int, int]] = {}
    found: list[tuple[tuple[str, ...], tuple[Change, ...], Decision]] = []
    for size in range(1, MOST_CHANGES + 1):
        for changes in combinations(tried, size):
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
                found.append((names, changes, decision))
    found.sort(key=lambda item: (len(item[0]), tuple(-v for v in worth[item[0]]), item[0]))
    return [(changes, decision) for _, changes, decision in found]


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


def _pay_tax(application: Application, facts: Facts) -> Pair | None:
    if not application.finances.overdue_tax_cents:
        return None
    return with_finances(application, overdue_tax_cents=0, tax_plan=None), facts


def _plan_tax(application: Application, facts: Facts) -> Pair | None:
    finances = application.finances
    if not finances.overdue_tax_cents or finances.tax_plan:
        return None
    return with_finances(application, tax_plan=True), facts


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
