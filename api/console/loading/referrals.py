"""What waits for a person outside the queue of cases, and one such application on one screen.

It does: read, and leave out what this member may not see. It does not: act. The rule it keeps: whatever screening said,
or did not say, reads the same for everybody but compliance: one check of ours is not finished.
"""

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from api.console.loading.case import people_view, score_view
from api.console.loading.compliance import found_of
from api.console.loading.names import people_named, staff_names
from api.console.loading.referral_facts import NAMES, known, sources, stated
from api.console.views import NO_FORM, CapView, Choice, EventView, FormState, Notice, Told
from api.console.views.referrals import (
    DecisionLine,
    ProposalView,
    ReferralLine,
    ReferralsView,
    ReferralView,
    ReviewView,
    ScreeningView,
)
from api.records import difference_between
from api.referrals.acts import ASKABLE, shown_missing
from api.referrals.reading import Referral, due_at, read
from api.referrals.settling import CLEARED, CONFIRMED, settleable
from api.staff.guarding import Member
from api.store.queries.referrals import (
    ActRow,
    count_reviews,
    count_waiting,
    decisions_of,
    open_reviews,
    waiting_referrals,
)
from engine.decision import Decision
from engine.reasons import CATALOGUE
from engine.screening import Finding

MOST_SHOWN = 50
_UNFINISHED = Told("check_not_finished", "A check of ours is not finished.")
_WHAT = {
    "note": "wrote", "ask": "asked the sources again", "propose": "proposed", "confirm": "confirmed",
    "withdraw": "withdrew what was proposed", "answer": "answered the applicant",
    "clear": "settled what screening found: no bar", "match": "settled what screening found: it is one",
}  # fmt: skip


def referrals_view(
    connection: Connection, member: Member, now: datetime, notice: Notice | None = None
) -> ReferralsView:
    """Everything that waits for a person, the oldest first."""
    rows, asked = waiting_referrals(connection, MOST_SHOWN), open_reviews(connection, MOST_SHOWN)
    return ReferralsView(
        at=now,
        referrals=tuple(_line(read(connection, row.decision.application_id), member, now) for row in rows),
        reviews=tuple(
            _line(read(connection, each.application_id), member, now, since=each.requested_at, due=each.answer_by)
            for each in asked
        ),
        more=count_waiting(connection) - len(rows) if len(rows) == MOST_SHOWN else 0,
        more_reviews=count_reviews(connection) - len(asked) if len(asked) == MOST_SHOWN else 0,
        notice=notice,
    )


def _line(
    found: Referral, member: Member, now: datetime, since: datetime | None = None, due: datetime | None = None
) -> ReferralLine:
    due = due or due_at(found.received_at)
    proposal = found.proposal
    return ReferralLine(
        application_id=found.application_id,
        business=found.application.business.legal_name,
        abn=found.row.abn,
        requested_cents=found.decision.requested_cents,
        outcome=found.decision.outcome,
        since=since or found.received_at,
        due_at=due,
        late=now > due,
        reasons=tuple(Told(each.code, each.text) for each in found.decision.reasons),
        findings=findings_for(member, found.decision),
        known=known(found.application, found.facts),
        proposed=proposal is not None,
        mine=proposal is not None and proposal.staff_id == member.id,
    )


def findings_for(member: Member, decision: Decision) -> tuple[Told, ...]:
    """The findings that this member may see; of compliance's, the others are told that a check is not finished."""
    told = [
        Told(each.rule, each.what) if each.source != "compliance" or member.may("compliance.read") else _UNFINISHED
        for each in decision.findings
    ]
    return tuple(dict.fromkeys(told))


def referral_view(
    connection: Connection,
    application_id: str,
    member: Member,
    now: datetime,
    form: FormState = NO_FORM,
    notice: Notice | None = None,
) -> ReferralView:
    """One application for this member; Problem `not-found`."""
    found, names = read(connection, application_id), staff_names(connection)
    business, decision, due = found.application.business, found.decision, due_at(found.received_at)
    actions, failed = _actions(found, member), tuple(NAMES[name] for name in shown_missing(found.facts))
    return ReferralView(
        application_id=application_id, decision_id=found.row.id, business=business.legal_name, abn=found.row.abn,
        entity=f"{business.entity_type.replace('_', ' ')}, ANZSIC {business.anzsic}, {business.state}",
        outcome=decision.outcome, requested_cents=decision.requested_cents, since=found.received_at, due_at=due,
        late=now > due, waits=found.is_open, release=decision.release, synthetic=decision.synthetic,
        case_id=found.case.id if found.case else None,
        stated=stated(found.application, found.facts),
        sources=sources(found.application, found.facts),
        people=people_view(found.application, people_named(connection, application_id)),
        reasons=tuple(Told(each.code, each.text) for each in decision.reasons),
        findings=findings_for(member, decision),
        history=_history(connection, found),
        events=tuple(_event(each, names) for each in reversed(found.acts) if _may_see(member, each)),
        reviews=tuple(reversed(_reviews(found, names, now))),
        score=score_view(decision),
        caps=tuple(
            CapView(each.name.replace("_", " "), each.cents, each.name == decision.bound_by) for each in decision.caps
        ),
        rules=_rules(decision),
        catalogue=tuple(Choice(code, reason.text) for code, reason in CATALOGUE.items()),
        askable=() if failed else tuple(Choice(name, NAMES[name]) for name in ASKABLE),
        failed=failed,
        proposal=_proposal(found.proposal, names, decision.findings) if found.proposal else None,
        screening=_screening(found, names) if member.may("compliance.read") and found.held else None,
        actions=actions,
        obstacle=_obstacle(found, member, actions),
        form=form,
        notice=notice,
    )  # fmt: skip


def _actions(found: Referral, member: Member) -> frozenset[str]:
    actions = {"note"} if member.may("referral.note") else set()
    if found.case is None and member.may("referral.ask"):
        actions.add("ask")
    if found.is_open and not found.held and member.may("referral.propose"):
        proposal = found.proposal
        if proposal is None:
            actions |= {"decline"} | ({"aside"} if _rules(found.decision) else set())
        else:
            actions |= {"withdraw"} | ({"confirm"} if proposal.staff_id != member.id else set())
    if found.open_reviews and member.may("referral.answer") and (not found.held or member.may("compliance.read")):
        actions.add("answer")
    if settleable(found) and member.may("compliance.clear"):
        actions.add("settle")
    return frozenset(actions)


def _obstacle(found: Referral, member: Member, actions: frozenset[str]) -> str:
    """Why an approver cannot answer what waits."""
    if not member.may("referral.propose") or not (found.is_open or found.open_reviews):
        return ""
    if found.held:
        return "A check of ours is not finished. Nobody can answer before it is."
    if found.proposal is not None and "confirm" not in actions:
        return "You proposed it: another approver confirms it."
    return ""


def _rules(decision: Decision) -> tuple[Told, ...]:
    """What can be left aside: no failed source and no brake, which the engine lets stand in any case."""
    return tuple(
        dict.fromkeys(
            Told(each.rule, each.what)
            for each in decision.findings
            if each.kind == "referral"
            and each.source != "compliance"
            and each.rule != f"{each.source}_failed"
            and not each.rule.startswith("brake_")
        )
    )


def _history(connection: Connection, found: Referral) -> tuple[DecisionLine, ...]:
    """Every decision, newest first, with what changed from the one before."""
    rows = decisions_of(connection, found.application_id)[-MOST_SHOWN:]
    lines = [
        DecisionLine(
            row.id, row.decided_at, row.outcome, row.limit_cents, row.id == found.row.id,
            difference_between(connection, before.id, row.id) if before else (),
        )
        for before, row in zip((None, *rows), rows, strict=False)
    ]  # fmt: skip
    return tuple(reversed(lines))


def _may_see(member: Member, act: ActRow) -> bool:
    """What compliance did and wrote is for compliance; that somebody answered the applicant is for all."""
    return act.role != "compliance" or act.act in {"answer", "ask"} or member.may("compliance.read")


def _event(act: ActRow, names: Mapping[str, str]) -> EventView:
    body = json.loads(act.body)
    what = _WHAT[act.act]
    if act.act == "propose":
        what = "proposed to decline" if body["what"] == "decline" else "proposed to leave rules aside"
    if act.act == "ask":
        what += ": " + ", ".join(NAMES[name] for name in body["sources"])
    reason = body.get("reason")
    if reason:
        known_words = {**CLEARED, **CONFIRMED}
        what += f", {known_words.get(reason) or reason}"
    return EventView(act.at, names.get(act.staff_id, "somebody"), what, str(body["words"]), act.act == "note")


def _reviews(found: Referral, names: Mapping[str, str], now: datetime) -> list[ReviewView]:
    answers = {each.review_id: each for each in found.acts if each.review_id}
    views = []
    for each in found.reviews:
        answer = answers.get(each.id)
        body = json.loads(answer.body) if answer else {}
        views.append(
            ReviewView(
                each.id, each.requested_at, each.answer_by, answer is None and now > each.answer_by,
                each.decision_id == found.row.id, str(body.get("words", "")), str(body.get("outcome", "")),
                names.get(answer.staff_id, "somebody") if answer else "",
            )
        )  # fmt: skip
    return views


def _proposal(act: ActRow, names: Mapping[str, str], findings: tuple[Finding, ...]) -> ProposalView:
    body, what = json.loads(act.body), {each.rule: each.what for each in findings}
    return ProposalView(
        id=act.id, by=names.get(act.staff_id, "somebody"), at=act.at, what=body["what"],
        reason=CATALOGUE[body["reason"]].text, words=body["words"],
        set_aside=tuple(Told(rule, what.get(rule, rule)) for rule in body["set_aside"]),
        limit_cents=body["limit_cents"], content_sha256=body["content_sha256"],
    )  # fmt: skip


def _screening(found: Referral, names: Mapping[str, str]) -> ScreeningView:
    settled = found.settled
    return ScreeningView(
        found=found_of(found.decision, found.facts),
        cleared_reasons=tuple(Choice(code, words) for code, words in CLEARED.items()),
        confirmed_reasons=tuple(Choice(code, words) for code, words in CONFIRMED.items()),
        settled="" if settled is None else f"{names.get(settled.staff_id, 'Somebody')} {_WHAT[settled.act]}.",
    )
