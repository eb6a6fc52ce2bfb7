"""What a verifier does with a case: take it, read its documents, send them back, ask for more, vouch for the evidence.

It does: hold the rules that concern one person and one case, and write each act with its event. It does not: decide;
`verify` hands over to `deciding`. The rules it keeps: only who holds the case under a running lease changes it, and
only in the version they saw; what a document says is recorded before a band is shown.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection

from api.cases.acts import Actor, act, held_by
from api.cases.checking import needed_of
from api.cases.deciding import decide_case, verified_on
from api.cases.desk import Desk, known_case, tell
from api.cases.quality import Found, found_by_people
from api.cases.reading import complete
from api.cases.wanted import stand
from api.errors import FieldProblem, Problem
from api.metrics import QUALITY
from api.store import queries as store
from engine.canonical import canonical_bytes
from engine.decision import Decision
from engine.verification.authority import may_approve
from engine.verification.documents import KINDS, RETURN_REASONS, parse_value
from engine.verification.states import DOCUMENT, next_state

LEASE = timedelta(minutes=15)
LONGEST_SNOOZE = timedelta(hours=12)
MOST_WORDS = 2_000
MOST_REQUESTS = 10  # documents asked for beyond the list, in one case


async def claim_next(desk: Desk, stage: store.StageName, actor: Actor) -> store.CaseRow | None:
    """Take the next case of a stage, held for a quarter of an hour; None where there is none to take."""
    return await desk.shell.database.write(
        lambda connection: store.claim_next(connection, stage, actor.id, desk.shell.clock(), LEASE)
    )


async def claim(desk: Desk, case_id: str, stage: store.StageName, actor: Actor) -> store.CaseRow:
    """Take this case; Problem `not-held` where somebody else was quicker or it is not theirs to take."""
    taken = await desk.shell.database.write(
        lambda connection: store.claim_case(connection, case_id, stage, actor.id, desk.shell.clock(), LEASE)
    )
    if taken is None:
        raise Problem("not-held")
    return taken


async def renew(desk: Desk, case_id: str, actor: Actor) -> datetime:
    """Hold the case on for another quarter of an hour; no event, since nothing of the case changes."""
    until = await desk.shell.database.write(
        lambda connection: store.renew_lease(connection, case_id, actor.id, desk.shell.clock(), LEASE)
    )
    if until is None:
        raise Problem("not-held")
    return until


async def release(desk: Desk, case_id: str, actor: Actor) -> store.CaseRow:
    """Give the case back to its place."""
    freed = await desk.shell.database.write(
        lambda connection: store.release_case(connection, case_id, actor.id, desk.shell.clock())
    )
    if freed is None:
        raise Problem("not-held")
    return freed


async def record(
    desk: Desk, case_id: str, version: int, actor: Actor, document_id: str, values: Mapping[str, str]
) -> store.CaseRow:
    """Write down what a document says, one or more fields as they were typed.

    Raises Problem `validation-failed` naming each field that the kind of document does not have, or whose value it
    cannot be.
    """

    def work(connection: Connection) -> store.CaseRow:
        at = desk.shell.clock()
        case = held_by(connection, case_id, actor, version, at)
        document = _document(connection, case, document_id, ("checked", "accepted"))
        read, faults = [], []
        for name, text in values.items():
            try:
                value = parse_value(document.kind, name, text)
            except ValueError as error:
                faults.append(FieldProblem(name, "value", str(error)))
                continue
            read.append(store.NewValue(document.id, name, canonical_bytes(value).decode()))
        if faults or not read:
            raise Problem("validation-failed", faults or [FieldProblem("", "value", "Say what the document says")])
        store.insert_values(connection, case.id, tuple(read), actor.id, at)
        return act(
            connection, case, "record", actor, at, document_id=document.id,
            details={"fields": sorted(values)},
        )  # fmt: skip

    return await desk.shell.database.write(work)


async def accept_document(desk: Desk, case_id: str, version: int, actor: Actor, document_id: str) -> store.CaseRow:
    """Rely on a document; Problem `values-missing` where what it says was not recorded yet."""

    def work(connection: Connection) -> store.CaseRow:
        at = desk.shell.clock()
        case = held_by(connection, case_id, actor, version, at)
        document = _document(connection, case, document_id, ("checked",))
        recorded = {each.field for each in store.latest_values(connection, case.id) if each.document_id == document.id}
        if missing := [name for name in needed_of(document.kind) if name not in recorded]:
            raise Problem("validation-failed", [FieldProblem(name, "missing", "Record it first") for name in missing])
        _move(connection, document, "accept", at)
        return act(connection, case, "accept_document", actor, at, document_id=document.id)

    return await desk.shell.database.write(work)


async def return_document(
    desk: Desk, case_id: str, version: int, actor: Actor, document_id: str, reason: str, words: str
) -> store.CaseRow:
    """Send a document back with a coded reason and words; the applicant is told, and the clock pauses.

    Where everything that is wanted is there without it, the case does not wait: it is back in the queue at once.
    """
    _check_words(words)
    if reason not in RETURN_REASONS:
        raise Problem("validation-failed", [FieldProblem("reason", "unknown", "Choose a reason from the list")])

    def work(connection: Connection) -> store.CaseRow:
        at = desk.shell.clock()
        case = held_by(connection, case_id, actor, version, at)
        document = _document(connection, case, document_id, ("checked", "accepted"))
        _move(connection, document, "return", at, reason=reason, words=words or None)
        after = act(
            connection, case, "return_document", actor, at, document_id=document.id,
            details={"reason": reason, "words": words},
        )  # fmt: skip
        tell(desk, connection, "document.returned", after, kinds=(document.kind,), reason=reason)
        return complete(desk, connection, after, at)

    return await desk.shell.database.write(work)


async def request(
    desk: Desk, case_id: str, version: int, actor: Actor, kind: str, person_ref: str | None, words: str
) -> store.CaseRow:
    """Ask for one more document; the applicant is told, and the clock pauses."""
    _check_words(words)
    if kind not in KINDS:
        raise Problem("validation-failed", [FieldProblem("kind", "unknown", "Choose a kind of document")])

    def work(connection: Connection) -> store.CaseRow:
        at = desk.shell.clock()
        case = held_by(connection, case_id, actor, version, at)
        standing = stand(connection, case)
        if sum(each.requested for each in standing.wanted) >= MOST_REQUESTS:
            raise Problem("not-now")
        if person_ref is not None and person_ref not in standing.people:
            raise Problem("validation-failed", [FieldProblem("person_ref", "unknown", "Not a person of this case")])
        told = {"kind": kind, "person_ref": person_ref, "words": words}
        after = act(connection, case, "request", actor, at, details=told)
        tell(desk, connection, "documents.requested", after, kinds=(kind,))
        return after

    return await desk.shell.database.write(work)


async def waive(
    desk: Desk, case_id: str, version: int, actor: Actor, wanted: str, reason: str, words: str
) -> store.CaseRow:
    """Leave a wanted document aside, with a reason: the case then takes one approver more.

    A case that waits for its applicant is held by nobody: any verifier may do it there, and the last one brings the
    case into the queue.
    """
    _check_words(words)
    if not reason.strip():
        raise Problem("validation-failed", [FieldProblem("reason", "missing", "A waiver has a reason")])
    _check_words(reason)

    def work(connection: Connection) -> store.CaseRow:
        at = desk.shell.clock()
        case = known_case(connection, case_id)
        if case.state != "waiting":
            case = held_by(connection, case_id, actor, version, at)
        elif case.version != version:
            raise Problem("stale-version")
        if not any(each.id == wanted and not each.met and not each.waived for each in stand(connection, case).wanted):
            raise Problem("not-now")
        details = {"wanted": wanted, "reason": reason, "words": words}
        return complete(desk, connection, act(connection, case, "waive", actor, at, details=details), at)

    return await desk.shell.database.write(work)


async def verify(desk: Desk, case_id: str, version: int, actor: Actor, words: str = "") -> store.CaseRow:
    """Vouch for the evidence: it is decided again on what was recorded, and waits for an approver on the new decision.

    Problem `not-now` while a required document is neither accepted nor waived.
    """
    _check_words(words)

    def look(connection: Connection) -> store.CaseRow:
        case = held_by(connection, case_id, actor, version, desk.shell.clock())
        if case.state != "claimed" or not stand(connection, case).verifiable:
            raise Problem("not-now")
        return case

    case = await desk.shell.database.read(look)

    def then(
        connection: Connection, decision_id: str, decision: Decision, content: str
    ) -> tuple[store.CaseRow, Found | None]:
        seen = look(connection)
        change = verified_on(decision_id, decision, content, actor.id)
        details: dict[str, object] = {"outcome": decision.outcome, "words": words}
        found = found_by_people(connection, stand(connection, seen))
        if found is not None:
            details["quality"] = found
        return act(connection, seen, "verify", actor, desk.shell.clock(), change=change, details=details), found

    after, found = await decide_case(desk, case, actor.id, None, then)
    if found is not None:
        QUALITY.labels(found).inc()
    return after


async def snooze(desk: Desk, case_id: str, version: int, actor: Actor, until: datetime, words: str) -> store.CaseRow:
    """Put the case off until a moment within 12 hours; its clock runs on, and nobody is given it before."""
    _check_words(words)

    def work(connection: Connection) -> store.CaseRow:
        at = desk.shell.clock()
        case = held_by(connection, case_id, actor, version, at)
        if not at < until <= at + LONGEST_SNOOZE:
            raise Problem("validation-failed", [FieldProblem("until", "range", "Within the next 12 hours")])
        return act(connection, case, "snooze", actor, at, change={"snoozed_until": until}, details={"words": words})

    return await desk.shell.database.write(work)


async def note(desk: Desk, case_id: str, actor: Actor, words: str) -> store.CaseRow:
    """Write a note on a case; anybody who may note, whoever holds it."""
    return await _aside(desk, case_id, actor, "note", words)


async def escalate(desk: Desk, case_id: str, actor: Actor, words: str) -> store.CaseRow:
    """Ask for eyes above one's own."""
    return await _aside(desk, case_id, actor, "escalate", words)


async def reassign(desk: Desk, case_id: str, actor: Actor, to_staff_id: str, words: str) -> store.CaseRow:
    """Take a case from who holds it and give it to somebody else, under a lease of theirs."""
    _check_words(words)

    def work(connection: Connection) -> store.CaseRow:
        at = desk.shell.clock()
        case, member = known_case(connection, case_id), store.staff_by_id(connection, to_staff_id)
        if member is None or member.disabled_at is not None:
            raise Problem("not-found")
        if case.owner is None:
            raise Problem("not-now")
        role = "verifier" if case.state == "claimed" else "approver"
        if role not in member.roles or (role == "approver" and not _may_approve(connection, case, member.id)):
            raise Problem("separation-of-duties")
        change: store.CaseChange = {"owner": member.id, "lease_until": at + LEASE}
        return act(connection, case, "reassign", actor, at, change=change, details={"to": member.id, "words": words})

    return await desk.shell.database.write(work)


def _may_approve(connection: Connection, case: store.CaseRow, staff_id: str) -> bool:
    given = store.approvals_of(connection, case.id, case.content_sha256)
    return may_approve(staff_id, case.verified_by or "", (each.staff_id for each in given))


async def _aside(
    desk: Desk, case_id: str, actor: Actor, event: Literal["note", "escalate"], words: str
) -> store.CaseRow:
    _check_words(words)
    if not words.strip():
        raise Problem("validation-failed", [FieldProblem("words", "missing", "Say it in words")])

    def work(connection: Connection) -> store.CaseRow:
        case = known_case(connection, case_id, hold=True)  # whoever else acts on it: a note needs no version
        change: store.CaseChange = {"escalated": True} if event == "escalate" else {}
        return act(connection, case, event, actor, desk.shell.clock(), change=change, details={"words": words})

    return await desk.shell.database.write(work)


def _document(
    connection: Connection, case: store.CaseRow, document_id: str, states: tuple[str, ...]
) -> store.DocumentRow:
    document = store.get_document(connection, document_id)
    if document is None or document.case_id != case.id:
        raise Problem("not-found")
    if document.state not in states:
        raise Problem("not-now")
    return document


def _move(
    connection: Connection,
    document: store.DocumentRow,
    event: str,
    at: datetime,
    reason: str | None = None,
    words: str | None = None,
) -> None:
    state = next_state(DOCUMENT, document.state, event)
    if state is None:
        raise Problem("not-now")
    change: store.DocumentChange = {"state": state, "settled_at": at}
    if reason is not None:
        change |= {"reason": reason, "words": words}
    if store.change_document(connection, document.id, document.state, change) is None:
        raise Problem("stale-version")


def _check_words(words: str) -> None:
    if len(words) > MOST_WORDS:
        raise Problem("validation-failed", [FieldProblem("words", "too_long", f"At most {MOST_WORDS} characters")])
