"""What became of the newest applications, counted.

It does not look at anything but the first decision of each.
The rule: a count has an end; the newest thousand say how it is now.
"""

from sqlalchemy import Connection, func, select

from api.store.tables import decision

NEWEST = 1_000


def newest_outcomes(connection: Connection) -> tuple[int, int]:
    """Of the newest applications: how many were referred to a person at first, and how many there are."""
    newest = (
        select(decision.c.outcome)
        .where(decision.c.supersedes.is_(None))
        .order_by(decision.c.audit_seq.desc())
        .limit(NEWEST)
        .subquery()
    )
    counts = connection.execute(select(newest.c.outcome, func.count()).group_by(newest.c.outcome))
    counted = {str(row[0]): int(row[1]) for row in counts}
    return counted.get("refer", 0), sum(counted.values())
