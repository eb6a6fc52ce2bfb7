"""The parts of a difference, and how two records are compared so that nothing is left out.

It does: compare facts source by source and decisions value by value. It does not: put anything in words. The rule it
keeps: a part of the record that has no list of its own is told under `other`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.canonical import canonical_bytes
from engine.decision import Decision
from engine.facts import LATER, SOURCES, Fact, Facts, Status
from engine.reasons import Reason
from engine.screening import Finding
from engine.values import Frozen, Moment

MOST_MOVED = 10
Scalar = str | bool | int | float | None


class Change(Frozen):
    """One value before and after; None where there is none (a missing feature, no offer, no score)."""

    name: str
    before: Scalar
    after: Scalar


class SourceChange(Frozen):
    """A source that was asked anew; `new_value` says whether it told anything else than before."""

    source: str
    before: Status
    after: Status
    failure_before: str | None
    failure_after: str | None
    fetched_before: Moment
    fetched_after: Moment
    new_value: bool


class CapChange(Frozen):
    """One cap before and after; None where there was none, or its source gave no number."""

    name: str
    status_before: str | None
    status_after: str | None
    cents_before: int | None
    cents_after: int | None


class Difference(Frozen):
    """Everything that differs. For auditors and the compliance role; `words` leave compliance out, for all staff.

    `figures`: outcome, requested_cents, limit_cents, monthly_rate_bps, grade, pd, points, bound_by. `contributions`:
    the ten that moved most, in points, of `contributions_moved`. `other`: whatever else of the record differs, by path.
    """

    sources: tuple[SourceChange, ...]
    figures: tuple[Change, ...]
    findings_gone: tuple[Finding, ...]
    findings_new: tuple[Finding, ...]
    reasons_gone: tuple[Reason, ...]
    reasons_new: tuple[Reason, ...]
    features: tuple[Change, ...]
    caps: tuple[CapChange, ...]
    contributions: tuple[Change, ...]
    contributions_moved: int
    other: tuple[Change, ...]
    words: tuple[str, ...]

    @property
    def decision_changed(self) -> bool:
        """Whether anything but the time differs between the two decisions, whatever the sources did."""
        return any(
            (
                self.figures, self.findings_gone, self.findings_new, self.reasons_gone, self.reasons_new,
                self.features, self.caps, self.contributions, self.other,
            )
        )  # fmt: skip


def compare(before: Decision, after: Decision, facts_before: Facts, facts_after: Facts) -> Difference:
    """The difference, without words."""
    moved = sorted(_changes(_points(before), _points(after)), key=lambda change: -_movement(change))
    return Difference(
        sources=_sources(facts_before, facts_after),
        figures=_changes(_figures(before), _figures(after)),
        findings_gone=_missing_from(before.findings, after.findings),
        findings_new=_missing_from(after.findings, before.findings),
        reasons_gone=_missing_from(before.reasons, after.reasons),
        reasons_new=_missing_from(after.reasons, before.reasons),
        features=_changes(before.features, after.features),
        caps=_caps(before, after),
        contributions=tuple(moved[:MOST_MOVED]),
        contributions_moved=len(moved),
        other=_changes(_rest(before), _rest(after)),
        words=(),
    )


# -- sources -------------------------------------------------------------------------------------------------


def fact_of(facts: Facts, name: str) -> Fact[Any]:
    """One source's fact; what a record from before verification lacks is absent."""
    fact: Fact[Any] | None = getattr(facts, name)
    return Fact[Any](source="none", fetched_at=facts.as_of, status="absent") if fact is None else fact


def _sources(before: Facts, after: Facts) -> tuple[SourceChange, ...]:
    names = (*SOURCES, *(name for name in LATER if getattr(before, name) != getattr(after, name)))
    pairs = ((name, fact_of(before, name), fact_of(after, name)) for name in names)
    return tuple(
        SourceChange(
            source=name, before=was.status, after=now.status, failure_before=was.failure, failure_after=now.failure,
            fetched_before=was.fetched_at, fetched_after=now.fetched_at, new_value=was.value != now.value,
        )
        for name, was, now in pairs
        if was != now
    )  # fmt: skip


# -- the decision --------------------------------------------------------------------------------------------


def _figures(decision: Decision) -> dict[str, Scalar]:
    offer, score = decision.offer, decision.score
    return {
        "outcome": decision.outcome,
        "requested_cents": decision.requested_cents,
        "limit_cents": offer.limit_cents if offer else None,
        "monthly_rate_bps": offer.monthly_rate_bps if offer else None,
        "grade": score.grade if score else None,
        "pd": score.pd if score else None,
        "points": score.points if score else None,
        "bound_by": decision.bound_by,
    }


def _points(decision: Decision) -> dict[str, Scalar]:
    return dict(decision.score.contributions) if decision.score else {}


def _rest(decision: Decision) -> dict[str, Scalar]:
    """What no other part of a Difference tells, by path: the rest of the record, and the order of its lists.

    Whatever a Decision comes to hold is here unless it is taken out by name, so that nothing is ever left out.
    """
    record = decision.model_dump(mode="json")
    for told in ("as_of", "outcome", "requested_cents", "bound_by"):
        del record[told]
    record["features"] = " ".join(sorted(decision.features))
    if decision.offer:
        record["offer"]["expires_at"] = (decision.offer.expires_at - decision.as_of).total_seconds()
        del record["offer"]["limit_cents"], record["offer"]["monthly_rate_bps"]
    if decision.score:
        for told in ("grade", "pd", "points"):
            del record["score"][told]
        record["score"]["contributions"] = " ".join(name for name, _ in decision.score.contributions)
    record["findings"] = " ".join(finding.rule for finding in decision.findings)
    record["reasons"] = " ".join(reason.code for reason in decision.reasons)
    record["caps"] = " ".join(f"{cap.name}:{cap.reason}" for cap in decision.caps)
    return dict(_flat("", record))


def _flat(path: str, value: object) -> list[tuple[str, Scalar]]:
    if isinstance(value, dict):
        return [leaf for name, inner in value.items() for leaf in _flat(f"{path}.{name}" if path else name, inner)]
    if isinstance(value, list | tuple):
        return [leaf for place, inner in enumerate(value) for leaf in _flat(f"{path}.{place}", inner)]
    if value is None or isinstance(value, str | bool | int | float):
        return [(path, value)]
    raise TypeError(f"{path} is not a JSON value")


def _changes(before: Mapping[str, Scalar], after: Mapping[str, Scalar]) -> tuple[Change, ...]:
    names = dict.fromkeys([*before, *after])
    pairs = ((name, before.get(name), after.get(name)) for name in names)
    return tuple(Change(name=name, before=was, after=now) for name, was, now in pairs if not _same(was, now))


def _same(one: Scalar, other: Scalar) -> bool:
    return one == other and canonical_bytes(one) == canonical_bytes(other)  # True is no 1


def _missing_from(here: Sequence[Any], there: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(item for item in here if item not in there)


def _caps(before: Decision, after: Decision) -> tuple[CapChange, ...]:
    was, now = ({cap.name: (cap.status, cap.cents) for cap in decision.caps} for decision in (before, after))
    none = (None, None)
    pairs = ((name, was.get(name, none), now.get(name, none)) for name in dict.fromkeys([*was, *now]))
    return tuple(
        CapChange(name=name, status_before=one[0], status_after=two[0], cents_before=one[1], cents_after=two[1])
        for name, one, two in pairs
        if one != two
    )


def _movement(change: Change) -> float:
    before, after = change.before or 0.0, change.after or 0.0
    return abs(float(after) - float(before))
