"""What takes two approvers: leaving referral rules aside, and declining what was referred.

It does: keep what one proposes, with what would be decided, and decide it once another confirms exactly that. It does
not: decide by hand. The rules it keeps: who proposed does not confirm; a knock-out, a failed source, a brake and what
compliance settles stand; an offer goes the ordinary way, and its case takes one approver more.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection

from api.advice.honouring import kept_for, with_promises
from api.cases.acts import Actor
from api.cases.desk import Desk
from api.errors import FieldProblem, Problem
from api.flow import decide_on
from api.referrals.acts import of, tell
from api.referrals.reading import Referral, check_words, read, require_answerable, seen
from api.rollout.choosing import choosing_again
from api.security import new_id
from api.store.queries.referrals import ActRow, acts_of, keep_act
from engine.application import STEP_CENTS
from engine.canonical import canonical_bytes
from engine.decision import Decision
from engine.facts import Fact, Review
from engine.reasons import CATALOGUE

What = Literal["aside", "decline"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What somebody would do about a referral; `words` are for the lender's own use."""

    what: What
    reason: str
    words: str
    set_aside: tuple[str, ...] = ()
    most_cents: int | None = None


async def propose(desk: Desk, application_id: str, decision_id: str, actor: Actor, wanted: Proposal) -> str:
    """Propose it; the act's id. Problem `not-now` where it cannot be answered, or something is proposed already."""
    _check(wanted)
    before = await desk.shell.database.read(lambda connection: read(connection, application_id))
    if before.row.id != decision_id:
        raise Problem("stale-version")
    require_answerable(before)
    if not rules_of(before.decision).issuperset(wanted.set_aside):
        raise Problem("validation-failed", [FieldProblem("set_aside", "unknown", "Name referrals of the decision")])
    limit_cents = await _line_of(desk, before, wanted)

    def work(connection: Connection) -> str:
        referral = seen(connection, application_id, decision_id)
        require_answerable(referral)
        if referral.proposal is not None:
            raise Problem("not-now")
        act_id, told = new_id("act"), _told(wanted, limit_cents)
        told["content_sha256"] = _content(referral, told)
        keep_act(connection, of(referral, "propose", actor, told, id=act_id), desk.shell.clock())
        return act_id

    return await desk.shell.database.write(work)


async def confirm(desk: Desk, application_id: str, proposal_id: str, content: str, actor: Actor, words: str) -> str:
    """Confirm exactly what was proposed: it is decided, and the new decision's id is the answer.

    Problem `separation-of-duties` for who proposed it, `stale-version` where it is no longer what was seen, and
    `no-offer` where the rules left aside lead to none any more.
    """
    check_words(words)
    before, proposal = await desk.shell.database.read(
        lambda connection: _proposed(connection, application_id, proposal_id)
    )
    _require_same(before, proposal, content, actor)
    told = json.loads(proposal.body)
    at = desk.shell.clock()
    fact = Fact[Review](source="referral", fetched_at=at, status="present", value=_review(before, told))

    def then(connection: Connection, new_decision_id: str, decision: Decision) -> str:
        if proposal.id in {each.proposal_id for each in acts_of(connection, application_id)}:
            raise Problem("stale-version")  # withdrawn meanwhile
        _require_line(decision, told)
        made = of(
            before, "confirm", actor, {"content_sha256": content, "words": words}, proposal_id=proposal.id,
            proposed_by=proposal.staff_id, new_decision_id=new_decision_id,
        )  # fmt: skip
        tell(desk, connection, before, "referral.decided", new_decision_id, desk.shell.clock())
        keep_act(connection, made, desk.shell.clock())
        return new_decision_id

    done = await decide_on(desk.shell, before.row.id, {"review": fact}, then)
    if done is None:
        raise Problem("stale-version")
    return done


async def withdraw(desk: Desk, application_id: str, proposal_id: str, actor: Actor, words: str) -> None:
    """End a proposal without doing it; by whoever made it, or anybody else who could confirm it."""
    check_words(words)

    def work(connection: Connection) -> None:
        before, proposal = _proposed(connection, application_id, proposal_id)
        referral = seen(connection, application_id, before.row.id)
        if referral.proposal is None or referral.proposal.id != proposal.id:
            raise Problem("stale-version")
        made = of(referral, "withdraw", actor, {"words": words}, proposal_id=proposal.id, proposed_by=proposal.staff_id)
        keep_act(connection, made, desk.shell.clock())

    await desk.shell.database.write(work)


def rules_of(decision: Decision) -> frozenset[str]:
    """The rules of a decision that approvers may leave aside."""
    return frozenset(each.rule for each in decision.findings if each.kind == "referral" and each.source != "compliance")


def _proposed(connection: Connection, application_id: str, proposal_id: str) -> tuple[Referral, ActRow]:
    """An application and one of its proposals; Problem `not-found`, or `stale-version` where it has no such one."""
    referral = read(connection, application_id)
    found = next((each for each in referral.acts if each.id == proposal_id and each.act == "propose"), None)
    if found is None:
        raise Problem("stale-version")
    return referral, found


def _require_same(referral: Referral, proposal: ActRow, content: str, actor: Actor) -> None:
    if proposal.staff_id == actor.id:
        raise Problem("separation-of-duties")
    open_one = referral.proposal
    if open_one is None or open_one.id != proposal.id or json.loads(proposal.body)["content_sha256"] != content:
        raise Problem("stale-version")
    require_answerable(referral)


def _require_line(decision: Decision, told: dict[str, Any]) -> None:
    """What is decided is what was shown to whoever confirms it."""
    if told["what"] == "decline":
        if decision.outcome != "decline":
            raise Problem("stale-version")
        return
    if decision.offer is None:
        raise Problem("no-offer")
    if decision.offer.limit_cents != told["limit_cents"]:
        raise Problem("stale-version")


async def _line_of(desk: Desk, referral: Referral, wanted: Proposal) -> int | None:
    """The line that would be offered; Problem `validation-failed`, with what stands in its way, where none would."""
    if wanted.what == "decline":
        return None
    shell, facts = await choosing_again(desk.shell, referral.row.id), referral.facts
    review = _review(referral, _told(wanted, None))
    fact = Fact[Review](source="referral", fetched_at=facts.as_of, status="present", value=review)
    facts = facts.model_copy(update={"review": fact})
    kept = await kept_for(shell.database, referral.application_id, shell.clock(), shell.release, shell.load_release)
    decided = shell.fixed().decide(referral.application, facts)
    decision, _ = with_promises(referral.application, facts, decided, kept)
    if decision.offer is None:
        why = "; ".join(each.what.rstrip(".") for each in decision.findings) or "; ".join(
            each.text for each in decision.reasons
        )
        raise Problem(
            "validation-failed",
            [FieldProblem("set_aside", "no_offer", f"Nothing would be offered without them: {why}")],
        )
    return decision.offer.limit_cents


def _review(referral: Referral, told: dict[str, Any]) -> Review:
    """What officers decided, on top of what they had decided before."""
    before = referral.facts.review.value if referral.facts.review and referral.facts.review.value else Review()
    if told["what"] == "decline":
        return before.model_copy(update={"declined": told["reason"]})
    asked = (told["most_cents"], told["reason"])
    caps = [(cents, reason) for cents, reason in (asked, (before.most_cents, before.reason)) if cents is not None]
    most_cents, reason = min(caps, key=lambda cap: cap[0]) if caps else (None, None)
    return Review(
        most_cents=most_cents, reason=reason, set_aside=tuple(sorted({*before.set_aside, *told["set_aside"]}))
    )


def _told(wanted: Proposal, limit_cents: int | None) -> dict[str, Any]:
    return {
        "what": wanted.what, "reason": wanted.reason, "words": wanted.words, "set_aside": sorted(set(wanted.set_aside)),
        "most_cents": wanted.most_cents, "limit_cents": limit_cents,
    }  # fmt: skip


def _content(referral: Referral, told: dict[str, Any]) -> str:
    """The digest of exactly what is to be confirmed: the decision that was looked at, and all that was proposed."""
    whole = {**told, "application": referral.application_id, "decision_sha256": referral.row.body_sha256}
    return hashlib.sha256(canonical_bytes(whole)).hexdigest()


def _check(wanted: Proposal) -> None:
    check_words(wanted.words)
    faults = []
    if wanted.reason not in CATALOGUE:
        faults.append(FieldProblem("reason", "unknown", "Choose a reason from the list"))
    if wanted.what == "aside" and not wanted.set_aside:
        faults.append(FieldProblem("set_aside", "missing", "Name the rules to be left aside"))
    most = wanted.most_cents
    if most is not None and (most <= 0 or most % STEP_CENTS):
        faults.append(FieldProblem("limit", "amount_step", "A multiple of $500"))
    if faults:
        raise Problem("validation-failed", faults)
