"""What the flow works with: the store, the sources, the releases in service, keys and the clock.

It does: hold them, and fix the release of one request. It does not: decide what is kept. The rule it keeps: outside a
request `release` is the champion of this moment; within one it never changes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Self

import models
from api.advice.honouring import LoadRelease
from api.guards import BlindIndex
from api.rollout.arms import Chosen, InService, choose
from api.sources import Sources
from api.store.database import Database
from engine.release import Release

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The moment, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Shell:
    """What the flow works with; `chosen` is set for one request, by `choosing`."""

    database: Database
    sources: Sources
    releases: InService
    engine_digest: str
    index: BlindIndex
    clock: Clock = utc_now
    load_release: LoadRelease = models.load  # one that served before, where a promise was made under it
    chosen: Chosen | None = None

    @property
    def release(self) -> Release:
        """The release of this request, or else the champion of this moment."""
        return self.releases.lineup.champion if self.chosen is None else self.chosen.release

    def choosing(self, abn: str) -> Self:
        """The same for one request of this business, whose release is fixed."""
        return replace(self, chosen=choose(self.releases.lineup, self.index, abn))

    def fixed(self) -> Chosen:
        """This request's release; the champion where nobody chose."""
        return self.chosen or Chosen(self.releases.lineup.champion, self.releases.lineup)
