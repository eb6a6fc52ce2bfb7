"""Why a decision changed: one thing swapped at a time, until what changed it is named.

It does: put single parts of the old release back into the new one, and single new parts into the old, and see which
moves the decision. It does not: judge whether a cause was meant (claims do). The rules it keeps: the parts named are
enough to give the new decision; a rule is named by its own findings, never by the part of the policy it reads.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from engine.policy import Policy
from engine.release import CauseKind
from training.backtest.records import Record
from training.backtest.seen import Seen, moved
from training.backtest.trials import Terms, Trial, release_by_digest


class Cause(msgspec.Struct, frozen=True, order=True):
    """One cause of a change; `rule` names the rule of a finding that came or went."""

    kind: CauseKind
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.rule}".rstrip()


CODE: Final = Cause("code")
# The tables of a policy that decide, by what they are called where no finding came or went.
_TABLES: Final[Mapping[str, tuple[CauseKind, tuple[str, ...]]]] = {
    "rules": ("limit", ("screening", "supplier", "guards")),
    "grades": ("grade", ("grades",)),
    "limits": ("limit", ("limits", "verification")),
    "pricing": ("price", ("pricing",)),
    "offer": ("offer", ("offer",)),
}
_MODEL: Final = "model"


class Bench:
    """Releases laid out for many decisions: their terms by day, the swaps between them, who made a record."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._terms: dict[tuple[int, int], Terms] = {}
        self._swaps: dict[tuple[int, int], Swaps] = {}
        self._makers: dict[str, Trial | None] = {}

    def terms(self, trial: Trial, day: date) -> Terms:
        """A trial's terms of a day, one object for each version."""
        key = (id(trial), id(trial.policy.on(day)))
        if key not in self._terms:
            self._terms[key] = Terms.of(trial, day)
        return self._terms[key]

    def swaps(self, old: Terms, new: Terms) -> "Swaps":
        """The swaps between two terms of this bench, made once."""
        key = (id(old), id(new))
        if key not in self._swaps:
            self._swaps[key] = Swaps(old, new)
        return self._swaps[key]

    def maker(self, digest: str) -> Trial | None:
        """The release that made a decision, where it still lies here and this engine can run it."""
        if digest not in self._makers:
            self._makers[digest] = release_by_digest(digest, self._root)
        return self._makers[digest]


class Swaps:
    """An old and a new release, and every single swap between them, made once and used for many decisions."""

    def __init__(self, old: Terms, new: Terms) -> None:
        self.old, self.new = old, new
        self.parts = _parts_that_differ(old, new)
        self._without = {part: _swapped(new, old, part) for part in self.parts}
        self._alone = {part: _swapped(old, new, part) for part in self.parts}

    def causes(self, record: Record, before: Seen, after: Seen) -> frozenset[Cause]:
        """What moved a decision from `before`, under the old release, to `after`, under the new one."""
        if len(self.parts) == 1:
            return self._named(self.parts[0], before, after)
        found: dict[str, frozenset[Cause]] = {}
        for part, terms in self._without.items():  # the new release but for one part
            seen = terms.see(record)
            if moved(seen, after):
                found[part] = self._named(part, seen, after)
        if not found or moved(self._with(found).see(record), after):
            found |= self._each_alone(record, before, found)
        if not found:  # only together
            found = {part: frozenset({Cause(self._kind(part))}) for part in self.parts}
        return frozenset().union(*found.values())

    def _each_alone(self, record: Record, before: Seen, but: Iterable[str]) -> dict[str, frozenset[Cause]]:
        """Of parts that would each have done it, so that taking one back changes nothing: each that does."""
        seen = {part: terms.see(record) for part, terms in self._alone.items() if part not in but}
        return {part: self._named(part, before, after) for part, after in seen.items() if moved(before, after)}

    def _with(self, parts: Iterable[str]) -> Terms:
        terms = self.old
        for part in parts:
            terms = _swapped(terms, self.new, part)
        return terms

    def _named(self, part: str, before: Seen, after: Seen) -> frozenset[Cause]:
        """A part by the findings that it brought or took away, else by what it is."""
        rules = frozenset(before.findings) ^ frozenset(after.findings)
        if rules and part != _MODEL:
            return frozenset(Cause("rule", rule) for rule in rules)
        return frozenset({Cause(self._kind(part))})

    def _kind(self, part: str) -> CauseKind:
        if part != _MODEL:
            return _TABLES[part][0]
        # A model that learnt from other data is declared as such, whatever else was changed when it was fitted.
        return "model" if self.old.model.data_sha256 == self.new.model.data_sha256 else "data"


def _parts_that_differ(old: Terms, new: Terms) -> tuple[str, ...]:
    found = [name for name, (_, tables) in _TABLES.items() if _tables(old.terms, tables) != _tables(new.terms, tables)]
    if old.terms.pricing.grades != new.terms.pricing.grades:
        found.remove("pricing")  # grades and their prices come and go together
    return (*found, _MODEL) if old.model.sha256 != new.model.sha256 else tuple(found)


def _swapped(into: Terms, source: Terms, part: str) -> Terms:
    """Terms with one part taken from others."""
    if part == _MODEL:
        return replace(into, model=source.model)
    tables = _TABLES[part][1]
    if part == "grades" and into.terms.pricing.grades != source.terms.pricing.grades:
        tables = (*tables, "pricing")
    return replace(into, terms=into.terms.model_copy(update={name: getattr(source.terms, name) for name in tables}))


def _tables(policy: Policy, names: tuple[str, ...]) -> tuple[object, ...]:
    return tuple(getattr(policy, name) for name in names)
