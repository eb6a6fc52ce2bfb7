"""Recorded decisions, wherever they are kept, ready to be decided again.

It does: read the service's export, the same condensed, or a simulated market, in parts that several processes read at
once. It does not: decide. The rules it keeps: nothing but a part is ever in memory; a line that is no decision ends
the reading by its number.
"""

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.application import Application
from engine.facts import Facts
from engine.features import FEATURE_NAMES, Evidence, row_of
from engine.policy import Policy
from engine.screening import Case
from engine.verified import as_verified
from models import engine_digest
from training.backtest.condensing import Condensed
from training.backtest.seen import Seen, seen_in
from training.exported import MOST_LINE_BYTES, no_decision
from training.market import CHUNK

PART_BYTES = 4_000_000
Part = tuple[int, int]
NONE = b"null"


class Entry(msgspec.Struct, frozen=True):
    """What is known of a record before it is read: whose it is, and when."""

    decision_id: str
    application_id: str
    day: str
    erased: bool = False
    bad: int | None = None  # a market says itself what became of a business


@dataclass(frozen=True, slots=True)
class Record:
    """One decision with all that it was made from."""

    decision_id: str
    application_id: str
    decided_at: str
    application: Application
    facts: Facts
    evidence: Evidence
    row: NDArray[np.float64]
    recorded: Seen | None = None  # None: nobody has decided it yet
    inputs_differ: bool = False  # whether the recorded row is another than this engine derives
    release_digest: str = ""
    engine_digest: str = ""

    def case(self, policy: Policy) -> Case:
        """What rules read, under a policy."""
        return Case(self.evidence.application, self.facts, self.evidence, policy)


class Source(Protocol):
    """Where recorded decisions are."""

    def parts(self) -> list[Part]:
        """The parts, in order."""
        ...

    def index(self, part: Part) -> list[Entry]:
        """What a part holds, without reading it."""
        ...

    def read(self, part: Part, wanted: bytes) -> Iterator[Record]:
        """The records of a part whose place in `wanted` is not nought."""
        ...


class _Line(msgspec.Struct):
    decision_id: str
    application_id: str
    decided_at: str
    engine_digest: str
    release_digest: str
    application: msgspec.Raw = msgspec.Raw(NONE)
    facts: msgspec.Raw = msgspec.Raw(NONE)
    decision: msgspec.Raw = msgspec.Raw(NONE)
    condensed: Condensed | None = None


_LINE = msgspec.json.Decoder(_Line)


@dataclass(frozen=True, slots=True)
class Export:
    """`creditline export`, or the same condensed: one decision a line."""

    path: Path

    def parts(self) -> list[Part]:
        """Spans of bytes; a line belongs to the span it begins in."""
        size = self.path.stat().st_size
        return [(start, min(start + PART_BYTES, size)) for start in range(0, size, PART_BYTES)]

    def index(self, part: Part) -> list[Entry]:
        """Ids and days of the lines of a span."""
        found = []
        for start, line in self.lines(part):
            told = self._parsed(start, line)
            try:
                day = datetime.fromisoformat(told.decided_at).date().isoformat()
            except ValueError:
                raise no_decision(self.path, self.number(start)) from None
            erased = NONE in {bytes(told.application), bytes(told.facts)}
            found.append(Entry(told.decision_id, told.application_id, day, erased))
        return found

    def read(self, part: Part, wanted: bytes) -> Iterator[Record]:
        """The wanted lines of a span."""
        for place, (start, line) in enumerate(self.lines(part)):
            if not wanted[place]:
                continue
            try:
                yield record_of(self._parsed(start, line))
            except (ValueError, KeyError, TypeError, msgspec.MsgspecError) as error:
                raise ValueError(
                    f"{self.path}: line {self.number(start)} cannot be read by this engine: {first_line(error)}"
                ) from None

    def _parsed(self, start: int, line: bytes) -> _Line:
        try:
            return _LINE.decode(line)
        except msgspec.MsgspecError:
            raise no_decision(self.path, self.number(start)) from None

    def lines(self, part: Part) -> Iterator[tuple[int, bytes]]:
        """Each line that begins in a span, and the byte it begins at."""
        start, end = part
        with self.path.open("rb") as file:
            if start:
                file.seek(start - 1)
                file.readline(MOST_LINE_BYTES)  # the rest of a line that began before, or just its end
            while (at := file.tell()) < end:
                line = file.readline(MOST_LINE_BYTES + 1)
                if len(line) > MOST_LINE_BYTES:
                    raise no_decision(self.path, self.number(at))
                yield at, line

    def number(self, start: int) -> int:
        """Which line begins at a byte; looked for only when something is wrong with it."""
        number, left = 1, start
        with self.path.open("rb") as file:
            while left and (block := file.read(min(left, PART_BYTES))):
                number, left = number + block.count(b"\n"), left - len(block)
        return number


def first_line(error: Exception) -> str:
    """What is wrong, in one line, without a value of the record."""
    if hasattr(error, "errors"):
        told = error.errors()[0]
        return f"{'.'.join(map(str, told['loc']))}: {told['msg']}"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def record_of(line: _Line) -> Record:
    """A record of one line; ValueError where this engine cannot read it."""
    application = Application.model_validate_json(bytes(line.application))
    facts = Facts.model_validate_json(bytes(line.facts))
    verified = as_verified(application, facts)
    kept = line.condensed
    recorded: Seen | None
    if kept is None:
        decision = msgspec.json.decode(line.decision)
        evidence = Evidence.of(verified, facts)
        row, recorded = row_of(evidence), seen_in(decision)
        inputs_differ = not _same(row, decision["features"])
    else:
        if kept.engine_digest != engine_digest():
            raise ValueError("it was condensed by another engine: condense the export again")
        evidence, row = kept.evidence(verified, facts), kept.features()
        recorded, inputs_differ = kept.recorded, kept.inputs_differ
    return Record(
        decision_id=line.decision_id, application_id=line.application_id, decided_at=line.decided_at,
        application=application, facts=facts, evidence=evidence, row=row, recorded=recorded,
        inputs_differ=inputs_differ, release_digest=line.release_digest, engine_digest=line.engine_digest,
    )  # fmt: skip


def _same(row: NDArray[np.float64], recorded: dict[str, float | None]) -> bool:
    """Whether a row is the one in a record."""
    told = {name: None if np.isnan(value) else value for name, value in zip(FEATURE_NAMES, row.tolist(), strict=True)}
    return told == recorded


@dataclass(frozen=True, slots=True)
class Market:
    """A simulated market, as if each business were a decision; nobody has decided it yet."""

    path: Path

    def parts(self) -> list[Part]:
        """Spans of businesses, in the order of the market."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as market:
            first, last = market.execute("SELECT min(idx), max(idx) FROM business").fetchone()
        end = -1 if last is None else last
        return [(start, min(start + CHUNK, end + 1)) for start in range(first or 0, end + 1, CHUNK)]

    def index(self, part: Part) -> list[Entry]:
        """Places, days and what became of them."""
        return [Entry(f"business-{place}", f"business-{place}", day, bad=bad) for place, day, bad in self._rows(
            "idx, applied_on, bad", part)]  # fmt: skip

    def read(self, part: Part, wanted: bytes) -> Iterator[Record]:
        """The wanted businesses of a span."""
        for place, (number, stated, blob) in enumerate(self._rows("idx, application, facts", part)):
            if not wanted[place]:
                continue
            application = Application.model_validate_json(stated)
            facts = Facts.model_validate_json(zlib.decompress(blob))
            evidence = Evidence.of(as_verified(application, facts), facts)
            name = f"business-{number}"
            yield Record(name, name, facts.as_of.isoformat(), application, facts, evidence, row_of(evidence))

    def _rows(self, columns: str, part: Part) -> list[tuple[Any, ...]]:
        start, end = part
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as market:
            query = f"SELECT {columns} FROM business WHERE idx >= ? AND idx < ? ORDER BY idx"
            return market.execute(query, (start, end)).fetchall()


def source_of(export: Path | None, market: Path | None) -> Source:
    """The one source that was named; ValueError where none or both were, or it is empty."""
    if (export is None) == (market is None):
        raise ValueError("give either --export or --market")
    source: Source = Export(export) if export is not None else Market(market or Path())
    if not source.parts():
        raise ValueError(f"{export or market} holds no decision")
    return source
