"""What the tests of the roll-out share: folders of releases, and a service that follows one a tick at a time."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api.rollout.arms import Lineup, Trial
from api.rollout.following import Follower
from api.store import queries as store
from api.store.queries.rollout import RolloutEvent
from tests.support.rollouts import folder_of
from tests.support.service import Service, market_bodies, opened


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped release as champion, and one that judges more strictly; copied before it is changed."""
    return folder_of(tmp_path_factory.mktemp("published") / "releases", strict=1.5)


@pytest.fixture
def releases(published: Path, tmp_path: Path) -> Path:
    """A folder of releases of the test's own."""
    return Path(shutil.copytree(published, tmp_path / "releases"))


@dataclass
class House:
    """A service that follows a folder of releases, with applications of different businesses to send."""

    service: Service
    bodies: list[dict[str, Any]]
    sent: int = 0

    @property
    def follower(self) -> Follower:
        """What follows the folder."""
        follower: Follower = self.service.state.rooms.follower
        return follower

    @property
    def lineup(self) -> Lineup:
        """The releases in service."""
        lineup: Lineup = self.service.state.shell.releases.lineup
        return lineup

    def trial(self) -> Trial | None:
        """The challenger in service, if any is."""
        return self.lineup.trial

    def tick(self, times: int = 1) -> None:
        """Let some seconds pass for the follower; the other release decides beside first."""

        async def some() -> None:
            for _ in range(times):
                await self.follower.beside.turn()
                await self.follower.tick()

        asyncio.run(some())

    def apply(self, times: int = 1) -> list[dict[str, Any]]:
        """As many businesses as that apply, each for the first time; their replies."""
        found = []
        for _ in range(times):
            reply = self.service.apply(self.bodies[self.sent])
            self.sent += 1
            assert reply.status_code == 201, reply.text
            found.append(reply.json())
        return found

    def row(self, decided: dict[str, Any]) -> store.DecisionRow:
        """The decision as kept."""
        with self.service.database.transaction(read_only=True) as connection:
            row = store.get_decision(connection, decided["decision_id"])
        assert row is not None
        return row

    def shadow(self, decided: dict[str, Any]) -> store.Shadow | None:
        """What the other release said beside it."""
        with self.service.database.transaction(read_only=True) as connection:
            return store.shadow_of(connection, decided["decision_id"])

    def events(self, rollout: str) -> list[RolloutEvent]:
        """What was taken up of a roll-out, the first first."""
        with self.service.database.transaction(read_only=True) as connection:
            return list(reversed(store.rollout_events(connection, rollout)))


@pytest.fixture(scope="session")
def applicants(market: Path) -> list[dict[str, Any]]:
    """An application of every business of the market."""
    return market_bodies(market)


@contextmanager
def housed(url: str, market: Path, releases: Path, bodies: list[dict[str, Any]], sent: int = 0) -> Iterator[House]:
    """A service on this database that follows this folder, after its first tick, as one that has started."""
    with opened(url, market=market, releases=releases) as service:
        house = House(service, bodies, sent)
        house.tick()
        yield house


@pytest.fixture
def house(url: str, market: Path, releases: Path, applicants: list[dict[str, Any]]) -> Iterator[House]:
    """The same on either database."""
    with housed(url, market, releases, applicants) as running:
        yield running
