"""A back-test: every recorded decision of a span decided again, in several processes.

It does: index the span, hand out parts, decide each record under both sides, and put the counts together in order. It
does not: choose what to try. The rules it keeps: a decision is the engine's own, on the facts as known then; a process
holds one part at a time, and the counts; only ids and days of the span are held whole.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from hashlib import sha256
from multiprocessing import get_context
from typing import Any, Literal, TypeVar

from models import engine_digest
from training.backtest.causes import CODE, Bench, Cause
from training.backtest.money import Worth
from training.backtest.records import Entry, Part, Record, Source
from training.backtest.seen import Seen, moved
from training.backtest.tally import MOST_EXAMPLES, Status, Tally, merge
from training.backtest.trials import Terms, Wanted

T = TypeVar("T")
Progress = Callable[[int], None]
Spread = Callable[[Callable[..., T], Sequence[tuple[Any, ...]]], Iterator[T]]  # results in the order of the arguments
NEWEST = date.max
_OUT, _EARLIER, _LAST = 0, 1, 2  # a mark's low bits
_STATUS: Mapping[int, Status] = {0: "", 4: "good", 8: "bad"}  # and its high ones


@dataclass(frozen=True, slots=True)
class Plan:
    """What is tried, beside what, on which decisions."""

    source: Source
    new: Wanted
    against: Wanted | None = None  # None: the recorded decisions
    terms: Literal["then", "newest"] | date = "then"
    start: date | None = None
    end: date | None = None
    attribute: bool = True

    def day(self, record: Record) -> date:
        """The day whose policy terms decide a record."""
        if self.terms == "then":
            return record.facts.as_of.date()
        return NEWEST if self.terms == "newest" else self.terms


@dataclass(frozen=True, slots=True)
class Span:
    """The index of a source: what each part holds, as marks; and the days of its decisions by id."""

    parts: tuple[Part, ...]
    marks: tuple[bytes, ...]
    decisions: int
    left_out: Mapping[str, int]


def indexed(plan: Plan, statuses: Callable[[Sequence[Entry]], Mapping[str, str]] | None = None, jobs: int = 1) -> Span:
    """The span of a plan: of several decisions on one application the last is marked as such.

    `statuses` says what became of decisions, by decision id; a market says it itself.
    """
    parts = plan.source.parts()
    entries = list(in_turn(plan.source.index, [(part,) for part in parts], jobs))
    inside = [[_inside(plan, entry) for entry in held] for held in entries]
    last: dict[str, str] = {}
    for held, wanted in zip(entries, inside, strict=True):
        last |= {e.application_id: e.decision_id for e, is_in in zip(held, wanted, strict=True) if is_in}
    standing = set(last.values())
    known = dict(statuses([e for held in entries for e in held if e.decision_id in standing])) if statuses else {}
    marks = [
        bytes(_mark(entry, is_in, standing, known) for entry, is_in in zip(held, wanted, strict=True))
        for held, wanted in zip(entries, inside, strict=True)
    ]
    count = sum(sum(wanted) for wanted in inside)
    erased = sum(entry.erased for held in entries for entry in held)
    everything = sum(map(len, entries))
    return Span(
        tuple(parts), tuple(marks), count,
        {"erased": erased, "outside the span": everything - count - erased, "followed by another": count - len(last)},
    )  # fmt: skip


def _inside(plan: Plan, entry: Entry) -> bool:
    after = plan.start is None or plan.start.isoformat() <= entry.day
    return not entry.erased and after and (plan.end is None or entry.day <= plan.end.isoformat())


def _mark(entry: Entry, is_in: bool, standing: set[str], known: Mapping[str, str]) -> int:
    if not is_in:
        return _OUT
    if entry.decision_id not in standing:
        return _EARLIER
    status = known.get(entry.decision_id) if entry.bad is None else ("good", "bad")[entry.bad]
    return _LAST + {"good": 4, "bad": 8}.get(status or "", 0)


def run(
    work: "Work", span: Span, jobs: int = 2, progress: Progress = lambda done: None, spread: Spread[Tally] | None = None
) -> Tally:
    """Decide a span again and count, in `jobs` processes or as `spread` does; ValueError tells of a faulty record."""
    total = Tally()
    _WORK[:] = [work]
    pairs = [pair for pair in zip(span.parts, span.marks, strict=True) if any(pair[1])]
    for part in (spread or partial(in_turn, jobs=jobs))(_counted, pairs):
        merge(total, part)
        progress(part.decisions)
    total.left_out.update({name: count for name, count in span.left_out.items() if count})
    del total.examples[MOST_EXAMPLES:]
    return total


class Work:
    """A plan with its releases read, once for all processes; ValueError and ReleaseRejected say what is wrong."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.new = plan.new.opened()
        self.base = plan.against.opened() if plan.against is not None else None
        self.worth = Worth(self.new.policy.on(NEWEST).pricing)
        self.bench = Bench(plan.new.root)

    @property
    def names(self) -> tuple[str, str]:
        """What is compared: old and new."""
        return (self.base.name if self.base else "recorded", self.new.name)

    @property
    def identity(self) -> str:
        """The same wherever the same engine decides by the same policies and models."""
        sides = [
            (side.policy.model_dump_json(), side.model.sha256) for side in (self.base, self.new) if side is not None
        ]
        return sha256(repr((engine_digest(), sides)).encode()).hexdigest()

    def part(self, part: Part, marks: bytes) -> Tally:
        """The counts of one part."""
        tally = Tally()
        for record, mark in zip(self.plan.source.read(part, marks), filter(None, marks), strict=True):
            self._count(record, mark, tally)
        return tally

    def _count(self, record: Record, mark: int, tally: Tally) -> None:
        day = self.plan.day(record)
        old, new = self._old(record, day), self.bench.terms(self.new, day)
        before, after = self._before(record, old), new.see(record)
        what = moved(before, after)
        tally.decisions += 1
        tally.synthetic += record.facts.synthetic
        if what:
            causes = self._causes(record, old, new, before, after) if self.plan.attribute else None
            tally.change(record.decision_id, before, after, what, causes)
        if mark & 3 == _LAST:
            tally.application(record.application, before, after, bool(what), _STATUS[mark & 12], self.worth)
        said = record.decided_at[:10]
        tally.referrals.add(record.application_id, record.facts, said, record.recorded)
        tally.referrals.before.add(before, said)
        tally.referrals.after.add(after, said)

    def _old(self, record: Record, day: date) -> Terms | None:
        """The release to compare with; of a recorded decision the one that made it, None where it is not here."""
        if self.base is not None:
            return self.bench.terms(self.base, day)
        maker = self.bench.maker(record.release_digest)
        return None if maker is None else self.bench.terms(maker, record.facts.as_of.date())

    def _before(self, record: Record, old: Terms | None) -> Seen:
        if self.base is None and record.recorded is not None:
            return record.recorded
        if old is None:
            raise ValueError("nobody has decided these yet: name a release with --against")
        return old.see(record)

    def _causes(
        self, record: Record, old: Terms | None, new: Terms, before: Seen, after: Seen
    ) -> frozenset[Cause] | None:
        """Causes by swapping; what the release that decided then decides otherwise today is the code's."""
        if old is None:
            return None
        found: frozenset[Cause] = frozenset()
        if self.base is None:
            again = old.see(record)
            if moved(before, again):
                found, before = frozenset({CODE}), again
        if moved(before, after):
            found |= self.bench.swaps(old, new).causes(record, before, after)
        return found


_WORK: list[Work] = []  # of this process, and so of those split off from it


def _counted(part: Part, marks: bytes) -> Tally:
    return _WORK[0].part(part, marks)


def in_turn(function: Callable[..., T], arguments: Iterable[tuple[Any, ...]], jobs: int) -> Iterator[T]:
    """Results in the order of the arguments, few of them under way at a time; one job is done right here."""
    if jobs == 1:
        yield from (function(*each) for each in arguments)
        return
    waiting: deque[Future[T]] = deque()
    with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
        for each in arguments:
            waiting.append(pool.submit(function, *each))
            if len(waiting) > 2 * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
