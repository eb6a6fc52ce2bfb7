"""One case on one screen: everything that its page shows, from the store, and the actions that are possible now."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from api.cases.wanted import Standing, stand
from api.console.loading.authority import authority_view, referrals_of
from api.console.loading.compliance import due_diligence_view
from api.console.loading.documents import document_view
from api.console.loading.fields import compared
from api.console.loading.lines import case_line
from api.console.loading.names import Named, people_named, staff_names
from api.console.loading.requirements import requirement_view
from api.console.views import (
    NO_FORM,
    CapView,
    CaseLine,
    CaseView,
    Choice,
    Contribution,
    DueDiligenceView,
    EventView,
    FormState,
    Lists,
    Notice,
    Obstacle,
    PersonView,
    ScoreView,
    Told,
)
from api.pages.wording import money, percent
from api.records import difference_between
from api.replies import CONDITIONS
from api.staff.guarding import Member
from api.store import queries as store
from engine.application import Application
from engine.decision import Decision
from engine.facts import Facts
from engine.features import BY_NAME
from engine.policy import Policy
from engine.reasons import CATALOGUE
from engine.verification.documents import KINDS, RETURN_REASONS
from engine.whatif import Band

MOST_EVENTS = 100
_WAIVERS = (
    Choice("OTHER_EVIDENCE", "Other evidence says the same"), Choice("HELD_BEFORE", "We hold it from before"),
    Choice("NOT_APPLICABLE", "It does not apply to this business"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a case page is made of."""

    standing: Standing
    application: Application
    people: dict[str, Named]
    decision: Decision
    facts: Facts
    names: dict[str, str]
    checks: dict[str, tuple[store.CheckRow, ...]]
    values: dict[tuple[str, str], store.ValueRow]
    approvals: tuple[store.ApprovalRow, ...]
    changes: tuple[str, ...]
    members: tuple[store.StaffRow, ...]
    due_diligence: DueDiligenceView | None


def load(connection: Connection, case: store.CaseRow) -> Loaded:
    """Read everything at one moment."""
    row = store.get_application(connection, case.application_id)
    decided = store.get_decision(connection, case.decision_id)
    body = store.facts_body(connection, decided.facts_sha256) if decided else None
    if row is None or decided is None or body is None:
        raise LookupError("a case has an application and a decision with its facts")
    application = Application.model_validate_json(row.body)
    people = people_named(connection, case.application_id)
    line = store.line_of(connection, case.application_id)
    checks: dict[str, tuple[store.CheckRow, ...]] = {}
    for each in store.checks_of_case(connection, case.id):
        checks[each.document_id] = (*checks.get(each.document_id, ()), each)
    names = staff_names(connection) | {case.id: application.business.legal_name}
    names |= {ref: person.name for ref, person in people.items()}
    return Loaded(
        standing=stand(connection, case),
        application=application,
        people=people,
        decision=Decision.model_validate_json(decided.body),
        facts=Facts.model_validate_json(body),
        names=names,
        checks=checks,
        values={(each.document_id, each.field): each for each in store.latest_values(connection, case.id)},
        approvals=store.approvals_of(connection, case.id),
        changes=difference_between(connection, case.accepted_decision_id, case.decision_id),
        members=store.list_staff(connection),
        due_diligence=None if line is None else due_diligence_view(connection, line),
    )


def case_view(
    found: Loaded,
    member: Member,
    policy: Policy,
    now: datetime,
    bands: tuple[Band, ...] | None = (),
    form: FormState = NO_FORM,
    notice: Notice | None = None,
) -> CaseView:
    """The page of a case for this member; `bands` None while they are worked out."""
    case, decision = found.standing.case, found.decision
    agreed = any((each.staff_id, each.content_sha256) == (member.id, case.content_sha256) for each in found.approvals)
    line = case_line(case, found.names, member, now, agreed=agreed)
    held = line.mine
    actions = _actions(found, member, line)
    business = found.application.business
    return CaseView(
        line=line,
        version=case.version,
        application_id=case.application_id,
        decision_id=case.decision_id,
        entity=f"{business.entity_type.replace('_', ' ')}, ANZSIC {business.anzsic}, {business.state}",
        requested_cents=decision.requested_cents,
        monthly_rate_bps=decision.offer.monthly_rate_bps if decision.offer else 0,
        offer_expires_at=case.expires_at,
        opened_at=case.opened_at,
        lists=_lists(found, member),
        release=decision.release,
        synthetic=decision.synthetic,
        people=people_view(found.application, found.people),
        requirements=tuple(
            requirement_view(each, found.standing.documents, found.names) for each in found.standing.wanted
        ),
        documents=tuple(
            document_view(each, found.checks.get(each.id, ()), found.names, member, held and case.state == "claimed")
            for each in found.standing.documents
        ),
        fields=tuple(
            field
            for each in found.standing.documents
            if each.state in {"checked", "accepted"}
            for field in compared(
                each, found.application, found.people, found.checks.get(each.id, ()), found.values,
                found.names, bands or (), editable=held and case.state == "claimed" and each.state == "checked",
            )
        ),
        score=score_view(decision),
        caps=tuple(
            CapView(each.name.replace("_", " "), each.cents, each.name == decision.bound_by) for each in decision.caps
        ),
        reasons=tuple(Told(each.code, each.text) for each in decision.reasons),
        findings=tuple(Told(each.rule, each.what) for each in decision.findings if each.source != "compliance"),
        conditions=tuple(CONDITIONS[each] for each in decision.offer.conditions) if decision.offer else (),
        changes=found.changes,
        events=tuple(_event(each, found.names) for each in reversed(found.standing.events[-MOST_EVENTS:])),
        authority=authority_view(
            found.standing, decision, found.facts, found.approvals, found.names, policy.verification
        )
        if case.content_sha256 and "approver" in member.roles
        else None,
        due_diligence=found.due_diligence if member.may("line.due_diligence") else None,
        actions=actions,
        bands_pending=bands is None,
        obstacles=_obstacles(found, held),
        form=form,
        notice=notice,
    )  # fmt: skip


def people_view(application: Application, named_people: dict[str, Named]) -> tuple[PersonView, ...]:
    """The people of an application, without a name where they were erased."""
    people = ((each, named_people.get(each.ref)) for each in application.people)
    return tuple(
        PersonView(
            named.name if named else "erased",
            ", ".join(each.roles),
            each.ownership_bps,
            named.born if named else None,
            named.confirmed if named else None,
        )
        for each, named in people
    )


def _actions(found: Loaded, member: Member, line: CaseLine) -> frozenset[str]:
    case = found.standing.case
    if case.closed_at is not None:
        return frozenset()
    actions = {name for name in ("note", "escalate") if member.may(f"case.{name}")}
    if line.mine:
        actions |= {"release", "snooze"} | (_verifiers(found) if case.state == "claimed" else _approvers(found))
    elif line.claimable and case.state in {"open", "verified"}:
        actions |= {"claim", "unsnooze"} if line.snoozed_until else {"claim"}
    if case.state == "waiting" and member.may("case.waive"):
        actions.add("waive")  # nobody can hold a case that waits for its applicant
    if case.owner is not None and member.may("case.reassign"):
        actions.add("reassign")
    return frozenset(actions)


def _verifiers(found: Loaded) -> set[str]:
    return {"request", "waive"} | ({"verify"} if found.standing.verifiable else set())


def _approvers(found: Loaded) -> set[str]:
    actions = {"decline", "send_back"}
    if found.decision.offer is not None:
        actions.add("approve")
    if referrals_of(found.decision):
        actions.add("override")
    return actions


def _obstacles(found: Loaded, held: bool) -> tuple[Obstacle, ...]:
    """Why who holds the case cannot conclude it."""
    state = found.standing.case.state
    if held and state == "approving" and found.decision.offer is None:
        return (Obstacle("approve", "on what was verified, no line is offered"),)
    if not held or state != "claimed" or found.standing.verifiable:
        return ()
    open_ones = [each for each in found.standing.wanted if each.required and not (each.settled or each.waived)]
    words = ", ".join(dict.fromkeys(KINDS[each.kind].title for each in open_ones))
    return (Obstacle("verify", f"not accepted yet: {words}"),)


def _lists(found: Loaded, member: Member) -> Lists:
    role = "approver" if found.standing.case.state in {"verified", "approving"} else "verifier"
    return Lists(
        return_reasons=tuple(Choice(code, reason.wrong) for code, reason in RETURN_REASONS.items()),
        request_kinds=tuple(Choice(kind.name, kind.title) for kind in KINDS.values()),
        waive_reasons=_WAIVERS,
        reasons=tuple(Choice(code, reason.text) for code, reason in CATALOGUE.items()),
        colleagues=tuple(
            Choice(each.id, each.name)
            for each in found.members
            if role in each.roles and each.disabled_at is None and each.id != member.id
        ),
    )


def score_view(decision: Decision) -> ScoreView | None:
    """The model's score of a decision; none where it was not scored."""
    score = decision.score
    if score is None:
        return None
    moved = sorted(score.contributions, key=lambda each: -abs(each[1]))
    return ScoreView(
        points=score.points,
        grade=score.grade or "-",
        pd_bps=round(score.pd * 10_000),
        base_points=score.base_points,
        contributions=tuple(
            Contribution(_meaning(name), _shown(name, decision.features.get(name)), points)
            for name, points in moved
            if points
        ),
    )


def _meaning(name: str) -> str:
    """What a feature is, in words; its name where a release knows one that this engine does not."""
    feature = BY_NAME.get(name)
    return name.replace("_", " ") if feature is None else feature.meaning.rstrip(".")


def _shown(name: str, value: float | None) -> str:
    """A feature's value in its unit."""
    unit = BY_NAME[name].unit if name in BY_NAME else ""
    match value, unit:
        case None, _:
            return "missing"
        case _, "dollars":
            return money(round(value) * 100)
        case _, "share":
            return percent(round(value * 1_000) * 10)
        case _, "flag":
            return "yes" if value else "no"
        case _, "months" | "days":
            return f"{value:,.4g} {unit}"
    return f"{value:,.3g}"


def _event(row: store.CaseEventRow, names: dict[str, str]) -> EventView:
    details = row.details
    extra = details.get("reason") or details.get("kind") or details.get("code") or ""
    hours = f" {details['hours']} h" if "hours" in details else ""
    what = row.event.replace("_", " ") + (f": {extra}" if extra else "") + hours
    return EventView(
        at=row.at, actor=names.get(row.actor, "the applicant" if row.actor_role == "caller" else row.actor),
        what=what, words=str(details.get("words") or ""), note=row.event == "note",
    )  # fmt: skip
