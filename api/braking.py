"""Pulling, listing and lifting the lender's brakes from the command line.

It does: set and lift brakes with an audit entry in the same transaction, and say in one line what now holds. It does
not: apply them; every decision reads them in its own transaction, so they hold for the next one on every worker. The
rule it keeps: a brake is never changed; it is lifted, and another is pulled.
"""

import getpass
import hashlib
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal, TypeVar

from sqlalchemy import Connection

from api.store import queries as store
from api.store.database import Database
from api.store.errors import StoreBusy
from api.zone import SYDNEY

T = TypeVar("T")
Kind = Literal["refer-all", "daily-dollars", "concentration"]
MOST_BECAUSE = 500
_TRIES, _PAUSE_SECONDS = 50, 0.1  # a brake waits for decisions under way; it is worth five seconds
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]*")


class BrakeRefused(Exception):
    """A brake that cannot be pulled or lifted; the message says why."""


def pull(
    database_url: str,
    kind: Kind,
    segment: str,
    because: str,
    *,
    dollars: int | None = None,
    percent: float | None = None,
) -> str:
    """Pull a brake and say what now holds; BrakeRefused where it could brake nothing."""
    value = _value(kind, dollars, percent)
    inside = store.EVERYWHERE if segment == "all" else segment
    reason, by, at = _reason(because), _operator(), datetime.now(UTC)
    stored = kind.replace("-", "_")
    if (fault := store.brake_fault(stored, inside, value)) is not None:
        raise BrakeRefused(fault)

    def work(connection: Connection) -> int:
        number = store.set_brake(connection, stored, at, by, segment=inside, value=value, because=reason)
        details = {"kind": stored, "segment": inside, "value": value, "because_sha256": _digest(reason)}
        store.append_audit(connection, store.AuditEvent(by, "operator", "pull_brake", f"brake/{number}", details), at)
        return number

    try:
        number = _surely(database_url, work)
    except ValueError as error:
        raise BrakeRefused(str(error)) from None
    return f"brake {number} holds from now on: {_words(stored, inside, value)}"


def lift(database_url: str, number: int, because: str) -> str:
    """Lift a brake and say what still holds; BrakeRefused where none of that number is in force."""
    reason, by, at = _reason(because), _operator(), datetime.now(UTC)

    def work(connection: Connection) -> tuple[bool, int]:
        lifted = store.lift_brake(connection, number, at, by, reason)
        if lifted:
            details = {"because_sha256": _digest(reason)}
            event = store.AuditEvent(by, "operator", "lift_brake", f"brake/{number}", details)
            store.append_audit(connection, event, at)
        return lifted, len(store.brakes_in_force(connection, at))

    lifted, left = _surely(database_url, work)
    if not lifted:
        raise BrakeRefused(f"no brake {number} is in force: `creditline brake list` shows those that are")
    return f"brake {number} is lifted; in force now: {left or 'none'}"


def in_force(database_url: str) -> list[str]:
    """A line for each brake in force, with what is used of it; one line that says so where there is none."""
    now = datetime.now(UTC)
    with Database.open(database_url) as database, database.transaction(read_only=True) as connection:
        lines = [
            f"{each.id}  {_words(each.kind, each.segment, each.value)}{_used(connection, each, now)}"
            f"  since {each.set_at:%Y-%m-%d %H:%M:%S} UTC by {each.set_by}{f': {each.because}' if each.because else ''}"
            for each in store.brakes_in_force(connection, now)
        ]
    return lines or ["no brake is in force"]


def _surely(database_url: str, work: Callable[[Connection], T]) -> T:
    """Run it in one transaction, again while decisions under way hold what it needs."""
    with Database.open(database_url) as database:
        for left in reversed(range(_TRIES)):
            try:
                with database.transaction() as connection:
                    return work(connection)
            except StoreBusy:
                if not left:
                    raise
                time.sleep(_PAUSE_SECONDS)
    raise AssertionError("the last try returns or raises")


def _value(kind: Kind, dollars: int | None, percent: float | None) -> int | None:
    """Cents, or hundredths of a per cent; none for refer-all."""
    wanted = {"refer-all": (), "daily-dollars": ("dollars",), "concentration": ("percent",)}[kind]
    given = tuple(name for name, number in (("dollars", dollars), ("percent", percent)) if number is not None)
    if given != wanted:
        needs = f"--{wanted[0]} and nothing else" if wanted else "neither --dollars nor --percent"
        raise BrakeRefused(f"{kind} takes {needs}")
    if percent is not None:
        return round(percent * 100) if 0 < percent < 100 else 0  # noqa: PLR2004 - per cent; "nan" is neither
    return None if dollars is None else dollars * 100


def _reason(because: str) -> str | None:
    if len(because) > MOST_BECAUSE or not _PRINTABLE.fullmatch(because):
        raise BrakeRefused(f"a reason is one line of at most {MOST_BECAUSE} characters")
    return because.strip() or None


def _digest(reason: str | None) -> str | None:
    """What the audit chain holds of a reason: people write anything, and the chain is free of personal data."""
    return None if reason is None else hashlib.sha256(reason.encode()).hexdigest()


def _operator() -> str:
    return f"operator/{getpass.getuser()}"


def _words(kind: str, segment: str, value: int | None) -> str:
    """A brake in words."""
    where = {store.EVERYWHERE: "everything", store.GROUP: "one linked group"}.get(segment, segment)
    match kind:
        case "daily_dollars":
            return f"refer {where} beyond ${(value or 0) / 100:,.0f} approved a day (Sydney)"
        case "concentration":
            return f"refer {where} beyond {(value or 0) / 100:g} % of the open book"
    return f"refer {where}"


def _used(connection: Connection, brake: store.Brake, now: datetime) -> str:
    """What is used of a counted brake, where it is one number."""
    segment = None if brake.segment == store.EVERYWHERE else brake.segment
    if brake.kind == "daily_dollars":
        approved = store.approved_today(connection, now.astimezone(SYDNEY).date(), segment)
        return f" (${approved.limit_cents / 100:,.0f} today)"
    if brake.kind == "concentration" and segment != store.GROUP:
        held, book = store.open_book(connection, now, segment), store.open_book(connection, now)
        return f" ({held / book * 100 if book else 0:.2f} % now)"
    return ""
