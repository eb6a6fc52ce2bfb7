"""Documents of a case: where each stands, which is looked at next, and where else the same one was seen.

A document changes only from the state in which it was seen. It does not keep the files, nor know what they hold.
The rule: of several workers one gets a document, and after five attempts it is left to people.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypedDict

from sqlalchemy import Connection, Update, and_, bindparam, insert, literal_column, or_, select, text, update

from api.store.tables import document, document_part
from api.store.tables.verification import UNCHECKED

ATTEMPTS_MAX = 5
DISTANCE_MAX = 7  # with which two hashes surely have a part that differs in one bit at most
_PARTS, _PART_BITS, _PART_DIGITS = 4, 16, 4
_MOST_CANDIDATES = 2_000
_UNCHECKED_STATES = ("received", "quarantined", "clean")


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A file that was received; `storage_key` says where it is kept, `sha256` is of its own bytes."""

    id: str
    case_id: str
    kind: str
    received_from: str
    bytes: int
    sha256: str
    storage_key: str
    person_ref: str | None = None
    state: str = "received"
    media_type: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document as kept."""

    id: str
    case_id: str
    kind: str
    person_ref: str | None
    state: str
    received_at: datetime
    received_from: str
    media_type: str | None
    bytes: int
    pages: int | None
    sha256: str
    perceptual: str | None
    storage_key: str | None
    reason: str | None
    words: str | None = field(repr=False)
    settled_at: datetime | None
    lease_until: datetime | None
    attempts: int


class DocumentChange(TypedDict, total=False):
    """What may change in a document; what is left out stays."""

    state: str
    media_type: str
    pages: int
    perceptual: str
    storage_key: str | None
    reason: str | None
    words: str | None
    settled_at: datetime | None
    lease_until: datetime | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Likeness:
    """A document of another case that is the same file (distance 0 bits) or looks like it."""

    document_id: str
    case_id: str
    distance: int
    same_file: bool


# -- documents -----------------------------------------------------------------------------------------------

_doc = document.c
_CHANGEABLE = DocumentChange.__optional_keys__
_BY_ID = select(document).where(_doc.id == bindparam("sought"))
_OF_CASE = select(document).where(_doc.case_id == bindparam("sought")).order_by(_doc.received_at, _doc.id)
_CHANGE = update(document).where(_doc.id == bindparam("sought"), _doc.state == bindparam("seen")).returning(*_doc)
_FREE = text(UNCHECKED), (_doc.lease_until.is_(None) | (_doc.lease_until <= bindparam("now")))
_NEXT = (
    select(_doc.id)
    .where(*_FREE, _doc.attempts < ATTEMPTS_MAX)
    .order_by(_doc.received_at, _doc.id)
    .limit(literal_column("1"))
    .with_for_update(skip_locked=True)
)
_GIVEN_UP = (
    select(document)
    .where(*_FREE, _doc.attempts >= ATTEMPTS_MAX)
    .order_by(_doc.received_at, _doc.id)
    .limit(bindparam("page"))
)


def _taking() -> Update:
    found = _NEXT.cte("found").prefix_with("MATERIALIZED", dialect="postgresql")
    return (
        update(document)
        .where(_doc.id == select(found.c.id).scalar_subquery())
        .values(lease_until=bindparam("until"), attempts=_doc.attempts + 1)
    )


_TAKE = _taking().returning(*_doc)


def insert_document(connection: Connection, new: NewDocument, at: datetime) -> DocumentRow:
    """Keep a document that was received."""
    values = {
        "id": new.id, "case_id": new.case_id, "kind": new.kind, "person_ref": new.person_ref, "state": new.state,
        "received_at": at, "received_from": new.received_from, "media_type": new.media_type, "bytes": new.bytes,
        "sha256": new.sha256, "storage_key": new.storage_key, "attempts": 0,
    }  # fmt: skip
    return DocumentRow(*connection.execute(insert(document).returning(*_doc), values).one())


def get_document(connection: Connection, document_id: str) -> DocumentRow | None:
    """One document by its id."""
    row = connection.execute(_BY_ID, {"sought": document_id}).first()
    return None if row is None else DocumentRow(*row)


def documents_of(connection: Connection, case_id: str) -> tuple[DocumentRow, ...]:
    """The documents of a case, in the order in which they came."""
    return tuple(DocumentRow(*row) for row in connection.execute(_OF_CASE, {"sought": case_id}))


def change_document(
    connection: Connection, document_id: str, seen_state: str, change: DocumentChange
) -> DocumentRow | None:
    """Change a document that is still in the state seen; none, and nothing written, where it is not.

    It writes no event: whoever calls it changes the case with one, in the same transaction and after this.
    """
    if not change.keys() <= _CHANGEABLE:
        raise ValueError(f"these do not change in a document: {sorted(change.keys() - _CHANGEABLE)}")
    values: dict[str, object] = dict(change)
    if change.get("state", seen_state) not in _UNCHECKED_STATES:
        values["lease_until"] = None
    row = connection.execute(_CHANGE.values(values), {"sought": document_id, "seen": seen_state}).first()
    if row is None:
        return None
    changed = DocumentRow(*row)
    if "perceptual" in change:
        _keep_parts(connection, changed)
    return changed


def claim_document(connection: Connection, now: datetime, lease: timedelta) -> DocumentRow | None:
    """The document that has waited longest to be looked at, held until the lease ends; none where none waits.

    A worker that crashed leaves its document to the next one once the lease has lapsed.
    """
    row = connection.execute(_TAKE, {"now": now, "until": now + lease}).first()
    return None if row is None else DocumentRow(*row)


def given_up_documents(connection: Connection, now: datetime, limit: int = 50) -> tuple[DocumentRow, ...]:
    """The documents that no worker got through in five attempts, for people to look into."""
    return tuple(DocumentRow(*row) for row in connection.execute(_GIVEN_UP, {"now": now, "page": limit}))


# -- the same document elsewhere -----------------------------------------------------------------------------

_SAME = (
    select(_doc.id, _doc.case_id)
    .where(_doc.sha256 == bindparam("its_sha256"), _doc.case_id != bindparam("its_case"))
    .order_by(_doc.received_at.desc(), _doc.id)
    .limit(bindparam("page"))
)
_CANDIDATES = (
    select(document_part.c.document_id)
    .where(
        or_(
            *(
                and_(
                    document_part.c.part == part, document_part.c.value.in_(bindparam(f"values_{part}", expanding=True))
                )
                for part in range(_PARTS)
            )
        )
    )
    .order_by(document_part.c.part, document_part.c.value, document_part.c.document_id)
    .limit(_MOST_CANDIDATES)
    .subquery()
)
_NEAR = (
    select(_doc.id, _doc.case_id, _doc.sha256, _doc.perceptual)
    .where(_doc.id.in_(select(_CANDIDATES.c.document_id)), _doc.case_id != bindparam("its_case"))
    .order_by(_doc.id)
)


def same_files(connection: Connection, found: DocumentRow, limit: int = 20) -> tuple[Likeness, ...]:
    """The same bytes in other cases, newest first."""
    values = {"its_sha256": found.sha256, "its_case": found.case_id, "page": limit}
    return tuple(Likeness(*row, distance=0, same_file=True) for row in connection.execute(_SAME, values))


def look_alikes(connection: Connection, found: DocumentRow, distance: int = 4, limit: int = 20) -> tuple[Likeness, ...]:
    """Other files in other cases whose first page differs in so many bits of its hash at most, nearest first.

    Two hashes that differ in at most 7 bits have one of four parts that differs in at most one, so 17 values a part
    are looked up in an index and every near hash is among what they find; of a value that is very common, 2,000
    documents in all are looked at, and the rest is not. A page without features looks like every other and is not
    compared. Raises ValueError for a distance above 7.
    """
    if not 0 <= distance <= DISTANCE_MAX:
        raise ValueError(f"a distance is 0 to {DISTANCE_MAX} bits")
    if found.perceptual is None:
        return ()
    ours = int(found.perceptual, 16)
    if not distance < ours.bit_count() < _PARTS * _PART_BITS - distance:
        return ()
    values = {f"values_{part}": _near_values(value) for part, value in _parts_of(found.perceptual)}
    rows = connection.execute(_NEAR, {**values, "its_case": found.case_id})
    near = [
        Likeness(row.id, row.case_id, away, same_file=False)
        for row in rows
        if row.sha256 != found.sha256 and (away := (int(row.perceptual, 16) ^ ours).bit_count()) <= distance
    ]
    return tuple(sorted(near, key=lambda each: (each.distance, each.document_id))[:limit])


def _keep_parts(connection: Connection, changed: DocumentRow) -> None:
    if changed.perceptual is not None:
        rows = [
            {"part": part, "value": value, "document_id": changed.id} for part, value in _parts_of(changed.perceptual)
        ]
        connection.execute(insert(document_part), rows)


def _parts_of(perceptual: str) -> list[tuple[int, str]]:
    return [(part, perceptual[part * _PART_DIGITS : (part + 1) * _PART_DIGITS].lower()) for part in range(_PARTS)]


def _near_values(value: str) -> list[str]:
    """The value itself and the 16 that differ from it in one bit."""
    number = int(value, 16)
    return [value, *(f"{number ^ (1 << bit):04x}" for bit in range(_PART_BITS))]
