"""A possible match is settled by compliance: it is no bar, or it is one.

It does: keep what was found out, with the digest of exactly what was settled; and where it is no bar, decide again with
that written into the facts. It does not: tell anybody else. The rules it keeps: findings are settled once, a later
screening knows nothing of it, and what is confirmed leaves the decision as it is.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection

from api.cases.acts import Actor
from api.cases.desk import Desk
from api.errors import FieldProblem, Problem
from api.flow import decide_on
from api.referrals.acts import of, tell
from api.referrals.reading import Referral, check_words, read, seen
from api.security import new_id
from api.store.queries.referrals import acts_of, keep_act
from engine.canonical import digest
from engine.decision import Decision
from engine.facts import ComplianceCheck, Fact

CLEARED: Final = {
    "NOT_THEM": "Somebody else: a person or business of a like name",
    "OFF_LIST": "No longer on the list",
    "NO_BAR": "It is them, and we may deal with them",
    "EXPLAINED": "The sign of fraud was explained",
}
_FOUND = frozenset({"sanctions_hit", "politically_exposed", "fraud_flagged"})
CONFIRMED: Final = {"LISTED": "It is them, and we may not deal with them", "FRAUD": "The sign of fraud holds"}


async def clear(desk: Desk, application_id: str, decision_id: str, actor: Actor, reason: str, words: str) -> str:
    """Say that what screening found is no bar, and decide again; the new decision's id.

    Problem `not-now` where there is nothing to settle, or somebody settled it already.
    """
    _check(reason, words, CLEARED)
    before = await desk.shell.database.read(lambda connection: read(connection, application_id))
    _require_unsettled(before, decision_id)
    act_id, found = new_id("act"), before.facts.compliance
    if found.value is None:
        raise Problem("not-now")
    settled = ComplianceCheck.model_validate(found.value.model_copy(update={"cleared": act_id}))
    told = {"reason": reason, "words": words, "found_sha256": _digest(found)}

    def then(connection: Connection, new_decision_id: str, decision: Decision) -> str:
        if any(each.act == "match" and before.is_of(each) for each in acts_of(connection, application_id)):
            raise Problem("stale-version")  # confirmed meanwhile
        at = desk.shell.clock()
        if decision.outcome != "refer":
            tell(desk, connection, before, "referral.decided", new_decision_id, at)
        made = of(before, "clear", actor, told, id=act_id, new_decision_id=new_decision_id)
        keep_act(connection, made, at)
        return new_decision_id

    done = await decide_on(desk.shell, decision_id, {"compliance": found.model_copy(update={"value": settled})}, then)
    if done is None:
        raise Problem("stale-version")
    return done


async def match(desk: Desk, application_id: str, decision_id: str, actor: Actor, reason: str, words: str) -> None:
    """Say that what screening found is a bar: the application stays referred, and waits for nobody any more."""
    _check(reason, words, CONFIRMED)

    def work(connection: Connection) -> None:
        referral = seen(connection, application_id, decision_id)
        _require_unsettled(referral, decision_id)
        told = {"reason": reason, "words": words, "found_sha256": _digest(referral.facts.compliance)}
        keep_act(connection, of(referral, "match", actor, told), desk.shell.clock())

    await desk.shell.database.write(work)


def settleable(referral: Referral) -> bool:
    """Whether screening found something that compliance has not settled."""
    found = any(each.rule in _FOUND for each in referral.decision.findings)
    return referral.is_open and found and referral.settled is None


def _require_unsettled(referral: Referral, decision_id: str) -> None:
    if referral.row.id != decision_id:
        raise Problem("stale-version")
    if not settleable(referral):
        raise Problem("not-now")


def _check(reason: str, words: str, reasons: Mapping[str, str]) -> None:
    check_words(words)
    if reason not in reasons:
        raise Problem("validation-failed", [FieldProblem("reason", "unknown", "Choose a reason from the list")])


def _digest(found: Fact[ComplianceCheck]) -> str:
    """The digest of exactly what was settled."""
    return digest(found.model_dump(mode="json"))
