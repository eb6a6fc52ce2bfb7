"""Who has to sign a contract, by type of entity, from the roles that the applicant stated.

It does: turn stated roles into requirements, and say whether those who signed fulfil them. It does not: verify that
anybody holds a role; the verifier compares it with the company extract, deed or agreement. The rule it keeps: where
it is not clear who may sign, nobody may, and a reason says so.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Literal

from engine.application import EntityType

# Why nobody can be named: `entity_other` has no rule here, the rest lack the people whom their rule names.
NoSignatory = Literal["entity_other", "owner_not_one", "no_director", "no_partner", "no_trustee"]
Authority = Literal["owner", "director", "secretary", "partner", "trustee", "director of the trustee",
                    "secretary of the trustee", "guarantor"]  # fmt: skip

WHY: Mapping[NoSignatory, str] = {
    "entity_other": "For an entity of this kind a person has to say who signs",
    "owner_not_one": "A sole trader states one person with the role owner",
    "no_director": "A company states at least one person with the role director",
    "no_partner": "A partnership states its partners with the role owner or director",
    "no_trustee": "A trust states its trustees, or the directors of its trustee, with the role director",
}
_STATED = ", as stated by the applicant"
_COMPANY = "Corporations Act 2001 (Cth) section 127(1)"


@dataclass(frozen=True, slots=True)
class Party:
    """A person of the application, by reference, with the roles that the applicant stated."""

    ref: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Requirement:
    """At least so many of these people sign."""

    refs: frozenset[str]
    least: int

    def __post_init__(self) -> None:
        """Refuse a requirement that nobody could fulfil, or that asks for nothing."""
        if not 1 <= self.least <= len(self.refs):
            raise ValueError("a requirement asks for at least one and at most all of its people")


@dataclass(frozen=True, slots=True)
class Mandate:
    """Whose signatures bind: every requirement holds. `capacities` names in which capacity each person may sign."""

    requirements: tuple[Requirement, ...]
    capacities: tuple[tuple[str, tuple[Authority, ...]], ...]  # in the order of the application
    execution: str  # the same in words, for the text

    def authority_of(self, ref: str) -> str | None:
        """In which capacity a person signs, in words; None for somebody who does not sign."""
        capacities = dict(self.capacities).get(ref)
        return None if capacities is None else " and ".join(capacities)

    def is_signed(self, signed: Set[str]) -> bool:
        """Whether these people's signatures are enough."""
        return all(len(each.refs & signed) >= each.least for each in self.requirements)


def mandate_of(
    entity_type: EntityType, parties: Iterable[Party], corporate_trustee: bool = False
) -> Mandate | NoSignatory:
    """Who signs for a business, with its guarantors; or why that cannot be said.

    A company: two directors, or a director and a secretary, or its sole director (Corporations Act 2001 s 127(1)); a
    sole trader: the owner; a partnership: every partner listed; a trust: its trustee, as a company where the trustee
    is one, and otherwise every trustee listed. Each guarantor signs besides.
    """
    people = tuple(parties)
    match entity_type:
        case "company":
            bound = _company(people)
        case "trust":
            bound = _company(people, " of the trustee") if corporate_trustee else _trustees(people)
        case "sole_trader":
            owners = _holding(people, "owner")
            bound = "owner_not_one" if len(owners) > 1 else _all(owners, "owner", "by the owner", "owner_not_one")
        case "partnership":
            bound = _all(_holding(people, "owner", "director"), "partner", "by every partner", "no_partner")
        case "other":
            return "entity_other"
    return bound if isinstance(bound, str) else _with_guarantors(bound, people)


def _company(people: tuple[Party, ...], of: Literal["", " of the trustee"] = "") -> Mandate | NoSignatory:
    directors, secretaries = _holding(people, "director"), _holding(people, "secretary")
    if not directors:
        return "no_director"
    officers = tuple(ref for ref in (party.ref for party in people) if ref in {*directors, *secretaries})
    director: Authority = "director of the trustee" if of else "director"
    secretary: Authority = "secretary of the trustee" if of else "secretary"
    capacities = tuple((ref, (director if ref in directors else secretary,)) for ref in officers)
    requirements = [Requirement(frozenset(directors), 1)]
    if len(officers) > 1:
        requirements.append(Requirement(frozenset(officers), 2))
    how = "two directors, or a director and a secretary" if len(officers) > 1 else "the sole director"
    return Mandate(tuple(requirements), capacities, f"by {how}{of}, {_COMPANY}{_STATED}")


def _trustees(people: tuple[Party, ...]) -> Mandate | NoSignatory:
    """Individual trustees are stated as directors, since they run the trust; where none is, the owners are meant."""
    trustees = _holding(people, "director") or _holding(people, "owner")
    return _all(trustees, "trustee", "by every trustee", "no_trustee")


def _all(refs: tuple[str, ...], authority: Authority, how: str, otherwise: NoSignatory) -> Mandate | NoSignatory:
    if not refs:
        return otherwise
    capacities = tuple((ref, (authority,)) for ref in refs)
    return Mandate((Requirement(frozenset(refs), len(refs)),), capacities, how + _STATED)


def _with_guarantors(bound: Mandate, people: tuple[Party, ...]) -> Mandate:
    guarantors = _holding(people, "guarantor")
    if not guarantors:
        return bound
    before = dict(bound.capacities)
    guarantees: tuple[Authority, ...] = ("guarantor",)
    capacities = {
        party.ref: before.get(party.ref, ()) + (guarantees if party.ref in guarantors else ())
        for party in people
        if party.ref in before or party.ref in guarantors
    }
    return Mandate(
        (*bound.requirements, Requirement(frozenset(guarantors), len(guarantors))),
        tuple(capacities.items()),
        f"{bound.execution}; and by every guarantor",
    )


def _holding(people: tuple[Party, ...], *roles: str) -> tuple[str, ...]:
    return tuple(party.ref for party in people if party.roles & set(roles))
