"""The case service as settings describe it: desk, intray and post office, and the loops that work for them.

It does: build them. It does not: start anything. The rule it keeps: outside development the contract is
the lender's own.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from api import worker
from api.cases.desk import Desk
from api.cases.intray import Intray
from api.cases.reading import look_at_next
from api.cases.ticking import tick
from api.contracts.rendering import load_template
from api.documents.inspector import Inspector
from api.documents.scanner import Scanner
from api.documents.storage import storage_at
from api.flow import Shell
from api.notices.letters import Letters, Wording
from api.notices.sending import PostOffice, Send, post_office, send_due
from api.sealing import Sealer
from api.settings import Settings
from engine.verification.documents import KINDS, RETURN_REASONS

_TICK_SECONDS, _SEND_SECONDS = 5.0, 2.0
_MOST_DOCUMENTS = 20  # looked at in one turn


def _returned(code: str) -> tuple[str, str]:
    reason = RETURN_REASONS[code]
    return reason.wrong, reason.send


_WORDING = Wording(kind=lambda kind: KINDS[kind].title, returned=_returned)


@dataclass(frozen=True, slots=True)
class CaseService:
    """Everything that verification works with."""

    desk: Desk
    intray: Intray
    office: PostOffice
    letters: tuple[str, Send] | None = None  # mails beside notices, by their topic of the outbox

    def loops(self) -> tuple[Coroutine[Any, Any, None], ...]:
        """What runs beside the requests."""
        return (
            worker.repeat(self._look, _TICK_SECONDS, self.intray.arrived),
            worker.repeat(lambda: tick(self.desk), _TICK_SECONDS),
            worker.repeat(
                lambda: send_due(self.office, () if self.letters is None else (self.letters,)), _SEND_SECONDS
            ),
        )

    async def _send(self) -> None:
        await send_due(self.office, () if self.letters is None else (self.letters,))

    async def _look(self) -> None:
        for _ in range(_MOST_DOCUMENTS):
            if not await look_at_next(self.desk, self.intray):
                return
            await asyncio.sleep(0)


def case_service(settings: Settings, shell: Shell, sealer: Sealer) -> CaseService:
    """The case service of these settings."""
    template = load_template(settings.contract_template, development=settings.development)
    desk = Desk(shell, template, settings.lender(), webhook=settings.notices.hook is not None)
    intray = Intray(storage_at(settings.documents, sealer), Inspector(), Scanner(settings.scanner))
    page = settings.notices.page or (f"http://127.0.0.1:{settings.port}/my" if settings.development else None)
    letters = Letters.load(settings.lender(), page, _WORDING)
    office = post_office(shell.database, settings.notices, letters, shell.clock)
    return CaseService(desk, intray, office)
