"""What an applicant stated, read back: the application, and its people."""

from sqlalchemy import Connection

from api.store.queries import get_application
from api.store.queries import people_of as rows_of
from engine.application import Application
from engine.people import Person


def application_of(connection: Connection, application_id: str) -> Application:
    """An application as it was stated; LookupError for one that is not kept."""
    row = get_application(connection, application_id)
    if row is None:
        raise LookupError("no such application is kept")
    return Application.model_validate_json(row.body)


def people_of(connection: Connection, application_id: str) -> dict[str, Person]:
    """Its people by reference, but for those who were erased."""
    rows = rows_of(connection, application_id)
    return {row.ref: Person.model_validate_json(row.body) for row in rows if row.body is not None}
