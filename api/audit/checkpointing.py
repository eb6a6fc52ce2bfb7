"""What the worker does for the audit: a signed checkpoint a minute while the chain grows, and one at the end.

It does: read what was added since the newest checkpoint, and sign only what follows from that. It does not: read the
whole chain (verification does). The rule it keeps: it never signs what contradicts an earlier checkpoint; what it finds
then stays in `finding`, and the service is not ready any more.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection

from api.audit.checkpoints import Finding, Folder, Keyring, Signed, Signer, next_checkpoint
from api.audit.settings import AuditSettings
from api.store.database import Database
from api.store.moment import microseconds
from api.store.queries.audit import Chain, audit_entries, audit_entry, audit_tail

log = structlog.get_logger()
EVERY_SECONDS = 60.0
FINISH_SECONDS = 5.0
MOST_ENTRIES = 10_000  # read for one checkpoint; a longer chain takes several
_MICROSECONDS = 1_000_000
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Place:
    """How far the chain was followed, the digests of that entry and of the first, and whether that is its end."""

    seq: int
    head: str
    chain: str
    at_end: bool


def follow_on(connection: Connection, newest: Signed | None, most: int = MOST_ENTRIES) -> Place | Finding | None:
    """Follow the chain on from its newest checkpoint, so many entries at most; none where both are empty.

    A finding names the first entry that does not fit, or the checkpoint's own where a look at it cannot tell more.
    """
    first = audit_entry(connection, 1)
    if newest is None and first is None:
        return None
    told = newest.told if newest else None
    if first is None or (told and first.sha256 != told.chain):
        return Finding(1, "the checkpoints are of another database, or the chain was rebuilt from its first entry on")
    after = told.seq - 1 if told else 0
    chain, last = Chain(), audit_tail(connection, 1)[0]
    for number, entry in enumerate(audit_entries(connection, after, (told.seq if told else 0) + most)):
        if number == 0 and told:
            if entry[0] != told.seq or entry[3] != told.head.encode():
                break
            chain = Chain(after, entry[4].decode("ascii", "replace"))
        if isinstance(fault := chain.follow(entry), str):
            return Finding(chain.seq + 1, fault)
    if told and chain.seq < told.seq:
        if last.seq < told.seq:
            return Finding(last.seq + 1, f"entries {last.seq + 1} to {told.seq} are missing: they were signed for")
        return Finding(told.seq, f"entry {told.seq} is not the one that was signed for, or the chain before it is not")
    return Place(chain.seq, chain.sha256, first.sha256, chain.seq >= last.seq)


class Checkpointer:
    """Writes checkpoints of one database into one folder; every worker has one, and whoever is first writes.

    `first` says that the chain may be without any checkpoint yet. `finding` is what does not hold: from then on nothing
    is signed any more.
    """

    def __init__(
        self,
        database: Database,
        folder: Folder,
        signer: Signer,
        keyring: Keyring,
        clock: Callable[[], datetime],
        *,
        first: bool = False,
    ) -> None:
        self._database, self.folder, self._signer, self._keyring = database, folder, signer, keyring
        self._clock, self._first = clock, first
        self._due, self._behind, self._checked = 0.0, False, False
        self.newest: Signed | None = None  # that this process has seen
        self.finding: Finding | None = None

    async def check(self) -> Finding | None:
        """Hold the end of the chain against the newest checkpoint, within bounds; raises StoreError or OSError."""
        newest = await asyncio.to_thread(self.folder.newest, self._keyring)
        place = newest if isinstance(newest, Finding) else await self._follow_on(newest)
        if isinstance(place, Finding):
            self._refuse(place)
        elif place is not None and newest is None and not self._first:
            self._refuse(Finding(1, "no checkpoint covers the chain (docs/audit.md, The first checkpoint)"))
        self._checked = True
        return self.finding

    async def holds(self) -> bool:
        """Whether the end of the chain was checked and nothing was found since; raises StoreError."""
        try:
            if not self._checked:
                await self.check()
                self._log()
            return self.finding is None
        except OSError as error:
            log.error("checkpoints_cannot_be_read", error_type=type(error).__name__)
            return False

    async def tick(self) -> None:
        """Check once, and then write a checkpoint when it is time for one; called every second or so.

        Raises StoreError or OSError, after which the next call tries again.
        """
        if self.finding is not None or time.monotonic() < self._due:
            return
        if not self._checked:
            await self.check()
        if self.finding is None:
            self._behind = await self._extend(0.0 if self._behind else EVERY_SECONDS)
        self._log()

    async def finish(self, seconds: float = FINISH_SECONDS) -> None:
        """Write what is missing up to the end of the chain, whatever the time: the last act of a worker."""
        ends = time.monotonic() + seconds
        if not self._checked:
            await self.check()
        while self.finding is None and await self._extend(0.0) and time.monotonic() < ends:
            await asyncio.sleep(_PAUSE_SECONDS)  # another worker may be at it

    async def _extend(self, least_age: float) -> bool:
        """Write one checkpoint unless the newest is younger; whether there is more to write."""
        newest = await asyncio.to_thread(self.folder.newest, self._keyring)
        if isinstance(newest, Finding):
            return self._refuse(newest)
        if self.newest is not None and (newest is None or newest.told.number < self.newest.told.number):
            return self._refuse(Finding(1, f"checkpoints that were in {self.folder.path} are missing"))
        self.newest = newest
        now = microseconds(self._clock())
        if newest is not None and 0 <= (age := (now - newest.told.at) / _MICROSECONDS) < least_age:
            self._due = time.monotonic() + least_age - age
            return False
        place = await self._follow_on(newest)
        if isinstance(place, Finding):
            return self._refuse(place)
        self._due = time.monotonic() + EVERY_SECONDS
        if place is None or (newest is not None and place.seq == newest.told.seq):
            return False
        signed = self._signer.sign(
            next_checkpoint(newest, place.seq, place.head, chain=place.chain, at=now, key=self._signer.key_id)
        )
        written = await asyncio.to_thread(self.folder.append, signed)
        if written:
            self.newest = signed
        more = not (written and place.at_end)
        if more:
            self._due = 0.0
        return more

    async def _follow_on(self, newest: Signed | None) -> Place | Finding | None:
        return await self._database.read(lambda connection: follow_on(connection, newest))

    def _refuse(self, finding: Finding) -> bool:
        self.finding = finding
        return False

    def _log(self) -> None:
        if self.finding is not None:
            log.error("audit_does_not_hold", seq=self.finding.seq, what=self.finding.what)


def checkpointer(
    audit: AuditSettings,
    database: Database,
    database_url: str,
    clock: Callable[[], datetime],
    *,
    development: bool,
    first: bool = False,
) -> Checkpointer | None:
    """What writes this database's checkpoints by the settings; none in development where no folder is set.

    Development allows a chain without any checkpoint. Raises audit.settings.Unset.
    """
    if (folder := audit.checkpoints(database_url, development=development)) is None:
        return None
    signer, keyring = audit.signer(development=development), audit.keyring(development=development)
    return Checkpointer(database, folder, signer, keyring, clock, first=first or development)
