"""The value of a missing fact: what a source usually gives, over facts that such a business could have.

It does: decide on each of them. It does not: choose them, nor promise one. The rule it keeps: a range says how many
were tried and how many approved.
"""

from collections.abc import Iterable

from engine.application import Application
from engine.decision import DecidingRelease
from engine.facts import BankData, Fact, Facts
from engine.values import Frozen
from engine.whatif.outlook import Outlooks


class Range(Frozen):
    """What connecting a source usually gives: limits over plausible facts, None where none is approved."""

    source: str
    tried: int
    approved: int
    low_cents: int | None
    median_cents: int | None
    high_cents: int | None


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
    for facts in possible:  # one by one: whole statements would be kept for the little that they have in common
        ((_, limit_cents, _),) = Outlooks(release).of([(application, facts)])
        tried += 1
        if limit_cents is not None:
            limits.append(limit_cents)
    limits.sort()

    def rank(percent: int) -> int | None:
        return limits[-(-percent * len(limits) // 100) - 1] if limits else None

    return Range(source=source, tried=tried, approved=len(limits), low_cents=rank(10),
                 median_cents=rank(50), high_cents=rank(90))  # fmt: skip
