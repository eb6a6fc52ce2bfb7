"""Every set of sources that fails, or has nothing to give, through the whole service and over real sockets."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Any

import pytest

from api.sandbox.misbehaviour import FAULTS
from api.sandbox.stories import book
from api.sources import OUTSIDE, Source
from engine.facts import Facts
from tests.support.laddering import in_force, reached, settings_of
from tests.support.sandbox import SandboxServer

BUDGET_MS = 4_000  # twice the default: 2 s for all sources, where one question takes some 50 ms
OVER_S = 1.0  # on top of the budget, for a busy machine
MOST_ABSENT_CENTS = 2_000_000  # the policy's cap for any one absent evidence
SUBSETS = tuple(chain.from_iterable(combinations(OUTSIDE, size) for size in range(len(OUTSIDE) + 1)))
PLAYED = {"registry": ("register", "company_register"), "compliance": ("sanctions",)}  # where it is not the same name


@dataclass(frozen=True)
class Seen:
    """A reply, the facts behind it, whether its replay is the same, and how long it took."""

    told: dict[str, Any]
    facts: Facts
    replayed: bool
    seconds: float

    def status(self, name: str) -> str:
        """The status of one fact."""
        status: str = getattr(self.facts, name).status
        return status


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    """A sandbox that knows the stories alone."""
    with SandboxServer() as running:
        yield running


@pytest.fixture
def failing(sandbox: SandboxServer) -> Iterator[Any]:
    """A function that makes sources fail, each in another way from set to set; afterwards all behave again."""
    switched: list[str] = []

    def fail(sources: Sequence[Source], turn: int) -> None:
        for place, source in enumerate(sources):
            played = PLAYED.get(source, (source,))
            switched.append(played[turn % len(played)])
            sandbox.switch(switched[-1], fault=FAULTS[(turn + 3 * place) % len(FAULTS)])

    yield fail
    for source in switched:
        sandbox.switch(source)


def decided(
    url: str, sandbox: SandboxServer, story: str = "clean", *, listed: bool = True, change: dict[str, Any] | None = None
) -> Seen:
    """What the service decides about a story, its ladder in the same event loop."""

    async def work() -> Seen:
        with reached(url, settings_of(sandbox.url)) as whole:
            async with whole.ladder.opened():
                if listed:
                    await in_force(whole.ladder)
                began = time.monotonic()
                reply = await whole.apply(story, BUDGET_MS, change)
                seconds = time.monotonic() - began
                assert reply.status_code == 201, reply.text
                told = reply.json()
                replay = await whole.service.send("GET", f"/v1/decisions/{told['decision_id']}/replay")
                return Seen(told, whole.service.facts_of(told["decision_id"]), replay.json()["match"], seconds)

    return asyncio.run(work())


# -- failed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", SUBSETS, ids="+".join)
def test_every_set_of_failed_sources(
    missing: tuple[Source, ...], sqlite_url: str, sandbox: SandboxServer, failing: Any
) -> None:
    """Approved with every source, referred without any; the public ones are named; in time; and it replays."""
    failing(missing, SUBSETS.index(missing))
    seen = decided(sqlite_url, sandbox, listed="compliance" not in missing)
    assert {name: seen.status(name) for name in OUTSIDE} == {
        name: "failed" if name in missing else "present" for name in OUTSIDE
    }
    assert seen.told["outcome"] == ("refer" if missing else "approve")
    assert (seen.told["offer"] is None) is bool(missing)
    public = [name for name in OUTSIDE if name in missing and name != "compliance"]
    assert sorted(seen.told["external_data_unavailable"]) == sorted(public)
    assert seen.replayed
    assert seen.seconds < BUDGET_MS / 1000 + OVER_S


@pytest.mark.parametrize(
    ("story", "source"), [("cancelled_abn", "registry"), ("dishonours", "bank"), ("unpaid_default", "bureau")]
)
def test_a_decline_needs_the_fact_that_it_rests_on(
    story: str, source: Source, sqlite_url: str, sandbox: SandboxServer, failing: Any
) -> None:
    """What one source knocks out is referred where that source fails; nobody is declined for want of a fact."""
    failing([source], 3)
    seen = decided(sqlite_url, sandbox, story)
    assert (seen.told["outcome"], seen.told["external_data_unavailable"]) == ("refer", [source])


@pytest.mark.parametrize("story", ["cancelled_abn", "dishonours", "unpaid_default"])
def test_a_decline_stands_where_others_fail(story: str, sqlite_url: str, sandbox: SandboxServer, failing: Any) -> None:
    """A knock-out whose own source has answered stays one while the marketplace is away, with the same reasons."""
    failing(["marketplace"], 4)
    seen = decided(sqlite_url, sandbox, story)
    assert seen.told["outcome"] == "decline"
    assert tuple(reason["code"] for reason in seen.told["reasons"]) == book()[story].expects.reasons


# -- absent --------------------------------------------------------------------------------------------------
# The bureau and the marketplace may always be asked, so that the marketplace is absent only for whom it does not know;
# the bureau never is: it says of a business without a file that there is none.


@pytest.mark.parametrize("story", ["clean", "new_to_marketplace"])
@pytest.mark.parametrize("connected", [True, False])
def test_every_set_of_absent_sources(story: str, connected: bool, sqlite_url: str, sandbox: SandboxServer) -> None:
    """Nothing to be had, or nothing allowed, is absent and not unavailable; a bank not connected is not asked."""
    asked = sandbox.requests["bank"]
    seen = decided(sqlite_url, sandbox, story, change=None if connected else {"bank_connection": None})
    missing = {"marketplace": story != "clean", "bank": not connected}
    assert {name: seen.status(name) for name in OUTSIDE} == {
        name: "absent" if missing.get(name) else "present" for name in OUTSIDE
    }
    assert (sandbox.requests["bank"] > asked) is connected
    assert seen.told["external_data_unavailable"] == []
    assert seen.told["outcome"] == ("refer" if all(missing.values()) else "approve")
    offer = seen.told["offer"]
    assert offer is None or not any(missing.values()) or offer["limit_cents"] <= MOST_ABSENT_CENTS
    assert seen.replayed
