"""A difference in plain words, for all staff.

It does: a few short sentences, the why first. It does not: name compliance, nor format money by way of floats.
"""

from decimal import Decimal

from engine.decision import Decision
from engine.difference.changes import Change, Difference, SourceChange
from engine.facts import Facts
from engine.screening import SOURCE_OF_RULE

_NAMES = {
    "registry": "The register", "marketplace": "The marketplace", "bank": "The bank", "bureau": "The bureau",
    "exposure": "The lender's own position", "documents": "Accepted documents",
}  # fmt: skip


def words(told: Difference, before: Decision, after: Decision, facts: Facts) -> tuple[str, ...]:
    """The sentences; `facts` are those after."""
    lines = [_source_words(change, facts) for change in told.sources if _tells(change)]
    if any(change.source == "documents" for change in told.sources):
        lines += _verified_words(before, facts)
    if any(change.source == "review" for change in told.sources):
        lines += _review_words(facts)
    if not told.decision_changed:
        return (*lines, "The decision stayed as it was.")
    lines += _outcome_words(before, after)
    gone = [f.rule for f in told.findings_gone if f.source != "compliance"]
    new = [f.rule for f in told.findings_new if f.source != "compliance"]
    if gone:
        lines.append(f"No longer found: {', '.join(gone)}.")
    if new:
        lines.append(f"Newly found: {', '.join(new)}.")
    if any(figure.name in {"grade", "pd", "points"} for figure in told.figures):
        lines.append(f"The score went from {_score(before)} to {_score(after)}.")
    if told.features:
        count = len(told.features)
        lines.append(f"{count} input changed." if count == 1 else f"{count} inputs changed.")
    if before.score and after.score and told.contributions:
        moved = ", ".join(f"{c.name} ({_signed(c)})" for c in told.contributions[:3])
        lines.append(f"What moved the score most: {moved}.")
    return tuple(lines)


def _tells(change: SourceChange) -> bool:
    """Whether there is anything to say of a source: one that said the same again is passed over, compliance always."""
    return change.source in _NAMES and (change.before != change.after or change.new_value)


def _source_words(change: SourceChange, facts: Facts) -> str:
    name = _NAMES[change.source]
    if change.after == "failed":
        return f"{name} did not answer ({change.failure_after or 'no reason given'})."
    if change.after == "absent":
        return f"{name} had nothing to say."
    said = _content(change.source, facts)
    if change.before == "present":
        return f"{name} told something new{said}."
    return f"{name} answered{said}." if change.before == "failed" else f"{name} came in{said}."


def _content(source: str, facts: Facts) -> str:
    """What came in, in numbers, after a colon; empty where a number would say nothing."""
    if source == "bank" and facts.bank.value:
        return f": {_count((facts.bank.value.newest_on - facts.bank.value.oldest_on).days + 1, 'day')} of statements"
    if source == "marketplace" and facts.marketplace.value:
        return f": {_count(len(facts.marketplace.value.orders), 'order')}"
    if source == "bureau" and facts.bureau.value:
        return f": {_count(len(facts.bureau.value.defaults), 'default')} on file"
    if source == "exposure" and facts.exposure.value:
        return f": {_dollars(facts.exposure.value.business_cents)} held by the business"
    if source == "documents" and facts.documents and facts.documents.value:
        return f": {_count(len(facts.documents.value.accepted), 'document')}, read by {facts.documents.value.by}"
    return ""


def _verified_words(before: Decision, facts: Facts) -> list[str]:
    """What documents say beside what the decision before rested on."""
    documents = facts.documents.value if facts.documents else None
    lines: list[str] = []
    if documents is None:
        return lines
    rested = before.features.get("turnover_declared")
    if documents.turnover_12m_cents is not None and rested is not None:
        lines.append(
            f"Turnover: {_dollars(round(rested * 100))} before, {_dollars(documents.turnover_12m_cents)} verified."
        )
    if documents.overdue_tax_cents is not None:
        plan = ", under a payment plan" if documents.overdue_tax_cents and documents.tax_plan else ""
        lines.append(f"Overdue tax: {_dollars(documents.overdue_tax_cents)} verified{plan}.")
    return lines


def _review_words(facts: Facts) -> list[str]:
    """What the lender's officers decided."""
    review = facts.review.value if facts.review else None
    lines: list[str] = []
    if review is None:
        return lines
    if review.declined:
        lines.append(f"An officer declined: {review.declined}.")
    if review.most_cents is not None:
        lines.append(f"An officer grants {_dollars(review.most_cents)} at most.")
    if aside := [rule for rule in review.set_aside if SOURCE_OF_RULE.get(rule, "compliance") != "compliance"]:
        lines.append(f"An officer left aside: {', '.join(aside)}.")
    return lines


def _outcome_words(before: Decision, after: Decision) -> list[str]:
    lines = []
    if before.outcome != after.outcome:
        lines.append(f"The outcome went from {before.outcome} to {after.outcome}.")
    if before.requested_cents != after.requested_cents:
        lines.append(f"Asked for: {_dollars(before.requested_cents)}, now {_dollars(after.requested_cents)}.")
    was, now = before.offer, after.offer
    least, most = was.limit_cents if was else 0, now.limit_cents if now else 0
    if least != most:
        decided = "" if after.bound_by is None else f"; the {after.bound_by} cap decided it"
        way = "rose" if most > least else "fell"
        lines.append(f"The line {way} from {_line(least)} to {_line(most)}{decided if most else ''}.")
    elif before.bound_by != after.bound_by and before.bound_by and after.bound_by:
        lines.append(f"The {after.bound_by} cap decides now, the {before.bound_by} cap did before.")
    if was and now and was.monthly_rate_bps != now.monthly_rate_bps:
        lines.append(
            f"The monthly rate went from {_percent(was.monthly_rate_bps)} to {_percent(now.monthly_rate_bps)}."
        )
    if before.release_digest != after.release_digest:
        lines.append(f"Another release decided: {after.release} instead of {before.release}.")
    return lines


def _line(cents: int) -> str:
    return _dollars(cents) if cents else "none"


def _dollars(cents: int) -> str:
    rest = f".{cents % 100:02d}" if cents % 100 else ""
    return f"${cents // 100:,}{rest}"


def _percent(bps: int) -> str:
    return f"{Decimal(bps) / 100:.2f} %"


def _score(decision: Decision) -> str:
    score = decision.score
    if score is None:
        return "none"
    return f"{score.points:.0f} points, PD {_percent(round(score.pd * 10_000))}, grade {score.grade or 'none'}"


def _signed(change: Change) -> str:
    return f"{float(change.after or 0) - float(change.before or 0):+.1f}"


def _count(number: int, unit: str) -> str:
    return f"{number:,} {unit}" if number == 1 else f"{number:,} {unit}s"
