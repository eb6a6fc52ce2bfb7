"""The applicants' side as settings describe it: the lobby, what sends applications, and the loops that work for them.

The rule: outside development the pages have one address, it is set, and it is https.
"""

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from api import worker
from api.applicants import drafts, uploads
from api.applicants.letters import TOPIC, send_letter
from api.applicants.uploads import Place
from api.applicants.visits import Lobby
from api.cases.setup import CaseService
from api.flow import Clock, Shell
from api.journey.costing import Outcomes
from api.journey.prefilling import LookUp
from api.journey.sending import Desk
from api.notices.sending import PostOffice, Send
from api.sealing import Sealer
from api.settings import Settings
from api.sources.ladder import Ladder
from api.sources.standin import MarketSources
from api.store import queries as store

_FORGET_SECONDS = 600.0
_JOIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Journey:
    """Everything that the applicants' pages work with."""

    lobby: Lobby
    desk: Desk
    look_up: LookUp | None
    place: Place
    outcomes: Outcomes

    def loops(self) -> tuple[Coroutine[Any, Any, None], ...]:
        """What runs beside the requests."""
        return (
            worker.repeat(lambda: drafts.forget_old(self.lobby), _FORGET_SECONDS),
            worker.repeat(lambda: uploads.remove_lapsed(self.place), _FORGET_SECONDS),
            worker.repeat(self.desk.join_left, _JOIN_SECONDS),
        )

    def letters(self, office: PostOffice) -> tuple[str, Send]:
        """How the post office sends the letters that let applicants in."""

        async def send(message: store.OutboxRow) -> bool:
            return await send_letter(self.lobby, office.post, office.settings.sender, message)

        return TOPIC, send


def journey(settings: Settings, shell: Shell, cases: CaseService, sealer: Sealer, clock: Clock) -> Journey:
    """The applicants' side of these settings."""
    told = urlsplit(settings.notices.page or "")
    local = (f"http://127.0.0.1:{settings.port}", f"http://localhost:{settings.port}")
    origins = (f"{told.scheme}://{told.netloc}",) if told.netloc else local
    lobby = Lobby(shell.database, sealer, shell.index, clock, origins)
    sources = shell.sources
    look_up = sources.look_up if isinstance(sources, Ladder | MarketSources) else None
    return Journey(
        lobby, Desk(lobby, shell, origins[0]), look_up, Place(lobby, cases.desk, cases.intray), Outcomes(shell.database)
    )
