"""Answering an applicant who asked for a person: the decision stands, or another one has taken its place.

It does: keep the answer, and tell the applicant in the words that were written. It does not: change a decision; that
is an act of its own, and comes before. The rules it keeps: a request is answered once, and not by whoever made the
decision that it is about; what screening holds is answered by compliance alone.
"""

from typing import Literal

from sqlalchemy import Connection

from api.cases.acts import Actor
from api.cases.desk import Desk
from api.errors import Problem
from api.referrals.acts import of, tell
from api.referrals.reading import check_words, seen
from api.security import new_id
from api.store.queries.referrals import keep_act

Answered = Literal["stands", "decided_again"]


async def answer(
    desk: Desk, application_id: str, decision_id: str, review_id: str, actor: Actor, words: str
) -> Answered:
    """Answer a request for a person; `words` are to the applicant.

    Problem `stale-version` where it was answered or decided again meanwhile, `separation-of-duties` for who made the
    decision that it is about.
    """
    check_words(words)

    def work(connection: Connection) -> Answered:
        referral = seen(connection, application_id, decision_id)
        review = next((each for each in referral.open_reviews if each.id == review_id), None)
        if review is None:
            raise Problem("stale-version")
        if referral.held and actor.role != "compliance":
            raise Problem("not-now")
        makers = {
            who for each in referral.acts if each.new_decision_id == review.decision_id
            for who in (each.staff_id, each.proposed_by)
        }  # fmt: skip
        if actor.id in makers:
            raise Problem("separation-of-duties")
        outcome: Answered = "stands" if review.decision_id == referral.row.id else "decided_again"
        act_id, at = new_id("act"), desk.shell.clock()
        tell(desk, connection, referral, "review.answered", act_id, at)
        told = {"outcome": outcome, "words": words}
        keep_act(connection, of(referral, "answer", actor, told, id=act_id, review_id=review.id), at)
        return outcome

    return await desk.shell.database.write(work)
