"""What time does to cases by itself: leases lapse, alerts are raised, offers expire while the applicant is waited for.

It does: one bounded page of each at a tick. It does not: sleep or loop; the worker does. The rules it keeps: whatever a
tick finds was due by the store's own clock columns at one moment, so a tick that was missed is made up by the next; a
case that cannot be moved keeps no other from being escalated.
"""

from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from api import worker
from api.cases.acts import CLOCK, act
from api.cases.desk import Desk, tell
from api.cases.wanted import stand
from api.errors import Problem
from api.store import queries as store

ESCALATED_FROM_HOURS = 18  # from here on a case is marked for eyes above, hours before it is late


async def tick(desk: Desk) -> int:
    """Do what is due now, at most a page of each; the number of cases that were found due."""
    at = desk.shell.clock()
    alerts = await desk.shell.database.read(lambda connection: store.due_alerts(connection, at))
    for case, hours in alerts:
        await worker.surely(partial(_alert, desk, case, hours, at))
    expired = await desk.shell.database.read(lambda connection: store.expired_waiting(connection, at))
    for case in expired:
        await worker.surely(partial(_expire, desk, case, at))
    lapsed = await desk.shell.database.write(lambda connection: store.lapse_leases(connection, at))
    return len(lapsed) + len(alerts) + len(expired)


async def _alert(desk: Desk, case: store.CaseRow, hours: int, at: datetime) -> None:
    def work(connection: Connection) -> None:
        change: store.CaseChange = {"alerted_hours": hours}
        if hours >= ESCALATED_FROM_HOURS:
            change["escalated"] = True
        try:
            after = act(connection, case, "alert", CLOCK, at, change=change, details={"hours": hours})
        except Problem:
            return  # somebody worked on it at this moment; the next tick finds what is still due
        tell(desk, connection, "case.warning", after, hours=hours)

    await desk.shell.database.write(work)


async def _expire(desk: Desk, case: store.CaseRow, at: datetime) -> None:
    def work(connection: Connection) -> None:
        if stand(connection, case).unseen:
            return  # the applicant has done their part: it is looked at first
        try:
            act(connection, case, "expire", CLOCK, at)
        except Problem:
            return

    await desk.shell.database.write(work)
