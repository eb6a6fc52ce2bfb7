"""How soon the service answers once it is started, how soon a worker once it is forked, and what they hold.

It does: start the service, the same with each worker loading the release by itself, and a bare server, in turn; once
with every file put out of the page cache; and let one worker decide for every business of a market. It does not: load
it further. The rule it keeps: facts come over HTTP from another process, as in production, where nothing else is said.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks import traffic
from benchmarks.durable.loaded import Lost, get, load, post
from benchmarks.machine import ROOT
from benchmarks.page import Goal, Part, table
from benchmarks.processes import Memory, age, memory, scratch
from benchmarks.service import BARE, UNGUARDED, Service, playing, serving
from benchmarks.starting import ALONE

_OURS, _ALONE, _BARE = "service", "service, each worker loading the release by itself", "bare server"
_COLD = "service, its files put out of the page cache"
_OUTSIDE, _INSIDE = "facts over HTTP", "facts kept by the stand-in inside the worker"


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from starting a server to its first answer, from the fork of its worker until it was ready, memory."""

    seconds: float
    ready: float
    worker: Memory
    parent: Memory


@dataclass(frozen=True, slots=True)
class Starts:
    """All of it; `grown` is a worker that has decided once for every business."""

    starts: Mapping[str, Sequence[Start]]
    grown: Mapping[str, Memory]


def measure(rounds: int) -> Starts:
    """Start them in turn."""
    with scratch() as folder:
        market = folder / "market.sqlite"
        traffic.make_market(market)
        with playing(folder, market) as player:
            starts = _starts(folder / "starts", player.url, market, rounds)
            with serving(_made(folder / "outside"), UNGUARDED, sandbox=player.url) as service:
                outside = _grown(service, market)
        with serving(_made(folder / "inside"), UNGUARDED, market=market) as service:
            inside = _grown(service, market)
    return Starts(starts, {_OUTSIDE: outside, _INSIDE: inside})


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _starts(place: Path, sandbox: str, market: Path, rounds: int) -> dict[str, list[Start]]:
    """The first start of a fresh folder makes the database, and does not count."""
    with serving(_made(place), UNGUARDED, sandbox=sandbox) as service:
        service.await_reply(get(service, "/ready"), 200)
        key = service.key
    body = traffic.applications(market, key)[0]

    def ours(*more: str) -> Start:
        with serving(place, (*UNGUARDED, *more), sandbox=sandbox) as service:
            return _start(service, "/ready", lambda: service.await_reply(post(service, body), 201))

    def bare() -> Start:
        with serving(place, BARE) as service:
            return _start(service, "/health", lambda: service.await_reply(get(service, "/health"), 200))

    tasks = {_OURS: ours, _ALONE: lambda: ours(ALONE), _BARE: bare}
    found: dict[str, list[Start]] = {name: [] for name in (*tasks, _COLD)}
    for _ in range(rounds):
        for name, task in tasks.items():
            found[name].append(task())
    _forget_files()
    found[_COLD].append(ours())
    return found


def _start(service: Service, path: str, answered: Callable[[], float]) -> Start:
    service.await_reply(get(service, path), 200)
    worker = service.worker()
    ready = age(worker)
    seconds = answered()
    return Start(seconds, ready, memory(worker), memory(service.process.pid))


def _grown(service: Service, market: Path) -> Memory:
    service.await_reply(get(service, "/ready"), 200)
    bodies = traffic.applications(market, service.key)
    done = load(service, bodies, rate=0, count=len(bodies))
    if done.status != {"201": len(bodies)}:
        raise Lost(f"deciding once for every business: {dict(done.status)}")
    return memory(service.worker())


def _forget_files() -> None:
    """Put the files of Python, its packages and the project out of the page cache, but for those others have mapped."""
    for top in {Path(sys.prefix), Path(sys.base_prefix) / "lib", ROOT / "engine", ROOT / "models", ROOT / "api"}:
        for file in top.rglob("*"):
            with suppress(OSError):
                place = os.open(file, os.O_RDONLY)
                os.posix_fadvise(place, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(place)


def part(found: Starts) -> Part:
    """Goals and section."""
    ours, cold = found.starts[_OURS], found.starts[_COLD][0]
    grown, first, bare = found.grown[_OUTSIDE], ours[-1].worker, found.starts[_BARE][-1].worker
    goals = (
        Goal(
            "worker process, resident, after a decision for each of 400 businesses", 120, grown.rss_mib, "MiB",
            f"{first.rss_mib:.0f} MiB of it are there after the first decision, {bare.rss_mib:.0f} "
            f"in a bare server: objects of the modules that are imported, and shared libraries. Its own share (PSS) is "
            f"{grown.pss_mib:.0f} MiB.",
        ),
        Goal(
            "fork of a worker until it is ready, slowest", 1, max(start.ready for start in ours), "s",
            "Most of it is joining the routes.",
        ),
        Goal(
            "start of the process to the first decision, slowest, a cold start among them", 6,
            max(start.seconds for start in (*ours, cold)), "s",
            "The rest over a bare server is our imports and the release's checks.",
        ),
    )  # fmt: skip
    return Part(goals, _told(found))


def _told(found: Starts) -> str:
    held: list[tuple[str, Memory]] = [
        *((f"{name}: worker after one decision", starts[-1].worker) for name, starts in found.starts.items()),
        (f"{_OURS}: its parent process", found.starts[_OURS][-1].parent),
        *((f"worker after 400 decisions, {name}", held) for name, held in found.grown.items()),
    ]
    times = [(name, *_seconds(starts)) for name, starts in found.starts.items()]
    return (
        "## Memory and start\n\n"
        "Resident (RSS) and proportional (PSS, shared pages divided among those who map them) memory. The bare server "
        "is the same granian and litestar with one empty handler, and its one decision an empty answer. The sandbox "
        "that plays the sources is another process; the stand-in inside the worker, for measuring all else, keeps each "
        "business's facts. A release that the parent loaded is counted there as well: each worker after the first is "
        "spared one.\n\n"
        f"{table(('', 'RSS MiB', 'PSS MiB', 'peak RSS MiB'), [(name, *_mib(each)) for name, each in held])}\n\n"
        f"Seconds, median (least to most) of {len(found.starts[_OURS])} starts each in turn, the cold one once. The "
        "database was made before. To the first answer counts from starting the process; to ready from the fork of "
        "the worker until it answered GET /ready, within its clock's 10 ms.\n\n"
        + table(("", "to the first decision or answer", "worker, fork to ready"), times)
    )


def _seconds(starts: Sequence[Start]) -> tuple[str, str]:
    return _spread([start.seconds for start in starts]), _spread([start.ready for start in starts])


def _spread(times: Sequence[float]) -> str:
    ordered = sorted(times)
    return f"{ordered[len(ordered) // 2]:.2f} ({ordered[0]:.2f} to {ordered[-1]:.2f})"


def _mib(held: Memory) -> tuple[str, ...]:
    return tuple(f"{figure:.0f}" for figure in (held.rss_mib, held.pss_mib, held.peak_mib))
