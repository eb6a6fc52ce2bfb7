"""Notes on a referral, and asking the sources again.

It does: keep the act first, then ask; what came of it is a decision of its own. It does not: choose an outcome. The
rule it keeps: who asks has said why, since an enquiry leaves a trace at the bureau.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from api.cases.acts import Actor
from api.cases.desk import Desk
from api.errors import FieldProblem, Problem
from api.flow import Again, ask_anew, decide_again
from api.notices.messages import Notice, Topic, contacts_of, notice_messages
from api.recording import missing
from api.referrals.reading import Referral, check_words, read, seen
from api.security import new_id
from api.store import queries as store
from api.store.queries.referrals import NewAct, keep_act
from engine.facts import Facts

ASKABLE = ("registry", "marketplace", "bank", "bureau")


async def note(desk: Desk, application_id: str, decision_id: str, actor: Actor, words: str) -> None:
    """Write a note on an application."""
    check_words(words)

    def work(connection: Connection) -> None:
        referral = seen(connection, application_id, decision_id)
        keep_act(connection, of(referral, "note", actor, {"words": words}), desk.shell.clock())

    await desk.shell.database.write(work)


async def ask(
    desk: Desk, application_id: str, decision_id: str, actor: Actor, sources: frozenset[str], words: str
) -> Again:
    """Ask the sources that failed again, or these where none did; where one says something new, it is decided again.

    Problem `not-now` where the application has a case, `validation-failed` where nothing is named to be asked.
    """
    check_words(words)
    if not sources <= set(ASKABLE):
        raise Problem("validation-failed", [FieldProblem("sources", "unknown", "Name sources of the list")])

    def work(connection: Connection) -> Referral:
        referral = seen(connection, application_id, decision_id)
        if referral.case is not None:
            raise Problem("not-now")
        failed = shown_missing(referral.facts)
        if not failed and not sources:
            raise Problem("validation-failed", [FieldProblem("sources", "missing", "Name the sources to ask")])
        told = {"sources": sorted(failed or sources), "words": words}
        keep_act(connection, of(referral, "ask", actor, told), desk.shell.clock())
        return referral

    before = await desk.shell.database.write(work)
    shell = desk.shell
    again = await (decide_again(shell, decision_id) if missing(before.facts) else ask_anew(shell, decision_id, sources))
    if again == "superseded":
        await shell.database.write(lambda connection: tell_decided(desk, connection, read(connection, application_id)))
    return again


def shown_missing(facts: Facts) -> tuple[str, ...]:
    """The sources that failed, without screening: that it failed looks to others as if it had found something."""
    return tuple(name for name in missing(facts) if name in ASKABLE)


def of(referral: Referral, act: str, actor: Actor, body: Mapping[str, Any], **more: Any) -> NewAct:
    """An act about the decision that stands."""
    whole = {"id": new_id("act"), **more}
    return NewAct(
        application_id=referral.application_id, decision_id=referral.row.id, act=act, staff_id=actor.id,
        role=actor.role, body=body, **whole,
    )  # fmt: skip


def tell_decided(desk: Desk, connection: Connection, after: Referral) -> None:
    """Tell the applicant that it was decided, once it is not referred any more."""
    if after.decision.outcome != "refer":
        tell(desk, connection, after, "referral.decided", after.row.id, desk.shell.clock())


def tell(desk: Desk, connection: Connection, about: Referral, topic: Topic, object_id: str, at: datetime) -> None:
    """Write a notice to the application's contacts."""
    notice = Notice(
        topic=topic, application_id=about.application_id, object_id=object_id, version=1,
        to=contacts_of(about.application),
    )  # fmt: skip
    store.insert_messages(connection, notice_messages(notice, webhook=desk.webhook), at)
