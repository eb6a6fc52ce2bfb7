"""Made-up applicants whose papers are drawn: names, numbers with right check digits, places.

It does: make them from a random source. It does not: look whether anybody bears such a name or number. The rule it
keeps: numbers are drawn at random, so that one is somebody's is chance, and every paper says that it is synthetic.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Literal

from stdnum.au import abn as stdnum_abn
from stdnum.au import acn as stdnum_acn

from api.checks.values import Person

Entity = Literal["company", "trust", "partnership"]
_PLANTS = ("Banksia", "Wattle", "Grevillea", "Callistemon", "Boronia", "Waratah", "Kurrajong", "Mulga", "Saltbush",
           "Ironbark", "Casuarina", "Hakea", "Melaleuca", "Correa")  # fmt: skip
_TRADES = ("Joinery", "Freight", "Homewares", "Plumbing Supplies", "Bakehouse", "Steel Fabrication", "Landscapes",
           "Dental Laboratory", "Print & Signs", "Electrical Services", "Cold Storage", "Workwear")  # fmt: skip
_FORMS = ("Pty Ltd", "PTY LTD", "Pty. Ltd.", "PTY LIMITED")
_GIVEN = ("Amelia Rose", "Tran", "Gordon James", "Priya", "Marco", "Shu Fen", "Liam Patrick", "Olena", "Tariq",
          "Josephine", "Dmitri", "Hana Mei", "Callum", "Beatriz", "Wendy Anne")  # fmt: skip
_FAMILY = ("Ashgrove", "Nguyenford", "Marlowe-Reid", "Pillaiwood", "Castellan", "Zhaobrook", "O'Dunmore", "Petrenkova",
           "Haddadson", "Wintergreen", "Volkovski", "Tanakaya", "Brackenridge", "Figueirado")  # fmt: skip
_STREETS = ("Lantern St", "Quarry Rd", "Wharf Lane", "Foundry Ave", "Orchard Pde", "Kiln Court")
_SUBURBS = (("Nowhere Bay", "VIC", "3999"), ("Made-up Creek", "NSW", "2999"), ("Specimen Flat", "QLD", "4999"),
            ("Samplers Hill", "WA", "6999"), ("Fictional Downs", "SA", "5999"))  # fmt: skip
_TFN_WEIGHTS = (1, 4, 3, 7, 5, 8, 6, 9, 10)


@dataclass(frozen=True, slots=True)
class Applicant:
    """A made-up business and its people; a company's name is its trustee's where it is a trust."""

    entity: Entity
    legal_name: str
    company: str  # itself, or the trustee; empty for partnerships
    abn: str
    acn: str | None
    people: tuple[Person, ...]
    address: tuple[str, str]
    bsb: str
    account: str

    @property
    def trust(self) -> str:
        """The name of the trust, without its trustee."""
        return self.legal_name.removeprefix("The trustee for ")


def applicant(rng: Random, entity: Entity = "company") -> Applicant:
    """One made-up applicant."""
    company = f"{rng.choice(_PLANTS)} {rng.choice(_TRADES)} {rng.choice(_FORMS)}"
    people = _people(rng)
    acn = _acn(rng)
    match entity:
        case "company":
            legal_name = company
        case "trust":
            legal_name = f"The trustee for {people[0].family_name} Family Trust"
        case "partnership":
            legal_name = " & ".join(f"{each.given_names} {each.family_name}" for each in people)
    suburb, state, postcode = rng.choice(_SUBURBS)
    return Applicant(
        entity=entity,
        legal_name=legal_name,
        company="" if entity == "partnership" else company,
        abn=business_number(rng) if entity != "company" else _abn_of(acn),
        acn=None if entity == "partnership" else acn,
        people=people,
        address=(f"{rng.randint(1, 240)} {rng.choice(_STREETS)}", f"{suburb} {state} {postcode}"),
        bsb=f"9{rng.randint(10_000, 99_999)}",
        account=str(rng.randint(10_000_000, 999_999_999)),
    )


def _people(rng: Random) -> tuple[Person, ...]:
    family = rng.sample(_FAMILY, 2)
    born = [date(1958, 1, 1) + timedelta(days=rng.randrange(14_000)) for _ in family]
    given = rng.sample(_GIVEN, 2)
    return tuple(
        Person(given_names=first, family_name=last, born=day)
        for first, last, day in zip(given, family, born, strict=True)
    )


def _acn(rng: Random) -> str:
    body = f"99{rng.randrange(1_000_000):06d}"
    return body + str(stdnum_acn.calc_check_digit(body))


def _abn_of(nine: str) -> str:
    return str(stdnum_abn.calc_check_digits(nine)) + nine


def business_number(rng: Random) -> str:
    """An ABN that is no company's, with right check digits."""
    return _abn_of(f"98{rng.randrange(10_000_000):07d}")


def tax_file_number(rng: Random) -> str:
    """Nine digits that pass the check of tax file numbers."""
    while True:
        eight = f"{rng.randrange(10_000_000, 99_999_999)}"
        short = -sum(w * int(d) for w, d in zip(_TFN_WEIGHTS, eight, strict=False)) % 11
        for last in range(10):
            if last * _TFN_WEIGHTS[8] % 11 == short:
                return f"{eight}{last}"


def off_by_one(digits: str) -> str:
    """The number with its last digit another one."""
    return digits[:-1] + str((int(digits[-1]) + 1) % 10)
