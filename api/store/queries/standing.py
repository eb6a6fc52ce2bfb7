"""What the lender's own record says about an application at this moment: exposure, brakes, guards, earlier results.

Asked once before deciding and once more in the transaction that keeps the decision: if it moved in a way that could
change the decision, nothing is kept and it is decided again. It counts and does not judge: policy has the
thresholds, the engine's rules and api.guards apply them.
The rule: everything here is counted from rows that a transaction wrote, so it is exact inside one.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, or_, select

from api.store.prepared import Prepared, Sent
from api.store.queries.brakes import Place, brakes_on, send_pulled
from api.store.queries.exposure import STANDS, hold, offers_of
from api.store.queries.signals import (
    LINKING,
    Elsewhere,
    NewAttempt,
    Signal,
    linked_to,
    recorded_signals,
    send_elsewhere,
    versions_since,
)
from api.store.tables import application, attempt, decision
from engine.facts.standing import Brake, Exposure, Guards
from engine.policy import MOST_GROUP, GuardTerms

_HOPS = 3  # how far links are followed
_MOST_EARLIER = 100  # decisions of one business that are looked at, newest first


@dataclass(frozen=True, slots=True)
class StandingQuery:
    """One application, as the record is asked about it; `again` is set where it was decided before.

    `declared` is a keyed digest of the material declared values, the amount left out; `terms` are policy's.
    """

    attempt_id: str
    abn: str = field(repr=False)
    caller_id: str
    application_id: str
    amount_cents: int
    division: str
    state: str
    entity_type: str
    declared: str
    signals: tuple[Signal, ...]
    terms: GuardTerms
    again: bool = False

    def attempt(self, *, refused: bool) -> NewAttempt:
        """The attempt that it is."""
        return NewAttempt(
            self.attempt_id, self.abn, self.caller_id, None if refused else self.application_id, self.declared,
            self.amount_cents, self.signals,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """What the record says. `group` are the linked entities, this one included; `earlier` is the caller's own newest
    open decision of this business, of which it has `own_open`; `own_versions` counts the versions of the declared
    values that the caller stated and that differ from the last result's, this one included.
    """

    offers: int = 0
    business_cents: int = 0
    group_cents: int = 0
    group: tuple[str, ...] = field(default=(), repr=False)
    brakes: tuple[Brake, ...] = ()
    guards: Guards = field(default_factory=Guards)
    own_open: int = 0
    own_versions: int = 0
    earlier: str | None = None

    def exposure(self) -> Exposure:
        """The same as a fact for the decision."""
        return Exposure(
            business_cents=self.business_cents, group_cents=self.group_cents, brakes=self.brakes, guards=self.guards
        )

    def differs(self, other: "Standing", amount_cents: int) -> bool:
        """Whether a decision on this amount could differ under the other.

        Of a brake only its verdict counts: under a daily limit every approval anywhere moves the sum, and nobody
        could ever agree on it with others deciding at the same time.
        """
        return _essence(self, amount_cents) != _essence(other, amount_cents)


def _essence(standing: Standing, amount_cents: int) -> tuple[Standing, tuple[tuple[str, str, bool], ...]]:
    verdicts = tuple((each.kind, each.segment, each.stops(amount_cents)) for each in standing.brakes)
    return replace(standing, brakes=()), verdicts


# -- asking --------------------------------------------------------------------------------------------------


def standing_of(connection: Connection, asked: StandingQuery, now: datetime) -> Standing:
    """What the record says about this application at `now`."""
    asked = _with_recorded_signals(connection, asked)
    longest = _longest(asked.terms)
    # Sent together and read where they are needed: on PostgreSQL one round trip for all three.
    found = send_elsewhere(connection, asked.abn, asked.signals, now - longest) if longest and asked.signals else None
    earlier, pulled = _send_earlier(connection, asked, now), send_pulled(connection, now)
    elsewhere = tuple(Elsewhere(*row) for row in found.rows()) if found else ()
    group = _group(connection, asked, elsewhere, now)
    offers = offers_of(connection, group, now, asked.application_id)
    group_cents = sum(each.limit_cents for each in offers.values())
    own = offers.get(asked.abn)
    place = Place(asked.amount_cents, asked.division, asked.state, asked.entity_type, group_cents, asked.application_id)
    history = _history(connection, asked, earlier, now)
    return Standing(
        offers=own.offers if own else 0,
        business_cents=own.limit_cents if own else 0,
        group_cents=group_cents,
        group=group,
        brakes=brakes_on(connection, place, now, pulled),
        guards=Guards(
            open_applications=history.open,
            retypes=history.retypes,
            group_entities=len(group),
            **_elsewhere_counts(elsewhere, asked.terms, now),
        ),
        own_open=history.own_open,
        own_versions=history.own_versions,
        earlier=history.earlier,
    )


def hold_standing(connection: Connection, asked: StandingQuery, seen: Standing) -> StandingQuery:
    """Let nobody move this standing until the transaction ends; returns the query with all its signals."""
    asked = _with_recorded_signals(connection, asked)
    counted = any(each.kind != "refer_all" for each in seen.brakes)
    hold(connection, (asked.abn, *seen.group, *(each.value for each in asked.signals)), book=counted)
    return asked


def _with_recorded_signals(connection: Connection, asked: StandingQuery) -> StandingQuery:
    """Who decides again no longer has the device, or a person who was erased: the record has their indexes."""
    if not asked.again:
        return asked
    signals = dict.fromkeys((*asked.signals, *recorded_signals(connection, asked.application_id)))
    return replace(asked, signals=tuple(signals), again=False)


# -- others with the same ------------------------------------------------------------------------------------


def _longest(terms: GuardTerms) -> timedelta:
    days = (terms.person_days, terms.account_days, terms.device_days, terms.contact_days, terms.group_days)
    return max(timedelta(days=max(days)), timedelta(hours=terms.device_hours))


def _elsewhere_counts(elsewhere: tuple[Elsewhere, ...], terms: GuardTerms, now: datetime) -> dict[str, int]:
    """How many other entities came with the same, by what it was and policy's window for it."""

    def entities(window: timedelta, *kinds: str) -> int:
        return len({each.abn for each in elsewhere if each.kind in kinds and each.at > now - window})

    return {
        "person_entities": entities(timedelta(days=terms.person_days), "person"),
        "account_entities": entities(timedelta(days=terms.account_days), "bank_account"),
        "device_hours_entities": entities(timedelta(hours=terms.device_hours), "device"),
        "device_days_entities": entities(timedelta(days=terms.device_days), "device"),
        "contact_entities": entities(timedelta(days=terms.contact_days), "phone", "email"),
    }


def _group(
    connection: Connection, asked: StandingQuery, elsewhere: tuple[Elsewhere, ...], now: datetime
) -> tuple[str, ...]:
    """This entity and those linked to it by people or accounts, over three links at most, in order of ABN.

    It is not followed beyond `MOST_GROUP` entities: that many are more than policy allows, and refer.
    """
    if not asked.terms.group_entities:
        return (asked.abn,)
    since = now - timedelta(days=asked.terms.group_days)
    beside = sorted({each.abn for each in elsewhere if each.kind in LINKING and each.at > since})[:MOST_GROUP]
    known = frozenset({asked.abn, *beside})
    edge: tuple[str, ...] = (asked.abn,)  # earlier applications may have come with other people or accounts
    for hop in range(_HOPS):
        found = linked_to(connection, edge, known, since, MOST_GROUP) if len(known) <= MOST_GROUP else ()
        edge = (*beside, *found) if hop == 0 else found
        known |= set(found)
        if not edge:
            break
    return tuple(sorted(known))


# -- earlier results of this business ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _History:
    open: int = 0
    own_open: int = 0
    earlier: str | None = None
    retypes: int = 0
    own_versions: int = 0


@dataclass(frozen=True, slots=True)
class _Earlier:
    """An earlier result of the business, in the order of the columns below."""

    id: str
    outcome: str
    decided_at: datetime
    expires_at: datetime | None
    caller_id: str
    declared: str | None
    amount_cents: int | None


_EARLIER = Prepared(
    select(
        decision.c.id,
        decision.c.outcome,
        decision.c.decided_at,
        decision.c.expires_at,
        application.c.caller_id,
        attempt.c.declared,
        attempt.c.amount_cents,
    )
    .join(application, application.c.id == decision.c.application_id)
    .outerjoin(attempt, attempt.c.application_id == decision.c.application_id)
    .where(
        decision.c.abn == bindparam("its_abn"),
        decision.c.application_id != bindparam("its_application"),
        or_(decision.c.decided_at > bindparam("since"), decision.c.expires_at > bindparam("now")),
        STANDS,
    )
    .order_by(decision.c.audit_seq.desc())
    .limit(_MOST_EARLIER)
)


def _send_earlier(connection: Connection, asked: StandingQuery, now: datetime) -> Sent | None:
    """The earlier results that policy looks at, if it looks at any."""
    terms = asked.terms
    if not (terms.open_applications or terms.sticky_days):
        return None
    since = now - timedelta(days=max(terms.sticky_days, terms.referred_days))
    values = {"its_abn": asked.abn, "its_application": asked.application_id, "since": since, "now": now}
    return _EARLIER.send(connection, values)


def _history(connection: Connection, asked: StandingQuery, sent: Sent | None, now: datetime) -> _History:
    terms, earlier = asked.terms, [_Earlier(*row) for row in sent.rows()] if sent else []
    referred_since = now - timedelta(days=terms.referred_days)
    waiting = [
        row
        for row in earlier
        if (row.outcome == "refer" and row.decided_at > referred_since)
        or (row.expires_at is not None and row.expires_at > now)
    ]
    own = [row.id for row in waiting if row.caller_id == asked.caller_id]
    sticky_since = now - timedelta(days=terms.sticky_days)
    last = next((row for row in earlier if row.decided_at > sticky_since and row.declared is not None), None)
    retypes = own_versions = 0
    if last is not None and last.declared is not None and last.amount_cents is not None:
        retypes, own_versions = _retypes(connection, asked, last.declared, last.amount_cents, sticky_since)
    return _History(len(waiting), len(own), own[0] if own else None, retypes, own_versions)


def _retypes(
    connection: Connection, asked: StandingQuery, declared: str, amount_cents: int, since: datetime
) -> tuple[int, int]:
    """How many versions differ from the last result's, if this one does; and how many of them are the caller's."""

    def version(declared: str, cents: int) -> tuple[str, int]:
        return declared, cents if cents > amount_cents else 0  # asking for less is no other version

    base, this = (declared, 0), version(asked.declared, asked.amount_cents)
    stated = versions_since(connection, asked.abn, since, asked.application_id)
    every = {version(each.declared, each.amount_cents) for each in stated} | {this}
    own = {version(each.declared, each.amount_cents) for each in stated if each.caller_id == asked.caller_id} | {this}
    return (len(every - {base}) if this != base else 0), len(own - {base})
