"""Made-up people by the origin of their names, and the ways in which one name comes to be written.

It does: draw names from pools.toml, the same for the same seed. It does not: know the matcher. The rule it keeps:
origin is a property of the pool a name was drawn from, never guessed from a name.
"""

import random
import tomllib
from dataclasses import dataclass
from pathlib import Path

_POOLS = tomllib.loads((Path(__file__).parent / "pools.toml").read_text(encoding="utf-8"))
_SPELLINGS = [group.split() for group in _POOLS.pop("spellings")["groups"]]
_COMMON_SHARE = 0.2  # of family names from the short list, where an origin has both kinds
_MIDDLE_SHARE = 0.5
ORIGINS: tuple[str, ...] = tuple(_POOLS)


@dataclass(frozen=True, slots=True)
class Person:
    """A made-up person; `places` says which part of a name each word is."""

    origin: str
    words: tuple[str, ...]
    places: tuple[str, ...]
    born: int

    @property
    def name(self) -> str:
        """The name as the language writes it."""
        return " ".join(self.words)


def draw(origin: str, chance: random.Random, *, middle: bool | None = None) -> Person:
    """One person; `middle` says whether a middle name is written, by chance where it is None."""
    pool: dict[str, str] = _POOLS[origin]
    written = chance.random() < _MIDDLE_SHARE if middle is None else middle
    words, places = [], []
    for place in pool["order"].split():
        second = place in places
        if (place == "middle" or second) and not written:
            continue
        words.append(_word(pool, "given" if place == "middle" and "middle" not in pool else place, chance))
        places.append("middle" if second else place)
    return Person(origin, tuple(words), tuple(places), chance.randint(1950, 2004))


def _word(pool: dict[str, str], place: str, chance: random.Random) -> str:
    if place == "given" and "syllables" in pool:
        syllables = pool["syllables"].split()
        return chance.choice(syllables) + chance.choice(syllables)
    if place == "family":
        if "roots" in pool and chance.random() > _COMMON_SHARE:
            return chance.choice(pool["roots"].split()) + chance.choice(pool["endings"].split())
        # The commoner first: a Nguyen or a Kim is met far more often than the thirtieth name.
        return _ranked(pool["family"].split(), chance, 0.7 if "roots" in pool else 1.0)
    return chance.choice(pool[place].split())


def _ranked(words: list[str], chance: random.Random, steepness: float) -> str:
    return chance.choices(words, [(rank + 1) ** -steepness for rank in range(len(words))])[0]


def reordered(person: Person) -> str:
    """As a register writes it: family name, comma, the rest."""
    place = person.places.index("family")
    return f"{person.words[place]}, {' '.join((*person.words[:place], *person.words[place + 1 :]))}"


def respelled(person: Person, chance: random.Random) -> str | None:
    """Every word that has one in another usual spelling; None where no word has one."""
    words = [_other_spelling(word, chance) for word in person.words]
    return None if tuple(words) == person.words else " ".join(words)


def _other_spelling(word: str, chance: random.Random) -> str:
    group = next((group for group in _SPELLINGS if word == group[0]), None)
    return word if group is None else chance.choice(group[1:])


def mistyped(person: Person, chance: random.Random) -> str | None:
    """One letter left out, doubled, swapped with the next or changed, in a word of five letters or more."""
    long = [place for place, word in enumerate(person.words) if len(word) >= 5]
    if not long:
        return None
    place = chance.choice(long)
    word = person.words[place]
    at = chance.randrange(1, len(word) - 1)
    wrong = chance.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + chance.choice("AEIOURSTLN") + word[at + 1 :],
        ]
    )
    return " ".join((*person.words[:place], wrong, *person.words[place + 1 :]))


def shortened(person: Person) -> str | None:
    """Without the middle name; None where there is none."""
    kept = [word for word, place in zip(person.words, person.places, strict=True) if place != "middle"]
    return None if len(kept) == len(person.words) else " ".join(kept)
