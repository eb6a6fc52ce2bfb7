"""How the roll-out stands in service, with what was counted and what the rule says of it.

It does: read the database and put it into words. It does not: change anything. The rule it keeps: what it says of the
rule is worked out by the very function that the service goes by.
"""

from dataclasses import dataclass
from datetime import UTC

import models
from api.rollout.counting import tally_of
from api.store import queries as store
from api.store.database import Database
from api.store.queries.rollout import RolloutEvent
from models.stopping import Judgement, Tally, judge

_SAYS = {
    "wait": "goes on: too few decisions yet",
    "enough": "enough: the next stage may be entered where people allow it",
    "approvals": "STOPS: the approval rate on the same applications is surely outside what the plan tolerates",
    "arms": "STOPS: the approval rates of the two arms are surely further apart than the plan tolerates",
    "outcomes": "STOPS: surely more outcomes differ than the plan tolerates",
}


@dataclass(frozen=True, slots=True)
class Stand:
    """How a roll-out stands: its events, latest first, and the counts of the stage that was entered last."""

    rollout: models.Rollout
    events: tuple[RolloutEvent, ...]
    share: int | None
    tally: Tally
    judged: Judgement


def stand_of(database_url: str, rollout: models.Rollout) -> Stand:
    """What the database knows of a roll-out."""
    plan = rollout.plan
    with Database.open(database_url) as database, database.transaction(read_only=True) as connection:
        events = store.rollout_events(connection, plan.id)
        share = next((each.share for each in events if each.share is not None), None)
        tally = tally_of(store.count_shadows(connection, plan.id, share or 0))
    return Stand(rollout, events, share, tally, judge(tally, plan.terms(), split=bool(share)))


def words(stand: Stand) -> list[str]:
    """The lines that the command prints."""
    plan, tally, judged = stand.rollout.plan, stand.tally, stand.judged
    told = [f"{plan.id}: {plan.challenger.name} against {plan.champion.name}"]
    told += [
        f"  {each.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC  {_event(each)}  (audit entry {each.audit_seq})"
        for each in reversed(stand.events)
    ]
    if stand.share is None:
        return [*told, "the service has not taken it up yet"]
    allowed = (
        "stopped by a person" if stand.rollout.allowed is None else f"allowed up to {_share(stand.rollout.allowed)}"
    )
    return [
        *told,
        f"stage: {_share(stand.share)}; {allowed}",
        f"compared: {tally.compared} decisions; outcomes differ in {tally.differing} "
        f"({_points(judged.differing)}, tolerated up to {plan.most_differing / 100:g})",
        f"on the same applications: challenger alone approves {tally.gained}, champion alone {tally.lost} "
        f"(change of the approval rate {_points(judged.paired)})",
        f"by arm: champion approved {tally.champion_approved} of {tally.champion_made}, "
        f"challenger {tally.challenger_approved} of {tally.challenger_made} (apart by {_points(judged.arms)})",
        f"tolerated change of the approval rate: {plan.expected / 100:+g} ± {plan.margin / 100:g} points",
        f"the rule: {_SAYS[judged.says]}",
    ]


def _event(event: RolloutEvent) -> str:
    if event.share is not None:
        return f"stage {_share(event.share)}"
    return f"{event.kind.replace('_', ' ')}: {event.why}"


def _share(share: int) -> str:
    return "shadow" if share == 0 else f"{share / 100:g} %"


def _points(interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{low * 100:+.2f} to {high * 100:+.2f} points"
