"""Ways to tamper with an audit chain and its checkpoints, with and without making new digests and signatures.

It does: change a record in memory, as whoever holds the database, the folder of checkpoints or even a key could, and
render it as an export. It does not: decide whether that is found. The rule it keeps: what was tampered with differs
from what was there, and says which entry is the first that differs.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from random import Random
from typing import Any

import msgspec

from api.audit.checkpoints import Checkpoint, Keyring, Signed, Signer, covered_by, next_checkpoint
from api.store.queries.audit import GENESIS, RawEntry
from engine.canonical import canonical_bytes

_NOWHERE = 1 << 40


@dataclass(frozen=True, slots=True)
class Record:
    """Entries and the lines of checkpoints; `signer` is the true key, `another` the record of another database."""

    entries: tuple[RawEntry, ...]
    lines: tuple[bytes, ...]
    signer: Signer
    another: "Record | None" = None

    def exported(self) -> list[bytes]:
        """The lines of the export that this record would give."""
        lines, waiting = [b"creditline-audit-export 1"], list(self.lines)
        for entry in self.entries:
            seq, at, body, digest, prev = entry
            lines.append(b"E\t%d\t%d\t%s\t%s\t%s" % (seq, at, digest, prev, body))
            while waiting and covered_by(waiting[0]) <= seq:
                lines.append(b"C\t" + waiting.pop(0))
        lines += [b"C\t" + line for line in waiting]
        return [*lines, b"end %d %d" % (len(self.entries), len(self.lines))]


@dataclass(frozen=True, slots=True)
class Tampered:
    """What a record became; `entry` is the first that differs, far away where only checkpoints do."""

    record: Record
    entry: int = _NOWHERE


Way = Callable[[Record, Random], Tampered]


# -- one entry, digests as they were -------------------------------------------------------------------------


def flipped(column: int) -> Way:
    """One bit of one column of one entry."""

    def flip(record: Record, draw: Random) -> Tampered:
        place = draw.randrange(len(record.entries))
        entry: list[Any] = list(record.entries[place])
        value = entry[column]
        entry[column] = value ^ (1 << draw.randrange(50)) if isinstance(value, int) else _flip(value, draw)
        anew: RawEntry = tuple(entry)
        return _with(record, place, (*record.entries[:place], anew, *record.entries[place + 1 :]))

    return flip


def deleted(record: Record, draw: Random) -> Tampered:
    """One entry less, not the last."""
    place = draw.randrange(len(record.entries) - 1)
    return _with(record, place, (*record.entries[:place], *record.entries[place + 1 :]))


def swapped(record: Record, draw: Random) -> Tampered:
    """Two entries in each other's place, under each other's number."""
    one, two = sorted(draw.sample(range(len(record.entries)), 2))
    entries = list(record.entries)
    entries[one] = (one + 1, *record.entries[two][1:])
    entries[two] = (two + 1, *record.entries[one][1:])
    return _with(record, one, tuple(entries))


def repeated(record: Record, draw: Random) -> Tampered:
    """One entry twice, the second time under the last number of all."""
    again = record.entries[draw.randrange(len(record.entries))]
    return _with(record, len(record.entries), (*record.entries, (len(record.entries) + 1, *again[1:])))


def cut(record: Record, draw: Random) -> Tampered:
    """The tail gone, its checkpoints left."""
    left = draw.randrange(len(record.entries))
    return _with(record, left, record.entries[:left])


def rehashed(record: Record, draw: Random) -> Tampered:
    """One entry written anew with its own digest, those after it as they were."""
    place = draw.randrange(len(record.entries))
    anew = _rebuilt(_reworded(record, place), place)[place]
    return _with(record, place, (*record.entries[:place], anew, *record.entries[place + 1 :]))


# -- the chain from some entry on, every digest new ----------------------------------------------------------


def forked(record: Record, draw: Random) -> Tampered:
    """An entry written anew and every digest after it, the checkpoints as they were."""
    place = draw.randrange(len(record.entries))
    return _with(record, place, _rebuilt(_reworded(record, place), place))


def forked_without_one(record: Record, draw: Random) -> Tampered:
    """An entry left out, those after it numbered anew, every digest new."""
    place = draw.randrange(len(record.entries) - 1)
    left = _rebuilt((*record.entries[:place], *record.entries[place + 1 :]), place)
    return _with(record, place, left)


def forked_in_other_order(record: Record, draw: Random) -> Tampered:
    """Two neighbours in each other's place, every digest new."""
    place = draw.randrange(len(record.entries) - 1)
    one, two = record.entries[place : place + 2]
    entries = (*record.entries[:place], two, one, *record.entries[place + 2 :])
    return _with(record, place, _rebuilt(entries, place))


def forked_and_patched(record: Record, draw: Random) -> Tampered:
    """The same as `forked`, and the checkpoints tell the new digests under the old signatures."""
    fork = forked(record, draw)
    lines = []
    for signed in _lines(fork.record, record.signer):
        old = record.lines[signed.told.number - 1]
        lines.append(signed.line.partition(b"\t")[0] + b"\t" + old.partition(b"\t")[2])
    return replace(fork, record=replace(fork.record, lines=tuple(lines)))


def forked_under_another_key(record: Record, draw: Random) -> Tampered:
    """The same as `forked`, and all checkpoints are signed anew by a key of somebody else."""
    fork, key = forked(record, draw), Signer(draw.randbytes(32))
    lines = tuple(signed.line for signed in _lines(fork.record, key))
    return replace(fork, record=replace(fork.record, lines=lines))


def forked_under_a_false_name(record: Record, draw: Random) -> Tampered:
    """The same, and that key passes itself off as the true one."""
    fork, key = forked(record, draw), Signer(draw.randbytes(32))
    lines = tuple(signed.line for signed in _lines(fork.record, key, name=record.signer.key_id))
    return replace(fork, record=replace(fork.record, lines=lines))


# -- the checkpoints alone -----------------------------------------------------------------------------------


def line_flipped(record: Record, draw: Random) -> Tampered:
    """One bit of one checkpoint or its signature."""
    place = draw.randrange(len(record.lines))
    lines = (*record.lines[:place], _flip(record.lines[place], draw), *record.lines[place + 1 :])
    return Tampered(replace(record, lines=lines))


def line_removed(record: Record, draw: Random) -> Tampered:
    """One checkpoint gone: the last leaves entries that none covers."""
    place = draw.randrange(len(record.lines))
    return Tampered(replace(record, lines=(*record.lines[:place], *record.lines[place + 1 :])))


def lines_swapped(record: Record, draw: Random) -> Tampered:
    """Two checkpoints in each other's place."""
    one, two = sorted(draw.sample(range(len(record.lines)), 2))
    lines = list(record.lines)
    lines[one], lines[two] = lines[two], lines[one]
    return Tampered(replace(record, lines=tuple(lines)))


def line_repeated(record: Record, draw: Random) -> Tampered:
    """One checkpoint twice."""
    place = draw.randrange(len(record.lines))
    return Tampered(replace(record, lines=(*record.lines[: place + 1], *record.lines[place:])))


def line_edited(record: Record, draw: Random) -> Tampered:
    """One checkpoint that says something else, under its old signature or another key's."""
    place = draw.randrange(len(record.lines))
    body, _, signature = record.lines[place].partition(b"\t")
    told = json.loads(body)
    name = draw.choice(sorted(told))
    told[name] = told[name] + 1 if isinstance(told[name], int) else sha256(told[name].encode()).hexdigest()
    if draw.random() < 1 / 2:
        line = canonical_bytes(told) + b"\t" + signature
    else:
        line = Signer(draw.randbytes(32)).sign(msgspec.convert(told, Checkpoint)).line
    return Tampered(replace(record, lines=(*record.lines[:place], line, *record.lines[place + 1 :])))


def lines_of_another(record: Record, draw: Random) -> Tampered:
    """The checkpoints of another database of the same lender, rightly signed; some of them or all."""
    assert record.another is not None
    kept = draw.randrange(len(record.lines))
    return Tampered(replace(record, lines=(*record.lines[:kept], *record.another.lines[kept:])))


# -- what only a copy that is kept elsewhere finds -----------------------------------------------------------


def forked_under_the_true_key(record: Record, draw: Random) -> Tampered:
    """History written anew, and signed anew, by somebody who has both the database and the key."""
    fork = forked(record, draw)
    lines = tuple(signed.line for signed in _lines(fork.record, record.signer))
    return replace(fork, record=replace(fork.record, lines=lines))


def cut_cleanly(record: Record, draw: Random) -> Tampered:
    """The tail gone together with its checkpoints, as if it had never been."""
    kept = draw.randrange(1, len(record.lines))
    left = covered_by(record.lines[kept - 1])
    return _with(replace(record, lines=record.lines[:kept]), left, record.entries[:left])


def another(record: Record, draw: Random) -> Tampered:
    """The whole record of another database, rightly signed."""
    assert record.another is not None
    return Tampered(replace(record.another, another=record), 1)


FOUND_BY_ANYBODY: dict[str, Way] = {
    "a bit of a number": flipped(0),
    "a bit of a time": flipped(1),
    "a bit of a body": flipped(2),
    "a bit of a digest": flipped(3),
    "a bit of the digest before": flipped(4),
    "deleted": deleted,
    "swapped": swapped,
    "repeated": repeated,
    "cut": cut,
    "rehashed": rehashed,
    "forked": forked,
    "forked, one left out": forked_without_one,
    "forked, two swapped": forked_in_other_order,
    "forked, checkpoints patched": forked_and_patched,
    "forked, another key": forked_under_another_key,
    "forked, a false name": forked_under_a_false_name,
    "a bit of a checkpoint": line_flipped,
    "a checkpoint removed": line_removed,
    "checkpoints swapped": lines_swapped,
    "a checkpoint repeated": line_repeated,
    "a checkpoint edited": line_edited,
    "checkpoints of another database": lines_of_another,
}
FOUND_BY_COPIES: dict[str, Way] = {
    "forked, the true key": forked_under_the_true_key,
    "cut cleanly": cut_cleanly,
    "another database": another,
}
WAYS = {**FOUND_BY_ANYBODY, **FOUND_BY_COPIES}


def a_record(signer: Signer, entries: int, every: int, words: str = "made up") -> Record:
    """A made-up chain with a checkpoint after so many entries each, the last entry covered."""
    raw: list[RawEntry] = []
    for number in range(1, entries + 1):
        details = {"words_sha256": sha256(f"{words} {number}".encode()).hexdigest()}
        said = {"v": 1, "actor": "key_1", "actor_role": "caller", "action": "note", "object": f"app_{number}"}
        raw.append((number, number * 60_000_000, canonical_bytes({**said, "details": details}), b"", b""))
    chain = _rebuilt(tuple(raw), 0)
    record = Record(chain, (), signer)
    covered = range(every, entries + 1, every)
    return replace(record, lines=tuple(each.line for each in _signed(record, signer, [(seq, seq) for seq in covered])))


def _with(record: Record, place: int, entries: tuple[RawEntry, ...]) -> Tampered:
    return Tampered(replace(record, entries=entries), place + 1)


def _reworded(record: Record, place: int) -> tuple[RawEntry, ...]:
    seq, at, body, digest, prev = record.entries[place]
    body = canonical_bytes({**json.loads(body), "actor": "somebody_else"})
    return (*record.entries[:place], (seq, at, body, digest, prev), *record.entries[place + 1 :])


def _rebuilt(entries: tuple[RawEntry, ...], place: int) -> tuple[RawEntry, ...]:
    """The chain with numbers, links and digests made anew from a place on, and times that never go back."""
    chain = list(entries[:place])
    for _, dated, old, _, _ in entries[place:]:
        prev, at = (_digest(chain[-1]), max(dated, chain[-1][1] + 1)) if chain else (GENESIS, dated)
        body = canonical_bytes({**json.loads(old), "seq": len(chain) + 1, "at": at, "prev": prev})
        chain.append((len(chain) + 1, at, body, sha256(body).hexdigest().encode(), prev.encode()))
    return tuple(chain)


def _digest(entry: RawEntry) -> str:
    return entry[3].decode()


def _lines(record: Record, signer: Signer, name: str | None = None) -> list[Signed]:
    """The checkpoints of a record over the digests that its entries have now."""
    covered = []
    for line in record.lines:
        old = Keyring(record.signer.public).read(line)
        assert isinstance(old, Signed)
        covered.append((old.told.seq, old.told.at))
    return _signed(record, signer, covered, name)


def _signed(
    record: Record, signer: Signer, covered: Sequence[tuple[int, int]], name: str | None = None
) -> list[Signed]:
    """A series of checkpoints of these entries at these times."""
    lines: list[Signed] = []
    for seq, at in covered:
        told = next_checkpoint(
            lines[-1] if lines else None, seq, _digest(record.entries[min(seq, len(record.entries)) - 1]),
            chain=_digest(record.entries[0]), at=at, key=name or signer.key_id,
        )  # fmt: skip
        lines.append(signer.sign(told))
    return lines


def _flip(value: bytes, draw: Random) -> bytes:
    """A bit turned so that the bytes stay such as any database takes for text."""
    while True:
        place, bit = draw.randrange(len(value)), 1 << draw.randrange(7)
        if value[place] ^ bit and value[place] < 128:
            return value[:place] + bytes([value[place] ^ bit]) + value[place + 1 :]
