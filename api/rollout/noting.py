"""What the service writes down when it takes something up, once for all workers.

It does: look under a lock whether it was written already, and write it with its audit entry. It does not: take anything
up. The rule it keeps: an entry names what it was before, what it is now, and whose signatures stand for it.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

import models
from api.store import queries as store
from api.store.queries.audit import Detail
from api.store.queries.rollout import CHAMPION, ENDED, ROLLED_BACK, STAGE
from engine.release import Release, Signer


def champion_before(connection: Connection) -> tuple[str, str] | None:
    """Name and digest of the champion that was in force last, by events, or else by the last decision of one."""
    last = store.last_champion(connection)
    return (last.release_name, last.release_digest) if last else store.last_maker(connection)


def note_champion(connection: Connection, champion: Release, before: Release | None, at: datetime) -> None:
    """A champion was taken up, where the last one was another; `before` is what this process served until now."""
    store.hold_rollout(connection)
    was = champion_before(connection) or ((before.name, before.digest) if before else None)
    if was is None or was[1] == champion.digest:
        return
    details = {"from": was[0], "from_digest": was[1], **_people(champion.signers)}
    store.add_rollout_event(connection, CHAMPION, (champion.name, champion.digest), at, details=details)


def note_stage(connection: Connection, rollout: models.Rollout, share: int, at: datetime) -> None:
    """A stage is entered, where it or a later one was not."""
    plan = rollout.plan
    store.hold_rollout(connection)
    events = store.rollout_events(connection, plan.id)
    reached = [each.share for each in events if each.share is not None]
    if any(each.kind in (ROLLED_BACK, ENDED) for each in events) or max(reached, default=-1) >= share:
        return
    details = {
        **_against(plan), "from_share": max(reached, default=None), "allowed": rollout.allowed,
        "plan_sha256": rollout.digest, **_people(rollout.signers),
    }  # fmt: skip
    challenger = (plan.challenger.name, plan.challenger.digest)
    store.add_rollout_event(connection, STAGE, challenger, at, rollout=plan.id, share=share, details=details)


def note_out(connection: Connection, plan: models.Plan, why: str, at: datetime) -> None:
    """The service took the challenger out by itself."""
    _note_end(connection, plan, ROLLED_BACK, why, at)


def note_end(connection: Connection, plan: models.Plan, why: str, at: datetime) -> None:
    """A person stopped the roll-out, or the champion is another now; nothing where it never began."""
    _note_end(connection, plan, ENDED, why, at)


def _note_end(connection: Connection, plan: models.Plan, kind: str, why: str, at: datetime) -> None:
    store.hold_rollout(connection)
    events = store.rollout_events(connection, plan.id)
    if not events or any(each.kind in (kind, ENDED) for each in events):
        return
    reached = max((each.share for each in events if each.share is not None), default=None)
    details = {**_against(plan), "from_share": reached}
    challenger = (plan.challenger.name, plan.challenger.digest)
    store.add_rollout_event(connection, kind, challenger, at, rollout=plan.id, why=why, details=details)


def _against(plan: models.Plan) -> dict[str, Detail]:
    return {"champion": plan.champion.name, "champion_digest": plan.champion.digest}


def _people(signers: Iterable[Signer]) -> dict[str, Detail]:
    """The keys that signed, by role: a key's id tells the person to whoever has the trust root, and to nobody else."""
    signers = tuple(signers)
    return {
        f"{role}_keys": ",".join(sorted(each.key_id for each in signers if each.role == role)) or None
        for role in ("trainer", "approver")
    }
