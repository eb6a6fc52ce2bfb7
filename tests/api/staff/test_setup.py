"""The door as a process opens it: which origins it believes, and what it refuses to open with."""

import pytest

from api.guards import BlindIndex
from api.sealing import Sealer
from api.staff.door import Door
from api.staff.setup import open_door
from api.store.database import Database
from tests.support.service import Clock


def _opened(url: str, origin: str, *, development: bool = False) -> Door:
    with Database.open(url) as database:
        index, sealer = BlindIndex(bytes(32)), Sealer({"tests": bytes(32)})
        door = open_door(database, sealer, index, Clock(), origin=origin, port=8123, development=development)
        door.passwords.close()
        return door


def test_in_development_the_door_is_on_the_loopback_interface(sqlite_url: str) -> None:
    """Both names of it are ours; elsewhere there is one origin."""
    door = _opened(sqlite_url, "", development=True)
    assert (door.origins, door.party.id) == (("http://127.0.0.1:8123", "http://localhost:8123"), "localhost")
    door = _opened(sqlite_url, "https://console.lender.example:8443")
    assert (door.origins, door.party.id) == (("https://console.lender.example:8443",), "console.lender.example")


@pytest.mark.parametrize(
    "origin", ["", "http://console.lender.example", "console.lender.example", "https://a.example/"]
)
def test_outside_development_the_origin_is_set_and_https(sqlite_url: str, origin: str) -> None:
    """Missing, in plain text, or no origin at all: the process does not start."""
    with pytest.raises(ValueError, match="CREDITLINE_ORIGIN"):
        _opened(sqlite_url, origin)
