"""Re-decisions: offer explorer, counterfactuals, value of a missing fact, materiality bands.

It does: ask again what `decide` would say with one thing changed, and nothing else; no formula here knows how a
decision is made. It does not: suggest what a source cannot verify. The rules it keeps: at most two changes at a time
and three suggestions a decision; what is promised is the least that was found on any day; a band speaks of one value
at a time and of the lattice it was proved on.
"""

from engine.whatif.changed import asking
from engine.whatif.counterfactual import CHANGES, MOST_CHANGES, MOST_SUGGESTIONS, Suggestion, suggest
from engine.whatif.explorer import MOST_POINTS, Point, explore
from engine.whatif.materiality import BAND_FIELDS, BAND_STEPS, MOST_STEPS, Band, band, bands
from engine.whatif.plausible import Range, usual_line, value_of_bank
from engine.whatif.promised import EVIDENCE, Promise, Shown, ShownBy, fulfils, honoured, is_met, promises

__all__ = [
    "BAND_FIELDS", "BAND_STEPS", "CHANGES", "EVIDENCE", "MOST_CHANGES", "MOST_POINTS", "MOST_STEPS",
    "MOST_SUGGESTIONS", "Band", "Point", "Promise", "Range", "Shown", "ShownBy", "Suggestion", "asking", "band",
    "bands", "explore", "fulfils", "honoured", "is_met", "promises", "suggest", "usual_line", "value_of_bank",
]  # fmt: skip
