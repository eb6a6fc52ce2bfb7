"""What a day at the console needs from outside: applicants of a made-up market, and papers drawn for them.

It does: send requests to a running service as the lender's own software would, and draw papers in an applicant's name.
It does not: touch the console. The rule it keeps: every person, business and paper is made up, and says so.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from api.checks.values import Kind
from api.checks.values import Person as Named
from tests.support.papers.applicants import Applicant, applicant
from tests.support.papers.draft import Draft
from tests.support.papers.generator import WRITERS, _finished
from tests.support.papers.paper import Paper, Variant
from tests.support.server import Server
from tests.support.service import market_bodies

T = TypeVar("T")
PATIENCE_S = 120.0  # generous: checks run one after another in processes of their own


def until(look: Callable[[], T | None]) -> T:
    """What `look` finds, as soon as it finds something; AssertionError where it never does."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        found = look()
        if found is not None:
            return found
        time.sleep(0.2)
    raise AssertionError("it never came")


@dataclass
class Applied:
    """An applicant with an accepted offer, as the lender's software sees them."""

    server: Server
    body: Mapping[str, Any]
    application_id: str
    sent: int = 0

    def ask(self, method: str, what: str, status: int = 200, **more: Any) -> dict[str, Any]:
        """One request about this application."""
        reply = self.server.ask(method, f"/v1/applications/{self.application_id}/{what}", **more)
        assert reply.status_code == status, reply.text
        found: dict[str, Any] = reply.json()
        return found

    def case(self) -> dict[str, Any]:
        """The case as the applicant may see it."""
        return self.ask("GET", "case")

    def wants(self) -> list[dict[str, Any]]:
        """What the applicant still has to send."""
        return [each for each in self.case()["wanted"] if each["required"] and each["state"] in {"wanted", "returned"}]

    def reached(self, *states: str) -> dict[str, Any]:
        """The case, once it is in one of these states."""
        return until(lambda: found if (found := self.case())["state"] in states else None)

    def send(self, wanted: Mapping[str, Any], variant: Variant = "clean") -> None:
        """Send what the case wants, in this variant."""
        self.sent += 1
        whose = wanted.get("person_ref")
        person = (
            [each["person_ref"] for each in self.case()["wanted"] if each.get("person_ref")].index(whose)
            if whose
            else 0
        )
        made = draw(self.body, wanted["kind"], variant, person, self.sent)
        query = f"documents?kind={wanted['kind']}" + (f"&person_ref={whose}" if whose else "")
        self.ask("POST", query, 201, content=made.data, headers={"Content-Type": made.media_type})

    def sign(self) -> dict[str, Any]:
        """The contract, signed by whoever may sign it, until the line is open."""
        told = self.ask("GET", "contract")
        for ref in dict.fromkeys(each["person_ref"] for each in self.case()["wanted"] if each.get("person_ref")):
            signed = {"person_ref": ref, "body_sha256": told["body_sha256"]}
            told = self.ask("POST", "contract/signatures", 201, json=signed)
            if told["line_id"] is not None:
                return told
        raise AssertionError("nobody could open the line")


def applicants(server: Server, market: Path) -> Iterator[Applied]:
    """Businesses of a market whose offers were made and accepted, and that need only the papers drawn here."""
    for body in market_bodies(market):
        if "bank" not in body:
            continue
        reply = server.apply(body).json()
        if reply.get("outcome") != "approve":
            continue
        applied = Applied(server, body, reply["application_id"])
        told = applied.ask("POST", "acceptance", 201, json={"decision_id": reply["decision_id"]})
        if {each["kind"] for each in told["wanted"] if each["required"]} == {"identity", "bank_account_proof"}:
            yield applied


def draw(body: Mapping[str, Any], kind: Kind, variant: Variant, person: int, seed: int) -> Paper:
    """A paper in the applicant's name, of today, with a made-up letterhead that makes it look like no other."""
    business = body["business"]
    rng = Random(f"{business['abn']} {kind} {seed}")
    people = tuple(
        Named(
            given_names=each["given_names"], family_name=each["family_name"],
            born=date.fromisoformat(each["date_of_birth"]),
        )
        for each in body["people"]
    )  # fmt: skip
    other = applicant(rng)
    ours = Applicant(
        entity="company", legal_name=business["legal_name"], company=business["legal_name"], abn=business["abn"],
        acn=business.get("acn"), people=people, address=other.address, bsb=other.bsb, account=other.account,
    )  # fmt: skip
    ours = replace(ours, people=(people[person], *people[:person], *people[person + 1 :]))
    draft = Draft(
        kind=kind, layout=next(iter(WRITERS[kind])), variant=variant, rng=rng, today=datetime.now(UTC).date(),
        ours=ours, other=other,
    )  # fmt: skip
    WRITERS[kind][draft.layout](draft)
    for _ in range(24):
        draft.sheet.y = 140 + rng.random() * 130
        draft.sheet.text(20 + rng.random() * 120, "MADE UP", size=26, bold=True)
    return _finished(draft)
