"""Who signs for which type of entity, and when that is enough."""

from itertools import chain, combinations

import pytest

from api.contracts.signatories import Mandate, NoSignatory, Party, Requirement, mandate_of
from engine.application import EntityType


def parties(**roles: str) -> tuple[Party, ...]:
    """People by name, with their roles in a line of text."""
    return tuple(Party(ref, frozenset(each.split())) for ref, each in roles.items())


def mandate(entity: EntityType, corporate_trustee: bool = False, **roles: str) -> Mandate:
    """The mandate of an entity with these people."""
    found = mandate_of(entity, parties(**roles), corporate_trustee)
    assert isinstance(found, Mandate), found
    return found


def enough(found: Mandate) -> set[str]:
    """The smallest sets of people whose signatures are enough, each as their names in order."""
    refs = sorted(dict(found.capacities))
    every = chain.from_iterable(combinations(refs, size) for size in range(len(refs) + 1))
    signed = [set(each) for each in every if found.is_signed(set(each))]
    return {" ".join(sorted(each)) for each in signed if not any(other < each for other in signed)}


@pytest.mark.parametrize(
    ("entity", "corporate", "roles", "sets"),
    [
        ("company", False, {"ann": "owner director contact"}, {"ann"}),
        ("company", False, {"ann": "director secretary"}, {"ann"}),
        ("company", False, {"ann": "director", "ben": "director", "cy": "director"}, {"ann ben", "ann cy", "ben cy"}),
        ("company", False, {"ann": "director", "sue": "secretary", "tom": "secretary"}, {"ann sue", "ann tom"}),
        ("company", False, {"ann": "director", "oz": "owner", "cat": "contact"}, {"ann"}),
        ("company", False, {"ann": "director", "ben": "director", "gus": "guarantor"}, {"ann ben gus"}),
        ("company", False, {"ann": "director guarantor", "ben": "director"}, {"ann ben"}),
        ("company", False, {"a": "director guarantor", "b": "director", "c": "director"}, {"a b", "a c"}),
        ("sole_trader", False, {"ann": "owner", "cat": "contact"}, {"ann"}),
        ("partnership", False, {"ann": "owner", "ben": "owner", "di": "director", "cat": "contact"}, {"ann ben di"}),
        ("trust", True, {"ann": "director", "ben": "director", "oz": "owner"}, {"ann ben"}),
        ("trust", False, {"ann": "director", "ben": "director", "cy": "director", "oz": "owner"}, {"ann ben cy"}),
        ("trust", False, {"ann": "owner", "ben": "owner"}, {"ann ben"}),
    ],
)
def test_those_sign_who_bind_the_business(
    entity: EntityType, corporate: bool, roles: dict[str, str], sets: set[str]
) -> None:
    """By entity: which sets of people are just enough; whoever has only another role neither binds nor signs."""
    found = mandate(entity, corporate, **roles)
    assert enough(found) == sets
    assert set(dict(found.capacities)) == set(" ".join(sets).split())


@pytest.mark.parametrize(
    ("entity", "roles", "why"),
    [
        ("other", {"ann": "owner director"}, "entity_other"),
        ("company", {"ann": "owner contact", "sue": "secretary"}, "no_director"),
        ("sole_trader", {"ann": "contact"}, "owner_not_one"),
        ("sole_trader", {"ann": "owner", "ben": "owner"}, "owner_not_one"),
        ("partnership", {"ann": "contact guarantor"}, "no_partner"),
        ("trust", {"ann": "contact"}, "no_trustee"),
    ],
)
def test_where_it_is_not_clear_who_signs_nobody_does(
    entity: EntityType, roles: dict[str, str], why: NoSignatory
) -> None:
    """The lack is named instead of somebody being guessed."""
    assert mandate_of(entity, parties(**roles)) == why


def test_a_person_signs_in_every_capacity_that_is_held() -> None:
    """A director who guarantees signs once, as both; a contact has no authority."""
    found = mandate("company", ann="director guarantor", gus="guarantor", cat="contact")
    assert found.authority_of("ann") == "director and guarantor"
    assert found.authority_of("gus") == "guarantor"
    assert found.authority_of("cat") is None
    assert mandate("trust", True, ann="director").authority_of("ann") == "director of the trustee"
    assert mandate("trust", ann="director").authority_of("ann") == "trustee"


def test_the_words_name_the_rule_and_whose_word_it_rests_on() -> None:
    """Section 127 for a company, its trustee where that is one, and that the applicant stated it."""
    assert mandate("company", ann="director").execution == (
        "by the sole director, Corporations Act 2001 (Cth) section 127(1), as stated by the applicant"
    )
    two = mandate("trust", True, ann="director", ben="director", gus="guarantor").execution
    assert two.startswith("by two directors, or a director and a secretary of the trustee, Corporations Act 2001")
    assert two.endswith("; and by every guarantor")
    assert mandate("partnership", ann="owner").execution == "by every partner, as stated by the applicant"


@pytest.mark.parametrize("least", [0, 3])
def test_a_requirement_can_be_fulfilled_and_asks_for_something(least: int) -> None:
    """None of two, or three of two, cannot be built."""
    with pytest.raises(ValueError, match="requirement"):
        Requirement(frozenset({"ann", "ben"}), least)
