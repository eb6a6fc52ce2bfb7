"""What of a decision is compared with another: outcome, line, rate, grade, reasons, findings, terms, score.

It does: read it from a decision just made or from its record, alike, and say what moved. It does not: explain. The
rule it keeps: names of releases, and the digits of caps that did not bind, are no part of what was decided.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from engine.canonical import digest
from engine.decision import Decision

DECIDED = ("outcome", "limit", "rate", "grade", "reasons", "findings", "terms")
"""What counts as a changed decision."""
BESIDE = ("score", "inputs")
"""What the code alone may move besides."""


class Seen(msgspec.Struct, frozen=True):
    """One decision as it is compared."""

    outcome: str
    limit_cents: int | None = None
    rate_bps: int | None = None
    grade: str | None = None
    reasons: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    terms: str = ""  # a digest of what else is offered: fees, conditions, days held, the worked draw
    pd: float | None = None
    points: float | None = None
    bound_by: str | None = None


def seen_of(decision: Decision) -> Seen:
    """A decision just made."""
    offer, score = decision.offer, decision.score
    terms = ""
    if offer is not None:
        told = offer.model_dump(mode="json", exclude={"limit_cents", "monthly_rate_bps", "expires_at"})
        terms = _terms(told, offer.expires_at, decision.as_of)
    return Seen(
        outcome=decision.outcome,
        limit_cents=offer.limit_cents if offer else None,
        rate_bps=offer.monthly_rate_bps if offer else None,
        grade=score.grade if score else None,
        reasons=tuple(reason.code for reason in decision.reasons),
        findings=tuple(finding.rule for finding in decision.findings),
        terms=terms,
        pd=score.pd if score else None,
        points=score.points if score else None,
        bound_by=decision.bound_by,
    )


def seen_in(record: Mapping[str, Any]) -> Seen:
    """A decision as its record tells it; KeyError where it is none."""
    offer, score = record["offer"], record["score"]
    terms = ""
    if offer is not None:
        told = {name: value for name, value in offer.items() if name not in _APART}
        terms = _terms(told, datetime.fromisoformat(offer["expires_at"]), datetime.fromisoformat(record["as_of"]))
    return Seen(
        outcome=record["outcome"],
        limit_cents=offer["limit_cents"] if offer else None,
        rate_bps=offer["monthly_rate_bps"] if offer else None,
        grade=score["grade"] if score else None,
        reasons=tuple(reason["code"] for reason in record["reasons"]),
        findings=tuple(finding["rule"] for finding in record["findings"]),
        terms=terms,
        pd=score["pd"] if score else None,
        points=score["points"] if score else None,
        bound_by=record["bound_by"],
    )


_APART = frozenset({"limit_cents", "monthly_rate_bps", "expires_at"})


def _terms(told: Mapping[str, Any], expires_at: datetime, as_of: datetime) -> str:
    return digest({**told, "held_seconds": int((expires_at - as_of).total_seconds())})[:16]


def moved(before: Seen, after: Seen) -> tuple[str, ...]:
    """What of DECIDED differs; the rest of an offer counts where line and rate are the same."""
    same_line = (before.limit_cents, before.rate_bps) == (after.limit_cents, after.rate_bps)
    pairs = {
        "outcome": before.outcome != after.outcome,
        "limit": before.limit_cents != after.limit_cents,
        "rate": before.rate_bps != after.rate_bps,
        "grade": before.grade != after.grade,
        "reasons": before.reasons != after.reasons,
        "findings": before.findings != after.findings,
        "terms": same_line and before.terms != after.terms,
    }
    return tuple(name for name, differs in pairs.items() if differs)


def told(before: Seen, after: Seen) -> str:
    """What moved, in words, for a person."""
    parts = []
    if before.outcome != after.outcome:
        parts.append(f"{before.outcome} -> {after.outcome}")
    if before.limit_cents != after.limit_cents:
        parts.append(f"limit {dollars(before.limit_cents)} -> {dollars(after.limit_cents)}")
    if before.rate_bps != after.rate_bps:
        parts.append(f"rate {rate(before.rate_bps)} -> {rate(after.rate_bps)} a month")
    if before.grade != after.grade:
        parts.append(f"grade {before.grade or 'none'} -> {after.grade or 'none'}")
    new = [rule for rule in after.findings if rule not in before.findings]
    gone = [rule for rule in before.findings if rule not in after.findings]
    parts += [f"now {rule}" for rule in new] + [f"no longer {rule}" for rule in gone]
    if before.reasons != after.reasons:
        parts.append(f"reasons {' '.join(before.reasons) or 'none'} -> {' '.join(after.reasons) or 'none'}")
    if not parts and before.terms != after.terms:
        parts.append("other terms of the offer")
    if not parts and (before.pd, before.points) != (after.pd, after.points):
        parts.append(f"PD {before.pd} -> {after.pd}")
    return ", ".join(parts) or "the inputs"


def dollars(cents: int | None) -> str:
    """Cents as dollars, `none` where there are none."""
    if cents is None:
        return "none"
    return f"{'-' if cents < 0 else ''}${abs(cents) / 100:,.2f}".removesuffix(".00")


def rate(bps: int | None) -> str:
    """Basis points as per cent."""
    return "none" if bps is None else f"{bps / 100:.2f} %"
