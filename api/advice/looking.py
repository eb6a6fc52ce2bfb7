"""Looking again: the sources that a kept counterfactual names are asked once more, and the application decided on that.

It does: ask the register or the credit file anew, where it was said that its answer would change something. It does
not: take anything from the applicant. The rules it keeps: only a source that a held counterfactual names is asked; a
few times a day at most, because a report costs; whatever is found counts, and where nothing differs nothing changes.
"""

from sqlalchemy import Connection

from api.advice.exploring import spend
from api.advice.honouring import promise_of
from api.advice.record import standing_row
from api.errors import Problem
from api.flow import Shell, ask_anew
from api.security import Caller
from api.store import queries as store
from api.store.queries.advice import held_counterfactuals
from engine.canonical import canonical_bytes
from engine.whatif import EVIDENCE

MOST_A_DAY = 2
_SHOWN_BY = {each.kind: each.shown_by for each in EVIDENCE}
_RESULTS = {"superseded": "changed", "unchanged": "unchanged", "still_missing": "no_answer", "settled": "changed"}


async def look_again(shell: Shell, caller: Caller, application_id: str) -> bytes:
    """Ask anew and say what came of it. Problems `not-found`, `not-now` where no source is named or the offer was
    accepted, `rate-limited`, `overloaded`.
    """

    def begin(connection: Connection) -> tuple[str, frozenset[str]]:
        row = standing_row(connection, application_id, caller.id)
        at = shell.clock()
        held = held_counterfactuals(connection, application_id, at)
        named = {_SHOWN_BY[each.kind] for row in held for each in promise_of(row).evidence} - {"documents"}
        if not named or store.case_of_application(connection, application_id) is not None:
            raise Problem("not-now")
        spend(connection, application_id, "look", MOST_A_DAY, at)
        return row.id, frozenset(named)

    decision_id, named = await shell.database.write(begin)
    result = await ask_anew(shell, decision_id, named)
    row = await shell.database.read(lambda connection: standing_row(connection, application_id, caller.id))
    return canonical_bytes(
        {
            "application_id": application_id,
            "decision_id": row.id,
            "asked": sorted(named),
            "result": _RESULTS[result],
        }
    )
