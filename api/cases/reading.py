"""Machines look at documents: scanned, inspected, checked; then the case is complete, and may verify itself.

It does: one document at a time, each step in its own transaction, so that a crash leaves it where it was. It does not:
parse a file in this process. The rules it keeps: a document that could not be looked at is never clean; evidence
verifies itself only where engine.verification.straight finds no reason for people, and one in so many is drawn for
them all the same.
"""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from api.cases.acts import MACHINE, act, started
from api.cases.approving import approve_by_policy
from api.cases.checking import UNREAD, Checked, check, coverage_of, looked_at, machine_values
from api.cases.deciding import decide_case, review_of, verified_on
from api.cases.desk import Desk, tell
from api.cases.intray import Intray
from api.cases.wanted import UNSEEN, Standing, stand
from api.documents.confinement import ChildFailed
from api.documents.inspector import Inspected
from api.documents.scanner import ScannerDown
from api.documents.storage import StorageDown
from api.errors import Problem
from api.metrics import DOCUMENTS, STRAIGHT_THROUGH
from api.sealing import CannotOpen
from api.store import queries as store
from api.store.queries.documents import ATTEMPTS_MAX
from engine.decision import Decision
from engine.policy import VerificationTerms
from engine.verification.queue import chance_of_change, rank
from engine.verification.straight import needs_people

log = structlog.get_logger()
LEASE = timedelta(minutes=5)
AGAIN = timedelta(seconds=15)
UNUSABLE = "UNREADABLE_FILE"


async def look_at_next(desk: Desk, intray: Intray) -> bool:
    """Look at the document that has waited longest; False where none waits."""
    now = desk.shell.clock()
    found = await desk.shell.database.write(lambda connection: store.claim_document(connection, now, LEASE))
    if found is None:
        return await _give_up_next(desk, now)
    try:
        await _look(desk, intray, found)
    except (ScannerDown, StorageDown) as down:
        log.warning("document_waits", error_type=type(down).__name__)
        await _put_back(desk, found)
    except (ChildFailed, KeyError, CannotOpen) as failed:
        log.warning("document_waits", error_type=type(failed).__name__, attempts=found.attempts)
        await _wait(desk, found)
    return True


async def _give_up_next(desk: Desk, now: datetime) -> bool:
    """Settle a document that took down the last process that was allowed to look at it; False where there is none."""
    left = await desk.shell.database.read(lambda connection: store.given_up_documents(connection, now, 1))
    for each in left:
        log.warning("document_given_up", attempts=each.attempts)
        await _wait(desk, each)
    return bool(left)


def _still_ours(connection: Connection, found: store.DocumentRow) -> store.DocumentRow | None:
    """The document as it is now; None where it is done, or another worker has it because our lease had lapsed."""
    now = store.get_document(connection, found.id)
    held = (found.attempts, found.lease_until)
    return now if now is not None and now.state in UNSEEN and (now.attempts, now.lease_until) == held else None


async def _put_back(desk: Desk, found: store.DocumentRow) -> None:
    """Look again soon, however long it takes: what is down is ours, and no attempt of the document's."""

    def work(connection: Connection) -> None:
        if (now := _still_ours(connection, found)) is not None:
            change: store.DocumentChange = {"lease_until": desk.shell.clock() + AGAIN, "attempts": found.attempts - 1}
            store.change_document(connection, now.id, now.state, change)

    await desk.shell.database.write(work)


async def _wait(desk: Desk, found: store.DocumentRow) -> None:
    """Look again soon; after the last attempt a clean file goes to people unread, and any other is not used."""

    def work(connection: Connection) -> store.DocumentRow | None:
        now = _still_ours(connection, found)
        if now is None:
            return None
        if found.attempts < ATTEMPTS_MAX:
            change: store.DocumentChange = {"lease_until": desk.shell.clock() + AGAIN * found.attempts}
            store.change_document(connection, now.id, now.state, change)
            return None
        if now.state == "clean":
            keep(desk, connection, now, UNREAD)
            return None
        return now

    given_up = await desk.shell.database.write(work)
    if given_up is not None:
        await _reject(desk, given_up, "could_not_be_looked_at")


async def _look(desk: Desk, intray: Intray, document: store.DocumentRow) -> None:
    content = await intray.storage.get(document.storage_key or "")
    if document.state == "received":
        document = await _moved(desk, document, {"state": "quarantined"})
    if document.state == "quarantined":
        scanned = await intray.scanner.scan(content)
        inspected = await intray.inspector.inspect(content)
        if scanned == "infected" or inspected.verdict == "rejected":
            await _reject(desk, document, "infected" if scanned == "infected" else inspected.code or "rejected")
            return
        document = await _pass(desk, document, inspected)
    checked = await check(desk, intray, document, content)
    case = await desk.shell.database.write(lambda connection: keep(desk, connection, document, checked))
    DOCUMENTS.labels("checked").inc()
    if case.state == "open":
        await verify_itself(desk, case)


async def _moved(desk: Desk, document: store.DocumentRow, change: store.DocumentChange) -> store.DocumentRow:
    moved = await desk.shell.database.write(
        lambda connection: store.change_document(connection, document.id, document.state, change)
    )
    if moved is None:
        raise ChildFailed("moved")  # another worker had it: its lease had lapsed
    return moved


async def _pass(desk: Desk, document: store.DocumentRow, inspected: Inspected) -> store.DocumentRow:
    change: store.DocumentChange = {"state": "clean"}
    if inspected.media_type and inspected.pages and inspected.perceptual:
        change |= {
            "media_type": inspected.media_type, "pages": inspected.pages, "perceptual": inspected.perceptual,
        }  # fmt: skip
    return await _moved(desk, document, change)


async def _reject(desk: Desk, document: store.DocumentRow, code: str) -> None:
    """A file that is not used: the applicant is told to send another, and nothing of it is shown to anybody."""

    def work(connection: Connection) -> None:
        at = desk.shell.clock()
        change: store.DocumentChange = {"state": "rejected", "reason": UNUSABLE, "settled_at": at}
        if store.change_document(connection, document.id, document.state, change) is None:
            return
        case = _hold(connection, document)
        if case.closed_at is None:
            details = {"verdict": "rejected", "code": code}
            after = act(connection, case, "document_checked", MACHINE, at, details=details, document_id=document.id)
            tell(desk, connection, "document.returned", after, kinds=(document.kind,), reason=UNUSABLE)
            complete(desk, connection, after, at)  # it may have been all that was still looked at

    await desk.shell.database.write(work)
    DOCUMENTS.labels("rejected").inc()


def keep(desk: Desk, connection: Connection, document: store.DocumentRow, checked: Checked) -> store.CaseRow:
    """The checks of a document, and what they make of its case: complete, where nothing is missing any more."""
    at = desk.shell.clock()
    ours = store.change_document(connection, document.id, document.state, {"state": "checked"}) is not None
    case = _hold(connection, document)
    if not ours:
        return case
    store.insert_checks(connection, document.id, checked.rows, at)
    if case.closed_at is not None:
        return case
    details = {"verdict": "checked", "electronic": checked.electronic, "scanned": checked.scanned}
    case = act(connection, case, "document_checked", MACHINE, at, details=details, document_id=document.id)
    return complete(desk, connection, case, at)


def _hold(connection: Connection, document: store.DocumentRow) -> store.CaseRow:
    """The case of a document, held: another document of it may be looked at elsewhere in the same moment."""
    case = store.hold_case(connection, document.case_id)
    if case is None:
        raise LookupError("a document has a case")
    return case


def complete(desk: Desk, connection: Connection, case: store.CaseRow, at: datetime) -> store.CaseRow:
    """The case, in the queue from now on where everything required has come; its clock begins, or goes on."""
    if case.state != "waiting" or not (standing := stand(connection, case)).complete:
        return case
    verdicts = (verdict for each in looked_at(connection, standing) for _, verdict, _ in each.checks)
    change: store.CaseChange = {"rank": rank(chance_of_change(verdicts), case.limit_cents)}
    if case.complete_at is None:
        change |= started(at)
    details = {"people": list(reasons_for_people(connection, standing, desk.policy().verification))}
    after = act(connection, case, "complete", MACHINE, at, change=change, details=details)
    if case.complete_at is None:
        tell(desk, connection, "documents.complete", after)
    return after


# -- evidence that verifies itself -----------------------------------------------------------------------------


async def verify_itself(desk: Desk, case: store.CaseRow) -> None:
    """Verify a case whose evidence is clean, or draw it for people; leave it in the queue where it needs them."""

    def look(connection: Connection) -> tuple[str, ...]:
        return reasons_for_people(connection, stand(connection, case), desk.policy().verification)

    if await desk.shell.database.read(look):
        STRAIGHT_THROUGH.labels("people").inc()
    elif desk.draw(10_000) < desk.policy().verification.sample_bps:
        await desk.shell.database.write(lambda connection: _draw(desk, connection, case))
    else:
        await _decide(desk, case)


def reasons_for_people(connection: Connection, standing: Standing, terms: VerificationTerms) -> tuple[str, ...]:
    """Why people verify this case, in words; empty where its evidence verifies itself."""
    case, reasons = standing.case, []
    if case.touched_at is not None or case.sampled or case.escalated:
        reasons.append("people have it in hand")
    if any(each.requested for each in standing.wanted):
        reasons.append("a person asked for a document")
    if standing.waivers:
        reasons.append("a person left a document aside")
    if standing.unseen:
        reasons.append("a document is still looked at")
    review = review_of(connection, case.decision_id)
    if review is not None and review.set_aside:
        reasons.append("a rule was left aside")
    reasons += [
        f"the periods of {kind} do not follow one another"
        for kind, found in coverage_of(connection, standing).items()
        if not found.contiguous
    ]
    wanted = [each.kind for each in standing.wanted if each.required for _ in range(each.count)]
    return (*reasons, *needs_people(case.limit_cents, wanted, looked_at(connection, standing), terms))


def _draw(desk: Desk, connection: Connection, case: store.CaseRow) -> None:
    """Kept for people to look at, as a check on the machine; what it would have done is told with it."""
    try:
        act(connection, case, "sample", MACHINE, desk.shell.clock(), change={"sampled": True})
        STRAIGHT_THROUGH.labels("sampled").inc()
    except Problem:
        return  # somebody was quicker: then people look at it anyway


def _accept_all(connection: Connection, standing: Standing, at: datetime) -> None:
    """Record what the machine read and accept every document."""
    for document in standing.documents:
        if document.state != "checked":
            continue
        store.insert_values(connection, standing.case.id, machine_values(connection, document), MACHINE.id, at)
        change: store.DocumentChange = {"state": "accepted", "settled_at": at}
        if store.change_document(connection, document.id, "checked", change) is None:
            raise Problem("stale-version")


async def _decide(desk: Desk, case: store.CaseRow) -> None:
    """Accept, verify and, where no less is offered than before, approve: all of it in one transaction, or nothing."""

    def then(connection: Connection, decision_id: str, decision: Decision, content: str) -> str:
        at = desk.shell.clock()
        now = store.hold_case(connection, case.id)
        if now is None or now.version != case.version:
            raise Problem("stale-version")
        _accept_all(connection, stand(connection, now), at)
        change = verified_on(decision_id, decision, content, MACHINE.id)
        after = act(
            connection, now, "machine_verify", MACHINE, at, change=change, details={"outcome": decision.outcome}
        )
        if decision.offer is None or decision.offer.limit_cents < case.limit_cents:
            return "approver"  # less than was offered is never the machine's to say alone
        approve_by_policy(desk, connection, after, at)
        return "approved"

    try:
        STRAIGHT_THROUGH.labels(await decide_case(desk, case, MACHINE.id, None, then)).inc()
    except Problem as problem:
        log.warning("case_left_to_people", slug=problem.slug)
        STRAIGHT_THROUGH.labels("people").inc()
