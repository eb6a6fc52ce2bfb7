"""What compliance alone is shown: lines whose customer is to be identified, and what screening found.

It does: read. It does not: judge a match. The rule it keeps: nothing of it is on anybody else's pages. Lines are those
of the newest approved cases, matters those of the newest decisions; a line of any age is also on its case's page.
"""

from sqlalchemy import Connection

from api.cases.wanted import stand
from api.console.loading.names import business_name, people_named, staff_names
from api.console.loading.requirements import requirement_state
from api.console.views import ComplianceMatter, ComplianceView, DueDiligenceView, IdentityView, Notice, Told
from api.staff.guarding import Member
from api.stated import application_of
from api.store import queries as store
from api.store.queries.referrals import acts_of
from engine.decision import Decision
from engine.facts import Facts

MOST_CASES = 200  # approved ones, newest first, whose lines are looked at
MOST_ENTRIES = 2_000  # of the audit chain, newest first, whose decisions are looked at
_MOST_DONE = 20
_MARK = b'"source":"compliance"'  # in the canonical body of a decision with such a finding


def compliance_view(connection: Connection, member: Member, notice: Notice | None = None) -> ComplianceView:
    """Everything that waits for compliance, and what it did lately."""
    lines = [
        found
        for case in store.list_cases(connection, "approved", MOST_CASES)
        if (found := store.line_of(connection, case.application_id)) is not None
    ]
    due = [each for each in lines if each.due_diligence_at is None]
    done = [each for each in lines if each.due_diligence_at is not None][:_MOST_DONE]
    return ComplianceView(
        due=tuple(due_diligence_view(connection, each) for each in reversed(due)),  # who waits longest comes first
        done=tuple(due_diligence_view(connection, each) for each in done),
        matters=_matters(connection),
        may_record=member.may("line.due_diligence"),
        notice=notice,
    )


def due_diligence_view(connection: Connection, line: store.LineRow) -> DueDiligenceView:
    """An open line with the people behind it and what screening said of them."""
    case = store.get_case(connection, line.case_id)
    decided = store.get_decision(connection, line.decision_id)
    body = store.facts_body(connection, decided.facts_sha256) if decided else None
    if case is None or decided is None or body is None:
        raise LookupError("a line has a case and a decision with its facts")
    application, standing = application_of(connection, case.application_id), stand(connection, case)
    people = people_named(connection, case.application_id)
    shown = {
        each.person_ref: requirement_state(each, standing.documents)
        for each in standing.wanted
        if each.kind == "identity"
    }
    facts = Facts.model_validate_json(body)
    return DueDiligenceView(
        line_id=line.id, business=application.business.legal_name, abn=line.abn, limit_cents=line.limit_cents,
        opened_at=line.opened_at, application_id=line.application_id, case_id=line.case_id,
        people=tuple(
            IdentityView(
                name=people[each.ref].name if each.ref in people else "erased", roles=", ".join(each.roles),
                ownership_bps=each.ownership_bps, state=shown.get(each.ref, "missing"),
                born=people[each.ref].born if each.ref in people else None,
            )
            for each in application.people
        ),
        found=found_of(Decision.model_validate_json(decided.body), facts),
        screened_at=facts.compliance.fetched_at if facts.compliance.value is not None else None,
        done_at=line.due_diligence_at,
        done_by=staff_names(connection).get(line.due_diligence_by or "") if line.due_diligence_by else None,
    )  # fmt: skip


def _matters(connection: Connection) -> tuple[ComplianceMatter, ...]:
    """What screening found on decisions that still stand, newest first."""
    newest = next((each.seq for each in store.audit_tail(connection, 1)), 0)
    found = []
    for row in store.decisions_since(connection, max(newest - MOST_ENTRIES, 0)):
        if _MARK not in row.body or store.successor_of(connection, row.id) is not None:
            continue
        body = store.facts_body(connection, row.facts_sha256)
        case, acts = store.case_of_application(connection, row.application_id), acts_of(connection, row.application_id)
        told = found_of(Decision.model_validate_json(row.body), Facts.model_validate_json(body)) if body else ()
        found.append(
            ComplianceMatter(
                row.id, row.application_id, business_name(connection, row.application_id), row.abn, row.outcome,
                row.decided_at, told, case.id if case else None,
                any((each.act, each.decision_id) == ("match", row.id) for each in acts),
            )
        )  # fmt: skip
    return tuple(reversed(found))


def found_of(decision: Decision, facts: Facts) -> tuple[Told, ...]:
    """Findings of compliance with what stands behind them."""
    check = facts.compliance.value
    behind = {} if check is None else {
        "sanctions_hit": f" Possible matches: {check.sanctions_hits}.",
        "fraud_flagged": f" Signals: {', '.join(check.fraud_flags)}.",
    }  # fmt: skip
    return tuple(
        Told(each.rule, each.what + behind.get(each.rule, ""))
        for each in decision.findings
        if each.source == "compliance"
    )
