"""The audit chain as codes and digests, a page at a time, and how far it is signed."""

import json
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from api.audit.checkpointing import Checkpointer
from api.console.views import AuditEntry, AuditView, CheckpointView
from api.store import queries as store
from api.store.moment import moment_of
from api.store.queries.audit import audit_entries

_SHOWN: Final = 100
_LATEST: Final = timedelta(minutes=2)  # an entry as old as this ought to be signed


def audit_view(
    connection: Connection, checkpoints: Checkpointer | None, now: datetime, before: int | None = None
) -> AuditView:
    """The newest entries, or those before one, newest first."""
    newest = next((each.seq for each in store.audit_tail(connection, 1)), 0)
    last = newest if before is None else min(before - 1, newest)
    rows = [*audit_entries(connection, max(last - _SHOWN, 0), last)][::-1]
    entries = tuple(_entry(seq, at, body, sha256) for seq, at, body, sha256, _prev in rows)
    found = checkpoints.finding if checkpoints else None
    return AuditView(
        entries=entries,
        checkpoint=None if checkpoints is None else _checkpoint(connection, checkpoints, newest, now),
        older_than=entries[-1].seq if entries and entries[-1].seq > 1 else None,
        fault="" if found is None else f"Entry {found.seq:,}: {found.what}",
    )


def _entry(seq: int, at: int, body: bytes, sha256: bytes) -> AuditEntry:
    told = json.loads(body)
    return AuditEntry(
        seq, moment_of(at), told["actor"], told["actor_role"], told["action"], told["object"], sha256.decode()
    )


def _checkpoint(connection: Connection, checkpoints: Checkpointer, newest: int, now: datetime) -> CheckpointView | None:
    """The newest checkpoint that this process knows; late where an older entry than it should be is not signed."""
    if checkpoints.newest is None:
        return None
    told = checkpoints.newest.told
    unsigned = store.audit_entry(connection, told.seq + 1) if newest > told.seq else None
    late = unsigned is not None and now - unsigned.at > _LATEST
    at = moment_of(told.at)
    return CheckpointView(told.seq, at, now - at, late)
