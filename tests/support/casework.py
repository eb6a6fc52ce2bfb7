"""Cases, staff and documents to keep in tests: whole, legal and small, with any part replaced by name.

All of it is made up. The clock of these tests stands at NOON; a case is due when it is told to be.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar, Unpack

from sqlalchemy import Connection, insert

from api.store import queries
from api.store.database import Database
from api.store.queries import (
    CaseChange,
    CaseRow,
    NewApproval,
    NewCase,
    NewCaseEvent,
    NewContract,
    NewDecision,
    NewDocument,
)
from api.store.tables import staff
from tests.support.records import NOON, a_decision, a_record, digest_of

LEASE = timedelta(minutes=30)
DAY = timedelta(hours=24)
ANN, BEN, CAT = "stf_ann", "stf_ben", "stf_cat"
CONTENT = digest_of("content")
T = TypeVar("T")


def hire(connection: Connection, *names: str) -> None:
    """Members of staff, Ann, Ben and Cat unless others are named."""
    for name in names or (ANN, BEN, CAT):
        connection.execute(
            insert(staff),
            {
                "id": name, "login": name, "name": name, "roles": "approver verifier", "created_at": NOON,
                "created_by": "test", "demo": True,
            },
        )  # fmt: skip


def an_event(event: str = "note", **changes: Any) -> NewCaseEvent:
    """An event by Ann at NOON."""
    return replace(NewCaseEvent(event, ANN, "verifier", NOON), **changes)


def an_open_case(
    connection: Connection, decision: NewDecision | None = None, due_at: datetime | None = NOON + DAY, **changes: Any
) -> CaseRow:
    """A case in the queue, due when told, on a decision that is kept with it."""
    decision = decision or a_decision()
    queries.record_decision(connection, a_record(decision))
    assert decision.limit_cents is not None
    assert decision.expires_at is not None
    new = NewCase(
        id=f"case_{decision.id}",
        application_id=decision.application_id,
        decision_id=decision.id,
        abn=decision.abn,
        legal_name="Wattle & Sons Pty Ltd",
        state="open",
        limit_cents=decision.limit_cents,
        expires_at=decision.expires_at,
        complete_at=due_at and due_at - DAY,
        due_at=due_at,
        queue_at=due_at,
    )
    opened = queries.open_case(connection, replace(new, **changes), an_event("open"))
    assert opened is not None
    return opened


def a_waiting_case(connection: Connection, decision: NewDecision | None = None, **changes: Any) -> CaseRow:
    """A case that waits for the applicant's first documents."""
    return an_open_case(connection, decision, **{"state": "waiting", "due_at": None, **changes})


def changed(
    connection: Connection, case: CaseRow, event: NewCaseEvent | None = None, **change: Unpack[CaseChange]
) -> CaseRow:
    """The case after a change that must succeed."""
    after = queries.change_case(connection, case.id, case.version, change, event or an_event())
    assert isinstance(after, CaseRow)
    return after


def verified(connection: Connection, case: CaseRow, by: str = ANN) -> CaseRow:
    """The case, verified and waiting for an approver."""
    change: CaseChange = {
        "state": "verified", "verified_by": by, "content_sha256": CONTENT, "owner": None, "lease_until": None,
    }  # fmt: skip
    return changed(connection, case, an_event("verify", actor=by), **change)


def a_document(case: CaseRow, number: int = 1, **changes: Any) -> NewDocument:
    """A bank statement that was received for a case."""
    document = NewDocument(
        id=f"doc_{case.id}_{number}",
        case_id=case.id,
        kind="bank_statement",
        received_from="key_caller",
        bytes=1_000,
        sha256=digest_of(f"{case.id} {number}"),
        storage_key=f"key_{case.id}_{number}",
    )
    return replace(document, **changes)


def an_approval(case: CaseRow, by: str = BEN, **changes: Any) -> NewApproval:
    """Ben approves what Ann verified."""
    approval = NewApproval(
        id=f"apr_{case.id}_{by}",
        case_id=case.id,
        content_sha256=CONTENT,
        staff_id=by,
        verified_by=case.verified_by or ANN,
        verdict="approve",
        limit_cents=6_000_000,
    )
    return replace(approval, **changes)


def a_contract(case: CaseRow) -> NewContract:
    """The text of a case's contract."""
    return NewContract(f"con_{case.id}", case.id, case.decision_id, digest_of("template"), b"The text.")


def at_once(url: str, count: int, work: Callable[[Database, int], T]) -> list[T]:
    """What so many threads return that start at the same moment, each with a database of its own; in any order."""
    barrier, found, failures = threading.Barrier(count), list[T](), list[BaseException]()

    def run(number: int) -> None:
        try:
            with Database.open(url) as database:
                barrier.wait(30)
                found.append(work(database, number))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    return found
