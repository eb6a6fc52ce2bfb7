"""What a rule is: a small function that says whether it fires, declared with the finding that it gives.

It does: hold the case that rules read, and the list that the rules fill. It does not: know any rule.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from engine.application import Application
from engine.facts import Facts
from engine.features.catalogue import Evidence
from engine.policy import Policy
from engine.values import Frozen


class Finding(Frozen):
    """What a rule found. `reason` is the public code, None where the public is told nothing of it."""

    rule: str
    kind: Literal["knock_out", "referral"]
    reason: str | None
    source: str
    what: str


@dataclass(frozen=True, slots=True)
class Case:
    """What rules read."""

    application: Application
    facts: Facts
    evidence: Evidence
    policy: Policy


class Rule(NamedTuple):
    """One rule: when it fires, and what it finds then."""

    fires: Callable[[Case], bool]
    finding: Finding


RULES: list[Rule] = []
SOURCE_OF_RULE: dict[str, str] = {}


def rule(
    kind: Literal["knock_out", "referral"], reason: str | None, source: str
) -> Callable[[Callable[[Case], bool]], Callable[[Case], bool]]:
    """Add a rule: the decorated function says whether it fires, its docstring says what was found."""

    def add(fires: Callable[[Case], bool]) -> Callable[[Case], bool]:
        finding = Finding(
            rule=fires.__name__, kind=kind, reason=reason, source=source, what=(fires.__doc__ or "").strip()
        )
        RULES.append(Rule(fires, finding))
        SOURCE_OF_RULE[finding.rule] = source
        return fires

    return add


def revenue_year(case: Case) -> int:
    """A year at the statement's monthly revenue, in whole cents."""
    revenue = case.evidence.bank.revenue if case.evidence.bank else ()
    return 12 * sum(revenue) // len(revenue) if revenue else 0
