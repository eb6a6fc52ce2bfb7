"""A document as its page shows it: checks, where each field was read, and what may be done with it."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import Any

from api.cases.checking import read_fields
from api.cases.replies import UNUSABLE
from api.console.views import CheckView, DocumentView, Mark
from api.pages import wording
from api.staff.guarding import Member
from api.store import queries as store
from engine.verification.documents import KINDS, RETURN_REASONS

_TYPES = {"application/pdf": "PDF", "image/png": "PNG", "image/jpeg": "JPEG"}
SHOWABLE = frozenset({"clean", "checked", "accepted", "returned", "replaced"})


def document_view(
    document: store.DocumentRow,
    checks: tuple[store.CheckRow, ...],
    names: Mapping[str, str],
    member: Member,
    workable: bool,
) -> DocumentView:
    """The view of one document; `workable` where this member holds its case."""
    reading = _reading(checks)
    reason = RETURN_REASONS.get(document.reason or "")
    actions = set()
    if workable and document.state == "checked":
        actions |= {"accept", "record", "return"}
    elif workable and document.state == "accepted":
        actions.add("return")
    if document.state in SHOWABLE and member.may("document.original"):
        actions.add("original")
    return DocumentView(
        id=document.id,
        title=_title(document.kind, checks),
        state=document.state,
        received_at=document.received_at,
        bytes=document.bytes,
        pages=(document.pages or 0) if document.state in SHOWABLE else 0,
        person=names.get(document.person_ref) if document.person_ref else None,
        media_type=_TYPES.get(document.media_type or ""),
        electronic=bool(reading.get("electronic")),
        scanned=f"virus scan: {reading['scanned']}" if "scanned" in reading else "",
        checks=(*_hidden(reading, checks), *(_check(each) for each in checks if each.name != "reading")),
        marks=_marks(document, checks),
        reason=UNUSABLE if document.state == "rejected" else reason.wrong if reason else None,
        words=document.words,
        actions=frozenset(actions),
    )  # fmt: skip


def redactions_of(checks: tuple[store.CheckRow, ...]) -> list[tuple[int, int, int, int, int]]:
    """The boxes to be blacked out on a document's pages."""
    reading = _reading(checks)
    return [tuple(box) for box in reading.get("redactions", ())]


def _reading(checks: tuple[store.CheckRow, ...]) -> dict[str, Any]:
    """How the document was read; empty before it was."""
    found: dict[str, Any] = next((json.loads(each.body) for each in checks if each.name == "reading"), {})
    return found


def _title(kind: str, checks: tuple[store.CheckRow, ...]) -> str:
    """Its kind, and the period that it covers where one was read: four quarters are told apart by that."""
    read = read_fields(checks)
    with suppress(KeyError, ValueError):
        begins, ends = (date.fromisoformat(read[name]) for name in ("period_from", "period_to"))
        return f"{KINDS[kind].title}, {wording.day(begins)} to {wording.day(ends)}"
    return KINDS[kind].title


def _hidden(reading: Mapping[str, Any], checks: tuple[store.CheckRow, ...]) -> tuple[CheckView, ...]:
    """A warning where numbers that must not be kept may still be seen on the pictures."""
    if not checks or (reading and reading.get("searched", True)):
        return ()
    says = "Not all of it could be read, so a tax file, Medicare or card number may still be seen: do not copy it."
    return (CheckView("hidden numbers", "warn", 0, says),)


def _check(row: store.CheckRow) -> CheckView:
    says = str(json.loads(row.body).get("says", ""))
    return CheckView(row.name.replace("_", " "), row.verdict, row.confidence_bps, says)  # type: ignore[arg-type]


def _marks(document: store.DocumentRow, checks: tuple[store.CheckRow, ...]) -> tuple[Mark, ...]:
    labels = {each.name: each.label for each in KINDS[document.kind].fields}
    found: dict[tuple[str, int, tuple[int, ...]], Mark] = {}
    for each in checks:
        for told in json.loads(each.body).get("found", ()):
            box = tuple(told.get("box") or ())
            if told["field"] in labels and len(box) == 4 and box[0] < box[2] and box[1] < box[3]:  # noqa: PLR2004 - sides
                mark = Mark(told["field"], labels[told["field"]], told["page"], box)
                found.setdefault((mark.field, mark.page, box), mark)
    return tuple(found.values())
