"""One application in hand: what arrived with it, its people, and the claim under which it is answered.

It does: make it from a submission, or again from what was kept of one. It does not: decide or write. The rule it
keeps: an application decided after a crash is the very one that was taken in.
"""

import json
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection

from api.security import WEB, Caller, new_id
from api.sources import ScreenedName
from api.stated import people_of
from api.store import queries as store
from api.wire import Submission
from engine.application import Application
from engine.canonical import canonical_bytes
from engine.facts import BankData, Fact
from engine.people import Person

LEASE = timedelta(seconds=20)  # of the service's own work; a request's ends with its budget
_MOST_BODY_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class Intake:
    """An application with everything that came with it.

    `bank` is a fact that the caller supplied or uploaded; `claim` is none where nobody waits for the answer;
    `owner` is the token of the lease, where the application was kept before the sources were asked.
    """

    application_id: str
    application: Application
    people: tuple[Person, ...]
    received_at: datetime
    actor: str
    bank: Fact[BankData] | None = None
    device: str | None = None
    claim: store.Claim | None = None
    owner: str | None = None
    request_id: str | None = None
    actor_role: str = "caller"

    @property
    def kept(self) -> bool:
        """Whether the application is in the store already."""
        return self.owner is not None or self.claim is None

    @property
    def names(self) -> tuple[ScreenedName, ...]:
        """The business and its people, as compliance lists are searched for them."""
        people = (ScreenedName(p.full_name, p.date_of_birth, person=True) for p in self.people)
        return (ScreenedName(self.application.business.legal_name), *people)

    def new_application(self) -> store.NewApplication:
        """The row of the application."""
        return store.NewApplication(
            id=self.application_id, caller_id=self.actor, received_at=self.received_at,
            abn=self.application.business.abn, body=self.application.canonical(),
            channel="web" if self.actor == WEB else "api",
        )  # fmt: skip

    def new_people(self) -> tuple[store.NewPerson, ...]:
        """The rows of its people."""
        return tuple(
            store.NewPerson(ref=ref.ref, role=",".join(ref.roles), body=person.model_dump_json())
            for ref, person in zip(self.application.people, self.people, strict=True)
        )

    def packed(self) -> bytes:
        """What came with the application and is in none of its rows, for whoever takes over."""
        bank = None if self.bank is None else self.bank.model_dump(mode="json")
        return zlib.compress(canonical_bytes({"bank": bank, "device": self.device}), 1)


def take(caller: Caller, submission: Submission, claim: store.Claim, at: datetime, request_id: str) -> Intake:
    """A submission in hand. Raises Problem `validation-failed` where its statement does not fit together."""
    evidence: Literal["connected", "declared"] = "connected" if "supply" in caller.scopes else "declared"
    data = submission.bank_fact(evidence)
    bank = None
    if data is not None:
        bank = Fact[BankData](source=f"caller/{caller.id}", fetched_at=at, status="present", value=data)
    return Intake(
        application_id=new_id("app"),
        application=submission.application(tuple(new_id("per") for _ in submission.people)),
        people=submission.people,
        received_at=at,
        actor=caller.id,
        bank=bank,
        device=submission.device,
        claim=claim,
        request_id=request_id,
    )


def resume(connection: Connection, row: store.IntakeRow, owner: str) -> Intake:
    """What was taken in under a key, from its rows, now held by `owner`."""
    claim = store.Claim(row.caller_id, row.route, row.key, row.fingerprint)
    kept = _kept(connection, row.application_id)
    unpacked = json.loads(zlib.decompress(row.body, bufsize=_MOST_BODY_BYTES)) if row.body else {}
    bank = unpacked.get("bank")
    return Intake(
        application_id=row.application_id,
        application=kept.application,
        people=kept.people,
        received_at=row.received_at,
        actor=row.caller_id,
        bank=None if bank is None else Fact[BankData].model_validate_json(json.dumps(bank)),
        device=unpacked.get("device"),
        claim=claim,
        owner=owner,
    )


def reopen(connection: Connection, application_id: str) -> Intake:
    """A decided application, to be decided once more by the service itself."""
    kept = _kept(connection, application_id)
    return Intake(
        application_id=application_id, application=kept.application, people=kept.people, received_at=kept.received_at,
        actor="service", actor_role="system",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Kept:
    application: Application
    people: tuple[Person, ...]
    received_at: datetime


def _kept(connection: Connection, application_id: str) -> _Kept:
    row = store.get_application(connection, application_id)
    if row is None:
        raise LookupError("an application that was taken in has a row")
    application, people = Application.model_validate_json(row.body), people_of(connection, application_id)
    # In the application's own order; who was erased meanwhile can no longer be looked for.
    known = tuple(people[ref.ref] for ref in application.people if ref.ref in people)
    return _Kept(application, known, row.received_at)
