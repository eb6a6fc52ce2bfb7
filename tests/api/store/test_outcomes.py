"""What became of the newest applications, counted."""

from api.store.queries.outcomes import NEWEST, newest_outcomes
from tests.support.service import Service, body_of


def test_first_decisions_are_counted(service: Service) -> None:
    """Each application counts once, by its first decision; nothing counts before there is one."""
    with service.database.transaction(read_only=True) as connection:
        assert newest_outcomes(connection) == (0, 0)
    reply = service.apply(body_of()).json()
    with service.database.transaction(read_only=True) as connection:
        assert newest_outcomes(connection) == (int(reply["outcome"] == "refer"), 1)
    assert NEWEST == 1_000
