"""From an application to what a document is compared with, and from machine checks to rows and recorded values.

It does: build the expectation, run the checks in a confined process, and read their answer. It does not: check anything
itself. The rule it keeps: what a check read is kept only as the check redacted it.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection

from api.cases.desk import Desk
from api.cases.intray import Intray
from api.cases.wanted import IN_HAND, Standing
from api.checks.values import Expectation, Kind
from api.checks.values import Person as Named
from api.documents.confinement import Limits
from api.stated import application_of, people_of
from api.store import queries as store
from engine.application import Application
from engine.canonical import canonical_bytes
from engine.facts import Facts
from engine.verification.documents import KINDS, Value, parse_value
from engine.verification.periods import PERIODIC, Coverage, coverage, periods_of
from engine.verification.straight import Looked

MODULE = "api.checks"
_MOST_NAMES = 10
LIMITS = Limits(cpu_seconds=60, wall_seconds=120.0, memory_mb=4_096, files=256)


@dataclass(frozen=True, slots=True)
class Checked:
    """The rows to be kept of one document; `electronic`: it has its own text; `scanned`: what the scanner said."""

    rows: tuple[store.NewCheck, ...]
    electronic: bool
    scanned: str


# What is kept where machines could not look: people see that nothing was read.
UNREAD = Checked(
    (store.NewCheck("machine", "unread", 0, '{"found":[],"says":"Machines could not read this document."}'),), False, ""
)


async def check(desk: Desk, intray: Intray, document: store.DocumentRow, content: bytes) -> Checked:
    """The machine checks of a clean document; raises ChildFailed where they could not be made."""
    expectation = await desk.shell.database.read(lambda connection: _expectation(desk, connection, document))
    header = {"media_type": document.media_type, "expectation": expectation.model_dump(mode="json")}
    told, _ = await intray.inspector.run(MODULE, header, content, LIMITS)
    scanned = "not scanned" if not intray.scanner.configured else "clean"
    rows = [_row(each) for each in told["results"]]
    reading = {
        "electronic": told["electronic"], "scanned": scanned, "redactions": told["redactions"],
        "searched": told["redactions_complete"],
    }  # fmt: skip
    rows.append(store.NewCheck("reading", "pass", 10_000, canonical_bytes(reading).decode()))
    return Checked(tuple(rows), bool(told["electronic"]), scanned)


def _row(told: dict[str, Any]) -> store.NewCheck:
    body = canonical_bytes({"says": told["says"], "found": told["found"]}).decode()
    return store.NewCheck(told["name"], told["verdict"], int(told["confidence_bps"]), body)


def _expectation(desk: Desk, connection: Connection, document: store.DocumentRow) -> Expectation:
    """What this document is compared with, from the application, its people, and other cases' documents."""
    case = store.get_case(connection, document.case_id)
    if case is None:
        raise LookupError("a document has a case")
    application = application_of(connection, case.application_id)
    people = people_of(connection, case.application_id)
    shown = [document.person_ref] if document.person_ref else _named_on(document.kind, application)
    # Two electronic documents of one layout look alike on their first page without being one: there the file counts.
    pictured = store.look_alikes(connection, document) if document.media_type != "application/pdf" else ()
    likenesses = (*store.same_files(connection, document), *pictured)
    return Expectation(
        kind=cast(Kind, document.kind),  # the same words, checked when it was received
        today=desk.shell.clock().date(),
        legal_name=application.business.legal_name,
        other_names=_other_names(connection, case),
        abn=application.business.abn,
        acn=application.business.acn,
        people=tuple(
            Named(
                given_names=people[ref].given_names, family_name=people[ref].family_name, born=people[ref].date_of_birth
            )
            for ref in shown
            if ref in people
        ),
        most_days_old=desk.policy().verification.most_age_days.get(document.kind),
        turnover_12m_cents=application.finances.turnover_12m_cents,
        also_seen=len({each.case_id for each in likenesses}),
    )


# Whom a document that names people in a role names; any other is compared with everybody.
_NAMES_ROLES = {
    "company_extract": {"director"}, "trust_deed": {"director"}, "partnership_agreement": {"owner", "director"},
}  # fmt: skip


def _named_on(kind: str, application: Application) -> list[str]:
    roles = _NAMES_ROLES.get(kind)
    return [each.ref for each in application.people if roles is None or roles & set(each.roles)]


def _other_names(connection: Connection, case: store.CaseRow) -> tuple[str, ...]:
    """The business names that the register gave for the decision on which the offer was accepted."""
    decided = store.get_decision(connection, case.accepted_decision_id)
    body = store.facts_body(connection, decided.facts_sha256) if decided else None
    record = Facts.model_validate_json(body).registry.value if body else None
    return (record.entity_name, *record.business_names)[:_MOST_NAMES] if record and record.found else ()


# -- what was kept, read again -------------------------------------------------------------------------------


def looked_at(connection: Connection, standing: Standing) -> tuple[Looked, ...]:
    """What machines found in each document that is not returned, refused or replaced."""
    found = []
    for document in standing.documents:
        if document.state not in IN_HAND:
            continue
        checks = store.checks_of(connection, document.id)
        reading: dict[str, Any] = next((json.loads(each.body) for each in checks if each.name == "reading"), {})
        read = _values(document.kind, checks)
        found.append(
            Looked(
                kind=document.kind, electronic=bool(reading.get("electronic")), scanned_clean="scanned" in reading,
                unread=tuple(each for each in needed_of(document.kind) if each not in read),
                checks=tuple((each.name, each.verdict, each.confidence_bps) for each in checks),
            )
        )  # fmt: skip
    return tuple(found)


def coverage_of(connection: Connection, standing: Standing) -> dict[str, Coverage]:
    """How the periods of each kind that has some lie to each other, as recorded or else as machines read them."""
    recorded = store.latest_values(connection, standing.case.id)
    told: dict[str, list[dict[str, Value]]] = {}
    for document in standing.documents:
        if document.kind not in PERIODIC or document.state not in IN_HAND:
            continue
        values = _values(document.kind, store.checks_of(connection, document.id))
        values |= {each.field: json.loads(each.value) for each in recorded if each.document_id == document.id}
        told.setdefault(document.kind, []).append(values)
    return {kind: coverage(kind, periods_of(values)) for kind, values in told.items()}


def needed_of(kind: str) -> tuple[str, ...]:
    """The fields that are recorded before a document of this kind is accepted."""
    return tuple(each.name for each in KINDS[kind].fields if each.needed)


def machine_values(connection: Connection, document: store.DocumentRow) -> tuple[store.NewValue, ...]:
    """What machines read of the fields that a reviewer would record; what is no value of its field is left out."""
    read = _values(document.kind, store.checks_of(connection, document.id))
    return tuple(store.NewValue(document.id, name, canonical_bytes(value).decode()) for name, value in read.items())


def _values(kind: str, checks: tuple[store.CheckRow, ...]) -> dict[str, Value]:
    """The fields of a kind that checks read, as values; checks tell money in whole cents."""
    read, values = read_fields(checks), dict[str, Value]()
    for field in KINDS[kind].fields:
        text = read.get(field.name)
        if text is None:
            continue
        with suppress(ValueError):
            values[field.name] = int(text) if field.unit == "cents" else parse_value(kind, field.name, text)
    return values


def read_fields(checks: tuple[store.CheckRow, ...]) -> dict[str, str]:
    """The first value that any check read, by field."""
    read: dict[str, str] = {}
    for each in checks:
        for finding in json.loads(each.body).get("found", ()):
            read.setdefault(finding["field"], str(finding["value"]))
    return read
