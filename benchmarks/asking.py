"""Decisions whose facts come over sockets: quick sources, slow ones, silent ones, and one that sends far too much.

It does: start sandbox and service in processes of their own and let applications be sent one after another. It does
not: measure many at once. The rule it keeps: each business applies once to each service, since the guards refuse a
second time.
"""

import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from api.deadline import DEFAULT_MS, SOURCES_SHARE
from api.sandbox import PREFIXES
from api.sources.ladder import FREE_SHARE
from benchmarks import traffic
from benchmarks.applying import PATIENT_MS, Business, Reply, businesses_of, client_of
from benchmarks.processes import memory
from benchmarks.service import Player, Service, playing
from benchmarks.transport import MB_A_MIB, rise_reading_whole

SLOW_MS = 200
SHORT_MS, LONG_MS = 500, 5_000
_WARM = 3  # applications before anything counts
_MOST_TRIES = 60
_MOST_SERVICES = 8
_BUREAU = 'creditline_source_failures_total{source="bureau",why="oversized"}'


@dataclass(frozen=True, slots=True)
class Size:
    """How much to measure."""

    businesses: int = 60
    waited: int = 20  # answers under the default budget that waited for the sources
    settling: int = 20  # ordinary answers before the oversized ones
    oversized: int = 10


@dataclass(frozen=True, slots=True)
class Paired:
    """One business with slow sources, with quick ones, and with none outside the process."""

    business: Business
    slow: Reply
    quick: Reply
    inside: Reply

    @property
    def nominal_ms(self) -> float:
        """What the slow sources take by themselves: the bank's round trips, then the bureau's one."""
        return float((self.business.trips + 1) * SLOW_MS)

    @property
    def excess_ms(self) -> float:
        """What the answer took beyond that."""
        return self.slow.ms - self.nominal_ms

    @property
    def outside_ms(self) -> float:
        """What of it passed while nobody was being asked."""
        return self.slow.ms - self.slow.rungs_ms


@dataclass(frozen=True, slots=True)
class Silence:
    """Answers while every source is silent, milliseconds; `rested`: the breakers were open already."""

    waited: Sequence[float]
    rested: Sequence[float]
    short: Sequence[float]
    long: Sequence[float]
    outcomes: frozenset[str]
    services: int


@dataclass(frozen=True, slots=True)
class Flood:
    """Peak memory of the worker around the oversized answers, and how much a client without limits rose; MB.

    `settling_mb` is what the `settled` ordinary answers raised it by just before.
    """

    settled: int
    settling_mb: float
    before_mb: float
    after_mb: float
    answers: int
    without_limits_mb: float

    @property
    def rise_mb(self) -> float:
        """By how much the peak rose."""
        return self.after_mb - self.before_mb


@dataclass(frozen=True, slots=True)
class Asked:
    """All of it."""

    paired: Sequence[Paired]
    skipped: int  # businesses declined before the bureau was asked
    enrich_inside_ms: float
    silence: Silence
    flood: Flood


def measure(folder: Path, size: Size) -> Asked:
    """Measure each in turn in a folder of its own."""
    market = folder / "market.sqlite"
    traffic.make_market(market)
    businesses = businesses_of(market, max(size.businesses + _WARM, _MOST_TRIES))
    with ExitStack() as stack:
        paired, enrich_ms = _pairs(stack, folder, market, businesses[: size.businesses + _WARM])
    with playing(_made(folder / "silent"), market) as player:
        silence = _silence(folder, player, businesses, size.waited)
    with playing(_made(folder / "flooding"), market) as player:
        flood = _flood(folder, player, businesses, size)
    asked = [pair for pair in paired if "bureau" in pair.slow.exchanges]
    return Asked(asked, len(paired) - len(asked), enrich_ms, silence, flood)


# -- slow sources -----------------------------------------------------------------------------------------------


def _pairs(stack: ExitStack, folder: Path, market: Path, businesses: Sequence[Business]) -> tuple[list[Paired], float]:
    """Every business asks all three services, starting with another one each time."""
    slow, quick = (stack.enter_context(playing(_made(folder / name), market)) for name in ("slow", "quick"))
    clients = {
        "slow": stack.enter_context(client_of(folder / "slow", sandbox=slow.url)),
        "quick": stack.enter_context(client_of(folder / "quick", sandbox=quick.url)),
        "inside": stack.enter_context(client_of(_made(folder / "inside"), market=market)),
    }
    for player in (slow, quick):
        _acquaint(player, businesses)
    for source in PREFIXES:
        slow.switch(source, latency_ms=SLOW_MS)
    for business in businesses[:_WARM]:
        for client in clients.values():
            client.ask(business, PATIENT_MS)
    paired, names = [], list(clients)
    before = clients["inside"].service.stages()["enrich"]
    for place, business in enumerate(businesses[_WARM:]):
        first = place % len(names)
        turns = {name: clients[name].ask(business, PATIENT_MS) for name in names[first:] + names[:first]}
        paired.append(Paired(business, **turns))
    after = clients["inside"].service.stages()["enrich"]
    return paired, (after[0] - before[0]) * 1_000 / (after[1] - before[1])


def _acquaint(player: Player, businesses: Sequence[Business]) -> None:
    """Let the sandbox read each business from its file, which takes longer than any answer after it."""
    for business in businesses:
        query = f"abn={business.abn}&callback=callback&guid=sandbox-guid"
        with urllib.request.urlopen(f"{player.url}{PREFIXES['register']}/json/AbnDetails.aspx?{query}") as reply:
            reply.read()


# -- silent sources --------------------------------------------------------------------------------------------


def _silence(folder: Path, player: Player, businesses: Sequence[Business], wanted: int) -> Silence:
    """Services one after another, each for as long as its breakers let requests wait, until enough have waited.

    A breaker opens after five conversations in a row that ended in a timeout; those of a short budget do not count.
    """
    waited: list[float] = []
    rested: list[float] = []
    short: list[float] = []
    long: list[float] = []
    outcomes: set[str] = set()
    services = 0
    while len(waited) < wanted and services < _MOST_SERVICES:
        for source in PREFIXES:
            player.switch(source)
        with client_of(_made(folder / f"silent-{services}"), sandbox=player.url) as client:
            for source in PREFIXES:
                player.switch(source, fault="black_hole")
            left = iter(businesses)
            asked = [client.ask(business, SHORT_MS) for business in islice(left, 5)]
            short += [reply.ms for reply in asked]
            asked += [client.ask(business, LONG_MS) for business in islice(left, 1)]
            long.append(asked[-1].ms)
            open_already = 0
            while open_already < 3:
                asked.append(client.ask(next(left), None))
                is_open = asked[-1].ms < DEFAULT_MS * SOURCES_SHARE * FREE_SHARE
                open_already += is_open
                (rested if is_open else waited).append(asked[-1].ms)
        outcomes |= {reply.outcome for reply in asked}
        services += 1
    return Silence(waited, rested, short, long, frozenset(outcomes), services)


# -- far too much ------------------------------------------------------------------------------------------------


def _flood(folder: Path, player: Player, businesses: Sequence[Business], size: Size) -> Flood:
    """Ask until enough oversized answers were met, every second being one, so that no breaker opens."""
    with client_of(_made(folder / "flooded"), sandbox=player.url) as client:
        left = iter(businesses)
        for business in islice(left, _WARM):
            client.ask(business, PATIENT_MS)
        early = _peak_mb(client.service)
        for business in islice(left, size.settling):
            client.ask(business, PATIENT_MS)
        before = _peak_mb(client.service)
        player.switch("bureau", fault="oversized", share=0.5)
        answers = 0
        while answers < size.oversized:
            client.ask(next(left), PATIENT_MS)
            answers = round(client.service.series()[_BUREAU])
        after = _peak_mb(client.service)
    player.switch("bureau", fault="oversized")
    return Flood(
        size.settling, before - early, before, after, answers, rise_reading_whole(player.url + PREFIXES["bureau"])
    )


def _peak_mb(service: Service) -> float:
    return memory(service.worker()).peak_mib * MB_A_MIB


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
