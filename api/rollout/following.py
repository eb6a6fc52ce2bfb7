"""Taking up what people change in the folder of releases, and moving or ending a roll-out: a second's work at a time.

It does: look for changes, swap the line-up by one reference, judge a stage, and have each change written down. It does
not: change the folder. The rules it keeps: what does not load leaves what serves, and is told; a stage is entered only
where its rule and people both allow it; a roll-out that was taken out stays out until a person starts another, on every
worker and after every restart.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import Connection

import models
from api.metrics import RELEASE, RELEASE_REFUSED, ROLLED_BACK, ROLLOUT_SHARE
from api.rollout.arms import Lineup, Observation, Trial
from api.rollout.beside import TURN_SECONDS, Beside
from api.rollout.counting import tally_of
from api.rollout.loading import Folder, Loaded, Mark, load_folder, marks_of
from api.rollout.noting import note_champion, note_end, note_out, note_stage
from api.rollout.readings import Readings
from api.shell import Shell
from api.store import queries as store
from api.store.queries.rollout import ROLLED_BACK as WAS_ROLLED_BACK
from api.store.queries.rollout import RolloutEvent
from api.worker import repeat, surely
from engine.release import Release
from models.rollout import WHOLE
from models.stopping import judge

log = structlog.get_logger()
TICK_SECONDS: Final = 1.0
JUDGED_EVERY: Final = 5  # ticks
_AGAIN_SECONDS: Final = 30.0  # until what was refused is tried once more, changed or not


class Follower:
    """Follows the folder for one process."""

    def __init__(self, folder: Folder, shell: Shell) -> None:
        self._folder, self._releases, self._database, self._clock = folder, shell.releases, shell.database, shell.clock
        self._engine = shell.engine_digest
        self.beside = Beside(shell.database, shell.clock)
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._marks: tuple[Mark, ...] | None = None
        self._try_again_at = 0.0
        self._found = Loaded(None, None, None, ())
        self._out: dict[str, str] = {}  # roll-outs that this process took out, and why
        self._before: Release | None = None  # the champion that this process served before
        self._is_noted = False  # whether the champion in force is written down, where it has to be
        self._ended: set[str] = set()  # roll-outs whose end this process knows to be written down
        self._ticks = 0

    async def follow(self) -> None:
        """Follow until cancelled."""
        await repeat(self.tick, TICK_SECONDS, self._wake)

    async def decide_beside(self) -> None:
        """Let the other release decide beside until cancelled."""
        await repeat(self.beside.turn, TURN_SECONDS)

    async def finish(self) -> None:
        """Decide beside what waits, as far as one turn goes, and let the thread end."""
        await surely(self.beside.turn)
        self.beside.close()

    async def tick(self) -> None:
        """Take up what changed, and move, judge or end the roll-out."""
        self._loop = asyncio.get_running_loop()
        marks = await asyncio.to_thread(marks_of, self._folder)
        if marks != self._marks or (self._found.refused and time.monotonic() >= self._try_again_at):
            found = await asyncio.to_thread(load_folder, self._folder, self._releases.lineup)
            if marks != self._marks or found.refused != self._found.refused:
                _tell_refused(found)
            self._marks, self._found = marks, found
            self._try_again_at = time.monotonic() + _AGAIN_SECONDS
        if self._found.champion is not None:
            await self._serve(self._found.champion)
        await self._try(self._found)
        self._ticks += 1

    async def _serve(self, champion: Release) -> None:
        """Make it the champion that new requests are given, and have that written down."""
        before = self._releases.lineup.champion
        if before.digest != champion.digest:
            self._releases.lineup = Lineup(champion)
            tell_release(before, self._engine, 0)
            tell_release(champion, self._engine, 1)
            log.warning("champion_swapped", before=before.name, release=champion.name)
            self._before, self._is_noted = before, False
        if not self._is_noted:
            await self._note(lambda connection, at: note_champion(connection, champion, self._before, at))
            self._is_noted = True

    async def _try(self, found: Loaded) -> None:
        """Put the challenger beside the champion, as far as it is allowed and was not taken out."""
        rollout = found.rollout
        if rollout is None or found.challenger is None or rollout.allowed is None:
            self._set(None)
            ROLLED_BACK.set(0)
            await self._end(rollout)
            return
        plan = rollout.plan
        events = await self._database.read(lambda connection: store.rollout_events(connection, plan.id))
        if await self._is_out(plan, events):
            self._set(None)
            ROLLED_BACK.set(1)
            return
        ROLLED_BACK.set(0)
        share = next((each.share for each in events if each.share is not None), None)
        if share is None:
            share = 0
            await self._note(lambda connection, at: note_stage(connection, rollout, 0, at))
        trial = self._releases.lineup.trial
        if trial is None or (trial.rollout, trial.share) != (plan.id, share):
            self._set(self._trial(trial, plan.id, share, found.challenger))
        if self._ticks % JUDGED_EVERY == 0:
            await self._judge(rollout, share)

    async def _is_out(self, plan: models.Plan, events: tuple[RolloutEvent, ...]) -> bool:
        """Whether this process or another took it out; the first to know writes it down."""
        if any(each.kind == WAS_ROLLED_BACK for each in events):
            return True
        why = self._out.get(plan.id)
        if why is not None:
            await self._note(lambda connection, at: note_out(connection, plan, why, at))
        return why is not None

    async def _end(self, rollout: models.Rollout | None) -> None:
        """Have the end of a roll-out written down, where it has come to one."""
        if rollout is None:
            return
        plan, champion = rollout.plan, self._releases.lineup.champion.digest
        if champion == plan.challenger.digest:
            why = "promoted"
        elif champion != plan.champion.digest:
            why = "champion_changed"
        elif rollout.allowed is None:
            why = "stopped"
        else:
            return  # its challenger was refused: it may come back
        if plan.id not in self._ended:
            await self._note(lambda connection, at: note_end(connection, plan, why, at))
            self._ended.add(plan.id)

    def _trial(self, before: Trial | None, rollout: str, share: int, challenger: Release) -> Trial:
        if before is not None and before.rollout == rollout:
            return replace(before, share=share)  # what was read of it goes on counting
        champion, readings = self._releases.lineup.champion, Readings()

        def notice(trial: Trial, seen: Observation) -> None:
            self.beside.notice(trial, champion, seen)

        def fail() -> None:
            if (fault := readings.fault()) is not None:
                self._take_out(rollout, fault, readings.last_error)

        return Trial(rollout, share, challenger, readings, notice, fail)

    def _set(self, trial: Trial | None) -> None:
        """Swap the line-up; a roll-out that another thread took out meanwhile stays out."""
        champion = self._releases.lineup.champion
        self._releases.lineup = Lineup(champion, trial)
        if trial is not None and trial.rollout in self._out:
            self._releases.lineup = Lineup(champion)
        now = self._releases.lineup.trial
        ROLLOUT_SHARE.set(-1 if now is None else now.share / WHOLE)

    async def _judge(self, rollout: models.Rollout, share: int) -> None:
        """Hold what this stage counted against the plan: stop, go on, or enter the next stage that people allow."""
        plan, allowed = rollout.plan, rollout.allowed or 0
        counts = await self._database.read(lambda connection: store.count_shadows(connection, plan.id, share))
        judged = judge(tally_of(counts), plan.terms(), split=share > 0)
        if judged.stops:
            self._take_out(plan.id, judged.says)
        following = next((each for each in plan.shares if each > share), WHOLE + 1)
        if judged.says == "enough" and following <= allowed:
            await self._note(lambda connection, at: note_stage(connection, rollout, following, at))
            log.warning("rollout_stage", rollout=plan.id, share=following)
            self._wake.set()

    def _take_out(self, rollout: str, why: str, error: str | None = None) -> None:
        """The champion alone from now on; from any thread. It is written down by the next tick, which comes at once."""
        if rollout in self._out:
            return
        self._out[rollout] = why
        self._releases.lineup = Lineup(self._releases.lineup.champion)
        ROLLED_BACK.set(1)
        ROLLOUT_SHARE.set(-1)
        log.error("rollout_rolled_back", rollout=rollout, why=why, error_type=error)
        if self._loop is not None:
            with suppress(RuntimeError):  # a service that ends has no loop any more
                self._loop.call_soon_threadsafe(self._wake.set)

    async def _note(self, write: Callable[[Connection, datetime], None]) -> None:
        at = self._clock()
        await self._database.write(lambda connection: write(connection, at))


def tell_release(release: Release, engine: str, value: int) -> None:
    """Say in the metrics whether a release is in force."""
    RELEASE.labels(release.name, release.digest[:12], engine[:12]).set(value)


def _tell_refused(found: Loaded) -> None:
    for stage, reason in found.refused:
        RELEASE_REFUSED.labels(stage).inc()
        log.error("release_refused", stage=stage, reason=reason)
