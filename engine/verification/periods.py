"""Whether the periods of a case's documents follow one another, and how much of the wanted time they cover.

It does: put the periods of one kind in order and say where days are missing, where they are covered twice, and which
wanted days no period has. It does not: read documents, or tell two accounts apart. The rule it keeps: a document that
was sent twice counts once, and nothing is made up for a gap.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from engine.verification.documents import Value

Period = tuple[date, date]  # first day and last day, both in it
_Days = tuple[int, int]  # the same as ordinals, which have no last day
# Days that one period may have in common with the next: banks often begin a statement on the day the last one ended.
_SHARED_DAYS: Mapping[str, int] = {"activity_statement": 0, "bank_statement": 1}
PERIODIC = frozenset(_SHARED_DAYS)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How periods lie to each other. `contiguous`: one after another, without gap and without overlap.

    `gaps` and `overlaps` are days between or in two of them, `missing` the wanted days that none has, `backwards`
    periods that end before they begin, which count for nothing.
    """

    contiguous: bool
    gaps: tuple[Period, ...]
    overlaps: tuple[Period, ...]
    missing: tuple[Period, ...]
    backwards: tuple[Period, ...]
    wanted_days: int
    covered_days: int

    @property
    def whole(self) -> bool:
        """Contiguous, and all wanted days covered."""
        return self.contiguous and not self.missing


def periods_of(documents: Iterable[Mapping[str, Value]]) -> tuple[Period, ...]:
    """The periods of documents that say theirs, from their values by field: recorded, or as machines read them."""
    return tuple(
        (date.fromisoformat(str(values["period_from"])), date.fromisoformat(str(values["period_to"])))
        for values in documents
        if {"period_from", "period_to"} <= values.keys()
    )


def coverage(kind: str, periods: Iterable[Period], wanted: Period | None = None) -> Coverage:
    """How the periods of one kind lie to each other and to the wanted time: by default all that they span."""
    told = sorted(set(periods))
    days = [(first.toordinal(), last.toordinal()) for first, last in told if first <= last]
    gaps: list[_Days] = []
    overlaps: list[_Days] = []
    reached = days[0][0] - 1 if days else 0
    for first, last in days:
        if first > reached + 1:
            gaps.append((reached + 1, first - 1))
        shared = first, min(last, reached)
        if _count(shared) > _SHARED_DAYS.get(kind, 0):
            overlaps.append(shared)
        reached = max(reached, last)
    span = (wanted[0].toordinal(), wanted[1].toordinal()) if wanted else (days[0][0], reached) if days else (1, 0)
    missing = list(_uncovered(days, span))
    backwards = tuple(each for each in told if each[0] > each[1])
    return Coverage(
        contiguous=bool(days) and not (gaps or overlaps or backwards),
        gaps=_dates(gaps),
        overlaps=_dates(overlaps),
        missing=_dates(missing),
        backwards=backwards,
        wanted_days=_count(span),
        covered_days=_count(span) - sum(map(_count, missing)),
    )


def _uncovered(days: Iterable[_Days], span: _Days) -> Iterator[_Days]:
    """Runs of days of a span that none of the periods, in order, has."""
    next_day, end = span
    for first, last in days:
        if first > next_day and next_day <= end:
            yield next_day, min(first - 1, end)
        next_day = max(next_day, last + 1)
    if next_day <= end:
        yield next_day, end


def _count(days: _Days) -> int:
    return max(days[1] - days[0] + 1, 0)


def _dates(days: Iterable[_Days]) -> tuple[Period, ...]:
    return tuple((date.fromordinal(first), date.fromordinal(last)) for first, last in days)
