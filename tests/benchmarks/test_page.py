"""The page of measurements: goals judged, misses explained once, pictures drawn, measurements taken apart kept."""

from pathlib import Path

from benchmarks.__main__ import APART, _apart
from benchmarks.durable import plots
from benchmarks.durable.capacity import ONE, SQLITE, TWO, Durable
from benchmarks.durable.loaded import Kept, Load
from benchmarks.durable.report import part as durable_part
from benchmarks.machine import Machine
from benchmarks.page import MORE, Goal, Part, page, table


def load(rate: float, ms: float) -> Load:
    """A stretch of load that took so long."""
    return Load(rate, 10, {"201": 10}, tuple(ms + place for place in range(10)), 0.5, rate, 4.0)


def durable() -> Durable:
    """A made-up measurement."""
    rates = {SQLITE: [200.0, 210.0, 190.0], ONE: [180.0], TWO: [260.0]}
    kept = Kept(20, 20, 20, 20, {"approve": 20}, 20)
    return Durable(rates, load(100, 20), [load(20, 8), load(100, 20), load(190, 300)], kept, 100, 400.0)


def test_a_goal_is_met_from_its_own_side() -> None:
    """Less is better unless more is; at least an aim includes the aim, below it does not."""
    assert Goal("a", 5, 4.9, "ms", "").met
    assert not Goal("a", 5, 5, "ms", "").met
    assert Goal("a", 5, 5, "times", "", MORE).met
    assert not Goal("a", 5, 4.9, "times", "", MORE).met
    assert Goal("a", 5, 4.9, "times", "", MORE, "does not apply: x").verdict == "does not apply: x"


def test_misses_with_one_reason_are_told_once() -> None:
    """Missed goals stand at the top with their reason, those that share it together; met ones need none."""
    goals = (
        Goal("one", 1, 2, "ms", "slow."),
        Goal("two", 1, 2, "ms", "slow."),
        Goal("three", 3, 2, "ms", "never told"),
    )
    text = page(Machine.here(), "a command", [Part(goals, "## A section")])
    assert text.count("slow.") == 1
    assert "**Missed: one; two.** slow." in text
    assert "never told" not in text
    assert text.index("Missed") < text.index("## A section")


def test_the_durable_part_shows_both_pictures() -> None:
    """The section has a row for each stretch and links both pictures."""
    told = durable_part(durable())
    assert told.goals[0].met
    assert f"pictures/{plots.LATENCY.name}" in told.section
    assert f"pictures/{plots.WORKERS.name}" in told.section
    assert "95% of capacity" in told.section


def test_pictures_are_drawn_alike_each_time(tmp_path: Path) -> None:
    """A picture is SVG, and the same figures give the same bytes."""
    files = [tmp_path / f"{number}.svg" for number in range(2)]
    for file in files:
        plots.save(plots.latency_picture(durable()), file)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert b"<svg" in files[0].read_bytes()
    plots.save(plots.workers_picture(durable()), files[0])
    assert files[0].read_bytes() != files[1].read_bytes()


def test_what_was_measured_apart_stays() -> None:
    """A new page keeps what stands under its mark, and needs no mark."""
    assert _apart(f"old{APART}\n## More\n") == f"{APART}\n## More\n"
    assert _apart("old") == ""


def test_a_table_has_its_figures_to_the_right() -> None:
    """The first column is text, the others are figures."""
    assert table(("a", "b"), [("x", "1")]).splitlines() == ["| a | b |", "| --- | ---: |", "| x | 1 |"]
