"""The release gate: a fixed set of recorded decisions, decided again before anything is published.

It does: decide the set under the champion and under what is to be published, find the cause of each change, and hold
the causes to what was declared. It does not: publish. The rule it keeps: a change that nobody declared, or more of
them than was declared, stops a release, with the decisions named.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from hashlib import file_digest
from pathlib import Path

import models
from engine.release import ClaimedCause, Replay
from training.backtest.causes import CODE, Bench, Cause
from training.backtest.claims import Claims, as_toml
from training.backtest.records import Export, Record
from training.backtest.seen import Seen, moved, told
from training.backtest.trials import Trial, release_of

MOST_NAMED = 20


class Unclaimed(ValueError):
    """Decisions of the replay set would change, and nobody declared it."""


@dataclass(slots=True)
class Found:
    """What became of the set: changed decisions by id, with what moved and why."""

    decisions: int = 0
    changed: dict[str, tuple[str, frozenset[Cause]]] = field(default_factory=dict)
    unchecked: int = 0  # made by a release that is not here any more, so that the code's part cannot be told apart


@dataclass(frozen=True, slots=True)
class Gate:
    """The fixed set, and what was declared of it."""

    replay_set: Path
    claims: Claims = field(default_factory=Claims)

    def judge(self, new: Trial, root: Path, first_day: date) -> tuple[Replay, Found]:
        """What the manifest keeps; Unclaimed or ValueError stop the release."""
        line = models.champion_line(root)
        with self.replay_set.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        champion = None if line is None else _champion(root)
        self._check_same_set(root, line, digest)
        found = replayed(self.replay_set, champion, new, root, first_day, first=line is None)
        return Replay(
            set_sha256=digest, decisions=found.decisions, against=line.name if line else None,
            against_digest=line.digest if line else None, engine_digest=models.engine_digest(),
            changed=len(found.changed), causes=self._held(found), new_set=self.claims.new_set,
        ), found  # fmt: skip

    def _check_same_set(self, root: Path, line: models.Line | None, digest: str) -> None:
        listed = {listed.name: listed.manifest for listed in models.releases(root)}
        manifest = listed.get(line.name) if line else None
        before = manifest.replay.set_sha256 if manifest and manifest.replay else digest
        if before != digest and self.claims.new_set is None:
            raise ValueError(
                f"{self.replay_set} is not the set that the champion passed (sha256 {before[:12]}): give that one, or "
                'say in the causes file why it is replaced: new_set = "..."'
            )

    def _held(self, found: Found) -> tuple[ClaimedCause, ...]:
        """The claims with how many decisions each moved; Unclaimed where a change has none, or one has too many."""
        claims = self.claims.claims
        open_ = {
            name: (what, free)
            for name, (what, causes) in found.changed.items()
            if (free := [cause for cause in sorted(causes) if not any(claim.covers(cause) for claim in claims)])
        }
        if open_:
            raise Unclaimed(_unclaimed(found, open_))
        held = []
        for claim in claims:
            count = sum(any(claim.covers(cause) for cause in causes) for _, causes in found.changed.values())
            if count > claim.most:
                raise Unclaimed(
                    f"{count} decisions of the replay set move by {claim.kind} {claim.rule or ''}".rstrip()
                    + f", and at most {claim.most} were declared: raise the bound in the causes file if that is meant, "
                    "or take the change back"
                )
            held.append(ClaimedCause(kind=claim.kind, rule=claim.rule, why=claim.why, most=claim.most, moved=count))
        return tuple(held)


def _champion(root: Path) -> Trial | None:
    """The champion; None where this engine derives other features than it was made for."""
    try:
        return release_of(None, root)
    except models.ReleaseRejected as refusal:
        if refusal.stage == "contract":
            return None
        raise


def _unclaimed(found: Found, open_: dict[str, tuple[str, list[Cause]]]) -> str:
    lines = [
        f"{len(open_)} of {found.decisions} decisions of the replay set would change, and nobody declared why; "
        "nothing is published:"
    ]
    for name, (what, causes) in list(open_.items())[:MOST_NAMED]:
        lines.append(f"  {name}  {what}  ({', '.join(map(str, causes))})")
    if len(open_) > MOST_NAMED:
        lines.append(f"  and {len(open_) - MOST_NAMED} more")
    counts = Counter(cause for _, causes in open_.values() for cause in causes)
    lines += ["Take the change back, or declare it in the causes file (--causes):", as_toml(sorted(counts.items()))]
    return "\n".join(lines)


def replayed(replay_set: Path, champion: Trial | None, new: Trial, root: Path, day: date, *, first: bool) -> Found:
    """Decide the whole set again; `first` where there is no champion to compare with.

    New and old are compared under the terms of `day` and of every later version of either policy, as those are what
    the release will decide by.
    """
    source, bench, found = Export(replay_set), Bench(root), Found()
    starts = {start for trial in (champion, new) if trial for start, _ in trial.policy.versions}
    days = sorted({day, *(start for start in starts if start > day)})
    for part in source.parts():
        held = source.index(part)
        if any(entry.erased for entry in held):
            raise ValueError(f"{replay_set} holds an erased decision: choose a new set, and say why with new_set")
        for record in source.read(part, b"\1" * len(held)):
            found.decisions += 1
            changes = [_by_code(record, bench, found)]
            if champion is not None:
                changes += [_between(record, bench, champion, new, each) for each in days]
            elif not first and record.recorded is not None:
                after = bench.terms(new, record.facts.as_of.date()).see(record)
                changes.append(_change(record.recorded, after, frozenset({CODE})))
            told_ = [change for change in changes if change is not None]
            if told_:
                causes = frozenset().union(*(causes for _, causes in told_))
                found.changed[record.decision_id] = ("; ".join(dict.fromkeys(what for what, _ in told_)), causes)
    if not found.decisions:
        raise ValueError(f"{replay_set} holds no decision: make one with `creditline-train replay-set`")
    return found


_Change = tuple[str, frozenset[Cause]] | None


def _by_code(record: Record, bench: Bench, found: Found) -> _Change:
    """What today's engine makes of a record under the very release that made it, where it lies here."""
    maker = bench.maker(record.release_digest)
    if maker is None or record.recorded is None:
        found.unchecked += 1
        return None
    again = bench.terms(maker, record.facts.as_of.date()).see(record)
    score = (record.recorded.pd, record.recorded.points) != (again.pd, again.points)
    if not (moved(record.recorded, again) or score or record.inputs_differ):
        return None
    if record.engine_digest == models.engine_digest():
        raise ValueError(
            f"{record.decision_id} of the replay set is not what its own release and engine decide "
            f"({told(record.recorded, again)}): the file was altered; choose the set again from the record"
        )
    return told(record.recorded, again), frozenset({CODE})


def _between(record: Record, bench: Bench, old: Trial, new: Trial, day: date) -> _Change:
    """What the new release changes of the old one's decision under the terms of a day, and why."""
    was, now = bench.terms(old, day), bench.terms(new, day)
    before, after = was.see(record), now.see(record)
    if not moved(before, after):
        return None
    return told(before, after), bench.swaps(was, now).causes(record, before, after)


def _change(before: Seen, after: Seen, causes: frozenset[Cause]) -> _Change:
    return (told(before, after), causes) if moved(before, after) else None
