"""Counterfactuals that are kept, brought to a decision that is made again.

It does: find what is held for an application, with the release that it was worked out on. It does not: decide whether
it is met (engine.whatif does). The rule it keeps: a promise whose release is no longer held, or has become another, is
an error that is told to the operator, never silently another release's.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection

import models
from api.store import queries as store
from api.store.database import Database
from api.store.queries.advice import CounterfactualRow, held_counterfactuals
from engine.application import Application
from engine.canonical import canonical_bytes
from engine.decision import Decision
from engine.facts import Facts
from engine.release import Release
from engine.values import Frozen
from engine.whatif import Promise, Shown, honoured

log = structlog.get_logger()
LoadRelease = Callable[[str], Release]


class Named(Frozen):
    """What a source has to show, as it is kept."""

    shown: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A counterfactual that is held, and the release that it was worked out on; when the last evidence came."""

    id: str
    promise: Promise
    release: Release
    shown_at: datetime


def evidence_text(promise: Promise) -> str:
    """What a source has to show, as text to be kept."""
    return canonical_bytes(Named(shown=promise.evidence).model_dump(mode="json", exclude_none=True)).decode()


def promise_of(row: CounterfactualRow) -> Promise:
    """A kept counterfactual as the engine knows it."""
    return Promise(
        evidence=Named.model_validate_json(row.evidence).shown,
        limit_cents=row.limit_cents,
        monthly_rate_bps=row.monthly_rate_bps,
        held_until=row.held_until,
    )


async def kept_for(
    database: Database, application_id: str, at: datetime, release: Release, load: LoadRelease
) -> tuple[Kept, ...]:
    """Every counterfactual of an application that is held at this moment, or was when its last document came."""

    def look(connection: Connection) -> tuple[datetime, tuple[CounterfactualRow, ...]]:
        shown_at = _shown_at(connection, application_id, at)
        return shown_at, held_counterfactuals(connection, application_id, shown_at)

    shown_at, rows = await database.read(look)
    found = []
    for row in rows:
        held = await release_named(row.release_name, row.release_digest, release, load)
        if held is None:
            log.error("promise_without_release", counterfactual=row.id, release=row.release_name)
        else:
            found.append(Kept(row.id, promise_of(row), held, shown_at))
    return tuple(found)


def _shown_at(connection: Connection, application_id: str, at: datetime) -> datetime:
    """When the last of the documents came that are relied on; now, where there is none."""
    case = store.case_of_application(connection, application_id)
    documents = () if case is None else store.documents_of(connection, case.id)
    return max((each.received_at for each in documents if each.state == "accepted"), default=at)


async def release_named(name: str, digest: str, release: Release, load: LoadRelease) -> Release | None:
    """The release of this name and digest, the one in hand where it is that; None where it is not held any more."""
    if (release.name, release.digest) == (name, digest):
        return release
    try:
        found = await asyncio.to_thread(load, name)
    except models.ReleaseRejected:
        return None
    return found if found.digest == digest else None


def with_promises(
    application: Application, facts: Facts, decision: Decision, kept: Sequence[Kept]
) -> tuple[Decision, str | None]:
    """The decision, or the one that keeps a promise it falls short of, with that counterfactual's id."""
    if not kept:
        return decision, None
    pairs = [(each.promise, each.release) for each in kept]
    best, promise = honoured(application, facts, decision, pairs, kept[0].shown_at)
    if promise is None:
        return best, None
    return best, next(each.id for each in kept if each.promise is promise)
