"""A back-test of a hundred thousand recorded decisions, from raw facts and from stored feature rows, in turn.

It does: make synthetic decisions (a simulated market decided by the shipped release, each repeated under ids of its
own), then time the desk's own command in processes of their own and read their peak memory; a plain loop over
`decide` in one process stands beside. It does not: use a real decision. The rule it keeps: all are given the same
decisions and the same changed policy, and must find the same number of changes.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import models
from engine.decision import decide
from training.backtest import Export, Wanted
from training.backtest.keeping import write_condensed, write_decided
from training.backtest.seen import moved, seen_of
from training.backtest.trials import read_policy
from training.simulate import write_market
from training.whole import write_pieces

BUSINESSES, SEED, PLAIN = 2_000, 17, 4_000
_CHANGES = (("least_trading_months = 6", "least_trading_months = 12"),
            ("C = [185, 165, 155, 145]", "C = [190, 165, 155, 145]"))  # fmt: skip
_POLICY = Path(__file__).parents[2] / "training" / "policy.toml"


@dataclass(frozen=True, slots=True)
class Line:
    """One way of deciding again: seconds by the clock and of processors in each round, and peak memory in MiB."""

    way: str
    decisions: int
    seconds: tuple[float, ...]
    cpu: tuple[float, ...]
    peak_mib: float  # of the process that puts together, plus twice that of the largest that decides


@dataclass(frozen=True, slots=True)
class Measured:
    """The lines, how long the files are, and how many decisions changed (the same in each)."""

    lines: tuple[Line, ...]
    raw_mib: float
    rows_mib: float
    changed: int


def measure(decisions: int = 100_000, rounds: int = 3, jobs: int = 2) -> Measured:
    """Make the decisions in a folder that is gone afterwards, and time each way in turn."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        place = Path(name)
        raw, rows, policy = made(place, decisions, jobs)
        found: dict[str, list[dict[str, float]]] = {"rows": [], "raw": [], "plain": []}
        for turn in range(rounds):
            for way in ("rows", "raw", "plain") if turn % 2 else ("plain", "raw", "rows"):
                path = rows if way == "rows" else raw
                found[way].append(_timed(way, path, policy, jobs))
        whole = {each["changed"] for way in ("rows", "raw") for each in found[way]}
        if len(whole) != 1:
            raise RuntimeError(f"the ways do not agree on what changed: {whole}")
        sizes = [path.stat().st_size / 2**20 for path in (raw, rows)]
    names = {"rows": f"stored feature rows, {jobs} processes", "raw": f"raw facts, {jobs} processes",
             "plain": "raw facts, a plain loop"}  # fmt: skip
    lines = tuple(
        Line(names[way], int(each[0]["decisions"]), tuple(e["seconds"] for e in each), tuple(e["cpu"] for e in each),
             max(e["peak"] for e in each))
        for way, each in found.items()
    )  # fmt: skip
    return Measured(lines, sizes[0], sizes[1], int(whole.pop()))


def made(place: Path, decisions: int, jobs: int) -> tuple[Path, Path, Path]:
    """An export of synthetic decisions, the same condensed, and a policy that changes a rule and a price."""
    write_market(place / "market.sqlite", count=min(BUSINESSES, decisions), seed=SEED, jobs=jobs)
    few, raw, rows, policy = (place / name for name in ("few.jsonl", "raw.jsonl", "rows.jsonl", "policy.toml"))
    write_decided(place / "market.sqlite", Wanted(models.ROOT), few, jobs)
    write_pieces(raw, _repeated(few, decisions))
    write_condensed(raw, rows, jobs)
    text = _POLICY.read_text()
    for old, new in _CHANGES:
        text = text.replace(old, new)
    policy.write_text(text)
    return raw, rows, policy


def _repeated(few: Path, decisions: int) -> Iterator[bytes]:
    """The same decisions over and over, each time under other ids."""
    written, turn = 0, 0
    while True:
        with few.open("rb") as file:
            for line in file:
                if written == decisions:
                    return
                yield line.replace(b"_business-", b"_business-%d-" % turn)
                written += 1
        turn += 1


def _timed(way: str, path: Path, policy: Path, jobs: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.credit.backtest", way, str(path), str(policy), str(jobs)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def child(way: str, path: Path, policy: Path, jobs: int) -> dict[str, float]:
    """One way, timed from the command's first line to its last."""
    began = time.perf_counter()
    decisions, changed = _plain(path, policy) if way == "plain" else _command(path, policy, jobs)
    seconds = time.perf_counter() - began
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = sum(each.ru_utime + each.ru_stime for each in (own, others))
    peak = (own.ru_maxrss + jobs * others.ru_maxrss) / 1024
    return {"seconds": seconds, "cpu": cpu, "peak": peak, "decisions": decisions, "changed": changed}


def _command(path: Path, policy: Path, jobs: int) -> tuple[int, int]:
    """`creditline-train backtest` as anybody would run it, with the causes of every change."""
    from training.cli import main  # noqa: PLC0415 - what it loads is part of what is timed

    record = path.with_name(f"record-{os.getpid()}.json")
    main(["backtest", "--export", str(path), "--policy", str(policy), "--jobs", str(jobs), "--json", str(record)],
         standalone_mode=False)  # fmt: skip
    told = json.loads(record.read_bytes())
    return int(told["decisions"]), int(told["changed"])


def _plain(path: Path, policy: Path) -> tuple[int, int]:
    """The first few thousand by `decide` in a loop, compared with what is recorded; no causes, no sums."""
    trial = replace(models.champion(), policy=read_policy(policy))
    source, seen, changed = Export(path), 0, 0
    for part in source.parts():
        for record in source.read(part, b"\1" * len(source.index(part))):
            after = seen_of(decide(record.application, record.facts, trial))
            changed += bool(record.recorded and moved(record.recorded, after))
            seen += 1
            if seen == PLAIN:
                return seen, changed
    return seen, changed


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("way", choices=("rows", "raw", "plain"))
    asked.add_argument("path", type=Path)
    asked.add_argument("policy", type=Path)
    asked.add_argument("jobs", type=int)
    given = asked.parse_args()
    sys.stdout.write(json.dumps(child(given.way, given.path, given.policy, given.jobs)) + "\n")
