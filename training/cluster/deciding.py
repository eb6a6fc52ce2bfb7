"""Recorded decisions, or a whole market, decided on a cluster: each worker reads a part of the file and counts.

It does: hand out parts, and add counts up in the file's order. It does not: decide otherwise than training.backtest
does. The rule it keeps: every worker decides by the very engine, policies and models that this machine named.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from threading import get_ident
from typing import Any

import models
from training.backtest import Market, Outcomes, Plan, Span, Tally, Wanted, Work, decide_market, run
from training.backtest.outcomes import decide_part
from training.backtest.records import Export, Part, Source
from training.cluster.waiting import Cluster, ClusterFault

Progress = Callable[[int], None]


def run_on(cluster: Cluster, work: Work, span: Span, progress: Progress = lambda done: None) -> Tally:
    """A back-test (see training.backtest.run), its parts counted by workers."""
    plan, identity = _absolute(work.plan), work.identity

    def spread(_: Callable[..., Tally], pairs: Sequence[tuple[Any, ...]]) -> Iterator[Tally]:
        return cluster.each(partial(counted, plan=plan, identity=identity), pairs)

    return run(work, span, progress=progress, spread=spread)


def counted(part: Part, marks: bytes, plan: Plan, identity: str) -> Tally:
    """The counts of one part. Runs on a worker."""
    _must_see(plan.source)
    return _work(plan, identity, get_ident()).part(part, marks)


@cache
def _work(plan: Plan, identity: str, thread: int) -> Work:
    """A plan with its releases read, for one thread alone: a scorer remembers the row it was asked last."""
    work = Work(plan)
    if work.identity != identity:
        raise ClusterFault(
            f"a worker has another engine, policy or model at {plan.new.root}: it must see the same files"
        )
    return work


def decide_market_on(
    cluster: Cluster, market: Path, release: str | None, root: Path, progress: Progress = lambda done: None
) -> Outcomes:
    """Decide every business of a market under a release (None: the champion), its parts by workers."""
    root = root.resolve()
    wanted = models.champion(root) if release is None else models.load(release, root)

    def spread(_: Callable[..., Outcomes], parts: Sequence[tuple[Any, ...]]) -> Iterator[Outcomes]:
        there = Market(market.resolve())
        return cluster.each(partial(decided, market=there, release=wanted.name, digest=wanted.digest, root=root), parts)

    return decide_market(market, wanted.name, root, progress=progress, spread=spread)


def decided(part: Part, market: Market, release: str, digest: str, root: Path) -> Outcomes:
    """The counts of one run of businesses. Runs on a worker."""
    _must_see(market)
    if models.load(release, root).digest != digest:
        raise ClusterFault(
            f"a worker has another release under the name {release} at {root}: it must see the same files"
        )
    return decide_part(part, market, release, root)


def _must_see(source: Source) -> None:
    if isinstance(source, Export | Market) and not source.path.is_file():
        raise ClusterFault(f"a worker finds no file at {source.path}: every worker must see it at the same path")


def _absolute(plan: Plan) -> Plan:
    """The same with paths that mean the same wherever a worker was started."""

    def there(wanted: Wanted) -> Wanted:
        policy, model = wanted.policy, wanted.model
        return replace(
            wanted,
            root=wanted.root.resolve(),
            policy=policy and policy.resolve(),
            model=model.resolve() if model and model.is_dir() else model,  # else a name under root
        )

    source = plan.source
    if isinstance(source, Export | Market):
        source = replace(source, path=source.path.resolve())
    return replace(plan, source=source, new=there(plan.new), against=plan.against and there(plan.against))
