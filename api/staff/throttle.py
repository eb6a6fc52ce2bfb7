"""How long who failed to sign in has to wait, and how the true user is kept from being locked out by others.

It does: count an attempt in the store, or say how long it has to wait. It does not: verify anything. Its rules:

* An attempt is counted as a failure before it is verified, and only a sign-in that went all the way takes the count
  back to nothing, so that neither many at once nor a known password buy more guesses.
* Attempts from a browser that this login has signed in from before (it holds a cookie that we sealed) are counted
  apart from all others. Whoever guesses from outside fills the common count: that count makes others wait, growing from
  a second to five minutes, and after 100 failures closes to them. The true user's own browser is not in it. A closed
  count opens again when the login signs in, or enrols by a new link from an administrator.
* An address that failed often waits too, whatever the logins; a browser known to the login does not.
* A login that nobody has is counted and made to wait in just the same way.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from api.guards import BlindIndex
from api.store import queries as store

MOST_FAILURES = 100  # in a row, after which only a sign-in elsewhere or a new link opens the count again
FREE_FAILURES = 5
FREE_OF_ADDRESS = 50  # in an hour; a usual sign-in counts as two, and an office may share one
ADDRESS_WINDOW = timedelta(hours=1)
MOST_WAIT = timedelta(minutes=5)
_DOUBLINGS = 9  # a second, two, four ... beyond MOST_WAIT


@dataclass(frozen=True, slots=True)
class Counted:
    """Where the attempts of one request are counted: keyed digests, and nothing that could be read back."""

    login: str  # of everybody's attempts at this login
    own: str | None  # of those from a browser that the login is known to use
    address: str

    @property
    def bucket(self) -> str:
        """The count that this request falls into."""
        return self.own or self.login


@dataclass(frozen=True, slots=True)
class Waiting:
    """An attempt that is not made yet: `until` is when the next one may be, and none where waiting does not help."""

    until: datetime | None


def counted(index: BlindIndex, login: str, browser: str | None, address: str) -> Counted:
    """Where to count; `browser` is the id of a browser that has been proved to be the login's own."""
    own = None if browser is None else index.of("sign-in browser", f"{login}\0{browser}")
    return Counted(index.of("sign-in login", login), own, index.of("sign-in address", network_of(address)))


def count_attempt(connection: Connection, where: Counted, now: datetime) -> Waiting | None:
    """Count an attempt that is about to be verified; or how long it has to wait, and then nothing is counted."""
    store.hold_sign_ins(connection)
    tried = store.attempts_of_login(connection, where.bucket)
    if tried.failures >= MOST_FAILURES:
        return Waiting(None)
    waits = [_open_at(tried, FREE_FAILURES)]
    if where.own is None:
        nearby = store.attempts_of_address(connection, where.address, now - ADDRESS_WINDOW)
        waits.append(_open_at(nearby, FREE_OF_ADDRESS))
    until = max((each for each in waits if each is not None), default=now)
    # A clock that went back makes nobody wait longer than the longest wait.
    if now < until <= now + MOST_WAIT:
        return Waiting(until)
    store.add_attempt_to_sign_in(connection, now, where.bucket, where.address, tried.failures + 1)
    return None


def count_success(connection: Connection, where: Counted, now: datetime) -> None:
    """Take the counts of the login, and of its own browser, back to nothing."""
    store.hold_sign_ins(connection)
    for bucket in dict.fromkeys((where.login, where.bucket)):
        store.add_attempt_to_sign_in(connection, now, bucket, where.address, 0)


def _open_at(tried: store.Attempts, free: int) -> datetime | None:
    if tried.last_at is None or tried.failures < free:
        return None
    return tried.last_at + min(timedelta(seconds=2 ** min(tried.failures - free, _DOUBLINGS)), MOST_WAIT)


def network_of(address: str) -> str:
    """An address as far as it tells one sender from another: of version 6 the first half."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
