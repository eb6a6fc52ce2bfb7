"""A paper while it is written: whose it is, of which day, and what it tells.

It does: hand writers their random source and what their variant changes, and keep the truth of what they print. It
does not: draw. The rule it keeps: what a writer prints under a field's name is the truth of that field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from api.checks.values import Kind
from engine.verification.documents import Value
from tests.support.papers.applicants import Applicant, Entity, applicant, business_number, off_by_one, tax_file_number
from tests.support.papers.paper import SCANNED, Variant
from tests.support.papers.sheet import Sheet
from tests.support.papers.writing import Days, day, grouped, in_pairs, money

_ENTITIES: Mapping[Kind, Entity] = {"trust_deed": "trust", "partnership_agreement": "partnership"}


@dataclass(slots=True)
class Draft:
    """What a writer works with. `ours` is the applicant, `shown` whoever's paper it is.

    `declared` is laid over what the application declares; `wrong`, `truth`, `prints` and `canaries` are the paper's.
    """

    kind: Kind
    layout: str
    variant: Variant
    rng: Random
    today: date
    ours: Applicant
    other: Applicant
    sheet: Sheet = field(default_factory=Sheet)
    truth: dict[str, Value] = field(default_factory=dict)
    prints: dict[str, str] = field(default_factory=dict)
    wrong: set[str] = field(default_factory=set)
    declared: dict[str, Any] = field(default_factory=dict)
    canaries: list[str] = field(default_factory=list)
    rows: int = 0  # of a bank statement, where it was said

    @property
    def altered(self) -> bool:
        return self.variant in {"altered", "patched", "scanned_altered"}

    @property
    def short(self) -> bool:
        """Whether it will be a picture, which takes seconds a page to read."""
        return self.variant in SCANNED

    @property
    def shown(self) -> Applicant:
        return self.other if self.variant == "other_name" else self.ours

    def fail(self, *checks: str) -> None:
        """Say that these checks ought not to pass."""
        self.wrong.update(checks)

    def tell(self, name: str, value: Value, printed: str = "") -> str:
        """Keep a field's truth, and how it is printed unless nothing on the page is it; answers the print."""
        self.truth[name] = value
        if printed:
            self.prints[name] = printed
        return printed

    def tell_day(self, name: str, on: date, how: Days = "short") -> str:
        return self.tell(name, on.isoformat(), day(on, how))

    def tell_money(self, name: str, cents: int, *, sign: str = "", dollars: bool = False) -> str:
        return self.tell(name, cents, money(cents, sign=sign, dollars=dollars))

    def named(self, name: str, *checks: str, upper: bool = False, field_name: str = "name") -> str:
        """The name that stands on the paper, which fails these checks where it is another's."""
        if self.variant == "other_name":
            self.fail(*checks)
        printed = name.upper() if upper else name
        return self.tell(field_name, printed, printed)

    def abn(self) -> str:
        """The business's ABN in its groups: of another business, or with a wrong digit, where the variant says so."""
        digits, spare, broken = self.shown.abn, business_number(self.rng), self.rng.random() < 0.5
        if self.variant == "wrong_abn":
            digits = off_by_one(digits) if broken else spare
        if self.variant in {"wrong_abn", "other_name"}:
            self.fail("abn")
        return self.tell("abn", digits, in_pairs(digits))

    def supplier_abn(self) -> str:
        """A supplier's ABN, which nobody knows beforehand: what is wrong with it is a digit."""
        digits = business_number(self.rng)
        if self.variant != "wrong_abn":
            return in_pairs(digits)
        self.fail("abn")
        return in_pairs(off_by_one(digits))

    def dated(self, most_days: int) -> date:
        """The day it counts from: within these days of today, or well past them."""
        recent, old = self.rng.randint(0, most_days), self.rng.randint(60, 400)
        if self.variant != "expired":
            return self.today - timedelta(days=recent)
        self.fail("age")
        return self.today - timedelta(days=most_days + old)

    def tax_file_number(self, label: str) -> None:
        """A line with a tax file number, where the variant has one."""
        digits = tax_file_number(self.rng)
        if self.variant in {"tax_number", "scanned_tax_number"}:
            self.canaries.append(digits)
            self.sheet.pair(label, grouped(digits))


def begun(kind: Kind, layout: str, variant: Variant, seed: str) -> Draft:
    """A draft; the same seed has the same applicant and day in every variant."""
    rng = Random(f"{seed}/{kind}/{layout}")
    entity = _ENTITIES.get(kind, "company")
    ours = applicant(rng, entity)
    return Draft(
        kind=kind, layout=layout, variant=variant, rng=rng,
        today=date(2026, 8, 3) + timedelta(days=rng.randrange(90)), ours=ours, other=_stranger(rng, ours),
    )  # fmt: skip


def _stranger(rng: Random, ours: Applicant) -> Applicant:
    """Another applicant, whose business and people are all named otherwise."""
    families, company = {each.family_name for each in ours.people}, ours.company.split()[:2]
    while True:
        other = applicant(rng, ours.entity)
        if not families & {each.family_name for each in other.people} and (
            not company or other.company.split()[:2] != company
        ):
            return other
