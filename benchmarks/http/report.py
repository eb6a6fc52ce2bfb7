"""The part of the page about decisions and scores over HTTP.

It does: run the services with both models and put their rates into goals and a table. It does not: choose among runs.
The rule it keeps: why a rate is what it is comes from timing the same route's steps in process, in the same run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from benchmarks.deciding import unseen
from benchmarks.http import capacity
from benchmarks.http.app import release_with
from benchmarks.http.app import reply as replied
from benchmarks.http.capacity import (
    BENTO,
    CONNECTIONS,
    DERIVED,
    EMPTY,
    FAST_EXPLAIN,
    FAST_SCORE,
    ML,
    NOTHING,
    SCORE,
    WHOLE,
    Rates,
)
from benchmarks.http.derived import Derived, Whole
from benchmarks.page import MORE, Goal, Part, listed, table
from benchmarks.processes import scratch
from benchmarks.samples import Task, interleave
from benchmarks.scoring.models import LEAVES, TREES, Model, heavy, shipped
from benchmarks.subject import subject
from engine.decision import decide, decide_case
from engine.features import Evidence, row_of
from engine.screening import RULES

HEAVY, SHIPPED = f"{TREES} trees of {LEAVES} leaves", "shipped model"


@dataclass(frozen=True, slots=True)
class Size:
    """How long each route is loaded, how often, and how often its steps are timed in process."""

    seconds: float = 2.5
    rounds: int = 5
    steps: int = 300
    peers: bool = True


QUICK = Size(1.0, 1, 30)


@dataclass(frozen=True, slots=True)
class Http:
    """Rates and the steps' microseconds in process, by model."""

    rates: Mapping[str, Rates]
    steps: Mapping[str, Mapping[str, float]]


def measure(size: Size) -> Http:
    """Both models, one after the other."""
    models = {HEAVY: heavy(), SHIPPED: shipped()}
    with scratch() as folder:
        rates = {
            name: capacity.measure(model, folder / f"model-{place}", size.seconds, size.rounds, peers=size.peers)
            for place, (name, model) in enumerate(models.items())
        }
    return Http(rates, {name: _steps(model, size.steps) for name, model in models.items()})


def _steps(model: Model, rounds: int) -> dict[str, float]:
    """Microseconds of what the decision routes do, by themselves."""
    release, given = release_with(model.text), Whole(subject().application, subject().facts)
    whole, derived = given.write(), Derived.of(given).write()
    case, row = Derived.read(derived).case(release)
    decision = decide_case(case, row, release)
    tasks: dict[str, Task] = {
        "reading the derived body": lambda: Derived.read(derived).case(release),
        "deciding the case": lambda: decide_case(case, row, release),
        "of it: score": lambda: release.scorer.raw(row),
        "of it: contributions": lambda: release.scorer.contributions(row),
        "writing the reply": lambda: replied(decision),
        "reading the whole body": lambda: Whole.read(whole),
        "deciding on whole facts": lambda: decide(given.application, unseen(given.facts), release),
        "of it: sums and features": lambda: row_of(Evidence.of(given.application, unseen(given.facts))),
    }
    return {name: timing.p50_ms * 1_000 for name, timing in interleave(tasks, rounds).items()}


def part(found: Http) -> Part:
    """Goals and section."""
    goals = tuple(goal for model in found.rates for goal in _goals(found, model))
    return Part(goals, _section(found))


def _goals(found: Http, model: str) -> tuple[Goal, ...]:
    rates = found.rates[model]
    empty = rates.rate(EMPTY)

    def share(route: str, aim: float, why: str) -> Goal:
        return Goal(f"{route}, of the {EMPTY} ({model})", aim, 100 * rates.rate(route) / empty, "%", why, MORE)

    def times(route: str, other: str, aim: float) -> Goal:
        excused = "" if rates.rate(other) else "its peer did not run"
        name, why = f"{route}, against {other} ({model})", _why_times(rates, route, other, aim)
        return Goal(name, aim, rates.times(route, other), "times", why, MORE, excused)

    return (
        share(DERIVED, 50, _why_derived(found, model)), share(WHOLE, 15, _why_whole(found, model)),
        times(DERIVED, FAST_EXPLAIN, 5), times(SCORE, FAST_SCORE, 2.5), times(SCORE, ML, 4), times(SCORE, BENTO, 8),
    )  # fmt: skip


def _us(rates: Rates, route: str) -> float:
    """What a request takes the server's core, microseconds."""
    return 1e6 / rates.rate(route) if rates.rate(route) else 0.0


def _why_derived(found: Http, model: str) -> str:
    rates, steps = found.rates[model], found.steps[model]
    bare, left = _us(rates, NOTHING), 2 * _us(rates, EMPTY) - _us(rates, NOTHING)
    read, decided, told = (
        steps[name] for name in ("reading the derived body", "deciding the case", "writing the reply")
    )
    return (
        f"A request takes the server's core {_us(rates, DERIVED):.0f} µs, of it {bare:.0f} µs before anything is done "
        f"({NOTHING}). Twice the empty handler's time leaves {left:.0f} µs to read, decide and reply, which in "
        f"process take {read + decided + told:.0f} µs: reading {read:.0f}, contributions "
        f"{steps['of it: contributions']:.0f}, score {steps['of it: score']:.0f}, the rest of deciding ({len(RULES)} "
        "rules, eight caps, price, reasons, and the checks of a decision, each a few calls of Python) "
        f"{_rest(steps):.0f}, replying {told:.0f}."
    )


def _rest(steps: Mapping[str, float]) -> float:
    """What deciding takes beside the model."""
    return steps["deciding the case"] - steps["of it: score"] - steps["of it: contributions"]


def _why_whole(found: Http, model: str) -> str:
    rates, steps = found.rates[model], found.steps[model]
    left = _us(rates, EMPTY) / 0.15 - _us(rates, NOTHING)
    read, decided, summed = (
        steps[name] for name in ("reading the whole body", "deciding on whole facts", "of it: sums and features")
    )
    return (
        f"A request takes the server's core {_us(rates, WHOLE):.0f} µs; the aim leaves {left:.0f} µs. Reading 64 KB, "
        f"12,600 numbers of it into tables, takes {read:.0f} µs in process, and deciding {decided:.0f} µs, of it "
        f"{summed:.0f} for the sums over 1,800 rows, their texts' words, transfers between own accounts, and the "
        "feature row: some thirty passes of NumPy and three loops of Python. Less would need both in compiled code."
    )


def _why_times(rates: Rates, route: str, other: str, aim: float) -> str:
    small = " A quick model leaves little to win: contributions are a small part of what a whole decision does."
    return (
        f"{other} takes {_us(rates, other):.0f} µs a request, {route} {_us(rates, route):.0f} µs, of which the server "
        f"itself takes {_us(rates, NOTHING):.0f} µs; the aim is {_us(rates, other) / aim:.0f} µs."
        + (small if route == DERIVED else "")
    )


def _section(found: Http) -> str:
    first = next(iter(found.rates.values()))
    rows = [
        [route, *(cell for rates in found.rates.values() for cell in _cells(rates, route))] for route in first.a_second
    ]
    head = ["", *(f"{model}: {what}" for model in found.rates for what in ("a second", "of empty", "p50 ms"))]
    busiest = max(us for rates in found.rates.values() for us in rates.client_us[EMPTY])
    failed = {name: why for rates in found.rates.values() for name, why in rates.failed.items()}
    steps = [[name, *(f"{steps[name]:.0f}" for steps in found.steps.values())] for name in found.steps[HEAVY]]
    return (
        "## Over HTTP, nothing stored\n\n"
        f"Each service has one worker on one core; the client (benchmarks/http/load.py) has the other, {CONNECTIONS} "
        "kept-alive connections and one request on its way on each. Stretches of a few seconds, every route once a "
        "round, medians. The client itself could send a request every "
        f"{busiest:.0f} µs. All score the same rows with the same model, and a service whose first score is not "
        "LightGBM's is not measured. Our routes are bare callables of granian's own interface, without framework, keys "
        "and record, and read records by their types alone (ranges, check digits and agreement between fields were "
        "checked where a record was made): what deciding costs, not what the service does. *Facts derived*: the "
        "request carries the application, the feature row, the summaries of bank and orders, and what else rules "
        "read; the reply is the public one, equal to that on the whole facts. "
        f"{capacity.BUSINESSES} businesses in turn, all of them offered a line. FastAPI runs `async def` under uvicorn "
        "with uvloop and httptools, without its pool of threads; MLServer in one process, without its pool of workers; "
        "both log no requests, nor does BentoML.\n\n"
        + table(head, rows)
        + listed(failed)
        + "\n\nThe steps of the decision routes in process, one at a time, microseconds:\n\n"
        + table(["", *found.steps], steps)
    )


def _cells(rates: Rates, route: str) -> tuple[str, str, str]:
    if route not in rates.a_second:
        return "-", "-", "-"
    return f"{rates.rate(route):,.0f}", f"{rates.times(route, EMPTY):.2f}", f"{median(rates.p50_ms[route]):.2f}"
