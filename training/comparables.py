"""A file of comparable businesses for the service: sampled, de-identified, small.

It does: read a market file or an export of decisions, take businesses evenly over groups of divisions and bands of
turnover, strip them of names (engine.comparable), and write one compressed file. It does not: hold an ABN, a name, a
text of a statement or a date of its own. The rules it keeps: a statement sums up as the original or is not written;
the same businesses give the same file.
"""

import hashlib
import os
import sqlite3
import zlib
from bisect import bisect, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from engine.application import Application
from engine.canonical import canonical_bytes, digest
from engine.comparable import Comparable, Heading, deidentified, group_of
from engine.facts import Facts
from engine.features.statement import summarise
from training.exported import lines, no_decision
from training.market import businesses

MOST_FILE_BYTES = 3_000_000
_BAND_EDGES_CENTS = (15_000_000, 30_000_000, 60_000_000, 120_000_000, 250_000_000)
_HELD_A_CELL = 60  # candidates kept while reading: five groups and six bands of them stay in memory

Cell = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One business that may be taken: its application's JSON, and its facts' JSON compressed."""

    application: bytes
    facts: bytes


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: how many businesses, in how many cells, bytes and their SHA-256."""

    businesses: int
    cells: int
    synthetic: bool
    size: int
    sha256: str


def write_comparables(out: Path, candidates: Iterator[Candidate], count: int, force: bool = False) -> Written:
    """Sample `count` of the candidates and write them to `out`.

    FileExistsError where the file exists and `force` is False; ValueError where no candidate has a connected
    statement and a report, or where the file would be larger than the service reads.
    """
    if out.exists() and not force:
        raise FileExistsError(out)
    cells = _by_cell(candidates)
    found, used, synthetic = [], set(), False
    for cell, comparable, made_up in _taken(cells):
        found.append(comparable)
        used.add(cell)
        synthetic |= made_up
        if len(found) == count:
            break
    if not found:
        raise ValueError("no business with a connected statement and a report")
    heading = Heading(synthetic=synthetic, count=len(found))
    packed = zlib.compress(b"".join(each.canonical() + b"\n" for each in (heading, *found)), 9)
    if len(packed) > MOST_FILE_BYTES:
        raise ValueError(f"the file would have {len(packed)} bytes, more than {MOST_FILE_BYTES}: take fewer businesses")
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f".{out.name}.{os.getpid()}.draft")
    try:
        draft.write_bytes(packed)
        os.replace(draft, out)
    finally:
        draft.unlink(missing_ok=True)
    return Written(len(found), len(used), synthetic, len(packed), hashlib.sha256(packed).hexdigest())


def from_market(path: Path) -> Iterator[Candidate]:
    """Every business of a market file; ValueError where it is none."""
    try:
        for application, facts, _, _ in businesses(path, closed_only=False):
            yield Candidate(application.encode(), facts)
    except sqlite3.Error:
        raise ValueError(f"{path} is not a market file") from None


def from_export(path: Path) -> Iterator[Candidate]:
    """Every decision of an export that was made with a bank statement; ValueError names a line that is no decision."""
    for number, record in lines(path, "application", "facts"):
        application, facts = record["application"], record["facts"]
        try:
            told = application is not None and facts is not None  # an erased record is told without them
            if told and facts["bank"]["status"] == "present":
                yield Candidate(canonical_bytes(application), zlib.compress(canonical_bytes(facts), 1))
        except (ValueError, KeyError, TypeError):
            raise no_decision(path, number) from None


@dataclass(frozen=True, slots=True, order=True)
class _Ranked:
    """A candidate in its place; the rank is an order that says nothing about a business."""

    rank: str
    application: Application = field(compare=False)
    facts: bytes = field(compare=False)


def _by_cell(candidates: Iterator[Candidate]) -> dict[Cell, list[_Ranked]]:
    """The first candidates by rank of each group of divisions and band of turnover."""
    cells: dict[Cell, list[_Ranked]] = {}
    for candidate in candidates:
        try:
            application = Application.model_validate_json(candidate.application)
        except ValidationError:
            raise ValueError("a business's application cannot be read") from None
        band = bisect(_BAND_EDGES_CENTS, application.finances.turnover_12m_cents)
        held = cells.setdefault((group_of(application.business.division), band), [])
        insort(held, _Ranked(digest(application.canonical()), application, candidate.facts))
        del held[_HELD_A_CELL:]
    return cells


def _taken(cells: dict[Cell, list[_Ranked]]) -> Iterator[tuple[Cell, Comparable, bool]]:
    """Usable businesses in turns, one a cell; and whether their facts are made up."""
    seen: set[str] = set()
    waiting = {cell: _usable(cells[cell], seen) for cell in sorted(cells)}
    while waiting:
        for cell in tuple(waiting):
            found = next(waiting[cell], None)
            if found is None:
                del waiting[cell]
            else:
                yield cell, *found


def _usable(held: list[_Ranked], seen: set[str]) -> Iterator[tuple[Comparable, bool]]:
    """The comparables of a cell by rank, each business once."""
    for ranked in held:
        business = ranked.application.business
        if business.abn in seen:
            continue
        try:
            facts = Facts.model_validate_json(zlib.decompress(ranked.facts))
        except (ValidationError, zlib.error):
            raise ValueError("a business's facts cannot be read") from None
        comparable = deidentified(business.division, facts)
        if comparable is not None:
            _check_same(comparable, facts)
            seen.add(business.abn)
            yield comparable, facts.synthetic


def _check_same(comparable: Comparable, facts: Facts) -> None:
    """Raise where de-identifying changed what a statement says: better no file than a wrong one."""
    if facts.bank.value is None or summarise(comparable.bank) != summarise(facts.bank.value):
        raise AssertionError("de-identifying changed a statement's summary")
