"""What would change this: the few things an applicant can bring about that lead to a better decision.

It does: try each change and each pair of changes. It does not: suggest what no source can verify, nor retyping. The
rule it keeps: at most two changes at a time and three suggestions, and a pair only where it beats both of its parts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from engine.application import STEP_CENTS, Application
from engine.decision import DecidingRelease
from engine.facts import BureauReport, Default, Facts, RegisterRecord
from engine.values import Frozen
from engine.verified import restated
from engine.whatif.changed import asking, with_finances
from engine.whatif.outlook import Outlook, Outlooks, Pair

MOST_SUGGESTIONS = 3
MOST_CHANGES = 2

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
    found = improvements(*restated(application, facts), Outlooks(release), CHANGES)
    return tuple(_suggestion(changes, outlook) for changes, outlook in found[:MOST_SUGGESTIONS])


def improvements(
    application: Application, facts: Facts, outlooks: Outlooks, tried: Sequence[Change]
) -> list[tuple[tuple[Change, ...], Outlook]]:
    """Every change and pair of changes that leads to a better decision, fewest changes and best offer first.

    A pair counts only where it beats both of its parts.
    """
    pairs: dict[tuple[Change, ...], Pair] = {(): (application, facts)}
    for size in range(1, MOST_CHANGES + 1):
        for changes in combinations(tried, size):
            *before, last = changes
            pair = pairs.get(tuple(before))  # none where the first of them changes nothing
            changed = last.apply(*pair) if pair else None
            if changed is not None:
                pairs[changes] = changed
    outlook = dict(zip(pairs, outlooks.of(pairs.values()), strict=True))
    worth = {changes: _worth(found) for changes, found in outlook.items()}

    def to_beat(changes: tuple[Change, ...]) -> tuple[int, int]:
        parts: list[tuple[Change, ...]] = [(), *((each,) for each in changes if len(changes) > 1)]
        return max(worth[part] for part in parts if part in worth)

    better = [changes for changes in pairs if changes and worth[changes] > to_beat(changes)]
    better.sort(key=lambda each: (len(each), tuple(-v for v in worth[each]), tuple(change.name for change in each)))
    return [(changes, outlook[changes]) for changes in better]


def _worth(outlook: Outlook) -> tuple[int, int]:
    return _RANK[outlook.outcome], outlook.limit_cents or 0


def _suggestion(changes: tuple[Change, ...], outlook: Outlook) -> Suggestion:
    return Suggestion(
        changes=tuple(change.name for change in changes),
        words=tuple(change.words for change in changes),
        outcome=outlook.outcome,
        limit_cents=outlook.limit_cents,
        monthly_rate_bps=outlook.monthly_rate_bps,
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
