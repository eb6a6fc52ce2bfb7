"""Counterfactuals that are kept: what a source would have to show, what the line would be then, and until when.

It does: name evidence, decide again as if it were there, on every day until the promise ends, and say later whether
evidence meets it. It does not: raise a line by itself. The rules it keeps: only what a document, the register or the
credit file can show is named, in round figures; what is promised is the least that the same release gives on any day.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from engine.application import LARGEST_CENTS, SMALLEST_CENTS, STEP_CENTS, Application
from engine.decision import DecidingRelease, Decision, decide
from engine.facts import BankData, BureauReport, Default, Fact, Facts, VerifiedDocuments
from engine.facts.documents import VerifiedDocument
from engine.values import Cents, Frozen, Moment
from engine.verification.evidence import least_credits
from engine.verified import as_verified
from engine.whatif.counterfactual import MOST_CHANGES, MOST_SUGGESTIONS, Change, improvements
from engine.whatif.outlook import Outlooks

EvidenceKind = Literal[
    "financials", "statements", "tax_paid", "tax_plan", "gst_registered", "defaults_paid", "disclosure_cleared",
]  # fmt: skip
ShownBy = Literal["documents", "registry", "bureau"]
_DAYS_TO_LOOK = 7  # at documents that came on the last day, with a pause or two of the clock
_MOST_PROVED = 2 * MOST_SUGGESTIONS  # candidates that are tried day by day
_FIRST_DAYS = 3  # decided before the rest: most of what fails does so at once
_THOUSAND_CENTS, _DOLLAR_CENTS = 100_000, 100
_BORNE_OUT = frozenset({"verified", "connected"})
_UNSEEN = "0" * 64  # stands for the digest of a document that nobody has sent yet


class Shown(Frozen):
    """One thing that a source has to show: at least so much, at most so much, from one day to another.

    `plan`: whatever is overdue is under a payment plan.
    """

    kind: EvidenceKind
    least_cents: Cents | None = None
    most_cents: Cents | None = None
    plan: bool | None = None
    first_on: date | None = None
    last_on: date | None = None


class Promise(Frozen):
    """A line, and what has to be shown for it by when."""

    evidence: Annotated[tuple[Shown, ...], Field(min_length=1, max_length=MOST_CHANGES, strict=False)]
    limit_cents: Annotated[int, Field(ge=SMALLEST_CENTS, le=LARGEST_CENTS, multiple_of=STEP_CENTS)]
    monthly_rate_bps: int
    held_until: Moment


@dataclass(frozen=True, slots=True)
class Evidence:
    """A kind of evidence: who shows it, how it is named, what it makes of the facts, and whether facts show it.

    It reads and makes another of one fact, that of `shown_by`, or of `changes` where documents bear out another.
    """

    kind: EvidenceKind
    shown_by: ShownBy
    name: Callable[[Application, Facts], Shown | None]
    apply: Callable[[Shown, Facts], Facts]
    met: Callable[[Shown, Facts], bool]
    changes: Literal["bank"] | None = None
    dated: bool = False  # whether it makes something else of the fact on another day


# -- making and keeping a promise ----------------------------------------------------------------------------


def promises(
    application: Application,
    facts: Facts,
    release: DecidingRelease,
    held_until: datetime,
    shown_by: Iterable[ShownBy],
) -> tuple[Promise, ...]:
    """At most three promises of a line, or of a higher one, for evidence that is shown by `held_until`.

    Each was tried on every day from `facts.as_of` to a week after the last, which we may need to look at the evidence.
    """
    outlooks, ways = Outlooks(release), frozenset(shown_by)
    (now,) = outlooks.of([(application, facts)])
    kinds = {each.kind: _once(each) for each in EVIDENCE if each.shown_by in ways}
    found: list[Promise] = []
    tried = [
        changes
        for changes, outlook in improvements(application, facts, outlooks, [_change(each) for each in kinds.values()])
        if outlook.limit_cents is not None
    ]
    for changes in tried[:_MOST_PROVED]:
        evidence = [each for each in kinds.values() if each.kind in {change.name for change in changes}]
        promise = _proved(application, facts, outlooks, held_until, evidence, now.limit_cents or 0)
        if promise is not None:
            found.append(promise)
        if len(found) == MOST_SUGGESTIONS:
            break
    return tuple(found)


def is_met(promise: Promise, facts: Facts, shown_at: datetime) -> bool:
    """Whether everything that a promise names is shown, and was shown in time."""
    by_kind = {each.kind: each for each in EVIDENCE}
    return shown_at <= promise.held_until and all(by_kind[shown.kind].met(shown, facts) for shown in promise.evidence)


def fulfils(decision: Decision, promise: Promise) -> bool:
    """Whether a decision gives at least the line that was promised, at no more than its rate."""
    offer = decision.offer
    return (
        offer is not None
        and offer.limit_cents >= promise.limit_cents
        and offer.monthly_rate_bps <= promise.monthly_rate_bps
    )


def honoured(
    application: Application,
    facts: Facts,
    decision: Decision,
    kept: Sequence[tuple[Promise, DecidingRelease]],
    shown_at: datetime,
) -> tuple[Decision, Promise | None]:
    """The decision; or where it falls short of a promise that is met, the one of the promise's own release.

    `shown_at` is when the last of the evidence came: a promise does not lapse while we look at what was sent in time.
    That release decides on the very same facts, so a knock-out, a referral, a source that failed, a brake and an
    officer's cap hold as ever. Of several promises the highest line counts.
    """
    for promise, release in sorted(kept, key=lambda each: -each[0].limit_cents):
        if not is_met(promise, facts, shown_at):
            continue
        if fulfils(decision, promise):
            break
        again = decide(application, facts, release)
        if fulfils(again, promise):
            return again, promise
    return decision, None


def _proved(
    application: Application,
    facts: Facts,
    outlooks: Outlooks,
    held_until: datetime,
    evidence: Sequence[Evidence],
    above_cents: int,
) -> Promise | None:
    """The least line and the highest rate over all days, with everything named as of the first.

    None where some day has no line above this one. Days matter: histories and ages are counted back from the day of the
    decision.
    """
    shown: list[Shown] = []
    there = facts
    for each in evidence:
        named = each.name(application, there)
        if named is None:
            return None
        shown.append(named)
        there = each.apply(named, there)
    dated = [(each, named) for each, named in zip(evidence, shown, strict=True) if each.dated]
    days = range((held_until.date() - facts.as_of.date()).days + 1 + _DAYS_TO_LOOK)
    limits, rates = [], []
    for block in (days[:_FIRST_DAYS], days[_FIRST_DAYS:]):
        later = (_on_day(there, facts.as_of + timedelta(days=day), dated) for day in block)
        for _, limit_cents, rate_bps in outlooks.of((application, each) for each in later):
            if limit_cents is None or rate_bps is None or limit_cents <= above_cents:
                return None
            limits.append(limit_cents)
            rates.append(rate_bps)
    return Promise(evidence=tuple(shown), limit_cents=min(limits), monthly_rate_bps=max(rates), held_until=held_until)


def _on_day(there: Facts, as_of: datetime, dated: Iterable[tuple[Evidence, Shown]]) -> Facts:
    """What is shown on the first day, as it would be shown on another."""
    later = there.model_copy(update={"as_of": as_of})
    for each, shown in dated:
        later = each.apply(shown, later)
    return later


def _once(evidence: Evidence) -> Evidence:
    """The same evidence, which makes the same fact only once of what it is shown on: the others share it."""
    name, known = evidence.changes or evidence.shown_by, dict[object, tuple[object, Facts]]()

    def apply(shown: Shown, facts: Facts) -> Facts:
        fact = getattr(facts, name)
        key = shown, id(fact), facts.as_of if evidence.dated else None
        if key not in known:
            known[key] = fact, evidence.apply(shown, facts)
        return facts.model_copy(update={name: getattr(known[key][1], name)})

    return replace(evidence, apply=apply)


def _change(evidence: Evidence) -> Change:
    def apply(application: Application, facts: Facts) -> tuple[Application, Facts] | None:
        shown = evidence.name(application, facts)
        return None if shown is None else (application, evidence.apply(shown, facts))

    return Change(evidence.kind, "", apply)


# -- what documents show -------------------------------------------------------------------------------------


def _documents(facts: Facts, *kinds: str, **figures: object) -> Facts:
    """The facts as if documents of these kinds had been accepted, with these figures."""
    held = facts.documents.value if facts.documents else None
    found = held or VerifiedDocuments(by="person", accepted=())
    more = tuple(VerifiedDocument(kind=kind, sha256=_UNSEEN) for kind in kinds if kind not in found.kinds)
    value = found.model_copy(update={"accepted": (*found.accepted, *more), **figures})
    fact = Fact[VerifiedDocuments](source="verification", fetched_at=facts.as_of, status="present", value=value)
    return facts.model_copy(update={"documents": fact})


def _read(facts: Facts) -> VerifiedDocuments:
    """What documents say; where there are none, nothing."""
    held = facts.documents.value if facts.documents else None
    return held or VerifiedDocuments(by="person", accepted=())


def _financials(application: Application, facts: Facts) -> Shown | None:
    if _read(facts).kinds >= {"tax_account", "financial_statements"}:
        return None
    finances = as_verified(application, facts).finances
    return Shown(
        kind="financials",
        least_cents=_two_figures(finances.turnover_12m_cents),
        most_cents=_up(finances.overdue_tax_cents, _THOUSAND_CENTS),
        plan=finances.tax_plan,
    )


def _with_financials(shown: Shown, facts: Facts) -> Facts:
    return _documents(
        facts, "tax_account", "financial_statements",
        turnover_12m_cents=shown.least_cents, overdue_tax_cents=shown.most_cents, tax_plan=shown.plan,
    )  # fmt: skip


def _financials_met(shown: Shown, facts: Facts) -> bool:
    read = _read(facts)
    turnover = read.turnover_12m_cents
    return (
        read.kinds >= {"tax_account", "financial_statements"}
        and turnover is not None
        and turnover >= (shown.least_cents or 0)
        and _owes_at_most(read, shown)
    )


def _owes_at_most(read: VerifiedDocuments, shown: Shown) -> bool:
    overdue = read.overdue_tax_cents
    if not overdue:
        return overdue == 0
    return overdue <= (shown.most_cents or 0) and (bool(read.tax_plan) or not shown.plan)


def _statements(application: Application, facts: Facts) -> Shown | None:
    bank = facts.bank.value
    if bank is None or bank.evidence != "declared":
        return None
    least = _up(least_credits(bank), _DOLLAR_CENTS)
    return Shown(kind="statements", least_cents=least, first_on=bank.oldest_on, last_on=bank.newest_on)


def _with_statements(shown: Shown, facts: Facts) -> Facts:
    bank = facts.bank.value
    if bank is None:
        return facts
    value: BankData = bank.model_copy(update={"evidence": "verified"})
    return facts.model_copy(update={"bank": facts.bank.model_copy(update={"value": value})})


def _statements_met(shown: Shown, facts: Facts) -> bool:
    """The rows count as verified only where accepted statements cover their window and bear their sum out."""
    bank = facts.bank.value
    return (
        bank is not None
        and bank.evidence in _BORNE_OUT
        and (shown.first_on is None or bank.oldest_on <= shown.first_on)
        and (shown.last_on is None or bank.newest_on >= shown.last_on)
    )


def _tax_paid(application: Application, facts: Facts) -> Shown | None:
    return Shown(kind="tax_paid") if as_verified(application, facts).finances.overdue_tax_cents else None


def _with_tax_paid(shown: Shown, facts: Facts) -> Facts:
    return _documents(facts, "tax_account", overdue_tax_cents=0, tax_plan=None)


def _tax_paid_met(shown: Shown, facts: Facts) -> bool:
    return _read(facts).overdue_tax_cents == 0


def _tax_plan(application: Application, facts: Facts) -> Shown | None:
    finances = as_verified(application, facts).finances
    if not finances.overdue_tax_cents or finances.tax_plan:
        return None
    return Shown(kind="tax_plan", most_cents=_up(finances.overdue_tax_cents, _THOUSAND_CENTS), plan=True)


def _with_tax_plan(shown: Shown, facts: Facts) -> Facts:
    return _documents(facts, "tax_account", overdue_tax_cents=shown.most_cents, tax_plan=True)


def _tax_plan_met(shown: Shown, facts: Facts) -> bool:
    return _owes_at_most(_read(facts), shown)


# -- what the register and the credit file show --------------------------------------------------------------


def _gst(application: Application, facts: Facts) -> Shown | None:
    record = facts.registry.value
    return Shown(kind="gst_registered") if record is not None and record.gst_from is None else None


def _with_gst(shown: Shown, facts: Facts) -> Facts:
    record = facts.registry.value
    if record is None:
        return facts
    value = record.model_copy(update={"gst_from": facts.as_of.date()})
    return facts.model_copy(update={"registry": facts.registry.model_copy(update={"value": value})})


def _gst_met(shown: Shown, facts: Facts) -> bool:
    return facts.registry.value is not None and facts.registry.value.gst_from is not None


def _unpaid(report: BureauReport) -> bool:
    return any(not default.paid for default in report.defaults)


def _defaults(application: Application, facts: Facts) -> Shown | None:
    report = facts.bureau.value
    return Shown(kind="defaults_paid") if report is not None and _unpaid(report) else None


def _with_defaults_paid(shown: Shown, facts: Facts) -> Facts:
    report = facts.bureau.value
    if report is None:
        return facts
    paid = tuple(Default(on=each.on, amount_cents=each.amount_cents, paid=True) for each in report.defaults)
    return _newer_report(facts, report.model_copy(update={"defaults": paid}))


def _defaults_met(shown: Shown, facts: Facts) -> bool:
    return facts.bureau.value is not None and not _unpaid(facts.bureau.value)


def _disclosure(application: Application, facts: Facts) -> Shown | None:
    report = facts.bureau.value
    return Shown(kind="disclosure_cleared") if report is not None and report.tax_debt_disclosed_cents else None


def _with_disclosure_cleared(shown: Shown, facts: Facts) -> Facts:
    report = facts.bureau.value
    if report is None:
        return facts
    return _newer_report(facts, report.model_copy(update={"tax_debt_disclosed_cents": None}))


def _disclosure_met(shown: Shown, facts: Facts) -> bool:
    return facts.bureau.value is not None and not facts.bureau.value.tax_debt_disclosed_cents


def _newer_report(facts: Facts, report: BureauReport) -> Facts:
    """A report pulled anew: it has our own first enquiry in it."""
    ours = facts.bureau.fetched_at.date()
    seen = report if ours in report.enquiries else report.model_copy(update={"enquiries": (*report.enquiries, ours)})
    return facts.model_copy(update={"bureau": facts.bureau.model_copy(update={"value": seen})})


# -- round figures -------------------------------------------------------------------------------------------


def _up(cents: int, step: int) -> int:
    return -(-cents // step) * step


def _two_figures(cents: int) -> int:
    """Rounded down to two figures, in whole thousands of dollars at the least."""
    step = max(int("1" + "0" * (len(str(cents)) - 2)), _THOUSAND_CENTS)
    return cents // step * step


# In this order: a tax account that shows less overdue than the one beside financial statements comes after it.
EVIDENCE: tuple[Evidence, ...] = (
    Evidence("financials", "documents", _financials, _with_financials, _financials_met),
    Evidence("statements", "documents", _statements, _with_statements, _statements_met, changes="bank"),
    Evidence("tax_paid", "documents", _tax_paid, _with_tax_paid, _tax_paid_met),
    Evidence("tax_plan", "documents", _tax_plan, _with_tax_plan, _tax_plan_met),
    Evidence("gst_registered", "registry", _gst, _with_gst, _gst_met, dated=True),
    Evidence("defaults_paid", "bureau", _defaults, _with_defaults_paid, _defaults_met),
    Evidence("disclosure_cleared", "bureau", _disclosure, _with_disclosure_cleared, _disclosure_met),
)
