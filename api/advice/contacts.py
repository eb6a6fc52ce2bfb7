"""Whom an applicant turns to: the lender's complaints desk, its bureau and other sources, as the lender says.

It does: read the lender's file, and give marked placeholders where development has none. It does not: invent a
membership. The rules it keeps: a dispute scheme is named only where the lender says that it is a member, with its
number; a value that still has brackets is a placeholder and is refused outside development.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self

from pydantic import StringConstraints, ValidationError, model_validator

from engine.values import Frozen, problem

Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class ContactsRefused(ValueError):
    """The lender's file of contacts cannot be used; the message names the field, never its value."""


class Contact(Frozen):
    """Who somebody is and how they are reached."""

    name: Line
    telephone: Line | None = None
    email: Line | None = None
    page: Line | None = None
    post: Line | None = None


class Complaints(Frozen):
    """The lender's own complaints desk, and the dispute scheme where it is a member of one."""

    desk: Contact
    scheme_member: bool = False
    scheme: Contact | None = None
    scheme_number: Line | None = None

    @model_validator(mode="after")
    def _member_of_something(self) -> Self:
        if self.scheme_member and (self.scheme is None or self.scheme_number is None):
            raise problem("scheme", "A member names the scheme and its number there")
        return self


class Contacts(Frozen):
    """Everybody an applicant may turn to."""

    complaints: Complaints
    bureau: Contact
    marketplace: Contact
    support: Contact | None = None  # who helps an applicant along; the complaints desk where there is nobody else

    @property
    def helps(self) -> Contact:
        """Whom somebody turns to who is stuck."""
        return self.support or self.complaints.desk


PLACEHOLDERS = Contacts(
    complaints=Complaints(
        desk=Contact(
            name="[complaints desk of the lender]", telephone="[its telephone number]", email="[its e-mail address]"
        )
    ),
    bureau=Contact(name="[credit reporting body of the lender]", telephone="[its telephone number]", page="[its page]"),
    marketplace=Contact(name="[support of the marketplace]", page="[its page]"),
    support=Contact(
        name="[whoever helps the lender's applicants]", telephone="[its telephone number]", email="[its e-mail address]"
    ),
)


def load_contacts(path: Path | None, *, development: bool) -> Contacts:
    """The lender's contacts; placeholders where development names no file. Raises ContactsRefused."""
    if path is None:
        if not development:
            raise ContactsRefused("CREDITLINE_CONTACTS must name the lender's file of contacts")
        return PLACEHOLDERS
    try:
        found = Contacts.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise ContactsRefused("the file of contacts cannot be read as TOML") from None
    except ValidationError as error:
        fields = sorted({".".join(map(str, item["loc"])) or "complaints" for item in error.errors(include_input=False)})
        raise ContactsRefused(f"the file of contacts: {', '.join(fields)}") from None
    if not development and any("[" in text for text in _texts(found.model_dump())):
        raise ContactsRefused("the file of contacts still has placeholders in brackets")
    return found


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value
