"""The measurement: who is taken for whom, who is found, and how long it takes.

It does: screen made-up applicants who are on no list against a made-up list, and listed people under other spellings.
It does not: say how often that happens among real people: real lists and customers have other names in other shares.
The rule it keeps: false positives are counted with a 95 % interval and by origin, never as one average alone.
"""

import random
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from math import sqrt

from api.sandbox.sanctions import COLUMNS, write_workbook
from api.sources import ScreenedName
from api.sources.sanctions import Entry, SanctionsList, Screening, read_list
from api.sources.sanctions.births import Years, agrees
from benchmarks.screening.people import ORIGINS, Person, draw, mistyped, reordered, respelled, shortened

THRESHOLDS = (0.88, 0.90, 0.92, 0.94, 0.96, 0.98)
LIST_NAMES = 8_000
APPLICANTS = 2_000  # of each origin
FOUND = 300  # listed people of each origin, looked for in each way
TIMED_NAMES = 15_000
_NAMES_A_LISTING = 2.5
_DATED_SHARE = 0.8
_Z = 1.96


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its Wilson interval."""

    hits: int
    of: int

    @property
    def share(self) -> float:
        """The share itself."""
        return self.hits / self.of

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval."""
        middle = (self.share + _Z**2 / (2 * self.of)) / (1 + _Z**2 / self.of)
        half = _Z * sqrt(self.share * (1 - self.share) / self.of + _Z**2 / (4 * self.of**2)) / (1 + _Z**2 / self.of)
        return max(middle - half, 0.0), min(middle + half, 1.0)


@dataclass(frozen=True, slots=True)
class Measured:
    """By origin and threshold: false positives without and with a date of birth; by way and threshold: found."""

    listed: int
    undated: dict[str, dict[float, Rate]]
    dated: dict[str, dict[float, Rate]]
    found: dict[str, dict[float, Rate]]
    found_by_origin: dict[str, dict[str, dict[float, Rate]]]
    check_ms: tuple[float, float]
    read_ms: float
    ready_ms: float


def measure(seed: int = 20_261, applicants: int = APPLICANTS, found: int = FOUND) -> Measured:
    """Everything, from one seed; under a minute."""
    chance = random.Random(seed)
    listed = made_up_list(chance, LIST_NAMES)
    screening = Screening(listed, THRESHOLDS[0])
    undated, dated = {}, {}
    for origin in ORIGINS:
        undated[origin], dated[origin] = _false_positives(screening, origin, applicants, chance)
    ways = _found(chance, found)
    check_ms, read_ms, ready_ms = _timed(chance)
    return Measured(
        listed=listed.count,
        undated=undated,
        dated=dated,
        found={way: _summed(by.values()) for way, by in ways.items()},
        found_by_origin=ways,
        check_ms=check_ms,
        read_ms=read_ms,
        ready_ms=ready_ms,
    )


def made_up_list(chance: random.Random, names: int) -> SanctionsList:
    """A list of people, equal shares of every origin, most with other names and a year of birth."""
    entries: list[Entry] = []
    listing = 0
    while len(entries) < names:
        listing += 1
        person = draw(ORIGINS[listing % len(ORIGINS)], chance, middle=True)
        births = (Years(person.born, person.born),) if chance.random() < _DATED_SHARE else ()
        others = [reordered(person), respelled(person, chance), shortened(person)]
        count = round(chance.uniform(0, 2 * (_NAMES_A_LISTING - 1)))
        written = [
            person.name,
            *chance.sample([name for name in others if name], k=min(count, len(others) - others.count(None))),
        ]
        entries += [
            _entry(listing, letter, name, births) for letter, name in zip(("", "a", "b", "c"), written, strict=False)
        ]
    return SanctionsList(tuple(entries[:names]), None, "0" * 64)


def _entry(listing: int, letter: str, name: str, births: tuple[Years, ...]) -> Entry:
    return Entry(f"{listing}{letter}", str(listing), name, "person", births=births)


def _false_positives(
    screening: Screening, origin: str, applicants: int, chance: random.Random
) -> tuple[dict[float, Rate], dict[float, Rate]]:
    undated, dated = [], []
    for _ in range(applicants):
        person = draw(origin, chance)
        near = screening.matches(ScreenedName(person.name, person=True))
        born = date(person.born, 7, 1)
        undated.append(max((score for _, score in near), default=0.0))
        dated.append(
            max((score for entry, score in near if not entry.births or agrees(born, entry.births)), default=0.0)
        )
    return _rates(undated), _rates(dated)


def _found(chance: random.Random, count: int) -> dict[str, dict[str, dict[float, Rate]]]:
    """Listed people under other spellings, on a list that holds nothing but the name as first written."""
    people = {origin: [draw(origin, chance, middle=True) for _ in range(count)] for origin in ORIGINS}
    everybody = [person for group in people.values() for person in group]
    entries = tuple(_entry(place, "", person.name, ()) for place, person in enumerate(everybody))
    screening = Screening(SanctionsList(entries, None, "0" * 64), THRESHOLDS[0])
    found: dict[str, dict[str, dict[float, Rate]]] = {}
    place = 0
    for origin, group in people.items():
        scores: dict[str, list[float]] = {}
        for person in group:
            for way, written in _ways(person, chance).items():
                if written is not None:
                    near = screening.matches(ScreenedName(written, person=True))
                    scores.setdefault(way, []).append(
                        max((score for entry, score in near if entry.listing == str(place)), default=0.0)
                    )
            place += 1
        for way, best in scores.items():
            found.setdefault(way, {})[origin] = _rates(best)
    return found


def _ways(person: Person, chance: random.Random) -> dict[str, str | None]:
    return {
        "exact": person.name,
        "reordered": reordered(person),
        "other romanisation": respelled(person, chance),
        "typing mistake": mistyped(person, chance),
        "no middle name": shortened(person),
    }


def _rates(scores: list[float]) -> dict[float, Rate]:
    return {threshold: Rate(sum(score >= threshold for score in scores), len(scores)) for threshold in THRESHOLDS}


def _summed(rates: Iterable[dict[float, Rate]]) -> dict[float, Rate]:
    listed = list(rates)
    return {
        threshold: Rate(sum(rate[threshold].hits for rate in listed), sum(rate[threshold].of for rate in listed))
        for threshold in THRESHOLDS
    }


def _timed(chance: random.Random) -> tuple[tuple[float, float], float, float]:
    """Median and 99th percentile of screening four names, and the time to read and ready the whole list."""
    listed = made_up_list(chance, TIMED_NAMES)
    kinds = [("Individual", "") if place % 4 else ("Entity", " TRADING LLC") for place in range(TIMED_NAMES)]
    rows = [
        COLUMNS,
        *(
            (entry.reference, entry.name + ending, kind, *[None] * 15, "TRUE")
            for entry, (kind, ending) in zip(listed.entries, kinds, strict=True)
        ),
    ]
    content = write_workbook(rows)
    began = time.perf_counter()
    read = read_list(content)
    read_done = time.perf_counter()
    screening = Screening(read)
    ready_done = time.perf_counter()
    times = []
    for _ in range(300):
        names = [ScreenedName(draw(chance.choice(ORIGINS), chance).name, person=True) for _ in range(3)]
        asked = [*names, ScreenedName("EUCALYPT TRADING PTY LTD")]
        start = time.perf_counter()
        screening.check(asked)
        times.append((time.perf_counter() - start) * 1_000)
    times.sort()
    return (statistics.median(times), times[296]), (read_done - began) * 1_000, (ready_done - read_done) * 1_000
