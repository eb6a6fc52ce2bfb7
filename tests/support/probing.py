"""A prober and honest applicants, to measure the guards with: what the one gains, whom of the others they hit.

It does: send both kinds of application through the whole service, with a fixed seed and a clock in hand, so that the
figures are the same every time. It does not: judge. The rule it keeps: the prober sees what the public sees, and
nothing else.
"""

import random
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import text

from tests.support.neighbours import body_for
from tests.support.service import Clock, Service, fresh_key

GUARDS = frozenset(
    {"open_applications", "retyped", "person_elsewhere", "account_elsewhere", "device_elsewhere", "contact_elsewhere",
     "group_too_large"}
)  # fmt: skip
WINDOW = timedelta(days=29)  # of the prober: within the days for which a result stands
_BURST = 10
FIRST = 10_000  # number of the first honest business

# What five businesses honestly state, and get for it: less than they could by stating something else.
HONEST: tuple[dict[str, Any], ...] = (
    {"request": {"amount_cents": 30_000_000}, "finances": {"overdue_tax_cents": 2_000_000, "tax_plan": True}},
    {
        "request": {"amount_cents": 30_000_000},
        "finances": {"turnover_12m_cents": 40_000_000, "overdue_tax_cents": 12_000_000, "tax_plan": True},
    },
    {"request": {"amount_cents": 10_000_000}, "finances": {"turnover_12m_cents": 7_000_000}},
    {"request": {"amount_cents": 1_000_000}},
    {
        "request": {"amount_cents": 20_000_000}, "business": {"anzsic": "H"},
        "finances": {"overdue_tax_cents": 12_000_000, "tax_plan": True},
    },
)  # fmt: skip


# -- the prober ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Probed:
    """What a prober got: `first_cents` for the honest applications, `gained_cents` beyond them, and its replies."""

    sent: int
    first_cents: int
    gained_cents: int
    replies: Counter[str]


def probe(service: Service, tries: int = 200, seed: int = 7) -> Probed:
    """Apply honestly for five businesses, then try everything else; `tries` in all, over 29 days."""
    clock, chance = _clock(service), random.Random(seed)
    callers = (service.secret, service.key("apply"), service.key("apply", "supply"))
    replies: Counter[str] = Counter()
    for number, told in enumerate(HONEST):
        _count(replies, service.apply(body_for(number, {"application": told})))
    first = _approved_cents(service)
    best = [deepcopy(told) for told in HONEST]
    sent = len(HONEST)
    while sent < tries:
        clock.advance(WINDOW.total_seconds() / tries)
        number = chance.randrange(len(HONEST))
        told, person = _mutated(chance, best[number]), _somebody(chance, number)
        body = {**body_for(number, {"application": told}, **person), "device": f"device-{chance.randrange(3)}"}
        if chance.random() < 1 / (3 * _BURST):
            got = service.settle([(body, fresh_key()) for _ in range(min(_BURST, tries - sent))])
        else:
            got = [service.apply(body, secret=chance.choice(callers))]
        sent += len(got)
        for reply in got:
            _count(replies, reply)
            if reply.json().get("outcome") == "approve":
                best[number] = told
    return Probed(sent, first, _approved_cents(service) - first, replies)


def _mutated(chance: random.Random, told: dict[str, Any]) -> dict[str, Any]:
    """One step of a hill climber, on one declared number or the amount."""
    told = deepcopy(told)
    finances = told.setdefault("finances", {})
    match chance.randrange(6):
        case 0:
            stated = finances.get("turnover_12m_cents", 96_000_000)
            finances["turnover_12m_cents"] = int(stated * chance.uniform(1, 1.4))
        case 1:
            finances.update(overdue_tax_cents=0)
            finances.pop("tax_plan", None)
        case 2:
            finances.update(other_lenders=chance.randrange(3))
        case 3:
            told.setdefault("business", {})["trading_since"] = f"20{chance.randrange(10, 18)}-03-01"
        case 4:
            bands = ("5-19", "20-199")
            told.setdefault("business", {}).update(anzsic=chance.choice("FGM"), staff_band=chance.choice(bands))
        case _:
            told["request"]["amount_cents"] = chance.randrange(10, 601) * 50_000
    return told


def _somebody(chance: random.Random, number: int) -> dict[str, Any]:
    """The owner, somebody from another of the businesses, or somebody new."""
    other = chance.choice((number, number, chance.randrange(len(HONEST)), 1_000 + chance.randrange(10_000)))
    return _person_of(other)


def _approved_cents(service: Service) -> int:
    """All that was ever approved: within the window nothing has expired."""
    with service.database.transaction(read_only=True) as connection:
        return int(connection.execute(text("SELECT coalesce(sum(limit_cents), 0) FROM decision")).scalar_one())


# -- the honest ----------------------------------------------------------------------------------------------


ALONE, SECOND, FAMILY, BOOKKEEPER = "nothing in common", "second business", "family telephone", "through a bookkeeper"
# What honest people have in common, as shares of all applications; nobody knows the true ones.
SHARES = {SECOND: 0.03, FAMILY: 0.01, BOOKKEEPER: 0.02}
_CLIENTS = 3  # of a bookkeeper, on average


@dataclass(frozen=True, slots=True)
class Honest:
    """How many honest applicants there were of each kind, how many of them a guard hit, and by which rule."""

    applicants: Counter[str]
    hit: Counter[str]
    rules: Counter[str]

    def share(self, *kinds: str) -> float:
        """The share of applicants of these kinds that were hit."""
        return sum(self.hit[kind] for kind in kinds) / sum(self.applicants[kind] for kind in kinds)


def apply_honestly(service: Service, applicants: int, seed: int = 11, days: int = 60) -> Honest:
    """Let so many businesses apply once each, spread over the days."""
    clock, seen = _clock(service), Honest(Counter(), Counter(), Counter())
    for kind, body in _honest_bodies(random.Random(seed), applicants):
        clock.advance(days * 86_400 / applicants)
        reply = service.apply(body)
        found = _rules(service, reply) & GUARDS if reply.status_code == httpx.codes.CREATED else {"refused"}
        seen.applicants[kind] += 1
        seen.hit[kind] += bool(found)
        seen.rules.update(found)
    return seen


def _honest_bodies(chance: random.Random, applicants: int) -> Iterator[tuple[str, dict[str, Any]]]:
    offices = max(round(applicants * SHARES[BOOKKEEPER] / _CLIENTS), 1)
    owners = [FIRST - 1]  # with one business so far
    for number in range(FIRST, FIRST + applicants):
        (kind,) = chance.choices((*SHARES, ALONE), (*SHARES.values(), 1 - sum(SHARES.values())))
        earlier, office = chance.choice(owners), chance.randrange(offices)
        person: dict[str, Any] = {}
        device = f"device-of-{number}"
        owners.append(number)
        match kind:
            case "second business":
                person, device = _person_of(earlier), f"device-of-{earlier}"
                owners.remove(earlier)
            case "family telephone":
                person = {"mobile": _person_of(earlier)["mobile"]}
            case "through a bookkeeper":
                person, device = {"email": f"office@bookkeeper-{office}.example"}, f"device-of-office-{office}"
        yield kind, {**body_for(number, None, **person), "device": device}


def _person_of(number: int) -> dict[str, str]:
    return {
        "family_name": f"Person{number}", "mobile": f"04{10_000_000 + number}",
        "email": f"owner@business-{number}.example",
    }  # fmt: skip


# -- both ----------------------------------------------------------------------------------------------------


def _clock(service: Service) -> Clock:
    clock = service.state.shell.clock
    assert isinstance(clock, Clock)
    return clock


def _count(replies: Counter[str], reply: httpx.Response) -> None:
    told = reply.json()
    replies[told.get("outcome") or told["type"].rpartition("/")[2]] += 1


def _rules(service: Service, reply: httpx.Response) -> set[str]:
    with service.database.transaction(read_only=True) as connection:
        body = connection.execute(
            text("SELECT body FROM decision WHERE id = :id"), {"id": reply.json()["decision_id"]}
        ).scalar_one()
    return {rule for rule in GUARDS if f'"rule":"{rule}"'.encode() in bytes(body)}
