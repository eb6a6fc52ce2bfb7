"""Deciding again on what was verified, and keeping the new decision and the case's step in one transaction.

It does: turn accepted documents and recorded values into a fact, let the flow decide, and compute the digest of the
content that an approver will approve. It does not: choose an outcome. The rule it keeps: verified facts are always
decided again, and the case stands on the newest decision.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection

from api.cases.acts import MACHINE
from api.cases.checking import machine_values
from api.cases.desk import Desk
from api.cases.wanted import Standing, stand
from api.errors import Problem
from api.flow import decide_on
from api.store import queries as store
from engine.canonical import canonical_bytes
from engine.decision import Decision
from engine.facts import BankData, Fact, Facts
from engine.facts.documents import Review, VerifiedDocuments
from engine.verification.evidence import Read, statements_agree, verified_documents

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Verified:
    """What documents say, as facts; and the digest of everything that stands behind it."""

    facts: dict[str, Fact[Any]]
    evidence_sha256: str


def gather(connection: Connection, case: store.CaseRow, by: str, at: datetime, review: Review | None) -> Verified:
    """The facts of a case's accepted documents: what they say, and the bank's statements verified with them.

    Where the machine is about to verify the case, what it looked at counts with what it read: it accepts that in the
    transaction which decides.
    """
    standing = stand(connection, case)
    relied_on = {"accepted", "checked"} if by == MACHINE.id and case.verified_by is None else {"accepted"}
    accepted = [each for each in standing.documents if each.state in relied_on]
    values = {(each.document_id, each.field): each.value for each in store.latest_values(connection, case.id)}
    for document in accepted:
        if document.state == "checked":
            read_of = machine_values(connection, document)
            values |= {(each.document_id, each.field): each.value for each in read_of}
    read: list[Read] = []
    for document in accepted:
        said = {field: json.loads(value) for (owner, field), value in values.items() if owner == document.id}
        read.append((document.kind, document.sha256, said))
    found = verified_documents(read, by="machine" if by == MACHINE.id else "person")
    facts: dict[str, Fact[Any]] = {
        "documents": Fact[VerifiedDocuments](source="verification", fetched_at=at, status="present", value=found)
    }
    if review is not None:
        facts["review"] = Fact[Review](source="verification", fetched_at=at, status="present", value=review)
    before = _facts(connection, case.decision_id)
    bank = before.bank.value
    if bank is not None and bank.evidence == "declared" and statements_agree(bank, read):
        verified = bank.model_copy(update={"evidence": "verified"})
        facts["bank"] = before.bank.model_copy(update={"value": BankData.model_validate(verified)})
    return Verified(facts, _digest(standing, [(d.id, d.sha256) for d in accepted], values))


def content_sha256(case_id: str, decision_body_sha256: str, evidence_sha256: str) -> str:
    """The digest of exactly what is approved: the decision and everything verified behind it."""
    told = {"case": case_id, "decision_sha256": decision_body_sha256, "evidence_sha256": evidence_sha256}
    return hashlib.sha256(canonical_bytes(told)).hexdigest()


def verified_on(decision_id: str, decision: Decision, content: str, by: str) -> store.CaseChange:
    """What verification changes in a case: the decision it stands on, its line where it offers one, and by whom."""
    change: store.CaseChange = {"decision_id": decision_id, "verified_by": by, "content_sha256": content}
    if decision.offer is not None:
        change |= {"limit_cents": decision.offer.limit_cents, "expires_at": decision.offer.expires_at}
    return change


async def decide_case(
    desk: Desk,
    case: store.CaseRow,
    by: str,
    review: Review | None,
    then: Callable[[Connection, str, Decision, str], T],
) -> T:
    """Decide a case again and do `then` with the new decision's id, the decision and the content's digest.

    Problem `stale-version` where it was decided again meanwhile.
    """
    at = desk.shell.clock()
    verified = await desk.shell.database.read(lambda connection: gather(connection, case, by, at, review))

    def step(connection: Connection, decision_id: str, decision: Decision) -> T:
        again = gather(connection, case, by, at, review)
        if again.evidence_sha256 != verified.evidence_sha256:
            raise Problem("stale-version")
        body_sha256 = hashlib.sha256(decision.canonical()).hexdigest()
        return then(connection, decision_id, decision, content_sha256(case.id, body_sha256, verified.evidence_sha256))

    done = await decide_on(desk.shell, case.decision_id, verified.facts, step)
    if done is None:
        raise Problem("stale-version")
    return done


def review_of(connection: Connection, decision_id: str) -> Review | None:
    """What officers had decided when this decision was made, if anything."""
    review = _facts(connection, decision_id).review
    return None if review is None else review.value


def _facts(connection: Connection, decision_id: str) -> Facts:
    row = store.get_decision(connection, decision_id)
    body = store.facts_body(connection, row.facts_sha256) if row else None
    if body is None:
        raise Problem("gone")
    return Facts.model_validate_json(body)


def _digest(standing: Standing, accepted: list[tuple[str, str]], values: dict[tuple[str, str], str]) -> str:
    told = {
        "documents": sorted(accepted),
        "values": sorted((document, field, value) for (document, field), value in values.items()),
        "waived": sorted(each.id for each in standing.wanted if each.waived),
    }
    return hashlib.sha256(canonical_bytes(told)).hexdigest()
