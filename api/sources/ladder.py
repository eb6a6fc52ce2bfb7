"""The ladder: free sources at once, then the paid one, inside a budget; every answer becomes a fact.

It does: share the time out, ask each source in a conversation of its own, stamp what came with source, time and
digest, and turn whatever did not come into a failed fact with its reason. It does not: know HTTP or any wire
format. The rules it keeps: nothing is waited for beyond its share; the paid source is asked only where the free
facts leave the decision open, and never again for a fact that is held already.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

import structlog

from api.errors import where
from api.metrics import SOURCE_FAILURES, SOURCE_SECONDS
from api.sources import (
    NOT_ASKED,
    Asking,
    Client,
    Gathered,
    ScreenedName,
    Source,
    SourceFailed,
    Why,
    about,
    absent,
    failed,
)
from api.sources.exchange import Conversation, Exchange
from api.sources.sanctions import Compliance
from engine.facts import Fact, RegisterRecord

log = structlog.get_logger()

FREE: tuple[Source, ...] = ("registry", "marketplace", "bank")
PAID: Source = "bureau"
FREE_SHARE = 0.6  # of the time for all sources; what the free ones leave over goes to the paid one


@dataclass(frozen=True, slots=True)
class Post:
    """One source on the ladder: who speaks its language, over which exchange."""

    client: Client[Any]
    exchange: Exchange


class Ladder:
    """Every outside source over real connections; a source without a post is not configured.

    `also` are further exchanges that clients use, to be closed with the others.
    """

    remote = True

    def __init__(
        self,
        posts: Mapping[Source, Post],
        compliance: Compliance | None,
        clock: Callable[[], datetime],
        *,
        development: bool,
        made_up_list: Callable[[], bool] = lambda: False,
        also: Sequence[Exchange] = (),
    ) -> None:
        self._posts = posts
        self._exchanges = (*(post.exchange for post in posts.values()), *also)
        self._made_up_list = made_up_list
        self._compliance = compliance
        self._clock = clock
        self._development = development
        self.synthetic = False  # what a sandbox says is told from its answers, one by one

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """For as long as the service runs: the lists are loaded and renewed, connections are given up at the end."""
        renewing = asyncio.create_task(self._compliance.renew()) if self._compliance is not None else None
        try:
            yield
        finally:
            if renewing is not None:
                renewing.cancel()
                with suppress(asyncio.CancelledError):
                    await renewing
            for exchange in self._exchanges:
                await exchange.close()

    async def gather(self, asking: Asking) -> Gathered:
        """Ask rung by rung; comes back at `asking.until` at the latest, whatever the sources do."""
        now = time.monotonic()
        free_until = now + (asking.until - now) * FREE_SHARE
        facts = dict(zip(FREE, await asyncio.gather(*(self._ask(s, asking, free_until) for s in FREE)), strict=True))
        at = self._clock()
        partial = Gathered(
            registry=facts["registry"], marketplace=facts["marketplace"], bank=facts["bank"],
            bureau=absent(NOT_ASKED, at), compliance=absent(NOT_ASKED, at),
        )  # fmt: skip
        # The local list costs a few milliseconds and refers at most: it is looked at while the bureau is asked.
        compliance, bureau = await asyncio.gather(self._screen(asking, partial.registry), self._pay(asking, partial))
        return replace(partial, compliance=compliance, bureau=bureau)

    async def look_up(self, abn: str, as_of: datetime, until: float) -> Fact[RegisterRecord]:
        """Ask the register alone; comes back at `until` at the latest."""
        return await self._ask("registry", about(abn, as_of, until), until)

    async def _pay(self, asking: Asking, partial: Gathered) -> Fact[Any]:
        if _held(PAID, asking) is None and asking.settled(partial):
            return partial.bureau
        return await self._ask(PAID, asking, asking.until)

    async def _screen(self, asking: Asking, registry: Fact[RegisterRecord]) -> Fact[Any]:
        """Everybody named in the application, and the names that the register gives the business."""
        record = registry.value
        known = (record.entity_name, *record.business_names) if record is not None and record.found else ()
        names = (*asking.names, *(ScreenedName(name) for name in known))
        if known and asking.earlier is not None and asking.earlier.registry.status == "failed":
            asking = replace(asking, earlier=None)  # these names are told for the first time: nobody has screened them
        return await self._ask("compliance", replace(asking, names=names), asking.until)

    async def _ask(self, name: Source, asking: Asking, until: float) -> Fact[Any]:
        """One source's fact; a fact held from earlier is not asked for again."""
        held = _held(name, asking)
        if held is not None:
            return held
        started = time.monotonic()
        try:
            async with asyncio.timeout_at(until):
                fact = await self._fetch(name, asking, until)
        except SourceFailed as error:
            fact = self._failed(name, error.why)
        except TimeoutError:
            fact = self._failed(name, "timeout")
        except Exception as error:  # a client's mistake must not cost the applicant the decision
            log.error("source_error", source=name, error_type=type(error).__name__, where=where(error))
            fact = self._failed(name, "internal")
        SOURCE_SECONDS.labels(name, fact.status).observe(time.monotonic() - started)
        return fact

    async def _fetch(self, name: Source, asking: Asking, until: float) -> Fact[Any]:
        if name == "compliance":
            return await self._listed(asking)
        post = self._posts.get(name)
        if post is None:
            raise SourceFailed("not_configured")
        async with post.exchange.conversation(until) as conversation:
            answer = await post.client.fetch(replace(asking, until=until), conversation)
        conversations = (conversation, *answer.also)
        made_up = any(each.sandbox for each in conversations)
        if made_up and not self._development:
            raise SourceFailed("pretended")
        source = f"synthetic/sandbox/{name}" if made_up else post.exchange.line.name
        return Fact[Any](
            source=source, fetched_at=self._clock(), digest=_digest(conversations),
            status="absent" if answer.value is None else "present", value=answer.value,
        )  # fmt: skip

    async def _listed(self, asking: Asking) -> Fact[Any]:
        """What the sanctions list in force says; it is held in this process, so nobody is asked."""
        if self._compliance is None or self._compliance.in_force is None:
            raise SourceFailed("not_configured")
        listed = self._compliance.in_force.listed
        answer = await self._compliance.fetch(asking)
        if self._made_up_list() and not self._development:
            raise SourceFailed("pretended")
        source = "synthetic/sandbox/compliance" if self._made_up_list() else "sanctions-list"
        return Fact[Any](
            source=source, fetched_at=self._clock(), digest=listed.digest, status="present", value=answer.value
        )

    def _failed(self, name: Source, why: Why) -> Fact[Any]:
        SOURCE_FAILURES.labels(name, why).inc()
        post = self._posts.get(name)
        return failed(post.exchange.line.name if post else name, why, self._clock())


def _held(name: Source, asking: Asking) -> Fact[Any] | None:
    """The fact had earlier, if it was had."""
    held = None if asking.earlier is None else asking.earlier.of(name)
    return None if held is None or held.status == "failed" or held.source == NOT_ASKED else held


def _digest(conversations: tuple[Conversation, ...]) -> str | None:
    """The digest of what came over the wire: that of the only conversation, or over those of several."""
    digests = [each.digest for each in conversations if each.digest is not None]
    return digests[0] if len(digests) == 1 else sha256("".join(digests).encode()).hexdigest() if digests else None
