"""Verifying the whole record: every entry of the chain, every checkpoint, every row that names an entry.

It does: read all of it in the order of the entries, a few thousand at a time, and name the first entry of which
something cannot be proved. It does not: find a rebuilt chain or a cut tail without checkpoints, and not those of the
minute after the newest one. The rule it keeps: it reads, and repairs nothing.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection

from api.audit.checkpoints import Checkpoint, Finding, Folder, Keyring, Signed
from api.audit.records import Sworn, disagreements
from api.store.moment import microseconds
from api.store.queries.audit import Chain, RawEntry, audit_entries
from api.store.queries.audit_rows import cases_adrift, last_audited

_BATCH = 5_000
_LATEST_US = 120_000_000  # an entry this old has a checkpoint, unless none was written


@dataclass(frozen=True, slots=True)
class Verified:
    """How much was read, and what cannot be proved, the first entry first; nothing where all of it holds."""

    entries: int
    checkpoints: int
    findings: tuple[Finding, ...]


def verify(
    connection: Connection, folders: Sequence[Folder], keyring: Keyring, now: datetime, *, rows: bool = True
) -> Verified:
    """Verify the record against all these folders of checkpoints; reading ends at the first finding.

    `rows` compares decisions, cases and their events with their entries, which reads them whole.
    """
    walk = _Walk(folders, keyring)
    entries = audit_entries(connection, page=_BATCH)
    findings: list[Finding] = []
    while not findings and (batch := list(islice(entries, _BATCH))):
        sworn: dict[int, Sworn] = {}
        fault = walk.follow(batch, sworn)
        findings = [fault] if fault is not None else []
        if rows:
            findings += disagreements(connection, sworn)
    if not findings:
        findings = list(walk.left_over(microseconds(now) if folders else None))
        if rows and (last := last_audited(connection)) > walk.chain.seq:
            findings.append(Finding(walk.chain.seq + 1, f"rows name entry {last}, which is missing"))
        if rows:
            findings += [
                Finding(1, f"case {case} stands where no event of its left it") for case in cases_adrift(connection)
            ]
    findings.sort(key=lambda finding: finding.seq)
    return Verified(walk.chain.seq, walk.checkpoints, tuple(findings))


class _Walk:
    """The chain and the checkpoints of all folders, followed side by side."""

    def __init__(self, folders: Sequence[Folder], keyring: Keyring) -> None:
        self.chain, self.checkpoints = Chain(), 0
        self._signed = heapq.merge(*(_told(number, each.all(keyring)) for number, each in enumerate(folders)), key=_seq)
        self._next = next(self._signed, None)
        self._first = ""
        self._covered = [0] * len(folders)  # the last entry that each of them vouched for
        self._waits_since: int | None = None  # the time of the first entry for which none did

    def follow(self, batch: Sequence[RawEntry], sworn: dict[int, Sworn]) -> Finding | None:
        """Follow the chain over these entries, and keep in `sworn` those that hold; what stops it is a finding."""
        chain = self.chain
        for entry in batch:
            before = chain.at
            told = chain.follow(entry)
            if isinstance(told, str):
                return Finding(chain.seq + 1, told)
            sworn[chain.seq] = Sworn(told, before)
            if chain.seq == 1:
                self._first = chain.sha256
            if self._waits_since is None:
                self._waits_since = chain.at
            while self._next is not None and _seq(self._next) <= chain.seq:
                if (fault := self._hold(*self._next)) is not None:
                    return fault
        return None

    def _hold(self, folder: int, signed: Signed | Finding) -> Finding | None:
        """Hold a checkpoint against the entry that the chain stands at."""
        if isinstance(signed, Finding):
            return signed
        told, chain, covered = signed.told, self.chain, self._covered[folder]
        if told.chain != self._first:
            return _foreign(told)
        if told.head != chain.sha256:
            words = f"the chain was rebuilt after entry {covered}: entry {told.seq} is not the one that was signed"
            return Finding(covered + 1, words)
        self.checkpoints += 1
        self._covered[folder], self._waits_since = chain.seq, None
        self._next = next(self._signed, None)
        return None

    def left_over(self, now_us: int | None) -> Iterator[Finding]:
        """What shows at the end: checkpoints of entries that are missing, entries without a checkpoint."""
        last = self.chain.seq
        if self._next is not None:
            folder, signed = self._next
            if isinstance(signed, Finding):
                yield signed
                return
            if last and signed.told.chain != self._first:
                yield _foreign(signed.told)
                return
            since = self._covered[folder] + 1
            words = f"entries {last + 1} to {signed.told.seq} are missing: they were signed for"
            if since <= last:
                words += f", and nothing else vouches for {since} to {last}"
            yield Finding(since, words)
        elif now_us is not None and self._waits_since is not None and now_us - self._waits_since > _LATEST_US:
            since = max(self._covered) + 1
            yield Finding(since, f"entries {since} to {last} have no checkpoint")


def _foreign(told: Checkpoint) -> Finding:
    return Finding(1, f"checkpoint {told.number} is of another database, or the chain was rebuilt from entry 1")


def _told(folder: int, signed: Iterator[Signed | Finding]) -> Iterator[tuple[int, Signed | Finding]]:
    return ((folder, each) for each in signed)


def _seq(told: tuple[int, Signed | Finding]) -> int:
    return told[1].seq if isinstance(told[1], Finding) else told[1].told.seq
