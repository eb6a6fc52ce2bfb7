"""Attempts to apply, refused ones too, and the blind indexes they came with: who else came with the same.

A signal is a keyed digest of a person, an account, a device, a telephone number or an e-mail address: the store can
tell that two are the same and nothing else. It does not make them (api.guards does) nor judge what is found.
The rule: an attempt is written in the transaction that answers it, so that no crash forgets it.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, bindparam, func, insert, or_, select

from api.store.prepared import DIALECTS, Prepared, Sent, among
from api.store.tables import attempt, signal

SignalKind = Literal["person", "bank_account", "device", "phone", "email"]
LINKING: tuple[SignalKind, ...] = ("person", "bank_account")  # what makes two entities one group
MOST_ELSEWHERE = 1_000  # entities looked at for one application; far beyond any threshold
_SAME_AGAIN = timedelta(hours=1)  # a refused attempt repeated within it is not written again


@dataclass(frozen=True, slots=True)
class Signal:
    """One blind index, 64 hexadecimal digits, different for each kind."""

    kind: SignalKind
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewAttempt:
    """One attempt to apply; `application_id` is none where it is refused.

    `declared` is a keyed digest of the material declared values, the amount left out.
    """

    id: str
    abn: str = field(repr=False)
    caller_id: str
    application_id: str | None
    declared: str
    amount_cents: int
    signals: tuple[Signal, ...] = ()


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another entity that came with one of the same signals, and when it last did."""

    kind: SignalKind
    abn: str = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """Declared values as a caller once stated them."""

    caller_id: str
    declared: str
    amount_cents: int


_ATTEMPT = Prepared(insert(attempt))
_SIGNAL = Prepared(insert(signal).inline())
_RECORDED = Prepared(
    select(signal.c.kind, signal.c.value)
    .join(attempt, attempt.c.id == signal.c.attempt_id)
    .where(attempt.c.application_id == bindparam("its_application"))
)
_ELSEWHERE = Prepared(
    {
        name: select(signal.c.kind, signal.c.abn, func.max(signal.c.at))
        .where(
            among(name, signal.c.value, "its_values"),
            signal.c.at > bindparam("since"),
            signal.c.abn != bindparam("its_abn"),
        )
        .group_by(signal.c.kind, signal.c.abn)
        .order_by(signal.c.kind, signal.c.abn)
        .limit(MOST_ELSEWHERE)
        for name in DIALECTS
    }
)
_ours, _theirs = signal.alias("ours"), signal.alias("theirs")
_LINKED = Prepared(
    {
        name: select(_theirs.c.abn)
        .distinct()
        .select_from(_ours.join(_theirs, _theirs.c.value == _ours.c.value))
        .where(
            among(name, _ours.c.abn, "its_abns"),
            or_(*(_ours.c.kind == kind for kind in LINKING)),
            _ours.c.at > bindparam("since"),
            _theirs.c.at > bindparam("since"),
            ~among(name, _theirs.c.abn, "known"),
        )
        .order_by(_theirs.c.abn)
        .limit(bindparam("most"))
        for name in DIALECTS
    }
)
_VERSIONS = Prepared(
    select(attempt.c.caller_id, attempt.c.declared, attempt.c.amount_cents)
    .distinct()
    .where(
        attempt.c.abn == bindparam("its_abn"),
        attempt.c.at > bindparam("since"),
        func.coalesce(attempt.c.application_id, "") != bindparam("its_application"),
    )
    .limit(bindparam("most"))
)


def add_attempt(connection: Connection, new: NewAttempt, at: datetime) -> None:
    """Keep an attempt with its signals."""
    _ATTEMPT.send(connection, _attempt_values(new, at))
    _SIGNAL.send_each(connection, _signal_values(new, at))


def add_refused_attempt(connection: Connection, new: NewAttempt, at: datetime) -> bool:
    """The same for one that is refused; False, and nothing written, where just this was refused within the hour.

    So somebody who repeats one request for ever does not fill the table, and loses no count by it.
    """
    kept = (attempt.c.abn == new.abn) & (attempt.c.at > at - _SAME_AGAIN)
    same = (
        (attempt.c.caller_id == new.caller_id)
        & (attempt.c.declared == new.declared)
        & (attempt.c.amount_cents == new.amount_cents)
        & attempt.c.application_id.is_(None)
    )
    values = tuple(each.value for each in new.signals)
    carried = func.count(signal.c.value.distinct())
    statement = (
        select(attempt.c.id)
        .outerjoin(signal, (signal.c.attempt_id == attempt.c.id) & signal.c.value.in_(values))
        .where(kept, same)
        .group_by(attempt.c.id)
        .having(carried == len(set(values)))
        .limit(1)
    )
    if connection.execute(statement).first() is not None:
        return False
    add_attempt(connection, new, at)
    return True


def recorded_signals(connection: Connection, application_id: str) -> tuple[Signal, ...]:
    """The signals that an application came with."""
    rows = _RECORDED.rows(connection, {"its_application": application_id})
    return tuple(Signal(kind, value) for kind, value in rows)


def send_elsewhere(connection: Connection, abn: str, signals: tuple[Signal, ...], since: datetime) -> Sent:
    """Which other entities came with any of these signals since then, the first thousand: rows of Elsewhere."""
    values = {"its_values": [each.value for each in signals], "since": since, "its_abn": abn}
    return _ELSEWHERE.send(connection, values)


def linked_to(
    connection: Connection, abns: tuple[str, ...], known: frozenset[str], since: datetime, most: int
) -> tuple[str, ...]:
    """Up to `most` further entities that share a person or an account with one of these."""
    values = {"its_abns": sorted(abns), "known": sorted(known), "since": since, "most": most}
    return tuple(abn for (abn,) in _LINKED.rows(connection, values))


def versions_since(
    connection: Connection, abn: str, since: datetime, application_id: str, most: int = 100
) -> tuple[Version, ...]:
    """The different declared values of a business since then, up to `most`, those of one application left out."""
    values = {"its_abn": abn, "since": since, "its_application": application_id, "most": most}
    return tuple(Version(*row) for row in _VERSIONS.rows(connection, values))


def _attempt_values(new: NewAttempt, at: datetime) -> dict[str, object]:
    return {
        "id": new.id, "at": at, "abn": new.abn, "caller_id": new.caller_id, "application_id": new.application_id,
        "declared": new.declared, "amount_cents": new.amount_cents,
    }  # fmt: skip


def _signal_values(new: NewAttempt, at: datetime) -> list[dict[str, object]]:
    return [
        {"attempt_id": new.id, "kind": each.kind, "value": each.value, "abn": new.abn, "at": at} for each in new.signals
    ]
