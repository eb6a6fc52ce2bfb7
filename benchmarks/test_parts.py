"""Micro-benchmarks of what a decision is made of: `pytest benchmarks --benchmark-only`.

The parts are those of `python -m benchmarks`, one at a time and with pytest-benchmark's statistics, to compare one
change with the next. They are no part of the test suite.
"""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks import deciding, statement
from benchmarks.scoring import advising
from benchmarks.scoring.models import heavy
from benchmarks.subject import ORDERS, TRANSACTIONS, subject
from engine.scoring import Scorer, backends


def _scoring() -> dict[str, Callable[[], object]]:
    """The scorer's calls on the heavy model, in each back end of this machine."""
    model = heavy()
    row, block = model.rows[0], model.rows[:1_000]
    tasks: dict[str, Callable[[], object]] = {}
    for backend in backends():
        scorer = Scorer(model.text, model.names, backend)
        tasks |= {
            f"score, {backend}": partial(scorer.raw, row),
            f"contributions, {backend}": partial(scorer.contributions, row),
            f"{len(block)} rows, {backend}": partial(scorer.raw_many, block),
        }
    return tasks


PARTS: dict[str, Callable[[], object]] = {
    "decide": deciding.whole_task(subject()),
    **deciding.stage_tasks(subject()),
    **deciding.beside_tasks(subject()),
    **statement.tasks(asyncio.new_event_loop()),
    **_scoring(),
    **advising.tasks(subject())[0],
}


def test_the_subject_is_of_the_stated_size() -> None:
    """The business that is decided has exactly 1,800 bank transactions and 300 orders."""
    facts = subject().facts
    assert facts.bank.value is not None
    assert facts.marketplace.value is not None
    assert (len(facts.bank.value.transactions), len(facts.marketplace.value.orders)) == (TRANSACTIONS, ORDERS)


@pytest.mark.parametrize("part", PARTS)
def test_part(benchmark: BenchmarkFixture, part: str) -> None:
    """A part of the decision, timed by itself."""
    benchmark(PARTS[part])
