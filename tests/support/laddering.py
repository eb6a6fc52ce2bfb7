"""The ladder as the settings build it, in front of a sandbox, each source behind whatever a test puts before it.

It does: make settings, ladders and questions about a story, wait for the sanctions list, and run the whole service
over a ladder in one event loop. It does not: replace anything of the ladder. The rule it keeps: every wait is bounded.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import httpx

from api.sandbox import PREFIXES
from api.sandbox.stories import book
from api.sources import Asking, Gathered, ScreenedName, Source
from api.sources.ladder import Ladder
from api.sources.settings import SourceSettings
from api.sources.setup import ladder
from tests.support.service import APPLICATIONS, Service, apply_arguments, opened

# What the sandbox plays, and the fact that rests on it.
FACT_OF: Mapping[str, Source] = {
    "register": "registry", "company_register": "registry", "marketplace": "marketplace", "bank": "bank",
    "bureau": "bureau", "sanctions": "compliance",
}  # fmt: skip
ASKED = tuple(name for name in PREFIXES if name != "sanctions")  # about each application
LONG_S = 30.0  # never what ends a question, even on a busy machine
_LOADED_S = 30.0


def now() -> datetime:
    """The moment, UTC."""
    return datetime.now(UTC)


def settings_of(
    sandbox: str, at: Mapping[str, str] | None = None, timeouts_s: Mapping[str, float] | None = None
) -> SourceSettings:
    """Everything at this sandbox, but the sources of `at` at other addresses, and perhaps with less patience."""
    told = {"CREDITLINE_SANDBOX": sandbox}
    told |= {f"CREDITLINE_{name.upper()}_TIMEOUT_MS": str(int(LONG_S * 1000)) for name in ASKED}
    told |= {f"CREDITLINE_{name.upper()}_TIMEOUT_MS": str(int(s * 1000)) for name, s in (timeouts_s or {}).items()}
    for name, url in (at or {}).items():
        if name in ASKED:
            told[f"CREDITLINE_{name.upper()}_URL"] = url + PREFIXES[name]
        else:
            told["CREDITLINE_SANCTIONS_LIST"] = f"{url}{PREFIXES[name]}/consolidated.xlsx"
    return SourceSettings.from_environment(told)


@asynccontextmanager
async def standing(settings: SourceSettings, *, listed: bool = True) -> AsyncIterator[Ladder]:
    """A ladder in use; with `listed`, once the sanctions list is in force."""
    rungs = ladder(settings, now, development=True)
    async with rungs.opened():
        if listed:
            await in_force(rungs)
        yield rungs


async def in_force(rungs: Ladder) -> None:
    """Wait for the ladder's sanctions list."""
    async with asyncio.timeout(_LOADED_S):
        while rungs._compliance is None or rungs._compliance.in_force is None:
            await asyncio.sleep(0.01)


def question(story: str = "clean", seconds: float = LONG_S, **other: Any) -> Asking:
    """What the service asks about a story; `seconds` is the time there is."""
    names = (ScreenedName("Robin Sample Anybody", None, person=True),)
    application = book()[story].application(now().date())
    return replace(Asking(application, now(), f"app_{story}", names, time.monotonic() + seconds), **other)


async def gathered(settings: SourceSettings, story: str = "clean", seconds: float = LONG_S) -> tuple[Gathered, float]:
    """What one ladder, made for this question, gathers about a story, and the seconds it takes."""
    async with standing(settings) as rungs:
        asked = question(story, seconds)
        began = time.monotonic()
        return await rungs.gather(asked), time.monotonic() - began


@dataclass(frozen=True)
class Reached:
    """The whole service over one ladder, both in this event loop."""

    service: Service
    ladder: Ladder

    async def apply(self, story: str, budget_ms: int, change: Mapping[str, Any] | None = None) -> httpx.Response:
        """A story's application, with this budget; `change` replaces rooms of the body."""
        body = {**book()[story].submission(now().date()), **(change or {})}
        headers = {"Request-Deadline-Ms": str(budget_ms)}
        return await self.service.send("POST", APPLICATIONS, **apply_arguments(body, headers=headers))


@contextmanager
def reached(url: str, settings: SourceSettings) -> Iterator[Reached]:
    """The service on a migrated database whose facts come over a ladder; the champion decides.

    The ladder's connections belong to the loop in which `ladder.opened()` is entered, so that is left to the test.
    """
    rungs = ladder(settings, now, development=True)
    with opened(url, sources=rungs) as service:
        yield Reached(service, rungs)
