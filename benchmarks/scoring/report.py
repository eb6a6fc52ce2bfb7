"""The part of the page about scores, contributions, blocks, rules, what-ifs and training.

It does: run the measurements one after another and put them into goals and tables. It does not: choose among runs. The
rule it keeps: goals are judged on the synthetic model, which the aims were set for; the shipped one stands beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.page import MORE, Goal, Part, listed, table, timings
from benchmarks.peers.suites import lightgbm_blocks, ours_rules
from benchmarks.processes import scratch
from benchmarks.scoring import advising, contests, exactness, training
from benchmarks.scoring.backends import NATIVE, PORTABLE
from benchmarks.scoring.contests import SYNTHETIC, Result, Singles
from benchmarks.scoring.models import CATEGORICAL, FEATURES, LEAVES, MISSING_SHARE, TREES


@dataclass(frozen=True, slots=True)
class Size:
    """How much to measure."""

    rounds: int = 25
    slow_rounds: int = 9
    block_rows: int = 1_000_000
    block_rounds: int = 3
    exact_models: int = 20
    exact_rows: int = 1_000_000
    businesses: int = 3_000
    what_ifs: int = 30
    trees: int = TREES
    peers: bool = True


QUICK = Size(3, 2, 50_000, 1, 2, 20_000, 1_500, 3)


@dataclass(frozen=True, slots=True)
class Scoring:
    """All of it."""

    singles: Singles
    block: Result
    rows: int
    exact: exactness.Exactness
    rules: Result
    what_ifs: advising.Advising
    trained: training.Training


def measure(size: Size) -> Scoring:
    """Measure each in turn."""
    with scratch() as folder:
        return Scoring(
            singles=contests.measure(folder / "singles", size.rounds, size.slow_rounds, size.trees, peers=size.peers),
            block=contests.blocks(folder, size.block_rows, size.block_rounds, peers=size.peers, trees=size.trees),
            rows=size.block_rows,
            exact=exactness.measure(size.exact_models, size.exact_rows),
            rules=contests.policy(folder, size.rounds, peers=size.peers),
            what_ifs=advising.measure(size.what_ifs),
            trained=training.measure(_made(folder / "training"), size.businesses, 3),
        )


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def part(found: Scoring) -> Part:
    """Goals and section."""
    return Part(
        _goals(found), "\n\n".join((_singles(found), _block(found), _rules(found), _what_ifs(found), _trained(found)))
    )


def _goals(found: Scoring) -> tuple[Goal, ...]:
    scores, parts = found.singles.scores[SYNTHETIC], found.singles.contributions[SYNTHETIC]
    exact, what_ifs = found.exact, found.what_ifs.timings[advising.ALL]
    return (
        Goal(
            "single-row raw score against `Booster.predict`", 6, scores.times(NATIVE), "times",
            _why_scores(found.singles), MORE,
        ),
        Goal(
            f"rows whose raw score has other bits than LightGBM's, of {exact.rows:,} over {exact.models} random models",
            1, exact.differing, "rows", "A bug: see tests/engine.",
        ),
        Goal(
            "single-row contributions against `pred_contrib`, native code", 12, parts.times(NATIVE), "times",
            _why_scores(found.singles), MORE,
        ),
        Goal(
            "the same on the fallback without native code", 2.5, parts.times(PORTABLE), "times",
            f"NumPy takes {parts.spent[PORTABLE].us:,.0f} µs for the synthetic model's {TREES} trees, LightGBM "
            f"{parts.spent[parts.base].us:,.0f} µs.", MORE,
        ),
        Goal(
            "largest difference of a contribution to LightGBM's", 1e-12, exact.contribution_off, "log-odds", "A bug.",
        ),
        Goal(
            f"{found.rows:,}-row re-scoring against `Booster.predict`, both on 2 threads", 4,
            found.block.times(NATIVE), "times", _why_block(found), MORE,
        ),
        Goal("all what-ifs of one decision, median", 10, what_ifs.p50_ms, "ms", _why_what_ifs(found.what_ifs)),
    )  # fmt: skip


def _why_scores(found: Singles) -> str:
    def told(of: Mapping[str, Result]) -> str:
        each = (f"{name} {one.times(NATIVE):.1f} times ({one.spent[NATIVE].us:.1f} µs)" for name, one in of.items())
        return ", ".join(each)

    return (
        f"Scores by model: {told(found.scores)}; contributions: {told(found.contributions)}. Rows differ from call to "
        "call, so what a row needs of the model comes from the caches anew, for LightGBM as for us."
    )


def _why_block(found: Scoring) -> str:
    ours, theirs = (found.block.spent[task].us / found.rows for task in (NATIVE, found.block.base))
    return f"Ours takes {ours:.2f} µs a row on two threads, LightGBM {theirs:.2f} µs."


def _why_what_ifs(found: advising.Advising) -> str:
    each = (
        f"{name} {found.timings[name].p50_ms:.1f} ms"
        for name in (advising.EXPLORER, advising.SUGGESTIONS, advising.BANDS)
    )
    return f"By kind: {', '.join(each)}."


# -- words -----------------------------------------------------------------------------------------------------


def _singles(found: Scoring) -> str:
    return (
        "## One row's score and its contributions\n\n"
        f"The synthetic model is trained here from a seed: {TREES} trees of {LEAVES} leaves on {FEATURES} features, "
        f"{CATEGORICAL} of them categorical, {MISSING_SHARE:.0%} of all values missing; beside it the same without "
        "categories, and the shipped release's own. Each contestant is a process of its own, in an environment of its "
        "own, on one thread; 1,000 rows in turn, so that no call repeats the one before; short stretches, each "
        "contestant once a round, medians of the rounds. `times` is against LightGBM's package, `off` the largest "
        f"difference to its answers over 20 rows of each model.\n\n{_columns(found.singles.scores)}\n\n"
        f"{_columns(found.singles.contributions)}\n\n"
        f"On {found.exact.models} random models and {found.exact.rows:,} rows, scored in blocks and, in part, one by "
        f"one and without native code, {found.exact.differing:,} raw scores have other bits than `Booster.predict` "
        f"gives, and contributions differ by {found.exact.contribution_off:.1e} at most."
    )


def _columns(results: Mapping[str, Result]) -> str:
    """A table with two columns a model, the largest difference over all of them, and below it what did not run."""
    tasks = dict.fromkeys(task for result in results.values() for task in result.spent)
    head = ["", *(f"{name}, {what}" for name in results for what in ("µs", "times")), "off"]
    rows = [[task, *(cell for result in results.values() for cell in _cells(result, task))] for task in tasks]
    for row, task in zip(rows, tasks, strict=True):
        row.append(_off(max(result.off.get(task, 0.0) for result in results.values())))
    failed = {f"{task}, {name} model": why for name, result in results.items() for task, why in result.failed.items()}
    return table(head, rows) + listed(failed)


def _cells(result: Result, task: str) -> tuple[str, str]:
    if task not in result.spent:
        return "-", "-"
    return f"{result.spent[task].us:,.1f}", f"{result.times(task):.2f}"


def _off(difference: float) -> str:
    return f"{difference:.0e}" if difference else "0"


def _block(found: Scoring) -> str:
    rows = [
        (
            task,
            f"{spent.us / 1e6:.2f}",
            f"{spent.us / found.rows:.2f}",
            f"{found.block.times(task):.2f}",
            _off(found.block.off[task]),
        )
        for task, spent in found.block.spent.items()
    ]
    return (
        f"## Re-scoring {found.rows:,} rows\n\nThe synthetic model, one block in memory, two threads each; each "
        "contestant ran once before it counted, then they took turns.\n\n"
        + table(("", "seconds", "µs a row", f"times {lightgbm_blocks.PREDICT}", "off"), rows)
        + listed(found.block.failed)
    )


def _rules(found: Scoring) -> str:
    ours = found.rules.spent[ours_rules.OURS].us
    rows = [(task, f"{spent.us:,.1f}", f"{spent.us / ours:.2f}") for task, spent in found.rules.spent.items()]
    return (
        "## Policy rules\n\nEvery knock-out, the grade table, six of the caps and the price grid of the shipped policy "
        "as a decision graph, evaluated on numbers derived beforehand, for 100 made-up businesses; both give the same "
        "knock-outs, limit and rate for each. Ours checks the referrals and the debt-service cap as well.\n\n"
        + table(("", "µs a case", "of ours"), rows)
        + listed(found.rules.failed)
    )


def _what_ifs(found: Scoring) -> str:
    made = found.what_ifs
    again = made.timings[advising.AGAIN].p50_ms
    return (
        f"## What-ifs\n\nThe decision of the next section: {made.points} points of the offer explorer, {made.changes} "
        f"changes and their pairs, {made.steps} steps of the bands. Deciding each point anew would cost the last line "
        f"each time.\n\n{timings(made.timings, again, 'decisions')}"
    )


def _trained(found: Scoring) -> str:
    made = found.trained
    return (
        f"## Training\n\n{made.examples:,} examples of a made-up market. `creditline-train fit` takes "
        f"{made.ours_s:.2f} s (early stopping, calibration, proof of directions and figures out of time included), "
        f"LightGBM by itself {made.plain_s:.2f} s for the same {made.trees} trees: "
        f"{made.ours_s / made.plain_s:.1f} times. "
        f"Deriving the features takes {made.derived_s:.1f} s before that."
    )
