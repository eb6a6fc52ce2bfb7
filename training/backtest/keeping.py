"""Files of recorded decisions that the desk writes itself: what a release makes of a market, an export condensed, and
the fixed replay set of the release gate.

It does: write them line by line, in several processes; and choose decisions for a replay set by a digest of their ids,
so that every outcome, grade and rule is among them. It does not: read the service's database. The rule it keeps: the
same decisions give the same bytes, and a file appears whole or not at all.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import msgspec

from engine.canonical import canonical_bytes
from models import engine_digest
from training.backtest.condensing import condensed_line
from training.backtest.records import NONE, Export, Market, Part, first_line
from training.backtest.running import Progress, in_turn
from training.backtest.seen import seen_in
from training.backtest.trials import Terms, Trial, Wanted
from training.exported import no_decision
from training.whole import write_pieces

EACH = 10
"""Of every outcome, grade and rule, so many decisions at least are in a replay set, where the export has them."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a file holds, and its digest."""

    decisions: int
    sha256: str


def write_decided(market: Path, release: Wanted, out: Path, jobs: int = 2, progress: Progress = lambda n: None) -> int:
    """Decide a market under a release and keep it as `creditline export` would; how many decisions it holds."""
    source = Market(market)
    decide = partial(_decided, source=source, release=release)
    return _write(out, in_turn(decide, [(part,) for part in source.parts()], jobs), progress)


def write_condensed(export: Path, out: Path, jobs: int = 2, progress: Progress = lambda n: None) -> int:
    """Condense an export, erased decisions left out; how many decisions it holds."""
    source = Export(export)
    return _write(
        out, in_turn(partial(_condensed, source=source), [(part,) for part in source.parts()], jobs), progress
    )


def write_replay_set(export: Path, out: Path, count: int, jobs: int = 2) -> Written:
    """Choose `count` decisions of an export, and EACH of what is rare besides, and keep them in the order of their ids.

    ValueError where there is none to choose from.
    """
    source = Export(export)
    lowest: dict[str, list[tuple[int, int]]] = {}  # by what they hold: digest negated, so that the largest goes first
    for held in in_turn(partial(_keys, source=source), [(part,) for part in source.parts()], jobs):
        for number, start, keys in held:
            for key in keys:
                heap, most = lowest.setdefault(key, []), count if not key else EACH
                heapq.heappush(heap, (-number, start))
                if len(heap) > most:
                    heapq.heappop(heap)
    starts = [start for _, start in sorted({(-number, start) for heap in lowest.values() for number, start in heap})]
    if not starts:
        raise ValueError(f"{export} holds no decision that could be decided again")
    digest = sha256()
    write_pieces(out, _copied(export, starts, digest.update))
    return Written(len(starts), digest.hexdigest())


def _write(out: Path, parts: Iterator[list[bytes]], progress: Progress) -> int:
    written = 0

    def pieces() -> Iterator[bytes]:
        nonlocal written
        for part in parts:
            written += len(part)
            progress(len(part))
            yield from part

    write_pieces(out, pieces())
    return written


# -- in a process of its own ---------------------------------------------------------------------------------

_OPEN: dict[Wanted, Trial] = {}


def _decided(part: Part, source: Market, release: Wanted) -> list[bytes]:
    trial = _OPEN.get(release) or _OPEN.setdefault(release, release.opened())
    held = source.index(part)
    lines = []
    for record in source.read(part, b"\1" * len(held)):
        decision = Terms.of(trial, record.facts.as_of.date()).decide(record)
        line = {
            "decision_id": f"dec_{record.decision_id}", "application_id": f"app_{record.application_id}",
            "decided_at": record.decided_at, "engine_digest": engine_digest(), "release_digest": trial.digest,
            "application": record.application.model_dump(mode="json"),
            "facts": msgspec.Raw(record.facts.canonical()),
            "decision": decision.model_dump(mode="json"),
        }  # fmt: skip
        lines.append(canonical_bytes(line) + b"\n")
    return lines


def _condensed(part: Part, source: Export) -> list[bytes]:
    wanted = bytes(not entry.erased for entry in source.index(part))
    return [condensed_line(record) for record in source.read(part, wanted)]


class _Judged(msgspec.Struct):
    decision_id: str
    application: msgspec.Raw = msgspec.Raw(NONE)
    facts: msgspec.Raw = msgspec.Raw(NONE)
    decision: msgspec.Raw = msgspec.Raw(NONE)


def _keys(part: Part, source: Export) -> list[tuple[int, int, list[str]]]:
    """Of each decision that is not erased: a number by its id, the byte it begins at, and what it is an example of."""
    found = []
    for start, line in source.lines(part):
        try:
            told = msgspec.json.decode(line, type=_Judged)
            if NONE in {bytes(told.application), bytes(told.facts)}:
                continue
            seen = seen_in(msgspec.json.decode(told.decision))
        except (msgspec.MsgspecError, KeyError, TypeError) as error:
            raise ValueError(f"{no_decision(source.path, source.number(start))}: {first_line(error)}") from None
        keys = ["", f"outcome {seen.outcome}", f"grade {seen.grade}", *(f"rule {rule}" for rule in seen.findings)]
        number = int.from_bytes(sha256(told.decision_id.encode()).digest()[:8])
        found.append((number, start, keys))
    return found


def _copied(export: Path, starts: list[int], digested: Callable[[bytes], None]) -> Iterator[bytes]:
    with export.open("rb") as file:
        for start in starts:
            file.seek(start)
            line = file.readline().rstrip(b"\n") + b"\n"
            digested(line)
            yield line
