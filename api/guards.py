"""Abuse guards at the edge of the flow: blind indexes of who applies with what, and who may not apply now.

It does: turn names, accounts, devices and contact details into keyed digests, and say from the record's standing
whether a caller is refused. It does not: count (the store does) or refer (the engine's rules do). The rules it keeps:
nothing that identifies anybody leaves here but as a digest; and nobody is ever told of another caller's application.
"""

import hmac
import re
import unicodedata
from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from api.errors import Problem
from api.intake import Intake
from api.security import new_id
from api.store.queries import Signal, SignalKind, Standing, StandingQuery
from engine.application import Application
from engine.canonical import canonical_bytes
from engine.facts import BankData, Fact
from engine.facts.bank import day_number
from engine.features.once import Once
from engine.people import Person
from engine.policy import GuardTerms

LEAST_KEY_BYTES = 32
REFUSALS = frozenset({"application-locked", "duplicate-application"})
_LEAST_ACCOUNT_CHARACTERS = 10  # a shorter id is not the bank's: every second file calls its account "main"
_LEAST_MONTH_ROWS = 10  # fewer could be alike by chance: a fee and a standing order
_MOST_MONTHS = 3
_MOST_ACCOUNTS = 10  # of an upload: the busiest ones; a bank's own list has at most a hundred
_MAIL_WITHOUT_DOTS = frozenset({"gmail.com", "googlemail.com"})
# Numbers that the communications regulator keeps for fiction: they are nobody's, so two who give one share nothing.
_FICTION = frozenset(f"+61491570{digits}" for digits in ("006", "156", "157", "158", "159"))
_NOT_LETTER = re.compile(r"[^a-z0-9]+")
# Declared values that a result rests on. The amount is apart: asking for less changes nothing.
_MATERIAL = {"entity_type", "anzsic", "trading_since", "staff_band", "gst_registered"}  # and all finances


class BlindIndex:
    """Makes digests that tell whether two values are the same, and nothing about them without the key."""

    def __init__(self, key: bytes) -> None:
        if len(key) < LEAST_KEY_BYTES:
            raise ValueError(f"a blind index needs a key of at least {LEAST_KEY_BYTES} bytes")
        self._key = key

    def of(self, kind: str, value: str) -> str:
        """HMAC-SHA256 of a value, in hex; the same value of another kind has another one."""
        return hmac.digest(self._key, f"{kind}\0{value}".encode(), "sha256").hex()


# -- what an application comes with --------------------------------------------------------------------------


def standing_query(index: BlindIndex, intake: Intake, bank: Fact[BankData] | None, terms: GuardTerms) -> StandingQuery:
    """What to ask the record about an application in hand, with the bank data known so far."""
    application, business = intake.application, intake.application.business
    return StandingQuery(
        attempt_id=new_id("att"),
        abn=business.abn,
        caller_id=intake.actor,
        application_id=intake.application_id,
        amount_cents=application.request.amount_cents,
        division=business.division,
        state=business.state,
        entity_type=business.entity_type,
        declared=_DECLARED(application, index),
        signals=signals_of(index, intake.people, bank.value if bank else None, intake.device),
        terms=terms,
        again=intake.claim is None,
    )


def declared(index: BlindIndex, application: Application) -> str:
    """The digest of the material declared values."""
    business = application.business.model_dump(mode="json", include=_MATERIAL)
    material = canonical_bytes({"business": business, "finances": application.finances.model_dump(mode="json")})
    return index.of("declared", material.decode())


def signals_of(
    index: BlindIndex, people: tuple[Person, ...], bank: BankData | None, device: str | None
) -> tuple[Signal, ...]:
    """The blind indexes of an application, each once: at most four a person, a hundred accounts and a device."""
    return tuple(Signal(kind, index.of(kind, value)) for kind, value in dict.fromkeys(_values(people, bank, device)))


def _values(people: tuple[Person, ...], bank: BankData | None, device: str | None) -> Iterator[tuple[SignalKind, str]]:
    if device:
        yield "device", device
    for account in _accounts(bank) if bank else ():
        yield "bank_account", account
    for person in people:
        yield from _OF_PERSON(person)


def _of_person(person: Person) -> Iterator[tuple[SignalKind, str]]:
    # Both, so that leaving the number out the second time does not make another person.
    if person.director_id is not None:
        yield "person", person.director_id
    yield "person", _who(person)
    if person.mobile not in _FICTION:
        yield "phone", person.mobile
    yield "email", _mailbox(person.email)


def _accounts(bank: BankData) -> Iterator[str]:
    """What the accounts are recognised by: a bank's own ids, but of an upload its rows.

    An upload's ids are whatever the sender typed. Two businesses do not have the same rows for a whole month.
    """
    if bank.evidence == "connected":
        yield from (each.account_id for each in bank.accounts if len(each.account_id) >= _LEAST_ACCOUNT_CHARACTERS)
        return
    rows = bank.transactions
    for start, end in _whole_months(bank.oldest_on, bank.newest_on):
        first, last = np.searchsorted(rows["posted_day"], [day_number(start), day_number(end)])
        month = np.stack([rows[name][first:last] for name in ("posted_day", "amount_cents")])
        counts = np.bincount(rows["account"][first:last])
        for account in np.argsort(-counts, kind="stable")[:_MOST_ACCOUNTS]:
            same = month[:, rows["account"][first:last] == account]
            if counts[account] >= _LEAST_MONTH_ROWS:
                yield same[:, np.lexsort(same[::-1])].tobytes().hex()


def _whole_months(oldest: date, newest: date) -> list[tuple[date, date]]:
    """The newest calendar months that lie within a window, each as its first day and the day after its last."""
    end = (newest + timedelta(days=1)).replace(day=1)
    months: list[tuple[date, date]] = []
    while len(months) < _MOST_MONTHS and (start := (end - timedelta(days=1)).replace(day=1)) >= oldest:
        months.append((start, end))
        end = start
    return months


def _who(person: Person) -> str:
    """Family name, first given name and date of birth; accents, case and middle names do not matter."""
    given = _letters(person.given_names.split()[0])
    return f"{_letters(person.family_name)} {given} {person.date_of_birth.isoformat()}"


def _letters(name: str) -> str:
    plain = _NOT_LETTER.sub("", unicodedata.normalize("NFKD", name).casefold())
    return plain or name.casefold()  # a name in another script is compared as it is written


def _mailbox(address: str) -> str:
    """An address without what the sender may put in freely: case, a tag after +, dots where they do not count."""
    name, _, domain = address.casefold().rpartition("@")
    name = name.partition("+")[0] or name
    return f"{name.replace('.', '') if domain in _MAIL_WITHOUT_DOTS else name}@{domain}"


# A decision asks twice: before its sources are asked, and with what they said.
_DECLARED = Once(lambda application, index: declared(index, application))
_OF_PERSON = Once(lambda person: tuple(_of_person(person)))


# -- who may not apply now -----------------------------------------------------------------------------------


def refusal_of(standing: Standing, terms: GuardTerms, query: StandingQuery) -> Problem | None:
    """The problem of a caller who may not apply for this business now; None where it is to be decided.

    `application-locked` for who stated too many versions, `duplicate-application` for who has one open already,
    naming its decision. Both rest on the caller's own applications alone: another's are a referral.
    """
    if query.again:
        return None
    if 0 < terms.retype_lock <= standing.own_versions:
        return Problem("application-locked")
    if 0 < terms.open_applications <= standing.own_open:
        return Problem("duplicate-application", earlier=standing.earlier)
    return None
