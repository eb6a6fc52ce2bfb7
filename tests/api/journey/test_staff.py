"""What staff see of what applicants did on their pages: who confirmed what was stated of them."""

from api.console.loading.case import load, people_view
from api.console.loading.names import people_named
from tests.support.applying import SECOND, House


def test_staff_see_who_confirmed(either: House) -> None:
    """On the case page: not yet, then confirmed; of whoever applied, who was sent no link, nothing is said."""
    browser = either.browser()
    application_id = browser.accept(
        you={"others": "1", "me-share": "half"},
        others={**SECOND, "other1-director": "yes", "other1-share": "half"},
    )

    def said() -> list[bool | None]:
        found = either.look(lambda connection: load(connection, either.case(application_id)))
        return [each.confirmed for each in people_view(found.application, found.people)]

    assert said() == [None, False]
    second = either.browser()
    second.get(either.link("ben@banksia.example", "/confirm/"))
    second.post("/confirm")
    assert said() == [None, True]


def test_a_caller_s_people_were_not_asked(lone: House) -> None:
    """An application without links says nothing of confirmations."""
    offered = lone.office.offered()
    named = lone.look(lambda connection: people_named(connection, offered["application_id"]))
    assert [each.confirmed for each in named.values()] == [None]
