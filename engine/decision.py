"""decide(application, facts, release): screen, score, assign, price, explain. Read this file first.

It does: turn one application and its facts into one decision under one release, purely, so that the same
three arguments give the same bytes for ever. It does not: fetch, record, or know what day it is beyond
`facts.as_of`. The rule it keeps: a Decision that exists satisfies the invariants below; none can be built that
does not.
"""

from datetime import datetime, timedelta
from math import isnan
from typing import Annotated, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from engine.application import LARGEST_CENTS, SMALLEST_CENTS, STEP_CENTS, Application
from engine.facts import Facts
from engine.features import FEATURE_NAMES, FEATURES, Evidence, row_of
from engine.limits import Assignment, Cap, assign
from engine.policy import Policy, PolicyBook
from engine.pricing import LOWEST_RATE_BPS, CostDisclosure, Fees, disclose, price
from engine.reasons import MOST_REASONS, Reason, adverse_codes, choose
from engine.scoring import Calibration, Score, score
from engine.scoring.scale import RowScorer
from engine.screening import Case, Finding, screen
from engine.values import Frozen, Moment, problem
from engine.verified import as_verified

Outcome = Literal["approve", "refer", "decline"]
Features = dict[str, float | None]  # None where missing
_LAST_RESORT = ("R15",)  # a no, or less, always has a reason, even from a model that finds nothing adverse
_MATERIAL_POINTS = 3.0  # what costs less than a tenth in log-odds is no principal reason
_REASON_OF = {feature.name: feature.reason for feature in FEATURES}
_REASON_MISSING = {feature.name: feature.reason_missing for feature in FEATURES}


class DecidingRelease(Protocol):
    """What `decide` needs of a release (engine.release.Release has it)."""

    @property
    def name(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def policy(self) -> PolicyBook: ...
    @property
    def scorer(self) -> RowScorer: ...
    @property
    def calibration(self) -> Calibration: ...


class Offer(Frozen):
    """A conditional offer, held until `expires_at`; the contract follows full approval."""

    limit_cents: Annotated[int, Field(ge=SMALLEST_CENTS, le=LARGEST_CENTS, multiple_of=STEP_CENTS)]
    monthly_rate_bps: Annotated[int, Field(ge=LOWEST_RATE_BPS)]
    fees: Fees
    expires_at: Moment
    conditions: tuple[str, ...]
    worked_draw: CostDisclosure


class Decision(Frozen):
    """One decision with everything that explains it. Internal: the public reply is made from it in the shell."""

    outcome: Outcome
    as_of: Moment
    release: str
    release_digest: str
    policy: str
    synthetic: bool
    requested_cents: int
    offer: Offer | None
    reasons: Annotated[tuple[Reason, ...], Field(max_length=MOST_REASONS)]
    findings: tuple[Finding, ...]
    features: Features
    score: Score | None
    caps: tuple[Cap, ...]
    bound_by: str | None

    @model_validator(mode="after")
    def _invariants(self) -> Self:
        checks = {
            "approve exactly with an offer": (self.outcome == "approve") == (self.offer is not None),
            "decline has reasons": self.outcome != "decline" or bool(self.reasons),
            "refer names what to look at": self.outcome != "refer" or bool(self.findings),
            "approve has no findings": self.outcome != "approve" or not self.findings,
            "less than asked has reasons": self.offer is None
            or self.offer.limit_cents == self.requested_cents
            or bool(self.reasons),
            "offer within request": self.offer is None or self.offer.limit_cents <= self.requested_cents,
            "offer within every cap": self.offer is None
            or all(cap.cents is None or self.offer.limit_cents <= cap.cents for cap in self.caps),
        }
        if broken := [name for name, holds in checks.items() if not holds]:
            raise problem("decision_invariant", "Broken: " + "; ".join(broken))
        return self


def decide(application: Application, facts: Facts, release: DecidingRelease) -> Decision:
    """Decide one application on its facts under a release; never raises on valid arguments."""
    policy = release.policy.on(facts.as_of.date())
    application = as_verified(application, facts)
    evidence = Evidence.of(application, facts)
    case = Case(application, facts, evidence, policy)
    return decide_case(case, row_of(evidence), release)


def decide_case(case: Case, row: NDArray[np.float64], release: DecidingRelease) -> Decision:
    """Decide a case whose evidence and feature row are worked out already.

    A knock-out declines without a score. Otherwise an officer's no declines, and any finding refers, with the score
    kept for whoever looks. Otherwise the PD, then the limit, decide.
    """
    application, facts, policy = case.application, case.facts, case.policy
    findings = not_set_aside(screen(case), facts)
    knocked_out = any(f.kind == "knock_out" for f in findings)
    scored = None if knocked_out else score(row, release.scorer, release.calibration, policy.grade_table)
    graded = None if scored is None or scored.grade is None else assign(case, scored.grade, scored.pd)
    features = {name: None if isnan(v) else v for name, v in zip(FEATURE_NAMES, row.tolist(), strict=True)}
    outcome, offer, reasons = _conclude(case, findings, scored, graded, features)
    return Decision(
        outcome=outcome,
        as_of=facts.as_of,
        release=release.name,
        release_digest=release.digest,
        policy=policy.name,
        synthetic=facts.synthetic,
        requested_cents=application.request.amount_cents,
        offer=offer,
        reasons=reasons,
        findings=findings,
        features=features,
        score=None if scored is None else scored.recorded(),
        caps=graded.caps if graded else (),
        bound_by=graded.bound_by if graded else None,
    )


def not_set_aside(findings: tuple[Finding, ...], facts: Facts) -> tuple[Finding, ...]:
    """The findings without the referrals that an officer left aside.

    What stays: knock-outs; a source that failed, since no cap counts on its absence; the lender's brakes.
    """
    aside = facts.review.value.set_aside if facts.review and facts.review.value else ()
    if not aside:
        return findings
    return tuple(each for each in findings if each.rule not in aside or _stands(each))


def _stands(finding: Finding) -> bool:
    is_failure, is_brake = finding.rule == f"{finding.source}_failed", finding.rule.startswith("brake_")
    return finding.kind == "knock_out" or is_failure or is_brake


def knocked_out(application: Application, facts: Facts, release: DecidingRelease) -> bool:
    """Whether the hard rules alone decline these facts, so that nothing that costs money need be asked."""
    policy = release.policy.on(facts.as_of.date())
    case = Case(application, facts, Evidence.of(application, facts), policy)
    return any(finding.kind == "knock_out" for finding in screen(case))


def settled(findings: tuple[Finding, ...], facts: Facts) -> tuple[Outcome, tuple[Reason, ...]] | None:
    """What is decided whatever the score, and why: None where the line decides, and any line is an approval."""
    knocked_out = [f for f in findings if f.kind == "knock_out"]
    review = facts.review.value if facts.review else None
    if review is not None and review.declined and not knocked_out:
        return "decline", choose((review.declined,))
    if findings:
        told = knocked_out or findings
        return "decline" if knocked_out else "refer", choose(f.reason for f in told if f.reason)
    return None


def _conclude(
    case: Case, findings: tuple[Finding, ...], scored: Score | None, graded: Assignment | None, features: Features
) -> tuple[Outcome, Offer | None, tuple[Reason, ...]]:
    """Outcome, offer and reasons from what was found."""
    if (ended := settled(findings, case.facts)) is not None:
        return ended[0], None, ended[1]
    if scored is None or scored.grade is None or graded is None or not graded.limit_cents:
        return "decline", None, _explain(scored, graded, case, features)
    offer = _offer(graded.limit_cents, scored.grade, case.facts.as_of, case.policy)
    less = graded.limit_cents < case.application.request.amount_cents
    return "approve", offer, _explain(scored, graded, case, features) if less else ()


def _explain(scored: Score | None, graded: Assignment | None, case: Case, features: Features) -> tuple[Reason, ...]:
    """Reasons for a no or for less: the caps that bound, tightest first, or what cost points, and then the other."""
    if graded is None:
        return choose(_lost(scored, features) or _LAST_RESORT)
    asked = case.application.request.amount_cents
    caps = sorted((c.cents, c.name, c.reason) for c in graded.caps if c.cents is not None and c.cents < asked)
    by_cap = [reason for _, _, reason in caps if reason]
    if graded.bound_by == "expected_loss":  # the one cap without a reason of its own: what cost points is its reason
        return choose(_lost(scored, features), by_cap) or choose(_LAST_RESORT)
    return choose(by_cap, () if graded.limit_cents else _lost(scored, features))


def _lost(scored: Score | None, features: Features) -> list[str]:
    """The codes of what cost points that matter, or else of what cost the most."""
    # A missing value has the reason of its absence, never one that speaks of the value.
    missing = {name: _REASON_MISSING[name] for name, value in features.items() if value is None}
    reason_of = {**_REASON_OF, **missing} if missing else _REASON_OF
    points = scored.contributions if scored else ()
    return adverse_codes(points, reason_of, _MATERIAL_POINTS) or adverse_codes(points, reason_of)[:1]


def _offer(limit_cents: int, grade: str, as_of: datetime, policy: Policy) -> Offer:
    """Price the limit, with the cost of one worked draw and the conditions of full approval."""
    terms, pricing = policy.offer, policy.pricing
    rate_bps = price(pricing, grade, limit_cents)
    draw_cents = max(limit_cents * terms.worked_draw_bps // 10_000 // STEP_CENTS, 1) * STEP_CENTS
    return Offer(
        limit_cents=limit_cents,
        monthly_rate_bps=rate_bps,
        fees=pricing.fees,
        expires_at=as_of + timedelta(days=terms.held_days),
        conditions=_conditions(limit_cents, policy),
        worked_draw=disclose(draw_cents, limit_cents, rate_bps, terms.worked_months, pricing.fees),
    )


def _conditions(limit_cents: int, policy: Policy) -> tuple[str, ...]:
    """What full approval waits for, by size of line."""
    terms = policy.offer
    conditions = ["identity_verified", "documents_verified", "draws_to_approved_suppliers"]
    if limit_cents > terms.statements_above_cents:
        conditions.append("activity_statements")
    if limit_cents > terms.financials_above_cents:
        conditions.append("financial_statements")
    return tuple(conditions)
