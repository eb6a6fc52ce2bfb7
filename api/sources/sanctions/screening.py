"""Names of an application against the sanctions list: how many listings they may be.

It does: compare people with people and businesses with entities, and let a date of birth take a match away. It does
not: decide anything (a person in compliance does), look for politically exposed people, or keep a name. The rule it
keeps: a hit is the list's reference and a score, never whose name it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from api.sources import ScreenedName
from api.sources.sanctions.births import agrees
from api.sources.sanctions.matching import Index
from api.sources.sanctions.names import fold, parts
from api.sources.sanctions.reader import Entry, SanctionsList

THRESHOLD: Final = 0.92
MOST_NAMES: Final = 100
# For each token that one of two names lacks: people leave middle names out, a business that drops a word is another.
_PERSON_LACKS: Final = 0.03
_ENTITY_LACKS: Final = 0.06


class Unscreenable(ValueError):
    """A name without a letter or digit, no name at all, or too many: nothing can be said of them."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A listing that one of the names may be, by the reference of the listed name that came nearest."""

    reference: str
    score: float


@dataclass(frozen=True, slots=True)
class Screened:
    """What screening found: hits, the best first, on the list of this digest."""

    hits: tuple[Hit, ...]
    digest: str


class Screening:
    """A list made ready; immutable, so that threads share it."""

    def __init__(self, listed: SanctionsList, threshold: float = THRESHOLD) -> None:
        self.digest = listed.digest
        self.threshold = threshold
        self._people = _Side([entry for entry in listed.entries if entry.kind != "entity"], person=True)
        self._entities = _Side([entry for entry in listed.entries if entry.kind != "person"], person=False)

    def check(self, names: Sequence[ScreenedName]) -> Screened:
        """Each listing once, however many names come near to it; raises Unscreenable."""
        if not 0 < len(names) <= MOST_NAMES:
            raise Unscreenable
        best: dict[str, Hit] = {}
        for entry, score in (found for name in names for found in self.matches(name)):
            held = best.get(entry.listing)
            if held is None or score > held.score:
                best[entry.listing] = Hit(entry.reference, round(score, 4))
        return Screened(tuple(sorted(best.values(), key=lambda hit: (-hit.score, hit.reference))), self.digest)

    def matches(self, name: ScreenedName) -> list[tuple[Entry, float]]:
        """The listed names that one name comes near to, its date of birth considered; raises Unscreenable."""
        side, texts = (self._people, (name.name,)) if name.person else (self._entities, parts(name.name))
        if not texts:
            raise Unscreenable
        found = [pair for text in texts for pair in side.near(text, self.threshold)]
        if not name.person and "," in name.name:
            # The business register writes a sole trader "SURNAME, GIVEN NAMES".
            found += self._people.near(name.name, self.threshold)
        return [(entry, score) for entry, score in found if _may_be(entry, name)]


class _Side:
    """The people of a list, or its entities; where the list does not say which, a name is on both sides."""

    def __init__(self, entries: list[Entry], *, person: bool) -> None:
        folded = [(entry, fold(entry.name, person=person)) for entry in entries]
        self._entries = [entry for entry, tokens in folded if tokens]
        self._index = Index([tokens for _, tokens in folded if tokens], _PERSON_LACKS if person else _ENTITY_LACKS)
        self._person = person

    def near(self, text: str, least: float) -> list[tuple[Entry, float]]:
        tokens = fold(text, person=self._person)
        if not tokens:
            raise Unscreenable
        return [(self._entries[place], score) for place, score in self._index.nearest(tokens, least)]


def _may_be(entry: Entry, name: ScreenedName) -> bool:
    """Dates that disagree rule a listing out; a weak alias needs a date or a country that agrees."""
    dated = name.born is not None and bool(entry.births)
    if dated and name.born is not None and not agrees(name.born, entry.births):
        return False
    return dated or not entry.weak or entry.australian
