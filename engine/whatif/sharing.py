"""Pure functions of a case, worked out once for all cases that are alike in what they read.

It does: watch which parts of a case a function reads, and give its result again to a case with the very same parts
there. It does not: know what a part means, nor which function reads which. The rule it keeps: a pure function that
finds the same objects wherever it looks gives the same result, so nothing is declared and nothing declared wrongly.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence, Set
from operator import attrgetter, itemgetter
from typing import Any, ClassVar, Final, Generic, TypeVar

from engine.facts import LATER, SOURCES
from engine.screening import Case

T = TypeVar("T")
Parts = tuple[Hashable, ...]

# How finely what is read is told apart. Whatever has another name counts as the whole of it.
_APPLICATION: Final = ("business", "request", "finances")
_FACTS: Final = (*SOURCES, *LATER)
_EVIDENCE: Final = ("register", "marketplace", "orders", "bank", "bureau")
_of_application, _of_facts, _of_evidence = attrgetter(*_APPLICATION), attrgetter(*_FACTS), attrgetter(*_EVIDENCE)


def parts_of(case: Case) -> Parts:
    """What a case consists of, as keys that are good for as long as somebody keeps the case."""
    application, facts, evidence = case.application, case.facts, case.evidence
    return (
        facts.as_of,
        *map(id, (case.policy, application, facts, evidence)),
        *map(id, _of_application(application)),
        *map(id, _of_facts(facts)),
        *map(id, _of_evidence(evidence)),
    )


_AS_OF, _POLICY, _WHOLE_APPLICATION, _WHOLE_FACTS, _WHOLE_EVIDENCE, _FIRST = range(6)  # places in the parts


def _places(names: Sequence[str], first: int) -> dict[str, int]:
    return {name: place for place, name in enumerate(names, first)}


_PLACES_APPLICATION: Final = _places(_APPLICATION, _FIRST)
_PLACES_FACTS: Final = {"as_of": _AS_OF} | _places(_FACTS, _FIRST + len(_APPLICATION))
_PLACES_EVIDENCE: Final = {"as_of": _AS_OF} | _places(_EVIDENCE, _FIRST + len(_APPLICATION) + len(_FACTS))
_OFTEN: Final = frozenset(
    (
        _AS_OF,
        _PLACES_APPLICATION["request"],
        _PLACES_APPLICATION["finances"],
        _PLACES_EVIDENCE["orders"],
    )
)


class _Watched:
    """Stands for one part of a case, and notes the place of whatever is read of it."""

    __slots__ = ("_note", "_of")
    _whole: ClassVar[int]

    def __init__(self, of: object, note: Callable[[int], None]) -> None:
        self._of, self._note = of, note

    def __getattr__(self, name: str) -> object:
        self._note(self._whole)
        return getattr(self._of, name)


def _noting(name: str, place: int) -> property:
    def read(watched: _Watched) -> object:
        watched._note(place)
        return getattr(watched._of, name)

    return property(read)  # three times as fast as __getattr__


def _watched(places: Mapping[str, int], whole: int, *more: str) -> type[_Watched]:
    told = {name: _noting(name, place) for name, place in places.items()}
    return type("_Watched", (_Watched,), {"__slots__": more, "_whole": whole, **told})


_WatchedApplication: Final = _watched(_PLACES_APPLICATION, _WHOLE_APPLICATION)
_WatchedFacts: Final = _watched(_PLACES_FACTS, _WHOLE_FACTS)
_WatchedEvidence: Final = _watched(_PLACES_EVIDENCE, _WHOLE_EVIDENCE, "application")


class Sight:
    """A case, what it consists of, and the same case as one that can be seen being read."""

    __slots__ = ("case", "parts", "seen", "watched")

    def __init__(self, case: Case) -> None:
        self.case, self.parts, self.seen = case, parts_of(case), set[int]()
        application: Any = _WatchedApplication(case.application, self.seen.add)
        facts: Any = _WatchedFacts(case.facts, self.seen.add)
        evidence: Any = _WatchedEvidence(case.evidence, self.seen.add)
        evidence.application = application
        self.watched = Case(application, facts, evidence, case.policy)


class Shared(Generic[T]):
    """A pure function of a case that remembers its results by what it read."""

    def __init__(self, compute: Callable[[Case], T]) -> None:
        self._compute: Final = compute
        self._known: Final[dict[Set[int], tuple[itemgetter[Parts], dict[Hashable, T]]]] = {}

    def of(self, sight: Sight) -> T:
        """The result for this case; whoever asks keeps the sight alive, and with it whatever the keys stand for."""
        for pick, known in self._known.values():
            if (key := pick(sight.parts)) in known:
                return known[key]
        sight.seen.clear()
        result = self._compute(sight.watched)
        self.remember(result, sight.seen, sight.parts)
        return result

    def remember(self, result: T, seen: Set[int], parts: Parts) -> None:
        """Keep a result that was worked out from the parts at these places, and from the policy."""
        places = frozenset((_POLICY, *seen))
        if places not in self._known:
            self._known[places] = itemgetter(*places), {}
        pick, known = self._known[places]
        known[pick(parts)] = result


class Together(Generic[T]):
    """Many pure functions of a case, shared in groups, by what they read of the first case that changes often.

    `order` says whose result stands at each place. How they are grouped decides how much is shared, and nothing else.
    """

    def __init__(self, functions: Sequence[Callable[[Case], T]], first: Sight) -> None:
        groups: dict[Set[int], list[int]] = {}
        read: dict[Set[int], set[int]] = {}
        results = []
        for place, function in enumerate(functions):
            first.seen.clear()
            results.append(function(first.watched))
            often = _OFTEN & first.seen
            groups.setdefault(often, []).append(place)
            read.setdefault(often, set()).update(first.seen)
        self.order: Final = [place for group in groups.values() for place in group]
        self._groups: Final[list[Shared[list[T]]]] = []
        for which, group in groups.items():
            shared = Shared(_all([functions[place] for place in group]))
            shared.remember([results[place] for place in group], read[which], first.parts)
            self._groups.append(shared)

    def of(self, sight: Sight) -> list[T]:
        """Every function's result, in `order`."""
        return [result for group in self._groups for result in group.of(sight)]


def _all(functions: Sequence[Callable[[Case], T]]) -> Callable[[Case], list[T]]:
    return lambda case: [function(case) for function in functions]
