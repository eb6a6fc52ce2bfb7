"""What prepared statements send to a database, written down as they are sent."""

from typing import Any

import pytest
from sqlalchemy import Connection

from api.store.prepared import Prepared, Sent


def sent_in(monkeypatch: pytest.MonkeyPatch) -> list[Prepared]:
    """The statements sent from now on to the end of the test, each of which does what it always does."""
    sent: list[Prepared] = []
    send = Prepared.send

    def noting(self: Prepared, connection: Connection, values: Any) -> Sent:
        sent.append(self)
        return send(self, connection, values)

    monkeypatch.setattr(Prepared, "send", noting)
    return sent
