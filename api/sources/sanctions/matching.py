"""How near two names are, and which of thousands of listed names come near to one.

It does: look every token of a name up among the list's own by sound, and score the few listed names of which enough
tokens were found. It does not: know dates, kinds or thresholds (api.sources.sanctions.screening does). The rule it
keeps: every token of the shorter name needs its partner in the longer one, in whatever order they stand.

Speed: one comparison of the distinct tokens with the list's distinct tokens, in C; no loop over listed names.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import JaroWinkler
from rapidfuzz.process import cdist

from api.sources.sanctions.names import sound

Tokens = tuple[str, ...]
Near = dict[int, float]  # which of the list's sounds, how near

_FLOOR: Final = 0.85  # of two sounds, below which two tokens are different words
_SAME_SOUND: Final = 0.98  # of two spellings that sound alike
_EXACT_UP_TO: Final = 3  # letters of a sound, up to which only the same sound will do
_MOST_FORMS: Final = 12  # ways of cutting one name into tokens
_SHORTEST_HALF: Final = 2
_LONGEST_CUT: Final = 40  # letters of a token that is worth cutting; no two names written as one are longer
_ARTICLES: Final = ("AL", "EL")


class Index:
    """The tokens of a list's names, ready for look-up; immutable once made, safe in several threads."""

    def __init__(self, names: Sequence[Tokens], unmatched: float) -> None:
        self._names = names
        self._unmatched = unmatched  # taken off for each token that only the longer name has
        self._lengths = np.array([len(tokens) for tokens in names], dtype=np.int16)
        spoken = {token: sound(token) for tokens in names for token in tokens}
        self._sounds = sorted(set(spoken.values()))
        self._ids = {written: token for token, written in enumerate(self._sounds)}
        self._sounds_of = [tuple(self._ids[spoken[token]] for token in tokens) for tokens in names]
        self._short = np.array([len(written) <= _EXACT_UP_TO for written in self._sounds], dtype=bool)
        places: list[list[int]] = [[] for _ in self._sounds]
        for place, ids in enumerate(self._sounds_of):
            for token in set(ids):
                places[token].append(place)
        self._places = [np.array(found, dtype=np.int32) for found in places]

    def nearest(self, tokens: Tokens, least: float) -> list[tuple[int, float]]:
        """The listed names that score at least `least` against a name, as (place in the list, score)."""
        forms = self._forms(tokens)
        spoken = {token: sound(token) for form in forms for token in form}
        by_sound = self._near(sorted(set(spoken.values())))
        near = {token: by_sound[written] for token, written in spoken.items()}
        best: dict[int, float] = {}
        for form in forms:
            for place in self._candidates(form, near):
                score = self._score(form, place, near)
                if score >= max(least, best.get(place, 0.0)):
                    best[place] = score
        return sorted(best.items())

    def _forms(self, tokens: Tokens) -> list[Tokens]:
        """The name, and the ways of joining or cutting its tokens that give tokens of the list: Abd al-Rahman."""
        forms: dict[Tokens, None] = {tokens: None}
        for place, token in enumerate(tokens):
            before, after = tokens[:place], tokens[place + 1 :]
            if after and sound(token + after[0]) in self._ids:
                forms[(*before, token + after[0], *after[1:])] = None
            cuts = range(_SHORTEST_HALF, len(token) - _SHORTEST_HALF + 1) if len(token) <= _LONGEST_CUT else ()
            for cut in cuts:
                left, right = token[:cut], token[cut:]
                # The article is no token of the list: it was folded away there.
                head = () if left in _ARTICLES else (left,)
                if sound(right) in self._ids and (not head or sound(left) in self._ids):
                    forms[(*before, *head, right, *after)] = None
        return list(forms)[:_MOST_FORMS]

    def _near(self, sounds: Sequence[str]) -> dict[str, Near]:
        """For each sound the list's sounds that come near to it."""
        found: dict[str, Near] = {
            written: {self._ids[written]: _SAME_SOUND} if written in self._ids else {} for written in sounds
        }
        long = [written for written in sounds if len(written) > _EXACT_UP_TO]
        if not long or not self._sounds:
            return found
        table: NDArray[np.float32] = cdist(
            long, self._sounds, scorer=JaroWinkler.normalized_similarity, score_cutoff=_FLOOR, dtype=np.float32
        )
        table[:, self._short] = 0
        for written, row in zip(long, table, strict=True):
            for token in np.flatnonzero(row).tolist():
                found[written].setdefault(token, min(float(row[token]), _SAME_SOUND))
        return found

    def _candidates(self, form: Tokens, near: Mapping[str, Near]) -> list[int]:
        """Names of which at least as many tokens were found as the shorter of the two has."""
        counts = np.zeros(len(self._names), dtype=np.int16)
        for token in form:
            partners = [self._places[found] for found in near[token]]
            if partners:
                counts[np.concatenate(partners)] += 1
        enough = counts >= np.minimum(self._lengths, len(form))
        # One token says too little beside a longer name.
        enough &= (self._lengths == 1) == (len(form) == 1)
        return [int(place) for place in np.flatnonzero(enough)]

    def _score(self, form: Tokens, place: int, near: Mapping[str, Near]) -> float:
        """Mean of the average and the worst of the paired tokens, less what only the longer name has."""
        listed, sounds = self._names[place], self._sounds_of[place]
        pairs = [
            (1.0 if token == listed[there] else near[token][written], here, there)
            for here, token in enumerate(form)
            for there, written in enumerate(sounds)
            if written in near[token]
        ]
        taken: list[float] = []
        ours: set[int] = set()
        theirs: set[int] = set()
        for likeness, here, there in sorted(pairs, reverse=True):
            if here not in ours and there not in theirs:
                ours.add(here)
                theirs.add(there)
                taken.append(likeness)
        needed = min(len(form), len(listed))
        if len(taken) < needed or (needed == 1 and taken[0] < _SAME_SOUND):
            return 0.0
        extra = abs(len(form) - len(listed))
        return (sum(taken) / len(taken) + min(taken)) / 2 - self._unmatched * extra
