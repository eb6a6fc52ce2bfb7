"""What is shared between cases: only what read the very same parts, whatever a function reads, and in which order."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import pytest

from engine.application import Application
from engine.facts import Facts
from engine.features import FEATURES, Evidence, Feature
from engine.screening import RULES, Case
from engine.whatif import asking
from engine.whatif.changed import with_finances
from engine.whatif.sharing import Shared, Sight, Together, parts_of
from tests.support.businesses import business
from tests.support.releases import fake_release

POLICY = fake_release().policy
APPLICATION, FACTS = business()


def case_of(application: Application = APPLICATION, facts: Facts = FACTS) -> Case:
    """A case as a decision makes it."""
    return Case(application, facts, Evidence.of(application, facts), POLICY.on(facts.as_of.date()))


class Counted:
    """A function of a case that counts how often it is worked out."""

    def __init__(self, compute: Callable[[Case], Any]) -> None:
        self.compute, self.calls = compute, 0

    def __call__(self, case: Case) -> Any:
        """Work it out."""
        self.calls += 1
        return self.compute(case)


READS: dict[str, Callable[[Case], Any]] = {
    path: attrgetter(path)
    for path in (
        "application.business.state",
        "application.request.amount_cents",
        "application.people",
        "evidence.application.finances.turnover_12m_cents",
        "facts.synthetic",
        *(f"facts.{name}" for name in Facts.model_fields),
        *(f"evidence.{name}" for name in Evidence.__slots__ if name != "application"),
    )
}
FINANCES = "evidence.application.finances.turnover_12m_cents"


def others() -> dict[str, Case]:
    """Cases that each differ from the first in one thing."""
    changes: dict[str, Case] = {
        "request": case_of(asking(APPLICATION, 500_000)),
        "finances": case_of(with_finances(APPLICATION, turnover_12m_cents=1)),
        "business": case_of(APPLICATION.model_copy(update={"business": APPLICATION.business.model_copy()})),
        "people": case_of(APPLICATION.model_copy(update={"people": APPLICATION.people[:1] * 2})),
        "as_of": case_of(facts=FACTS.model_copy(update={"as_of": FACTS.as_of.replace(day=FACTS.as_of.day + 1)})),
    }
    for name in ("registry", "compliance", "marketplace", "bank", "bureau", "exposure"):
        fact = getattr(FACTS, name)
        changes[name] = case_of(facts=FACTS.model_copy(update={name: fact.model_copy(
            update={"value": fact.value.model_copy()}
        )}))  # fmt: skip
    return changes


@pytest.mark.parametrize("name", READS)
def test_a_result_is_given_again_only_where_what_was_read_is_the_same(name: str) -> None:
    """Each single read, in every order of two cases: equal to working it out, and worked out once for one case."""
    for there in others().values():
        for first, second in ((case_of(), there), (there, case_of())):
            counted = Counted(READS[name])
            shared = Shared[object](counted)
            sights = Sight(first), Sight(second)
            for sight in (*sights, *sights):
                assert shared.of(sight) == READS[name](sight.case)
            assert counted.calls <= 2


def test_what_is_not_read_changes_nothing() -> None:
    """Another request is no reason to work anything out again that reads finances, and the other way round."""
    counted = Counted(READS[FINANCES])
    shared = Shared[object](counted)
    assert shared.of(Sight(case_of())) == shared.of(Sight(case_of(asking(APPLICATION, 500_000)))) == 96_000_000
    assert counted.calls == 1
    assert shared.of(Sight(case_of(with_finances(APPLICATION, turnover_12m_cents=7)))) == 7
    assert counted.calls == 2


def test_a_branch_that_reads_more_is_followed() -> None:
    """What is read only where something else has a certain value counts where it was read."""

    def compute(case: Case) -> object:
        return case.application.request.amount_cents if case.application.finances.turnover_12m_cents > 5 else None

    shared = Shared[object](compute)
    poor, rich = with_finances(APPLICATION, turnover_12m_cents=1), with_finances(APPLICATION, turnover_12m_cents=9)
    kept = [
        Sight(case_of(asking(application, cents)))
        for cents in (500_000, 600_000, 700_000) for application in (poor, rich, APPLICATION)
    ]  # fmt: skip
    for sight in (*kept, *reversed(kept)):
        assert shared.of(sight) == compute(sight.case)


def valued(feature: Feature) -> Callable[[Case], float]:
    """The feature as a function of a case."""
    return lambda case: feature.value(case.evidence)


def test_rules_and_features_together_are_those_one_by_one() -> None:
    """Every rule and every feature of every case, whichever case came first."""
    cases = [case_of(), *others().values()]
    functions: list[Callable[[Case], Any]] = [
        *(rule.fires for rule in RULES), *(valued(each) for each in FEATURES),
    ]  # fmt: skip
    for first in (0, 3, 7):
        sights = [Sight(case) for case in cases[first:] + cases[:first]]
        together = Together(functions, sights[0])
        assert sorted(together.order) == list(range(len(functions)))
        for sight in sights:
            expected = [functions[place](sight.case) for place in together.order]
            assert [repr(value) for value in together.of(sight)] == [repr(value) for value in expected]


def test_every_part_of_a_case_has_its_place() -> None:
    """Facts or evidence that were added and not told apart would count as the whole, and share nothing."""
    case = case_of()
    told_apart = {*Facts.model_fields, *Evidence.__slots__} - {"application", "as_of"}
    assert len(parts_of(case)) == 5 + 3 + len(Facts.model_fields) - 1 + len(Evidence.__slots__) - 2
    for name in told_apart:
        sight = Sight(case)
        of = sight.watched.facts if name in Facts.model_fields else sight.watched.evidence
        getattr(of, name)
        assert len(sight.seen) == 1
        assert not sight.seen & {1, 2, 3, 4}
