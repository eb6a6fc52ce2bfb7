"""A contract in the store: drawn up once, signed by those who bind the business, and the line that opens with it.

It does: apply the store's queries inside the caller's transaction, with an audit entry for every act. It does not:
commit, know the web, or tell anybody (the caller adds the notices to the same transaction). The rules it keeps: a
signature is of exactly the text that is kept; the line opens once, in the transaction of the last signature that was
needed; nothing is drawn before customer due diligence is recorded complete.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from api.contracts.rendering import ContractTemplate, render_contract
from api.contracts.signatories import Mandate, NoSignatory, Party, mandate_of
from api.contracts.terms import Unnamed, terms_of
from api.security import new_id
from api.stated import application_of, people_of
from api.store.queries import AuditEvent, append_audit, get_decision
from api.store.queries.cases import CaseRow, get_case
from api.store.queries.contracts import (
    ContractRow,
    LineRow,
    NewContract,
    NewLine,
    NewSignature,
    SignatureRow,
    complete_due_diligence,
    contract_of,
    get_contract,
    insert_contract,
    insert_signature,
    line_of,
    open_line,
    signatures_of,
)
from api.store.queries.decisions import DecisionRow
from api.store.queries.exposure import hold_business
from engine.application import Application
from engine.decision import Decision

# Why there is no contract: the case is not approved, its decision offers nothing or another limit than was approved,
# a person who has to stand in it was erased, or nobody can be named who signs.
NotDrawn = Literal["not_approved", "no_offer", "limit_differs", "person_erased"] | NoSignatory
# Why a signature does not count: no such contract, a person who does not sign it, another text, the offer expired.
NotSigned = Literal["no_contract", "not_approved", "not_a_signatory", "another_text", "offer_expired"]
MayDraw = Literal["yes", "not_signed", "due_diligence_incomplete"]


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature that is kept. `line` is there once all have signed; `opened` where this very signature opened it."""

    signature: SignatureRow
    line: LineRow | None
    opened: bool
    repeated: bool  # the same person had signed before: nothing was written for it again


def draw_up(
    connection: Connection, case_id: str, template: ContractTemplate, lender_name: str, at: datetime
) -> ContractRow | NotDrawn:
    """The contract of an approved case, made once: a second call gives the first one's text."""
    if (kept := contract_of(connection, case_id)) is not None:
        return kept
    case = get_case(connection, case_id)
    if case is None or case.state != "approved":
        return "not_approved"
    decided = _decision(connection, case.decision_id)
    offer = Decision.model_validate_json(decided.body).offer
    if offer is None:
        return "no_offer"
    if offer.limit_cents != case.limit_cents:
        return "limit_differs"
    application = application_of(connection, case.application_id)
    mandate = mandate_for(application)
    if not isinstance(mandate, Mandate):
        return mandate
    contract_id = new_id("con")
    names = {ref: each.full_name for ref, each in people_of(connection, case.application_id).items()}
    terms = terms_of(
        application, offer, mandate, names, lender_name=lender_name, contract_id=contract_id, made_at=at
    )  # fmt: skip
    if isinstance(terms, Unnamed):
        return "person_erased"
    contract = render_contract(terms, template)
    new = NewContract(contract_id, case.id, case.decision_id, contract.template_sha256, contract.body)
    row = insert_contract(connection, new, at)
    details = {"case": case.id, "body_sha256": row.body_sha256, "template_sha256": row.template_sha256}
    append_audit(connection, AuditEvent("service", "system", "draw_contract", row.id, details), at)
    return row


def sign(
    connection: Connection, contract_id: str, person_ref: str, body_sha256: str, received_from: str, at: datetime
) -> Signed | NotSigned:
    """Keep one person's signature of the text with this digest, and open the line if it was the last one needed.

    `received_from` is the caller who brought it. The capacity is the one in which the contract names the person. The
    same signature again gives what is kept, and opens a line that should have been open.
    """
    contract = get_contract(connection, contract_id)
    case = None if contract is None else get_case(connection, contract.case_id)
    if contract is None or case is None:
        return "no_contract"
    # Whoever signs waits here for whoever signs too: of the last two, one has to see the other's signature.
    hold_business(connection, case.abn)
    mandate = mandate_for(application_of(connection, case.application_id))
    authority = mandate.authority_of(person_ref) if isinstance(mandate, Mandate) else None
    if not isinstance(mandate, Mandate) or authority is None:
        return "not_a_signatory"
    if body_sha256 != contract.body_sha256:
        return "another_text"
    signatures = {each.person_ref: each for each in signatures_of(connection, contract_id)}
    decided = _decision(connection, contract.decision_id)
    signature = signatures.get(person_ref)
    repeated = signature is not None
    if signature is None:
        if (obstacle := _obstacle(connection, case, decided, person_ref, at)) is not None:
            return obstacle
        signature = _keep(
            connection, case, NewSignature(contract_id, person_ref, authority, body_sha256, received_from), at
        )
    line = line_of(connection, case.application_id)
    if line is not None or not mandate.is_signed({*signatures, person_ref}):
        return Signed(signature, line, opened=False, repeated=repeated)
    return Signed(signature, _open(connection, case, contract, decided, at), opened=True, repeated=repeated)


def may_draw(line: LineRow | None) -> MayDraw:
    """Whether anything may be drawn from a line, or what is missing first; None is a line that is not open yet.

    Initial customer due diligence comes before the designated service (AML/CTF Act 2006), which a drawdown is. Each
    drawdown has conditions besides: a fresh sanctions screening, an approved supplier, what is left of the limit.
    """
    if line is None:
        return "not_signed"
    return "yes" if line.due_diligence_at is not None else "due_diligence_incomplete"


def record_due_diligence(connection: Connection, line_id: str, staff_id: str, role: str, at: datetime) -> bool:
    """Record by whom customer due diligence was found complete; False where it was before, or there is no line."""
    if not complete_due_diligence(connection, line_id, staff_id, at):
        return False
    append_audit(connection, AuditEvent(staff_id, role, "complete_due_diligence", line_id, {}), at)
    return True


def _obstacle(
    connection: Connection, case: CaseRow, decided: DecisionRow, person_ref: str, at: datetime
) -> NotSigned | None:
    """What stands in the way of a new signature; nothing was written."""
    if case.state != "approved":
        return "not_approved"
    if decided.expires_at is None or at >= decided.expires_at:
        return "offer_expired"
    return None if person_ref in people_of(connection, case.application_id) else "not_a_signatory"


def _keep(connection: Connection, case: CaseRow, new: NewSignature, at: datetime) -> SignatureRow:
    signature = insert_signature(connection, new, at)
    if signature is None:
        raise AssertionError("who holds the business is alone in signing for it")
    details = {
        "case": case.id, "person": new.person_ref, "authority": new.authority, "body_sha256": new.body_sha256,
    }  # fmt: skip
    append_audit(connection, AuditEvent(new.received_from, "caller", "sign_contract", new.contract_id, details), at)
    return signature


def _open(connection: Connection, case: CaseRow, contract: ContractRow, decided: DecisionRow, at: datetime) -> LineRow:
    if decided.limit_cents is None or decided.monthly_rate_bps is None:
        raise AssertionError("a contract stands on an approval")
    new = NewLine(
        id=new_id("line"), application_id=case.application_id, case_id=case.id, decision_id=contract.decision_id,
        contract_id=contract.id, abn=case.abn, limit_cents=decided.limit_cents,
        monthly_rate_bps=decided.monthly_rate_bps,
    )  # fmt: skip
    line = open_line(connection, new, at)
    if line is None:
        raise AssertionError("who holds the business is alone in opening its line")
    details = {"case": case.id, "contract": contract.id, "decision": contract.decision_id}
    append_audit(connection, AuditEvent("service", "system", "open_line", line.id, details), at)
    return line


def mandate_for(application: Application) -> Mandate | NoSignatory:
    """Who signs the contract of an application, from the roles that it states; or why nobody can be named."""
    business = application.business
    parties = (Party(each.ref, frozenset(each.roles)) for each in application.people)
    # A trust that states an ACN states its trustee's: the trust itself has none.
    return mandate_of(business.entity_type, parties, corporate_trustee=business.acn is not None)


def _decision(connection: Connection, decision_id: str) -> DecisionRow:
    row = get_decision(connection, decision_id)
    if row is None:
        raise LookupError("a case and a contract stand on a decision")
    return row
