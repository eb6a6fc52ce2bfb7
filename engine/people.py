"""People behind a business: owners, directors, guarantors, the contact.

It does: check personal details for form. It does not: reach a decision; engine.application holds people by
reference only, and a test forbids any feature from reading this module. The rule it keeps: date of birth
serves identity, nothing else; no title, gender, marital status, nationality or tax file number is asked.
"""

import re
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo

from engine.application import PersonRef, Role
from engine.values import Frozen, Mobile, Name, State, problem

ADULT_YEARS = 18
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f.]+(?:\.[^@\s\x00-\x1f\x7f.]+)+")


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise problem("email_invalid", "Not an e-mail address")
    return text


def _adult(born: date, info: ValidationInfo) -> date:
    today = info.context.get("today") if isinstance(info.context, dict) else None
    if isinstance(today, date):
        years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
        if years < ADULT_YEARS:
            raise problem("not_adult", "Must be 18 or older")
    return born


class Address(Frozen):
    """A street address; the postcode is text, since the Northern Territory's begin with 0."""

    line1: Name
    line2: Name | None = None
    suburb: Name
    state: State
    postcode: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]


class Person(Frozen):
    """One person's details as stated; the home address is asked only after an offer."""

    roles: Annotated[tuple[Role, ...], Field(min_length=1, max_length=4, strict=False)]
    ownership_bps: Annotated[int, Field(ge=0, le=10_000)] = 0
    given_names: Name
    family_name: Name
    date_of_birth: Annotated[date, Field(ge=date(1900, 1, 1)), AfterValidator(_adult)]
    mobile: Mobile
    email: Annotated[str, StringConstraints(max_length=254), AfterValidator(_email)]
    # 15 digits from 036; the check digit's algorithm is not public, so only the form is checked.
    director_id: Annotated[str, StringConstraints(pattern=r"^036[0-9]{12}$")] | None = None
    home_address: Address | None = None

    @property
    def full_name(self) -> str:
        """Given names, then the family name."""
        return f"{self.given_names} {self.family_name}"

    def reference(self, ref: str) -> PersonRef:
        """The part of this person that an application may hold."""
        return PersonRef(ref=ref, roles=self.roles, ownership_bps=self.ownership_bps)
