"""The page of measurements: goals, circumstances, tables. What every part of it is put together with.

It does: say what was aimed at, what came out, and whether that is enough. It does not: measure. The rule it keeps: a
goal that was missed says so at the top, with its reason read off the same run.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.machine import Machine
from benchmarks.samples import Timing

COMMAND = "make bench"
_BUSY = 0.5  # load average above which somebody else was at work
_TINY = 0.005
LESS, MORE = "less", "more"


@dataclass(frozen=True, slots=True)
class Goal:
    """What we aim at, what came out, and why it was missed; `excused` says why the aim does not apply here."""

    text: str
    aim: float
    measured: float
    unit: str
    why: str
    better: str = LESS
    excused: str = ""

    @property
    def met(self) -> bool:
        """Whether the figure is below the aim, or at least the aim where more is better."""
        return self.measured < self.aim if self.better == LESS else self.measured >= self.aim

    @property
    def verdict(self) -> str:
        """In one word, or why there is none."""
        return "met" if self.met else self.excused or "**missed**"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the page: its goals, and what is told below."""

    goals: tuple[Goal, ...]
    section: str


def page(machine: Machine, command: str, parts: Sequence[Part]) -> str:
    """Circumstances, goals and what is told of them."""
    goals = [goal for part in parts for goal in part.goals]
    whys: dict[str, list[str]] = {}
    for goal in goals:
        if not goal.met and not goal.excused:
            whys.setdefault(goal.why, []).append(goal.text)
    missed = [f"**Missed: {'; '.join(texts)}.** {why}" for why, texts in whys.items()]
    sections = (part.section for part in parts if part.section)
    return "\n\n".join((_opening(machine, command), _goals(goals), *missed, _machine(machine), *sections)) + "\n"


def _opening(machine: Machine, command: str) -> str:
    busy = (
        f"Other work was running on the machine (load average {machine.load} before the run), so these figures are "
        "provisional: times on a quiet machine are lower, and ratios are the sounder part."
        if machine.load > _BUSY
        else f"The machine was quiet (load average {machine.load} before the run)."
    )
    return (
        "# Measurements\n\n"
        f"Written by `{command}` on {machine.measured_at}, commit {machine.commit}. "
        "Each figure stands beside an alternative timed in turn with it in the same run; a ratio is of their "
        f"medians. Everything is made up: the market is simulated and the release trained on it. {busy}"
    )


def _goals(goals: Sequence[Goal]) -> str:
    rows = [
        (
            goal.text,
            f"{'<' if goal.better == LESS else 'at least'} {goal.aim:g} {goal.unit}",
            f"{_figure(goal.measured)} {goal.unit}",
            goal.verdict,
        )
        for goal in goals
    ]
    return "## Goals\n\n" + table(("goal", "aim", "measured", ""), rows)


def _figure(figure: float) -> str:
    if 0 < figure < _TINY:
        return f"{figure:.1e}"
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.2f}"


def _machine(machine: Machine) -> str:
    rows = [
        ("processor", f"{machine.processor}, {machine.cores} cores"),
        ("memory", f"{machine.memory_gib} GiB"),
        ("file system", machine.file_system),
        ("system", machine.system),
        ("Python", machine.python),
        ("packages", machine.packages),
        ("release", machine.release),
        *((f"peers: {family}", versions) for family, versions in machine.peers.items()),
    ]
    return "## Machine\n\n" + table(("", ""), rows)


def timings(found: Mapping[str, Timing], base_ms: float, of: str) -> str:
    """A table of timings, the last column relative to one of them."""
    rows = [
        (
            name,
            *(f"{ms:.3f}" for ms in (timing.p50_ms, timing.p95_ms, timing.p99_ms, timing.least_ms)),
            f"{timing.p50_ms / base_ms:.2f}",
        )
        for name, timing in found.items()
    ]
    return table(("", "median ms", "p95 ms", "p99 ms", "least ms", of), rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, figures to the right."""
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def listed(failed: Mapping[str, str]) -> str:
    """What did not run, with the reason; nothing where all did."""
    return "".join(f"\n\nNot measured: {name}: {why}" for name, why in failed.items())
