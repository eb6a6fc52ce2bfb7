"""Nothing is drawn before the contract is signed and the customer identified: told by the API, held by the database."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from api.cases.acts import Actor
from api.contracts.signing import may_draw, record_due_diligence
from api.store import queries as store
from tests.support.accessing import Somebody, World, told, world


@pytest.fixture
def made(url: str) -> Iterator[World]:
    """The service on either database, with an approved case whose line is open."""
    with world(url) as found:
        yield found


def contract(made: World, application_id: str) -> dict[str, object]:
    """What the applicant's own key is told of the contract."""
    found: dict[str, object] = made.service.ask("GET", f"/v1/applications/{application_id}/contract").json()
    return found


def the_line(made: World) -> tuple[str, store.LineRow]:
    """The one line there is, and its application."""
    [target] = [each for each in made.targets if "contract" in each.has]
    line = made.office.look(lambda connection: store.line_of(connection, target.id))
    assert line is not None
    return target.id, line


def record(made: World, who: Somebody, line_id: str) -> str:
    """What somebody is told who records due diligence in the console."""
    path = f"/console/lines/{line_id}/due-diligence"
    return told(made.ask("POST", path, who.headers, data={"identified": "yes"}))


def test_the_way_to_the_first_drawdown(made: World) -> None:
    """Signed by nobody: no. Signed and open: not yet, and why. Identified, by compliance and nobody else: yes."""
    case = made.office.approved(made.verified(_verifier(made)), _approver(made))
    before = contract(made, case.application_id)
    assert (before["line_id"], before["may_draw"], before["draw_obstacle"]) == (None, False, "not_signed")
    application_id, line = the_line(made)
    opened = contract(made, application_id)
    assert opened["line_id"] == line.id
    assert (opened["may_draw"], opened["draw_obstacle"]) == (False, "due_diligence_incomplete")
    people = {each.name: each for each in made.people}
    for name in ("verifier", "approver", "risk", "admin", "auditor", "verifier and approver"):
        assert record(made, people[name], line.id) == "forbidden"
    assert contract(made, application_id) == opened
    assert record(made, people["compliance"], line.id) == "303"
    after = contract(made, application_id)
    assert (after["may_draw"], after["draw_obstacle"]) == (True, None)
    assert record(made, people["compliance"], line.id) == "not-now"


def test_one_function_answers_for_every_state_of_a_line(made: World) -> None:
    """The words of the API are those of `may_draw`, which any drawdown has to pass."""
    _, line = the_line(made)
    assert [may_draw(None), may_draw(line)] == ["not_signed", "due_diligence_incomplete"]


@pytest.mark.parametrize(
    "change",
    [
        "due_diligence_at = 1", "due_diligence_by = 'stf_none'", "due_diligence_at = 1, due_diligence_by = 'stf_none'",
        "due_diligence_at = NULL, due_diligence_by = NULL", "limit_cents = 30000000", "opened_at = 0",
    ],
)  # fmt: skip
def test_the_database_lets_nobody_around_it(made: World, change: str) -> None:
    """Half a record, one by nobody who works here, one taken back, another limit: refused, before and after."""
    application_id, line = the_line(made)
    compliance = next(each for each in made.people if each.name == "compliance")

    def set_it() -> None:
        with made.service.database.transaction() as connection:
            connection.execute(text(f"UPDATE line SET {change} WHERE id = :line"), {"line": line.id})

    if "NULL" not in change:  # what is not recorded cannot be taken back
        with pytest.raises(DatabaseError):
            set_it()
    asyncio.run(
        made.service.database.write(
            lambda connection: record_due_diligence(
                connection, line.id, compliance.staff_id, "compliance", made.office.clock()
            )
        )
    )
    with pytest.raises(DatabaseError):
        set_it()
    assert contract(made, application_id)["may_draw"] is True


def _verifier(made: World) -> Actor:
    return Actor(made.member("verifier"), "verifier")


def _approver(made: World) -> Actor:
    return Actor(made.member("approver"), "approver")
