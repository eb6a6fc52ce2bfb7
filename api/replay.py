"""Replay: decide again from the record alone and compare every byte.

It does: check that the record is what the audit entry says, run the pure function under the release that the
record names, on the engine that made it where that is kept, and tell the first difference. It does not: repair.
Byte-equality is promised under the recorded engine; under another the difference is a fact for the changelog.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import ValidationError
from sqlalchemy import Connection

import models
from api.store import queries as store
from engine.application import Application
from engine.canonical import digest
from engine.decision import Decision, decide
from engine.facts import Facts
from engine.release import Release


@dataclass(frozen=True, slots=True)
class Replay:
    """What deciding again gave: equal to the byte, or where it first differs."""

    decision_id: str
    match: bool
    engine_recorded: str
    engine_now: str
    release: str
    difference: str | None = None


def replay(
    connection: Connection, decision_id: str, release_of: Callable[[str], Release], engine: str
) -> Replay | None:
    """Replay a decision by its id; None if there is none."""
    row = store.get_decision(connection, decision_id)
    if row is None:
        return None
    return replay_row(connection, row, release_of, engine)


def replay_row(
    connection: Connection,
    row: store.DecisionRow,
    release_of: Callable[[str], Release],
    engine: str,
    own: models.PastEngine | None = None,
) -> Replay:
    """Replay one recorded decision, on the engine that made it where that is given and running."""
    engine = own.digest if own else engine

    def result(difference: str | None) -> Replay:
        return Replay(row.id, difference is None, row.engine_digest, engine, row.release_name, difference)

    application = store.get_application(connection, row.application_id)
    try:
        facts = store.facts_body(connection, row.facts_sha256)
    except ValueError:  # not the bytes of that digest
        return result("record altered")
    if application is None or facts is None:
        return result("erased")
    if digest(row.body) != row.body_sha256 or digest(application.body) != application.body_sha256:
        return result("record altered")
    if own:
        again = own.decide(application.body, facts, row.release_name, row.release_digest)
    else:
        again = _decide(application.body, facts, row, release_of)
    if isinstance(again, str):
        return result(again)
    if again != row.body:
        return result(first_difference(row.body, again))
    # Facts and decision forged together agree with each other, but not with what the audit entry swore.
    found = (application.body_sha256, row.body_sha256, row.facts_sha256)
    if any(sworn is not None and sworn != here for sworn, here in zip(_sworn(connection, row), found, strict=True)):
        return result("record differs from its audit entry")
    return result(None)


def _decide(
    application: bytes, facts: bytes, row: store.DecisionRow, release_of: Callable[[str], Release]
) -> bytes | str:
    """The decision's bytes as this engine makes them, or in words why it makes none."""
    try:
        release = release_of(row.release_name)
    except models.ReleaseRejected:
        return "release not held"
    if release.digest != row.release_digest:
        return "release differs from the one recorded"
    try:
        arguments = Application.model_validate_json(application), Facts.model_validate_json(facts)
    except ValidationError:  # altered with its digest, or recorded by an engine that took what this one refuses
        return "record not readable"
    return decide(*arguments, release).canonical()


def _sworn(connection: Connection, row: store.DecisionRow) -> tuple[str | None, ...]:
    """The digests of application, decision and facts that the decision's audit entry holds."""
    entry = store.audit_entry(connection, row.audit_seq)
    details = json.loads(entry.body).get("details", {}) if entry else {}
    return tuple(details.get(name) for name in ("application_sha256", "decision_sha256", "facts_sha256"))


def first_difference(recorded: bytes, again: bytes) -> str:
    """The first field, in order of name, that differs between two decisions."""
    try:
        old, new = (Decision.model_validate_json(body).model_dump(mode="json") for body in (recorded, again))
    except ValidationError:  # whoever altered the record also made its digest
        return "record altered"
    return next((name for name in sorted(old) if old[name] != new.get(name)), "bytes")
