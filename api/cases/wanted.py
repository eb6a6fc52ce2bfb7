"""What a case wants and what it has: folded from its events and documents, never stored apart.

It does: list every wanted document with the documents that answer it. It does not: judge a document. The rules it
keeps: what was wanted at acceptance stays wanted, whatever policy says later; a document asked for afterwards is
answered only by one that came afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from api.store import queries as store

IN_HAND = frozenset({"checked", "accepted"})
UNSEEN = frozenset({"received", "quarantined", "clean"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """One document, or `count` of a kind, that the case wants; `person_ref` says whose.

    `met`: all have come and were looked at by machine. `settled`: all were accepted. `required` is False for what
    would only lift a cap.
    """

    id: str
    kind: str
    person_ref: str | None
    count: int
    required: bool
    why: str
    adds: str
    requested: bool
    waived: bool
    waived_because: str
    documents: tuple[str, ...]
    met: bool
    settled: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """A case with its documents and events, and what it wants."""

    case: store.CaseRow
    wanted: tuple[Wanted, ...]
    documents: tuple[store.DocumentRow, ...]
    events: tuple[store.CaseEventRow, ...]
    people: frozenset[str]

    @property
    def complete(self) -> bool:
        """Whether everything required has come and was looked at."""
        return all(each.met or each.waived for each in self.wanted if each.required) and not self.unseen

    @property
    def verifiable(self) -> bool:
        """Whether everything required was accepted or waived."""
        return all(each.settled or each.waived for each in self.wanted if each.required)

    @property
    def unseen(self) -> bool:
        """Whether a document still waits for the machine."""
        return any(each.state in UNSEEN for each in self.documents)

    @property
    def waivers(self) -> int:
        """How many wanted documents were left aside."""
        return sum(each.waived for each in self.wanted)


def stand(connection: Connection, case: store.CaseRow) -> Standing:
    """How the case stands now."""
    events = store.every_event(connection, case.id)
    documents = store.documents_of(connection, case.id)
    people = frozenset(each.ref for each in store.people_of(connection, case.application_id))
    return Standing(case, wanted_of(events, documents), documents, events, people)


def wanted_of(events: tuple[store.CaseEventRow, ...], documents: tuple[store.DocumentRow, ...]) -> tuple[Wanted, ...]:
    """Every wanted document, from the events that asked for it or left it aside."""
    waived = {each.details["wanted"]: str(each.details["reason"]) for each in events if each.event == "waive"}
    came = {each.document_id: each.version for each in events if each.event == "document_received"}
    found: list[Wanted] = []
    for event in events:
        details = event.details
        if event.event == "open":
            for told in details["required"]:
                found.append(_wanted(_name(told), told, documents, waived))
        elif event.event == "request":
            told = {**details, "count": 1, "required": True, "why": details["words"], "adds": ""}
            later = tuple(each for each in documents if came.get(each.id, 0) > event.version)
            found.append(_wanted(f"request:{event.version}", told, later, waived, requested=True))
    return tuple(found)


def _name(told: Mapping[str, Any]) -> str:
    return f"{told['kind']}:{told['person_ref']}" if told["person_ref"] else str(told["kind"])


def _wanted(
    name: str,
    told: Mapping[str, Any],
    documents: tuple[store.DocumentRow, ...],
    waived: Mapping[str, str],
    *,
    requested: bool = False,
) -> Wanted:
    answering = [
        each
        for each in documents
        if each.kind == told["kind"] and (told["person_ref"] is None or each.person_ref == told["person_ref"])
    ]
    count = int(told["count"])
    return Wanted(
        id=name,
        kind=str(told["kind"]),
        person_ref=told["person_ref"],
        count=count,
        required=bool(told["required"]),
        why=str(told["why"]),
        adds=str(told["adds"]),
        requested=requested,
        waived=name in waived,
        waived_because=waived.get(name, ""),
        documents=tuple(each.id for each in answering),
        met=sum(each.state in IN_HAND for each in answering) >= count,
        settled=sum(each.state == "accepted" for each in answering) >= count,
    )
