"""Names for ids: staff, businesses, people; erased people have none."""

import json
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from api.stated import people_of
from api.store import queries as store
from api.store.queries.applicants import links_of


@dataclass(frozen=True, slots=True)
class Named:
    """A person's name and birthday; `confirmed` what was stated of them, by a link of their own, if one was sent."""

    name: str
    born: date
    confirmed: bool | None = None


def staff_names(connection: Connection) -> dict[str, str]:
    """Everybody's name by id; the machine and the clock have theirs."""
    return {each.id: each.name for each in store.list_staff(connection)} | {"machine": "machine", "clock": "the clock"}


def business_name(connection: Connection, application_id: str) -> str:
    """The legal name as it was stated; KeyError for an application that is not kept."""
    row = store.get_application(connection, application_id)
    if row is None:
        raise KeyError("a case has an application")
    return str(json.loads(row.body)["business"]["legal_name"])


def people_named(connection: Connection, application_id: str) -> dict[str, Named]:
    """The people of an application by reference, but for those who were erased."""
    links = links_of(connection, application_id)
    asked = {each.person_ref: each.used_at is not None for each in links if each.purpose == "confirm"}
    people = people_of(connection, application_id)
    return {ref: Named(each.full_name, each.date_of_birth, asked.get(ref)) for ref, each in people.items()}
