"""A source without a socket: a conversation whose answers are a function of the request.

It does: hand each request to a function (a sandbox's `answer`, or one of a test's own), and refuse statuses as an
exchange does. It does not: time, retry or break off anything. The rule it keeps: a client cannot tell it from a
conversation over a wire.
"""

import asyncio
import hashlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from api.sandbox import Ask, Told
from api.sources import Asking, Client, SourceFailed, Why
from api.sources.exchange import Conversation, Headers, Reply
from engine.application import Application
from tests.support.businesses import AS_OF, business

Tell = Callable[[Ask], Told | Awaitable[Told]]
_WAIT_S = 20.0
_REFUSALS: dict[int, Why] = {401: "unauthorised", 403: "unauthorised", 429: "busy", 503: "busy"}


class Unplugged(Conversation):
    """A conversation with a function; `asks` holds the requests, in order."""

    def __init__(self, tell: Tell, headers: Headers | None = None) -> None:
        self._tell = tell
        self._headers = {name.lower(): value for name, value in (headers or {}).items()}
        self._bodies: list[bytes] = []
        self.asks: list[Ask] = []

    async def get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        headers: Headers | None = None,
        allow: tuple[int, ...] = (),
        text: bool = True,
    ) -> Reply:
        """Ask the function."""
        ask = Ask("GET", path, dict(query or {}), {**self._headers, **(headers or {})})
        self.asks.append(ask)
        told = self._tell(ask)
        if not isinstance(told, Told):
            told = await told
        if told.status not in (200, *allow):
            raise SourceFailed(_REFUSALS.get(told.status, "status"))
        self._bodies.append(told.body)
        return Reply(told.status, told.body)

    @property
    def digest(self) -> str | None:
        """A digest of the bodies; not the real one's."""
        return hashlib.sha256(b"".join(self._bodies)).hexdigest() if self._bodies else None

    @property
    def sandbox(self) -> bool:
        """As if every answer were marked."""
        return True


class Switchboard:
    """An exchange of unplugged conversations; `conversations` holds those that were opened."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.conversations: list[Unplugged] = []

    @asynccontextmanager
    async def conversation(self, until: float) -> AsyncIterator[Unplugged]:
        """One conversation."""
        self.conversations.append(Unplugged(self._tell))
        yield self.conversations[-1]


def asking(application: Application | None = None, as_of: datetime = AS_OF) -> Asking:
    """A question about a business, by default the ordinary one."""
    return Asking(application or business()[0], as_of, until=math.inf)


def fetched(client: Client[Any], question: Asking, conversation: Conversation) -> Any:
    """What a client answers; SourceFailed as an exchange would hand it on, and nothing left running."""

    async def fetch() -> Any:
        try:
            async with asyncio.timeout(_WAIT_S):
                return await client.fetch(question, conversation)
        except ExceptionGroup as group:
            if group.split(SourceFailed)[1] is not None:
                raise
            raise group.exceptions[0] from None
        finally:
            assert asyncio.all_tasks() == {asyncio.current_task()}

    return asyncio.run(fetch())


def why_not(client: Client[Any], question: Asking, conversation: Conversation) -> Why | None:
    """Why a client gave no answer, None where it gave one."""
    try:
        fetched(client, question, conversation)
    except SourceFailed as failed:
        return failed.why
    return None
