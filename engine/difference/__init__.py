"""What a decision changed of the one that it supersedes, and why.

It does: say which sources spoke anew and what followed, field by field and in plain words for staff. It does not:
decide again, or judge. The rule it keeps: nothing is left out: where no change is listed, the two decisions have the
same bytes but for their time and the expiry that is counted from it. The public part never names compliance.
"""

from typing import Literal

from engine.decision import Decision, Outcome
from engine.difference.changes import CapChange, Change, Difference, SourceChange, compare, fact_of
from engine.difference.words import words
from engine.facts import Facts
from engine.values import Cents, Frozen

__all__ = ["CapChange", "Change", "Difference", "PublicChanges", "SourceChange", "difference", "public_changes"]

PublicSource = Literal["registry", "marketplace", "bank", "bureau"]
# Compliance is never named to the public, and what is held is the lender's own affair.
PUBLIC_SOURCES: tuple[PublicSource, ...] = ("registry", "marketplace", "bank", "bureau")


class PublicChanges(Frozen):
    """What the applicant may be told: the sources that have come in, and the outcome, line and rate both times."""

    sources_arrived: tuple[PublicSource, ...]
    outcome_before: Outcome
    outcome_after: Outcome
    limit_before_cents: Cents | None
    limit_after_cents: Cents | None
    monthly_rate_before_bps: int | None
    monthly_rate_after_bps: int | None


def difference(before: Decision, after: Decision, facts_before: Facts, facts_after: Facts) -> Difference:
    """What `after` changed of `before`, and what the sources said in between."""
    told = compare(before, after, facts_before, facts_after)
    return told.model_copy(update={"words": words(told, before, after, facts_after)})


def public_changes(before: Decision, after: Decision, facts_before: Facts, facts_after: Facts) -> PublicChanges:
    """The part that the applicant may see."""
    was, now = before.offer, after.offer
    return PublicChanges(
        sources_arrived=tuple(name for name in PUBLIC_SOURCES if _arrived(name, facts_before, facts_after)),
        outcome_before=before.outcome,
        outcome_after=after.outcome,
        limit_before_cents=was.limit_cents if was else None,
        limit_after_cents=now.limit_cents if now else None,
        monthly_rate_before_bps=was.monthly_rate_bps if was else None,
        monthly_rate_after_bps=now.monthly_rate_bps if now else None,
    )


def _arrived(name: PublicSource, before: Facts, after: Facts) -> bool:
    return fact_of(after, name).status == "present" != fact_of(before, name).status
