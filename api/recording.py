"""From a decision to the rows and bytes that are kept of it.

It does: put together everything that one transaction writes, and the public reply with it. It does not: write. The
rule it keeps: a decision made while a source had failed always leaves a message to ask again.
"""

from datetime import timedelta

from api.intake import Intake
from api.replies import Recorded, public_reply
from api.security import new_id
from api.shell import Shell
from api.sources import OUTSIDE
from api.store import queries as store
from engine.canonical import canonical_bytes, digest
from engine.decision import Decision
from engine.facts import Facts

MADE = "decision.made"
WANTED = "facts.wanted"
FIRST_RETRY = timedelta(seconds=5)


def new_record(
    shell: Shell,
    intake: Intake,
    facts: Facts,
    decision: Decision,
    standing: store.Standing,
    query: store.StandingQuery,
    supersedes: str | None = None,
    honours: str | None = None,
) -> store.NewRecord:
    """Everything to be written for one decision; `honours` is the counterfactual that made it what it is."""
    decision_id = new_id("dec")
    offer, score, business = decision.offer, decision.score, intake.application.business
    rollout, arm = shell.fixed().arm_of(decision) or (None, None)

    def reply(receipt: store.Receipt) -> bytes:
        return public_reply(
            Recorded(decision_id, intake.application_id, facts.as_of, decision, receipt.seq, receipt.sha256, supersedes)
        )

    return store.NewRecord(
        decision=store.NewDecision(
            id=decision_id,
            application_id=intake.application_id,
            decided_at=facts.as_of,
            as_of=decision.as_of,
            outcome=decision.outcome,
            release_name=decision.release,
            release_digest=decision.release_digest,
            engine_digest=shell.engine_digest,
            body=decision.canonical(),
            abn=business.abn,
            synthetic=decision.synthetic,
            limit_cents=offer.limit_cents if offer else None,
            monthly_rate_bps=offer.monthly_rate_bps if offer else None,
            grade=score.grade if score else None,
            pd=score.pd if score else None,
            expires_at=offer.expires_at if offer else None,
            supersedes=supersedes,
            division=business.division,
            state=business.state,
            entity_type=business.entity_type,
            arm=arm,
        ),
        facts=store.FactSet.of(facts.canonical()),
        reply=reply,
        actor=intake.actor,
        actor_role=intake.actor_role,
        claim=intake.claim,
        application=None if intake.kept else intake.new_application(),
        people=() if intake.kept else intake.new_people(),
        messages=_messages(decision_id, intake.application_id, facts, decision),
        standing_seen=standing,
        standing_query=query,
        application_sha256=digest(intake.application.canonical()) if intake.kept else None,
        request_id=intake.request_id,
        honours=honours,
        rollout=rollout,
    )


def missing(facts: Facts) -> tuple[str, ...]:
    """The outside sources that had failed, in their order."""
    return tuple(name for name in OUTSIDE if getattr(facts, name).status == "failed")


def _messages(decision_id: str, application_id: str, facts: Facts, decision: Decision) -> tuple[store.NewMessage, ...]:
    """Who listens is told; and what is missing is asked for again, unless the rules have declined without it."""
    body = canonical_bytes({"application_id": application_id, "decision_id": decision_id}).decode()
    made = store.NewMessage(MADE, decision_id, f"{MADE}:{decision_id}", body)
    if decision.outcome != "refer" or not missing(facts):
        return (made,)
    return (made, store.NewMessage(WANTED, decision_id, f"{WANTED}:{decision_id}", body, FIRST_RETRY))
