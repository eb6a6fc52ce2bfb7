"""Straight through: when clean electronic evidence verifies itself.

It does: say why a case needs people, from plain values; no reason means that it needs none. It does not: look at
documents. The rule it keeps: one check that did not pass, one page that was only seen as a picture, one document
without a machine that could read it, and a person looks.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from engine.policy import VerificationTerms


@dataclass(frozen=True, slots=True)
class Looked:
    """What machines found in one wanted document.

    `electronic`: it has text of its own and is no picture. `scanned_clean`: a virus scanner looked, or none is set up.
    `checks`: name, verdict and confidence of each. `unread`: what has to be recorded of it and no check read.
    """

    kind: str
    electronic: bool
    scanned_clean: bool
    checks: tuple[tuple[str, str, int], ...]
    unread: tuple[str, ...] = ()


def needs_people(
    limit_cents: int, wanted: Iterable[str], looked: Iterable[Looked], terms: VerificationTerms
) -> tuple[str, ...]:
    """The reasons why people have to verify this case, in words; empty where it verifies itself.

    `wanted` names a kind once for every document that is wanted of it.
    """
    reasons = []
    if limit_cents > terms.straight_through_most_cents:
        reasons.append(f"the line is above ${terms.straight_through_most_cents // 100:,}")
    documents = tuple(looked)
    if missing := sorted(Counter(wanted) - Counter(each.kind for each in documents)):
        reasons.append("not every wanted document is there: " + ", ".join(missing))
    for each in documents:
        if each.kind not in terms.machine_kinds:
            reasons.append(f"{each.kind} is always looked at by people")
        elif not each.electronic and each.kind != "identity":  # a licence is always a picture
            reasons.append(f"{each.kind} was sent as a picture")
        elif not each.checks:
            reasons.append(f"{each.kind} was not checked")
        reasons += [f"{each.kind} does not show {name}" for name in each.unread]
        if not each.scanned_clean:
            reasons.append(f"{each.kind} was not found clean by the scanner")
        reasons += [
            f"{each.kind}: {name} is {verdict}" if verdict != "pass" else f"{each.kind}: {name} is not sure enough"
            for name, verdict, confidence_bps in each.checks
            if verdict != "pass" or confidence_bps < terms.least_confidence_bps
        ]
    return tuple(dict.fromkeys(reasons))
