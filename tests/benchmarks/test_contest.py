"""Contestants in processes of their own: the protocol, its faults, and our scorer beside LightGBM on a small model."""

import io
import json
from pathlib import Path

import pytest

from benchmarks.peers.contest import Contest, Entry, Silent, Worker, contest
from benchmarks.peers.environments import FAMILIES, OURS, described, environment
from benchmarks.peers.suites import lightgbm_contributions, lightgbm_scores
from benchmarks.peers.worker import numbers, obey
from benchmarks.scoring import rules
from benchmarks.scoring.models import synthetic

TREES = 4


@pytest.fixture
def laid(tmp_path: Path) -> Path:
    """A small model and its rows where contestants look."""
    return synthetic(TREES).lay(tmp_path / "model")


def run(entries: list[Entry], logs: Path, base: str) -> tuple[Contest, dict[str, float], int]:
    """Answers compared and two rounds run; how many tasks were timed."""
    with contest(entries, logs) as held:
        off = held.differences(base, range(3))
        return held, off, len(held.run(2, calls=2))


def test_our_scores_are_lightgbms(laid: Path) -> None:
    """Every back end in a process of its own answers with LightGBM's bits, and each is timed in every round."""
    _, off, timed = run(
        [Entry("ours_scores", OURS, laid), Entry("lightgbm_scores", OURS, laid)], laid, lightgbm_scores.PREDICT
    )
    assert set(off.values()) == {0.0}
    assert timed == len(off) >= 3


def test_our_contributions_are_lightgbms(laid: Path) -> None:
    """Contributions agree to 1e-12, whichever back end gives them."""
    suites = [Entry("ours_contributions", OURS, laid), Entry("lightgbm_contributions", OURS, laid)]
    _, off, _ = run(suites, laid, lightgbm_contributions.CONTRIB)
    assert max(off.values()) < 1e-12


def test_an_environment_that_is_not_there_is_named(laid: Path, tmp_path: Path) -> None:
    """A peer that was not installed is left out of the run and named with its reason; the others run."""
    missing = Entry("compiled_scores", environment("libraries", tmp_path / "nowhere"), laid)
    held, off, _ = run([missing, Entry("lightgbm_scores", OURS, laid)], laid, lightgbm_scores.PREDICT)
    assert "make peers" in held.failed["compiled_scores"]
    assert off


def test_a_log_says_why_an_environment_could_not_be_made(tmp_path: Path) -> None:
    """Where making one failed, the last lines of its log are the reason."""
    (tmp_path / "bentoml.log").write_text("one\nno such package\n")
    assert "no such package" in environment("bentoml", tmp_path).why


def test_a_suite_that_cannot_be_loaded_is_named(laid: Path) -> None:
    """A worker that ends before it is ready is reported with what it said last."""
    with pytest.raises(Silent, match="no_such_suite"):
        Worker(Entry("no_such_suite", OURS, laid), laid / "log")


def test_a_task_that_raises_is_a_finding() -> None:
    """What a library raises comes back as a fault, and the worker obeys the next order."""

    def broken(place: int) -> float:
        raise ValueError(f"row {place}")

    orders = [json.dumps({"do": "answer", "task": task, "start": 1, "count": 1}) for task in ("broken", "whole")]
    replies = io.StringIO()
    obey({"broken": broken, "whole": lambda place: [[place], 2.5]}, 10, orders, replies)
    first, second = map(json.loads, replies.getvalue().splitlines())
    assert first == {"fault": "ValueError: row 1"}
    assert second == {"found": [1.0, 2.5]}


def test_numbers_of_nested_answers_are_flat() -> None:
    """An answer is compared number by number, however a library nests it."""
    assert numbers(((1, [2.0]), 3)) == [1.0, 2.0, 3.0]


def test_the_decision_graph_is_made_of_the_policy() -> None:
    """The graph holds every knock-out of the engine, every grade and a price for each grade and band."""
    from engine.screening import RULES, knock_outs  # noqa: PLC0415 - only here

    cases = rules.ready()
    policy = cases[0].case.policy
    nodes = {node["id"]: node for node in json.loads(rules.graph(policy))["nodes"]}
    named = {rule["o0"].strip("'") for rule in nodes["knock_outs"]["content"]["rules"]}
    ours = {name for name, each in vars(knock_outs).items() if getattr(each, "__module__", "") == knock_outs.__name__}
    assert named == ours
    assert len(RULES) > len(named)
    assert len(nodes["grade"]["content"]["rules"]) == len(policy.grades)
    assert len(nodes["price"]["content"]["rules"]) == sum(len(row.rates_bps) for row in policy.pricing.rates)
    assert rules.inputs(cases[0])["requested"] == cases[0].case.application.request.amount_cents


def test_the_report_names_every_family(tmp_path: Path) -> None:
    """A family that is not there is in the report with the reason, none is left out."""
    told = described(tmp_path)
    assert set(told) == set(FAMILIES)
    assert all("make peers" in why for why in told.values())
    assert OURS.versions("numpy")["numpy"]
