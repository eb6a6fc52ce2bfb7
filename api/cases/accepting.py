"""Taking up a conditional offer: the case that leads to full approval is opened.

It does: check that the offer stands, is not expired and is the caller's own, work out which documents are needed, and
open the case with them. It does not: look at documents. The rule it keeps: an application has one case; accepting
again answers with it.
"""

from dataclasses import asdict, dataclass

from sqlalchemy import Connection

from api.cases.acts import Actor
from api.cases.desk import Desk, tell
from api.contracts.signatories import WHY
from api.contracts.signing import mandate_for
from api.errors import FieldProblem, Problem
from api.security import Caller, new_id
from api.store import queries as store
from engine.application import Application
from engine.decision import Decision
from engine.facts import Facts
from engine.verification.requirements import Requirement, required


@dataclass(frozen=True, slots=True)
class Accepted:
    """The case, and whether it was opened just now."""

    case: store.CaseRow
    new: bool


async def accept(desk: Desk, caller: Caller, application_id: str, decision_id: str) -> Accepted:
    """Open the case of an application on the offer of this decision.

    Raises Problem `not-found`, `offer-superseded` where another decision stands now, `offer-expired`, `no-offer`
    where the decision offers nothing, and `contract-not-drawn` where the stated people cannot sign for the business.
    """

    def work(connection: Connection) -> Accepted:
        at = desk.shell.clock()
        application = store.get_application(connection, application_id)
        if application is None or application.caller_id != caller.id:
            raise Problem("not-found")
        store.hold_business(connection, application.abn)  # or its decision could be superseded beneath the case
        earlier = store.case_of_application(connection, application_id)
        if earlier is not None:
            return Accepted(earlier, new=False)
        row = store.standing_decision(connection, application_id)
        if row is None or row.id != decision_id:
            raise Problem("offer-superseded" if row is not None else "not-found")
        decision = Decision.model_validate_json(row.body)
        if decision.offer is None:
            raise Problem("no-offer")
        if decision.offer.expires_at <= at:
            raise Problem("offer-expired")
        stated = Application.model_validate_json(application.body)
        mandate = mandate_for(stated)
        if isinstance(mandate, str):  # told now, and not when everything else is done
            raise Problem("contract-not-drawn", [FieldProblem("people", mandate, WHY[mandate])])
        facts = store.facts_body(connection, row.facts_sha256)
        if facts is None:
            raise Problem("gone")
        limit_cents, policy = decision.offer.limit_cents, desk.shell.release.policy.on(at.date())
        wanted = required(stated, limit_cents, Facts.model_validate_json(facts), policy)
        case_id, actor = new_id("case"), Actor(caller.id, "caller")
        case = store.open_case(
            connection,
            store.NewCase(
                id=case_id, application_id=application_id, decision_id=row.id, abn=stated.business.abn,
                legal_name=stated.business.legal_name, state="waiting", limit_cents=limit_cents,
                expires_at=decision.offer.expires_at,
            ),
            store.NewCaseEvent("open", actor.id, actor.role, at, {"required": [_told(each) for each in wanted]}),
        )  # fmt: skip
        if case is None:  # somebody else opened it at this moment
            found = store.case_of_application(connection, application_id)
            if found is None:
                raise LookupError("an application whose case was not opened has one")
            return Accepted(found, new=False)
        tell(desk, connection, "offer.accepted", case)
        return Accepted(case, new=True)

    return await desk.shell.database.write(work)


def _told(requirement: Requirement) -> dict[str, object]:
    return asdict(requirement)
