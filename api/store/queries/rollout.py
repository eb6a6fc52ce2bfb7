"""The roll-out as the service lives it: what was taken up, what the other release said, what a stage has counted.

Each event stands in the audit chain as well, written in the same transaction. It does not judge (models.stopping does).
The rule: whoever writes an event has looked, under a lock, whether another worker was quicker.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, select, text

from api.store.prepared import Prepared
from api.store.queries.audit import AuditEvent, Detail, append_audit
from api.store.tables import decision, rollout_event, shadow

CHAMPION, STAGE, ROLLED_BACK, ENDED = "champion", "stage", "rolled_back", "ended"
ACTS = {CHAMPION: "serve_release", STAGE: "rollout_stage", ROLLED_BACK: "rollout_rolled_back", ENDED: "rollout_ended"}
_HOLD = text("SELECT pg_advisory_xact_lock(7310006, 0)")
_LAST_FIRST = select(rollout_event).order_by(rollout_event.c.audit_seq.desc())
_OF = _LAST_FIRST.where(rollout_event.c.rollout == bindparam("sought"))
_SERVES = _LAST_FIRST.where(rollout_event.c.kind == CHAMPION).limit(1)
_LAST_MAKER = (
    select(decision.c.release_name, decision.c.release_digest)
    .where(decision.c.supersedes.is_(None), func.coalesce(decision.c.arm, CHAMPION) == CHAMPION)
    .order_by(decision.c.audit_seq.desc())
    .limit(1)
)
_INSERT = insert(rollout_event)
_INSERT_SHADOW = Prepared(insert(shadow))
_COUNTS = (
    select(shadow.c.arm, shadow.c.made_outcome, shadow.c.outcome, func.count())
    .where(shadow.c.rollout == bindparam("sought"), shadow.c.share == bindparam("its_share"))
    .group_by(shadow.c.arm, shadow.c.made_outcome, shadow.c.outcome)
)
_SHADOW = select(shadow).where(shadow.c.decision_id == bindparam("sought"))


@dataclass(frozen=True, slots=True)
class RolloutEvent:
    """Something that the service took up; `release_*` is what serves from then on, or the challenger of a stage."""

    audit_seq: int
    at: datetime
    kind: str
    rollout: str | None
    share: int | None
    release_name: str
    release_digest: str
    why: str | None


@dataclass(frozen=True, slots=True)
class Shadow:
    """What the other release said beside a decision; `agreement`: same, terms, outcome or error."""

    decision_id: str
    at: datetime
    rollout: str
    share: int
    arm: str
    release_name: str
    release_digest: str
    made_outcome: str
    outcome: str | None
    limit_cents: int | None
    monthly_rate_bps: int | None
    pd: float | None
    agreement: str
    error: str | None


@dataclass(frozen=True, slots=True)
class ShadowCount:
    """So many decisions of the other arm with this outcome, beside which `arm` said that one (None: an error)."""

    arm: str
    made_outcome: str
    outcome: str | None
    count: int


def hold_rollout(connection: Connection) -> None:
    """Let no other worker take anything up until this transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(_HOLD)


def last_champion(connection: Connection) -> RolloutEvent | None:
    """The champion that was taken up last."""
    row = connection.execute(_SERVES).first()
    return None if row is None else RolloutEvent(*row)


def last_maker(connection: Connection) -> tuple[str, str] | None:
    """Name and digest of the champion that made the last first decision; what a challenger made does not count."""
    row = connection.execute(_LAST_MAKER).first()
    return None if row is None else (row[0], row[1])


def rollout_events(connection: Connection, rollout: str) -> tuple[RolloutEvent, ...]:
    """Everything that was taken up of one roll-out, the latest first."""
    return tuple(RolloutEvent(*row) for row in connection.execute(_OF, {"sought": rollout}))


def add_rollout_event(
    connection: Connection,
    kind: str,
    release: tuple[str, str],
    at: datetime,
    *,
    rollout: str | None = None,
    share: int | None = None,
    why: str | None = None,
    details: Mapping[str, Detail],
) -> None:
    """Keep that something was taken up, with its audit entry, whose `details` name what it was before."""
    told = {**details, "release": release[0], "release_digest": release[1], "share": share, "why": why}
    event = AuditEvent("service", "service", ACTS[kind], rollout or "champion", told)
    receipt = append_audit(connection, event, at)
    row = RolloutEvent(receipt.seq, at, kind, rollout, share, *release, why)
    connection.execute(_INSERT, asdict(row))


def add_shadows(connection: Connection, shadows: Iterable[Shadow]) -> None:
    """Keep what the other release said."""
    _INSERT_SHADOW.send_each(connection, [asdict(each) for each in shadows])


def shadow_of(connection: Connection, decision_id: str) -> Shadow | None:
    """What the other release said beside one decision, if it was asked."""
    row = connection.execute(_SHADOW, {"sought": decision_id}).first()
    return None if row is None else Shadow(*row)


def count_shadows(connection: Connection, rollout: str, share: int) -> Sequence[ShadowCount]:
    """What one stage of a roll-out has counted."""
    rows = connection.execute(_COUNTS, {"sought": rollout, "its_share": share})
    return [ShadowCount(*row) for row in rows]
