"""How often one network or one mailbox may ask for something in an hour.

It does: count in the store, by keyed digests. It does not: close anything for good: an hour later all is as before, so
that nobody can be locked out by others. The rule it keeps: what is asked of applicants is counted apart from staff's
sign-ins, and the counts are forgotten with the hour.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from api.guards import BlindIndex
from api.staff.throttle import network_of
from api.store import queries as store

WITHIN: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many of something an hour, from one network or to one mailbox."""

    what: str
    most: int


# A telephone company puts many people behind one address, so these are wide; the codes themselves bear five tries.
BEGUN: Final = Limit("draft", 120)  # each asks the register
CODES_ASKED: Final = Limit("code asked", 30)
CODES_SHOWN: Final = Limit("code shown", 60)
LINKS_ASKED: Final = Limit("link asked", 60)
LETTERS: Final = Limit("letter", 10)  # links to one mailbox


def allows(index: BlindIndex, connection: Connection, limit: Limit, address: str, now: datetime) -> bool:
    """Count one more from a network; False where there were so many in this hour, and then nothing is counted."""
    return _counted(index, connection, limit, network_of(address), now)


def allows_mailbox(index: BlindIndex, connection: Connection, limit: Limit, key: str, now: datetime) -> bool:
    """The same of what is sent to one mailbox, by the digest of its address."""
    return _counted(index, connection, limit, key, now)


def _counted(index: BlindIndex, connection: Connection, limit: Limit, of: str, now: datetime) -> bool:
    place = index.of(f"applicants {limit.what}", of)
    if store.attempts_of_address(connection, place, now - WITHIN).failures >= limit.most:
        return False
    store.add_attempt_to_sign_in(connection, now, place, place, 1)
    return True
