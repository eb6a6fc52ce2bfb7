"""The compliance source: the sanctions list in force, held in this process and renewed on a timer.

It does: load the list whole, keep the one before where a new one is bad, and screen an application's names on a
thread. It does not: look for politically exposed people (`politically_exposed` is always False here) or fraud, nor
talk to anybody about an application: names never leave the process. The rules it keeps: without a list, or with one
that has not been renewed for a week, nobody is screened and the fact is failed; no log line says who was screened, or
that anybody was found.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from api.metrics import SANCTIONS_LIST
from api.sources import Answer, Asking, ScreenedName, Source, SourceFailed
from api.sources.sanctions.names import fold
from api.sources.sanctions.reader import LEAST_NAMES, SanctionsList, read_list
from api.sources.sanctions.screening import Screened, Screening, Unscreenable
from api.sources.sanctions.workbook import MOST_BYTES, ListRejected
from engine.application import NATURAL_PERSON_ENTITIES
from engine.facts import ComplianceCheck

log = structlog.get_logger()

MAX_AGE_S: Final = 7 * 86_400.0
EVERY_S: Final = 3_600.0
_AGAIN_S: Final = 5.0  # until there is a list at all
_LOAD_S: Final = 120.0
_LEAST_SHARE: Final = 0.5  # of the names before: a list that lost half of them was cut short
_MOST_HITS: Final = 1_000  # as in the facts

# Where a list's bytes come from: a file, or whatever asks its publisher.
Origin = Path | Callable[[], Awaitable[bytes]]


class InForce(NamedTuple):
    """The list in force, made ready, and when its publisher or file last had it (Unix time)."""

    listed: SanctionsList
    screening: Screening
    had_at: float


class Compliance:
    """The client `compliance`: screens locally, so it needs no conversation."""

    name: Source = "compliance"

    def __init__(
        self,
        origin: Origin | None,
        *,
        max_age_s: float = MAX_AGE_S,
        every_s: float = EVERY_S,
        least_names: int = LEAST_NAMES,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._origin = origin
        self._max_age_s = max_age_s
        self._every_s = every_s
        self._least_names = least_names
        self._now = now
        self._loading = asyncio.Lock()
        self.in_force: InForce | None = None
        self.rejected = 0  # lists not taken since the start

    async def renew(self) -> None:
        """Load the list at once and then on a timer, changed or not, until cancelled."""
        while self._origin is not None:
            await self.load()
            await asyncio.sleep(self._every_s if self.in_force else min(_AGAIN_S, self._every_s))

    async def load(self) -> bool:
        """Load the list; False where it was not taken, and the one before stays in force."""
        async with self._loading:
            try:
                async with asyncio.timeout(_LOAD_S):
                    content, had_at = await self._content()
                    found = await asyncio.to_thread(self._read, content, had_at)
            except (ListRejected, SourceFailed) as error:
                return self._not_taken(error.why)
            except Exception as error:  # whatever it was, the list before is better than none
                return self._not_taken(type(error).__name__)
            self.in_force = found
            SANCTIONS_LIST.set(found.had_at)
            log.info(
                "sanctions_list", names=found.listed.count, as_of=str(found.listed.as_of), digest=found.listed.digest
            )
            return True

    async def fetch(self, asking: Asking, conversation: object = None) -> Answer[ComplianceCheck]:
        """How many listings the names may be; raises SourceFailed, also where a name cannot be screened."""
        screened = await self.screen(_everybody(asking))
        return Answer(ComplianceCheck(sanctions_hits=min(len(screened.hits), _MOST_HITS)))

    async def screen(self, names: tuple[ScreenedName, ...]) -> Screened:
        """The hits themselves, for the compliance role alone; raises SourceFailed."""
        held = self.in_force
        if held is None:
            raise SourceFailed("not_configured")
        if self._now() - held.had_at > self._max_age_s:
            raise SourceFailed("stale")
        try:
            return await asyncio.to_thread(held.screening.check, names)
        except Unscreenable:
            # Nobody to screen, or a name without letters: a person looks, where "no hits" would let it pass.
            raise SourceFailed("schema") from None

    async def _content(self) -> tuple[bytes, float]:
        if self._origin is None:
            raise SourceFailed("not_configured")
        if not isinstance(self._origin, Path):
            return await self._origin(), self._now()
        # A file that nobody renews grows old, however often it is read.
        return await asyncio.to_thread(_read_file, self._origin)

    def _read(self, content: bytes, had_at: float) -> InForce:
        listed = read_list(content, self._least_names)
        if self.in_force is not None and listed.count < self.in_force.listed.count * _LEAST_SHARE:
            raise ListRejected("shrunk")
        return InForce(listed, Screening(listed), had_at)

    def _not_taken(self, why: str) -> bool:
        self.rejected += 1
        log.error("sanctions_list_not_taken", why=why, kept=self.in_force is not None, rejected=self.rejected)
        return False


def _read_file(path: Path) -> tuple[bytes, float]:
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)  # one more than the reader takes: it refuses, nothing is cut
    return content, path.stat().st_mtime


def _everybody(asking: Asking) -> tuple[ScreenedName, ...]:
    """The names as asked, and the business's once more as a person's where the law knows no other: a sole trader."""
    names = asking.names
    if asking.application.business.entity_type not in NATURAL_PERSON_ENTITIES:
        return names
    people = [name for name in names if name.person]
    businesses = [name for name in names if not name.person]
    return (*names, *(_as_person(name, people) for name in businesses))


def _as_person(business: ScreenedName, people: list[ScreenedName]) -> ScreenedName:
    """The business's name with the date of birth of the person that it names, where there is such a person."""
    told = set(fold(business.name, person=True))
    same = [person for person in people if told and _within(told, set(fold(person.name, person=True)))]
    return ScreenedName(business.name, same[0].born if len(same) == 1 else None, person=True)


def _within(one: set[str], other: set[str]) -> bool:
    return one <= other or other <= one
