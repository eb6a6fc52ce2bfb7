"""What an approver does: approve exactly what they saw, at most what was decided, or decline, or send it back.

It does: hold the four-eyes rules, count approvals of one content, and close the case when they are enough. It does not:
draw up the contract's text (api.contracts does, in the same transaction). The rules it keeps: verifier and approver
are two people, a large line or a rule left aside takes one approver more, and a verdict names the digest of what was
seen.
"""

from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection

from api.cases.acts import MACHINE, Actor, act, held_by
from api.cases.deciding import decide_case, review_of
from api.cases.desk import Desk, known_case, tell
from api.cases.wanted import stand
from api.contracts.signatories import Mandate
from api.contracts.signing import draw_up, mandate_for
from api.errors import FieldProblem, Problem
from api.security import new_id
from api.stated import application_of
from api.store import queries as store
from engine.application import STEP_CENTS
from engine.decision import Decision
from engine.facts import Review
from engine.reasons import CATALOGUE
from engine.verification.authority import approvals_needed

log = structlog.get_logger()
MOST_WORDS = 2_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an approver says of exactly the content they saw; `words` are for the lender's own use."""

    version: int
    content_sha256: str
    limit_cents: int | None = None
    reason: str = ""
    words: str = ""
    set_aside: tuple[str, ...] = ()


async def approve(desk: Desk, case_id: str, actor: Actor, verdict: Verdict) -> store.CaseRow:
    """Approve the line as it was decided, or a lower one; the case is approved once enough people approved one content.

    Raises Problem `not-held`, `stale-version` where the content is no longer what was seen, `separation-of-duties`, and
    `no-offer` where the decision offers nothing.
    """
    _check(verdict, reason_needed=False)
    case = await desk.shell.database.read(lambda connection: _seen(desk, connection, case_id, actor, verdict))
    if verdict.limit_cents is not None and verdict.limit_cents != case.limit_cents:
        if not 0 < verdict.limit_cents < case.limit_cents:
            raise Problem("validation-failed", [FieldProblem("limit", "range", "At most what was decided")])
        return await lower(desk, case_id, actor, verdict)
    return await desk.shell.database.write(
        lambda connection: _approve(desk, connection, _seen(desk, connection, case_id, actor, verdict), actor, verdict)
    )


async def lower(desk: Desk, case_id: str, actor: Actor, verdict: Verdict) -> store.CaseRow:
    """Approve a lower line, with a reason: it is decided again under that cap, so that rate and cost are its own."""
    return await _reviewed(desk, case_id, actor, verdict, aside=())


async def override(desk: Desk, case_id: str, actor: Actor, verdict: Verdict) -> store.CaseRow:
    """Leave referral rules aside, with a reason, and approve what is then decided; it takes one approver more.

    Only referrals of the decision can be named. A knock-out stands, and so does what compliance alone may settle, a
    source that failed, and a brake.
    """
    if not verdict.set_aside:
        raise Problem("validation-failed", [FieldProblem("set_aside", "missing", "Name the rules to be left aside")])
    known = await desk.shell.database.read(lambda connection: _referrals(connection, case_id))
    if not known.issuperset(verdict.set_aside):
        raise Problem("validation-failed", [FieldProblem("set_aside", "unknown", "Name referrals of the decision")])
    return await _reviewed(desk, case_id, actor, verdict, aside=verdict.set_aside)


async def decline(desk: Desk, case_id: str, actor: Actor, verdict: Verdict) -> store.CaseRow:
    """Decline after verification, with a coded reason; the applicant is told, and the case is closed."""
    _check(verdict, reason_needed=True)

    def work(connection: Connection) -> store.CaseRow:
        at = desk.shell.clock()
        case = _seen(desk, connection, case_id, actor, verdict)
        _keep(connection, case, actor, verdict, "decline", None, at)
        after = act(connection, case, "decline", actor, at, details={"reason": verdict.reason, "words": verdict.words})
        tell(desk, connection, "declined", after)
        return after

    return await desk.shell.database.write(work)


async def send_back(desk: Desk, case_id: str, version: int, actor: Actor, words: str) -> store.CaseRow:
    """Return the case to verification with words for whoever takes it next."""
    if not words.strip() or len(words) > MOST_WORDS:
        raise Problem("validation-failed", [FieldProblem("words", "missing", "Say what is to be looked at")])

    def work(connection: Connection) -> store.CaseRow:
        at = desk.shell.clock()
        case = held_by(connection, case_id, actor, version, at)
        change: store.CaseChange = {"verified_by": None, "content_sha256": None}
        return act(connection, case, "send_back", actor, at, change=change, details={"words": words})

    return await desk.shell.database.write(work)


def approve_by_policy(desk: Desk, connection: Connection, case: store.CaseRow, at: datetime) -> store.CaseRow:
    """The end of a case that verified itself: no person is needed where policy says so, and the offer stands."""
    if case.verified_by != MACHINE.id or case.sampled:
        raise Problem("separation-of-duties")
    return _close(desk, connection, case, MACHINE, at, {"by": "policy"})


async def _reviewed(desk: Desk, case_id: str, actor: Actor, verdict: Verdict, aside: tuple[str, ...]) -> store.CaseRow:
    _check(verdict, reason_needed=True)
    most = verdict.limit_cents
    if most is not None and (most <= 0 or most % STEP_CENTS):
        raise Problem("validation-failed", [FieldProblem("limit", "amount_step", "A multiple of $500")])

    def look(connection: Connection) -> tuple[store.CaseRow, Review | None]:
        case = _seen(desk, connection, case_id, actor, verdict)
        return case, review_of(connection, case.decision_id)

    case, before = await desk.shell.database.read(look)
    review = _added(before, most, verdict.reason, aside)

    def then(connection: Connection, decision_id: str, decision: Decision, content: str) -> store.CaseRow:
        if decision.offer is None:
            raise Problem("no-offer")
        at = desk.shell.clock()
        seen = _seen(desk, connection, case_id, actor, verdict)
        change: store.CaseChange = {
            "decision_id": decision_id, "limit_cents": decision.offer.limit_cents, "content_sha256": content,
            "expires_at": decision.offer.expires_at,
        }  # fmt: skip
        details = {"reason": verdict.reason, "words": verdict.words, "set_aside": list(aside), "most_cents": most}
        decided = act(connection, seen, "decided", actor, at, change=change, details=details)
        return _approve(desk, connection, decided, actor, verdict)

    return await decide_case(desk, case, case.verified_by or "", review, then)


def _seen(desk: Desk, connection: Connection, case_id: str, actor: Actor, verdict: Verdict) -> store.CaseRow:
    case = held_by(connection, case_id, actor, verdict.version, desk.shell.clock())
    if case.state != "approving":
        raise Problem("not-now")
    if case.verified_by is None or case.verified_by == actor.id:
        raise Problem("separation-of-duties")
    if case.content_sha256 != verdict.content_sha256:
        raise Problem("stale-version")
    return case


def _approve(desk: Desk, connection: Connection, case: store.CaseRow, actor: Actor, verdict: Verdict) -> store.CaseRow:
    at = desk.shell.clock()
    review = review_of(connection, case.decision_id)
    overrides = bool(review and review.set_aside)
    decision = store.get_decision(connection, case.decision_id)
    if decision is None or decision.limit_cents is None:
        raise Problem("no-offer")
    _keep(connection, case, actor, verdict, "approve", decision.limit_cents, at, overrides)
    given = store.approvals_of(connection, case.id, case.content_sha256)
    approvers = {each.staff_id for each in given if each.verdict == "approve"}
    terms = desk.policy().verification
    needed = approvals_needed(decision.limit_cents, overrides, stand(connection, case).waivers, terms)
    details: dict[str, object] = {"limit_cents": decision.limit_cents, "given": len(approvers), "needed": needed}
    if len(approvers) < needed:
        return act(connection, case, "approve", actor, at, details=details)
    return _close(desk, connection, case, actor, at, details)


def _close(
    desk: Desk, connection: Connection, case: store.CaseRow, actor: Actor, at: datetime, details: dict[str, object]
) -> store.CaseRow:
    """Approved for good: the contract is drawn up and everybody who has to know is told."""
    after = act(connection, case, "approve_final", actor, at, details=details)
    contract = draw_up(connection, case.id, desk.template, desk.lender_name, at)
    if isinstance(contract, str):
        log.error("contract_not_drawn", why=contract)
        raise Problem("contract-not-drawn")
    tell(desk, connection, "approved", after)
    mandate = mandate_for(application_of(connection, case.application_id))
    signers = mandate.capacities if isinstance(mandate, Mandate) else ()
    tell(desk, connection, "contract.ready", after, to=tuple(ref for ref, _ in signers))
    return after


def _keep(
    connection: Connection,
    case: store.CaseRow,
    actor: Actor,
    verdict: Verdict,
    word: str,
    limit_cents: int | None,
    at: datetime,
    overrides: bool = False,
) -> None:
    new = store.NewApproval(
        id=new_id("apr"), case_id=case.id, content_sha256=case.content_sha256 or "", staff_id=actor.id,
        verified_by=case.verified_by or "", verdict=word, limit_cents=limit_cents, overrides=overrides,
        reason=verdict.reason or ("override" if overrides else None), words=verdict.words or None,
    )  # fmt: skip
    if store.insert_approval(connection, new, at) is None:
        raise Problem("separation-of-duties")  # one person counts once


def _referrals(connection: Connection, case_id: str) -> frozenset[str]:
    """The rules of a case's decision that an approver may leave aside."""
    row = store.get_decision(connection, known_case(connection, case_id).decision_id)
    findings = Decision.model_validate_json(row.body).findings if row else ()
    return frozenset(each.rule for each in findings if each.kind == "referral" and each.source != "compliance")


def _added(before: Review | None, most_cents: int | None, reason: str, aside: tuple[str, ...]) -> Review:
    """This verdict on top of what officers had decided before: what was left aside stays so, the lower cap holds."""
    if before is None:
        return Review(most_cents=most_cents, reason=reason if most_cents is not None else None, set_aside=aside)
    if before.most_cents is not None and (most_cents is None or before.most_cents < most_cents):
        most_cents, reason = before.most_cents, before.reason or reason
    return Review(
        most_cents=most_cents,
        reason=reason if most_cents is not None else None,
        set_aside=tuple(sorted({*before.set_aside, *aside})),
    )


def _check(verdict: Verdict, *, reason_needed: bool) -> None:
    faults = []
    if reason_needed and verdict.reason not in CATALOGUE:
        faults.append(FieldProblem("reason", "unknown", "Choose a reason from the list"))
    if len(verdict.words) > MOST_WORDS:
        faults.append(FieldProblem("words", "too_long", f"At most {MOST_WORDS} characters"))
    if faults:
        raise Problem("validation-failed", faults)
